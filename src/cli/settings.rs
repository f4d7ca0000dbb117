//! `keystead settings`: prints what can be set.

use std::io::Write;

use super::Ending;
use crate::config::reference;

pub fn run() -> Ending {
    match std::io::stdout().write_all(reference::markdown().as_bytes()) {
        Ok(()) => Ending::Success,
        Err(_) => Ending::Failure,
    }
}
