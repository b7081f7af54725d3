//! Reads everything that the sandbox's file holds, in the order of places.
//!
//! Two threads share the work: one steps through the rows while the other works out under which hashes their
//! objects are found; then the tables are filled, each in its order, side by side.

use crate::sandbox::engine::index;
use crate::sandbox::engine::journal::{JournalError, sqlite};
use crate::sandbox::engine::object::{Stored, kind};
use crate::sandbox::engine::private::{Envelope, Private};
use crate::sandbox::engine::state::{Scope, State, Table};
use rusqlite::Connection;
use std::cmp::Reverse;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// All objects, and the number of the last commit.
pub(super) fn everything(
    connection: &Connection,
    path: &Path,
) -> Result<(State, u64), JournalError> {
    let fail = |error: &rusqlite::Error| sqlite(path, error);
    let (number, last_seq): (i64, i64) = connection
        .query_row("SELECT number, last_seq FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|e| fail(&e))?;
    let (give, chunks) = std::sync::mpsc::channel::<Vec<(usize, Arc<Stored>)>>();
    // One thread reads rows while the other works out under which hashes they are found.
    let entries = std::thread::spawn(move || entries(&chunks));
    let mut tables: Vec<Loading> = Vec::new();
    let mut last = None;
    let sql = "SELECT seq, world, account, kind, id, doc, private FROM records ORDER BY seq";
    let mut statement = connection.prepare(sql).map_err(|e| fail(&e))?;
    let mut rows = statement.query([]).map_err(|e| fail(&e))?;
    let mut chunk = Vec::with_capacity(CHUNK);
    while let Some(row) = rows.next().map_err(|e| fail(&e))? {
        let (at, stored) = read(path, row, &mut tables, &mut last)?;
        chunk.push((at, stored));
        if chunk.len() == CHUNK {
            drop(give.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))));
        }
    }
    drop(give.send(chunk));
    drop(give);
    let mut entries = entries.join().map_err(|_| JournalError::Gone)?;
    entries.resize_with(tables.len(), Vec::new);
    let mut state = State::default();
    for (scope, kind, table) in filled(tables, entries) {
        state.fill(&scope, kind, table);
    }
    state.reserve(last_seq.unsigned_abs());
    Ok((state, number.unsigned_abs()))
}

/// One row as an object, put into its table; the table's number.
fn read(
    path: &Path,
    row: &rusqlite::Row<'_>,
    tables: &mut Vec<Loading>,
    last: &mut Option<Arc<Stored>>,
) -> Result<(usize, Arc<Stored>), JournalError> {
    let fail = |error: rusqlite::Error| sqlite(path, &error);
    let seq: i64 = row.get(0).map_err(fail)?;
    let damaged = |reason: String| JournalError::Row { path: path.to_owned(), seq, reason };
    let text = |at: usize| {
        let value = row.get_ref(at).map_err(|e| damaged(e.to_string()))?;
        value.as_str().map_err(|e| damaged(e.to_string()))
    };
    let world: u32 = row.get(1).map_err(fail)?;
    let (account, kind_name) = (text(2)?, text(3)?);
    let private: Option<Private> =
        match row.get_ref(6).map_err(fail)?.as_str_or_null().map_err(|e| damaged(e.to_string()))? {
            None => None,
            Some(json) => Some(serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?),
        };
    let fits = |table: &Loading| {
        table.kind == kind_name && table.scope.world == world && &*table.scope.account == account
    };
    let at = tables.iter().position(fits).unwrap_or_else(|| {
        let scope = Scope { world, account: Arc::from(account) };
        tables.push(Loading { scope, kind: kind(kind_name), objects: Vec::new() });
        tables.len() - 1
    });
    let stored = Arc::new(Stored {
        kind: kind(kind_name),
        id: Arc::from(text(4)?),
        seq: seq.unsigned_abs(),
        text: shared((tables, last.as_ref()), world, private.as_ref(), text(5)?),
        private: private.map(Arc::new),
    });
    if let Some(table) = tables.get_mut(at) {
        table.objects.push(Arc::clone(&stored));
    }
    if stored.part::<Envelope>().is_none() {
        *last = Some(Arc::clone(&stored));
    }
    Ok((at, stored))
}

/// Rows that one thread hands to the other at once while loading.
const CHUNK: usize = 4_096;

/// A table while it is loaded.
struct Loading {
    scope: Scope,
    kind: &'static str,
    /// In the order of their places.
    objects: Vec<Arc<Stored>>,
}

/// Fills the tables, on as many threads as there are cores.
fn filled(
    tables: Vec<Loading>,
    entries: Vec<Vec<(u64, u64)>>,
) -> Vec<(Scope, &'static str, Table)> {
    let mut work: Vec<_> = tables.into_iter().zip(entries).collect();
    // The largest first: what is left then fits into the gaps.
    work.sort_by_key(|(table, _)| Reverse(table.objects.len()));
    let (work, done) = (Mutex::new(work.into_iter()), Mutex::new(Vec::new()));
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
    let fill = || {
        while let Some((table, entries)) = next() {
            let filled = (table.scope, table.kind, Table::of(table.objects, entries));
            done.lock().unwrap_or_else(PoisonError::into_inner).push(filled);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(fill);
        }
        fill();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The hashes of all rows, by the number of their table.
fn entries(chunks: &std::sync::mpsc::Receiver<Vec<(usize, Arc<Stored>)>>) -> Vec<Vec<(u64, u64)>> {
    let mut found: Vec<Vec<(u64, u64)>> = Vec::new();
    for (at, stored) in chunks.iter().flatten() {
        if found.len() <= at {
            found.resize_with(at + 1, Vec::new);
        }
        if let Some(entries) = found.get_mut(at) {
            entries.extend(index::keys(&stored).into_iter().map(|key| (key, stored.seq)));
        }
    }
    found
}

/// An event shares the text of the object that it is about, as long as that has not changed since. Mostly that
/// is the `last` one that was read, else it is among the `tables`.
fn shared(
    (tables, last): (&[Loading], Option<&Arc<Stored>>),
    world: u32,
    private: Option<&Private>,
    doc: &str,
) -> Arc<str> {
    if doc.is_empty() {
        return Arc::default();
    }
    if let Some(Private::Event(envelope)) = private {
        let among = || {
            tables.iter().filter(|table| table.scope.world == world).find_map(|table| {
                let at = table.objects.binary_search_by_key(&envelope.about, |stored| stored.seq);
                table.objects.get(at.ok()?)
            })
        };
        let about = last.filter(|last| last.seq == envelope.about).or_else(among);
        if let Some(about) = about.filter(|about| &*about.text == doc) {
            return Arc::clone(&about.text);
        }
    }
    Arc::from(doc)
}
