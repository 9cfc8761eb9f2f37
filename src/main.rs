//! Starts parviz.

use std::process::ExitCode;

fn main() -> ExitCode {
    parviz::cli::run::main(std::env::args_os())
}
