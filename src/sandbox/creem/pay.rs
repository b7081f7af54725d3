//! Paying a checkout: the order, the transaction, the customer, the subscription and the licence keys that come of it.

use crate::sandbox::behaviour::cards::{self, CardEntry};
use crate::sandbox::creem::checkout::{self, KIND, Price};
use crate::sandbox::creem::document::{find, iso, new, set, text};
use crate::sandbox::creem::money::{self, Sale};
use crate::sandbox::creem::product::{self, is_recurring};
use crate::sandbox::creem::{customer, discount, licence, subscription, webhook};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Who pays, and with what.
#[derive(Clone, Debug, Default)]
pub struct Payer {
    /// The address that the customer is known by.
    pub email: String,
    /// The name.
    pub name: Option<String>,
    /// Two capital letters.
    pub country: Option<String>,
    /// The card; `None` where nothing is asked for.
    pub card: Option<CardEntry>,
    /// What was typed into the custom fields, by key.
    pub custom: HashMap<String, String>,
}

/// Pays a checkout. Fails with what the card's bank says, and with a 400 where it is paid already.
pub fn pay(txn: &mut Txn<'_>, id: &str, payer: &Payer) -> Result<Arc<Object>, Failure> {
    let open = checkout::open(txn, id)?;
    let sold = find(txn, product::KIND, text(&open, "product"))?;
    let part = open.part::<CreemPart>().into_owned();
    let off = part.discount.as_deref().and_then(|id| txn.get(discount::KIND, id));
    let price = checkout::price(&open, &sold, off.as_deref().map(|off| &**off));
    let needs_card = price.due > 0 || is_recurring(&sold);
    let card = if needs_card { charged(txn, payer)? } else { String::new() };
    let buyer = buyer(txn, &open, payer);
    let order = order(txn, (&open, &sold), &buyer, (price, off.as_deref()));
    let began = subscription::Begun {
        checkout: &open,
        product: &sold,
        customer: &buyer,
        order: text(&order, "id"),
        card: &card,
        discount: off.as_deref(),
        price,
    };
    let subscription = is_recurring(&sold).then(|| subscription::begin(txn, &began));
    let paid = transaction(txn, &order, subscription.as_deref(), price);
    if let (Some(subscription), Some(paid)) = (&subscription, &paid) {
        subscription::paid_by(txn, text(subscription, "id"), paid);
    }
    let order_id = text(&order, "id").to_owned();
    if let Some(paid) = &paid {
        let transaction = text(paid, "id").to_owned();
        txn.edit("order", &order_id, |doc| {
            doc.insert("transaction".to_owned(), json!(transaction));
        });
    }
    if let Some(off) = off.filter(|_| price.discount > 0 || subscription.is_some()) {
        discount::redeem(txn, text(&off, "id"));
    }
    let keys = licence::issue(txn, &sold, text(&buyer, "id"));
    txn.edit(KIND, id, |doc| {
        set(doc, "status", Some(json!("completed")));
        set(doc, "order", Some(json!(order_id)));
        set(doc, "customer", buyer.get("id").cloned());
        set(doc, "subscription", subscription.as_ref().and_then(|it| it.get("id").cloned()));
        set(doc, "license_keys", keys);
        checkout::keep_custom(doc, |key| payer.custom.get(key).cloned());
    });
    let done = find(txn, KIND, id)?;
    let shown = checkout::show(txn, &done);
    webhook::tell(txn, "checkout.completed", &shown);
    if let Some(subscription) = &subscription {
        subscription::tell_begun(txn, text(subscription, "id"));
    }
    Ok(done)
}

/// The card, where its bank lets it pay: its fingerprint.
fn charged(txn: &Txn<'_>, payer: &Payer) -> Result<String, Failure> {
    let Some(entry) = &payer.card else {
        return Err(Failure::of(402, FailureKind::Card, "Your card number is incomplete.")
            .code("invalid_number"));
    };
    let card = cards::check(entry, txn.now())?;
    match money::refused_at_once(card) {
        None => Ok(cards::fingerprint(card.number)),
        Some(decline) => {
            let failure = Failure::of(402, FailureKind::Card, decline.message());
            let failure = failure.code(decline.code);
            Err(match decline.decline_code {
                Some(code) => failure.with("decline_code", code),
                None => failure,
            })
        }
    }
}

/// The customer of the checkout, or of the address that was typed, made where nobody has it.
fn buyer(txn: &mut Txn<'_>, checkout: &Value, payer: &Payer) -> Arc<Object> {
    let known = txn
        .get(customer::KIND, text(checkout, "customer"))
        .or_else(|| customer::by_email(txn, &payer.email));
    let found = match known {
        Some(known) => known,
        None => customer::make(txn, &payer.email, payer.name.as_deref()),
    };
    let Some(country) = payer.country.clone() else { return found };
    let edited = txn.edit(customer::KIND, text(&found, "id"), |doc| {
        doc.insert("country".to_owned(), json!(country));
    });
    edited.map_or(found, |(_, after)| after)
}

fn order(
    txn: &mut Txn<'_>,
    (checkout, product): (&Value, &Value),
    customer: &Value,
    (price, off): (Price, Option<&Object>),
) -> Arc<Object> {
    // What is due later is no part of the order of a trial.
    let amount = if product.get("trial_period_days").is_some() { price.due } else { price.amount };
    let members = json!({
        "customer": text(customer, "id"), "product": text(product, "id"), "transaction": null,
        "discount": off.map(|off| text(off, "id")), "amount": amount, "sub_total": amount, "tax_amount": 0,
        "discount_amount": price.discount, "amount_due": price.due, "amount_paid": price.due,
        "currency": text(product, "currency"), "fx_amount": null, "fx_currency": null, "fx_rate": null,
        "status": "paid", "type": if is_recurring(product) { "recurring" } else { "onetime" },
        "affiliate": null, "created_at": iso(txn.now()),
    });
    let doc = new(txn, ("order", "ord_"), members);
    txn.put_with(
        doc,
        CreemPart { checkout: text(checkout, "id").to_owned(), ..CreemPart::default() },
    )
}

/// The transaction of what is due today; nothing where nothing is.
fn transaction(
    txn: &mut Txn<'_>,
    order: &Value,
    subscription: Option<&Object>,
    price: Price,
) -> Option<Arc<Object>> {
    let part = subscription.map(|it| it.part::<CreemPart>());
    let sale = Sale {
        amount: price.due + price.discount,
        discount: price.discount,
        currency: money::named(order, "currency"),
        order: money::named(order, "id"),
        customer: money::named(order, "customer"),
        subscription: subscription.map(|it| money::named(it, "id")),
        period: part.map(|part| subscription::period(&part)),
    };
    (price.due > 0).then(|| money::transact(txn, &sale, true))
}
