//! Tables of an application, in a file of SQLite or on a PostgreSQL server. A statement is one text for both: its values
//! are `?1`, `?2`; a name that is a word of SQL's own (`"user"`) stands in quotes, an upsert says which row it means.
//! What both must do alike is done here or does not compile; a layout alone is written once for each.

pub mod cell;
pub mod moved;
mod sqlite;

use crate::domain::ledger_url::LedgerUrl;
use crate::store::StoreError;
use crate::store::postgres::tables::{PgTables, PgWithin};
use crate::store::tables::cell::{Cell, Found, OddCell};
use crate::store::tables::sqlite::FileTables;
use rusqlite::Connection;
use std::fmt;
use std::path::Path;

/// What tables there are. Each entry brings a database from the version of its index to the next, and is never edited once
/// released.
#[derive(Debug)]
pub struct Layout {
    /// The schema that they stand in on a server.
    pub schema: &'static str,
    /// What their changes take turns by on a server.
    pub turn: i64,
    /// The migrations of a file.
    pub of_file: &'static [&'static str],
    /// The migrations of a server.
    pub of_server: &'static [&'static str],
}

/// An application's tables, and the way to them.
#[derive(Debug)]
pub enum Tables {
    /// In a file of this machine.
    File(FileTables),
    /// On a server.
    Server(PgTables),
}

impl Tables {
    /// Opens the file at `path`, and makes it where there is none.
    pub fn open(path: &Path, layout: &'static Layout) -> Result<Self, StoreError> {
        FileTables::open(path, layout).map(Self::File)
    }

    /// Opens the tables on a server, and makes them where there are none.
    pub fn connect(url: &LedgerUrl, layout: &'static Layout) -> Result<Self, StoreError> {
        PgTables::open(url, layout).map(Self::Server)
    }

    /// Works in a transaction of its own, which nobody else's comes between; durable when this returns.
    pub fn change<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::File(it) => it.change(work),
            Self::Server(it) => it.change(work),
        }
    }

    /// Reads what is durable, all as of one instant.
    pub fn look<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::File(it) => it.look(work),
            Self::Server(it) => it.look(work),
        }
    }
}

/// A transaction that is under way.
pub struct Within<'t> {
    engine: Engine<'t>,
    path: &'t Path,
}

/// Where it is.
enum Engine<'t> {
    File(&'t Connection),
    Server(&'t PgWithin),
}

impl fmt::Debug for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Within").field(&self.path).finish()
    }
}

impl<'t> Within<'t> {
    pub(super) const fn of_server(within: &'t PgWithin, path: &'t Path) -> Self {
        Self { engine: Engine::Server(within), path }
    }

    const fn of_file(connection: &'t Connection, path: &'t Path) -> Self {
        Self { engine: Engine::File(connection), path }
    }

    /// Changes rows; how many.
    pub fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError> {
        match self.engine {
            Engine::File(it) => sqlite::run(it, sql, values, self.path),
            Engine::Server(it) => it.run(sql, values),
        }
    }

    /// The rows of a statement.
    fn rows(&self, sql: &str, values: &[Cell]) -> Result<Vec<Found>, StoreError> {
        match self.engine {
            Engine::File(it) => sqlite::rows(it, sql, values, self.path),
            Engine::Server(it) => it.rows(sql, values),
        }
    }

    /// What `read` makes of the rows of a statement.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &[Cell],
        read: impl Fn(&Found) -> Result<T, OddCell>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, values)?
            .iter()
            .map(|row| read(row).map_err(|it| self.odd(it.to_string())))
            .collect()
    }

    /// Something that is not as it is kept here.
    pub fn odd(&self, reason: String) -> StoreError {
        StoreError::Corrupt { path: self.path.to_owned(), reason }
    }

    /// The same of the first row, where there is one.
    pub fn first<T>(
        &self,
        sql: &str,
        values: &[Cell],
        read: impl Fn(&Found) -> Result<T, OddCell>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, values, read)?.into_iter().next())
    }
}
