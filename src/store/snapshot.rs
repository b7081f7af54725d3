//! A ledger's journal as of one instant, whichever engine keeps it: every line, and lines by their ids.

use crate::domain::book::line::Line;
use crate::domain::time::Timestamp;
use crate::store::pack::Bodies;
use crate::store::postgres::snapshot::PgSnapshot;
use crate::store::sqlite::{self, LINE};
use crate::store::{SqliteLedger, StoreError, schema};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many lines are held to another ledger's at once.
const AT_ONCE: usize = 500;

/// Whoever takes the lines.
pub(super) type EachLine<'e> = &'e mut dyn FnMut(Line) -> Result<(), StoreError>;

/// A ledger's journal, which does not change.
#[derive(Debug)]
pub(super) enum Snapshot {
    /// In a file of this machine.
    File(FileSnapshot),
    /// On a server, or on several.
    Server(PgSnapshot),
}

impl Snapshot {
    /// Gives every line to `each`, in the order in which they were written.
    pub(super) fn each(&self, each: EachLine<'_>) -> Result<(), StoreError> {
        match self {
            Self::File(it) => it.each(each),
            Self::Server(it) => it.each(each),
        }
    }

    /// The lines of these ids that there are.
    fn find(&self, ids: &[String]) -> Result<BTreeMap<String, Line>, StoreError> {
        match self {
            Self::File(it) => it.find(ids),
            Self::Server(it) => it.find(ids),
        }
    }

    /// Up to when each poller has read.
    pub(super) fn cursors(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        match self {
            Self::File(it) => it.cursors(),
            Self::Server(it) => it.cursors(),
        }
    }

    /// The first line that another ledger has otherwise or not at all; `None` where it has all of them, as they are here.
    pub(super) fn lacking_in(&self, other: &Self) -> Result<Option<String>, StoreError> {
        let (mut lacking, mut some) = (None, Vec::new());
        self.each(&mut |line| {
            if lacking.is_none() {
                some.push(line);
                if some.len() >= AT_ONCE {
                    lacking = other.differs(&std::mem::take(&mut some))?;
                }
            }
            Ok(())
        })?;
        if lacking.is_none() { other.differs(&some) } else { Ok(lacking) }
    }

    /// The first of some lines that is here otherwise or not at all.
    fn differs(&self, some: &[Line]) -> Result<Option<String>, StoreError> {
        let ids: Vec<String> = some.iter().map(|line| line.id.clone()).collect();
        let here = self.find(&ids)?;
        let differs = some.iter().find(|line| here.get(&line.id) != Some(line));
        Ok(differs.map(|line| line.id.clone()))
    }
}

/// Gives the lines of a file's journal, read in these columns, to `each`, in the order in which they were written.
pub(super) fn each_line(
    connection: &Connection,
    columns: &str,
    path: &Path,
    each: EachLine<'_>,
) -> Result<(), StoreError> {
    let fail = |error: rusqlite::Error| schema::explain(path, &error);
    let sql = format!("SELECT {columns} FROM events ORDER BY seq");
    let mut statement = connection.prepare(&sql).map_err(fail)?;
    let mut rows = statement.query([]).map_err(fail)?;
    let mut bodies = Bodies::new(connection);
    while let Some(row) = rows.next().map_err(fail)? {
        each(sqlite::line(row, &mut bodies).map_err(fail)?)?;
    }
    Ok(())
}

/// A file's journal.
#[derive(Debug)]
pub(super) struct FileSnapshot {
    /// Within a transaction, which ends with it.
    connection: Connection,
    path: PathBuf,
}

impl SqliteLedger {
    /// The journal as of now.
    pub(super) fn snapshot(&self) -> Result<FileSnapshot, StoreError> {
        let mut connection = schema::open(self.path())?;
        let begun = self.until.watch(&mut connection).and_then(|()| {
            // It is the first read that it is as of.
            connection.execute_batch("BEGIN; SELECT 1 FROM events LIMIT 1")
        });
        begun.map_err(|error| schema::explain(self.path(), &error))?;
        Ok(FileSnapshot { connection, path: self.path().to_owned() })
    }
}

impl FileSnapshot {
    fn each(&self, each: EachLine<'_>) -> Result<(), StoreError> {
        each_line(&self.connection, LINE, &self.path, each)
    }

    fn find(&self, ids: &[String]) -> Result<BTreeMap<String, Line>, StoreError> {
        let work = || {
            let sql = format!("SELECT {LINE} FROM events WHERE id = ?1");
            let mut statement = self.connection.prepare(&sql)?;
            let mut bodies = Bodies::new(&self.connection);
            let mut found = BTreeMap::new();
            for id in ids {
                let line = statement.query_row([id], |row| sqlite::line(row, &mut bodies));
                found.extend(line.optional()?.map(|line| (id.clone(), line)));
            }
            Ok(found)
        };
        work().map_err(|error| schema::explain(&self.path, &error))
    }

    fn cursors(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let work = || -> rusqlite::Result<Vec<_>> {
            let mut statement =
                self.connection.prepare("SELECT name, value FROM cursor ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
            rows.collect()
        };
        work().map_err(|error| schema::explain(&self.path, &error))
    }
}
