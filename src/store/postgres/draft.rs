//! What a batch's lines do, worked out in memory: what they touch was read before, what came of it is written after.

use crate::domain::book::Entry;
use crate::domain::book::derive::Conflict;
use crate::domain::book::fact::Fact;
use crate::domain::book::line::Line;
use crate::domain::entry::{Fact as Seen, RefundFacts, Refunded};
use crate::store::chain::Chain;
use crate::store::journal::{JournalStore, SessionRow};
use std::collections::{BTreeMap, BTreeSet};

/// What lines touch, by what is read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Lines.
    pub(super) lines: BTreeSet<String>,
    /// Sessions.
    pub(super) sessions: BTreeSet<String>,
    /// PaymentIntents.
    pub(super) intents: BTreeSet<String>,
    /// Subjects of the book.
    pub(super) subjects: BTreeSet<String>,
}

impl Touched {
    /// With what a line touches.
    pub(super) fn add(&mut self, line: &Line) {
        self.lines.insert(line.id.clone());
        for seen in &line.meaning.rows {
            match seen {
                Seen::Session(it) => {
                    self.sessions.insert(it.session_id.clone());
                    self.intents.extend(it.payment_intent.clone());
                }
                Seen::Refund(it) => {
                    self.intents.insert(it.payment_intent.clone());
                }
            }
        }
        self.subjects.extend(line.meaning.facts.iter().map(|fact| fact.subject.clone()));
    }
}

/// Something was asked for that was not read: a rule of the journal touches more than [`Touched`] knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{name}` was not read before it was needed")]
pub(super) struct NotRead {
    what: &'static str,
    name: String,
}

/// A line that is new: which of the batch, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct NewLine {
    pub(super) item: usize,
    pub(super) seq: i64,
    pub(super) place: i64,
    pub(super) hash: Vec<u8>,
}

/// An entry that is new.
#[derive(Clone, Debug)]
pub(super) struct NewEntry {
    pub(super) number: i64,
    pub(super) line: i64,
    pub(super) subject: String,
    pub(super) entry: Entry,
    pub(super) takes_back: Option<i64>,
}

/// A key of the facts, by which no fact is learned twice and by which they are sorted in every engine.
type FactKey = (String, &'static str, &'static str, i64, String, String);

fn key(fact: &Fact) -> FactKey {
    (
        fact.key.object.clone(),
        fact.key.kind.name(),
        fact.key.what.name(),
        fact.claim.amount,
        fact.claim.currency.code().to_owned(),
        fact.claim.detail.clone(),
    )
}

/// The state that a batch works on.
#[derive(Debug)]
pub(super) struct Draft {
    /// What was read.
    pub(super) read: Touched,
    /// Lines that stand there already.
    pub(super) known: BTreeSet<String>,
    /// Which of a ledger's servers this is, where there are several.
    pub(super) place: Option<i64>,
    /// The number of the last line.
    pub(super) last_line: i64,
    /// The number of the last entry.
    pub(super) last_entry: i64,
    /// Where the writer's lines end.
    pub(super) chain: Chain,
    /// Which item of the batch is under way.
    pub(super) item: usize,
    sessions: BTreeMap<String, SessionRow>,
    by_intent: BTreeMap<String, BTreeSet<String>>,
    refunds: BTreeMap<String, RefundFacts>,
    facts: BTreeMap<String, BTreeMap<FactKey, Fact>>,
    standing: BTreeMap<String, BTreeMap<i64, Entry>>,
    conflicts: BTreeMap<String, BTreeSet<Conflict>>,
    /// What is to be written.
    pub(super) new: New,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct New {
    pub(super) lines: Vec<NewLine>,
    pub(super) sessions: BTreeSet<String>,
    pub(super) refunds: BTreeMap<(String, String), Refunded>,
    pub(super) facts: Vec<(i64, Fact)>,
    pub(super) entries: Vec<NewEntry>,
    pub(super) conflicts: BTreeSet<String>,
}

impl Draft {
    pub(super) fn new(read: Touched, chain: Chain) -> Self {
        Self {
            read,
            chain,
            known: BTreeSet::new(),
            place: None,
            last_line: 0,
            last_entry: 0,
            item: 0,
            sessions: BTreeMap::new(),
            by_intent: BTreeMap::new(),
            refunds: BTreeMap::new(),
            facts: BTreeMap::new(),
            standing: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            new: New::default(),
        }
    }

    /// Takes in a row as it stands there; so too below.
    pub(super) fn has_session(&mut self, row: SessionRow) {
        if let Some(intent) = &row.entry.payment_intent {
            self.read.intents.insert(intent.clone());
            let sessions = self.by_intent.entry(intent.clone()).or_default();
            sessions.insert(row.entry.session_id.clone());
        }
        self.read.sessions.insert(row.entry.session_id.clone());
        self.sessions.insert(row.entry.session_id.clone(), row);
    }

    pub(super) fn refunds_mut(&mut self, intent: String) -> &mut RefundFacts {
        self.refunds.entry(intent).or_default()
    }

    pub(super) fn has_fact(&mut self, fact: Fact) {
        let facts = self.facts.entry(fact.subject.clone()).or_default();
        facts.insert(key(&fact), fact);
    }

    pub(super) fn has_entry(&mut self, subject: String, number: i64, entry: Entry) {
        self.standing.entry(subject).or_default().insert(number, entry);
    }

    pub(super) fn has_conflict(&mut self, subject: String, conflict: Conflict) {
        self.conflicts.entry(subject).or_default().insert(conflict);
    }

    /// The rows of sessions that are new or changed.
    pub(super) fn changed_sessions(&self) -> impl Iterator<Item = &SessionRow> {
        self.new.sessions.iter().filter_map(|id| self.sessions.get(id))
    }

    /// What is the matter with the subjects of which that changed.
    pub(super) fn changed_conflicts(&self) -> impl Iterator<Item = (&str, &Conflict)> {
        let of = |subject: &String| self.conflicts.get(subject).into_iter().flatten();
        self.new
            .conflicts
            .iter()
            .flat_map(move |subject| of(subject).map(|it| (subject.as_str(), it)))
    }

    fn was_read(among: &BTreeSet<String>, what: &'static str, name: &str) -> Result<(), NotRead> {
        if among.contains(name) { Ok(()) } else { Err(NotRead { what, name: name.to_owned() }) }
    }

    fn is_subject(&self, subject: &str) -> Result<(), NotRead> {
        Self::was_read(&self.read.subjects, "the subject", subject)
    }

    fn is_intent(&self, intent: &str) -> Result<(), NotRead> {
        Self::was_read(&self.read.intents, "the payment", intent)
    }
}

impl JournalStore for Draft {
    type Failure = NotRead;

    fn append(&mut self, line: &Line) -> Result<Option<i64>, NotRead> {
        Self::was_read(&self.read.lines, "the line", &line.id)?;
        if !self.known.insert(line.id.clone()) {
            return Ok(None);
        }
        self.chain.add(line);
        self.last_line += 1;
        let (place, hash) = (self.chain.place, self.chain.hash.clone());
        self.new.lines.push(NewLine { item: self.item, seq: self.last_line, place, hash });
        Ok(Some(self.last_line))
    }

    fn learn(&mut self, line: i64, fact: &Fact) -> Result<bool, NotRead> {
        self.is_subject(&fact.subject)?;
        let facts = self.facts.entry(fact.subject.clone()).or_default();
        let key = key(fact);
        if facts.contains_key(&key) {
            return Ok(false);
        }
        facts.insert(key, fact.clone());
        self.new.facts.push((line, fact.clone()));
        Ok(true)
    }

    fn facts(&mut self, subject: &str) -> Result<Vec<Fact>, NotRead> {
        self.is_subject(subject)?;
        Ok(self.facts.get(subject).into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    fn standing(&mut self, subject: &str) -> Result<Vec<(i64, Entry)>, NotRead> {
        self.is_subject(subject)?;
        let standing = self.standing.get(subject).into_iter().flatten();
        Ok(standing.map(|(number, entry)| (*number, entry.clone())).collect())
    }

    fn post(
        &mut self,
        line: i64,
        subject: &str,
        entry: &Entry,
        takes_back: Option<i64>,
    ) -> Result<(), NotRead> {
        self.is_subject(subject)?;
        self.last_entry += 1;
        let number = self.last_entry;
        let standing = self.standing.entry(subject.to_owned()).or_default();
        match takes_back {
            Some(taken) => standing.remove(&taken),
            None => standing.insert(number, entry.clone()),
        };
        let (subject, entry) = (subject.to_owned(), entry.clone());
        self.new.entries.push(NewEntry { number, line, subject, entry, takes_back });
        Ok(())
    }

    fn set_conflicts(
        &mut self,
        subject: &str,
        conflicts: &BTreeSet<Conflict>,
    ) -> Result<Vec<Conflict>, NotRead> {
        self.is_subject(subject)?;
        let known = self.conflicts.entry(subject.to_owned()).or_default();
        if known == conflicts {
            return Ok(Vec::new());
        }
        let fresh = conflicts.difference(known).cloned().collect();
        known.clone_from(conflicts);
        self.new.conflicts.insert(subject.to_owned());
        Ok(fresh)
    }

    fn session(&mut self, id: &str) -> Result<Option<SessionRow>, NotRead> {
        Self::was_read(&self.read.sessions, "the session", id)?;
        Ok(self.sessions.get(id).cloned())
    }

    fn sessions_of(&mut self, intent: &str) -> Result<Vec<SessionRow>, NotRead> {
        self.is_intent(intent)?;
        let ids = self.by_intent.get(intent).into_iter().flatten();
        let rows = ids.filter_map(|id| self.sessions.get(id));
        // A session that has another payment by now is no longer found by the one before.
        let own = |row: &&SessionRow| row.entry.payment_intent.as_deref() == Some(intent);
        Ok(rows.filter(own).cloned().collect())
    }

    fn put_session(&mut self, row: &SessionRow, _known: bool) -> Result<(), NotRead> {
        let id = &row.entry.session_id;
        if let Some(intent) = &row.entry.payment_intent {
            self.by_intent.entry(intent.clone()).or_default().insert(id.clone());
        }
        self.new.sessions.insert(id.clone());
        self.sessions.insert(id.clone(), row.clone());
        Ok(())
    }

    fn refunds_of(&mut self, intent: &str) -> Result<RefundFacts, NotRead> {
        self.is_intent(intent)?;
        Ok(self.refunds.get(intent).cloned().unwrap_or_default())
    }

    fn put_refund(&mut self, refunded: &Refunded) -> Result<(), NotRead> {
        let intent = &refunded.payment_intent;
        self.is_intent(intent)?;
        let facts = self.refunds.entry(intent.clone()).or_default();
        facts.apply_fact(&refunded.source, refunded.state, refunded.amount);
        let key = (intent.clone(), refunded.source.clone());
        self.new.refunds.insert(key, refunded.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::Source;
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::journal::take;
    use crate::store::schema;
    use crate::store::sqlite::Sqlite;
    use proptest::prelude::*;
    use rusqlite::Connection;
    use serde_json::{Value, json};

    fn line(n: usize, kind: &str, object: &Value) -> Line {
        let event = json!({"id": format!("evt_{n}"), "object": "event", "type": kind, "created": 5,
            "livemode": false, "data": {"object": object}});
        Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll)
    }

    /// A line about one of a few payments, so that lines meet.
    fn any_line() -> impl Strategy<Value = (usize, Line)> {
        (0..40_usize, 0..3_usize, 0..6_usize, 1..4_i64).prop_map(|(n, about, what, part)| {
            let (intent, charge) = (format!("pi_{about}"), format!("ch_{about}"));
            let amount = 100 * part;
            let session = |paid: &str| {
                json!({"id": format!("cs_{about}"), "amount_total": 500, "currency": "jpy", "created": 4,
                    "mode": "payment", "payment_intent": intent, "payment_status": paid})
            };
            let line = match what {
                0 => line(n, "checkout.session.completed", &session("unpaid")),
                1 => line(n, "checkout.session.async_payment_succeeded", &session("paid")),
                2 => line(
                    n,
                    "charge.refunded",
                    &json!({"id": charge, "object": "charge", "amount": 500, "currency": "jpy", "captured": true,
                        "created": 4, "payment_intent": intent, "amount_refunded": amount}),
                ),
                3 => line(
                    n,
                    "refund.created",
                    &json!({"id": format!("re_{about}_{part}"), "object": "refund", "payment_intent": intent,
                        "amount": amount, "currency": "jpy", "status": "succeeded", "charge": charge}),
                ),
                4 => line(
                    n,
                    "payment_intent.succeeded",
                    &json!({"id": intent, "object": "payment_intent", "amount": 500, "currency": "jpy",
                        "amount_received": 500, "status": "succeeded", "created": 4}),
                ),
                // Amounts that contradict each other take back what stood.
                _ => line(
                    n,
                    "charge.succeeded",
                    &json!({"id": charge, "object": "charge", "amount": amount, "currency": "jpy", "captured": true,
                        "status": "succeeded", "created": 4, "payment_intent": intent}),
                ),
            };
            (n, line)
        })
    }

    /// An entry as both engines have it.
    type Stands = (i64, i64, String, String, Option<i64>);

    fn of_sqlite(connection: &Connection) -> Vec<Stands> {
        let sql = "SELECT number, line, subject, reason, takes_back FROM entries ORDER BY number";
        let mut statement = connection.prepare(sql).unwrap();
        let one = |row: &rusqlite::Row<'_>| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        };
        statement.query_map([], one).unwrap().map(Result::unwrap).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn lines_come_to_the_same_in_memory_as_in_a_file(story in prop::collection::vec(any_line(), 1..30)) {
            let mut connection = Connection::open_in_memory().unwrap();
            schema::lay_out(&mut connection).unwrap();
            let mut chain = Chain::new(7);
            let mut touched = Touched::default();
            for (_, line) in &story {
                touched.add(line);
            }
            let mut draft = Draft::new(touched, Chain::new(7));
            for (_, line) in &story {
                let of_file = take(&mut Sqlite::new(&connection, &mut chain), line).unwrap();
                prop_assert_eq!(take(&mut draft, line).unwrap(), of_file);
            }
            let entries: Vec<Stands> = draft
                .new
                .entries
                .iter()
                .map(|it| {
                    let reason = it.entry.reason().name().to_owned();
                    (it.number, it.line, it.subject.clone(), reason, it.takes_back)
                })
                .collect();
            prop_assert_eq!(entries, of_sqlite(&connection));
            prop_assert_eq!(&draft.chain, &chain);
            let stands: Vec<SessionRow> = draft.changed_sessions().cloned().collect();
            for row in stands {
                let mut file = Sqlite::new(&connection, &mut chain);
                prop_assert_eq!(file.session(&row.entry.session_id).unwrap(), Some(row));
            }
        }
    }

    #[test]
    fn what_was_not_read_is_never_taken_for_nothing() {
        let session = json!({"id": "cs_1", "amount_total": 500, "currency": "jpy", "created": 4, "mode": "payment",
            "payment_intent": "pi_1", "payment_status": "paid"});
        let line = line(1, "checkout.session.completed", &session);
        let mut draft = Draft::new(Touched::default(), Chain::new(7));
        assert!(take(&mut draft, &line).is_err());
        let mut touched = Touched::default();
        touched.add(&line);
        touched.intents.clear();
        assert!(take(&mut Draft::new(touched, Chain::new(7)), &line).is_err());
    }
}
