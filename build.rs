//! Lays what ordinary runs execute side by side: `benches/touched.py` says why.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/touched.ld");
    // Debug builds should link fast; other systems' linkers have no such scripts.
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{root}/link/touched.ld");
        // The loader reads all relocations, a megabyte; packed they are 50 KB.
        if loader_knows_packed_relocations() {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}

fn is(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|it| it == value)
}

/// Whether what loads the program can read packed relocations (`DT_RELR`).
///
/// With musl the program loads itself; glibc can since 2.36, and what is linked for this machine is
/// taken to run on it.
fn loader_knows_packed_relocations() -> bool {
    if is("CARGO_CFG_TARGET_ENV", "musl") {
        return true;
    }
    if !is("CARGO_CFG_TARGET_ENV", "gnu") || env::var_os("HOST") != env::var_os("TARGET") {
        return false;
    }
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let version = String::from_utf8_lossy(&output.stdout);
    let mut numbers = version.trim().trim_start_matches("glibc ").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (2, 36),
        _ => false,
    }
}
