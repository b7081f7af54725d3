//! A ledger that cannot be written to for a moment: every write to its SQLite file fails, as after a migration gone
//! wrong, and readers see nothing of it. A lock would show the same only once the application's own patience is over.

use crate::app::course::books::quoted;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long an application may keep the file for itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so many seconds writes succeed again by themselves, should nobody be left to end it.
const LASTS_S: i64 = 15;
/// How the triggers are called that make writes fail.
const MARK: &str = "stripegym_outage_";
/// What a failure says in the application's log.
const SAYS: &str = "stripegym: writes fail here for a moment";

/// An outage; dropping it ends it.
#[derive(Debug)]
pub struct Outage(Connection);

impl Outage {
    /// Has every write to the tables of a file fail; nothing where they cannot be made to.
    pub fn begin(path: &Path) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).ok()?;
        database.busy_timeout(PATIENCE).ok()?;
        let outage = Self(database);
        outage.lift().and_then(|()| outage.impose()).ok()?;
        Some(outage)
    }

    fn impose(&self) -> rusqlite::Result<()> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                      AND sql NOT LIKE 'CREATE VIRTUAL%'";
        let now = "SELECT CAST(strftime('%s', 'now') AS INTEGER)";
        let until = self.0.query_row(now, [], |row| row.get::<_, i64>(0))? + LASTS_S;
        let mut batch = "BEGIN IMMEDIATE;".to_owned();
        for (number, table) in self.names(tables)?.iter().enumerate() {
            let table = quoted(table);
            // A failure that is no constraint, for by those a repeated event is known; and one that is not worked out
            // beforehand, as what is the same for each row would be.
            let each = ["INSERT", "UPDATE"].map(|write| {
                format!(
                    "CREATE TRIGGER {MARK}{write}_{number} BEFORE {write} ON {table}
                     WHEN CASE WHEN CAST(strftime('%s', 'now') AS INTEGER) < {until}
                     THEN json_extract('{{}}', '{SAYS}' || substr(random(), 1, 0)) ELSE 0 END
                     BEGIN SELECT 1; END;"
                )
            });
            batch.extend(each);
        }
        batch.push_str("COMMIT");
        self.0.execute_batch(&batch)
    }

    /// Ends it, and what a run that was killed left behind.
    fn lift(&self) -> rusqlite::Result<()> {
        let own = format!(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{MARK}%'"
        );
        let own = self.names(&own)?;
        let drops = own.iter().map(|name| format!("DROP TRIGGER {};", quoted(name)));
        self.0.execute_batch(&drops.collect::<String>())
    }

    fn names(&self, query: &str) -> rusqlite::Result<Vec<String>> {
        self.0.prepare(query)?.query_map([], |row| row.get(0))?.collect()
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Err(error) = self.lift() {
            tracing::warn!(%error, "the ledger's file takes no writes for a few more seconds");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_fail_as_long_as_it_lasts_and_nothing_of_it_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        assert!(Outage::begin(&path).is_none());
        let database = Connection::open(&path).unwrap();
        let schema = "CREATE TABLE \"pay\"\"ments\" (id TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
            CREATE TABLE seen (id TEXT); INSERT INTO \"pay\"\"ments\" VALUES ('cs_1', 1)";
        database.execute_batch(schema).unwrap();
        let write = |sql: &str| database.execute_batch(sql);
        let outage = Outage::begin(&path).unwrap();
        for sql in [
            "INSERT OR IGNORE INTO \"pay\"\"ments\" VALUES ('cs_1', 2)",
            "INSERT INTO \"pay\"\"ments\" VALUES ('cs_1', 2) ON CONFLICT (id) DO UPDATE SET n = 2",
            "INSERT OR REPLACE INTO seen VALUES ('evt_1')",
            "UPDATE \"pay\"\"ments\" SET n = 2",
        ] {
            let error = write(sql).unwrap_err();
            let code = error.sqlite_error_code().unwrap();
            assert_ne!(code, rusqlite::ErrorCode::ConstraintViolation, "{sql}");
            assert!(error.to_string().contains("stripegym"), "{error}");
        }
        let read = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(read("SELECT n FROM \"pay\"\"ments\""), 1);
        drop(outage);
        write("UPDATE \"pay\"\"ments\" SET n = 3; INSERT INTO seen VALUES ('evt_1')").unwrap();
        assert_eq!(read("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), 0);
    }

    #[test]
    fn what_a_killed_run_left_behind_is_taken_away_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let database = Connection::open(&path).unwrap();
        database.execute_batch("CREATE TABLE payments (id TEXT)").unwrap();
        let killed = std::mem::ManuallyDrop::new(Outage::begin(&path).unwrap());
        drop(Outage::begin(&path).unwrap());
        database.execute_batch("INSERT INTO payments VALUES ('cs_1')").unwrap();
    }
}
