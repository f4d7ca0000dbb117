//! Files of one JSON object a line.

use std::io::{BufRead, Read as _};

use serde::de::DeserializeOwned;

use super::{FileRow, Rows, unreadable};
use crate::app::start_error::StartError;
use crate::service::admin::users::user_row::UserRow;

/// The longest line that is looked at, in bytes.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// A row of each line that is not blank.
pub fn rows<T: DeserializeOwned + 'static>(file: impl BufRead + 'static, row: fn(T) -> UserRow) -> Rows {
    let read = move |line: Result<(u64, Vec<u8>), StartError>| {
        let (number, line) = line?;
        Ok(FileRow { number, row: parse(&line).map_or_else(|fault| UserRow::at_fault("", &fault), row) })
    };
    let is_told = |line: &Result<(u64, Vec<u8>), StartError>| {
        line.as_ref().map_or(true, |(_, line)| !line.iter().all(u8::is_ascii_whitespace))
    };
    Box::new(Lines { file, number: 0 }.filter(is_told).map(read))
}

/// What is wrong is told by its place: what serde says of it may quote the line.
fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    if u64::try_from(line.len()).unwrap_or(u64::MAX) > MAX_LINE_BYTES {
        return Err("must be a line of 1 MiB at most".to_owned());
    }
    // A list would be taken for the values of the fields.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("must be a JSON object".to_owned());
    }
    serde_json::from_slice(line).map_err(|error| {
        format!("must be a JSON object of the fields that are known; it is not at column {}", error.column())
    })
}

struct Lines<F> {
    file: F,
    number: u64,
}

impl<F: BufRead> Iterator for Lines<F> {
    type Item = Result<(u64, Vec<u8>), StartError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        // One byte more than is looked at tells that there are more.
        let read = self.file.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line);
        self.number += 1;
        match read {
            Ok(0) => None,
            Ok(_) if line.last() != Some(&b'\n') => Some(self.skip_rest().map(|()| (self.number, line))),
            Ok(_) => Some(Ok((self.number, line))),
            Err(error) => Some(Err(unreadable(error))),
        }
    }
}

impl<F: BufRead> Lines<F> {
    /// Goes to the end of the line, keeping nothing.
    fn skip_rest(&mut self) -> Result<(), StartError> {
        self.file.skip_until(b'\n').map(drop).map_err(unreadable)
    }
}
