//! Making a subscription: what it is for, when it is billed, and its first invoice.

use crate::catalog::version::is_before;
use crate::sandbox::behaviour::billing::discount::{self, Holder};
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::items::{self, Pending, Spec};
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::start::Plan;
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{
    draft, ending, on_clock_of, proration, renew, split, sweep, threshold, trial,
};
use crate::sandbox::behaviour::document::{copy, int, merge_metadata, new, text};
use crate::sandbox::behaviour::payment::confirm::Outcome;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Members that are parameters of the same name.
const FIELDS: &[&str] = &[
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "description",
    "on_behalf_of",
    "schedule",
    "transfer_data",
];

/// Parameters that follow nothing yet: to take them would be to promise invoices that do not come.
pub const IDLE: &[&str] = &["billing_schedules"];

/// The key of a call that no client made: of a schedule or of a quote. A subscription that such a one makes runs at
/// once, and its first invoice is left as a draft for an hour.
pub const DRAFTS: &str = "_drafts";

/// The version from which on new subscriptions are billed flexibly.
const FLEXIBLE_FROM: &str = "2025-09-30";

/// What is said where a payment would need its payer and must not.
pub const NEEDS_ACTION: &str = "Payment for this subscription requires additional user action, but the requested payment behavior doesn't save the invoice or PaymentIntent. Retry the request with `payment_behavior=allow_incomplete` or `payment_behavior=default_incomplete`, then complete the PaymentIntent on the subscription's latest invoice. Additional information is available here: https://stripe.com/docs/billing/subscriptions/overview#requires-action";

/// Makes a subscription for a customer.
///
/// Fails for what cannot be billed; nothing is kept then.
pub fn create(txn: &mut Txn<'_>, call: &Call, customer: &str) -> Result<Arc<Object>, Failure> {
    let found = txn.find("customer", customer, "customer");
    let found = found.map_err(|failure| Failure { status: 404, ..failure })?;
    on_clock_of(txn, customer, |txn| make(txn, call, &found))
}

fn make(txn: &mut Txn<'_>, call: &Call, customer: &Arc<Object>) -> Result<Arc<Object>, Failure> {
    ensure_possible(txn, call, customer)?;
    let specs = items::read(txn, &sent_items(call)?, call.text("currency"))?;
    let Some(first) = specs.first() else { return Err(items::required("items")) };
    let plan = Plan::read(txn, call, &specs)?;
    let currency = call.text("currency").unwrap_or_else(|| text(&first.price, "currency"));
    let id = txn.new_id("sub_1", 23);
    let mut doc = new(KIND, members(txn, call, customer, (&id, currency, &plan)));
    write(txn, call, &mut doc)?;
    let mut made = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let mut item = items::item(txn, &id, spec, plan.first_of(&spec.price))?;
        let (sent, of) = (spec.sent.get("discounts"), (text(customer, "id"), currency));
        items::give_discounts(txn, &mut item, sent, of, &format!("items[{at}]"))?;
        made.push(item);
    }
    subscription::set_items(&mut doc, &made);
    threshold::ensure_beyond(txn, call, &doc)?;
    ending::write(txn, call, &mut doc)?;
    let sent = call.params.get("discounts").cloned().unwrap_or_default();
    let holder =
        Holder { member: "subscription", id: &id, customer: text(customer, "id"), currency };
    let mut given = discount::read(txn, &sent, holder, &[])?;
    given.extend(older_discount(txn, call, holder)?);
    doc.insert("discounts".to_owned(), json!(given));
    let part = SubscriptionPart { fresh: true, ..SubscriptionPart::default() };
    let made = subscription::store(txn, doc, part);
    txn.emit("customer.subscription.created", &made);
    bill(txn, call, customer, &plan, &made)?;
    finish(txn, &id, customer, &plan);
    txn.find(KIND, &id, "id")
}

/// `items`, or the one that an older version says by `plan` and `quantity`.
fn sent_items(call: &Call) -> Result<Vec<Value>, Failure> {
    let sent = call.list("items");
    if sent.is_empty() && call.sent("plan") {
        let mut item = json!({"plan": call.get("plan")});
        if let (Some(item), Some(quantity)) = (item.as_object_mut(), call.get("quantity")) {
            item.insert("quantity".to_owned(), quantity.clone());
        }
        return Ok(vec![item]);
    }
    if sent.is_empty() {
        return Err(items::required("items"));
    }
    Ok(sent.to_vec())
}

/// The discount that only older versions can name, by `coupon` or `promotion_code`.
pub fn older_discount(
    txn: &mut Txn<'_>,
    call: &Call,
    holder: Holder<'_>,
) -> Result<Option<String>, Failure> {
    if call.get("coupon").is_none() && call.get("promotion_code").is_none() {
        return Ok(None);
    }
    let named = json!({
        "coupon": call.get("coupon"), "promotion_code": call.get("promotion_code"),
    });
    let (offer, param) = crate::sandbox::behaviour::offer::Offer::named(txn, &named, "")?;
    discount::give(txn, &offer, holder, &param).map(Some)
}

/// Refuses what does not go together.
fn ensure_possible(txn: &mut Txn<'_>, call: &Call, customer: &Value) -> Result<(), Failure> {
    if call.text("payment_behavior") == Some("pending_if_incomplete") {
        let text = "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.";
        return Err(Failure::invalid(text).param("payment_behavior"));
    }
    ensure_collectible(call, call.text("collection_method"), customer)?;
    if let Some(method) = call.text("default_payment_method") {
        ensure_own(txn, text(customer, "id"), method)?;
    }
    split::ensure(txn, call, &Value::Null)?;
    call.ensure_modelled(" of subscriptions", &["customer_account"])?;
    call.ensure_modelled(" of subscriptions", IDLE)
}

/// Invoices are sent with a due date and to an address, or paid by themselves.
pub fn ensure_collectible(
    call: &Call,
    method: Option<&str>,
    customer: &Value,
) -> Result<(), Failure> {
    let sends = method == Some("send_invoice");
    if sends && call.get("days_until_due").is_none() {
        let text =
            "If invoice collection method is 'send_invoice', you must specify 'days_until_due'.";
        return Err(Failure::invalid(text));
    }
    if !sends && call.get("days_until_due").is_some() {
        let text =
            "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.";
        return Err(Failure::invalid(text));
    }
    if sends && text(customer, "email").is_empty() {
        return Err(Failure::invalid(MISSING_EMAIL));
    }
    Ok(())
}

/// What is said where an invoice has nowhere to go.
pub const MISSING_EMAIL: &str = "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email.";

/// Refuses a payment method that is not the customer's.
pub fn ensure_own(txn: &Txn<'_>, customer: &str, method: &str) -> Result<(), Failure> {
    let found = txn.get("payment_method", method);
    if found.is_some_and(|it| text(&it, "customer") == customer) {
        return Ok(());
    }
    let found = txn.find("payment_method", method, "default_payment_method")?;
    let message = format!(
        "The customer does not have a payment method with the ID {}. The payment method must be attached to the customer.",
        text(&found, "id")
    );
    Err(Failure::invalid(message).code("resource_missing").param("default_payment_method"))
}

fn members(
    txn: &Txn<'_>,
    call: &Call,
    customer: &Value,
    (id, currency, plan): (&str, &str, &Plan),
) -> Value {
    let now = txn.now().0;
    let method = call.text("collection_method").unwrap_or("charge_automatically");
    let status = match (plan.trial_end, method) {
        (Some(_), _) => "trialing",
        (None, "send_invoice") => "active",
        (None, _) if call.key == DRAFTS => "active",
        (None, _) => "incomplete",
    };
    json!({
        "id": id,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": plan.anchor.0, "billing_mode": billing_mode(call, now),
        "cancel_at_period_end": false,
        "cancellation_details": {
            "comment": null, "feedback": null, "feedback_option": null, "reason": null,
        },
        "collection_method": method, "created": now, "currency": currency,
        "customer": text(customer, "id"), "default_tax_rates": [], "discounts": [],
        "invoice_settings": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
            "issuer": {"type": "self"},
        },
        "livemode": false, "managed_payments": {"enabled": false},
        "payment_settings": {
            "payment_method_options": null, "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "start_date": plan.start.0, "status": status, "test_clock": customer.get("test_clock"),
        "trial_end": plan.trial_end.map(|end| end.0),
        "trial_settings": {
            "end_behavior": {"billing_cycle_anchor": "now", "missing_payment_method": "create_invoice"},
        },
        "trial_start": plan.trial_end.map(|_| now),
    })
}

/// How a subscription is billed: as asked, else as its version does.
pub fn billing_mode(call: &Call, now: i64) -> Value {
    let asked = call.hash("billing_mode");
    let kind = asked.and_then(|it| it.get("type")?.as_str());
    let usual = if is_before(&call.version.text, FLEXIBLE_FROM) { "classic" } else { "flexible" };
    if kind.unwrap_or(usual) == "classic" {
        return json!({"flexible": null, "type": "classic"});
    }
    let discounts = asked.and_then(|it| it.get("flexible")?.get("proration_discounts"));
    let discounts = discounts.cloned().unwrap_or_else(|| json!("included"));
    json!({
        "flexible": {"proration_discounts": discounts}, "type": "flexible", "updated_at": now,
    })
}

/// Writes the sent parameters that a subscription shows.
pub fn write(txn: &Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    copy(doc, call, FIELDS);
    split::shape(doc);
    sweep::write(txn, call, doc)?;
    threshold::write(call, doc)?;
    for name in ["automatic_tax", "invoice_settings", "payment_settings"] {
        if let (Some(Value::Object(known)), Some(sent)) = (doc.get_mut(name), call.hash(name)) {
            known.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    if let Some(Value::Object(automatic)) = doc.get_mut("automatic_tax") {
        let enabled = automatic.get("enabled") == Some(&json!(true));
        if enabled && automatic.get("liability").is_none_or(Value::is_null) {
            automatic.insert("liability".to_owned(), json!({"type": "self"}));
        }
    }
    let sent = call.hash("trial_settings").and_then(|it| it.get("end_behavior")?.as_object());
    let known = doc.get_mut("trial_settings").and_then(|it| it.get_mut("end_behavior"));
    if let (Some(Value::Object(known)), Some(sent)) = (known, sent) {
        known.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if call.sent("default_tax_rates") {
        let rates = items::tax_rates(txn, call.get("default_tax_rates"), "default_tax_rates")?;
        doc.insert("default_tax_rates".to_owned(), json!(rates));
    }
    if let Some(account) = call.text("on_behalf_of") {
        txn.at("").find("account", account, "on_behalf_of")?;
    }
    merge_metadata(doc, &call.params);
    Ok(())
}

/// The lines of the first invoice: what is added, what was pending, and the items.
fn lines(
    txn: &mut Txn<'_>,
    call: &Call,
    customer: &Value,
    plan: &Plan,
    made: &Object,
) -> Result<Vec<LinePart>, Failure> {
    let currency = text(made, "currency").to_owned();
    let mut lines =
        added(txn, call, (customer, text(made, "id"), &currency), plan.first(plan.shortest))?;
    let known: Vec<String> =
        lines.iter().filter_map(|it| line::invoice_item(&it.doc).map(str::to_owned)).collect();
    let pending = invoice::pending(txn, text(customer, "id"), &currency, Some(text(made, "id")));
    lines.extend(pending.into_iter().filter(|it| {
        line::invoice_item(&it.doc).is_none_or(|id| !known.iter().any(|known| known == id))
    }));
    let free = call.text("proration_behavior") == Some("none");
    for item in subscription::items(made) {
        let cost = items::cost(txn, item, &currency);
        let interval = renew::interval_of(item).unwrap_or(plan.shortest);
        for period in plan.billed(interval, free) {
            let whole = interval.around(plan.anchor, period.start);
            let how = if plan.trial_end.is_some() {
                How::Trial
            } else if free && plan.anchor > txn.now() {
                // Until the anchor that was asked for nothing is charged.
                How::Part(0)
            } else if whole.start < period.start && period.end == whole.end {
                How::Part(proration::share(cost, whole, period.start))
            } else {
                How::Whole
            };
            lines.push(line::regular(txn, made, item, (period, cost, how)));
        }
    }
    Ok(lines)
}

/// `add_invoice_items`, for the same period as the subscription.
pub fn added(
    txn: &mut Txn<'_>,
    call: &Call,
    (customer, subscription, currency): (&Value, &str, &str),
    period: Period,
) -> Result<Vec<LinePart>, Failure> {
    let mut lines = Vec::new();
    for (at, sent) in call.list("add_invoice_items").iter().enumerate() {
        let path = format!("add_invoice_items[{at}]");
        let sent = sent.as_object().cloned().unwrap_or_default();
        let Some(price) = items::price(txn, &sent, &path)? else {
            return Err(items::required(&format!("{path}[price]")));
        };
        let spec = Spec { price: Arc::clone(&price), sent };
        let quantity = spec.quantity().unwrap_or(1);
        let amount =
            crate::sandbox::behaviour::billing::plan::cost(txn, &price, currency, quantity);
        let unit = price.get("unit_amount_decimal").cloned().unwrap_or_default();
        let mut more = Doc::new();
        let parent = json!({
            "subscription_details": {"subscription": subscription, "subscription_item": null},
            "type": "subscription_details",
        });
        more.insert("parent".to_owned(), parent);
        let rates =
            items::tax_rates(txn, spec.sent.get("tax_rates"), &format!("{path}[tax_rates]"))?;
        more.insert("tax_rates".to_owned(), json!(rates));
        let item = items::put_pending(
            txn,
            Pending {
                customer,
                amount,
                currency,
                description: json!(line::product(txn, &price).0),
                period,
                pricing: line::pricing(&price, &unit),
                quantity,
                more,
            },
        );
        lines.push(line::of_invoice_item(txn, &item));
    }
    Ok(lines)
}

/// The first invoice, and its payment.
fn bill(
    txn: &mut Txn<'_>,
    call: &Call,
    customer: &Arc<Object>,
    plan: &Plan,
    made: &Arc<Object>,
) -> Result<(), Failure> {
    let (id, now) = (text(made, "id"), txn.now());
    let lines = lines(txn, call, customer, plan, made)?;
    let mut more = Doc::new();
    more.insert("auto_advance".to_owned(), json!(true));
    let first = invoice::draft(
        txn,
        Draft {
            id: None,
            customer,
            subscription: Some(made),
            reason: "subscription_create",
            period: Period::at(now),
            currency: text(made, "currency"),
            lines,
            more,
        },
    );
    let invoice = text(&first, "id").to_owned();
    txn.edit(KIND, id, |doc| drop(doc.insert("latest_invoice".to_owned(), json!(invoice))));
    discount::settle(txn, id, &first);
    subscription::note_billed(txn, id, &first);
    let is_sent = text(made, "collection_method") == "send_invoice";
    if (is_sent || call.key == DRAFTS) && int(&first, "total") > 0 {
        draft::advance(txn, &invoice, true);
        return Ok(());
    }
    let behaviour = call.text("payment_behavior").unwrap_or("allow_incomplete");
    let finalized = invoice::finalize(txn, &invoice)?;
    if text(&finalized, "status") == "paid" {
        money::follow_paid(txn, &finalized);
        return Ok(());
    }
    if behaviour == "default_incomplete" {
        return Ok(());
    }
    let off_session = call.flag("off_session") == Some(true);
    let how = Try { off_session, by_itself: false, method: None };
    match money::attempt(txn, &invoice, &how) {
        Ok(Outcome::RequiresAction { .. }) if behaviour == "error_if_incomplete" => {
            Err(Failure::of(402, FailureKind::Card, NEEDS_ACTION)
                .code("subscription_payment_intent_requires_action"))
        }
        Ok(_) => Ok(()),
        Err(failure) if failure.keeps_changes && behaviour != "error_if_incomplete" => Ok(()),
        Err(failure) => Err(Failure { keeps_changes: false, ..failure }),
    }
}

/// What is left to do once the first invoice was asked for.
fn finish(txn: &mut Txn<'_>, id: &str, customer: &Value, plan: &Plan) {
    let Some(known) = txn.get(KIND, id) else { return };
    let payable = money::method_of(txn, Some(&known), text(customer, "id")).is_some();
    let automatic = text(&known, "collection_method") == "charge_automatically";
    if plan.trial_end.is_some() && automatic && !payable {
        let intent = trial::prepare(txn, &known);
        txn.edit(KIND, id, |doc| {
            doc.insert("pending_setup_intent".to_owned(), json!(intent));
        });
    }
    renew::plan(txn, id);
    if text(&known, "status") == "incomplete" {
        txn.schedule(
            txn.now().plus(renew::EXPIRES_AFTER),
            renew::EXPIRE_JOB,
            &json!({"subscription": id}),
        );
    }
    let told = subscription::edit(txn, id, |_, part| part.fresh = false);
    if let Some((_, after)) = told {
        txn.retell("customer.subscription.created", &after);
    }
    if let Some(end) = plan.trial_end {
        trial::plan_notice(txn, id, end);
    }
    let currency = text(&known, "currency").to_owned();
    let changed = txn.edit("customer", text(customer, "id"), |doc| {
        if doc.get("currency").is_none_or(Value::is_null) {
            doc.insert("currency".to_owned(), json!(currency));
        }
    });
    if let Some((before, after)) = changed {
        txn.emit_change("customer.updated", &before, &after);
    }
}
