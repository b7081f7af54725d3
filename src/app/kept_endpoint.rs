//! The endpoint that `listen` or `shop` registered the last time, and its secret: what was sent while nobody listened is
//! delivered to whoever listens again, because the provider knows it as the same one.

use crate::domain::canonical;
use crate::domain::secret::SigningSecret;
use crate::os::private;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// A server of ours whose endpoint is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The listener.
    Listener,
    /// The shop.
    Shop,
}

impl Server {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Listener, Self::Shop];

    /// The description of its endpoints.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Listener => "stripegym listen",
            Self::Shop => "stripegym shop",
        }
    }

    /// The file within the home folder. Only its owner can read it.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Listener => "endpoints.json",
            Self::Shop => "shop-endpoints.json",
        }
    }
}

/// How much of a folder's hash tells it from others.
const FOLDER_DIGITS: usize = 16;

/// An endpoint as it is kept.
#[derive(Serialize, Deserialize)]
struct Entry {
    endpoint: String,
    secret: String,
}

/// What is kept of a folder, by the world that an endpoint is in; one process at a time has it.
#[derive(Debug)]
pub struct KeptEndpoints {
    file: File,
    folder: String,
}

impl KeptEndpoints {
    /// What is kept in `home` of a server; `None` while another of the folder is told there.
    pub fn open(home: &Path, server: Server) -> io::Result<Option<Self>> {
        private::folder(home)?;
        let path = home.join(server.file());
        let file =
            private::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        private::close(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let whole = home.canonicalize()?;
        // Each has endpoints of its own at the provider.
        let whole = match server {
            Server::Listener => whole,
            Server::Shop => whole.join(server.file()),
        };
        let hash = canonical::sha256(&whole.to_string_lossy());
        Ok(Some(Self { file, folder: hash.chars().take(FOLDER_DIGITS).collect() }))
    }

    /// What marks endpoints of this folder at the provider.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The endpoint of a world and its secret.
    pub fn of(&self, world: &str) -> Option<(String, SigningSecret)> {
        let Entry { endpoint, secret } = self.all().remove(world)?;
        Some((endpoint, SigningSecret::read(&secret)?))
    }

    /// Keeps the endpoint of a world from now on.
    pub fn keep(&mut self, world: &str, endpoint: &str, secret: &SigningSecret) -> io::Result<()> {
        let mut all = self.all();
        let entry = Entry { endpoint: endpoint.to_owned(), secret: secret.reveal().to_owned() };
        all.insert(world.to_owned(), entry);
        let text = serde_json::to_vec(&all)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// A file that was cut off or belongs to somebody else keeps nothing: what it had is registered anew.
    fn all(&self) -> BTreeMap<String, Entry> {
        let mut text = String::new();
        let mut file = &self.file;
        let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
        read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_by_one_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let secret = |text: &str| SigningSecret::read(text).unwrap();
        let mut kept = KeptEndpoints::open(home.path(), Server::Listener).unwrap().unwrap();
        assert!(
            KeptEndpoints::open(home.path(), Server::Listener).unwrap().is_none(),
            "another one has it"
        );
        assert_eq!(kept.of(""), None);
        kept.keep("", "we_1", &secret("whsec_one_that_is_rather_long")).unwrap();
        kept.keep("shop", "we_2", &secret("whsec_two")).unwrap();
        kept.keep("", "we_3", &secret("whsec_3")).unwrap();
        let folder = kept.folder().to_owned();
        drop(kept);
        let again = KeptEndpoints::open(home.path(), Server::Listener).unwrap().unwrap();
        assert_eq!(again.of(""), Some(("we_3".to_owned(), secret("whsec_3"))));
        assert_eq!(again.of("shop"), Some(("we_2".to_owned(), secret("whsec_two"))));
        assert_eq!((again.of("other"), again.folder()), (None, folder.as_str()));
        assert!(!format!("{again:?}").contains("whsec_two"));
        let shop = KeptEndpoints::open(home.path(), Server::Shop).unwrap().unwrap();
        assert_eq!(shop.of(""), None, "the shop has one of its own");
        assert_ne!(shop.folder(), folder);
    }

    #[test]
    fn a_file_that_cannot_be_read_keeps_nothing() {
        let home = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{\"\":{\"endpoint\":\"we_1\",\"sec",
            "[]",
            "{\"\":{\"endpoint\":\"we_1\",\"secret\":\" \"}}",
        ] {
            std::fs::write(home.path().join(Server::Listener.file()), text).unwrap();
            let mut kept = KeptEndpoints::open(home.path(), Server::Listener).unwrap().unwrap();
            assert_eq!(kept.of(""), None, "{text}");
            kept.keep("", "we_2", &SigningSecret::read("whsec_2").unwrap()).unwrap();
            assert!(kept.of("").is_some(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(Server::Listener.file());
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(KeptEndpoints::open(home.path(), Server::Listener).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
