//! Cards as their payment methods keep them: stored, found again, checked by their bank.

use crate::domain::card::{Behaviour, Card};
use crate::sandbox::behaviour::cards::{self, Billing};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// The test card behind a payment method.
pub fn card_of(method: &Value) -> Option<&'static Card> {
    cards::by_fingerprint(text(method.get("card")?, "fingerprint"))
}

/// Ready-made payment methods expire in this month of the next year.
pub fn ready_made_expiry(txn: &Txn<'_>) -> (i64, i64) {
    let today = txn.now().rfc3339();
    let part = |range| today.get(range).and_then(|t: &str| t.parse::<i64>().ok()).unwrap_or(1);
    (part(5..7), part(0..4) + 1)
}

/// Stores a card payment method of that id, which belongs to nobody yet.
pub fn put_card(
    txn: &mut Txn<'_>,
    id: &str,
    card: &Card,
    (exp_month, exp_year): (i64, i64),
    billing: &Billing,
    has_cvc: bool,
) {
    let details = json!({
        "brand": card.brand,
        "checks": {
            "address_line1_check": null, "address_postal_code_check": null,
            "cvc_check": if has_cvc { json!("unchecked") } else { Value::Null },
        },
        "country": card.country, "display_brand": display_brand(card), "exp_month": exp_month,
        "exp_year": exp_year, "fingerprint": cards::fingerprint(card.number),
        "funding": card.funding, "generated_from": null, "last4": card.last4(),
        "networks": {"available": networks(card), "preferred": null},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.supports_3ds()}, "wallet": null,
    });
    let part = PaymentMethodPart { cvc: has_cvc, ..PaymentMethodPart::default() };
    put_as(txn, id, ("card", &details), billing, part);
}

fn display_brand(card: &Card) -> &'static str {
    match card.brand {
        "amex" => "american_express",
        "diners" => "diners_club",
        "unionpay" => "union_pay",
        other => other,
    }
}

fn networks(card: &Card) -> Vec<&'static str> {
    let second = match card.method {
        Some(name) if name.ends_with("cartesBancaires") => Some("cartes_bancaires"),
        Some(name) if name.ends_with("eftposAuCoBranded") => Some("eftpos_au"),
        _ => None,
    };
    second.into_iter().chain([card.brand]).collect()
}

/// Stores a payment method of that id.
pub fn put_as(
    txn: &mut Txn<'_>,
    id: &str,
    (kind, details): (&str, &Value),
    billing: &Billing,
    part: PaymentMethodPart,
) {
    let shown = json!({
        "object": "payment_method", "id": id, "allow_redisplay": "unspecified",
        "billing_details": billing.shown(), "created": txn.now().0, "customer": null,
        "customer_account": null, "livemode": false, "metadata": {},
        "shared_payment_granted_token": null, "type": kind, kind: details,
    });
    txn.put_with(shown, part);
}

/// The checks of a card once its bank was asked; a check that was not asked for stays null.
pub fn checks(method: &Object) -> Value {
    let behaviour = card_of(method).map(|card| card.behaviour);
    let flag = match behaviour {
        Some(Behaviour::Flagged(name)) => name,
        Some(Behaviour::Declines { code: "incorrect_cvc", .. }) => "cvcCheckFail",
        _ => "",
    };
    let address = method.get("billing_details").and_then(|b| b.get("address"));
    let sent = |name: &str| address.is_some_and(|a| !text(a, name).is_empty());
    let result = |asked: bool, failing: &[&str]| match () {
        () if !asked => Value::Null,
        () if flag == "avsUnchecked" && failing.contains(&"avsFail") => json!("unavailable"),
        () if failing.contains(&flag) => json!("fail"),
        () => json!("pass"),
    };
    let has_cvc = method.part::<PaymentMethodPart>().cvc;
    json!({
        "address_line1_check": result(sent("line1"), &["avsFail", "avsLine1Fail"]),
        "address_postal_code_check": result(sent("postal_code"), &["avsFail", "avsZipFail", "avsZipFailElevatedRisk"]),
        "cvc_check": result(has_cvc, &["cvcCheckFail", "cvcCheckFailElevatedRisk"]),
    })
}
