//! The data folder.

use std::path::PathBuf;

use crate::config::reader::Reader;

/// Where the embedded defaults keep what they need.
#[derive(Clone, Debug)]
pub struct DataSettings {
    pub directory: PathBuf,
}

pub fn read(reader: &mut Reader) -> DataSettings {
    DataSettings {
        directory: reader.value(
            "data.directory",
            PathBuf::from("keystead-data"),
            "Folder of the SQLite database, the master key and the mail outbox, each where nothing else is set; made \
             with mode 0700.",
        ),
    }
}
