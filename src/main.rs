//! argv in, exit code out.

use std::process::ExitCode;

use source_declarative_manifest::cli;

// Records are made and dropped by the million; a musl build has nothing fit for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    use_small_pages();
    cli::run(std::env::args_os())
}
