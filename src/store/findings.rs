//! What a comparison found as an SQLite database.

use crate::domain::reconcile::row::Row;
use crate::domain::reconcile::{Finding, FindingSink, Summary, Verdict};
use crate::os::private;
use rusqlite::{Connection, params};
use std::io;
use std::path::Path;

const LAYOUT: &str = "
    CREATE TABLE findings (
        number INTEGER PRIMARY KEY, verdict TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, difference INTEGER,
        ledger_id TEXT, ledger_amount INTEGER, ledger_currency TEXT, ledger_status TEXT, ledger_refunded INTEGER,
        ledger_fee INTEGER, ledger_created INTEGER,
        provider_id TEXT, provider_amount INTEGER, provider_currency TEXT, provider_status TEXT,
        provider_refunded INTEGER, provider_fee INTEGER, provider_created INTEGER
    ) STRICT;
    CREATE TABLE counts (verdict TEXT PRIMARY KEY, rows INTEGER NOT NULL) STRICT;
    CREATE TABLE sums (currency TEXT PRIMARY KEY, ledger INTEGER NOT NULL, provider INTEGER NOT NULL) STRICT;
    CREATE TABLE money (
        currency TEXT NOT NULL, category TEXT NOT NULL, side TEXT NOT NULL, rows INTEGER NOT NULL, gross INTEGER NOT NULL,
        fee INTEGER NOT NULL, net INTEGER NOT NULL, PRIMARY KEY (currency, category, side)
    ) STRICT;
";

/// Writes a database that is not there yet.
pub struct SqliteSink(Connection);

impl SqliteSink {
    /// Makes the file.
    pub fn create(path: &Path) -> io::Result<Self> {
        private::options().write(true).create_new(true).open(path)?;
        let connection = Connection::open(path).map_err(io::Error::other)?;
        connection.execute_batch(LAYOUT).map_err(io::Error::other)?;
        connection.execute_batch("BEGIN").map_err(io::Error::other)?;
        Ok(Self(connection))
    }

    fn summary(&self, summary: &Summary) -> rusqlite::Result<()> {
        for verdict in Verdict::ALL {
            let sql = "INSERT INTO counts VALUES (?1, ?2)";
            self.0.execute(sql, params![verdict.name(), size(summary.count(verdict) as u64)])?;
        }
        for (currency, sum) in &summary.sums {
            let sql = "INSERT INTO sums VALUES (?1, ?2, ?3)";
            self.0.execute(sql, params![currency.code(), sum.ours, sum.theirs])?;
        }
        for ((currency, category), [ours, theirs]) in &summary.money {
            for (side, it) in [("ledger", ours), ("provider", theirs)] {
                let sql = "INSERT INTO money VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let code = currency.code();
                self.0.execute(
                    sql,
                    params![code, category, side, size(it.rows), it.gross, it.fee, it.net],
                )?;
            }
        }
        Ok(())
    }

    fn insert(&self, it: &Finding) -> rusqlite::Result<()> {
        let sql = "INSERT INTO findings (verdict, id, key, difference, ledger_id, ledger_amount, ledger_currency, \
                   ledger_status, ledger_refunded, ledger_fee, ledger_created, provider_id, provider_amount, \
                   provider_currency, provider_status, provider_refunded, provider_fee, provider_created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        let (own, other) = (it.ours.as_ref(), it.theirs.as_ref());
        let code = |row: &Row| row.currency.code();
        self.0.prepare_cached(sql)?.execute(params![
            it.verdict.name(),
            it.id,
            it.key.name(),
            it.difference,
            own.map(|row| &row.id),
            own.map(|row| row.amount),
            own.map(code),
            own.map(Row::word),
            own.and_then(|row| row.refunded),
            own.and_then(|row| row.fee),
            own.map(|row| row.created.0),
            other.map(|row| &row.id),
            other.map(|row| row.amount),
            other.map(code),
            other.map(Row::word),
            other.and_then(|row| row.refunded),
            other.and_then(|row| row.fee),
            other.map(|row| row.created.0),
        ])?;
        Ok(())
    }
}

fn size(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl FindingSink for SqliteSink {
    fn begin(&mut self, summary: &Summary) -> io::Result<()> {
        self.summary(summary).map_err(io::Error::other)
    }

    fn row(&mut self, finding: &Finding) -> io::Result<()> {
        self.insert(finding).map_err(io::Error::other)
    }

    fn end(&mut self, _: &Summary) -> io::Result<()> {
        self.0.execute_batch("COMMIT").map_err(io::Error::other)
    }
}
