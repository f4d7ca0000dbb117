//! `keystead man`: the manual pages, made of what the command line says of itself.

use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::output;
use crate::app::start_error::StartError;

/// Into the folder a page for every command goes, without it the first one is shown.
pub fn run(directory: Option<&Path>, command: Command) -> Result<(), StartError> {
    let failed = |error: std::io::Error| StartError::Failed(format!("the manual cannot be written: {error}"));
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(failed)?;
        return output::write(&page);
    };
    clap_mangen::generate_to(command, directory).map_err(failed)
}
