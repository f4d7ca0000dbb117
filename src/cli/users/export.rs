//! `keystead users export`: writes every account, as an import reads them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;

use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::cli::operator::failed;
use crate::cli::user_files::Format;
use crate::cli::user_files::writer::UserWriter;
use crate::domain::user_list::UserFilter;
use crate::service::admin::users::export::Hashes;

#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The file, which must not be there yet and which only its owner may read; `-` is standard output.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The form of the file.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the hashes of passwords too: whoever has the file can guess at them.
    #[arg(long)]
    with_hashes: bool,
}

pub async fn run(console: &Console, arguments: Arguments) -> Result<(), StartError> {
    let out = open(&arguments.file)?;
    let hashes = if arguments.with_hashes { Hashes::Included } else { Hashes::LeftOut };
    let export = &console.api.export_users;
    let mut export = export.run(UserFilter::default(), hashes, &Console::operator(), None).await.map_err(failed)?;
    let mut writer = UserWriter::new(arguments.format, out).map_err(unwritable)?;
    // Drawn to standard error, if that is a terminal.
    let bar = ProgressBar::new_spinner();
    while let Some(users) = export.next().await.map_err(failed)? {
        for user in &users {
            writer.write(user).map_err(unwritable)?;
        }
        bar.inc(u64::try_from(users.len()).unwrap_or_default());
        bar.set_message(format!("{} accounts", bar.position()));
    }
    bar.finish_and_clear();
    writer.flush().map_err(unwritable)
}

fn open(file: &Path) -> Result<Box<dyn Write>, StartError> {
    if file == Path::new("-") {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    }
    let file: io::Result<File> = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let file = file.map_err(|error| StartError::Settings(format!("the file cannot be made: {error}")))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn unwritable(error: impl std::fmt::Display) -> StartError {
    StartError::Failed(format!("the accounts cannot be written: {error}"))
}
