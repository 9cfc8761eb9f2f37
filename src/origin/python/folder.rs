//! The private folders of a watched program: the probe, the socket, the rings, what it printed.
//!
//! Two folders, because rings belong in memory where the system has such a place. Both are open to the
//! user alone and vanish with this value. What a killed parviz left behind is swept at the next start:
//! the owner of a folder holds a lock on a file in it, and a folder without such an owner is nobody's.
#![expect(
    clippy::disallowed_methods,
    reason = "makes, fills and sweeps private folders"
)]

use crate::platform;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How the names of our folders begin.
const PREFIX: &str = "parviz-";
const LOCK: &str = "lock";
/// A folder younger than this may belong to somebody who has not locked it yet.
const YOUNG: Duration = Duration::from_secs(60);
/// The path of a socket is limited to 104 to 108 bytes.
const SHORT: usize = 80;
/// Memory that looks like a folder.
const MEMORY: &str = "/dev/shm";

/// See the module.
#[derive(Debug)]
pub(super) struct Folder {
    main: TempDir,
    rings: Option<TempDir>,
    /// Held as long as the folders live.
    _locks: Vec<File>,
}

impl Folder {
    pub(super) fn make() -> io::Result<Self> {
        let mut place = std::env::temp_dir();
        if place.as_os_str().as_bytes().len() > SHORT {
            place = PathBuf::from("/tmp");
        }
        sweep(&place);
        let main = private(&place).map_err(|error| {
            let (place, why) = (place.display(), platform::without_path(&error));
            let text = format!("no folder can be made in {place} (TMPDIR): {why}");
            io::Error::new(error.kind(), text)
        })?;
        let mut locks = vec![lock(main.path())?];
        let memory = Path::new(MEMORY);
        sweep(memory);
        let rings = private(memory).ok();
        if let Some(rings) = &rings {
            locks.push(lock(rings.path())?);
        }
        Ok(Self {
            main,
            rings,
            _locks: locks,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.main.path()
    }

    pub(super) fn rings(&self) -> &Path {
        self.rings.as_ref().unwrap_or(&self.main).path()
    }
}

fn private(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create(folder.join(LOCK))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Removes folders of ours whose owner is gone. What cannot be removed stays.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().as_bytes().starts_with(PREFIX.as_bytes());
        if is_ours && is_abandoned(&entry.path()).unwrap_or(false) {
            // Another sweeper may have been faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(folder: &Path) -> io::Result<bool> {
    let facts = fs::symlink_metadata(folder)?;
    let is_old = facts.modified()?.elapsed().is_ok_and(|age| age > YOUNG);
    if !facts.is_dir() || facts.uid() != rustix::process::getuid().as_raw() || !is_old {
        return Ok(false);
    }
    match File::open(folder.join(LOCK)) {
        Ok(file) => Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_private_and_vanish() {
        let folder = Folder::make().unwrap();
        let (main, rings) = (folder.path().to_owned(), folder.rings().to_owned());
        for path in [&main, &rings] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o700);
        }
        fs::write(main.join("probe"), "text").unwrap();
        drop(folder);
        assert!(!main.exists() && !rings.exists());
    }

    #[test]
    fn only_a_folder_without_an_owner_is_swept() {
        let place = tempfile::tempdir().unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH;
        let make = |name: &str| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            let held = lock(&path).unwrap();
            File::open(&path).unwrap().set_modified(old).unwrap();
            (path, held)
        };
        let (left, held) = make("parviz-left");
        drop(held);
        let (owned, _held) = make("parviz-owned");
        let (other, held) = make("another");
        drop(held);
        // A process that another test has just forked may hold what it inherited for a moment.
        for _ in 0..10_000 {
            sweep(place.path());
            if !left.exists() {
                break;
            }
            std::thread::yield_now();
        }
        assert!(!left.exists() && owned.exists() && other.exists());
    }
}
