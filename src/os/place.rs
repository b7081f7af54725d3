//! Whether a database that is open is still the one that its name leads to. SQLite goes on writing to a file
//! whose name was taken away or given to another; what was acknowledged then is gone when the process ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file by what no other file has at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    /// The file that stands at a path; `None` where none does.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }

    /// A file that is open.
    pub fn of_open(file: &File) -> io::Result<Self> {
        file.metadata().map(|about| Self::from(&about))
    }
}

#[cfg(unix)]
impl From<&fs::Metadata> for Identity {
    fn from(about: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(about.dev(), about.ino())
    }
}

#[cfg(not(unix))]
impl From<&fs::Metadata> for Identity {
    fn from(_: &fs::Metadata) -> Self {
        // An open file can be neither removed nor replaced there.
        Self(0, 0)
    }
}

/// A database's file and its log as they were opened.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    file: Option<Identity>,
    log: Option<Identity>,
}

/// What stands at the database's path now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The file that was opened.
    Same,
    /// Nothing.
    Gone,
    /// Another file.
    Other,
    /// The file that was opened, without the log that was opened with it.
    Logless,
}

impl Place {
    /// Opens what stands at `path`, with what it is known by.
    pub fn open<C, E>(path: &Path, open: impl Fn(&Path) -> Result<C, E>) -> Result<(C, Self), E> {
        loop {
            let before = Identity::of(path);
            let opened = open(path)?;
            let file = Identity::of(path);
            // A file that was put there in between is not the one that was opened.
            if before.is_none() || before == file {
                return Ok((opened, Self { file, log: Identity::of(&beside(path, "-wal")) }));
            }
        }
    }

    /// Looks what stands there now.
    pub fn look(&mut self, path: &Path) -> Standing {
        match Identity::of(path) {
            None => Standing::Gone,
            Some(now) if self.file != Some(now) => Standing::Other,
            Some(_) => {
                let log = Identity::of(&beside(path, "-wal"));
                match self.log {
                    Some(known) if log != Some(known) => Standing::Logless,
                    _ => {
                        // It is made by the first transaction and stays until the last connection closes.
                        self.log = log;
                        Standing::Same
                    }
                }
            }
        }
    }

    /// Takes away the log of the file that was opened, where it is left beside another file: it would be taken
    /// for that one's.
    pub fn take_log(&self, path: &Path) -> io::Result<()> {
        let log = beside(path, "-wal");
        if self.log.is_some() && Identity::of(&log) == self.log {
            remove(&log)?;
            remove(&beside(path, "-shm"))?;
        }
        Ok(())
    }
}

/// The path with more text at its end.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file; one that is not there is removed already.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a draft of a database the name `path`, unless a file has it: then it fails with `AlreadyExists`. What
/// a removed file left beside it would be taken for the log of the new one, and goes.
pub fn put(draft: &Path, path: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        remove(&beside(path, suffix))?;
    }
    match fs::hard_link(draft, path) {
        // Not every file system has links; these have one writer.
        Err(error)
            if error.kind() != io::ErrorKind::AlreadyExists && Identity::of(path).is_none() =>
        {
            fs::rename(draft, path)
        }
        other => other,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_again_and_another_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let write = |path: &Path| fs::write(path, "x");
        let ((), mut place) = Place::open(&path, write).unwrap();
        assert_eq!(place.look(&path), Standing::Same);
        fs::write(beside(&path, "-wal"), "log").unwrap();
        assert_eq!(place.look(&path), Standing::Same);
        fs::rename(beside(&path, "-wal"), folder.path().join("log")).unwrap();
        assert_eq!(place.look(&path), Standing::Logless);
        fs::rename(folder.path().join("log"), beside(&path, "-wal")).unwrap();
        fs::rename(&path, folder.path().join("aside")).unwrap();
        assert_eq!(place.look(&path), Standing::Gone);
        fs::write(&path, "other").unwrap();
        assert_eq!(place.look(&path), Standing::Other);
        place.take_log(&path).unwrap();
        assert!(!beside(&path, "-wal").exists());
    }

    #[test]
    fn a_name_that_is_taken_stays_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (draft, path) = (folder.path().join("draft"), folder.path().join("x.db"));
        fs::write(&draft, "new").unwrap();
        fs::write(&path, "old").unwrap();
        assert_eq!(put(&draft, &path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        remove(&path).unwrap();
        put(&draft, &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        remove(&path).unwrap();
        remove(&path).unwrap();
    }
}
