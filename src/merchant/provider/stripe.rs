//! Stripe: what its events and objects state about sales.

use crate::domain::book::line::Source;
use crate::domain::event::Event;
use crate::domain::member::{owned, string, text};
use crate::domain::trade::fact::{Fact, Snapshot, Sold, Stands};
use crate::merchant::provider::{Provider, ProviderName};
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
        let object = &event.object;
        match event.kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
                let mut facts = of_session(object);
                facts.extend(whose(object));
                facts
            }
            "customer.created" => of_customer(object),
            "checkout.session.async_payment_failed" => {
                owned(object, "id").map(|sale| Fact::Failed { sale }).into_iter().collect()
            }
            "invoice.paid" => of_invoice(object),
            "invoice.payment_failed" => of_failed_invoice(object, event.created.0),
            "invoice_payment.paid" => of_invoice_payment(object),
            "charge.refunded" => of_refunded_charge(object),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                of_refund(object)
            }
            kind if kind.starts_with("charge.dispute.") => of_dispute(object),
            kind if kind.starts_with("customer.subscription.") => {
                of_subscription(object, event.created.0, &event.id, before(&event.body))
            }
            _ => Vec::new(),
        }
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
    // A change in mid-period is paid for by the difference, and begins no period.
    let begins = matches!(
        text(invoice, "billing_reason"),
        Some("subscription_create" | "subscription_cycle")
    );
    let paid_at = invoice.pointer("/status_transitions/paid_at").and_then(Value::as_i64);
    let at = paid_at.unwrap_or_else(|| number(invoice, "created"));
    let sold = Sold {
        sale: sale.clone(),
        user: Some(of_metadata(metadata, metadata::USER)).filter(|it| !it.is_empty()),
        customer: id_of(invoice.get("customer")),
        plan: of_metadata(metadata, metadata::PLAN),
        credits: if begins { credits(metadata) } else { 0 },
        amount: number(invoice, "amount_paid"),
        currency: string(invoice, "currency"),
        payment: None,
        subscription: Some(subscription.clone()),
        paid: true,
        at,
    };
    let lines = invoice.pointer("/lines/data").and_then(Value::as_array);
    let ends = lines.into_iter().flatten().filter_map(|it| it.pointer("/period/end")?.as_i64());
    let until = ends.max().unwrap_or_default();
    let payments = invoice.pointer("/payments/data").and_then(Value::as_array);
    let payments = payments.into_iter().flatten().filter_map(payment_of);
    let payments = payments.map(|payment| Fact::PaymentOf { sale: sale.clone(), payment });
    let mut facts: Vec<Fact> = payments.collect();
    facts.push(Fact::Sold(sold));
    facts.push(Fact::PeriodPaid { subscription, until, at });
    facts
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

fn of_refund(refund: &Value) -> Vec<Fact> {
    let found = owned(refund, "id").zip(id_of(refund.get("payment_intent")));
    let undone = matches!(text(refund, "status"), Some("failed" | "canceled"));
    let amount = number(refund, "amount");
    let fact = found.map(|(refund, payment)| Fact::Refunded { payment, refund, amount, undone });
    fact.into_iter().collect()
}

fn of_dispute(dispute: &Value) -> Vec<Fact> {
    let found = owned(dispute, "id").zip(id_of(dispute.get("payment_intent")));
    let stands = match text(dispute, "status").unwrap_or_default() {
        status if status.starts_with("warning_") => Stands::Asked,
        "won" | "prevented" => Stands::Won,
        _ => Stands::Taken,
    };
    let amount = number(dispute, "amount");
    let fact = found.map(|(dispute, payment)| Fact::Disputed { payment, dispute, amount, stands });
    fact.into_iter().collect()
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
    let ends_then = subscription.get("cancel_at_period_end").and_then(Value::as_bool);
    let ends_once = subscription.get("cancel_at").is_some_and(Value::is_i64);
    vec![Fact::Subscription(Snapshot {
        subscription: id,
        user: Some(of_metadata(metadata, metadata::USER)).filter(|it| !it.is_empty()),
        customer: id_of(subscription.get("customer")),
        plan: of_metadata(metadata, metadata::PLAN),
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
        ("status", Value::String(was)) => Some((name, was)),
        ("cancel_at_period_end", Value::Bool(was)) => Some((name, was.to_string())),
        ("items", items) => {
            let items = items.get("data")?.as_array()?.iter();
            let until = items.filter_map(|it| it.get("current_period_end")?.as_i64()).max()?;
            Some(("current_period_end".to_owned(), until.to_string()))
        }
        _ => None,
    });
    known.collect()
}

/// The id of an object that stands there in whole or by its id.
fn id_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.as_str().map(str::to_owned).or_else(|| owned(value, "id"))
}

fn number(of: &Value, name: &str) -> i64 {
    of.get(name).and_then(Value::as_i64).unwrap_or_default()
}

fn of_metadata(metadata: Option<&Value>, name: &str) -> String {
    metadata.map(|it| string(it, name)).unwrap_or_default()
}

fn credits(metadata: Option<&Value>) -> i64 {
    of_metadata(metadata, metadata::CREDITS).parse().unwrap_or_default()
}
