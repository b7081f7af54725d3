//! A ledger that cannot be written to for a moment: its SQLite file is locked, or its table on a server. Whatever becomes of the run, the system
//! takes the lock away with it, and the file is as it was.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::postgres::foreign::{Held, Wanted};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long an application may keep the file for itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// An outage; dropping it ends it.
#[derive(Debug)]
#[expect(dead_code, reason = "what counts is the transaction of either")]
pub enum Outage {
    /// Of a file.
    File(Connection),
    /// Of a table.
    Server(Held),
}

impl Outage {
    /// Keeps everybody else from writing to a file; nothing where that cannot be.
    pub fn begin(path: &Path) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).ok()?;
        database.busy_timeout(PATIENCE).ok()?;
        database.execute_batch("BEGIN IMMEDIATE").ok()?;
        Some(Self::File(database))
    }

    /// The same of a table on a server.
    pub fn on_server(
        url: &LedgerUrl,
        table: Option<&str>,
        fits: &(dyn Fn(&[String]) -> Option<usize> + Sync),
    ) -> Option<Self> {
        Held::begin(url, Wanted { name: table, fits }).map(Self::Server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_as_long_as_it_lasts_and_everybody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        assert!(Outage::begin(&path).is_none());
        let database = Connection::open(&path).unwrap();
        database.busy_timeout(Duration::ZERO).unwrap();
        database.execute_batch("CREATE TABLE payments (id TEXT)").unwrap();
        let outage = Outage::begin(&path).unwrap();
        assert!(database.execute_batch("INSERT INTO payments VALUES ('cs_1')").is_err());
        let count = "SELECT count(*) FROM payments";
        assert_eq!(database.query_row(count, [], |row| row.get::<_, i64>(0)), Ok(0));
        drop(outage);
        database.execute_batch("INSERT INTO payments VALUES ('cs_1')").unwrap();
    }
}
