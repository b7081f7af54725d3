//! Who hosts the sandbox of a folder: one process at a time, found by the others through a file.

use crate::os::private;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOCK: &str = "sandbox.lock";
const ADDRESS: &str = "sandbox.address";

/// How long a host that has just taken the lock may need to say where it is reachable.
const SETTLING: Duration = Duration::from_secs(5);

/// The right to host a folder's sandbox; given up when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct HostLock {
    folder: PathBuf,
    _file: File,
}

impl HostLock {
    /// Takes the lock of `folder`, creating the folder; `None` where another process has it.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        private::folder(folder)?;
        let path = folder.join(LOCK);
        let file =
            private::options().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                // What the last host wrote leads nowhere now.
                forget(folder)?;
                Ok(Some(Self { folder: folder.to_owned(), _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Tells the others where this host is reachable.
    pub fn announce(&self, base_url: &str) -> io::Result<()> {
        let draft = self.folder.join(format!("{ADDRESS}.{}", std::process::id()));
        private::write(&draft, base_url.as_bytes())?;
        std::fs::rename(draft, self.folder.join(ADDRESS))
    }
}

impl Drop for HostLock {
    fn drop(&mut self) {
        if let Err(error) = forget(&self.folder) {
            tracing::debug!(%error, "the sandbox's address could not be removed");
        }
    }
}

fn forget(folder: &Path) -> io::Result<()> {
    match std::fs::remove_file(folder.join(ADDRESS)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where the host of `folder` said that it is reachable; waits a moment for one that is starting.
pub async fn announced(folder: &Path) -> Option<String> {
    let read = || std::fs::read_to_string(folder.join(ADDRESS)).ok().filter(|url| !url.is_empty());
    let deadline = tokio::time::Instant::now() + SETTLING;
    // A host that was killed leaves its address behind: only the lock says that somebody is there.
    while is_hosted(folder) {
        if let Some(url) = read() {
            return Some(url);
        }
        if tokio::time::Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

/// Whether a living process has the lock. Asking holds it, shared, for an instant.
fn is_hosted(folder: &Path) -> bool {
    let file = File::open(folder.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_process_hosts_a_folder_and_the_others_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = HostLock::take(folder.path()).unwrap().unwrap();
        assert!(HostLock::take(folder.path()).unwrap().is_none());
        lock.announce("http://127.0.0.1:12111").unwrap();
        assert_eq!(announced(folder.path()).await.as_deref(), Some("http://127.0.0.1:12111"));
        drop(lock);
        assert_eq!(announced(folder.path()).await, None);
        // What a killed host leaves behind.
        std::fs::write(folder.path().join(ADDRESS), "http://127.0.0.1:12111").unwrap();
        assert_eq!(announced(folder.path()).await, None);
        assert!(HostLock::take(folder.path()).unwrap().is_some());
    }
}
