//! argv in, exit code out.

use std::process::ExitCode;

use source_declarative_manifest::cli;

// Records are made and dropped by the million; a musl build has nothing fit for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A core dump is a copy of the memory, in which secrets are.
#[cfg(target_os = "linux")]
fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // One byte is too little for a file, as none would be; but a program that takes dumps in place
    // of a file is not asked at one, while the kernel overlooks a limit of none for it.
    let limit = Rlimit { current: Some(1), maximum: Some(1) };
    // Whoever has set a lower one has forbidden it as well.
    let _ = setrlimit(Resource::Core, limit);
}

#[cfg(not(target_os = "linux"))]
fn forbid_core_dumps() {}

/// Where the kernel gives huge pages to allocators that ask for them, each thread's heap takes
/// megabytes that it never uses.
#[cfg(target_os = "linux")]
fn use_small_pages() {
    // An old kernel that does not know it only costs memory.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(not(target_os = "linux"))]
fn use_small_pages() {}

fn main() -> ExitCode {
    forbid_core_dumps();
    use_small_pages();
    cli::run(std::env::args_os())
}
