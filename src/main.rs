//! The `linkgate` program: parse the command line, run it, print the error, exit.

use std::process::ExitCode;

/// A request makes some dozens of small allocations on one thread and frees some on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    linkgate::cli::main()
}
