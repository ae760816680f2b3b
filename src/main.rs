//! The `linkgate` program: parse the command line, run it, print the error, exit.

use std::process::ExitCode;

/// Every request allocates a few dozen small pieces, and frees them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    linkgate::cli::main()
}
