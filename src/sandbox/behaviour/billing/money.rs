//! Paying invoices: the intent that each asks with, its attempts, and what follows from their end.

use crate::sandbox::behaviour::billing::invoice::{self, KIND};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice, Turn};
use crate::sandbox::behaviour::billing::{on_clock_of, retry, split, subscription};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::confirm::{self, ConfirmOptions, Outcome};
use crate::sandbox::behaviour::payment::intent::{self, IntentSpec};
use crate::sandbox::behaviour::payment::settle;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, PaymentIntentPart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of an invoice's payment.
pub const PAYMENT: &str = "invoice_payment";

const NO_METHOD: &str = "This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.";

/// Nobody can be charged.
pub fn no_method() -> Failure {
    Failure::invalid(NO_METHOD).code("resource_missing")
}

/// Opens the intent that asks for what is due on an invoice, and its payment.
pub fn ask(txn: &mut Txn<'_>, invoice: &Object) {
    let id = text(invoice, "id");
    let subscription = invoice::subscription_of(invoice);
    let description = match text(invoice, "billing_reason") {
        "subscription_create" => "Subscription creation",
        _ if subscription.is_some() => "Subscription update",
        _ => "Payment for Invoice",
    };
    let settings = invoice.get("payment_settings").and_then(|it| it.get("payment_method_types"));
    let named: Vec<String> = settings.and_then(Value::as_array).map_or_else(Vec::new, |types| {
        types.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
    });
    let types = if named.is_empty() { Settings::of(txn).payment_methods(&["card"]) } else { named };
    let mut more = Doc::new();
    let details = json!({"customer_reference": null, "order_reference": id});
    more.insert("payment_details".to_owned(), details);
    if let Some(of) = subscription.and_then(|id| txn.get(subscription::KIND, id)) {
        more.extend(split::terms(&of, int(invoice, "amount_due")));
    }
    let own = invoice.part::<InvoicePart>();
    if !own.terms.is_empty() {
        more.extend(own.terms.clone());
        if let Some(account) = invoice.get("on_behalf_of").filter(|it| it.is_string()) {
            more.insert("on_behalf_of".to_owned(), account.clone());
        }
    }
    let spec = IntentSpec {
        amount: int(invoice, "amount_due"),
        currency: text(invoice, "currency").to_owned(),
        capture_method: Some("automatic".to_owned()),
        customer: Some(text(invoice, "customer").to_owned()),
        description: Some(description.to_owned()),
        setup_future_usage: subscription.map(|_| "off_session".to_owned()),
        types,
        part: PaymentIntentPart { invoice: Some(id.to_owned()), ..PaymentIntentPart::default() },
        more,
        ..IntentSpec::default()
    };
    let pi = intent::open_intent(txn, spec);
    let payment = txn.new_id("inpay_1", 23);
    txn.put(new(
        PAYMENT,
        json!({
            "id": payment, "amount_paid": null, "amount_requested": int(invoice, "amount_due"),
            "created": txn.now().0, "currency": text(invoice, "currency"), "invoice": id,
            "is_default": true, "livemode": false,
            "payment": {"payment_intent": pi, "type": "payment_intent"}, "status": "open",
            "status_transitions": {"canceled_at": null, "paid_at": null},
        }),
    ));
    txn.edit_part(KIND, id, |part: &mut InvoicePart| {
        part.intent = Some(pi);
        part.payment = Some(payment);
    });
}

/// The payment method that an invoice is paid with where none is named: the invoice's, its subscription's, its
/// customer's. One that is merely attached is none of them.
pub fn method(txn: &Txn<'_>, invoice: &Value) -> Option<String> {
    let own = ["default_payment_method", "default_source"].map(|name| text(invoice, name));
    let own = own.into_iter().find(|id| !id.is_empty()).map(str::to_owned);
    let subscription =
        invoice::subscription_of(invoice).and_then(|id| txn.get(subscription::KIND, id));
    own.or_else(|| {
        method_of(txn, subscription.as_deref().map(|it| &**it), text(invoice, "customer"))
    })
}

/// The payment method of a subscription, else of its customer.
pub fn method_of(txn: &Txn<'_>, subscription: Option<&Value>, customer: &str) -> Option<String> {
    let customer = txn.get("customer", customer)?;
    let settings = customer.get("invoice_settings").cloned().unwrap_or_default();
    let of = |doc: &Value, name: &str| Some(text(doc, name).to_owned()).filter(|id| !id.is_empty());
    let own = subscription
        .and_then(|it| of(it, "default_payment_method").or_else(|| of(it, "default_source")));
    own.or_else(|| of(&settings, "default_payment_method"))
        .or_else(|| of(&customer, "default_source"))
}

/// How a payment is tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Try<'t> {
    /// The payment method, where one is named.
    pub method: Option<&'t str>,
    /// The customer is not there.
    pub off_session: bool,
    /// It happens by itself, which is counted each time.
    pub by_itself: bool,
}

/// Tries to pay an open invoice.
///
/// Fails with a 402 that keeps its changes where the payment is declined.
pub fn attempt(txn: &mut Txn<'_>, id: &str, how: &Try<'_>) -> Result<Outcome, Failure> {
    let invoice = txn.find(KIND, id, "id")?;
    Invoice::read(text(&invoice, "status")).allows(Act::Pay)?;
    let chosen = how.method.map(str::to_owned).or_else(|| method(txn, &invoice));
    let Some(pi) = invoice.part::<InvoicePart>().intent.clone() else {
        return Ok(Outcome::Succeeded);
    };
    let count = int(&invoice, "attempt_count");
    let counted = if how.by_itself || count == 0 { count + 1 } else { count };
    let Some(chosen) = chosen else {
        if how.by_itself {
            note_attempt(txn, id, counted);
            failed(txn, id);
        }
        return Err(no_method());
    };
    note_attempt(txn, id, counted);
    let options = ConfirmOptions {
        off_session: how.off_session,
        asks_later: true,
        ..ConfirmOptions::default()
    };
    let outcome = confirm::confirm(txn, &pi, &chosen, &options)?;
    match outcome {
        Outcome::RequiresAction { .. } => {
            note_attempt(txn, id, count);
            gated(txn, id, how.by_itself);
        }
        Outcome::Processing { .. } => settle::schedule(txn, &pi, outcome),
        Outcome::Succeeded | Outcome::RequiresCapture => {}
    }
    Ok(outcome)
}

fn note_attempt(txn: &mut Txn<'_>, id: &str, count: i64) {
    invoice::edit_closed(txn, id, |doc| {
        doc.insert("attempted".to_owned(), json!(true));
        doc.insert("attempt_count".to_owned(), json!(count));
    });
}

/// The payer has to authenticate.
fn gated(txn: &mut Txn<'_>, id: &str, by_itself: bool) {
    if let Some(invoice) = txn.get(KIND, id) {
        txn.emit("invoice.payment_action_required", &invoice);
        if by_itself {
            turn(txn, &invoice, Turn::Unpaid);
        }
    }
}

/// Has the subscription of an invoice follow what became of it, where it is the newest one.
fn turn(txn: &mut Txn<'_>, invoice: &Value, what: Turn) {
    if let Some(id) = invoice::subscription_of(invoice) {
        subscription::follow(txn, id, text(invoice, "id"), what);
    }
}

/// What follows where the intent of an invoice was paid.
pub fn paid(txn: &mut Txn<'_>, pi: &Object) {
    let Some(id) = pi.part::<PaymentIntentPart>().invoice.clone() else { return };
    let customer = text(pi, "customer").to_owned();
    on_clock_of(txn, &customer, |txn| {
        let payment = txn.get(KIND, &id).and_then(|it| it.part::<InvoicePart>().payment.clone());
        if let Some(payment) = payment {
            let (now, amount) = (txn.now().0, int(pi, "amount_received"));
            let changed = txn.edit(PAYMENT, &payment, |doc| {
                doc.insert("amount_paid".to_owned(), json!(amount));
                doc.insert("status".to_owned(), json!("paid"));
                invoice::stamp(doc, "paid_at", now);
            });
            if let Some((_, after)) = changed {
                complete(txn, &id, int(pi, "amount_received"), Some(&after));
            }
        }
        keep_method(txn, &id, text(pi, "payment_method"));
    });
}

/// Marks an invoice as paid, and tells of it.
pub fn complete(txn: &mut Txn<'_>, id: &str, amount: i64, payment: Option<&Object>) {
    let Some(invoice) = txn.get(KIND, id) else { return };
    invoice::forget_job(txn, &invoice);
    let now = txn.now().0;
    let changed = invoice::edit_closed(txn, id, |doc| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("amount_paid", json!(amount));
        set("amount_remaining", json!(0));
        set("auto_advance", json!(false));
        set("next_payment_attempt", Value::Null);
        set("status", json!("paid"));
        invoice::stamp(doc, "paid_at", now);
    });
    let Some((before, after)) = changed else { return };
    txn.emit_change("invoice.updated", &before, &after);
    if let Some(payment) = payment {
        txn.emit("invoice_payment.paid", payment);
    }
    txn.emit("invoice.paid", &after);
    txn.emit("invoice.payment_succeeded", &after);
    turn(txn, &after, Turn::Paid);
}

/// What follows for a subscription where nothing was to be paid on its invoice.
pub fn follow_paid(txn: &mut Txn<'_>, invoice: &Value) {
    turn(txn, invoice, Turn::Paid);
}

/// Where a subscription asks for it, what paid its invoice pays the next ones too.
fn keep_method(txn: &mut Txn<'_>, invoice: &str, method: &str) {
    let Some(id) =
        txn.get(KIND, invoice).and_then(|it| invoice::subscription_of(&it).map(str::to_owned))
    else {
        return;
    };
    let keeps = txn.get(subscription::KIND, &id).is_some_and(|it| {
        let settings = it.get("payment_settings");
        settings.is_some_and(|it| text(it, "save_default_payment_method") == "on_subscription")
            && text(&it, "default_payment_method") != method
    });
    if keeps && !method.is_empty() {
        let changed = txn.edit(subscription::KIND, &id, |doc| {
            doc.insert("default_payment_method".to_owned(), json!(method));
        });
        if let Some((before, after)) = changed {
            txn.emit_change("customer.subscription.updated", &before, &after);
        }
    }
}

/// What follows where the intent of an invoice was refused.
pub fn refused(txn: &mut Txn<'_>, pi: &Object) {
    let Some(id) = pi.part::<PaymentIntentPart>().invoice.clone() else { return };
    let customer = text(pi, "customer").to_owned();
    on_clock_of(txn, &customer, |txn| failed(txn, &id));
}

/// An attempt to pay an invoice failed: it is told, and the next one planned.
fn failed(txn: &mut Txn<'_>, id: &str) {
    let Some(invoice) = txn.get(KIND, id).filter(|it| text(it, "status") == "open") else { return };
    retry::plan(txn, &invoice);
    let Some(after) = txn.get(KIND, id) else { return };
    txn.emit_change("invoice.updated", &invoice, &after);
    txn.emit("invoice.payment_failed", &after);
    turn(txn, &after, Turn::Unpaid);
    retry::give_up(txn, &after);
}

/// Counts an attempt that is not sent, because it would be refused again.
pub fn count_without_trying(txn: &mut Txn<'_>, id: &str) {
    let count = txn.get(KIND, id).map_or(0, |it| int(&it, "attempt_count"));
    note_attempt(txn, id, count + 1);
    failed(txn, id);
}

/// Notes that an invoice was paid otherwise.
pub fn paid_elsewhere(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let invoice = txn.find(KIND, id, "id")?;
    Invoice::read(text(&invoice, "status")).allows(Act::Pay)?;
    let part = invoice.part::<InvoicePart>().into_owned();
    let now = txn.now().0;
    if let Some(payment) = &part.payment {
        txn.edit(PAYMENT, payment, |doc| {
            doc.insert("status".to_owned(), json!("canceled"));
            invoice::stamp(doc, "canceled_at", now);
        });
    }
    if let Some(pi) = &part.intent {
        drop(intent::cancel(txn, pi, None));
    }
    txn.edit_part(KIND, id, |part: &mut InvoicePart| part.paid_out_of_band = true);
    complete(txn, id, int(&invoice, "amount_due"), None);
    txn.find(KIND, id, "id")
}
