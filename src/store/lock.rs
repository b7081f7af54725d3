//! Who writes a ledger: any number of processes at once, and nobody while it is being set back.

use crate::os::private;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A lock beside the ledger's file; given up when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct LedgerLock {
    _file: File,
}

impl LedgerLock {
    /// The right to write the ledger at `path`, beside others who have it too; `None` while it is set back.
    pub fn shared(path: &Path) -> io::Result<Option<Self>> {
        Self::take(path, File::try_lock_shared)
    }

    /// The right to move the ledger at `path` away; `None` while anybody may write it.
    pub fn alone(path: &Path) -> io::Result<Option<Self>> {
        Self::take(path, File::try_lock)
    }

    /// The right to build the ledger at `path` anew, for which others who want it wait.
    pub fn building(path: &Path) -> io::Result<Self> {
        let file = private::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(beside(path, "building"))?;
        file.lock()?;
        Ok(Self { _file: file })
    }

    fn take(
        path: &Path,
        lock: impl FnOnce(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let file = private::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(beside(path, "lock"))?;
        match lock(&file) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    path.with_extension(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_write_and_nobody_sets_back_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let one = LedgerLock::shared(&path).unwrap().unwrap();
        let two = LedgerLock::shared(&path).unwrap().unwrap();
        drop(one);
        assert!(LedgerLock::alone(&path).unwrap().is_none());
        drop(two);
        let alone = LedgerLock::alone(&path).unwrap().unwrap();
        assert!(LedgerLock::shared(&path).unwrap().is_none());
        drop(alone);
        assert!(LedgerLock::shared(&path).unwrap().is_some());
    }
}
