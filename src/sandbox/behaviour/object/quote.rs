//! Quotes, as the API makes, changes, opens, accepts and shows them.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::phase;
use crate::sandbox::behaviour::billing::quote::{self as kept, KIND};
use crate::sandbox::behaviour::billing::{create, items, line, on_clock_of};
use crate::sandbox::behaviour::object::{Handler, copy, fit, merge_metadata, new, text};
use crate::sandbox::behaviour::offer::Offer;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, QuotePart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Members that are parameters of the same name.
const FIELDS: &[&str] = &[
    "application_fee_amount",
    "application_fee_percent",
    "collection_method",
    "description",
    "expires_at",
    "footer",
    "header",
    "on_behalf_of",
];

/// Seconds for which a quote can be accepted where nothing is said.
const LASTS: i64 = 30 * DAY;

/// The behaviour of `/v1/quotes`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/quotes" => make,
        "GET /v1/quotes" => list_all,
        "GET /v1/quotes/{quote}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/quotes/{quote}" => update,
        "POST /v1/quotes/{quote}/accept" => {
            |txn, call| kept::accept(txn, call.id(0)).map(Body::from)
        }
        "POST /v1/quotes/{quote}/cancel" => {
            |txn, call| kept::cancel(txn, call.id(0)).map(Body::from)
        }
        "POST /v1/quotes/{quote}/finalize" => {
            |txn, call| kept::finalize(txn, call, call.id(0)).map(Body::from)
        }
        "GET /v1/quotes/{quote}/line_items" => |txn, call| {
            let found = found(txn, call)?;
            list::page_of(call, "item", &kept::shown(&found.part::<QuotePart>().lines))
        },
        "GET /v1/quotes/{quote}/computed_upfront_line_items" => |txn, call| {
            let found = found(txn, call)?;
            let lines = kept::upfront(&found, &found.part::<QuotePart>());
            list::page_of(call, "item", &kept::shown(&lines))
        },
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find(KIND, call.id(0), "id")
}

fn make(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of quotes", &["customer_account"])?;
    let customer = match call.text("customer") {
        Some(id) => Some(txn.find("customer", id, "customer")?),
        None => None,
    };
    let clock = customer.as_ref().and_then(|it| it.get("test_clock").cloned());
    let clock = clock.filter(Value::is_string).or_else(|| call.get("test_clock").cloned());
    if let Some(id) = call.text("test_clock") {
        txn.find("test_helpers.test_clock", id, "test_clock")?;
    }
    let named = clock.as_ref().and_then(|it| it.as_str().map(str::to_owned));
    txn.on_clock(named.as_deref(), |txn| draft(txn, call, clock.unwrap_or_default()))
}

fn draft(txn: &mut Txn<'_>, call: &Call, clock: Value) -> Result<Body, Failure> {
    let (id, now) = (txn.new_id("qt_1", 23), txn.now());
    let (mut doc, mut part) = match call.hash("from_quote") {
        Some(from) => cloned(txn, call, &Value::Object(from.clone()))?,
        None => (blank(txn, call), QuotePart::default()),
    };
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("id", json!(id));
    set("created", json!(now.0));
    set("expires_at", json!(now.plus(LASTS).0));
    set("test_clock", clock);
    write(txn, call, &mut doc, &mut part)?;
    txn.put_with(doc, part);
    let Some((_, made)) = kept::edit(txn, &id, |_, _| {}) else { return Ok(json!({}).into()) };
    txn.emit("quote.created", &made);
    Ok(made.into())
}

fn blank(txn: &Txn<'_>, call: &Call) -> Doc {
    let data = call.hash("subscription_data").and_then(|it| it.get("billing_mode"));
    let params = data.map(|mode| ("billing_mode".to_owned(), mode.clone())).into_iter().collect();
    let mode = create::billing_mode(&Call { params, ..call.clone() }, txn.now().0);
    let mut mode = mode.as_object().cloned().unwrap_or_default();
    mode.remove("updated_at");
    new(
        KIND,
        json!({
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "collection_method": "charge_automatically", "default_tax_rates": [], "discounts": [],
            "invoice_settings": {
                "custom_fields": null, "days_until_due": null, "description": null,
                "footer": null, "issuer": {"type": "self"},
            },
            "livemode": false, "metadata": {}, "status": "draft",
            "status_transitions": {"accepted_at": null, "canceled_at": null, "finalized_at": null},
            "subscription_data": {
                "billing_mode": mode, "description": null, "effective_date": null,
                "metadata": {}, "trial_period_days": null,
            },
        }),
    )
}

/// A draft that says what another quote says. Believed: the sentence.
fn cloned(txn: &Txn<'_>, call: &Call, from: &Value) -> Result<(Doc, QuotePart), Failure> {
    let other =
        call.params.keys().find(|name| !["expires_at", "from_quote"].contains(&name.as_str()));
    if let Some(other) = other {
        let text = format!("You cannot set `{other}` if `from_quote` is set.");
        return Err(Failure::invalid(text).param(other));
    }
    let original = txn.find(KIND, text(from, "quote"), "from_quote[quote]")?;
    let is_revision = from.get("is_revision") == Some(&json!(true));
    if is_revision {
        kept::ensure_status(&original, "revised", &["open"])?;
    }
    let mut doc = original.as_object().cloned().unwrap_or_default();
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    for name in ["invoice", "number", "subscription", "subscription_schedule"] {
        set(name, Value::Null);
    }
    set("from_quote", json!({"is_revision": is_revision, "quote": text(&original, "id")}));
    set("status", json!("draft"));
    let none = json!({"accepted_at": null, "canceled_at": null, "finalized_at": null});
    set("status_transitions", none);
    let mut part = original.part::<QuotePart>().into_owned();
    part.job = None;
    for line in &mut part.lines {
        line::set(line, "id", json!(txn.new_id("li_1", 23)));
    }
    Ok((doc, part))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    kept::ensure_status(&known, "updated", &["draft"])?;
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
    }
    on_clock_of(txn, text(&known, "customer"), |txn| {
        let mut doc = known.as_object().cloned().unwrap_or_default();
        let mut part = known.part::<QuotePart>().into_owned();
        write(txn, call, &mut doc, &mut part)?;
        txn.put_with(doc, part);
        let changed = kept::edit(txn, text(&known, "id"), |_, _| {});
        Ok(changed.map_or_else(|| Body::from(Arc::clone(&known)), |(_, after)| after.into()))
    })
}

/// Writes what was sent into a quote.
fn write(
    txn: &mut Txn<'_>,
    call: &Call,
    doc: &mut Doc,
    part: &mut QuotePart,
) -> Result<(), Failure> {
    copy(doc, call, FIELDS);
    copy(doc, call, &["customer"]);
    if let Some(at) = call.int("expires_at")
        && Timestamp(at) <= txn.now()
    {
        let text = "The `expires_at` of a quote must be in the future.";
        return Err(Failure::invalid(text).param("expires_at"));
    }
    if let Some(sent) = call.hash("automatic_tax") {
        let enabled = sent.get("enabled") == Some(&json!(true));
        let liability = enabled.then(|| json!({"type": "self"}));
        let (provider, status) =
            if enabled { (Some("stripe"), Some("complete")) } else { (None, None) };
        doc.insert(
            "automatic_tax".to_owned(),
            json!({"enabled": enabled, "liability": liability, "provider": provider, "status": status}),
        );
    }
    for name in ["invoice_settings", "subscription_data"] {
        if let (Some(Value::Object(known)), Some(sent)) = (doc.get_mut(name), call.hash(name)) {
            let sent = sent.iter().filter(|(name, _)| *name != "billing_mode");
            known.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    if let Some(at) = doc.get_mut("subscription_data").and_then(|it| it.get_mut("effective_date"))
        && at.is_string()
    {
        // Without a subscription to change there is no period whose end it could be.
        *at = Value::Null;
    }
    if let Some(sent) = call.get("transfer_data") {
        doc.insert("transfer_data".to_owned(), fit(Some(sent), KIND, &["transfer_data"]));
    }
    if call.sent("default_tax_rates") {
        let rates = items::tax_rates(txn, call.get("default_tax_rates"), "default_tax_rates")?;
        let ids: Vec<&str> = rates.iter().map(|rate| text(rate, "id")).collect();
        doc.insert("default_tax_rates".to_owned(), json!(ids));
    }
    if call.sent("line_items") {
        part.lines = lines(txn, call, part)?;
        let first = part.lines.first().and_then(|line| line.doc.get("currency").cloned());
        doc.insert("currency".to_owned(), first.unwrap_or_default());
    }
    if call.sent("discounts") {
        part.discounts.clear();
        let mut ids = Vec::new();
        for (at, sent) in call.list("discounts").iter().enumerate() {
            ids.push(discount(txn, doc, sent, at)?);
            part.discounts.push(sent.clone());
        }
        doc.insert("discounts".to_owned(), json!(ids));
    }
    if let Some(meta) = doc.get("subscription_data").and_then(|it| it.get("metadata"))
        && meta.is_null()
        && let Some(Value::Object(data)) = doc.get_mut("subscription_data")
    {
        data.insert("metadata".to_owned(), json!({}));
    }
    merge_metadata(doc, &call.params);
    Ok(())
}

/// The discount that a quote shows. What is accepted is given its own.
fn discount(txn: &mut Txn<'_>, quote: &Doc, sent: &Value, at: usize) -> Result<String, Failure> {
    if let Some(id) = sent.get("discount").and_then(Value::as_str) {
        return txn
            .find("discount", id, &format!("discounts[{at}][discount]"))
            .map(|it| text(&it, "id").to_owned());
    }
    let path = phase::entries(Some(&json!([sent])));
    let entry = path.get(0).cloned().unwrap_or_default();
    let (offer, _) = Offer::named(txn, &entry, &format!("discounts[{at}]"))?;
    let customer = quote.get("customer").and_then(Value::as_str).map(str::to_owned);
    let made = offer.give(txn, ("object", "discount"), customer.as_deref());
    Ok(text(&made, "id").to_owned())
}

/// The lines that a call asks for; one that names its id keeps it, and what was not said of it.
fn lines(txn: &mut Txn<'_>, call: &Call, known: &QuotePart) -> Result<Vec<LinePart>, Failure> {
    let mut lines: Vec<LinePart> = Vec::new();
    for (at, sent) in call.list("line_items").iter().enumerate() {
        let path = format!("line_items[{at}]");
        let sent = sent.as_object().cloned().unwrap_or_default();
        let id = sent.get("id").and_then(Value::as_str);
        let old = known.lines.iter().find(|line| Some(text(&line.doc, "id")) == id).cloned();
        let price = match items::price(txn, &sent, &path)? {
            Some(price) => price.document(),
            None => old
                .as_ref()
                .and_then(|old| old.doc.get("price").cloned())
                .ok_or_else(|| items::required(&format!("{path}[price]")))?,
        };
        items::tax_rates(txn, sent.get("tax_rates"), &format!("{path}[tax_rates]"))?;
        let currency = text(&price, "currency").to_owned();
        if lines.first().is_some_and(|first| text(&first.doc, "currency") != currency) {
            let text = "All line items of a quote must have prices in the same currency.";
            return Err(Failure::invalid(text).param(format!("{path}[price]")));
        }
        let quantity = sent.get("quantity").and_then(Value::as_i64);
        let quantity =
            quantity.or_else(|| old.as_ref()?.doc.get("quantity")?.as_i64()).unwrap_or(1);
        let id = old
            .as_ref()
            .map_or_else(|| txn.new_id("li_1", 23), |old| text(&old.doc, "id").to_owned());
        let rates = match sent.get("tax_rates") {
            Some(rates) => line::names(Some(rates)),
            None => old.map_or_else(Vec::new, |old| old.rates),
        };
        let mut doc = new(
            "item",
            json!({
                "id": id, "amount_discount": 0, "amount_subtotal": 0, "amount_tax": 0,
                "amount_total": 0, "currency": currency, "description": line::product(txn, &price).0,
                "price": price, "quantity": quantity,
            }),
        );
        merge_metadata(&mut doc, &sent);
        lines.push(LinePart { doc: Value::Object(doc), rates, ..LinePart::default() });
    }
    Ok(lines)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let names = ["customer", "customer_account", "status", "test_clock"];
    list::page(txn, call, KIND, &list::same(call, &names))
}
