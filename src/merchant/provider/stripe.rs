//! Stripe: what its events and objects state about sales.

use crate::domain::book::line::Source;
use crate::domain::event::Event;
use crate::domain::member::{owned, string, text};
use crate::domain::trade::fact::{Fact, Snapshot, Sold};
use crate::merchant::provider::back::Names;
use crate::merchant::provider::{Provider, ProviderName, id_of, number};
use crate::shop::intake::{Intake, IntakeError};
use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The metadata that a sale is begun with, and that its events bring back.
pub mod metadata {
    /// The user of ours.
    pub const USER: &str = "userId";
    /// The plan.
    pub const PLAN: &str = "planId";
    /// The plan's title.
    pub const PLAN_NAME: &str = "planName";
    /// The price.
    pub const PRICE: &str = "priceId";
    /// The credits that it gives, each period where it has periods.
    pub const CREDITS: &str = "credits";
}

/// Stripe, heard through the journal's own door.
pub struct StripeProvider {
    intake: Intake,
}

impl StripeProvider {
    /// Stripe, whose signatures `intake` knows.
    pub const fn new(intake: Intake) -> Self {
        Self { intake }
    }
}

impl fmt::Debug for StripeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeProvider").finish_non_exhaustive()
    }
}

impl Provider for StripeProvider {
    fn name(&self) -> ProviderName {
        ProviderName::Stripe
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Event, Source), IntakeError> {
        let header = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
        self.intake.verify(header, body)
    }

    fn interpret(&self, event: &Event) -> Vec<Fact> {
        of_event(event)
    }
}

/// How its refunds and disputes name what they are about.
const BACK: Names = Names { payment: "payment_intent", refunded: "amount" };

/// What an event states.
pub fn of_event(event: &Event) -> Vec<Fact> {
    let object = &event.object;
    match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let mut facts = of_session(object);
            facts.extend(whose(object));
            facts
        }
        "checkout.session.async_payment_failed" => {
            owned(object, "id").map(|sale| Fact::Failed { sale }).into_iter().collect()
        }
        "customer.created" => of_customer(object),
        "invoice.paid" => of_invoice(object),
        "invoice.payment_failed" => of_failed_invoice(object, event.created.0),
        "invoice_payment.paid" => of_invoice_payment(object),
        "charge.refunded" => of_refunded_charge(object),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            BACK.refund(object)
        }
        kind if kind.starts_with("charge.dispute.") => BACK.dispute(object),
        kind if kind.starts_with("customer.subscription.") => {
            of_subscription(object, event.created.0, &event.id, before(&event.body))
        }
        _ => Vec::new(),
    }
}

/// What a completed Checkout Session states. One for a subscription is paid by invoices, which say so themselves.
pub fn of_session(session: &Value) -> Vec<Fact> {
    let (Some(sale), Some("payment")) = (owned(session, "id"), text(session, "mode")) else {
        return Vec::new();
    };
    if text(session, "status") != Some("complete") {
        return Vec::new();
    }
    vec![Fact::Sold(Sold {
        sale,
        user: text(session, "client_reference_id")
            .or_else(|| session.pointer("/metadata/userId")?.as_str())
            .map(str::to_owned),
        customer: id_of(session.get("customer")),
        plan: of_metadata(session.get("metadata"), metadata::PLAN),
        credits: credits(session.get("metadata")),
        price: None,
        amount: number(session, "amount_total"),
        currency: string(session, "currency"),
        payment: id_of(session.get("payment_intent")),
        subscription: None,
        paid: text(session, "payment_status") != Some("unpaid"),
        at: number(session, "created"),
    })]
}

/// Whose customer a session says that somebody is. Behind the address of a payment link anybody can write any
/// reference: it says nothing.
pub fn whose(session: &Value) -> Option<Fact> {
    let is_ours = session.get("payment_link").is_none_or(Value::is_null);
    let customer = id_of(session.get("customer")).filter(|_| is_ours)?;
    Some(Fact::Customer { customer, user: owned(session, "client_reference_id")? })
}

/// What a new customer states: only what we wrote there ourselves. An address of e-mail can be anybody's.
fn of_customer(customer: &Value) -> Vec<Fact> {
    let user = of_metadata(customer.get("metadata"), metadata::USER);
    let customer = owned(customer, "id").filter(|_| !user.is_empty());
    customer.map(|customer| Fact::Customer { customer, user }).into_iter().collect()
}

/// What a paid invoice of a subscription states: the sale of a period.
pub fn of_invoice(invoice: &Value) -> Vec<Fact> {
    let details = invoice.pointer("/parent/subscription_details");
    let subscription = details.and_then(|it| id_of(it.get("subscription")));
    let (Some(sale), Some(subscription)) = (owned(invoice, "id"), subscription) else {
        return Vec::new();
    };
    if text(invoice, "status") != Some("paid") {
        return Vec::new();
    }
    let metadata = details.and_then(|it| it.get("metadata"));
    let lines = invoice.pointer("/lines/data").and_then(Value::as_array);
    let lines: Vec<&Value> = lines.into_iter().flatten().collect();
    // A change in mid-period is paid for by its difference, and begins no period.
    let is_whole = |it: &&&Value| {
        let share = it.pointer("/parent/subscription_item_details/proration");
        share.and_then(Value::as_bool) == Some(false)
    };
    let period = lines.iter().filter(is_whole).max_by_key(|it| period_end(it));
    let price = period.and_then(|it| id_of(it.pointer("/pricing/price_details/price")));
    let paid_at = invoice.pointer("/status_transitions/paid_at").and_then(Value::as_i64);
    let at = paid_at.unwrap_or_else(|| number(invoice, "created"));
    let sold = Sold {
        sale: sale.clone(),
        user: Some(of_metadata(metadata, metadata::USER)).filter(|it| !it.is_empty()),
        customer: id_of(invoice.get("customer")),
        plan: of_metadata(metadata, metadata::PLAN),
        // A trial is a period for which nothing is asked; one that a discount takes all off is bought.
        credits: if period.is_some_and(|it| number(it, "amount") > 0) {
            credits(metadata)
        } else {
            0
        },
        price: changed(price, metadata),
        amount: number(invoice, "amount_paid"),
        currency: string(invoice, "currency"),
        payment: None,
        subscription: Some(subscription.clone()),
        paid: true,
        at,
    };
    let until = lines.iter().map(|it| period_end(it)).max().unwrap_or_default();
    let payments = invoice.pointer("/payments/data").and_then(Value::as_array);
    let payments = payments.into_iter().flatten().filter_map(payment_of);
    let payments = payments.map(|payment| Fact::PaymentOf { sale: sale.clone(), payment });
    let mut facts: Vec<Fact> = payments.collect();
    facts.push(Fact::Sold(sold));
    facts.push(Fact::PeriodPaid { subscription, until, at });
    facts
}

fn period_end(line: &Value) -> i64 {
    line.pointer("/period/end").and_then(Value::as_i64).unwrap_or_default()
}

/// A price that is another than what was begun with.
fn changed(price: Option<String>, metadata: Option<&Value>) -> Option<String> {
    price.filter(|it| *it != of_metadata(metadata, metadata::PRICE))
}

fn of_failed_invoice(invoice: &Value, at: i64) -> Vec<Fact> {
    let subscription = invoice.pointer("/parent/subscription_details/subscription");
    let subscription = id_of(subscription);
    subscription.map(|subscription| Fact::PeriodFailed { subscription, at }).into_iter().collect()
}

fn of_invoice_payment(payment: &Value) -> Vec<Fact> {
    let sale = id_of(payment.get("invoice"));
    let found = sale.zip(payment_of(payment));
    found.map(|(sale, payment)| Fact::PaymentOf { sale, payment }).into_iter().collect()
}

/// The PaymentIntent of an invoice's payment.
fn payment_of(payment: &Value) -> Option<String> {
    id_of(payment.pointer("/payment/payment_intent"))
}

fn of_refunded_charge(charge: &Value) -> Vec<Fact> {
    let payment = id_of(charge.get("payment_intent"));
    let amount = number(charge, "amount_refunded");
    payment.map(|payment| Fact::RefundedInAll { payment, amount }).into_iter().collect()
}

/// What a subscription states that was seen at `at`; `before` has what the event changed.
pub fn of_subscription(
    subscription: &Value,
    at: i64,
    event: &str,
    before: BTreeMap<String, String>,
) -> Vec<Fact> {
    let Some(id) = owned(subscription, "id") else { return Vec::new() };
    let metadata = subscription.get("metadata");
    let items = subscription.pointer("/items/data").and_then(Value::as_array);
    let ends = items.into_iter().flatten().map(|it| number(it, "current_period_end"));
    let price = id_of(subscription.pointer("/items/data/0/price"));
    let ends_then = subscription.get("cancel_at_period_end").and_then(Value::as_bool);
    let ends_once = subscription.get("cancel_at").is_some_and(Value::is_i64);
    vec![Fact::Subscription(Snapshot {
        subscription: id,
        user: Some(of_metadata(metadata, metadata::USER)).filter(|it| !it.is_empty()),
        customer: id_of(subscription.get("customer")),
        plan: of_metadata(metadata, metadata::PLAN),
        price: changed(price, metadata),
        status: string(subscription, "status"),
        until: ends.max().unwrap_or_default(),
        ends: ends_then == Some(true) || ends_once,
        at,
        event: event.to_owned(),
        before,
    })]
}

#[derive(Deserialize)]
struct Envelope {
    data: Changed,
}

#[derive(Deserialize)]
struct Changed {
    #[serde(default)]
    previous_attributes: BTreeMap<String, Value>,
}

/// What an event changed, as far as it tells two events of one second apart.
fn before(body: &[u8]) -> BTreeMap<String, String> {
    let envelope: Option<Envelope> = serde_json::from_slice(body).ok();
    let changed = envelope.map(|it| it.data.previous_attributes).unwrap_or_default();
    let known = changed.into_iter().filter_map(|(name, was)| match (name.as_str(), was) {
        ("status", Value::String(was)) => Some(("status", was)),
        ("cancel_at_period_end", Value::Bool(was)) => {
            Some(("cancel_at_period_end", was.to_string()))
        }
        ("items", items) => {
            let items = items.get("data")?.as_array()?.iter();
            let until = items.filter_map(|it| it.get("current_period_end")?.as_i64()).max()?;
            Some(("current_period_end", until.to_string()))
        }
        _ => None,
    });
    known.map(|(name, was)| (name.to_owned(), was)).collect()
}

/// The id of an object that stands there in whole or by its id.
fn of_metadata(metadata: Option<&Value>, name: &str) -> String {
    metadata.map(|it| string(it, name)).unwrap_or_default()
}

fn credits(metadata: Option<&Value>) -> i64 {
    of_metadata(metadata, metadata::CREDITS).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trade::fact::Stands;
    use serde_json::json;

    fn stated(kind: &str, object: &Value, previous: &Value) -> Vec<Fact> {
        let event = json!({
            "id": "evt_1", "object": "event", "type": kind, "created": 50,
            "data": { "object": object, "previous_attributes": previous },
        });
        of_event(&Event::stored(event.to_string().as_bytes()).unwrap())
    }

    fn about() -> Value {
        json!({ "userId": "user_1", "planId": "small", "credits": "100", "priceId": "price_1" })
    }

    #[test]
    fn a_session_states_its_sale_once_it_is_complete() {
        let session = |status: &str, payment_status: &str, mode: &str| {
            json!({
                "id": "cs_1", "status": status, "payment_status": payment_status, "mode": mode,
                "client_reference_id": "user_1", "customer": "cus_1", "metadata": about(),
                "amount_total": 500, "currency": "jpy", "payment_intent": {"id": "pi_1"},
                "created": 7,
            })
        };
        let facts = |session: &Value| stated("checkout.session.completed", session, &Value::Null);
        let paid = facts(&session("complete", "paid", "payment"));
        let Some(Fact::Sold(sold)) = paid.first() else { panic!("{paid:?}") };
        assert_eq!((sold.user.as_deref(), sold.payment.as_deref()), (Some("user_1"), Some("pi_1")));
        assert_eq!((sold.credits, sold.amount, sold.paid, sold.at), (100, 500, true, 7));
        let waits = facts(&session("complete", "unpaid", "payment"));
        assert!(matches!(waits.first(), Some(Fact::Sold(it)) if !it.paid));
        let free = facts(&session("complete", "no_payment_required", "payment"));
        assert!(matches!(free.first(), Some(Fact::Sold(it)) if it.paid));
        for none in [session("open", "unpaid", "payment"), session("complete", "paid", "setup")] {
            assert!(
                matches!(facts(&none)[..], [Fact::Customer { .. }]),
                "whose it is, and no sale"
            );
        }
    }

    #[test]
    fn an_invoice_states_its_period_and_gives_credits_where_one_begins() {
        let line = |price: &str, proration: bool, end: i64| {
            json!({
                "amount": 1200, "period": { "end": end },
                "parent": { "subscription_item_details": { "proration": proration } },
                "pricing": { "price_details": { "price": price } },
            })
        };
        let invoice = |lines: Value| {
            json!({
                "id": "in_1", "status": "paid", "customer": "cus_1", "amount_paid": 1200,
                "currency": "jpy", "created": 7, "status_transitions": { "paid_at": 9 },
                "parent": { "subscription_details": { "subscription": "sub_1", "metadata": about() } },
                "lines": { "data": lines },
            })
        };
        let share = line("price_2", true, 31);
        let mut trial = line("price_1", false, 31);
        trial["amount"] = json!(0);
        for (lines, credits, price) in [
            (json!([line("price_1", false, 31)]), 100, None),
            (json!([share, share]), 0, None),
            (json!([trial]), 0, None),
            // Another interval: what is left of the old one comes off, and a period of the new one begins.
            (json!([share, line("price_2", false, 31)]), 100, Some("price_2")),
        ] {
            let facts = stated("invoice.paid", &invoice(lines), &Value::Null);
            let sold = facts.iter().find_map(|it| match it {
                Fact::Sold(it) => Some((it.credits, it.price.as_deref())),
                _ => None,
            });
            assert_eq!(sold, Some((credits, price)), "{facts:?}");
            let period = Fact::PeriodPaid { subscription: "sub_1".into(), until: 31, at: 9 };
            assert!(facts.contains(&period), "{facts:?}");
        }
        let one_off = json!({ "id": "in_2", "status": "paid", "parent": null });
        assert_eq!(stated("invoice.paid", &one_off, &Value::Null), []);
        let failed = stated("invoice.payment_failed", &invoice(json!([])), &Value::Null);
        assert_eq!(failed, [Fact::PeriodFailed { subscription: "sub_1".into(), at: 50 }]);
    }

    #[test]
    fn a_subscription_states_how_it_stands_and_what_was_before() {
        let object = json!({
            "id": "sub_1", "status": "active", "customer": "cus_1", "metadata": about(),
            "cancel_at_period_end": false, "cancel_at": null,
            "items": { "data": [{ "current_period_end": 31, "price": { "id": "price_1" } }] },
        });
        let previous = json!({ "status": "incomplete", "latest_invoice": "in_1" });
        let facts = stated("customer.subscription.updated", &object, &previous);
        let Some(Fact::Subscription(it)) = facts.first() else { panic!("{facts:?}") };
        assert_eq!((it.status.as_str(), it.until, it.at, it.ends), ("active", 31, 50, false));
        assert_eq!(it.before.get("status").map(String::as_str), Some("incomplete"));
        assert_eq!((it.before.len(), it.price.as_deref()), (1, None));
    }

    #[test]
    fn money_that_goes_back_states_whose_payment_it_was() {
        let refund = |status: &str| json!({ "id": "re_1", "payment_intent": "pi_1", "amount": 5, "status": status });
        for (kind, status, undone) in [
            ("refund.created", "succeeded", false),
            ("refund.created", "pending", false),
            ("refund.failed", "failed", true),
            ("refund.updated", "canceled", true),
        ] {
            let facts = stated(kind, &refund(status), &Value::Null);
            let fact =
                Fact::Refunded { payment: "pi_1".into(), refund: "re_1".into(), amount: 5, undone };
            assert_eq!(facts, [fact], "{kind} {status}");
        }
        let charge = json!({ "payment_intent": "pi_1", "amount_refunded": 5 });
        let all = Fact::RefundedInAll { payment: "pi_1".into(), amount: 5 };
        assert_eq!(stated("charge.refunded", &charge, &Value::Null), [all]);
        for (status, stands) in [
            ("warning_needs_response", Stands::Asked),
            ("needs_response", Stands::Taken),
            ("lost", Stands::Taken),
            ("won", Stands::Won),
        ] {
            let dispute =
                json!({ "id": "dp_1", "payment_intent": "pi_1", "amount": 5, "status": status });
            let facts = stated("charge.dispute.updated", &dispute, &Value::Null);
            assert!(
                matches!(facts.first(), Some(Fact::Disputed { stands: it, .. }) if *it == stands)
            );
        }
        assert_eq!(stated("customer.created", &json!({"id": "cus_1"}), &Value::Null), []);
    }
}
