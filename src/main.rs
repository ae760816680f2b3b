//! The `linkgate` program: parse the command line, run it, print the error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    linkgate::cli::main()
}
