//! Reading the journal and the book.

use crate::domain::book::{Account, Booked, Reason};
use crate::domain::currency::Currency;
use crate::domain::time::Timestamp;
use crate::os::place::beside;
use crate::os::private;
use crate::store::pack::Bodies;
use crate::store::{
    Each, STORED_EVENT, SqliteLedger, StoreError, StoredEvent, rebuild, schema, sqlite,
    stored_event,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, TransactionBehavior, params_from_iter};
use std::collections::BTreeSet;
use std::path::Path;

/// What an account holds in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Which account.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// Minor units; a debit is positive.
    pub amount: i128,
    /// How many postings made it.
    pub postings: u64,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable name of the cause.
    pub name: String,
    /// The object or line that it is about.
    pub about: String,
    /// What is the matter, or what was said.
    pub text: String,
}

impl SqliteLedger {
    /// What every account holds, by account and currency.
    pub fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        let sum = sum("amount");
        let sql = format!(
            "SELECT account, currency, {sum}, COUNT(*) FROM postings GROUP BY account, currency"
        );
        let one = |row: &Row<'_>| {
            Ok(Balance {
                account: sqlite::account(row, 0)?,
                currency: schema::currency(row, 1)?,
                amount: summed(row, 2)?,
                postings: super::count(row, 4)?,
            })
        };
        let mut balances: Vec<Balance> =
            self.read(|connection| connection.prepare(&sql)?.query_map([], one)?.collect())?;
        balances.sort_by_key(|balance| (balance.account, balance.currency));
        Ok(balances)
    }

    /// Gives the last `limit` entries, or all, oldest first, to `each`; only those about `subject`, where one is named.
    pub fn each_entry(
        &self,
        subject: Option<&str>,
        limit: Option<u32>,
        each: Each<'_, Booked>,
    ) -> Result<(), StoreError> {
        let about = "(?1 IS NULL OR subject = ?1 OR entries.object = ?1)";
        let mut sql = format!(
            "SELECT number, events.id, events.received, events.created, subject, \
             COALESCE(entries.object, subject), reason, takes_back FROM entries \
             JOIN events ON events.seq = entries.line WHERE {about}"
        );
        let mut values = vec![subject.map_or(Value::Null, |subject| subject.to_owned().into())];
        if let Some(limit) = limit {
            sql = format!(
                "{sql} AND number >= (SELECT MIN(number) FROM (SELECT number FROM entries \
                 WHERE {about} ORDER BY number DESC LIMIT ?2))"
            );
            values.push(limit.into());
        }
        sql += " ORDER BY number";
        self.stream(&sql, values, booked, each)
    }

    /// The currencies of all postings.
    pub fn currencies(&self) -> Result<BTreeSet<Currency>, StoreError> {
        let sql = "SELECT DISTINCT currency FROM postings";
        let one = |row: &Row<'_>| schema::currency(row, 0);
        self.read(|connection| connection.prepare(sql)?.query_map([], one)?.collect())
    }

    /// How many postings there are.
    pub fn postings_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM postings";
        self.read(|connection| connection.query_row(sql, [], |row| super::count(row, 0)))
    }

    /// The events of these types that the provider made since an instant, oldest arrival first, at most `most`.
    pub fn events_of(
        &self,
        types: &[&str],
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let marks = vec!["?"; types.len()].join(", ");
        let sql = format!(
            "{STORED_EVENT} WHERE created >= {} AND type IN ({marks}) ORDER BY seq LIMIT {most}",
            since.0
        );
        self.read(|connection| {
            let mut bodies = Bodies::new(connection);
            let mut statement = connection.prepare(&sql)?;
            let read = |row: &Row<'_>| stored_event(row, &mut bodies);
            statement.query_map(params_from_iter(types), read)?.collect()
        })
    }

    /// What a person should look at: lines that could not be booked, lines that stand apart, contradictions, and charges
    /// whose fee is pending.
    pub fn problems(&self) -> Result<Vec<Problem>, StoreError> {
        let sql = "SELECT name, about, text FROM ( \
                   SELECT 1 AS kind, seq AS at, 'unreadable' AS name, id AS about, problem AS text \
                   FROM events WHERE problem IS NOT NULL \
                   UNION ALL SELECT 2, seq, apart, id, type FROM events WHERE apart IS NOT NULL \
                   UNION ALL SELECT 3, 0, trouble, subject, said FROM conflicts \
                   UNION ALL SELECT 4, line, 'pending_fee', subject, amount || ' ' || currency \
                   FROM facts AS one WHERE what = 'charged' AND NOT EXISTS (SELECT 1 FROM facts \
                   WHERE subject = one.subject AND what = 'settled')) ORDER BY kind, at, about, text";
        let one = |row: &Row<'_>| {
            Ok(Problem { name: row.get(0)?, about: row.get(1)?, text: row.get(2)? })
        };
        self.read(|connection| connection.prepare(sql)?.query_map([], one)?.collect())
    }

    /// Writes a copy of the ledger to `path`, where nothing stands yet.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let new = !path.exists();
        private::database(path)
            .map_err(|error| StoreError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let name = path.to_string_lossy();
        let copied = self
            .read(|connection| connection.execute("VACUUM INTO ?1", [name.as_ref()]).map(|_| ()));
        if copied.is_err() && new {
            // Half a copy looks like a whole one.
            for left in [path.to_owned(), beside(path, "-journal")] {
                drop(std::fs::remove_file(left));
            }
        }
        copied
    }

    /// Makes everything that follows from the journal anew; how many lines there were.
    pub fn rebuild(&self) -> Result<u64, StoreError> {
        let mut connection = schema::open(self.path())?;
        let mut work = || {
            self.until.watch(&mut connection)?;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let lines = rebuild::anew(&transaction)?;
            transaction.commit()?;
            Ok(lines)
        };
        work().map_err(|error| schema::explain(self.path(), &error))
    }
}

fn booked(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Booked> {
    let (number, object): (i64, String) = (row.get(0)?, row.get(5)?);
    let reason: Reason = sqlite::reason(row, 6)?;
    let postings = sqlite::postings(connection, number)?;
    Ok(Booked {
        number,
        line: row.get(1)?,
        received: Timestamp(row.get(2)?),
        created: Timestamp(row.get(3)?),
        subject: row.get(4)?,
        entry: sqlite::entry(&object, reason, postings)?,
        takes_back: row.get(7)?,
    })
}

/// The sum of `what` as two columns, neither of which can be more than SQLite counts; [`summed`] puts them together.
pub(super) fn sum(what: &str) -> String {
    format!("SUM(({what}) >> 32), SUM(({what}) & 4294967295)")
}

/// The two columns of [`sum`] from `at` on.
pub(super) fn summed(row: &Row<'_>, at: usize) -> rusqlite::Result<i128> {
    let (high, low): (i64, i64) = (row.get(at)?, row.get(at + 1)?);
    Ok((i128::from(high) << 32) + i128::from(low))
}

/// The sum as far as it can be counted.
pub(super) fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
