//! The `linkgate` program: parse the command line, run it, print the error, exit.

use std::process::ExitCode;

/// Every request allocates a few dozen small pieces, on one thread, and frees them on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    linkgate::cli::main()
}
