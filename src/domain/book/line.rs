//! A line of the journal: what came as it came, and what it means, which is worked out before it waits for the writer.

use crate::domain::book::fact::Fact;
use crate::domain::book::{creem, read};
use crate::domain::canonical::hash;
use crate::domain::currency::Currency;
use crate::domain::entry::{
    CheckoutRecord, EntryError, EntryStatus, Fact as Seen, RefundState, Refunded,
};
use crate::domain::event::Event;
use crate::domain::member;
use crate::domain::time::Timestamp;
use serde_json::{Value, json};

/// How a line came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// As a signed webhook: when it was signed, and a fingerprint of the secret that fitted.
    Webhook {
        /// When the sender signed it.
        signed: Timestamp,
        /// A fingerprint of the secret.
        secret: String,
    },
    /// As an entry of the provider's list of events; its bytes are the entry's, and the order of its members ours.
    Poll,
    /// It was seen at the provider while both sides were compared; its bytes are ours.
    Seen,
    /// It stood in a file of an older version without a line of its own, or came before sources were noted.
    Carried,
}

impl Source {
    /// The word that the journal uses.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Poll => "poll",
            Self::Seen => "seen",
            Self::Carried => "carried",
        }
    }
}

/// Why a line stands apart: it is kept and nothing follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// It is about real money and the ledger is not, or the other way round.
    OtherMode,
}

impl Apart {
    /// The word that the journal uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherMode => "other_mode",
        }
    }
}

/// The type of lines that are no events.
pub const SEEN: &str = "stripegym.seen";

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// `evt_…`, or for what was seen `seen_…`; a line comes once.
    pub id: String,
    /// The event's type.
    pub kind: String,
    /// The id of its object.
    pub object: Option<String>,
    /// When the provider made it.
    pub created: Timestamp,
    /// Whether it is about real money.
    pub livemode: bool,
    /// When it came here.
    pub received: Timestamp,
    /// How it came.
    pub source: Source,
    /// Why nothing follows from it, where that is so.
    pub apart: Option<Apart>,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// What follows from it.
    pub meaning: Meaning,
}

/// What follows from a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meaning {
    /// For the rows of sessions.
    pub rows: Vec<Seen>,
    /// For the book.
    pub facts: Vec<Fact>,
    /// Why nothing follows, where something should.
    pub problem: Option<String>,
}

impl Line {
    /// The line of an event whose sender is proven.
    pub fn event(event: Event, received: Timestamp, source: Source) -> Self {
        Self {
            meaning: Meaning::of_event(&event),
            object: event.object.get("id").and_then(Value::as_str).map(str::to_owned),
            id: event.id,
            kind: event.kind,
            created: event.created,
            livemode: event.livemode,
            received,
            source,
            apart: None,
            body: event.body,
        }
    }

    /// The line of what was seen at the provider without an event.
    pub fn seen(facts: Vec<Seen>, received: Timestamp, source: Source) -> Self {
        let written = Value::from(facts.iter().map(seen_written).collect::<Vec<_>>());
        let facts_of_the_book = facts.iter().flat_map(read::of_seen).collect();
        Self {
            id: format!("seen_{}", hash(&written)),
            kind: SEEN.to_owned(),
            object: None,
            created: received,
            livemode: false,
            received,
            source,
            apart: None,
            body: written.to_string().into_bytes(),
            meaning: Meaning { rows: facts, facts: facts_of_the_book, problem: None },
        }
    }

    /// The line of an object as it stood at `at`: what it says by its state counts as any event about it does. Its id
    /// follows from what it says, so that the same said again is known.
    pub fn fetched(object: &Value, at: Timestamp, received: Timestamp, source: Source) -> Self {
        let created = object.get("created").and_then(Value::as_i64).map_or(at, Timestamp);
        let livemode = object.get("livemode").and_then(Value::as_bool).unwrap_or(false);
        let written = json!([{"fetched": object, "at": at.0}]);
        Self::about(object, &written, (created, livemode), (received, source))
    }

    /// The same of a transaction of Creem's, which says what was paid, and what went back so far.
    pub fn fetched_of_creem(transaction: &Value, received: Timestamp, source: Source) -> Self {
        let created = creem::made(transaction).unwrap_or(received);
        let livemode = member::text(transaction, "mode") == Some("prod");
        let written = json!([{"creem": transaction, "at": created.0}]);
        Self::about(transaction, &written, (created, livemode), (received, source))
    }

    fn about(
        object: &Value,
        written: &Value,
        (created, livemode): (Timestamp, bool),
        (received, source): (Timestamp, Source),
    ) -> Self {
        let body = written.to_string().into_bytes();
        Self {
            id: format!("seen_{}", hash(written)),
            kind: SEEN.to_owned(),
            object: object.get("id").and_then(Value::as_str).map(str::to_owned),
            created,
            livemode,
            received,
            source,
            apart: None,
            meaning: Meaning::again(SEEN, false, &body),
            body,
        }
    }

    /// The same line, kept apart.
    #[must_use]
    pub fn apart(self, why: Apart) -> Self {
        Self { apart: Some(why), meaning: Meaning::default(), ..self }
    }
}

impl Meaning {
    fn of_event(event: &Event) -> Self {
        let (rows, facts) = if event.is_creem() {
            (creem::row_of(event), creem::of_event(event))
        } else {
            (Seen::of(event), read::of_event(event))
        };
        let problem = rows.as_ref().err().or_else(|| facts.as_ref().err()).map(ToString::to_string);
        Self {
            rows: rows.ok().flatten().into_iter().collect(),
            facts: facts.unwrap_or_default(),
            problem,
        }
    }

    /// What the bytes of a line mean, worked out again.
    pub fn again(kind: &str, apart: bool, body: &[u8]) -> Self {
        if apart {
            return Self::default();
        }
        let unreadable = |problem: String| Self { problem: Some(problem), ..Self::default() };
        if kind != SEEN {
            return match Event::outlined(body) {
                Ok(event) => Self::of_event(&event),
                Err(error) => unreadable(error.to_string()),
            };
        }
        let written: Value = match serde_json::from_slice(body) {
            Ok(written) => written,
            Err(error) => return unreadable(error.to_string()),
        };
        let all = || written.as_array().into_iter().flatten();
        let rows: Vec<Seen> = all().filter_map(seen_read).collect();
        let mut meaning =
            Self { facts: rows.iter().flat_map(read::of_seen).collect(), rows, problem: None };
        for one in all() {
            let at = one.get("at").and_then(Value::as_i64).map_or(Timestamp(0), Timestamp);
            let added = match (one.get("fetched"), one.get("creem")) {
                (Some(object), _) => meaning.add_fetched(object, at),
                (None, Some(transaction)) => meaning.add_of_creem(transaction, at),
                (None, None) => Ok(()),
            };
            if let Err(error) = added {
                meaning.problem = Some(error.to_string());
            }
        }
        meaning
    }

    fn add_of_creem(&mut self, transaction: &Value, at: Timestamp) -> Result<(), EntryError> {
        self.rows.extend(creem::row_of_transaction(transaction, at)?.map(Seen::Session));
        self.facts.extend(creem::of_transaction(transaction, at)?);
        Ok(())
    }

    fn add_fetched(&mut self, object: &Value, at: Timestamp) -> Result<(), EntryError> {
        match object.get("object").and_then(Value::as_str) {
            Some("checkout.session") => {
                self.rows.extend(Seen::of_session(object, at)?.map(Seen::Session));
            }
            Some("refund") => self.rows.extend(Seen::of_refund(object, at)?.map(Seen::Refund)),
            _ => {}
        }
        self.facts.extend(read::of_object(object, at)?);
        Ok(())
    }
}

fn seen_written(fact: &Seen) -> Value {
    match fact {
        Seen::Session(it) => json!({"session": it.session_id, "amount": it.amount,
            "currency": it.currency.code(), "status": it.status.name(), "created": it.created.0,
            "updated": it.updated.0, "payment_intent": it.payment_intent, "event": it.event_id}),
        Seen::Refund(it) => json!({"refund": it.source, "payment_intent": it.payment_intent,
            "amount": it.amount, "state": it.state.name(), "updated": it.updated.0,
            "event": it.event_id, "charge": it.charge,
            "currency": it.currency.map(Currency::code)}),
    }
}

fn seen_read(written: &Value) -> Option<Seen> {
    let owned = |name: &str| member::owned(written, name);
    let number = |name: &str| written.get(name).and_then(Value::as_i64);
    if let Some(session) = member::text(written, "session") {
        return Some(Seen::Session(CheckoutRecord {
            session_id: session.to_owned(),
            amount: number("amount")?,
            currency: member::text(written, "currency")?.parse().ok()?,
            status: EntryStatus::read(member::text(written, "status")?)?,
            created: Timestamp(number("created")?),
            updated: Timestamp(number("updated")?),
            payment_intent: owned("payment_intent"),
            event_id: owned("event"),
        }));
    }
    Some(Seen::Refund(Refunded {
        source: owned("refund")?,
        payment_intent: owned("payment_intent")?,
        amount: number("amount")?,
        state: RefundState::read(member::text(written, "state")?)?,
        updated: Timestamp(number("updated")?),
        event_id: owned("event"),
        charge: owned("charge"),
        currency: member::text(written, "currency").and_then(|code| code.parse().ok()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Members that objects have, and what may stand there.
    fn any_member() -> impl Strategy<Value = (String, Value)> {
        let names = [
            "amount",
            "amount_captured",
            "amount_paid",
            "amount_received",
            "amount_refunded",
            "amount_total",
            "balance_transaction",
            "balance_transactions",
            "captured",
            "charge",
            "currency",
            "failure_balance_transaction",
            "fee",
            "invoice",
            "latest_charge",
            "lines",
            "mode",
            "net",
            "payment",
            "payment_intent",
            "payment_status",
            "payments",
            "refunds",
            "reporting_category",
            "source",
            "status",
            "total_details",
            "total_taxes",
            "type",
        ];
        let plain = prop_oneof![
            (0..3_i64).prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            prop::sample::select(vec![
                "jpy",
                "paid",
                "succeeded",
                "failed",
                "pi_1",
                "ch_1",
                "charge"
            ])
            .prop_map(Value::from),
            Just(Value::Null),
        ];
        let inner = plain.clone().prop_map(|it| {
            json!({"id": "in_1", "object": "refund", "amount": it,
            "currency": "jpy", "charge": "ch_9", "amount_tax": it, "payment_intent": it})
        });
        let list = inner.clone().prop_map(|it| json!({"data": [it]}));
        let value = prop_oneof![3 => plain, 1 => inner.clone(), 1 => list,
            1 => inner.prop_map(|it| json!([it]))];
        (prop::sample::select(names.to_vec()).prop_map(str::to_owned), value)
    }

    proptest! {
        #[test]
        fn what_is_never_looked_into_tells_nothing_of_money(
            kind in prop::sample::select(vec!["checkout.session", "payment_intent", "charge", "refund",
                "dispute", "payout", "invoice", "invoice_payment", "balance_transaction", "transfer"]),
            members in prop::collection::vec(any_member(), 0..12),
        ) {
            let mut object = json!({"id": "ob_1", "object": kind, "amount": 2, "currency": "jpy",
                "status": "succeeded", "created": 4});
            object.as_object_mut().unwrap().extend(members);
            let event = json!({"id": "evt_1", "object": "event", "type": "x.y", "created": 7,
                "data": {"object": object}});
            let whole = Event::stored(event.to_string().as_bytes()).unwrap();
            let line = Line::event(whole, Timestamp(9), Source::Poll);
            prop_assert_eq!(Meaning::again(&line.kind, false, &line.body), line.meaning);
        }
    }

    #[test]
    fn a_fetched_object_says_what_an_event_about_it_says() {
        let refund = json!({"id": "re_1", "object": "refund", "amount": 200, "currency": "jpy",
            "charge": "ch_1", "payment_intent": "pi_1", "status": "succeeded", "created": 7});
        let line = Line::fetched(&refund, Timestamp(7), Timestamp(9), Source::Seen);
        assert_eq!((line.created, line.object.as_deref()), (Timestamp(7), Some("re_1")));
        assert_eq!((line.meaning.rows.len(), line.meaning.facts.len()), (1, 2));
        assert_eq!(Meaning::again(SEEN, false, &line.body), line.meaning);
        // The same said again is the same line, whenever it is fetched.
        assert_eq!(Line::fetched(&refund, Timestamp(7), Timestamp(99), Source::Seen).id, line.id);
        let odd = json!({"id": "re_2", "object": "refund", "payment_intent": "pi_1"});
        assert!(
            Line::fetched(&odd, Timestamp(9), Timestamp(9), Source::Seen).meaning.problem.is_some()
        );
    }

    #[test]
    fn what_was_seen_is_read_as_it_was_written() {
        let session = CheckoutRecord {
            session_id: "cs_1".to_owned(),
            amount: 500,
            currency: Currency::JPY,
            status: EntryStatus::Paid,
            created: Timestamp(1),
            updated: Timestamp(2),
            payment_intent: Some("pi_1".to_owned()),
            event_id: None,
        };
        let refund = Refunded {
            source: "re_1".to_owned(),
            payment_intent: "pi_1".to_owned(),
            amount: 200,
            state: RefundState::Returned,
            updated: Timestamp(3),
            event_id: Some("evt_1".to_owned()),
            charge: Some("ch_1".to_owned()),
            currency: Some(Currency::JPY),
        };
        let line = Line::seen(
            vec![Seen::Session(session), Seen::Refund(refund)],
            Timestamp(9),
            Source::Seen,
        );
        assert_eq!(Meaning::again(SEEN, false, &line.body), line.meaning);
        assert_eq!(line.meaning.facts.len(), 5);
    }
}
