//! The journal on SQLite.

use crate::domain::book::derive::{Conflict, ConflictKind};
use crate::domain::book::fact::{Claim, Fact, Key, Kind, What};
use crate::domain::book::line::{Apart, Line, Meaning, Source};
use crate::domain::book::{Account, Entry, Reason};
use crate::domain::currency::Currency;
use crate::domain::entry::{RefundFacts, RefundState, Refunded};
use crate::domain::time::Timestamp;
use crate::store::chain::Chain;
use crate::store::journal::{JournalStore, SessionRow};
use crate::store::pack::{Bodies, Packed};
use crate::store::schema;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A transaction that is under way, and the chain that its lines go on.
pub(super) struct Sqlite<'c> {
    connection: &'c Connection,
    chain: &'c mut Chain,
    /// The body of the line that is appended, as it is kept, where that was worked out before.
    packed: Option<&'c Packed>,
}

impl<'c> Sqlite<'c> {
    pub(super) const fn new(connection: &'c Connection, chain: &'c mut Chain) -> Self {
        Self { connection, chain, packed: None }
    }

    /// The same for one line, of whose body this was made.
    pub(super) const fn with(self, packed: &'c Packed) -> Self {
        Self { packed: Some(packed), ..self }
    }
}

/// A row of a session by its id.
static SESSION_BY_ID: LazyLock<String> =
    LazyLock::new(|| format!("{SESSION} WHERE {}", schema::is("session_id", 1)));

/// The rows of the sessions of a PaymentIntent.
static SESSIONS_OF: LazyLock<String> =
    LazyLock::new(|| format!("{SESSION} WHERE {}", schema::is("payment_intent", 1)));

/// What stands of a subject.
static STANDING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT number, COALESCE(object, subject), reason FROM entries AS one WHERE {} \
         AND +takes_back IS NULL AND NOT EXISTS \
         (SELECT 1 FROM entries WHERE takes_back = one.number)",
        schema::is("subject", 1)
    )
});

/// Another state of a session.
static CHANGE_SESSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE ledger SET amount = ?2, currency = ?3, status = ?4, settled = ?5, refunded = ?6, \
         created = ?7, updated = ?8, payment_intent = ?9, event_id = ?10 WHERE {}",
        schema::is("session_id", 1)
    )
});

/// How a line came, in columns: the word, when it was signed, and the secret's fingerprint.
pub(super) fn source(source: &Source) -> (&'static str, Option<i64>, Option<&str>) {
    match source {
        Source::Webhook { signed, secret } => (source.name(), Some(signed.0), Some(secret)),
        Source::Poll | Source::Seen | Source::Carried => (source.name(), None, None),
    }
}

impl JournalStore for Sqlite<'_> {
    type Failure = rusqlite::Error;

    fn append(&mut self, line: &Line) -> rusqlite::Result<Option<i64>> {
        let (via, signed, secret) = source(&line.source);
        let mut after = self.chain.clone();
        after.add(line);
        let own = if self.packed.is_none() { Packed::new(&line.body)? } else { Packed::default() };
        let (body, pack) = self.packed.unwrap_or(&own).columns(&line.body);
        let sql = "INSERT INTO events (id, type, object, created, livemode, received, problem, body, \
                   signed, via, secret, apart, writer, place, hash, pack) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
                   ON CONFLICT (id) DO NOTHING";
        let added = self.connection.prepare_cached(sql)?.execute(params![
            line.id,
            line.kind,
            line.object,
            line.created.0,
            line.livemode,
            line.received.0,
            line.meaning.problem,
            body,
            signed,
            via,
            secret,
            line.apart.map(Apart::name),
            after.writer,
            after.place,
            after.hash,
            pack,
        ])?;
        if added == 0 {
            return Ok(None);
        }
        *self.chain = after;
        Ok(Some(self.connection.last_insert_rowid()))
    }

    fn learn(&mut self, line: i64, fact: &Fact) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO facts (subject, object, kind, what, amount, currency, detail, at, line) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let added = self.connection.prepare_cached(sql)?.execute(params![
            fact.subject,
            fact.key.object,
            fact.key.kind.name(),
            fact.key.what.name(),
            fact.claim.amount,
            fact.claim.currency.code(),
            fact.claim.detail,
            fact.at.0,
            line,
        ])?;
        Ok(added > 0)
    }

    fn facts(&mut self, subject: &str) -> rusqlite::Result<Vec<Fact>> {
        let sql = "SELECT subject, object, kind, what, amount, currency, detail, at FROM facts \
                   WHERE subject = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map([subject], fact)?.collect()
    }

    fn standing(&mut self, subject: &str) -> rusqlite::Result<Vec<(i64, Entry)>> {
        let mut statement = self.connection.prepare_cached(&STANDING)?;
        let heads: Vec<(i64, String, Reason)> = statement
            .query_map([subject], |row| Ok((row.get(0)?, row.get(1)?, reason(row, 2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        heads
            .into_iter()
            .map(|(number, object, reason)| {
                let postings = postings(self.connection, number)?;
                Ok((number, entry(&object, reason, postings)?))
            })
            .collect()
    }

    fn post(
        &mut self,
        line: i64,
        subject: &str,
        entry: &Entry,
        takes_back: Option<i64>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO entries (line, subject, object, reason, takes_back) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let reason = entry.reason().name();
        self.connection.prepare_cached(sql)?.execute(params![
            line,
            subject,
            Some(entry.about()).filter(|object| *object != subject),
            reason,
            takes_back
        ])?;
        let number = self.connection.last_insert_rowid();
        let sql = "INSERT INTO postings (entry, account, currency, amount) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for one in entry.postings() {
            statement.execute(params![
                number,
                one.account.name(),
                one.currency.code(),
                one.amount
            ])?;
        }
        Ok(())
    }

    fn set_conflicts(
        &mut self,
        subject: &str,
        conflicts: &BTreeSet<Conflict>,
    ) -> rusqlite::Result<Vec<Conflict>> {
        let sql = "SELECT trouble, said FROM conflicts WHERE subject = ?1";
        let known: BTreeSet<Conflict> = self
            .connection
            .prepare_cached(sql)?
            .query_map([subject], |row| {
                Ok(Conflict { trouble: trouble(row, 0)?, said: row.get(1)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        if known == *conflicts {
            return Ok(Vec::new());
        }
        let sql = "DELETE FROM conflicts WHERE subject = ?1";
        self.connection.prepare_cached(sql)?.execute([subject])?;
        let sql = "INSERT INTO conflicts (subject, trouble, said) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for one in conflicts {
            statement.execute(params![subject, one.trouble.name(), one.said])?;
        }
        Ok(conflicts.difference(&known).cloned().collect())
    }

    fn session(&mut self, id: &str) -> rusqlite::Result<Option<SessionRow>> {
        self.connection.prepare_cached(&SESSION_BY_ID)?.query_row([id], session).optional()
    }

    fn sessions_of(&mut self, intent: &str) -> rusqlite::Result<Vec<SessionRow>> {
        let mut statement = self.connection.prepare_cached(&SESSIONS_OF)?;
        statement.query_map([intent], session)?.collect()
    }

    fn put_session(&mut self, row: &SessionRow, known: bool) -> rusqlite::Result<()> {
        let entry = &row.entry;
        let (currency, status, settled) =
            (entry.currency.code(), row.status.name(), entry.status.name());
        let values = params![
            entry.session_id,
            entry.amount,
            currency,
            status,
            settled,
            row.refunded,
            entry.created.0,
            entry.updated.0,
            entry.payment_intent,
            entry.event_id,
        ];
        let add = "INSERT INTO ledger (session_id, amount, currency, status, settled, refunded, created, \
                   updated, payment_intent, event_id) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let sql = if known { CHANGE_SESSION.as_str() } else { add };
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn refunds_of(&mut self, intent: &str) -> rusqlite::Result<RefundFacts> {
        let sql = "SELECT source, state, amount FROM refunds WHERE payment_intent = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([intent])?;
        let mut facts = RefundFacts::default();
        while let Some(row) = rows.next()? {
            let source: String = row.get(0)?;
            facts.apply_fact(&source, refund_state(row, 1)?, row.get(2)?);
        }
        Ok(facts)
    }

    fn put_refund(&mut self, refunded: &Refunded) -> rusqlite::Result<()> {
        let sql = "INSERT INTO refunds (payment_intent, source, state, amount, updated, event_id) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (payment_intent, source) DO UPDATE SET \
                   state = excluded.state, amount = excluded.amount, updated = excluded.updated, \
                   event_id = excluded.event_id";
        self.connection.prepare_cached(sql)?.execute(params![
            refunded.payment_intent,
            refunded.source,
            refunded.state.name(),
            refunded.amount,
            refunded.updated.0,
            refunded.event_id,
        ])?;
        Ok(())
    }
}

const SESSION: &str = "SELECT session_id, amount, currency, settled, created, updated, payment_intent, \
                       event_id, status, refunded FROM ledger";

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let (entry, status) = (schema::entry(row)?, schema::status(row, 8)?);
    Ok(SessionRow { entry, status, refunded: row.get(9)? })
}

/// A row of `subject, object, kind, what, amount, currency, detail, at`.
fn fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    Ok(Fact {
        subject: row.get(0)?,
        key: Key {
            object: row.get(1)?,
            kind: word(row, 2, Kind::read)?,
            what: word(row, 3, What::read)?,
        },
        claim: Claim {
            amount: row.get(4)?,
            currency: schema::currency(row, 5)?,
            detail: row.get(6)?,
        },
        at: Timestamp(row.get(7)?),
    })
}

/// The columns that [`line()`] reads.
pub(super) const LINE: &str =
    "id, type, object, created, livemode, received, via, signed, secret, apart, body, seq, pack";

/// A row of [`LINE`], what it means worked out again.
pub(super) fn line(row: &Row<'_>, bodies: &mut Bodies<'_>) -> rusqlite::Result<Line> {
    let via: String = row.get(6)?;
    let source = match (via.as_str(), row.get(7)?, row.get(8)?) {
        ("webhook", Some(signed), Some(secret)) => {
            Source::Webhook { signed: Timestamp(signed), secret }
        }
        ("poll", None, None) => Source::Poll,
        ("seen", None, None) => Source::Seen,
        ("carried", None, None) => Source::Carried,
        _ => return Err(schema::unknown(6, &via)),
    };
    let apart: Option<String> = row.get(9)?;
    let kind: String = row.get(1)?;
    let body = bodies.of(row.get(11)?, row.get(10)?, row.get(12)?)?;
    Ok(Line {
        id: row.get(0)?,
        meaning: Meaning::again(&kind, apart.is_some(), &body),
        kind,
        object: row.get(2)?,
        created: Timestamp(row.get(3)?),
        livemode: row.get(4)?,
        received: Timestamp(row.get(5)?),
        source,
        apart: apart.map(|_| Apart::OtherMode),
        body,
    })
}

/// The postings of the entry `number`.
pub(super) fn postings(
    connection: &Connection,
    number: i64,
) -> rusqlite::Result<Vec<(Account, Currency, i64)>> {
    let sql = "SELECT account, currency, amount FROM postings WHERE entry = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let one =
        |row: &Row<'_>| Ok((word(row, 0, Account::read)?, schema::currency(row, 1)?, row.get(2)?));
    statement.query_map([number], one)?.collect()
}

/// The entry of these columns; it is checked again that it sums to zero.
pub(super) fn entry(
    object: &str,
    reason: Reason,
    postings: Vec<(Account, Currency, i64)>,
) -> rusqlite::Result<Entry> {
    Entry::new(object, reason, postings).map_err(|fault| {
        rusqlite::Error::FromSqlConversionFailure(2, Type::Integer, Box::new(fault))
    })
}

pub(super) fn reason(row: &Row<'_>, at: usize) -> rusqlite::Result<Reason> {
    word(row, at, Reason::read)
}

pub(super) fn account(row: &Row<'_>, at: usize) -> rusqlite::Result<Account> {
    word(row, at, Account::read)
}

pub(super) fn trouble(row: &Row<'_>, at: usize) -> rusqlite::Result<ConflictKind> {
    word(row, at, ConflictKind::read)
}

pub(super) fn refund_state(row: &Row<'_>, at: usize) -> rusqlite::Result<RefundState> {
    word(row, at, RefundState::read)
}

fn word<T>(row: &Row<'_>, at: usize, read: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    read(&text).ok_or_else(|| schema::unknown(at, &text))
}
