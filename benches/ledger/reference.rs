//! What the disk and SQLite alone can do here.

use rusqlite::{Connection, params};
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long each is measured.
const TIME: Duration = Duration::from_secs(2);
const BODY: usize = 3_072;

/// Events a second that SQLite stores, each with a row of five columns beside it: write-ahead log, each transaction of
/// `batch` events flushed.
pub(crate) fn rows(batch: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(folder.path().join("rows.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    let layout = "CREATE TABLE event (id TEXT PRIMARY KEY, body BLOB); CREATE TABLE ledger (session_id TEXT PRIMARY KEY, \
                  amount INTEGER, currency TEXT, status TEXT, created INTEGER)";
    connection.execute_batch(layout).unwrap();
    let (body, began, mut done) = (vec![b'x'; BODY], Instant::now(), 0_u64);
    while began.elapsed() < TIME {
        let transaction = connection.transaction().unwrap();
        for _ in 0..batch {
            let sql = "INSERT INTO event VALUES (?1, ?2)";
            let mut insert = transaction.prepare_cached(sql).unwrap();
            insert.execute(params![format!("evt_{done:024}"), body]).unwrap();
            let sql = "INSERT INTO ledger VALUES (?1, 500, 'jpy', 'paid', 1800000000)";
            let mut insert = transaction.prepare_cached(sql).unwrap();
            insert.execute(params![format!("cs_test_{done:050}")]).unwrap();
            done += 1;
        }
        transaction.commit().unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

/// The median time in milliseconds to append a page to a file and flush it.
pub(crate) fn flush_ms() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("log")).unwrap();
    let mut all: Vec<f64> = (0..400)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[b'x'; 4_096]).unwrap();
            file.sync_data().unwrap();
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
