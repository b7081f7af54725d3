//! The credit book. Entries are added; the file itself refuses to change or remove one.

use crate::domain::time::Timestamp;
use crate::domain::trade::credit::Reason;
use crate::merchant::base::sqlite::Sqlite;
use crate::store::StoreError;
use crate::store::schema::unknown;
use rusqlite::{Row, params};
use std::collections::BTreeMap;

/// The third migration.
pub(super) const SCHEMA: &str = "
    CREATE TABLE credits (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        user     TEXT NOT NULL REFERENCES users (id),
        provider TEXT NOT NULL,
        sale     TEXT NOT NULL,
        reason   TEXT NOT NULL,
        amount   INTEGER NOT NULL,
        at       INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX credits_by_user ON credits (user, number);
    CREATE INDEX credits_by_sale ON credits (provider, sale);
    CREATE TRIGGER credits_are_not_changed BEFORE UPDATE ON credits
        BEGIN SELECT RAISE(ABORT, 'the credit book is only added to'); END;
    CREATE TRIGGER credits_are_not_removed BEFORE DELETE ON credits
        BEGIN SELECT RAISE(ABORT, 'the credit book is only added to'); END;
";

/// An entry of the credit book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditEntry {
    /// Whose credits.
    pub user: String,
    /// The provider of the sale.
    pub provider: String,
    /// The sale that they come from; a word of its own for what was given by hand.
    pub sale: String,
    /// Why.
    pub reason: Reason,
    /// How many: less than nothing where they are taken.
    pub amount: i64,
    /// When it was booked.
    pub at: Timestamp,
}

/// What is kept of credits.
pub trait Credits {
    /// Adds an entry.
    fn add_credits(&mut self, entry: &CreditEntry) -> Result<(), StoreError>;

    /// What is booked for a sale, by reason.
    fn credits_of_sale(
        &mut self,
        provider: &str,
        sale: &str,
    ) -> Result<BTreeMap<Reason, i64>, StoreError>;

    /// How many credits a user has.
    fn credits(&mut self, user: &str) -> Result<i64, StoreError>;

    /// What each day added to everybody's credits, oldest first: its beginning, and how many.
    fn credits_by_day(&mut self) -> Result<Vec<(Timestamp, i64)>, StoreError>;

    /// A user's entries, the newest first.
    fn credit_entries(&mut self, user: &str, most: u32) -> Result<Vec<CreditEntry>, StoreError>;
}

fn reason(row: &Row<'_>, at: usize) -> rusqlite::Result<Reason> {
    let word: String = row.get(at)?;
    Reason::read(&word).ok_or_else(|| unknown(at, &word))
}

impl Credits for Sqlite<'_> {
    fn add_credits(&mut self, entry: &CreditEntry) -> Result<(), StoreError> {
        let sql = "INSERT INTO credits (user, provider, sale, reason, amount, at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.run(|it| {
            it.prepare_cached(sql)?.execute(params![
                entry.user,
                entry.provider,
                entry.sale,
                entry.reason.name(),
                entry.amount,
                entry.at.0,
            ])
        })?;
        Ok(())
    }

    fn credits_of_sale(
        &mut self,
        provider: &str,
        sale: &str,
    ) -> Result<BTreeMap<Reason, i64>, StoreError> {
        let sql = "SELECT reason, SUM(amount) FROM credits WHERE provider = ?1 AND sale = ?2 \
                   GROUP BY reason";
        self.run(|it| {
            let read = |row: &Row<'_>| Ok((reason(row, 0)?, row.get(1)?));
            it.prepare_cached(sql)?.query_map([provider, sale], read)?.collect()
        })
    }

    fn credits(&mut self, user: &str) -> Result<i64, StoreError> {
        let sql = "SELECT COALESCE(SUM(amount), 0) FROM credits WHERE user = ?1";
        self.run(|it| it.prepare_cached(sql)?.query_row([user], |row| row.get(0)))
    }

    fn credits_by_day(&mut self) -> Result<Vec<(Timestamp, i64)>, StoreError> {
        let sql =
            "SELECT at / 86400 * 86400 AS day, SUM(amount) FROM credits GROUP BY day ORDER BY day";
        let read = |row: &Row<'_>| Ok((Timestamp(row.get(0)?), row.get(1)?));
        self.run(|it| it.prepare_cached(sql)?.query_map([], read)?.collect())
    }

    fn credit_entries(&mut self, user: &str, most: u32) -> Result<Vec<CreditEntry>, StoreError> {
        let sql = "SELECT user, provider, sale, reason, amount, at FROM credits WHERE user = ?1 \
                   ORDER BY number DESC LIMIT ?2";
        let read = |row: &Row<'_>| {
            Ok(CreditEntry {
                user: row.get(0)?,
                provider: row.get(1)?,
                sale: row.get(2)?,
                reason: reason(row, 3)?,
                amount: row.get(4)?,
                at: Timestamp(row.get(5)?),
            })
        };
        self.run(|it| it.prepare_cached(sql)?.query_map(params![user, most], read)?.collect())
    }
}
