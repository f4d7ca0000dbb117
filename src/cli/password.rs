//! Takes a password from a terminal, a file or standard input; never from an argument, which every process can read.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::start_error::StartError;
use crate::config::secret::{read_secret_file, without_line_break};
use crate::domain::password::Password;

/// More than any password has: 256 code points and a line break.
const MAX_BYTES: u64 = 4 * 256 + 2;

/// Reads the password: from the file if one is named, else from standard input, at a terminal twice and unseen.
pub fn read(file: Option<PathBuf>) -> Result<Password, StartError> {
    let text = match file {
        Some(file) => from_file(&file)?,
        None if std::io::stdin().is_terminal() => from_terminal()?,
        None => from_input()?,
    };
    Password::parse(&text).map_err(|fault| StartError::Settings(format!("the password {fault}")))
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, StartError> {
    let secret = read_secret_file(file);
    let secret = secret.map_err(|fault| StartError::Settings(format!("--password-file {fault}")))?;
    Ok(Zeroizing::new(secret.expose().to_owned()))
}

fn from_input() -> Result<Zeroizing<String>, StartError> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| StartError::Settings(format!("no password can be read from standard input: {error}")))?;
    Ok(Zeroizing::new(without_line_break(&text).to_owned()))
}

fn from_terminal() -> Result<Zeroizing<String>, StartError> {
    let ask = |prompt: &str| {
        let answer = rpassword::prompt_password(prompt).map(Zeroizing::new);
        answer.map_err(|error| StartError::Settings(format!("no password can be read from the terminal: {error}")))
    };
    let (first, second) = (ask("Password: ")?, ask("Again: ")?);
    if *first == *second { Ok(first) } else { Err(StartError::Settings("the passwords differ".to_owned())) }
}
