//! argv in, exit code out.

use std::process::ExitCode;

use source_declarative_manifest::cli;

// Records are made and dropped by the million; a musl build has nothing fit for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
