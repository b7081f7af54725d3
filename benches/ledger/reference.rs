//! What the disk and SQLite alone can do here.

use rusqlite::{Connection, params};
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long each is measured.
const TIME: Duration = Duration::from_secs(2);
const BODY: usize = 3_072;

/// Rows a second that SQLite stores, write-ahead log, each transaction of `batch` rows flushed.
pub(crate) fn rows(batch: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(folder.path().join("rows.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection.execute_batch("CREATE TABLE event (id TEXT PRIMARY KEY, body BLOB)").unwrap();
    let (body, began, mut done) = (vec![b'x'; BODY], Instant::now(), 0_u64);
    while began.elapsed() < TIME {
        let transaction = connection.transaction().unwrap();
        for _ in 0..batch {
            let sql = "INSERT INTO event VALUES (?1, ?2)";
            let mut insert = transaction.prepare_cached(sql).unwrap();
            insert.execute(params![format!("evt_{done:024}"), body]).unwrap();
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
