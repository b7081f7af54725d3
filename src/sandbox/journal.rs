//! The sandbox on disk: every written object and the request log in `sandbox.db`, in groups of commits.
//!
//! Effects are stored, not commands: a newer version reads an older folder without replaying its decisions.

use crate::batch::{Commit, WriterGone};
use crate::sandbox::state::{Record, State};
use crate::sandbox::txn::Changes;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The layout of the file; a file with a higher number was written by a newer version.
const SCHEMA: i64 = 1;

/// Rows of the request log that are kept.
const LOG_ROWS_MAX: i64 = 10_000;

const CREATE: &str = "
    CREATE TABLE objects (
        kind TEXT NOT NULL,
        id   TEXT NOT NULL,
        seq  INTEGER NOT NULL,
        doc  TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE TABLE requests (
        n      INTEGER PRIMARY KEY AUTOINCREMENT,
        id     TEXT NOT NULL,
        at     INTEGER NOT NULL,
        method TEXT NOT NULL,
        path   TEXT NOT NULL,
        status INTEGER NOT NULL,
        error  TEXT
    );
";

/// Why the sandbox's file cannot be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite said no.
    #[error("{path}: {reason}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The file was written by a newer version.
    #[error("{path} was written by a newer stripegym (schema {found}, this one knows {SCHEMA})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The number that it carries.
        found: i64,
    },
    /// The writer thread ended.
    #[error("the writer of the sandbox's file ended")]
    Gone,
}

impl From<WriterGone> for JournalError {
    fn from(_: WriterGone) -> Self {
        Self::Gone
    }
}

/// One answered request.
#[derive(Clone, Debug)]
pub struct LogRow {
    /// `req_…`.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path without its query, which may carry secrets.
    pub path: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// `error.message` of the answer.
    pub error: Option<String>,
}

impl LogRow {
    /// The row as the sandbox's controls show it.
    pub fn show(&self) -> Value {
        json!({
            "id": self.id, "created": self.at, "method": self.method, "path": self.path,
            "status": self.status, "error": self.error,
        })
    }
}

/// What one request leaves behind.
#[derive(Debug, Default)]
pub struct Write {
    /// The objects that it wrote or removed.
    pub changes: Changes,
    /// Its row in the request log.
    pub log: Option<LogRow>,
}

/// The open file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    committed: watch::Sender<u64>,
}

impl Journal {
    /// Opens `path`, creating it where it is missing. `committed` counts the writes that are durable.
    pub fn open(path: &Path, committed: watch::Sender<u64>) -> Result<Self, JournalError> {
        let fail = |error: &rusqlite::Error| sqlite(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| fail(&e))?;
        let prepare = || -> rusqlite::Result<i64> {
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // The file survives a killed process; a power cut may cost the newest commits, which
            // a sandbox can bear and a ledger cannot.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.query_row("PRAGMA user_version", [], |row| row.get(0))
        };
        let found = prepare().map_err(|e| fail(&e))?;
        if found > SCHEMA {
            return Err(JournalError::Newer { path: path.to_owned(), found });
        }
        if found == 0 {
            let create = format!("BEGIN; {CREATE} PRAGMA user_version = {SCHEMA}; COMMIT;");
            connection.execute_batch(&create).map_err(|e| fail(&e))?;
        }
        Ok(Self { path: path.to_owned(), connection, committed })
    }

    /// Everything that the file holds.
    pub fn load(&self) -> Result<State, JournalError> {
        let read = || -> rusqlite::Result<State> {
            let mut state = State::default();
            let mut rows = self.connection.prepare("SELECT kind, id, seq, doc FROM objects")?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, id, seq, doc): (String, String, i64, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                let doc: Value = serde_json::from_str(&doc).map_err(|error| {
                    let kind = rusqlite::types::Type::Text;
                    rusqlite::Error::FromSqlConversionFailure(3, kind, Box::new(error))
                })?;
                let record = Record { doc: Arc::new(doc), seq: seq.unsigned_abs() };
                state.restore(&kind, &id, record);
            }
            Ok(state)
        };
        read().map_err(|e| sqlite(&self.path, &e))
    }

    fn store(&mut self, items: &[Write]) -> rusqlite::Result<()> {
        let work = self.connection.transaction()?;
        for write in items {
            let mut put = work.prepare_cached(
                "INSERT INTO objects (kind, id, seq, doc) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (kind, id) DO UPDATE SET seq = ?3, doc = ?4",
            )?;
            for ((kind, id), record) in &write.changes {
                match record {
                    Some(record) => {
                        let seq = i64::try_from(record.seq).unwrap_or(i64::MAX);
                        put.execute(params![kind, id, seq, record.doc.to_string()])?;
                    }
                    None => {
                        work.prepare_cached("DELETE FROM objects WHERE kind = ?1 AND id = ?2")?
                            .execute(params![kind, id])?;
                    }
                }
            }
            if let Some(row) = &write.log {
                work.prepare_cached(
                    "INSERT INTO requests (id, at, method, path, status, error)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![row.id, row.at, row.method, row.path, row.status, row.error])?;
                let newest = work.last_insert_rowid();
                if newest % 1_000 == 0 {
                    work.execute("DELETE FROM requests WHERE n <= ?1", [newest - LOG_ROWS_MAX])?;
                }
            }
        }
        work.commit()
    }
}

impl Commit for Journal {
    type Item = Write;
    type Done = ();
    type Error = JournalError;

    fn commit(&mut self, items: Vec<Write>) -> Result<Vec<()>, JournalError> {
        self.store(&items).map_err(|e| sqlite(&self.path, &e))?;
        let count = u64::try_from(items.len()).unwrap_or(0);
        self.committed.send_modify(|committed| *committed += count);
        Ok(vec![(); items.len()])
    }
}

fn sqlite(path: &Path, error: &rusqlite::Error) -> JournalError {
    JournalError::Sqlite { path: path.to_owned(), reason: error.to_string() }
}
