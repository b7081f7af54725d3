//! `/c/session/{secret}`: a Checkout Session of a merchant's own page, as Stripe.js sees it, changes it and pays it.
//! Stripe documents only what its script makes of that, so what goes between is the sandbox's own, and the words of its
//! refusals are believed.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::cards::Billing;
use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::behaviour::checkout::attempt::{self, Means, Payer};
use crate::sandbox::behaviour::checkout::choose::{self, Choices, Coded};
use crate::sandbox::behaviour::document::{int, member, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::answer::open_json;
use crate::sandbox::page::leave;
use crate::sandbox::page::pay::is_shown_again;
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use axum::body::Bytes;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a page changes of its session before it is paid.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// Lines, and how many of each.
    quantities: Vec<(String, i64)>,
    /// The price of an optional item, and whether it is taken.
    optional: Option<(String, bool)>,
    /// A shipping rate.
    shipping: Option<String>,
    /// A promotion code; empty takes away the one that applies.
    code: Option<String>,
    /// Where taxes are.
    address: Option<Value>,
}

/// What a page pays with, and for whom.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Paid {
    payment_method: String,
    /// What the page showed to be due.
    due: Option<i64>,
    email: Option<String>,
    phone: Option<String>,
    /// `{name, address}`.
    billing: Option<Value>,
    shipping: Option<Value>,
    tax_id: Option<Value>,
    business_name: Option<String>,
    individual_name: Option<String>,
    save: bool,
}

/// One request of the page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Change(Wanted),
    Pay(Paid),
}

/// `GET /c/session/{secret}`.
pub async fn show(visit: Visit) -> Response {
    answer(&visit, Ok(()))
}

/// `POST /c/session/{secret}`: JSON, as plain text, so that a browser need not ask first.
pub async fn submit(visit: Visit, body: Bytes) -> Response {
    let Some(id) = find(&visit) else { return answer(&visit, Ok(())) };
    let done = match serde_json::from_slice(&body) {
        Ok(Asked::Change(wanted)) => change(&visit, &id, &wanted).await,
        Ok(Asked::Pay(paid)) => pay(&visit, &id, &paid).await,
        Err(error) => Err(Failure::invalid(format!("The request could not be read: {error}"))),
    };
    answer(&visit, done)
}

/// The id of the session that the secret in the address is of.
fn find(visit: &Visit) -> Option<String> {
    let (id, _) = visit.id.split_once("_secret_")?;
    let look = |view: &View| {
        let session = view.get(SESSION, id)?;
        let is_it = text(&session, "client_secret") == visit.id && leave::is_merchants(&session);
        is_it.then(|| id.to_owned())
    };
    visit.pages.world.read(look).filter(|_| !visit.is_foreign())
}

/// The session as it is now, or why what was asked for is not done.
fn answer(visit: &Visit, done: Result<(), Failure>) -> Response {
    // What was sent may be the secret of another session: only what is public of it is said again.
    let missing = || Failure::missing("checkout.session", public(&visit.id), "client_secret");
    let whole = match (done, find(visit)) {
        (Err(failure), _) => Err(failure),
        (Ok(()), None) => Err(missing()),
        (Ok(()), Some(id)) => {
            visit.pages.world.read(|view: &View| whole(view, &id)).ok_or_else(missing)
        }
    };
    match whole {
        Ok(whole) => open_json(200, &whole),
        Err(failure) => open_json(failure.status, &failure.body()),
    }
}

/// What may be said again of a client secret: the id that it begins with, and nothing of anything else.
fn public(secret: &str) -> &str {
    let id = secret.split_once("_secret_").map_or("", |(id, _)| id);
    if id.starts_with("cs_") { id } else { "" }
}

async fn change(visit: &Visit, id: &str, wanted: &Wanted) -> Result<(), Failure> {
    let choices = visit.pages.world.read(|view: &View| choices(view, id, wanted))?;
    let made = visit.pages.world.change(Origin::default(), |txn| choose::choose(txn, id, &choices));
    match made.await? {
        (_, Coded::Fine) => Ok(()),
        (_, Coded::Refused) => {
            Err(Failure::invalid("This promotion code is invalid.").code("promotion_code_invalid"))
        }
    }
}

/// What is wanted, as the session has it. Fails for what it has not.
fn choices(view: &View, id: &str, wanted: &Wanted) -> Result<Choices, Failure> {
    let unknown = |what: &str| Failure::invalid(format!("The session has no such {what}."));
    let session = view.find(SESSION, id, "session")?;
    let part = session.part::<SessionPart>();
    let mut quantities = wanted.quantities.clone();
    let is_line = |line: &str| part.line_items.iter().any(|it| text(it, "id") == line);
    if !quantities.iter().all(|(line, _)| is_line(line)) {
        return Err(unknown("line item"));
    }
    if let Some((price, taken)) = &wanted.optional {
        let of_price =
            |it: &&Value| it.pointer("/price/id").and_then(Value::as_str) == Some(price.as_str());
        let offered = part.optional.iter().map(|(item, _)| item).find(of_price);
        let looks = part.line_items.iter().zip(&part.line_looks);
        let bought = looks.filter(|(_, look)| look.optional).map(|it| it.0).find(of_price);
        let item = if *taken { offered } else { bought };
        let item = item.ok_or_else(|| unknown("optional item"))?;
        quantities.push((text(item, "id").to_owned(), i64::from(*taken)));
    }
    let shipping = match &wanted.shipping {
        None => None,
        Some(rate) => {
            let options = session.get("shipping_options").and_then(Value::as_array);
            let at = options.and_then(|all| {
                all.iter().position(|option| text(option, "shipping_rate") == rate)
            });
            Some(at.ok_or_else(|| unknown("shipping option"))?)
        }
    };
    let (code, address) = (wanted.code.clone(), wanted.address.clone());
    Ok(Choices { quantities, shipping, code, address })
}

async fn pay(visit: &Visit, id: &str, paid: &Paid) -> Result<(), Failure> {
    let tried = visit.pages.world.change(Origin::default(), |txn| pay_in(txn, id, paid));
    // A bank's question is told by the intent.
    tried.await.map(drop)
}

fn pay_in(txn: &mut Txn<'_>, id: &str, paid: &Paid) -> Result<(), Failure> {
    let session = txn.find(SESSION, id, "session")?;
    // Believed: that a total that the page does not show is never paid.
    if paid.due.is_some_and(|due| due != int(&session, "amount_total")) {
        return Err(Failure::invalid(
            "The amount due has changed. Show the new total before it is confirmed again.",
        ));
    }
    let method = txn.get("payment_method", &paid.payment_method);
    let mut billing = Billing::read(method.as_deref().and_then(|it| it.get("billing_details")));
    let of = |hash: &Option<Value>, name: &str| {
        hash.as_ref().and_then(|it| it.get(name)).filter(|it| !it.is_null()).cloned()
    };
    billing.email = paid.email.clone().or(billing.email);
    billing.phone = paid.phone.clone().or(billing.phone);
    let name = of(&paid.billing, "name").and_then(|it| it.as_str().map(str::to_owned));
    billing.name = name.or(billing.name);
    billing.address = of(&paid.billing, "address").or(billing.address);
    let known = session.pointer("/customer_details/email").and_then(Value::as_str);
    // Believed: in which words it is asked for.
    if billing.email.is_none() && known.is_none() {
        return Err(Failure::invalid(
            "An email is required: pass it to confirm, or call updateEmail before.",
        ));
    }
    let payer = Payer {
        billing,
        shipping: paid.shipping.clone(),
        tax_id: paid.tax_id.clone(),
        business_name: paid.business_name.clone(),
        individual_name: paid.individual_name.clone(),
        promotions: false,
        save: paid.save,
    };
    attempt::pay(txn, id, &Means::Method(paid.payment_method.clone()), &payer).map(drop)
}

/// What the page is told of its session.
fn whole(view: &View, id: &str) -> Option<Value> {
    let session = view.get(SESSION, id)?;
    let part = session.part::<SessionPart>();
    let named = |names: &[&str]| {
        let members = names.iter().map(|name| ((*name).to_owned(), member(&**session, name)));
        Value::Object(members.collect())
    };
    let currency = text(&session, "currency").parse::<Currency>();
    let optional = part.optional.iter().map(|(item, _)| (item, false));
    let looks = part.line_items.iter().zip(&part.line_looks);
    let taken = looks.filter(|(_, look)| look.optional).map(|(item, _)| (item, true));
    let optional: Vec<_> =
        optional.chain(taken).map(|(item, taken)| json!({"item": item, "taken": taken})).collect();
    let intents = [("payment_intent", "last_payment_error"), ("setup_intent", "last_setup_error")];
    let intent = intents.into_iter().find_map(|(kind, error)| {
        let intent = view.get(kind, text(&session, kind))?;
        Some(json!({
            "id": member(&**intent, "id"), "status": member(&**intent, "status"),
            "error": member(&**intent, error),
        }))
    });
    Some(json!({
        "session": named(&[
            "id", "amount_subtotal", "amount_total", "automatic_tax", "currency", "customer_details", "customer_email",
            "livemode", "mode", "payment_method_types", "payment_status", "return_url", "shipping_cost", "status",
            "total_details",
        ]),
        "decimals": currency.map_or(0, Currency::decimals),
        "lines": part.line_items,
        "optional": optional,
        "shipping": shipping(view, &session),
        "discount": part.discount.as_ref().map(|(_, coupon)| json!({
            "coupon": coupon, "code": code(view, &session),
        })),
        "saved": saved(view, &session),
        "intent": intent,
    }))
}

/// Its shipping options with what their rates are called.
fn shipping(view: &View, session: &Object) -> Vec<Value> {
    let options = session.get("shipping_options").and_then(Value::as_array);
    let told = |option: &Value| {
        let rate = view.get("shipping_rate", text(option, "shipping_rate"))?;
        Some(json!({
            "id": member(&**rate, "id"), "name": member(&**rate, "display_name"),
            "estimate": member(&**rate, "delivery_estimate"), "amount": option.get("shipping_amount"),
        }))
    };
    options.into_iter().flatten().filter_map(told).collect()
}

/// The promotion code that applies, as it was typed.
fn code(view: &View, session: &Object) -> Option<Value> {
    let discounts = session.get("discounts").and_then(Value::as_array);
    let id = discounts?.iter().find_map(|it| it.get("promotion_code")?.as_str())?;
    view.get("promotion_code", id)?.get("code").cloned()
}

/// The cards of its customer that it lets be shown again. Believed: that they are those of Checkout's own page.
fn saved(view: &View, session: &Object) -> Vec<Value> {
    let customer = text(session, "customer");
    let is_shown = |it: &&Arc<Object>| is_shown_again(session, it);
    let all = if customer.is_empty() {
        Vec::new()
    } else {
        view.having("payment_method", "customer", customer)
    };
    let told = |it: &Arc<Object>| json!({"id": member(&***it, "id"), "card": member(&***it, "card"), "billing_details": member(&***it, "billing_details")});
    all.iter().filter(is_shown).map(told).collect()
}
