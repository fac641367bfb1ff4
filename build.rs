//! Lays what ordinary runs execute side by side: `benches/touched.py` says why.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/touched.ld");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    // Debug builds should link fast; other systems' linkers have no such scripts.
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{root}/link/touched.ld");
        // The loader reads all relocations, a megabyte; packed they are 50 KB. The program brings
        // its musl along, which knows them; the system's glibc may be too old.
        if is("CARGO_CFG_TARGET_ENV", "musl") {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}
