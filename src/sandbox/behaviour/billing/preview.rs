//! Previews: the invoice that would come, worked out by doing what leads to it and undoing that again.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice::{self, Draft, KIND};
use crate::sandbox::behaviour::billing::period::{DAY, Period};
use crate::sandbox::behaviour::billing::{
    added, change, create, items, lifecycle, on_clock_of, phase, renew, schedule, scheduled,
    subscription, supposed,
};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const NOTHING_NAMED: &str =
    "You must either provide a `customer` or a `subscription` to the upcoming invoice endpoint.";

/// Parameters that follow nothing yet.
const NOT_YET: &[&str] = &["customer_account"];

/// The invoice that would come next. Nothing is kept.
///
/// Fails where none would.
pub fn preview(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    call.ensure_modelled(" of previews", NOT_YET)?;
    let planned = match call.text("schedule") {
        Some(id) => Some(txn.find(phase::KIND, id, "schedule")?),
        None => None,
    };
    let own = planned.as_ref().map(|it| text(it, "subscription")).filter(|id| !id.is_empty());
    let named = match call.text("subscription").or(own) {
        Some(id) => Some(txn.find(subscription::KIND, id, "subscription")?),
        None => None,
    };
    let customer = call.text("customer").map(str::to_owned);
    let of = named.as_deref().or(planned.as_deref());
    let known = customer.or_else(|| Some(text(of?, "customer").to_owned()));
    match &known {
        Some(id) => drop(txn.find("customer", id, "customer")?),
        None if call.hash("customer_details").is_some() => {}
        None => return Err(Failure::invalid(NOTHING_NAMED)),
    }
    on_clock_of(txn, known.as_deref().unwrap_or_default(), |txn| {
        txn.supposing(|txn| {
            let customer = supposed::customer(txn, call, known.as_deref())?;
            add_items(txn, call, of, &customer)?;
            let id = match (call.hash("schedule_details"), planned.as_deref()) {
                (Some(details), planned) => by_phases(txn, call, details, (planned, &customer))?,
                (None, Some(planned)) if named.is_none() => first(txn, planned)?,
                _ => come(txn, call, named.as_ref(), &customer)?,
            };
            let found = txn.find(KIND, &id, "invoice")?;
            let mut invoice = shown(txn, &found);
            if let (None, Some(invoice)) = (&known, invoice.as_object_mut()) {
                invoice.insert("customer".to_owned(), Value::Null);
            }
            Ok(invoice)
        })
    })
}

/// The job that tells of the invoice at the end of a period.
pub const UPCOMING_JOB: &str = "invoice.upcoming";

/// How long before a renewal its invoice is told of. At Stripe it is a setting, and this what it is at first.
pub const NOTICE: i64 = 7 * DAY;

/// The job behind [`UPCOMING_JOB`].
pub fn on_upcoming(txn: &mut Txn<'_>, args: &Value) {
    let Some(known) = txn.get(subscription::KIND, text(args, "subscription")) else { return };
    let status = text(&known, "status");
    if lifecycle::is_over(status) || status == "paused" {
        return;
    }
    let coming = txn.supposing(|txn| {
        let id = next(txn, &known).ok()?;
        Some(shown(txn, &*txn.get(KIND, &id)?))
    });
    if let Some(invoice) = coming {
        txn.emit_about("invoice.upcoming", &invoice);
    }
}

/// Adds what is to be on the invoice beside what would be, and changes what is pending.
fn add_items(
    txn: &mut Txn<'_>,
    call: &Call,
    of: Option<&Object>,
    customer: &str,
) -> Result<(), Failure> {
    let found = txn.find("customer", customer, "customer")?;
    for (at, item) in call.list("invoice_items").iter().enumerate() {
        let mut params = item.as_object().cloned().unwrap_or_default();
        if let Some(id) = params.remove("invoiceitem") {
            let param = format!("invoice_items[{at}][invoiceitem]");
            let id = id.as_str().unwrap_or_default();
            let known = txn.find(items::INVOICE_ITEM, id, &param)?;
            added::change(txn, &Call { params, ..call.clone() }, &known)?;
            continue;
        }
        let mut own = [of, Some(&*found)].into_iter().flatten().map(|it| text(it, "currency"));
        if let Some(currency) = own.find(|currency| !currency.is_empty()) {
            params.entry("currency").or_insert_with(|| json!(currency));
        }
        added::make(txn, &Call { params, ..call.clone() }, &found)?;
    }
    Ok(())
}

/// Has a schedule run by other phases, or a new one; the invoice that comes of it.
fn by_phases(
    txn: &mut Txn<'_>,
    call: &Call,
    details: &Doc,
    (planned, customer): (Option<&Object>, &str),
) -> Result<String, Failure> {
    let mut params = details.clone();
    let latest = |txn: &Txn<'_>, schedule: &Value| {
        let own = txn.get(subscription::KIND, text(schedule, "subscription"));
        own.map(|it| (text(&it, "latest_invoice").to_owned(), it))
    };
    let Some(planned) = planned else {
        let starts = details.get("phases").and_then(|all| all.get(0)?.get("start_date").cloned());
        params.insert("start_date".to_owned(), starts.unwrap_or_else(|| json!("now")));
        params.insert("customer".to_owned(), json!(customer));
        let made = scheduled::create(txn, &Call { params, ..call.clone() })?;
        return match latest(txn, &made) {
            Some((invoice, _)) => Ok(invoice),
            None => first(txn, &made),
        };
    };
    let before = latest(txn, planned).map(|it| it.0);
    let after = scheduled::update(txn, &Call { params, ..call.clone() }, text(planned, "id"))?;
    match latest(txn, &after) {
        Some((invoice, own)) if Some(&invoice) == before.as_ref() => next(txn, &own),
        Some((invoice, _)) => Ok(invoice),
        None => first(txn, &after),
    }
}

/// Has the invoice come about; its id.
fn come(
    txn: &mut Txn<'_>,
    call: &Call,
    named: Option<&Arc<Object>>,
    customer: &str,
) -> Result<String, Failure> {
    let asked = asked(call);
    let items = asked.params.get("items").and_then(Value::as_array);
    if named.is_none() && items.is_some_and(|items| !items.is_empty()) {
        let made = create::create(txn, &asked, customer)?;
        return Ok(text(&made, "latest_invoice").to_owned());
    }
    let mut found = named.cloned().or_else(|| soonest(txn, customer));
    if let Some(known) = &found
        && asked.params.len() > 1
    {
        let after = change::update(txn, &asked, text(known, "id"))?;
        let latest = text(&after, "latest_invoice").to_owned();
        if latest != text(known, "latest_invoice") {
            return Ok(latest);
        }
        found = Some(after);
    }
    match found {
        Some(known) => next(txn, &known),
        None => pending(txn, customer),
    }
}

/// The first invoice of a schedule that has not begun.
fn first(txn: &mut Txn<'_>, planned: &Value) -> Result<String, Failure> {
    let starts = planned.get("phases").and_then(|all| all.get(0)?.get("start_date")?.as_i64());
    let at = starts.map_or(txn.now(), Timestamp).max(txn.now());
    let id = text(planned, "id").to_owned();
    txn.at_instant(at, |txn| schedule::on_turn(txn, &json!({"schedule": id})));
    let begun = txn.find(phase::KIND, &id, "schedule")?;
    let made = txn.get(subscription::KIND, text(&begun, "subscription"));
    let made = made.ok_or_else(|| none(text(planned, "customer")))?;
    Ok(text(&made, "latest_invoice").to_owned())
}

/// The call that would change the subscription, or make it. Nobody is charged.
fn asked(call: &Call) -> Call {
    let mut params = Map::new();
    for (name, value) in call.hash("subscription_details").into_iter().flatten() {
        params.insert(name.clone(), value.clone());
    }
    for name in ["automatic_tax", "currency", "discounts"] {
        if let Some(value) = call.params.get(name) {
            params.insert(name.to_owned(), value.clone());
        }
    }
    params.insert("payment_behavior".to_owned(), json!("default_incomplete"));
    Call { params, ..call.clone() }
}

/// The subscription of a customer that is billed next.
fn soonest(txn: &Txn<'_>, customer: &str) -> Option<Arc<Object>> {
    let all = txn.having(subscription::KIND, "customer", customer);
    let running = all.into_iter().filter(|it| !lifecycle::is_over(text(it, "status")));
    running.min_by_key(|it| subscription::period_end(it))
}

fn none(customer: &str) -> Failure {
    let text = format!("No upcoming invoices for customer: {customer}");
    Failure { status: 404, ..Failure::invalid(text).code("invoice_upcoming_none") }
}

/// The invoice at the end of the period.
fn next(txn: &mut Txn<'_>, known: &Object) -> Result<String, Failure> {
    let id = text(known, "id").to_owned();
    let end = subscription::period_end(known).map_or(txn.now(), Timestamp);
    let args = json!({"subscription": id});
    txn.at_instant(end.max(txn.now()), |txn| renew::on_due(txn, &args));
    let after = txn.find(subscription::KIND, &id, "subscription")?;
    let latest = text(&after, "latest_invoice");
    if latest == text(known, "latest_invoice") {
        return Err(none(text(known, "customer")));
    }
    Ok(latest.to_owned())
}

/// An invoice of what is pending.
fn pending(txn: &mut Txn<'_>, customer: &str) -> Result<String, Failure> {
    let found = txn.find("customer", customer, "customer")?;
    let currency = match text(&found, "currency") {
        "" => crate::sandbox::engine::settings::Settings::of(txn).get("currency").to_owned(),
        own => own.to_owned(),
    };
    let lines = invoice::pending(txn, customer, &currency, None);
    if lines.is_empty() {
        return Err(none(customer));
    }
    let period = Period::at(txn.now());
    let draft = Draft {
        id: None,
        customer: &found,
        subscription: None,
        reason: "manual",
        period,
        currency: &currency,
        lines,
        more: Doc::new(),
    };
    Ok(text(&invoice::draft(txn, draft), "id").to_owned())
}

/// The invoice as a preview shows it: without number, and under ids that name nothing.
fn shown(txn: &Txn<'_>, invoice: &Object) -> Value {
    let mut doc = invoice.as_object().cloned().unwrap_or_default();
    let id = txn.new_id("upcoming_in_1", 23);
    let mut lines = invoice.part::<InvoicePart>().into_owned().lines;
    for line in &mut lines {
        let own = txn.new_id("il_tmp_1", 23);
        crate::sandbox::behaviour::billing::line::set(line, "id", json!(own));
        crate::sandbox::behaviour::billing::line::set(line, "invoice", json!(id));
    }
    let shown = crate::sandbox::behaviour::billing::line::shown(&id, &lines);
    let none = json!({
        "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
    });
    for (name, value) in [
        ("attempt_count", json!(0)),
        ("attempted", json!(false)),
        ("automatically_finalizes_at", Value::Null),
        ("billing_reason", json!("upcoming")),
        ("effective_at", Value::Null),
        ("hosted_invoice_url", Value::Null),
        ("id", json!(id)),
        ("invoice_pdf", Value::Null),
        ("lines", shown),
        ("number", Value::Null),
        ("status", json!("draft")),
        ("status_transitions", none),
        ("webhooks_delivered_at", Value::Null),
    ] {
        doc.insert(name.to_owned(), value);
    }
    Value::Object(doc)
}
