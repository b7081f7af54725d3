//! Reading the book, what a person should look at, and disputes.

use crate::domain::book::{Account, Booked, Reason};
use crate::domain::currency::Currency;
use crate::domain::time::Timestamp;
use crate::store::book::{Balance, Problem};
use crate::store::dispute::{Held, payment};
use crate::store::postgres::line::{self, Postings};
use crate::store::postgres::part::Part;
use crate::store::postgres::{Args, PgError, PgLedger, Reading, Row, text};
use crate::store::{Each, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// What a person should look at.
const PROBLEMS: &str = "\
    SELECT name, about, text FROM ( \
    SELECT 1 AS kind, seq AS at, 'unreadable' AS name, id AS about, problem AS text \
    FROM stripegym.events WHERE problem IS NOT NULL \
    UNION ALL SELECT 2, seq, apart, id, type FROM stripegym.events WHERE apart IS NOT NULL \
    UNION ALL SELECT 3, 0, trouble, subject, said FROM stripegym.conflicts \
    UNION ALL SELECT 4, line, 'pending_fee', subject, amount::text || ' ' || currency \
    FROM stripegym.facts AS one WHERE what = 'charged' AND NOT EXISTS (SELECT 1 FROM stripegym.facts \
    WHERE subject = one.subject AND what = 'settled')) AS found \
    ORDER BY kind, at, about COLLATE \"C\", text COLLATE \"C\"";

/// The disputes that are known, each with what it took and gave back, the fees of what settled it, and a line about it.
const DISPUTES: &str = "\
    SELECT subject, SUM(CASE what WHEN 'withdrawn' THEN amount WHEN 'reinstated' THEN -amount ELSE 0 END)::bigint, \
           (SELECT COALESCE(SUM(fee.amount), 0)::bigint FROM stripegym.facts AS fee WHERE fee.what = 'fee' \
            AND fee.subject IN (SELECT settled.object FROM stripegym.facts AS settled \
            WHERE settled.subject = facts.subject AND settled.what = 'settled')), \
           (SELECT seq FROM stripegym.events WHERE object = facts.subject \
            AND type >= 'charge.dispute.' AND type < 'charge.dispute/' LIMIT 1) \
    FROM stripegym.facts WHERE (subject >= 'dp_' AND subject < 'dp`') OR (subject >= 'du_' AND subject < 'du`') \
    GROUP BY subject";

/// The entries of one server, in the columns that [`booked`] reads.
fn entries_of(part: &Part, about: &str) -> String {
    part.sql(&format!(
        "SELECT {} AS number, events.id, events.received, events.created, subject, \
         COALESCE(entries.object, subject), reason, {} \
         FROM stripegym.entries JOIN stripegym.events ON events.seq = entries.line WHERE {about}",
        part.number("entries.number"),
        part.number("takes_back")
    ))
}

fn booked(row: &Row, postings: &mut Postings) -> Result<Booked, PgError> {
    let number: i64 = row.get(0)?;
    let reason = row.word(6, Reason::read)?;
    Ok(Booked {
        number,
        line: row.get(1)?,
        received: Timestamp(row.get(2)?),
        created: Timestamp(row.get(3)?),
        subject: row.get(4)?,
        entry: line::entry(row.get(5)?, reason, postings.remove(&number))?,
        takes_back: row.get(7)?,
    })
}

/// The postings of the entries of rows that begin with an entry's number.
fn postings_of(reading: &Reading, parts: &[Part], rows: &[Row]) -> Result<Postings, PgError> {
    let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let mut found = Postings::new();
    for part in parts {
        let own: Vec<i64> = numbers.iter().filter_map(|number| part.own(*number)).collect();
        let sql = part.sql(
            "SELECT entry, account, currency, amount FROM stripegym.postings WHERE entry = ANY($1)",
        );
        let postings = line::postings(&reading.rows(&sql, vec![Box::new(own)])?)?;
        found.extend(postings.into_iter().map(|(own, postings)| (part.shown(own), postings)));
    }
    Ok(found)
}

impl PgLedger {
    /// What every account holds, by account and currency.
    pub fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        let sql = "SELECT account, currency, SUM(amount)::text, count(*) FROM stripegym.postings \
                   GROUP BY account, currency";
        let one = |row: &Row| {
            Ok(Balance {
                account: row.word(0, Account::read)?,
                currency: line::currency(row, 1)?,
                amount: line::sum(row, 2)?,
                postings: row.count(3)?,
            })
        };
        let found: Result<Vec<Balance>, StoreError> =
            self.read(|reading| reading.rows(sql, Vec::new())?.iter().map(one).collect());
        let mut balances = found?;
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
        let mut args: Args = Vec::new();
        let mut about = "TRUE";
        if let Some(subject) = subject {
            args.push(text(subject));
            about = "(subject = $1 OR entries.object = $1)";
        }
        let parts = self.parts();
        let all: Vec<String> = parts.iter().map(|part| entries_of(part, about)).collect();
        let mut sql = all.join(" UNION ALL ");
        if let Some(limit) = limit {
            sql = format!("SELECT * FROM ({sql} ORDER BY number DESC LIMIT {limit}) AS part");
        }
        sql += " ORDER BY number";
        self.at_one_instant(|reading| {
            reading.each(&sql, args, |rows| {
                let mut postings = postings_of(reading, &parts, &rows)?;
                rows.iter()
                    .try_for_each(|row| each(booked(row, &mut postings)?).map_err(PgError::Refused))
            })
        })
    }

    /// The currencies of all postings.
    pub fn currencies(&self) -> Result<BTreeSet<Currency>, StoreError> {
        let sql = "SELECT DISTINCT currency FROM stripegym.postings";
        let one = |row: &Row| line::currency(row, 0);
        self.read(|reading| reading.rows(sql, Vec::new())?.iter().map(one).collect())
    }

    /// How many postings there are.
    pub fn postings_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM stripegym.postings";
        self.read(|reading| reading.one(sql, Vec::new())?.count(0))
    }

    /// What a person should look at.
    pub fn problems(&self) -> Result<Vec<Problem>, StoreError> {
        let one =
            |row: &Row| Ok(Problem { name: row.get(0)?, about: row.get(1)?, text: row.get(2)? });
        self.read(|reading| reading.rows(PROBLEMS, Vec::new())?.iter().map(one).collect())
    }

    /// What disputes hold, by PaymentIntent; a payment that was never disputed is not in it.
    pub fn disputes(&self) -> Result<BTreeMap<String, Held>, StoreError> {
        self.at_one_instant(|reading| {
            let mut found: BTreeMap<String, Held> = BTreeMap::new();
            for part in self.parts() {
                let sql = part.sql("SELECT body, pack FROM stripegym.events WHERE seq = $1");
                for row in reading.rows(&part.sql(DISPUTES), Vec::new())? {
                    let (amount, fee): (i64, i64) = (row.get(1)?, row.get(2)?);
                    let Some(seq) = row.get::<Option<i64>>(3)? else { continue };
                    let body = line::body(&reading.one(&sql, vec![Box::new(seq)])?, 0, 1)?;
                    let Some(intent) = payment(&body) else { continue };
                    let held = found.entry(intent).or_default();
                    held.amount = held.amount.saturating_add(amount);
                    held.fee = held.fee.saturating_add(fee);
                }
            }
            Ok(found)
        })
    }
}
