//! The database on SQLite: a file of its own beside the ledger, write-ahead log, every commit flushed to disk.

use crate::merchant::base::{Engine, Work, account, api_key, credit, kv, order};
use crate::os::place::{Place, Standing};
use crate::os::private;
use crate::store::StoreError;
use crate::store::guard::Moved;
use crate::store::migrate::{migrate, version};
use crate::store::schema::explain;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Each entry brings a file from the schema of its index to the next. Never edited once released.
const MIGRATIONS: &[&str] =
    &[account::SCHEMA, order::SCHEMA, credit::SCHEMA, kv::SCHEMA, api_key::SCHEMA];

/// How long a transaction waits for another process's.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Connections for reading that are kept open.
const READERS_MAX: usize = 4;

/// The file, open.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    writer: Mutex<(Connection, Place)>,
    readers: Mutex<Vec<Connection>>,
}

/// A transaction that is under way.
pub struct Sqlite<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

impl Sqlite<'_> {
    /// Runs statements.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(self.connection).map_err(|error| explain(self.path, &error))
    }
}

impl SqliteFile {
    /// Opens the file, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (mut connection, place) = Place::open(path, connect)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found = version(&connection).map_err(|error| explain(path, &error))?;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        if found < known {
            migrate(&mut connection, MIGRATIONS, |_| Ok(())).map_err(|it| explain(path, &it))?;
        }
        let writer = Mutex::new((connection, place));
        Ok(Self { path: path.to_owned(), writer, readers: Mutex::default() })
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let io =
        |error: std::io::Error| StoreError::Io { path: path.to_owned(), reason: error.to_string() };
    private::database(path).map_err(io)?;
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_WAIT)?;
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if mode != "wal" {
            connection.pragma_update(None, "journal_mode", "wal")?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        Ok(connection)
    };
    open().map_err(|error| explain(path, &error))
}

impl Engine for SqliteFile {
    fn change(&self, work: Work<'_>) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (connection, place) = &mut *writer;
        let fail = |error: rusqlite::Error| explain(&self.path, &error);
        // Immediate: a reader that turned writer could not be granted the lock any more.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        work(&mut Sqlite { connection: &transaction, path: &self.path })?;
        transaction.commit().map_err(fail)?;
        // What only this process can see is not stored.
        match place.look(&self.path) {
            Standing::Same => Ok(()),
            Standing::Gone | Standing::Other | Standing::Logless => {
                Err(StoreError::Moved { path: self.path.clone(), how: Moved::Removed })
            }
        }
    }

    fn look(&self, work: Work<'_>) -> Result<(), StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let fail = |error: rusqlite::Error| explain(&self.path, &error);
        let transaction = connection.transaction().map_err(fail)?;
        work(&mut Sqlite { connection: &transaction, path: &self.path })?;
        drop(transaction);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        Ok(())
    }
}
