//! Changing a running subscription: its items with what that costs or gives back, its anchor, its trial, its end.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::create::{self, ensure_own};
use crate::sandbox::behaviour::billing::discount::{self, Holder};
use crate::sandbox::behaviour::billing::ending;
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::lifecycle;
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::prorate;
use crate::sandbox::behaviour::billing::renew::{self, interval_of, items_of};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{
    draft, held, items, on_clock_of, scheduled, split, swap, threshold, trial, usage,
};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::confirm::Outcome;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{LinePart, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a canceled subscription may still change.
const AFTER_END: [&str; 2] = ["cancellation_details", "metadata"];

/// How what a change costs is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Billing {
    /// Whether parts of periods are charged and given back at all.
    pub prorates: bool,
    /// Whether that is billed at once.
    pub at_once: bool,
    /// From when on it counts.
    pub at: Timestamp,
    /// Whether the billing period begins anew now.
    pub anew: bool,
}

/// Changes a subscription as a call asks.
///
/// Fails for what it does not allow, and with a 402 where a payment has to succeed and does not; nothing is kept then.
pub fn update(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let customer = text(&known, "customer").to_owned();
    on_clock_of(txn, &customer, |txn| {
        let known = held::make_way(txn, call, known)?;
        apply(txn, call, &known)
    })
}

fn apply(txn: &mut Txn<'_>, call: &Call, known: &Arc<Object>) -> Result<Arc<Object>, Failure> {
    ensure_changeable(txn, call, known)?;
    if only_ends_trial(call, known) && !renew::goes_on(txn, known) {
        return txn.find(KIND, text(known, "id"), "id");
    }
    let sent = sent_items(call, known);
    let billing = billing(txn, call, known);
    let deltas = match &sent {
        Some(sent) => swap::deltas(txn, known, sent)?,
        None => Vec::new(),
    };
    let id = text(known, "id").to_owned();
    let mut doc = known.as_object().cloned().unwrap_or_default();
    let mut part = known.part::<SubscriptionPart>().into_owned();
    let waits = held::is_asked(call);
    create::write(txn, call, &mut doc)?;
    write_more(txn, call, &mut doc, known)?;
    ending::write(txn, call, &mut doc)?;
    let trial = Trial::read(txn, call, known)?;
    let plan = swap::plan(txn, known, &deltas, billing, trial.is_change());
    subscription::set_items(&mut doc, &plan.items);
    threshold::ensure_beyond(txn, call, &doc)?;
    trial.write(txn, &mut doc);
    if plan.anew {
        doc.insert("billing_cycle_anchor".to_owned(), json!(txn.now().0));
    }
    ending::plan_resume(txn, &doc, &mut part);
    let invoices = plan.anew || trial.is_change() || (billing.at_once && !deltas.is_empty());
    let invoice = invoices.then(|| invoice::new_id(txn));
    if let Some(invoice) = &invoice {
        doc.insert("latest_invoice".to_owned(), json!(invoice));
        if waits {
            held::begin(&mut part, invoice);
        }
    }
    let after = subscription::store(txn, doc, part);
    let period = period_before(known, txn.now(), plan.anew || trial.ends());
    let added = added(txn, call, &after)?;
    let pending = if billing.prorates && !trial.is_running(known) && !trial.ends() {
        let begins = trial.is_change() && text(known, "status") != "trialing";
        prorate::pend(txn, known, &after, &deltas, plan.anew || begins, billing)
    } else {
        0
    };
    if !waits {
        subscription::tell(txn, known, &after);
    }
    let is_due = pending + added > 0 || plan.anew || trial.is_change();
    if let Some(invoice) = invoice.filter(|_| is_due) {
        let used = plan.anew.then(|| usage::so_far(txn, known));
        bill(txn, call, (&after, &trial), (invoice, period), used)?;
    } else if invoices {
        // Nothing was to be billed after all.
        let latest = known.get("latest_invoice").cloned().unwrap_or_default();
        txn.edit(KIND, &id, |doc| drop(doc.insert("latest_invoice".to_owned(), latest)));
    }
    renew::plan(txn, &id);
    if waits {
        held::settle(txn, known);
    }
    threshold::look(txn, &id);
    txn.find(KIND, &id, "id")
}

/// Whether a call ends a running trial now and asks for nothing else.
fn only_ends_trial(call: &Call, known: &Value) -> bool {
    let ends = call.text("trial_end") == Some("now") && text(known, "status") == "trialing";
    ends && call.params.len() == 1
}

/// The time that an invoice of a change looks back on.
fn period_before(known: &Value, now: Timestamp, anew: bool) -> Period {
    let first = subscription::items(known).first().map(subscription::period_of);
    match first {
        Some(period) if !anew => Period { start: period.start, end: now },
        _ => Period::at(now),
    }
}

fn ensure_changeable(txn: &mut Txn<'_>, call: &Call, known: &Value) -> Result<(), Failure> {
    let status = text(known, "status");
    if lifecycle::is_over(status) {
        let allowed = call.params.keys().all(|name| AFTER_END.contains(&name.as_str()));
        if !allowed {
            let text =
                "A canceled subscription can only update its cancellation_details and metadata.";
            return Err(Failure::invalid(text).code("invalid_canceled_subscription_fields"));
        }
    }
    if call.sent("items") && call.sent("quantity") {
        let text = "Received both items and quantity parameters. Please pass in only one.";
        return Err(Failure::invalid(text));
    }
    if status == "paused" && call.sent("trial_end") {
        let text = "You cannot set `trial_end` while a subscription is `paused`. Resume the subscription first before setting `trial_end`.";
        return Err(Failure::invalid(text));
    }
    if let Some(method) = call.text("default_payment_method") {
        ensure_own(txn, text(known, "customer"), method)?;
    }
    held::ensure_allowed(call)?;
    scheduled::ensure_own_end(call, known)?;
    split::ensure(txn, call, known)?;
    call.ensure_modelled(" of subscriptions", create::IDLE)
}

/// The items that a call changes; `quantity` and `plan` by themselves are about the only one.
fn sent_items(call: &Call, known: &Value) -> Option<Vec<Value>> {
    if call.sent("items") {
        return Some(call.list("items").to_vec());
    }
    let only = match subscription::items(known) {
        [only] => text(only, "id"),
        _ => return None,
    };
    let mut item = Doc::new();
    for name in ["plan", "price", "quantity"] {
        if let Some(value) = call.get(name) {
            item.insert(name.to_owned(), value.clone());
        }
    }
    if item.is_empty() {
        return None;
    }
    item.insert("id".to_owned(), json!(only));
    Some(vec![Value::Object(item)])
}

/// How a call wants a change billed.
pub fn billing(txn: &Txn<'_>, call: &Call, known: &Value) -> Billing {
    let behaviour = call.text("proration_behavior").unwrap_or("create_prorations");
    let anchor = call.hash("billing_cycle_anchor").and_then(|it| it.get("type")?.as_str());
    let anchor = anchor.or_else(|| call.text("billing_cycle_anchor"));
    Billing {
        // A period that is paused is paid for by nobody.
        prorates: behaviour != "none" && text(known, "status") != "paused",
        at_once: behaviour == "always_invoice",
        at: call.int("proration_date").map_or(txn.now(), Timestamp),
        anew: anchor == Some("now") && text(known, "status") != "trialing",
    }
}

/// Writes the sent parameters that only a change of a subscription has, and its discounts.
pub fn write_more(
    txn: &mut Txn<'_>,
    call: &Call,
    doc: &mut Doc,
    known: &Value,
) -> Result<(), Failure> {
    if let Some(method) = call.text("collection_method") {
        doc.insert("collection_method".to_owned(), json!(method));
    }
    if let Some(details) = call.hash("cancellation_details")
        && let Some(Value::Object(shown)) = doc.get_mut("cancellation_details")
    {
        for name in ["comment", "feedback"] {
            if let Some(value) = details.get(name) {
                shown.insert(name.to_owned(), value.clone());
            }
        }
    }
    let (id, customer) = (text(known, "id"), text(known, "customer"));
    let currency = text(known, "currency");
    let holder = Holder { member: "subscription", id, customer, currency };
    if let Some(sent) = call.params.get("discounts") {
        let had = line::names(known.get("discounts"));
        let given = discount::read(txn, sent, holder, &had)?;
        doc.insert("discounts".to_owned(), json!(given));
    } else if call.sent("coupon") || call.sent("promotion_code") {
        let given = create::older_discount(txn, call, holder)?;
        doc.insert("discounts".to_owned(), json!(given.into_iter().collect::<Vec<_>>()));
    }
    Ok(())
}

/// What a call does to a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    /// Nothing.
    Stays,
    /// It ends now.
    Ends,
    /// It lasts until then.
    Until(Timestamp),
}

impl Trial {
    fn read(txn: &Txn<'_>, call: &Call, known: &Value) -> Result<Self, Failure> {
        let running = text(known, "status") == "trialing";
        if call.text("trial_end") == Some("now") {
            // On a subscription without a trial it says nothing.
            if !running {
                return Ok(Self::Stays);
            }
            let automatic = text(known, "collection_method") == "charge_automatically";
            if automatic && money::method_of(txn, Some(known), text(known, "customer")).is_none() {
                return Err(money::no_method());
            }
            return Ok(Self::Ends);
        }
        let Some(at) = call.int("trial_end") else { return Ok(Self::Stays) };
        trial::ensure_future(txn, "trial_end", at)?;
        Ok(Self::Until(Timestamp(at)))
    }

    const fn ends(self) -> bool {
        matches!(self, Self::Ends)
    }

    const fn is_change(self) -> bool {
        !matches!(self, Self::Stays)
    }

    fn is_running(self, known: &Value) -> bool {
        text(known, "status") == "trialing" && !self.ends()
    }

    fn write(self, txn: &Txn<'_>, doc: &mut Doc) {
        let now = txn.now();
        let mut all = items_of(doc);
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        match self {
            Self::Stays => return,
            Self::Ends => {
                set("status", json!("active"));
                set("trial_end", json!(now.0));
                set("billing_cycle_anchor", json!(now.0));
            }
            Self::Until(end) => {
                let status = doc.get("status").and_then(Value::as_str).unwrap_or_default();
                if status != "trialing" {
                    doc.insert("trial_start".to_owned(), json!(now.0));
                }
                let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
                set("status", json!("trialing"));
                set("trial_end", json!(end.0));
                set("billing_cycle_anchor", json!(end.0));
            }
        }
        for item in &mut all {
            let interval = interval_of(item);
            let start = subscription::period_of(item).start;
            let Some(item) = item.as_object_mut() else { continue };
            let period = match (self, interval) {
                (Self::Until(end), _) => Period { start: start.max(now).min(now), end },
                (_, Some(interval)) => interval.around(now, now),
                _ => continue,
            };
            item.insert("current_period_start".to_owned(), json!(period.start.0));
            item.insert("current_period_end".to_owned(), json!(period.end.0));
        }
        subscription::set_items(doc, &all);
    }
}

/// `add_invoice_items`, which ride on the next invoice; how many there are.
fn added(txn: &mut Txn<'_>, call: &Call, after: &Value) -> Result<usize, Failure> {
    if call.list("add_invoice_items").is_empty() {
        return Ok(0);
    }
    let customer = txn.find("customer", text(after, "customer"), "customer")?;
    let period = subscription::items(after).first().map(subscription::period_of);
    let period = period.unwrap_or(Period::at(txn.now()));
    let of = (&**customer, text(after, "id"), text(after, "currency"));
    create::added(txn, call, of, period).map(|lines| lines.len())
}

/// The invoice of a change, and its payment; `used` is what was used of a period that ends with it, where one does.
fn bill(
    txn: &mut Txn<'_>,
    call: &Call,
    (after, trial): (&Arc<Object>, &Trial),
    (id, period): (String, Period),
    used: Option<Vec<LinePart>>,
) -> Result<(), Failure> {
    let customer = txn.find("customer", text(after, "customer"), "customer")?;
    let currency = text(after, "currency").to_owned();
    let own = text(after, "id").to_owned();
    let mut lines: Vec<LinePart> =
        invoice::pending(txn, text(&customer, "id"), &currency, Some(&own));
    let anew = used.is_some();
    lines.extend(used.unwrap_or_default());
    if anew || trial.is_change() {
        let how = if matches!(trial, Trial::Until(_)) { How::Trial } else { How::Whole };
        for item in subscription::items(after) {
            let cost = items::cost(txn, item, &currency);
            let period = subscription::period_of(item);
            lines.push(line::regular(txn, after, item, (period, cost, how)));
        }
    }
    let mut more = Doc::new();
    more.insert("auto_advance".to_owned(), json!(true));
    let made = invoice::draft(
        txn,
        Draft {
            id: Some(id.clone()),
            customer: &customer,
            subscription: Some(after),
            reason: "subscription_update",
            period,
            currency: &currency,
            lines,
            more,
        },
    );
    subscription::note_billed(txn, &own, &made);
    discount::settle(txn, &own, &made);
    if text(after, "collection_method") == "send_invoice" && int(&made, "total") > 0 {
        draft::advance(txn, &id, true);
        return Ok(());
    }
    collect(txn, call, &id)
}

/// Gives the invoice of a change its number and charges for it.
pub fn collect(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<(), Failure> {
    let behaviour = call.text("payment_behavior").unwrap_or("allow_incomplete");
    let finalized = invoice::finalize(txn, id)?;
    if text(&finalized, "status") == "paid" || behaviour == "default_incomplete" {
        return Ok(());
    }
    let off_session = call.flag("off_session") == Some(true);
    let how = Try { off_session, by_itself: false, method: None };
    match money::attempt(txn, id, &how) {
        Ok(Outcome::RequiresAction { .. }) if behaviour == "error_if_incomplete" => {
            Err(Failure::of(402, FailureKind::Card, create::NEEDS_ACTION)
                .code("subscription_payment_intent_requires_action"))
        }
        Ok(_) => Ok(()),
        Err(failure) if failure.keeps_changes && behaviour != "error_if_incomplete" => Ok(()),
        Err(failure) => Err(Failure { keeps_changes: false, ..failure }),
    }
}
