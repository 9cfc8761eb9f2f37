//! A file that is written whole or stays as it was.
//!
//! It is written beside its place and then takes it. Whether that works is tried before anything runs.
#![expect(clippy::disallowed_methods, reason = "writes what was asked for")]

use crate::platform;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// See the module.
#[derive(Debug)]
pub(super) enum OutFile {
    Whole(PathBuf),
    /// A pipe, a device, or a file in a folder where no other can be made.
    InPlace(File),
}

impl OutFile {
    /// The file at this path, which is left as it is for now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let facts = match fs::metadata(path) {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let place = led_to(path);
                beside(&place)?;
                return Ok(Self::Whole(place));
            }
            Err(error) => return Err(error),
        };
        let file = OpenOptions::new().write(true).open(path)?;
        // Through a link, the file is replaced and not the link.
        match fs::canonicalize(path) {
            Ok(place) if facts.is_file() && beside(&place).is_ok() => Ok(Self::Whole(place)),
            _ => Ok(Self::InPlace(file)),
        }
    }

    pub(super) fn write(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let pour = |file: &File| {
            let mut out = BufWriter::new(file);
            write(&mut out).and_then(|()| out.flush())
        };
        match self {
            Self::InPlace(file) => {
                // Where there is nothing to be cut off this cannot be done.
                let _ = file.set_len(0);
                pour(&file)
            }
            Self::Whole(place) => {
                let file = beside(&place)?;
                pour(file.as_file())?;
                if let Ok(facts) = fs::metadata(&place) {
                    fs::set_permissions(file.path(), facts.permissions())?;
                }
                file.persist(place).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

/// A file in the same folder, which vanishes unless it takes the place.
fn beside(place: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".parviz-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As every new file: what the umask leaves of it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let made = builder.tempfile_in(folder(place));
    made.map_err(|error| platform::without_path(&error))
}

/// Where a file comes to be that is made at this path: links may lead to what is not there yet.
fn led_to(path: &Path) -> PathBuf {
    // No more than the system follows.
    const LINKS: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = fs::read_link(&place) else {
            break;
        };
        place = folder(&place).join(next);
    }
    place
}

fn folder(place: &Path) -> &Path {
    match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether both are the same file, whether it is there or not.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        if let Ok(place) = fs::canonicalize(path) {
            // Pipes and devices are not spoiled by being written.
            return place.is_file().then_some(place);
        }
        let place = led_to(path);
        let folder = fs::canonicalize(folder(&place)).ok()?;
        Some(folder.join(place.file_name()?))
    };
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        drop(OutFile::at(&path).unwrap());
        assert_eq!(names(), 0);
        let new = OutFile::at(&path).unwrap();
        new.write(|out| out.write_all(b"first")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let full = OutFile::at(&path).unwrap().write(|out| {
            out.write_all(b"second")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(full.is_err() && names() == 1);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert!(OutFile::at(&folder.path().join("no").join("report")).is_err());
        assert!(OutFile::at(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_the_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("report"), folder.path().join("link"));
        fs::write(&path, "a longer text").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = OutFile::at(&link).unwrap();
        file.write(|out| out.write_all(b"short")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o604
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && is_same(&path, &link));
    }

    #[cfg(unix)]
    #[test]
    fn links_to_nothing_yet_stay_and_a_file_comes_where_they_lead() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("inner")).unwrap();
        symlink("inner/second", place("first")).unwrap();
        symlink("../report", place("inner/second")).unwrap();
        assert!(is_same(&place("first"), &place("report")));
        let file = OutFile::at(&place("first")).unwrap();
        file.write(|out| out.write_all(b"text")).unwrap();
        assert_eq!(fs::read(place("report")).unwrap(), b"text");
        for link in ["first", "inner/second"] {
            assert!(place(link).is_symlink(), "{link}");
        }
        symlink("no/report", place("lost")).unwrap();
        symlink("round", place("round")).unwrap();
        for link in ["lost", "round"] {
            assert!(OutFile::at(&place(link)).is_err(), "{link}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_the_same_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("a"), folder.path().join(".").join("a"));
        assert!(is_same(&one, &other));
        assert!(!is_same(&one, &folder.path().join("b")));
    }
}
