//! The credit book. Entries are added; the database itself refuses to change or remove one.

use crate::domain::time::Timestamp;
use crate::domain::trade::credit::Reason;
use crate::store::StoreError;
use crate::store::tables::Within;
use crate::store::tables::cell::{Found, OddCell};
use std::collections::BTreeMap;

/// The third migration of a file.
pub(super) const OF_FILE: &str = "
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

/// The third migration of a server.
pub(super) const OF_SERVER: &str = r#"
    CREATE TABLE credits (
        number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "user"   TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        provider TEXT COLLATE "C" NOT NULL,
        sale     TEXT COLLATE "C" NOT NULL,
        reason   TEXT COLLATE "C" NOT NULL,
        amount   BIGINT NOT NULL,
        at       BIGINT NOT NULL
    );
    CREATE INDEX credits_by_user ON credits ("user", number);
    CREATE INDEX credits_by_sale ON credits (provider, sale);
    CREATE FUNCTION credits_stay() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN RAISE EXCEPTION 'the credit book is only added to'; END
    $body$;
    CREATE TRIGGER credits_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON credits
        FOR EACH STATEMENT EXECUTE FUNCTION credits_stay();
"#;

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

fn reason(row: &Found, at: usize) -> Result<Reason, OddCell> {
    row.word(at, Reason::read)
}

impl Credits for Within<'_> {
    fn add_credits(&mut self, entry: &CreditEntry) -> Result<(), StoreError> {
        let sql = "INSERT INTO credits (\"user\", provider, sale, reason, amount, at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = [
            (&entry.user).into(),
            (&entry.provider).into(),
            (&entry.sale).into(),
            entry.reason.name().into(),
            entry.amount.into(),
            entry.at.into(),
        ];
        self.run(sql, &values).map(drop)
    }

    fn credits_of_sale(
        &mut self,
        provider: &str,
        sale: &str,
    ) -> Result<BTreeMap<Reason, i64>, StoreError> {
        let sql = "SELECT reason, CAST(SUM(amount) AS BIGINT) FROM credits \
                   WHERE provider = ?1 AND sale = ?2 GROUP BY reason";
        let read = |row: &Found| Ok((reason(row, 0)?, row.get(1)?));
        Ok(self.all(sql, &[provider.into(), sale.into()], read)?.into_iter().collect())
    }

    fn credits(&mut self, user: &str) -> Result<i64, StoreError> {
        let sql =
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM credits WHERE \"user\" = ?1";
        let sum = self.first(sql, &[user.into()], |row| row.get(0))?;
        Ok(sum.unwrap_or_default())
    }

    fn credits_by_day(&mut self) -> Result<Vec<(Timestamp, i64)>, StoreError> {
        let sql = "SELECT at / 86400 * 86400 AS day, CAST(SUM(amount) AS BIGINT) FROM credits \
                   GROUP BY day ORDER BY day";
        self.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn credit_entries(&mut self, user: &str, most: u32) -> Result<Vec<CreditEntry>, StoreError> {
        let sql = "SELECT \"user\", provider, sale, reason, amount, at FROM credits \
                   WHERE \"user\" = ?1 ORDER BY number DESC LIMIT ?2";
        self.all(sql, &[user.into(), most.into()], |row| {
            Ok(CreditEntry {
                user: row.get(0)?,
                provider: row.get(1)?,
                sale: row.get(2)?,
                reason: reason(row, 3)?,
                amount: row.get(4)?,
                at: row.get(5)?,
            })
        })
    }
}
