//! What a customer does in a portal. Everything is done by the API's own calls: so it follows the same rules, and the
//! same events tell of it.

use crate::sandbox::behaviour::billing::{scheduled, subscription};
use crate::sandbox::behaviour::cards::CardEntry;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::object;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::behaviour::portal::{SESSION, offer, visit};
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const SUBSCRIPTION: &str = "/v1/subscriptions/{subscription_exposed_id}";

/// What became of something that may need its owner's confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is done.
    Fully,
    /// It will be, once the period ends.
    Later,
    /// The intent of that id waits for the owner.
    Asks(String),
}

/// Another plan or quantity of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The price.
    pub price: String,
    /// How many.
    pub quantity: i64,
    /// `discounts` as the API takes them; null where none are given.
    pub discounts: Value,
}

/// What a change would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// What is due at once.
    pub today: i64,
    /// What is due for each period from then on, before taxes and discounts.
    pub then: i64,
    /// When it begins, where it waits for the end of the period.
    pub begins: Option<i64>,
}

/// Calls an endpoint of the API.
fn call(txn: &mut Txn<'_>, key: &str, ids: &[&str], params: Value) -> Result<Value, Failure> {
    let Some(handler) = object::handler(key) else {
        return Err(Failure::of(501, FailureKind::Api, format!("{key} is not modelled.")));
    };
    let version = Version { text: txn.site().api_version.clone(), named: true };
    let params = match params {
        Value::Object(params) => params,
        _ => Map::new(),
    };
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let call = Call { key: key.to_owned(), ids, params, version };
    handler(txn, &call).map(crate::sandbox::call::body::Body::into_document)
}

/// Keeps a card for later payments of a customer. It becomes the default once its owner has confirmed it, see
/// [`make_default`].
pub fn keep_card(
    txn: &mut Txn<'_>,
    customer: &str,
    card: &CardEntry,
    return_url: &str,
) -> Result<(Done, String), Failure> {
    let chosen = method::create_card(txn, card)?;
    let params = json!({
        "confirm": true, "customer": customer, "payment_method": chosen,
        "payment_method_types": ["card"], "return_url": return_url,
    });
    let intent = call(txn, "POST /v1/setup_intents", &[], params)?;
    let id = text(&intent, "id").to_owned();
    let asks = text(&intent, "status") == "requires_action";
    Ok((if asks { Done::Asks(id) } else { Done::Fully }, chosen))
}

/// The card that a customer has confirmed by a setup intent.
pub fn confirmed(txn: &Txn<'_>, customer: &str, intent: &str) -> Option<String> {
    let intent = txn.get("setup_intent", intent)?;
    let fits = text(&intent, "customer") == customer && text(&intent, "status") == "succeeded";
    fits.then(|| text(&intent, "payment_method").to_owned())
}

/// Has a card pay what comes next: of one subscription, else of the customer. Subscriptions that a card of their own
/// pays keep it.
pub fn make_default(
    txn: &mut Txn<'_>,
    customer: &str,
    card: &str,
    of: Option<&str>,
) -> Result<(), Failure> {
    let Some(of) = of else {
        let params = json!({"invoice_settings": {"default_payment_method": card}});
        return call(txn, "POST /v1/customers/{customer}", &[customer], params).map(drop);
    };
    let params = json!({"default_payment_method": card});
    call(txn, &format!("POST {SUBSCRIPTION}"), &[of], params).map(drop)
}

/// Forgets a card.
pub fn remove_card(txn: &mut Txn<'_>, card: &str) -> Result<(), Failure> {
    let key = "POST /v1/payment_methods/{payment_method}/detach";
    call(txn, key, &[card], json!({})).map(drop)
}

/// Ends a subscription as the configuration has it: with its period, or at once. Says whether it was at once.
pub fn cancel(
    txn: &mut Txn<'_>,
    id: &str,
    configuration: &Value,
    (reason, comment): (&str, &str),
) -> Result<bool, Failure> {
    let said = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let details = json!({"feedback": said(reason), "comment": said(comment)});
    // A change that waits is given up with what it would change.
    stay(txn, id)?;
    let feature = configuration.pointer("/features/subscription_cancel").cloned();
    let feature = feature.unwrap_or_default();
    if text(&feature, "mode") != "immediately" {
        let params = json!({"cancel_at_period_end": true, "cancellation_details": details});
        return call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params).map(|_| false);
    }
    let proration = text(&feature, "proration_behavior");
    let params = json!({
        "cancellation_details": details, "invoice_now": proration == "always_invoice",
        "prorate": proration != "none",
    });
    call(txn, &format!("DELETE {SUBSCRIPTION}"), &[id], params).map(|_| true)
}

/// Takes the end of a subscription back.
pub fn keep(txn: &mut Txn<'_>, id: &str) -> Result<(), Failure> {
    let known = txn.find(subscription::KIND, id, "id")?;
    let params = if known.get("cancel_at_period_end") == Some(&json!(true)) {
        json!({"cancel_at_period_end": false})
    } else {
        json!({"cancel_at": null})
    };
    call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params).map(drop)
}

/// Takes a change back that waits for the end of the period.
pub fn stay(txn: &mut Txn<'_>, id: &str) -> Result<(), Failure> {
    let known = txn.find(subscription::KIND, id, "id")?;
    let schedule = text(&known, "schedule");
    if schedule.is_empty() {
        return Ok(());
    }
    let key = "POST /v1/subscription_schedules/{schedule}/release";
    call(txn, key, &[schedule], json!({})).map(drop)
}

/// Stops collecting for a subscription, until then or until it is resumed.
pub fn pause(txn: &mut Txn<'_>, id: &str, until: Option<i64>) -> Result<(), Failure> {
    let how = match until {
        Some(until) => json!({"behavior": "void", "resumes_at": until}),
        None => json!({"behavior": "void"}),
    };
    let params = json!({"pause_collection": how});
    call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params).map(drop)
}

/// Goes on with a subscription that is paused.
pub fn resume(txn: &mut Txn<'_>, id: &str) -> Result<(), Failure> {
    let known = txn.find(subscription::KIND, id, "id")?;
    if text(&known, "status") == "paused" {
        let key = "POST /v1/subscriptions/{subscription}/resume";
        return call(txn, key, &[id], json!({})).map(drop);
    }
    let params = json!({"pause_collection": null});
    call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params).map(drop)
}

/// Changes a subscription. Where its payment is declined, nothing changes; where its owner has to confirm it, the
/// invoice stays open until then.
pub fn change(
    txn: &mut Txn<'_>,
    id: &str,
    configuration: &Value,
    to: &Change,
) -> Result<Done, Failure> {
    let known = txn.find(subscription::KIND, id, "id")?;
    let wanted = (to.price.as_str(), to.quantity);
    if offer::waits_until(txn, configuration, &known, wanted).is_some() {
        let item = json!({"price": to.price, "quantity": to.quantity});
        let mut phase = json!({"items": [item], "proration_behavior": "none"});
        if let (false, Some(phase)) = (to.discounts.is_null(), phase.as_object_mut()) {
            phase.insert("discounts".to_owned(), to.discounts.clone());
        }
        return scheduled::change_later(txn, id, &phase).map(|_| Done::Later);
    }
    let params = changes(txn, id, configuration, to)?;
    let with = |behaviour: &str| {
        let mut params = params.clone();
        params.insert("payment_behavior".to_owned(), json!(behaviour));
        Value::Object(params)
    };
    let mut params = with("error_if_incomplete");
    let key = format!("POST {SUBSCRIPTION}");
    // What is refused leaves no trace; only then is it known whether the owner may still confirm it.
    let tried = txn.supposing(|txn| call(txn, &key, &[id], params.clone()));
    if let Err(failure) = tried {
        if failure.code.as_deref() != Some("subscription_payment_intent_requires_action") {
            return Err(Failure { keeps_changes: false, ..failure });
        }
        params = with("allow_incomplete");
    }
    let after = call(txn, &key, &[id], params)?;
    let invoice = txn.get("invoice", text(&after, "latest_invoice"));
    let intent = invoice.and_then(|it| it.part::<InvoicePart>().intent.clone());
    let intent = intent.and_then(|id| txn.get("payment_intent", &id));
    let asks = intent.filter(|it| text(it, "status") == "requires_action");
    Ok(asks.map_or(Done::Fully, |it| Done::Asks(text(&it, "id").to_owned())))
}

/// What a change would come to. Nothing is changed.
pub fn estimate(
    txn: &mut Txn<'_>,
    id: &str,
    configuration: &Value,
    to: &Change,
) -> Result<Estimate, Failure> {
    let mut params = changes(txn, id, configuration, to)?;
    params.insert("payment_behavior".to_owned(), json!("default_incomplete"));
    let params = Value::Object(params);
    let known = txn.find(subscription::KIND, id, "id")?;
    let wanted = (to.price.as_str(), to.quantity);
    let begins = offer::waits_until(txn, configuration, &known, wanted);
    if begins.is_some() {
        let price = txn.find("price", &to.price, "price")?;
        return Ok(Estimate { today: 0, then: offer::cost(txn, &price, to.quantity), begins });
    }
    txn.supposing(|txn| {
        let after = call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params)?;
        let latest = text(&after, "latest_invoice");
        let is_new = latest != text(&known, "latest_invoice");
        let today = txn.get("invoice", latest).filter(|_| is_new);
        let today = today.map_or(0, |it| int(&it, "amount_due"));
        let price = txn.find("price", &to.price, "price")?;
        Ok(Estimate { today, then: offer::cost(txn, &price, to.quantity), begins })
    })
}

/// The parameters of a change.
fn changes(
    txn: &Txn<'_>,
    id: &str,
    configuration: &Value,
    to: &Change,
) -> Result<Map<String, Value>, Failure> {
    let known = txn.find(subscription::KIND, id, "id")?;
    let item = subscription::items(&known).first().map_or("", |it| text(it, "id"));
    let feature = configuration.pointer("/features/subscription_update").cloned();
    let feature = feature.unwrap_or_default();
    let mut params = Map::new();
    let mut set = |name: &str, value: Value| params.insert(name.to_owned(), value);
    set("items", json!([{"id": item, "price": to.price, "quantity": to.quantity}]));
    set("proration_behavior", json!(text(&feature, "proration_behavior")));
    let ends_trial = text(&feature, "trial_update_behavior") == "end_trial";
    if text(&known, "status") == "trialing" && ends_trial {
        set("trial_end", json!("now"));
    }
    if text(&feature, "billing_cycle_anchor") == "now" {
        set("billing_cycle_anchor", json!("now"));
    }
    if !to.discounts.is_null() {
        set("discounts", to.discounts.clone());
    }
    Ok(params)
}

/// Gives a subscription the discount of a coupon.
pub fn take_offer(txn: &mut Txn<'_>, id: &str, coupon: &str) -> Result<(), Failure> {
    let params = json!({"discounts": [{"coupon": coupon}]});
    call(txn, &format!("POST {SUBSCRIPTION}"), &[id], params).map(drop)
}

/// Changes what is known of a customer.
pub fn describe(txn: &mut Txn<'_>, customer: &str, params: Value) -> Result<(), Failure> {
    call(txn, "POST /v1/customers/{customer}", &[customer], params).map(drop)
}

/// Adds a tax id to a customer.
pub fn add_tax_id(
    txn: &mut Txn<'_>,
    customer: &str,
    (kind, value): (&str, &str),
) -> Result<(), Failure> {
    let params = json!({"type": kind, "value": value});
    call(txn, "POST /v1/customers/{customer}/tax_ids", &[customer], params).map(drop)
}

/// Opens a session for whoever signs in with an e-mail address: the newest customer who has it, of those with a
/// subscription where there are any.
pub fn sign_in(txn: &mut Txn<'_>, configuration: &Object, email: &str) -> Option<Arc<Object>> {
    let known = txn.having("customer", "email", email);
    let subscribes = |customer: &&Arc<Object>| {
        !txn.having(subscription::KIND, "customer", text(customer, "id")).is_empty()
    };
    let chosen = known.iter().find(subscribes).or(known.first())?;
    let id = text(chosen, "id").to_owned();
    Some(visit::open(txn, &id, configuration, visit::Wish::default()))
}

/// Notes that what a session was opened for is done, where it was.
pub fn finish(txn: &mut Txn<'_>, session: &str) {
    if txn.get(SESSION, session).is_some_and(|it| visit::flow(&it).is_some()) {
        visit::finish(txn, session);
    }
}

/// Whether a configuration lets its customers sign in by themselves.
pub fn lets_in(configuration: &Value) -> bool {
    configuration.pointer("/login_page/enabled") == Some(&json!(true))
        && configuration.get("active") == Some(&json!(true))
}
