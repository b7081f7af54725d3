//! Who hosts the sandbox of a folder: one process at a time, found by the others through a file.

use crate::os::place::{Identity, remove};
use crate::os::private;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const LOCK: &str = "sandbox.lock";
const ADDRESS: &str = "sandbox.address";

/// How long a host that has just taken the lock may need to say where it is reachable.
const SETTLING: Duration = Duration::from_secs(5);

/// How often the lock of a folder is tried for. Whoever only asks for the host holds it for an instant: that
/// is no host.
pub const TAKES_MAX: usize = 4;
/// The time between two tries.
pub const TAKE_PAUSE: Duration = Duration::from_millis(3);

/// The right to host a folder's sandbox; given up when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct HostLock {
    folder: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    /// What was announced.
    address: Option<String>,
}

/// Why a folder is not, or no longer, this process's to host.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process hosts it now.
    #[error("{} is hosted by another sandbox now ({address})", folder.display())]
    Hosted {
        /// The folder.
        folder: PathBuf,
        /// Where the other one says that it is reachable.
        address: String,
    },
    /// The lock's file cannot be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HostLock {
    /// Takes the lock of `folder`, creating the folder; `None` where another process has it.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        let Some(file) = seize(folder)? else { return Ok(None) };
        let held = Mutex::new(Held { file, address: None });
        Ok(Some(Self { folder: folder.to_owned(), held }))
    }

    /// Tells the others where this host is reachable.
    pub fn announce(&self, base_url: &str) -> io::Result<()> {
        let mut held = self.held();
        held.address = Some(base_url.to_owned());
        announce(&self.folder, base_url)
    }

    /// Makes sure that the lock is still what everybody else asks. Where its file was removed, it is taken
    /// again and the address told again, unless another process was quicker.
    pub fn keep(&self) -> Result<(), LockError> {
        let mut held = self.held();
        if self.is_ours(&held) {
            return Ok(());
        }
        let failed = |source| LockError::Io { path: self.folder.join(LOCK), source };
        for at in 0..TAKES_MAX {
            if let Some(file) = seize(&self.folder).map_err(failed)? {
                held.file = file;
                if let Some(address) = &held.address {
                    announce(&self.folder, address).map_err(failed)?;
                }
                tracing::warn!(folder = %self.folder.display(), "the sandbox's lock was removed; it was taken again");
                return Ok(());
            }
            if at + 1 < TAKES_MAX {
                std::thread::sleep(TAKE_PAUSE);
            }
        }
        let address = written(&self.folder).unwrap_or_else(|| "it is just starting".to_owned());
        Err(LockError::Hosted { folder: self.folder.clone(), address })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ours(&self, held: &Held) -> bool {
        let own = Identity::of_open(&held.file).ok();
        own.is_some() && own == Identity::of(&self.folder.join(LOCK))
    }
}

impl Drop for HostLock {
    fn drop(&mut self) {
        // Where the lock was taken away, the address in the folder may be another host's.
        if !self.is_ours(&self.held()) {
            return;
        }
        if let Err(error) = remove(&self.folder.join(ADDRESS)) {
            tracing::debug!(%error, "the sandbox's address could not be removed");
        }
    }
}

/// Takes the lock that stands in `folder`; `None` where another process has it.
fn seize(folder: &Path) -> io::Result<Option<File>> {
    private::folder(folder)?;
    let path = folder.join(LOCK);
    loop {
        let file =
            private::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // A file that was removed before it was locked keeps nobody out.
        if Some(Identity::of_open(&file)?) == Identity::of(&path) {
            // What the last host wrote leads nowhere now.
            remove(&folder.join(ADDRESS))?;
            return Ok(Some(file));
        }
    }
}

fn announce(folder: &Path, base_url: &str) -> io::Result<()> {
    let draft = folder.join(format!("{ADDRESS}.{}", std::process::id()));
    private::write(&draft, base_url.as_bytes())?;
    std::fs::rename(draft, folder.join(ADDRESS))
}

fn written(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join(ADDRESS)).ok().filter(|url| !url.is_empty())
}

/// Where the host of `folder` said that it is reachable; waits a moment for one that is starting.
pub async fn announced(folder: &Path) -> Option<String> {
    let deadline = tokio::time::Instant::now() + SETTLING;
    // A host that was killed leaves its address behind: only the lock says that somebody is there.
    while is_hosted(folder) {
        if let Some(url) = written(folder) {
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
    #[cfg(unix)]
    #[tokio::test]
    async fn a_lock_that_was_removed_is_taken_again_unless_another_was_quicker() {
        let own = tempfile::tempdir().unwrap();
        let folder = own.path().join("home");
        let first = HostLock::take(&folder).unwrap().unwrap();
        first.announce("http://127.0.0.1:1").unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        first.keep().unwrap();
        assert_eq!(announced(&folder).await.as_deref(), Some("http://127.0.0.1:1"));
        assert!(HostLock::take(&folder).unwrap().is_none());

        std::fs::remove_dir_all(&folder).unwrap();
        let second = HostLock::take(&folder).unwrap().unwrap();
        second.announce("http://127.0.0.1:2").unwrap();
        let refused = first.keep().unwrap_err().to_string();
        assert!(refused.contains("http://127.0.0.1:2"), "{refused}");
        drop(first);
        assert_eq!(announced(&folder).await.as_deref(), Some("http://127.0.0.1:2"));
        drop(second);
        assert_eq!(announced(&folder).await, None);
    }
}
