//! The keys of an API that a shop has sold: a file of its own beside the ledger. Of a key it has the hash alone; what was
//! paid and what is over, the ledger's events say.

use crate::os::private;
use crate::store::StoreError;
use crate::store::schema::explain;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file in the home folder.
const FILE: &str = "keys.db";

/// How long a statement waits for another process's.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// One key for a session, whoever asks first.
const SCHEMA: &str = "\
    CREATE TABLE IF NOT EXISTS keys (session TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL, \
    subscription TEXT NOT NULL, period INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0) STRICT";

/// Looked at and counted in one statement, so that two calls at once are two.
const SPEND: &str = "\
    UPDATE keys SET used = CASE period WHEN ?2 THEN used + 1 ELSE 1 END, period = ?2 \
    WHERE hash = ?1 AND (period <> ?2 OR used < ?3)";

/// A key to be kept.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The session that it was bought by.
    pub session: String,
    /// The hash of its text.
    pub hash: String,
    /// Whose it is.
    pub user: String,
    /// What pays for it.
    pub subscription: String,
}

/// Where keys are kept; the file is made when the first is issued.
#[derive(Clone, Debug)]
pub struct Keyring(PathBuf);

impl Keyring {
    /// The keyring of a home folder.
    pub fn at(home: &Path) -> Self {
        Self(home.join(FILE))
    }

    /// Keeps a key, unless its session has one; whether it had none.
    pub fn issue(&self, it: &Issued) -> Result<bool, StoreError> {
        self.with(|connection| {
            let add = "INSERT INTO keys (session, hash, user, subscription) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (session) DO NOTHING";
            let row = params![it.session, it.hash, it.user, it.subscription];
            Ok(connection.execute(add, row)? > 0)
        })
    }

    /// The subscription that pays for a key.
    pub fn subscription(&self, hash: &str) -> Result<Option<String>, StoreError> {
        self.with(|connection| {
            let asked = "SELECT subscription FROM keys WHERE hash = ?1";
            connection.query_row(asked, params![hash], |row| row.get(0)).optional()
        })
    }

    /// Counts a call in the period of this number; whether one was left.
    pub fn spend(&self, hash: &str, period: usize, quota: u32) -> Result<bool, StoreError> {
        let period = i64::try_from(period).unwrap_or(i64::MAX);
        self.with(|connection| Ok(connection.execute(SPEND, params![hash, period, quota])? > 0))
    }

    /// How many keys a user has, and how many calls were made with them in their periods.
    pub fn of(&self, user: &str) -> Result<(i64, i64), StoreError> {
        self.with(|connection| {
            let asked = "SELECT COUNT(*), COALESCE(SUM(used), 0) FROM keys WHERE user = ?1";
            connection.query_row(asked, params![user], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let Self(path) = self;
        private::database(path)
            .map_err(|error| StoreError::Io { path: path.clone(), reason: error.to_string() })?;
        let done = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(BUSY_WAIT)?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(SCHEMA)?;
            work(&connection)
        };
        done().map_err(|error| explain(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_key_and_a_period_its_quota() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keyring::at(folder.path());
        let key = |session: &str, hash: &str| Issued {
            session: session.to_owned(),
            hash: hash.to_owned(),
            user: "ann".to_owned(),
            subscription: "sub_1".to_owned(),
        };
        assert!(keys.issue(&key("cs_1", "a")).unwrap());
        assert!(!keys.issue(&key("cs_1", "b")).unwrap(), "the second has none");
        assert_eq!(keys.subscription("a").unwrap().as_deref(), Some("sub_1"));
        assert_eq!(keys.subscription("b").unwrap(), None);
        let spend = |period| keys.spend("a", period, 2).unwrap();
        assert_eq!([spend(1), spend(1), spend(1)], [true, true, false]);
        assert!(spend(2), "the next period has a quota of its own");
        assert_eq!((keys.of("ann").unwrap(), keys.of("bob").unwrap()), ((1, 1), (0, 0)));
        assert!(!keys.spend("b", 1, 2).unwrap());
    }
}
