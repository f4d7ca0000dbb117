//! `keystead completions`: a script by which a shell completes the command line.

use clap::Command;
use clap_complete::Shell;

use super::output;
use crate::app::start_error::StartError;

pub fn run(shell: Shell, mut command: Command) -> Result<(), StartError> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::write(&script)
}
