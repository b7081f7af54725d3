//! A comparison on the server: the ledger's rows are made there ([`super::held`]), the other side's are copied into a table
//! beside them, and a full outer join brings together what has one key. What agrees is only counted and stays there; what
//! does not agree, stands alone or stands several times under one key is read and judged by the rules that judge
//! everything else. So the answer is that of a comparison here, and no rule of it is written twice but when two rows agree.
//!
//! Nothing of it outlives the connection. Rows that find nothing under one key are moved to their next before the next key
//! is joined, as they are here.

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::reconcile::judge::{Matched, Rules, alone, group, judged};
use crate::domain::reconcile::row::{Key, Row as Compared, What};
use crate::domain::reconcile::{Finding, Side, Summary};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::compared::Span;
use crate::store::postgres::agreeing::Agreeing;
use crate::store::postgres::held::{
    self, COUNTED, ROW, agree, columns, crowded, fill_odd, move_on, take_out, under,
};
use crate::store::postgres::{Args, PgError, PgLedger, Reading, Row, line};
use deadpool_postgres::Object;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

/// How many rows are copied at once.
const COPIED: usize = 4_096;

/// The columns of what is copied: the key and its value, and a row.
const TYPES: [Type; 19] = [
    Type::INT2,
    Type::TEXT,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::BOOL,
    Type::TEXT,
    Type::TEXT,
];

/// What takes the findings.
pub type Found<'f> = &'f mut dyn FnMut(&Finding) -> io::Result<()>;

/// A row that waits to be copied, under which key.
type Waiting = (Key, Compared);

/// A comparison on the server, while the other side's rows come.
#[derive(Debug)]
pub struct Joining {
    reading: Reading,
    /// Which side the ledger is.
    side: Side,
    waiting: Vec<Waiting>,
    /// Under which keys rows wait.
    keys: RefCell<BTreeSet<Key>>,
    held: u64,
    given: u64,
}

impl Drop for Joining {
    fn drop(&mut self) {
        // The tables, and what the connection was told, end with it.
        if let Some(client) = self.reading.client.take().and_then(Arc::into_inner) {
            self.reading.within = false;
            drop(Object::take(client));
        }
    }
}

impl PgLedger {
    /// Begins a comparison on the server, where the ledger is `side`; `None` where it lets nobody make tables of a
    /// connection's own. Sales of Creem's are left out where nobody asks Creem.
    pub fn joining(
        &self,
        side: Side,
        span: Span,
        skips_creem: bool,
    ) -> Result<Option<Joining>, StoreError> {
        let fail = |error: PgError| self.server.explain(&error);
        let reading = self.reading().map_err(fail)?;
        let (waiting, keys) = (Vec::new(), RefCell::default());
        let mut joining = Joining { reading, side, waiting, keys, held: 0, given: 0 };
        match joining.begin(span, skips_creem) {
            Ok(()) => Ok(Some(joining)),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                tracing::debug!(?error, "the comparison is made here");
                Ok(None)
            }
            Err(error) => Err(fail(error)),
        }
    }
}

/// Whether a row's texts are texts to the server as well.
fn is_text(row: &Compared) -> bool {
    row.names().chain([row.payout.as_str(), row.category.as_str()]).all(|it| !it.contains('\0'))
}

impl Joining {
    fn begin(&mut self, span: Span, skips_creem: bool) -> Result<(), PgError> {
        // All of both sides is joined: never a row after the other, whatever the server believes of tables that it has not
        // looked at since they grew.
        self.reading.run(&format!(
            "SET work_mem = '64MB'; SET jit = off; SET enable_nestloop = off; {}; {}; \
             CREATE TEMP TABLE odd (value TEXT COLLATE \"C\" NOT NULL, crowded BOOLEAN NOT NULL)",
            held::table("held"),
            held::table("given")
        ))?;
        let (from, to) =
            (span.since.map_or(i64::MIN, |at| at.0), span.until.map_or(i64::MAX, |at| at.0));
        // One statement: all of the ledger as of one instant.
        self.reading
            .rows(&held::fill(), vec![Box::new(from), Box::new(to), Box::new(skips_creem)])?;
        let sql = "SELECT key, count(*) FROM pg_temp.held GROUP BY key";
        for row in self.reading.rows(sql, Vec::new())? {
            self.wait_under(row.get(0)?)?;
            self.held = self.held.saturating_add(row.count(1)?);
        }
        Ok(())
    }

    /// How many rows the ledger has.
    pub const fn held(&self) -> u64 {
        self.held
    }

    /// How many rows the longer side has.
    pub fn longer(&self) -> u64 {
        self.held.max(self.given)
    }

    /// Takes a row of the other side; whether the server can keep its texts at all.
    pub fn push(&mut self, row: &Compared) -> Result<bool, StoreError> {
        if !is_text(row) {
            return Ok(false);
        }
        self.given += 1;
        if let Some(key) = row.first_key(None) {
            self.keys.get_mut().insert(key);
            self.waiting.push((key, row.clone()));
        }
        if self.waiting.len() < COPIED {
            return Ok(true);
        }
        let waiting = std::mem::take(&mut self.waiting);
        copy(&self.reading, "given", waiting)
            .map_err(|error| self.reading.server.explain(&error))?;
        Ok(true)
    }

    /// Compares. What is found goes to `found`, in no order; of what agrees only the sums come, where `brief` says that
    /// nobody wants to see it.
    pub fn finish(
        mut self,
        rules: &Rules,
        brief: bool,
        found: Found<'_>,
    ) -> Result<Summary, StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        let work = || {
            copy(&self.reading, "given", waiting)?;
            // The columns that are joined by.
            let begin =
                "BEGIN; ANALYZE pg_temp.held (key, value); ANALYZE pg_temp.given (key, value)";
            self.reading.run(begin)?;
            let mut summary = Summary::default();
            for key in Key::ALL {
                self.stage(rules, key, brief, &mut summary, found)?;
            }
            Ok(summary)
        };
        work().map_err(|error| self.reading.server.explain(&error))
    }

    /// Joins what stands under one key.
    fn stage(
        &self,
        rules: &Rules,
        key: Key,
        brief: bool,
        summary: &mut Summary,
        found: Found<'_>,
    ) -> Result<(), PgError> {
        if !self.keys.borrow().contains(&key) {
            return Ok(());
        }
        self.reading
            .run(&format!("TRUNCATE pg_temp.odd; {}; ANALYZE pg_temp.odd", fill_odd(key)))?;
        let counted = self.reading.one(COUNTED, Vec::new())?;
        let (has_crowds, has_alone) = (counted.count(0)? > 0, counted.count(1)? > 0);
        if has_crowds {
            self.groups(rules, key, found)?;
        }
        for table in ["held", "given"] {
            if has_crowds {
                self.reading.run(&take_out(table, key))?;
            }
            if let Some(sql) = move_on(table, key).filter(|_| has_alone) {
                for row in self.reading.rows(&sql, Vec::new())? {
                    self.wait_under(row.get(0)?)?;
                }
            }
        }
        let agree = agree(rules);
        let mut agreeing = if brief { Some(Agreeing::all(&self.reading, key)?) } else { None };
        let wanted = if brief { format!("WHERE ({agree}) IS NOT TRUE") } else { String::new() };
        let sql = format!(
            "SELECT {}, {}, h.value IS NOT NULL, g.value IS NOT NULL FROM {} AS h FULL JOIN {} AS g \
             ON g.value = h.value {wanted}",
            columns("h"),
            columns("g"),
            under("held", key),
            under("given", key)
        );
        self.reading.each(&sql, Vec::new(), |rows| {
            rows.iter().try_for_each(|row| self.judge(rules, key, row, agreeing.as_mut(), found))
        })?;
        if let Some(agreeing) = agreeing {
            agreeing.count_into(self.side, summary);
        }
        Ok(())
    }

    /// Notes that rows wait under a key.
    fn wait_under(&self, key: i16) -> Result<(), PgError> {
        let known = Key::ALL.into_iter().find(|it| *it as i16 == key);
        self.keys.borrow_mut().insert(known.ok_or_else(|| PgError::unknown(&key.to_string()))?);
        Ok(())
    }

    /// Judges what several rows have one key, a key after the other.
    fn groups(&self, rules: &Rules, key: Key, found: Found<'_>) -> Result<(), PgError> {
        let side = |number: u8, table: &str| {
            format!(
                "SELECT {number} AS side, one.value, {} FROM pg_temp.{table} AS one WHERE key = {} AND {}",
                columns("one"),
                key as i16,
                crowded("one")
            )
        };
        let sql = format!("{} UNION ALL {} ORDER BY 2", side(0, "held"), side(1, "given"));
        let mut gathered: [Vec<Compared>; 2] = Default::default();
        let mut value = String::new();
        let mut later = Vec::new();
        self.reading.each(&sql, Vec::new(), |rows| {
            for row in &rows {
                let of: &str = row.get(1)?;
                if of != value {
                    let whole = std::mem::take(&mut gathered);
                    self.group(rules, key, whole, &mut later, found)?;
                    of.clone_into(&mut value);
                }
                let of_ledger = row.get::<i32>(0)? == 0;
                let side = if of_ledger { self.side } else { self.side.other() };
                let [ours, theirs] = &mut gathered;
                if side == Side::Ours { ours } else { theirs }.push(compared(row, 2)?);
            }
            Ok(())
        })?;
        self.group(rules, key, gathered, &mut later, found)?;
        self.put_back(later, key)
    }

    /// Judges what has one key.
    fn group(
        &self,
        rules: &Rules,
        key: Key,
        rows: [Vec<Compared>; 2],
        later: &mut Vec<(Side, Compared)>,
        found: Found<'_>,
    ) -> Result<(), PgError> {
        group(rules, key, rows, &mut |matched| match matched {
            Matched::Found(finding) => found(finding).map_err(PgError::Refused),
            Matched::Later(side, row) => {
                later.push((side, row.clone()));
                Ok(())
            }
        })?;
        if later.len() < COPIED { Ok(()) } else { self.put_back(std::mem::take(later), key) }
    }

    /// Has what found nothing under one key wait under its next.
    fn put_back(&self, rows: Vec<(Side, Compared)>, key: Key) -> Result<(), PgError> {
        let (mut held, mut given) = (Vec::new(), Vec::new());
        for (side, row) in rows {
            let Some(next) = row.first_key(Some(key)) else { continue };
            self.keys.borrow_mut().insert(next);
            if side == self.side { &mut held } else { &mut given }.push((next, row));
        }
        copy(&self.reading, "held", held)?;
        copy(&self.reading, "given", given)
    }

    /// Judges a row of the join.
    fn judge(
        &self,
        rules: &Rules,
        key: Key,
        row: &Row,
        agreeing: Option<&mut Agreeing>,
        found: Found<'_>,
    ) -> Result<(), PgError> {
        let flags = 2 * ROW.len();
        let held = if row.get(flags)? { Some(compared(row, 0)?) } else { None };
        let given = if row.get(flags + 1)? { Some(compared(row, ROW.len())?) } else { None };
        if let Some(agreeing) = agreeing {
            for (is_ledger, row) in [(true, &held), (false, &given)] {
                if let Some(row) = row {
                    agreeing.take_out(is_ledger, row);
                }
            }
        }
        let (ours, theirs) = if self.side == Side::Ours { (held, given) } else { (given, held) };
        let mut tell = |matched: Matched<'_>| match matched {
            Matched::Found(finding) => found(finding).map_err(PgError::Refused),
            // Whatever has another key was moved there before.
            Matched::Later(..) => {
                Err(PgError::Odd("a row was not moved to its next key".to_owned()))
            }
        };
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                let mut finding =
                    Finding { ours: Some(ours), theirs: Some(theirs), ..Finding::blank() };
                judged(rules, key, &mut finding);
                tell(Matched::Found(&finding))
            }
            (Some(ours), None) => alone(rules, key, Side::Ours, &ours, &mut tell),
            (None, Some(theirs)) => alone(rules, key, Side::Theirs, &theirs, &mut tell),
            (None, None) => Ok(()),
        }
    }
}

pub(super) fn what(row: &Row, at: usize) -> Result<What, PgError> {
    let number: i16 = row.get(at)?;
    let known = usize::try_from(number).ok().and_then(|number| What::ALL.get(number).copied());
    known.ok_or_else(|| PgError::unknown(&number.to_string()))
}

/// A row whose columns begin at `from`.
fn compared(row: &Row, from: usize) -> Result<Compared, PgError> {
    let currency: Currency = line::currency(row, from + 7)?;
    let status: Option<&str> = row.get(from + 8)?;
    let status = match status {
        Some(word) => Some(EntryStatus::read(word).ok_or_else(|| PgError::unknown(word))?),
        None => None,
    };
    Ok(Compared {
        what: what(row, from)?,
        id: row.get(from + 1)?,
        keys: [row.get(from + 2)?, row.get(from + 3)?, row.get(from + 4)?, row.get(from + 5)?],
        amount: row.get(from + 6)?,
        currency,
        status,
        refunded: row.get(from + 9)?,
        disputed: row.get(from + 10)?,
        fee: row.get(from + 11)?,
        net: row.get(from + 12)?,
        created: Timestamp(row.get(from + 13)?),
        livemode: row.get(from + 14)?,
        payout: row.get(from + 15)?,
        category: row.get(from + 16)?,
    })
}

/// Copies rows into a table.
fn copy(reading: &Reading, table: &'static str, rows: Vec<Waiting>) -> Result<(), PgError> {
    if rows.is_empty() {
        return Ok(());
    }
    let client = reading.client()?;
    let sql =
        format!("COPY pg_temp.{table} (key, value, {}) FROM STDIN (FORMAT binary)", ROW.join(", "));
    reading.server.wait(&reading.until, async move {
        let sink = client.copy_in(&sql).await?;
        let mut writer = Box::pin(BinaryCopyInWriter::new(sink, &TYPES));
        for (key, row) in &rows {
            let values = values(*key, row);
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|it| &**it as &(dyn ToSql + Sync)).collect();
            writer.as_mut().write(&values).await?;
        }
        writer.as_mut().finish().await?;
        Ok(())
    })
}

/// The values of a row under a key.
fn values(key: Key, row: &Compared) -> Args {
    let text = super::text;
    let [intent, charge, session, reference] = &row.keys;
    let status: Option<&'static str> = row.status.map(EntryStatus::name);
    vec![
        Box::new(key as i16),
        text(row.key(key).unwrap_or_default()),
        Box::new(row.what as i16),
        text(&row.id),
        text(intent),
        text(charge),
        text(session),
        text(reference),
        Box::new(row.amount),
        text(row.currency.code()),
        Box::new(status),
        Box::new(row.refunded),
        Box::new(row.disputed),
        Box::new(row.fee),
        Box::new(row.net),
        Box::new(row.created.0),
        Box::new(row.livemode),
        text(&row.payout),
        text(&row.category),
    ]
}
