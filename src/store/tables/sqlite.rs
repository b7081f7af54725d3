//! An application's tables in a file of its own beside the ledger: write-ahead log, every commit flushed to disk.

use crate::os::place::{Place, Standing};
use crate::os::private;
use crate::store::StoreError;
use crate::store::guard::Moved;
use crate::store::migrate::{migrate, version};
use crate::store::schema::{explain, patiently};
use crate::store::tables::cell::{Cell, Found};
use crate::store::tables::{Layout, Within};
use rusqlite::types::{ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, ToSql, TransactionBehavior, params_from_iter};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a transaction waits for another process's.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Connections for reading that are kept open.
const READERS_MAX: usize = 4;

/// The file, open.
#[derive(Debug)]
pub struct FileTables {
    path: PathBuf,
    writer: Mutex<(Connection, Place)>,
    readers: Mutex<Vec<Connection>>,
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Whole(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// Changes rows.
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    values: &[Cell],
    path: &Path,
) -> Result<u64, StoreError> {
    let run = || connection.prepare_cached(sql)?.execute(params_from_iter(values));
    let count = run().map_err(|error| explain(path, &error))?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Reads rows.
pub(super) fn rows(
    connection: &Connection,
    sql: &str,
    values: &[Cell],
    path: &Path,
) -> Result<Vec<Found>, StoreError> {
    let read = || {
        let mut statement = connection.prepare_cached(sql)?;
        let count = statement.column_count();
        let row = |row: &Row<'_>| {
            let cells: rusqlite::Result<Vec<Cell>> = (0..count).map(|at| cell(row, at)).collect();
            cells.map(Found::new)
        };
        statement.query_map(params_from_iter(values), row)?.collect::<rusqlite::Result<_>>()
    };
    read().map_err(|error| explain(path, &error))
}

fn cell(row: &Row<'_>, at: usize) -> rusqlite::Result<Cell> {
    let odd = |of: Type| rusqlite::Error::InvalidColumnType(at, "column".to_owned(), of);
    match row.get_ref(at)? {
        ValueRef::Null => Ok(Cell::Text(None)),
        ValueRef::Integer(number) => Ok(number.into()),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| odd(Type::Text))?;
            Ok(text.into())
        }
        other @ (ValueRef::Real(_) | ValueRef::Blob(_)) => Err(odd(other.data_type())),
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    private::database(path).map_err(|error| StoreError::of_system(path, &error))?;
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
    patiently(BUSY_WAIT, || open().map_err(|error| explain(path, &error)))
}

/// Works on a file that is there and has the tables of `layout`, while nobody else has it open. What somebody else's file
/// has is not brought forward.
pub(super) fn alone<T>(
    path: &Path,
    layout: &Layout,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let fail = |error: rusqlite::Error| explain(path, &error);
    let open = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY_WAIT)?;
        // A file that another process has open cannot be locked whole.
        connection.pragma_update(None, "locking_mode", "exclusive")?;
        let found = version(&connection)?;
        Ok((connection, found))
    };
    let (mut connection, found) = open().map_err(fail)?;
    let steps = usize::try_from(found).unwrap_or_default();
    let known = layout.of_file.get(..steps).unwrap_or(layout.of_file);
    if known.is_empty() || !has_tables_of(&connection, known).map_err(fail)? {
        let reason = "it has other tables".to_owned();
        return Err(StoreError::Corrupt { path: path.to_owned(), reason });
    }
    if steps > layout.of_file.len() {
        let known = i64::try_from(layout.of_file.len()).unwrap_or(i64::MAX);
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    migrate(&mut connection, layout.of_file, |_| Ok(())).map_err(fail)?;
    let held = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let held = held.map_err(fail)?;
    work(&held)
}

/// Whether a file has at least the tables that migrations make.
fn has_tables_of(connection: &Connection, migrations: &[&str]) -> rusqlite::Result<bool> {
    let mut empty = Connection::open_in_memory()?;
    migrate(&mut empty, migrations, |_| Ok(()))?;
    let names = |of: &Connection| {
        let mut statement = of.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        names.collect::<rusqlite::Result<BTreeSet<_>>>()
    };
    Ok(names(connection)?.is_superset(&names(&empty)?))
}

/// Hands on the rows of a statement, so many at once.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    path: &Path,
    at_once: usize,
    mut each: impl FnMut(Vec<Found>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let fail = |error: rusqlite::Error| explain(path, &error);
    let mut statement = connection.prepare(sql).map_err(fail)?;
    let count = statement.column_count();
    let mut rows = statement.query([]).map_err(fail)?;
    loop {
        let mut some = Vec::with_capacity(at_once);
        while some.len() < at_once
            && let Some(row) = rows.next().map_err(fail)?
        {
            let cells: rusqlite::Result<_> = (0..count).map(|at| cell(row, at)).collect();
            some.push(Found::new(cells.map_err(fail)?));
        }
        if some.is_empty() {
            return Ok(());
        }
        each(some)?;
    }
}

impl FileTables {
    /// Opens the file, and makes it where there is none.
    pub(super) fn open(path: &Path, layout: &Layout) -> Result<Self, StoreError> {
        let (mut connection, place) = Place::open(path, connect)?;
        let known = i64::try_from(layout.of_file.len()).unwrap_or(i64::MAX);
        let found = version(&connection).map_err(|error| explain(path, &error))?;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        if found < known {
            migrate(&mut connection, layout.of_file, |_| Ok(()))
                .map_err(|it| explain(path, &it))?;
        }
        let writer = Mutex::new((connection, place));
        Ok(Self { path: path.to_owned(), writer, readers: Mutex::default() })
    }

    /// Works in a transaction of its own, which nobody else's comes between; durable when this returns.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (connection, place) = &mut *writer;
        let fail = |error: rusqlite::Error| explain(&self.path, &error);
        // Immediate: a reader that turned writer could not be granted the lock any more.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let made = work(&mut Within::of_file(&transaction, &self.path))?;
        transaction.commit().map_err(fail)?;
        // What only this process can see is not stored.
        match place.look(&self.path) {
            Standing::Same => Ok(made),
            Standing::Gone | Standing::Other | Standing::Logless => {
                Err(StoreError::Moved { path: self.path.clone(), how: Moved::Removed })
            }
        }
    }

    /// Reads what is durable.
    pub(super) fn look<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let fail = |error: rusqlite::Error| explain(&self.path, &error);
        let transaction = connection.transaction().map_err(fail)?;
        let made = work(&mut Within::of_file(&transaction, &self.path))?;
        drop(transaction);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        Ok(made)
    }
}
