//! The data folder: what the embedded defaults keep, readable by its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::start_error::StartError;
use crate::config::secret::read_secret_file;
use crate::config::{MASTER_KEY_BYTES, MasterKey};
use crate::domain::clock::Entropy;

/// The file of the master key.
const MASTER_KEY: &str = "master.key";

/// The folder that `data.directory` names.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// Makes the folder (0700) if it is missing; one that is there keeps its mode.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| cannot("be made", path, &error))?;
        Ok(Self { path: path.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The master key of this folder, made at the first start (0600). Of two processes that start at once both get the
    /// key of the first.
    pub fn master_key(&self, entropy: &dyn Entropy) -> Result<MasterKey, StartError> {
        let path = self.path.join(MASTER_KEY);
        if !path.exists() {
            self.make_master_key(&path, entropy)?;
        }
        read_master_key(&path)
    }

    /// The master key of the folder of this name, if there is one; makes neither.
    pub fn find_master_key(folder: &Path) -> Result<Option<MasterKey>, StartError> {
        let path = folder.join(MASTER_KEY);
        if path.exists() { read_master_key(&path).map(Some) } else { Ok(None) }
    }

    /// The key is complete on the disk before it gets its name: a crash leaves no half of one.
    fn make_master_key(&self, path: &Path, entropy: &dyn Entropy) -> Result<(), StartError> {
        let mut bytes = Zeroizing::new([0; MASTER_KEY_BYTES]);
        entropy.fill(bytes.as_mut_slice());
        let mut suffix = [0; 8];
        entropy.fill(&mut suffix);
        let draft = self.path.join(format!("master.key.{:016x}", u64::from_le_bytes(suffix)));
        let written = write_private(&draft, MasterKey(bytes).to_base64().as_bytes());
        let named = written.and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
        let removed = fs::remove_file(&draft);
        // The name too must outlast a power cut: a database elsewhere may hold keys that only this one opens.
        let synced = fs::File::open(&self.path).and_then(|folder| folder.sync_all());
        named.and(removed).and(synced).map_err(|error| cannot("be written", path, &error))
    }
}

fn read_master_key(path: &Path) -> Result<MasterKey, StartError> {
    let fault = |problem: &str| StartError::Settings(format!("the master key {} {problem}", path.display()));
    let text = read_secret_file(path).map_err(|problem| fault(&problem))?;
    MasterKey::from_base64(text.expose().trim()).ok_or_else(|| fault("is not 32 bytes in base64"))
}

fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StartError {
    StartError::Failed(format!("{} cannot {what}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::app::system::SystemEntropy;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_folder_and_key_for_the_owner_alone_and_the_next_finds_them() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let first = DataFolder::open(&path).unwrap().master_key(&SystemEntropy::new()).unwrap();
        let second = DataFolder::open(&path).unwrap().master_key(&SystemEntropy::new()).unwrap();
        assert_eq!(first.0, second.0);
        assert_eq!((mode(&path), mode(&path.join("master.key"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn of_many_first_starts_at_once_all_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<MasterKey> = std::thread::scope(|scope| {
            let start = || DataFolder::open(folder.path()).unwrap().master_key(&SystemEntropy::new()).unwrap();
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.0 == keys[0].0));
    }

    // promise S3
    #[test]
    fn a_master_key_that_others_can_read_or_that_is_none_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let _key = data.master_key(&SystemEntropy::new()).unwrap();
        let path = folder.path().join("master.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(data.master_key(&SystemEntropy::new()), Err(StartError::Settings(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "canary").unwrap();
        let error = data.master_key(&SystemEntropy::new()).unwrap_err();
        assert!(matches!(error, StartError::Settings(_)) && !error.to_string().contains("canary"));
    }
}
