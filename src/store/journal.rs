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
use std::collections::BTreeSet;

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
    /// Writes the row of a session.
    fn put_session(&mut self, row: &SessionRow) -> Result<(), Self::Failure>;
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
    let mut touched = BTreeSet::new();
    for fact in &meaning.facts {
        if store.learn(line, fact)? {
            touched.insert(fact.subject.as_str());
        }
    }
    for subject in touched {
        for conflict in book(store, line, subject)? {
            if conflict.trouble != ConflictKind::Category && accepted.problem.is_none() {
                accepted.problem = Some(format!("{}: {}", conflict.trouble.name(), conflict.said));
            }
        }
    }
    Ok(accepted)
}

/// Brings the entries of a subject to what its facts come to: what no longer holds is taken back by an entry of its own.
fn book<S: JournalStore>(
    store: &mut S,
    line: i64,
    subject: &str,
) -> Result<Vec<Conflict>, S::Failure> {
    let derived = entries(subject, &store.facts(subject)?);
    let standing = store.standing(subject)?;
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
    let after = put(store, merged, refunded)?;
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
        let after = put(store, CheckoutRecord { updated, event_id, ..row.entry }, total)?;
        changes.push(Change { session_id, before: Some(row.status), after });
    }
    Ok(changes)
}

fn put<S: JournalStore>(
    store: &mut S,
    entry: CheckoutRecord,
    refunded: i64,
) -> Result<EntryStatus, S::Failure> {
    let status = with_refunds(entry.status, entry.amount, refunded);
    store.put_session(&SessionRow { entry, status, refunded })?;
    Ok(status)
}
