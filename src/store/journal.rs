//! What a line of the journal does to everything that follows from it. The rules are here and in `domain`; an engine
//! keeps rows and knows none of them.

use crate::domain::book::Entry;
use crate::domain::book::derive::{Conflict, ConflictKind, entries};
use crate::domain::book::fact::Fact;
use crate::domain::book::line::{Line, Meaning};
use crate::domain::entry::{
    CheckoutRecord, EntryStatus, Fact as Seen, RefundFacts, RefundState, Refunded, with_refunds,
};
use crate::store::writer::{Accepted, Change};
use std::collections::{BTreeMap, BTreeSet};

/// A row of the ledger: what sessions say of it, and what refunds make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// What sessions say.
    pub entry: CheckoutRecord,
    /// With refunds.
    pub status: EntryStatus,
    /// What went back.
    pub refunded: i64,
}

/// What an engine does within one transaction. Every call's effect is seen by the next one.
pub trait JournalStore {
    /// How it fails.
    type Failure;

    /// Adds a line and chains it to its writer's lines; its place in the file, or `None` where the line is known.
    fn append(&mut self, line: &Line) -> Result<Option<i64>, Self::Failure>;
    /// Adds a fact that a line taught; whether it was new.
    fn learn(&mut self, line: i64, fact: &Fact) -> Result<bool, Self::Failure>;
    /// Every fact about a subject.
    fn facts(&mut self, subject: &str) -> Result<Vec<Fact>, Self::Failure>;
    /// The entries of a subject that were not taken back, each with its number.
    fn standing(&mut self, subject: &str) -> Result<Vec<(i64, Entry)>, Self::Failure>;
    /// Adds an entry; one that takes back another names it.
    fn post(
        &mut self,
        line: i64,
        subject: &str,
        entry: &Entry,
        takes_back: Option<i64>,
    ) -> Result<(), Self::Failure>;
    /// Sets what is the matter with a subject; what of it is new.
    fn set_conflicts(
        &mut self,
        subject: &str,
        conflicts: &BTreeSet<Conflict>,
    ) -> Result<Vec<Conflict>, Self::Failure>;
    /// The row of a session.
    fn session(&mut self, id: &str) -> Result<Option<SessionRow>, Self::Failure>;
    /// The rows of the sessions of a PaymentIntent.
    fn sessions_of(&mut self, intent: &str) -> Result<Vec<SessionRow>, Self::Failure>;
    /// Writes the row of a session, which stands there already where it is `known`.
    fn put_session(&mut self, row: &SessionRow, known: bool) -> Result<(), Self::Failure>;
    /// What is known of the refunds of a PaymentIntent.
    fn refunds_of(&mut self, intent: &str) -> Result<RefundFacts, Self::Failure>;
    /// Writes what one source says of a refund.
    fn put_refund(&mut self, refunded: &Refunded) -> Result<(), Self::Failure>;
}

/// Takes a line into the journal, and what follows from it into the rest.
pub fn take<S: JournalStore>(store: &mut S, line: &Line) -> Result<Accepted, S::Failure> {
    let problem = line.meaning.problem.clone();
    let Some(number) = store.append(line)? else {
        return Ok(Accepted { problem, ..Accepted::default() });
    };
    apply(store, number, &line.meaning)
}

/// What a line of the journal does to everything but the journal.
pub fn apply<S: JournalStore>(
    store: &mut S,
    line: i64,
    meaning: &Meaning,
) -> Result<Accepted, S::Failure> {
    let mut accepted =
        Accepted { fresh: true, problem: meaning.problem.clone(), ..Accepted::default() };
    for seen in &meaning.rows {
        match seen {
            Seen::Session(entry) => accepted.changes.extend(apply_session(store, entry)?),
            Seen::Refund(refunded) => accepted.changes.extend(apply_refund(store, refunded)?),
        }
    }
    let mut touched: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in &meaning.facts {
        if store.learn(line, fact)? {
            *touched.entry(fact.subject.as_str()).or_default() += 1;
        }
    }
    for (subject, learned) in touched {
        for conflict in book(store, line, subject, learned)? {
            if conflict.trouble != ConflictKind::Category && accepted.problem.is_none() {
                accepted.problem = Some(format!("{}: {}", conflict.trouble.name(), conflict.said));
            }
        }
    }
    Ok(accepted)
}

/// Brings the entries of a subject to what its facts come to: what no longer holds is taken back by an entry of its own.
/// Where all its facts are among those `learned` just now, nothing stood there before, and nothing is looked for.
fn book<S: JournalStore>(
    store: &mut S,
    line: i64,
    subject: &str,
    learned: usize,
) -> Result<Vec<Conflict>, S::Failure> {
    let facts = store.facts(subject)?;
    let derived = entries(subject, &facts);
    let begins = facts.len() == learned;
    let standing = if begins { Vec::new() } else { store.standing(subject)? };
    for (number, entry) in &standing {
        if !derived.entries.contains(entry) {
            store.post(line, subject, &entry.reversed(), Some(*number))?;
        }
    }
    for entry in &derived.entries {
        if !standing.iter().any(|(_, known)| known == entry) {
            store.post(line, subject, entry, None)?;
        }
    }
    if begins && derived.conflicts.is_empty() {
        return Ok(Vec::new());
    }
    store.set_conflicts(subject, &derived.conflicts)
}

fn apply_session<S: JournalStore>(
    store: &mut S,
    entry: &CheckoutRecord,
) -> Result<Option<Change>, S::Failure> {
    let known = store.session(&entry.session_id)?;
    let merged = match &known {
        None => entry.clone(),
        Some(known) => match known.entry.merge(entry) {
            None => return Ok(None),
            Some(merged) => {
                CheckoutRecord { updated: merged.updated.max(known.entry.updated), ..merged }
            }
        },
    };
    let refunded = match &merged.payment_intent {
        Some(intent) => store.refunds_of(intent)?.total(),
        None => 0,
    };
    let session_id = merged.session_id.clone();
    let after = put(store, merged, refunded, known.is_some())?;
    Ok(Some(Change { session_id, before: known.map(|known| known.status), after }))
}

/// The refund is kept by its PaymentIntent, so that it counts also where its session is told of later.
fn apply_refund<S: JournalStore>(
    store: &mut S,
    refunded: &Refunded,
) -> Result<Vec<Change>, S::Failure> {
    let intent = &refunded.payment_intent;
    let mut facts = store.refunds_of(intent)?;
    let before = facts.clone();
    facts.apply_fact(&refunded.source, refunded.state, refunded.amount);
    if facts == before {
        return Ok(Vec::new());
    }
    let (state, amount): (RefundState, i64) =
        facts.of(&refunded.source).unwrap_or((refunded.state, refunded.amount));
    store.put_refund(&Refunded { amount, state, ..refunded.clone() })?;
    let mut changes = Vec::new();
    for row in store.sessions_of(intent)? {
        let total = facts.total();
        if total == row.refunded {
            continue;
        }
        let updated = row.entry.updated.max(refunded.updated);
        let event_id = refunded.event_id.clone();
        let session_id = row.entry.session_id.clone();
        let entry = CheckoutRecord { updated, event_id, ..row.entry };
        let after = put(store, entry, total, true)?;
        changes.push(Change { session_id, before: Some(row.status), after });
    }
    Ok(changes)
}

fn put<S: JournalStore>(
    store: &mut S,
    entry: CheckoutRecord,
    refunded: i64,
    known: bool,
) -> Result<EntryStatus, S::Failure> {
    let status = with_refunds(entry.status, entry.amount, refunded);
    store.put_session(&SessionRow { entry, status, refunded }, known)?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::Source;
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::chain::Chain;
    use crate::store::schema;
    use crate::store::sqlite::Sqlite;
    use rusqlite::Connection;
    use serde_json::{Value, json};

    /// Notes what is asked of an engine.
    struct Counted<S> {
        store: S,
        asked: Vec<&'static str>,
    }

    macro_rules! counted {
        ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
            impl<S: JournalStore> JournalStore for Counted<S> {
                type Failure = S::Failure;
                $(fn $name(&mut self, $($arg: $type),*) -> Result<$out, S::Failure> {
                    self.asked.push(stringify!($name));
                    self.store.$name($($arg),*)
                })*
            }
        };
    }

    counted! {
        append(line: &Line) -> Option<i64>;
        learn(line: i64, fact: &Fact) -> bool;
        facts(subject: &str) -> Vec<Fact>;
        standing(subject: &str) -> Vec<(i64, Entry)>;
        post(line: i64, subject: &str, entry: &Entry, takes_back: Option<i64>) -> ();
        set_conflicts(subject: &str, conflicts: &BTreeSet<Conflict>) -> Vec<Conflict>;
        session(id: &str) -> Option<SessionRow>;
        sessions_of(intent: &str) -> Vec<SessionRow>;
        put_session(row: &SessionRow, known: bool) -> ();
        refunds_of(intent: &str) -> RefundFacts;
        put_refund(refunded: &Refunded) -> ();
    }

    fn line(id: &str, kind: &str, object: &Value) -> Line {
        let event = json!({"id": id, "object": "event", "type": kind, "created": 5, "livemode": false,
            "data": {"object": object}});
        Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll)
    }

    #[test]
    fn of_an_engine_is_asked_only_what_it_may_know() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::lay_out(&mut connection).unwrap();
        let mut chain = Chain::new(1);
        let mut asked = |line: &Line| {
            let mut store =
                Counted { store: Sqlite::new(&connection, &mut chain), asked: Vec::new() };
            take(&mut store, line).unwrap();
            store.asked
        };
        let session = json!({"id": "cs_1", "object": "checkout.session", "amount_total": 500,
            "currency": "jpy", "created": 4, "status": "complete", "payment_status": "paid",
            "payment_intent": "pi_1"});
        let completed = line("evt_1", "checkout.session.completed", &session);
        // What is new stood nowhere before: what follows of it is written, and hardly anything read.
        let new = ["append", "session", "refunds_of", "put_session", "learn", "facts", "post"];
        assert_eq!(asked(&completed), new);
        assert_eq!(asked(&completed), ["append"]);
        // The same fact of another event changes nothing, and no entry is looked for.
        let again = line("evt_2", "checkout.session.completed", &session);
        assert_eq!(asked(&again)[..1], ["append"]);
        assert!(!asked(&again).contains(&"post"));
        let paid = json!({"id": "pi_1", "object": "payment_intent", "amount": 500, "currency": "jpy",
            "amount_received": 500, "status": "succeeded", "created": 4});
        let more = asked(&line("evt_3", "payment_intent.succeeded", &paid));
        assert_eq!(more, ["append", "learn", "learn", "facts", "standing", "set_conflicts"]);
    }

    #[test]
    fn what_is_contradicted_later_is_taken_back() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::lay_out(&mut connection).unwrap();
        let mut chain = Chain::new(1);
        let mut store = Sqlite::new(&connection, &mut chain);
        let charge = json!({"id": "ch_1", "object": "charge", "amount": 500, "currency": "jpy",
            "captured": true, "status": "succeeded", "created": 4, "payment_intent": "pi_1"});
        take(&mut store, &line("evt_1", "charge.succeeded", &charge)).unwrap();
        let more = json!({"id": "ch_1", "object": "charge", "amount": 700, "currency": "usd",
            "captured": true, "status": "succeeded", "created": 4, "payment_intent": "pi_1"});
        // A contradiction takes back what stood, and is told.
        let told = take(&mut store, &line("evt_2", "charge.updated", &more)).unwrap();
        assert!(told.problem.unwrap().starts_with("contradiction"));
        assert_eq!(store.standing("pi_1").unwrap(), []);
    }
}
