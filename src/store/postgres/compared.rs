//! The ledger as rows that are compared with the provider's. What belongs to many rows is asked for at once.

use crate::domain::currency::Currency;
use crate::domain::entry::{RefundFacts, RefundState};
use crate::domain::reconcile::row::{Key, Row as Compared};
use crate::store::compared::{Asked, Named, Position, Span, Subject, name};
use crate::store::postgres::line::{self, CHECKOUT, LINE};
use crate::store::postgres::{Args, PgError, PgLedger, Reading, Row, read};
use crate::store::{Each, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// What the balance transactions of payments' charges say was kept.
const FEES: &str = "\
    SELECT one.subject, kept.currency, SUM(kept.amount)::bigint FROM stripegym.facts AS one \
    JOIN stripegym.facts AS settled ON settled.subject = one.object AND settled.what = 'settled' \
    JOIN stripegym.facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
    WHERE one.subject = ANY($1) AND one.what IN ('captured', 'charged') GROUP BY one.subject, kept.currency";

/// What the balance transactions of objects themselves say was kept.
const KEPT: &str = "\
    SELECT settled.subject, kept.currency, SUM(kept.amount)::bigint FROM stripegym.facts AS settled \
    JOIN stripegym.facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
    WHERE settled.subject = ANY($1) AND settled.what = 'settled' GROUP BY settled.subject, kept.currency";

/// The charges that payments were captured by.
const CAPTURED: &str = "\
    SELECT DISTINCT subject, object FROM stripegym.facts WHERE subject = ANY($1) AND what = 'captured'";

/// The facts of all subjects that may be rows, a subject after the other. Of Creem's everything that can be compared has
/// a row in `ledger`: it lists no disputes.
const SUBJECTS: &str = "\
    SELECT subject, object, what, amount, currency, at FROM stripegym.facts \
    WHERE (what IN ('received', 'captured', 'refunded_so_far', 'withdrawn', 'reinstated') OR kind = 'payout') \
    AND NOT (subject >= 'creem/' AND subject < 'creem0')";

/// The facts' own key: of several that speak of one thing the last counts, wherever the rows are made.
const ORDER: &str = "subject, object, kind, what, amount, currency, detail";

/// Sums by object and currency.
type Sums = BTreeMap<(String, Currency), i64>;

fn sums(reading: &Reading, sql: &str, names: &[String]) -> Result<Sums, PgError> {
    let rows = reading.rows(sql, vec![Box::new(names.to_vec())])?;
    let one = |row: &Row| Ok(((row.get(0)?, line::currency(row, 1)?), row.get(2)?));
    rows.iter().map(one).collect()
}

/// What is known beside the facts of some subjects.
struct Beside {
    fees: Sums,
    kept: Sums,
    sold: BTreeSet<String>,
    refunds: BTreeMap<String, RefundFacts>,
}

impl Beside {
    fn read(reading: &Reading, subjects: &[Subject]) -> Result<Self, PgError> {
        let names: Vec<String> = subjects.iter().map(|it| it.id.clone()).collect();
        let sql =
            "SELECT DISTINCT payment_intent FROM stripegym.ledger WHERE payment_intent = ANY($1)";
        let sold = reading.rows(sql, vec![Box::new(names.clone())])?;
        let sql = "SELECT payment_intent, source, state, amount FROM stripegym.refunds \
                   WHERE payment_intent = ANY($1)";
        let mut refunds: BTreeMap<String, RefundFacts> = BTreeMap::new();
        for row in reading.rows(sql, vec![Box::new(names.clone())])? {
            let facts = refunds.entry(row.get(0)?).or_default();
            facts.apply_fact(row.get(1)?, row.word(2, RefundState::read)?, row.get(3)?);
        }
        Ok(Self {
            fees: sums(reading, FEES, &names)?,
            kept: sums(reading, KEPT, &names)?,
            sold: sold.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
            refunds,
        })
    }
}

impl Asked for Beside {
    type Failure = PgError;

    fn has_session(&mut self, payment: &str) -> Result<bool, PgError> {
        Ok(self.sold.contains(payment))
    }

    fn refunded(&mut self, payment: &str) -> Result<i64, PgError> {
        Ok(self.refunds.get(payment).map_or(0, RefundFacts::total))
    }

    fn fee(&mut self, payment: &str, currency: Currency) -> Result<Option<i64>, PgError> {
        Ok(self.fees.get(&(payment.to_owned(), currency)).copied())
    }

    fn kept(&mut self, object: &str, currency: Currency) -> Result<Option<i64>, PgError> {
        Ok(self.kept.get(&(object.to_owned(), currency)).copied())
    }
}

/// Whoever takes the rows.
type Give<'g> = &'g mut dyn FnMut(Named) -> Result<(), PgError>;

/// The rows of some sessions, of rows of [`CHECKOUT`] with what was refunded.
fn sessions(reading: &Reading, rows: &[Row], give: Give<'_>) -> Result<(), PgError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(Compared::session(&line::checkout(row)?, Some(row.get(8)?)));
    }
    let intents: Vec<String> =
        found.iter().filter_map(|row| row.key(Key::Intent)).map(str::to_owned).collect();
    let fees = sums(reading, FEES, &intents)?;
    let mut captured: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in reading.rows(CAPTURED, vec![Box::new(intents)])? {
        captured.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    for mut row in found {
        let mut charges = Vec::new();
        if let Some(intent) = row.key(Key::Intent).map(str::to_owned) {
            charges = captured.get(&intent).cloned().unwrap_or_default();
            row.fee = fees.get(&(intent, row.currency)).copied();
        }
        give((row, charges))?;
    }
    Ok(())
}

/// The rows of subjects whose facts are all there.
fn others(
    reading: &Reading,
    subjects: &[Subject],
    span: Span,
    give: Give<'_>,
) -> Result<(), PgError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let mut beside = Beside::read(reading, subjects)?;
    for subject in subjects {
        if let Some(named) = subject.row(span, &mut beside)? {
            give(named)?;
        }
    }
    Ok(())
}

/// Takes the facts of rows into subjects; the last one may have more to come.
fn gather(subjects: &mut Vec<Subject>, rows: &[Row]) -> Result<(), PgError> {
    for row in rows {
        let id: &str = row.get(0)?;
        if subjects.last().is_none_or(|last| last.id != id) {
            subjects.push(Subject::new(id.to_owned()));
        }
        let money = (row.get(3)?, line::currency(row, 4)?);
        if let Some(subject) = subjects.last_mut() {
            subject.learn(row.get(2)?, row.get(1)?, money, row.get(5)?);
        }
    }
    Ok(())
}

/// How far each of these journals goes.
fn position(reading: &Reading, journals: &[String]) -> Result<Position, PgError> {
    let end = |journal: &String| {
        let sql = format!(
            "SELECT seq, upper(encode(hash, 'hex')) FROM {journal} ORDER BY seq DESC LIMIT 1"
        );
        let last = reading.rows(&sql, Vec::new())?.into_iter().next();
        last.map_or(Ok((0, String::new())), |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let ends: Result<_, PgError> = journals.iter().map(end).collect();
    Ok(Position::new(read::number(reading)?, ends?))
}

/// The chain's hash at a line of a journal; nothing where there is no such line.
fn hash_at(reading: &Reading, journal: &str, line: i64) -> Result<String, PgError> {
    let sql = format!("SELECT upper(encode(hash, 'hex')) FROM {journal} WHERE seq = $1");
    let found = reading.rows(&sql, vec![Box::new(line)])?;
    found.first().map_or(Ok(String::new()), |row| row.get(0))
}

impl PgLedger {
    /// About how many rows there are: sessions, and PaymentIntents without one are not counted.
    pub fn compared_about(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM stripegym.ledger";
        self.read(|reading| reading.one(sql, Vec::new())?.count(0))
    }

    /// Whether anything was ever sold through Creem.
    pub fn knows_creem(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM stripegym.facts \
                   WHERE subject >= 'creem/' AND subject < 'creem0')";
        self.read(|reading| reading.one(sql, Vec::new())?.get(0))
    }

    /// Gives each row of `span` to `each`, all as of one instant, and keeps no other reader waiting.
    pub fn compared(&self, span: Span, each: Each<'_, Named>) -> Result<Position, StoreError> {
        let mut give = |named: Named| each(named).map_err(PgError::Refused);
        self.at_one_instant(|reading| {
            let (from, to) =
                (span.since.map_or(i64::MIN, |at| at.0), span.until.map_or(i64::MAX, |at| at.0));
            let sql = format!(
                "SELECT {CHECKOUT}, refunded FROM stripegym.ledger WHERE created >= $1 AND created < $2"
            );
            let args: Args = vec![Box::new(from), Box::new(to)];
            reading.each(&sql, args, |rows| sessions(reading, &rows, &mut give))?;
            let mut subjects = Vec::new();
            let sql = format!("{SUBJECTS} ORDER BY {ORDER}");
            reading.each(&sql, Vec::new(), |rows| {
                gather(&mut subjects, &rows)?;
                let last = subjects.pop();
                others(reading, &subjects, span, &mut give)?;
                subjects.clear();
                subjects.extend(last);
                Ok(())
            })?;
            others(reading, &subjects, span, &mut give)?;
            position(reading, &self.journals_here())
        })
    }

    /// The names of everything that the lines after `from` are about, and how far that is; `None` where it is not the
    /// same ledger, or there are more than `most` lines.
    pub fn touched_since(
        &self,
        from: &Position,
        most: usize,
    ) -> Result<Option<(BTreeSet<String>, Position)>, StoreError> {
        let journals = self.journals_here();
        self.at_one_instant(|reading| {
            let here = position(reading, &journals)?;
            let Some(ends) = from.ends_of(&here) else { return Ok(None) };
            let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
            let (mut names, mut lines) = (BTreeSet::new(), 0);
            for (journal, (end, hash)) in journals.iter().zip(ends) {
                if hash_at(reading, journal, *end)? != *hash {
                    return Ok(None);
                }
                let sql =
                    format!("SELECT {LINE} FROM {journal} WHERE seq > $1 ORDER BY seq LIMIT $2");
                reading.each(&sql, vec![Box::new(*end), Box::new(limit)], |rows| {
                    lines += rows.len();
                    for row in &rows {
                        name(&line::line(row)?.1, &mut names);
                    }
                    Ok(())
                })?;
            }
            Ok((lines <= most).then_some((names, here)))
        })
    }

    /// The rows of `span` that are called so, or are of a payment that is.
    pub fn compared_of(
        &self,
        names: &BTreeSet<String>,
        span: Span,
    ) -> Result<Vec<Named>, StoreError> {
        let names: Vec<String> = names.iter().cloned().collect();
        self.at_one_instant(|reading| {
            let mut found: BTreeMap<String, Named> = BTreeMap::new();
            let mut give = |named: Named| {
                if span.has(named.0.created) {
                    found.insert(named.0.id.clone(), named);
                }
                Ok(())
            };
            let sql = format!(
                "SELECT {CHECKOUT}, refunded FROM stripegym.ledger \
                 WHERE session_id = ANY($1) OR payment_intent = ANY($1)"
            );
            let rows = reading.rows(&sql, vec![Box::new(names.clone())])?;
            sessions(reading, &rows, &mut give)?;
            let sql = format!("{SUBJECTS} AND subject = ANY($1) ORDER BY {ORDER}");
            let mut subjects = Vec::new();
            gather(&mut subjects, &reading.rows(&sql, vec![Box::new(names)])?)?;
            others(reading, &subjects, span, &mut give)?;
            Ok(found.into_values().collect())
        })
    }
}
