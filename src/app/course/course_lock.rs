//! One grading at a time in a folder: two would meet one another's deliveries and fail what is right.

use crate::domain::fault::{Fault, FaultKind};
use crate::os::private;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The files of the locks: of grading, and of a day that is taken as a conversation.
const COURSE: &str = "course.lock";
pub(super) const TALK: &str = "talk.lock";

/// A lock of a folder; given up when dropped, and by the system when the process dies.
#[derive(Debug)]
pub(super) struct FolderLock(
    #[expect(dead_code, reason = "what counts is that the file stays open")] File,
);

impl FolderLock {
    /// Takes it; `None` where another process has it.
    pub(super) fn take(home: &Path, name: &str) -> Result<Option<Self>, Fault> {
        let path = home.join(name);
        let broken = |error: std::io::Error| Fault::file(&path, error);
        private::folder(home).map_err(broken)?;
        let mut options = private::options();
        let file = options.create(true).truncate(false).read(true).write(true).open(&path);
        let file = file.map_err(broken)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(broken(error)),
        }
    }
}

/// The right to grade in a folder.
#[derive(Debug)]
pub struct CourseLock {
    _lock: FolderLock,
}

impl CourseLock {
    /// Takes it, or says who has to end first.
    pub fn take(home: &Path) -> Result<Self, Fault> {
        let in_use = || FaultKind::CourseInUse { home: home.display().to_string() };
        Ok(Self { _lock: FolderLock::take(home, COURSE)?.ok_or_else(in_use)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_turn_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let turn = CourseLock::take(home.path()).unwrap();
        let second = CourseLock::take(home.path()).unwrap_err();
        assert!(matches!(*second.kind, FaultKind::CourseInUse { .. }));
        drop(turn);
        assert!(CourseLock::take(home.path()).is_ok());
    }
}
