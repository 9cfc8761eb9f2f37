//! Starts parviz, or one of its workers.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if parviz::origin::processes::worker::is_worker(std::env::args_os().nth(1)) {
        return parviz::origin::processes::worker::run();
    }
    parviz::cli::run::main(std::env::args_os())
}
