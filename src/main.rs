//! The binary: runs the command line, and chooses the exit code.

use std::process::ExitCode;

use keystead::cli::{self, Ending};

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ending::Success => ExitCode::SUCCESS,
        Ending::BadUsage => ExitCode::from(64),
        Ending::Failure => ExitCode::FAILURE,
    }
}
