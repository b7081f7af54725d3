//! What an event means for the ledger. Facts only accumulate and status only moves up one ladder,
//! so that a ledger ends the same whatever order its events arrive in, and however often.

use crate::domain::currency::{Currency, UnknownCurrency};
use crate::domain::event::Event;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The largest amount that is booked, in minor units: a thousand times what can be charged in any currency, so that the
/// sums of all that a ledger can hold are counted with room to spare.
pub const AMOUNT_MAX: i64 = 999_999_999_999_999;

/// Where a Checkout Session's money stands. The order is the ladder: a later rung is never left for an
/// earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryStatus {
    /// Complete, and the money is still on its way (konbini, bank transfer).
    Unpaid,
    /// Ended without being completed.
    Expired,
    /// Complete, and the money did not come.
    Failed,
    /// Complete, with nothing to pay.
    NoPaymentRequired,
    /// The money came.
    Paid,
    /// The money came and a part went back.
    PartiallyRefunded,
    /// The money came and all of it went back.
    Refunded,
}

impl EntryStatus {
    /// Every status, in the order of the ladder.
    pub const ALL: [Self; 7] = [
        Self::Unpaid,
        Self::Expired,
        Self::Failed,
        Self::NoPaymentRequired,
        Self::Paid,
        Self::PartiallyRefunded,
        Self::Refunded,
    ];

    /// The status after `incoming` was learned: the higher rung. Commutative, associative, idempotent.
    #[must_use]
    pub fn advance(current: Self, incoming: Self) -> Self {
        current.max(incoming)
    }

    /// The word that the ledger, tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::NoPaymentRequired => "no_payment_required",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }

    /// Reads what [`EntryStatus::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// Whether the session's amount was received, though it may have gone back since.
    pub const fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

impl fmt::Display for EntryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What one source says about one Checkout Session, refunds left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutRecord {
    /// `cs_…`.
    pub session_id: String,
    /// `amount_total`, in minor units.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// Never one of the refund rungs; those follow from [`Refunded`].
    pub status: EntryStatus,
    /// When the session was created.
    pub created: Timestamp,
    /// When the source says that it became so.
    pub updated: Timestamp,
    /// `pi_…`, by which refunds find their session.
    pub payment_intent: Option<String>,
    /// The event that said so; `None` where the object was fetched.
    pub event_id: Option<String>,
}

/// What one source says about money that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// `ch_…` for a charge's running total, `re_…` for a single refund.
    pub source: String,
    /// `pi_…`, by which the session is found.
    pub payment_intent: String,
    /// Minor units: of a charge all that went back so far, of a refund its own amount.
    pub amount: i64,
    /// What kind of source it is, and how it ended.
    pub state: RefundState,
    /// When the source says that it became so.
    pub updated: Timestamp,
    /// The event that said so; `None` where the object was fetched.
    pub event_id: Option<String>,
    /// `ch_…`, where a single refund names it.
    pub charge: Option<String>,
    /// The currency of `amount`, where the source names it.
    pub currency: Option<Currency>,
}

/// What a [`Refunded`] amount stands for. Of one source the higher state counts, then the higher amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundState {
    /// A charge's running total.
    Total,
    /// A refund that is under way or done.
    Sent,
    /// A refund that failed or was cancelled: its money stayed.
    Returned,
}

impl RefundState {
    /// The word that the ledger's file uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Sent => "sent",
            Self::Returned => "returned",
        }
    }

    /// Reads what [`RefundState::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Total, Self::Sent, Self::Returned].into_iter().find(|state| state.name() == text)
    }
}

/// One thing that the ledger learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// About a session.
    Session(CheckoutRecord),
    /// About money that went back.
    Refund(Refunded),
}

/// Why an object that belongs in the ledger could not be booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A field that the ledger needs is not there or of another type.
    #[error("the object has no readable `{0}`")]
    Missing(&'static str),
    /// The amount is of a currency that is not known here.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// A status that did not exist when this was written.
    #[error("`{field}` is `{value}`, which is not known here")]
    Unknown {
        /// The field.
        field: &'static str,
        /// What it says.
        value: String,
    },
}

impl Fact {
    /// What an event means for the ledger; `None` for the many that mean nothing.
    pub fn of(event: &Event) -> Result<Option<Self>, EntryError> {
        let object = &event.object;
        let status = match event.kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
                payment_status(object)?
            }
            "checkout.session.async_payment_failed" => EntryStatus::Failed,
            "checkout.session.expired" => EntryStatus::Expired,
            "charge.refunded" => return charge_total(object, event),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                return single_refund(object, event.created, Some(&event.id));
            }
            _ => return Ok(None),
        };
        let entry = entry(object, status, event.created)?;
        Ok(entry.map(|entry| {
            Self::Session(CheckoutRecord { event_id: Some(event.id.clone()), ..entry })
        }))
    }

    /// What a fetched session means for the ledger; `None` while it is open, or where no money is its
    /// subject. Its intent, where expanded, tells a payment that failed from one on its way.
    pub fn of_session(
        session: &Value,
        now: Timestamp,
    ) -> Result<Option<CheckoutRecord>, EntryError> {
        let status = match text(session, "status")? {
            "open" => return Ok(None),
            "expired" => EntryStatus::Expired,
            "complete" => payment_status(session)?,
            other => return Err(unknown("status", other)),
        };
        let intent = session.pointer("/payment_intent/status").and_then(Value::as_str);
        let ended = matches!(intent, Some("requires_payment_method" | "canceled"));
        let failed = status == EntryStatus::Unpaid && ended;
        entry(session, if failed { EntryStatus::Failed } else { status }, now)
    }

    /// What a fetched refund means for the ledger; `None` where it has no PaymentIntent.
    pub fn of_refund(refund: &Value, now: Timestamp) -> Result<Option<Refunded>, EntryError> {
        match single_refund(refund, now, None)? {
            Some(Self::Refund(refunded)) => Ok(Some(refunded)),
            Some(Self::Session(_)) | None => Ok(None),
        }
    }
}

fn payment_status(session: &Value) -> Result<EntryStatus, EntryError> {
    match text(session, "payment_status")? {
        "paid" => Ok(EntryStatus::Paid),
        "unpaid" => Ok(EntryStatus::Unpaid),
        "no_payment_required" => Ok(EntryStatus::NoPaymentRequired),
        other => Err(unknown("payment_status", other)),
    }
}

/// `None` for a session without a currency: it sets up a card and no money is its subject.
fn entry(
    session: &Value,
    status: EntryStatus,
    updated: Timestamp,
) -> Result<Option<CheckoutRecord>, EntryError> {
    let session_id = text(session, "id")?.to_owned();
    let Some(currency) = session.get("currency").and_then(Value::as_str) else {
        return Ok(None);
    };
    let setup = session.get("mode").and_then(Value::as_str) == Some("setup");
    let absent = session.get("amount_total").and_then(Value::as_i64).is_none();
    let amount = if absent && setup { 0 } else { amount(session, "amount_total")? };
    Ok(Some(CheckoutRecord {
        session_id,
        amount,
        currency: currency.parse()?,
        status,
        created: Timestamp(number(session, "created")?),
        updated,
        payment_intent: reference(session, "payment_intent"),
        event_id: None,
    }))
}

fn charge_total(charge: &Value, event: &Event) -> Result<Option<Fact>, EntryError> {
    let Some(payment_intent) = reference(charge, "payment_intent") else { return Ok(None) };
    Ok(Some(Fact::Refund(Refunded {
        source: text(charge, "id")?.to_owned(),
        payment_intent,
        amount: amount(charge, "amount_refunded")?,
        state: RefundState::Total,
        updated: event.created,
        event_id: Some(event.id.clone()),
        charge: None,
        currency: None,
    })))
}

fn single_refund(
    refund: &Value,
    updated: Timestamp,
    event_id: Option<&str>,
) -> Result<Option<Fact>, EntryError> {
    let Some(payment_intent) = reference(refund, "payment_intent") else { return Ok(None) };
    let status = refund.get("status").and_then(Value::as_str);
    let state = match status {
        Some("failed" | "canceled") => RefundState::Returned,
        _ => RefundState::Sent,
    };
    Ok(Some(Fact::Refund(Refunded {
        source: text(refund, "id")?.to_owned(),
        payment_intent,
        amount: amount(refund, "amount")?,
        state,
        updated,
        event_id: event_id.map(str::to_owned),
        charge: reference(refund, "charge"),
        currency: refund.get("currency").and_then(Value::as_str).and_then(|code| code.parse().ok()),
    })))
}

/// What the refunds of one PaymentIntent come to. Every fact can be added in any order, any number of times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundFacts(BTreeMap<String, (RefundState, i64)>);

impl RefundFacts {
    /// Learns one fact: of a source the higher state counts, then the higher amount.
    pub fn apply_fact(&mut self, source: &str, state: RefundState, amount: i64) {
        let known = self.0.entry(source.to_owned()).or_insert((state, amount));
        *known = (*known).max((state, amount));
    }

    /// What is known of one source.
    pub fn of(&self, source: &str) -> Option<(RefundState, i64)> {
        self.0.get(source).copied()
    }

    /// Minor units that went back. A charge's total comes first to be known and does not say which refund
    /// it counts; once a refund is known to have failed only the refunds themselves are counted.
    pub fn total(&self) -> i64 {
        let sum = |wanted: RefundState| {
            let of = self.0.values().filter(move |(state, _)| *state == wanted);
            of.fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount))
        };
        let returned = self.0.values().any(|(state, _)| *state == RefundState::Returned);
        if returned {
            sum(RefundState::Sent)
        } else {
            sum(RefundState::Total).max(sum(RefundState::Sent))
        }
    }
}

/// The status of a session of `amount` minor units, of which `refunded` went back.
pub fn with_refunds(settled: EntryStatus, amount: i64, refunded: i64) -> EntryStatus {
    let incoming = if refunded <= 0 {
        return settled;
    } else if refunded >= amount {
        EntryStatus::Refunded
    } else {
        EntryStatus::PartiallyRefunded
    };
    EntryStatus::advance(settled, incoming)
}

/// What is known of one session, from any number of sources in any order.
impl CheckoutRecord {
    /// The amount with its currency.
    pub const fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Merges what another source says about the same session; `None` where it says nothing new.
    /// On one rung sources should agree; where they do not, the larger content stands, so that order
    /// still does not matter.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Option<Self> {
        let content = |entry: &Self| (entry.status, entry.amount, entry.currency);
        let intent = self.payment_intent.clone().max(other.payment_intent.clone());
        if content(other) > content(self) {
            return Some(Self { payment_intent: intent, ..other.clone() });
        }
        (intent != self.payment_intent).then(|| Self { payment_intent: intent, ..self.clone() })
    }
}

fn text<'v>(object: &'v Value, field: &'static str) -> Result<&'v str, EntryError> {
    object.get(field).and_then(Value::as_str).ok_or(EntryError::Missing(field))
}

fn number(object: &Value, field: &'static str) -> Result<i64, EntryError> {
    object.get(field).and_then(Value::as_i64).ok_or(EntryError::Missing(field))
}

/// The amount, within what sums can bear.
fn amount(object: &Value, field: &'static str) -> Result<i64, EntryError> {
    let amount = number(object, field)?;
    if amount.unsigned_abs() > AMOUNT_MAX.unsigned_abs() {
        return Err(unknown(field, &amount.to_string()));
    }
    Ok(amount)
}

/// The id of another object, expanded or not.
fn reference(object: &Value, field: &str) -> Option<String> {
    let value = object.get(field)?;
    let id = value.as_str().or_else(|| value.get("id").and_then(Value::as_str));
    id.map(str::to_owned)
}

fn unknown(field: &'static str, value: &str) -> EntryError {
    EntryError::Unknown { field, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event(id: &str, kind: &str, created: i64, object: Value) -> Event {
        Event {
            id: id.to_owned(),
            kind: kind.to_owned(),
            created: Timestamp(created),
            api_version: None,
            livemode: false,
            object,
            body: Vec::new(),
        }
    }

    fn session(status: &str, payment_status: &str) -> Value {
        json!({"id": "cs_1", "object": "checkout.session", "amount_total": 500, "currency": "jpy",
            "created": 100, "mode": "payment", "payment_intent": "pi_1", "status": status,
            "payment_status": payment_status})
    }

    fn charge(refunded: i64) -> Value {
        json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 500, "amount_refunded": refunded})
    }

    fn refund(id: &str, amount: i64, status: &str) -> Value {
        json!({"id": id, "payment_intent": "pi_1", "amount": amount, "status": status})
    }

    /// The ledger in miniature: what the store does with facts, without a disk.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Book {
        entry: Option<CheckoutRecord>,
        refunds: RefundFacts,
    }

    impl Book {
        fn apply_fact(&mut self, fact: Fact) {
            match fact {
                Fact::Session(entry) => {
                    self.entry = match self.entry.take() {
                        None => Some(entry),
                        Some(known) => Some(known.merge(&entry).unwrap_or(known)),
                    };
                }
                Fact::Refund(one) => self.refunds.apply_fact(&one.source, one.state, one.amount),
            }
        }

        fn status(&self) -> Option<EntryStatus> {
            let entry = self.entry.as_ref()?;
            Some(with_refunds(entry.status, entry.amount, self.refunds.total()))
        }
    }

    fn status_after<'e>(events: impl IntoIterator<Item = &'e Event>) -> Option<EntryStatus> {
        let mut book = Book::default();
        for event in events {
            if let Some(fact) = Fact::of(event).unwrap() {
                book.apply_fact(fact);
            }
        }
        book.status()
    }

    fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
        if items.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for at in 0..items.len() {
            let mut rest = items.to_vec();
            let first = rest.remove(at);
            for mut tail in permutations(&rest) {
                tail.insert(0, first.clone());
                all.push(tail);
            }
        }
        all
    }

    #[test]
    fn one_card_payment_and_its_refunds_end_the_same_in_every_order() {
        let story = [
            event("evt_1", "checkout.session.completed", 1, session("complete", "paid")),
            event("evt_2", "charge.refunded", 2, charge(200)),
            event("evt_3", "charge.refunded", 3, charge(500)),
            event("evt_4", "refund.created", 2, refund("re_1", 200, "succeeded")),
            event("evt_5", "refund.created", 3, refund("re_2", 300, "pending")),
            event("evt_1", "checkout.session.completed", 1, session("complete", "paid")),
        ];
        for order in permutations(&story) {
            assert_eq!(status_after(&order), Some(EntryStatus::Refunded));
        }
        assert_eq!(status_after(&story[..2]), Some(EntryStatus::PartiallyRefunded));
        assert_eq!(status_after(&story[1..2]), None, "a refund alone makes no row");
    }

    #[test]
    fn delayed_payments_end_paid_or_failed_in_every_order() {
        let completed =
            event("evt_1", "checkout.session.completed", 1, session("complete", "unpaid"));
        let twin = Event { id: "evt_9".to_owned(), ..completed.clone() };
        let paid = event(
            "evt_2",
            "checkout.session.async_payment_succeeded",
            1,
            session("complete", "paid"),
        );
        let failed = event(
            "evt_3",
            "checkout.session.async_payment_failed",
            1,
            session("complete", "unpaid"),
        );
        for order in permutations(&[completed.clone(), twin.clone(), paid.clone(), paid]) {
            assert_eq!(status_after(&order), Some(EntryStatus::Paid));
        }
        for order in permutations(&[completed.clone(), twin, failed]) {
            assert_eq!(status_after(&order), Some(EntryStatus::Failed));
        }
        assert_eq!(status_after([&completed]), Some(EntryStatus::Unpaid));
        let expired = event("evt_4", "checkout.session.expired", 1, session("expired", "unpaid"));
        assert_eq!(status_after([&expired, &expired]), Some(EntryStatus::Expired));
    }

    #[test]
    fn a_refund_that_failed_gives_the_money_back_to_us_in_every_order() {
        let story = [
            event("evt_1", "checkout.session.completed", 1, session("complete", "paid")),
            event("evt_2", "refund.created", 2, refund("re_1", 500, "pending")),
            event("evt_3", "charge.refunded", 2, charge(500)),
            event("evt_4", "refund.failed", 3, refund("re_1", 500, "failed")),
        ];
        for order in permutations(&story) {
            assert_eq!(status_after(&order), Some(EntryStatus::Paid));
        }
        let again = event("evt_5", "refund.created", 4, refund("re_2", 100, "succeeded"));
        let longer: Vec<_> = story.into_iter().chain([again]).collect();
        for order in permutations(&longer) {
            assert_eq!(status_after(&order), Some(EntryStatus::PartiallyRefunded));
        }
    }

    #[test]
    fn different_events_about_one_fact_change_nothing() {
        let first = event("evt_1", "checkout.session.completed", 1, session("complete", "paid"));
        let second = Event { id: "evt_0".to_owned(), created: Timestamp(0), ..first.clone() };
        let (Some(Fact::Session(a)), Some(Fact::Session(b))) =
            (Fact::of(&first).unwrap(), Fact::of(&second).unwrap())
        else {
            panic!("both are about a session")
        };
        assert_eq!(a.merge(&b), None);
        assert_eq!(b.merge(&a), None);
    }

    #[test]
    fn what_cannot_be_booked_says_why_and_what_means_nothing_is_nothing() {
        let completed = |object| Fact::of(&event("evt_1", "checkout.session.completed", 1, object));
        let mut odd = session("complete", "paid");
        odd["currency"] = json!("zzz");
        assert!(matches!(completed(odd), Err(EntryError::Currency(_))));
        let mut odd = session("complete", "later");
        assert!(matches!(completed(odd.clone()), Err(EntryError::Unknown { .. })));
        odd["payment_status"] = json!("paid");
        odd["amount_total"] = Value::Null;
        assert_eq!(completed(odd), Err(EntryError::Missing("amount_total")));
        let setup = json!({"id": "cs_1", "mode": "setup", "currency": null, "created": 1,
            "payment_status": "no_payment_required"});
        assert_eq!(completed(setup), Ok(None));
        assert_eq!(Fact::of(&event("evt_1", "customer.created", 1, json!({}))), Ok(None));
    }

    #[test]
    fn a_fetched_session_says_the_same_as_its_events() {
        let now = Timestamp(9);
        assert_eq!(Fact::of_session(&session("open", "unpaid"), now), Ok(None));
        let status = |session: &Value| Fact::of_session(session, now).unwrap().unwrap().status;
        assert_eq!(status(&session("complete", "paid")), EntryStatus::Paid);
        assert_eq!(status(&session("expired", "unpaid")), EntryStatus::Expired);
        let mut konbini = session("complete", "unpaid");
        assert_eq!(status(&konbini), EntryStatus::Unpaid);
        konbini["payment_intent"] = json!({"id": "pi_1", "status": "requires_action"});
        assert_eq!(status(&konbini), EntryStatus::Unpaid);
        konbini["payment_intent"] = json!({"id": "pi_1", "status": "requires_payment_method"});
        let entry = Fact::of_session(&konbini, now).unwrap().unwrap();
        assert_eq!(entry.status, EntryStatus::Failed);
        assert_eq!(entry.payment_intent.as_deref(), Some("pi_1"));
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let kinds = prop_oneof![
            Just(("checkout.session.completed", "complete", "unpaid")),
            Just(("checkout.session.completed", "complete", "paid")),
            Just(("checkout.session.completed", "complete", "no_payment_required")),
            Just(("checkout.session.async_payment_succeeded", "complete", "paid")),
            Just(("checkout.session.async_payment_failed", "complete", "unpaid")),
            Just(("checkout.session.expired", "expired", "unpaid")),
        ];
        let id = (0..50_u8).prop_map(|n| format!("evt_{n}"));
        let about_session = (id.clone(), kinds, 0..5_i64)
            .prop_map(|(id, (kind, status, paid), at)| event(&id, kind, at, session(status, paid)));
        let about_charge = (id.clone(), 0..=500_i64, 0..5_i64)
            .prop_map(|(id, n, at)| event(&id, "charge.refunded", at, charge(n)));
        let about_refund =
            (id, 0..3_u8, prop_oneof![Just("pending"), Just("succeeded"), Just("failed")])
                .prop_map(|(id, n, status)| {
                    event(
                        &id,
                        "refund.updated",
                        3,
                        refund(&format!("re_{n}"), i64::from(n) * 100 + 50, status),
                    )
                });
        prop_oneof![about_session, about_charge, about_refund]
    }

    proptest! {
        #[test]
        fn no_order_and_no_repetition_changes_where_it_ends(
            (events, shuffled) in prop::collection::vec(any_event(), 0..12).prop_flat_map(|events| {
                let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
                (Just(events), Just(twice).prop_shuffle())
            })
        ) {
            prop_assert_eq!(status_after(&events), status_after(&shuffled));
        }

        #[test]
        fn every_permutation_of_a_short_story_ends_the_same(events in prop::collection::vec(any_event(), 1..6)) {
            let expected = status_after(&events);
            for order in permutations(&events) {
                prop_assert_eq!(status_after(&order), expected);
            }
        }

        #[test]
        fn the_ladder_is_a_lattice(a in 0..7_usize, b in 0..7_usize, c in 0..7_usize) {
            let [a, b, c] = [a, b, c].map(|at| EntryStatus::ALL[at]);
            let join = EntryStatus::advance;
            prop_assert_eq!(join(a, b), join(b, a));
            prop_assert_eq!(join(join(a, b), c), join(a, join(b, c)));
            prop_assert_eq!(join(a, a), a);
            prop_assert_eq!(EntryStatus::read(a.name()), Some(a));
        }
    }
}
