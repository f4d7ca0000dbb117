//! The disk and the files on it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::config::Settings;
use crate::config::secret::check_private;

const DISK: &str = "disk";
const FILES: &str = "files";
const MIB: u64 = 1 << 20;
/// Below this a database soon stops writing.
const TOO_LITTLE: u64 = 64 * MIB;
const LITTLE: u64 = 1_024 * MIB;

/// Whether there is room where the service writes.
pub fn disk(settings: &Settings) -> Finding {
    let sqlite = settings.database.store.sqlite_file();
    let place = sqlite.or_else(|| settings.uses_data_folder().then(|| settings.data.directory.clone()));
    let Some(place) = place else { return Finding::ok(DISK, "the service writes to none") };
    let Some(free) = free_bytes(&nearest(&place)) else {
        return Finding::warn(DISK, "how much is free cannot be told", "see for yourself");
    };
    room(free)
}

pub(super) fn room(free: u64) -> Finding {
    let found = format!("{} MiB are free", free / MIB);
    match free {
        ..TOO_LITTLE => Finding::fail(DISK, found, "make room: a full disk stops every sign-in"),
        TOO_LITTLE..LITTLE => Finding::warn(DISK, found, "make room before it is full"),
        LITTLE.. => Finding::ok(DISK, found),
    }
}

/// What is there of a path that may still have to be made.
fn nearest(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|path| path.exists());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(target_os = "linux")]
fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Whether others can get at what the service keeps. Files that the settings name have been looked at by them.
pub fn modes(settings: &Settings) -> Finding {
    let mut open: Vec<String> =
        kept(settings).iter().filter(|path| check_private(path).is_err()).map(|path| shown(path)).collect();
    let folders = settings.uses_data_folder().then(|| settings.data.directory.clone());
    open.extend(folders.iter().filter(|folder| others_may_write(folder)).map(|folder| shown(folder)));
    if open.is_empty() {
        return Finding::ok(FILES, "nobody else can get at what the service keeps");
    }
    let remedy = format!("chmod go= {}", open.join(" "));
    Finding::fail(FILES, format!("others can get at {}", open.join(", ")), remedy)
}

/// The files of the service's own that are there.
fn kept(settings: &Settings) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if settings.master_key.is_none() {
        paths.push(settings.data.directory.join("master.key"));
    }
    if let Some(database) = settings.database.store.sqlite_file() {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = database.as_os_str().to_owned();
            name.push(suffix);
            paths.push(name.into());
        }
    }
    paths.retain(|path| path.exists());
    paths
}

/// Each file has a mode of its own, so that to see their names does no harm.
fn others_may_write(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o002 != 0)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
