//! The file of an import: read and parsed on a thread of its own, a few batches ahead of the database.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::app::start_error::StartError;
use crate::cli::user_files::{FileRow, Form};
use crate::service::admin::users::import::MAX_ROWS;
use crate::service::admin::users::user_row::UserRow;

/// Batches that wait to be written.
const AHEAD: usize = 4;
const BUFFER_BYTES: usize = 256 * 1024;

/// Rows that are taken in together, with their numbers.
#[derive(Default)]
pub struct Batch {
    pub numbers: Vec<u64>,
    pub rows: Vec<UserRow>,
}

/// Reads the file but for the rows that are skipped. The bar is shown on a terminal alone.
pub fn read(file: PathBuf, form: Form, skip: u64) -> mpsc::Receiver<Result<Batch, StartError>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send_all(&file, form, skip, &sender) {
            // Who no longer listens has an error of their own.
            sender.blocking_send(Err(error)).unwrap_or_default();
        }
    });
    receiver
}

fn send_all(
    file: &Path,
    form: Form,
    skip: u64,
    sender: &mpsc::Sender<Result<Batch, StartError>>,
) -> Result<(), StartError> {
    let (file, bar) =
        open(file).map_err(|error| StartError::Settings(format!("the file cannot be opened: {error}")))?;
    let rows = form.rows(BufReader::with_capacity(BUFFER_BYTES, bar.wrap_read(file)))?;
    let mut batch = Batch::default();
    for row in rows {
        let FileRow { number, row } = row?;
        if number <= skip {
            continue;
        }
        batch.numbers.push(number);
        batch.rows.push(row);
        if batch.rows.len() == MAX_ROWS && sender.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
            return Ok(());
        }
        bar.set_message(format!("row {number}"));
    }
    bar.finish_and_clear();
    // Who no longer listens has an error of their own.
    sender.blocking_send(Ok(batch)).unwrap_or_default();
    Ok(())
}

fn open(file: &Path) -> io::Result<(Box<dyn Read>, ProgressBar)> {
    if file == Path::new("-") {
        return Ok((Box::new(io::stdin()), bar(None)));
    }
    let file = File::open(file)?;
    let length = file.metadata()?.len();
    Ok((Box::new(file), bar(Some(length))))
}

/// Drawn to standard error, if that is a terminal.
fn bar(length: Option<u64>) -> ProgressBar {
    let template = "{bar:40} {bytes}/{total_bytes} {msg} {eta}";
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = ProgressStyle::with_template(if length.is_some() { template } else { "{spinner} {bytes} {msg}" });
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
