//! `keystead settings`: prints what can be set.

use super::output;
use crate::app::start_error::StartError;
use crate::config::reference;

pub fn run() -> Result<(), StartError> {
    output::write(reference::markdown().as_bytes())
}
