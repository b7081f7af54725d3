//! Where a line belongs in a ledger on several servers. Everything about one payment is on one of them, so that no subject
//! of the book is worked out from half of its facts, and which one that is follows from the line alone: an event is never
//! on two.

use crate::domain::book::creem::PREFIX;
use crate::domain::book::line::{Line, SEEN};
use crate::domain::entry::Fact as Seen;
use crate::domain::event::CREEM;
use serde_json::Value;

/// What a line is about: its PaymentIntent, else its charge, else its object, else itself.
pub fn home(line: &Line) -> String {
    let row = line.meaning.rows.first().and_then(|row| match row {
        Seen::Session(it) => it.payment_intent.as_deref(),
        Seen::Refund(it) => Some(it.payment_intent.as_str()),
    });
    if let Some(intent) = row {
        return intent.to_owned();
    }
    let body: Value = serde_json::from_slice(&line.body).unwrap_or_default();
    let named = match object_of(line, &body) {
        Some(object) if line.kind.starts_with(CREEM) => of_creem(object),
        Some(object) => of_object(object).map(str::to_owned),
        None => body.pointer("/0/session").and_then(Value::as_str).map(str::to_owned),
    };
    named.or_else(|| line.object.clone()).unwrap_or_else(|| line.id.clone())
}

/// Whether the home of a line is known. What a balance transaction says is said of its source, and of a source that is
/// only named it is not known which payment it is of.
pub fn is_sure(line: &Line) -> bool {
    if line.kind != SEEN {
        return true;
    }
    let body: Value = serde_json::from_slice(&line.body).unwrap_or_default();
    let all = body.as_array().map_or(&[][..], Vec::as_slice);
    let one = |one: &Value| {
        let Some(object) = one.get("fetched") else { return true };
        let source = object.get("source").and_then(Value::as_str);
        is(object) != Some("balance_transaction") || !source.is_some_and(is_of_payment)
    };
    all.len() < 2 && all.iter().all(one)
}

/// The object whose payment a line that is not sure of its home would have to say; nothing where it is about several.
pub fn unsaid(line: &Line) -> Option<String> {
    let body: Value = serde_json::from_slice(&line.body).ok()?;
    let one = body.as_array().filter(|all| all.len() == 1)?.first()?;
    one.pointer("/fetched/source")?.as_str().map(str::to_owned)
}

/// The objects of which a line says where they belong: what it is about, and its charge.
pub fn said(line: &Line) -> Vec<String> {
    let body: Value = serde_json::from_slice(&line.body).unwrap_or_default();
    let Some(object) = object_of(line, &body) else { return Vec::new() };
    let named = ["latest_charge", "charge"].into_iter().filter_map(|name| object.get(name));
    named.chain([object]).filter_map(id).map(str::to_owned).collect()
}

/// The object that a line is about.
fn object_of<'b>(line: &Line, body: &'b Value) -> Option<&'b Value> {
    match line.kind.as_str() {
        SEEN => body.get(0).and_then(|one| one.get("fetched")),
        _ => body.pointer("/data/object").or_else(|| body.get("object")),
    }
}

/// Which of several servers has a home. Never changed: what is written stands where it is.
pub fn server_of(home: &str, servers: usize) -> usize {
    // FNV-1a; its high bits are mixed into the low ones, which alone count.
    let hash = home.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let servers = u64::try_from(servers).unwrap_or(1).max(1);
    usize::try_from((hash ^ (hash >> 32)) % servers).unwrap_or(0)
}

fn is(object: &Value) -> Option<&str> {
    object.get("object").and_then(Value::as_str)
}

/// Whether an id is that of a part of a payment.
fn is_of_payment(id: &str) -> bool {
    ["ch_", "py_", "re_", "pyr_", "dp_", "du_", "fee_"].iter().any(|it| id.starts_with(it))
}

fn of_object(object: &Value) -> Option<&str> {
    let other = |name: &str| object.get(name).filter(|it| !it.is_null());
    let payment =
        other("payment_intent").or_else(|| object.pointer("/payment/payment_intent")).and_then(id);
    if payment.is_some() {
        return payment;
    }
    match is(object) {
        Some("balance_transaction") => other("source").and_then(of_other).or_else(|| id(object)),
        // A transfer, a payout and what has no payment is about itself.
        _ => other("charge").and_then(of_other).or_else(|| id(object)),
    }
}

/// Another object, expanded or not.
fn of_other(value: &Value) -> Option<&str> {
    if value.is_object() { of_object(value) } else { value.as_str() }
}

fn of_creem(object: &Value) -> Option<String> {
    let order = object.get("order").and_then(|order| order.get("transaction"));
    let transaction = ["transaction", "last_transaction", "last_transaction_id"]
        .into_iter()
        .find_map(|name| object.get(name).filter(|it| !it.is_null()))
        .or(order);
    let named = transaction.and_then(id).or_else(|| id(object))?;
    Some(format!("{PREFIX}{named}"))
}

fn id(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id").and_then(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::Source;
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use serde_json::json;

    fn event(kind: &str, object: &Value) -> Line {
        let event = json!({"id": "evt_1", "object": "event", "type": kind, "created": 5, "livemode": false,
            "data": {"object": object}});
        Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll)
    }

    fn fetched(object: &Value) -> Line {
        Line::fetched(object, Timestamp(7), Timestamp(9), Source::Seen)
    }

    #[test]
    fn everything_about_a_payment_has_one_home() {
        let refund = json!({"id": "re_1", "object": "refund", "amount": 5, "currency": "jpy", "charge": "ch_1",
            "payment_intent": "pi_1", "status": "succeeded"});
        let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 5, "currency": "jpy", "charge": "ch_1",
            "payment_intent": "pi_1", "status": "needs_response"});
        let transaction = |source: &Value| {
            json!({"id": "txn_1", "object": "balance_transaction", "amount": 5, "fee": 1, "net": 4,
                "currency": "jpy", "source": source})
        };
        let charge = json!({"id": "ch_1", "object": "charge", "amount": 5, "currency": "jpy", "captured": true,
            "status": "succeeded", "created": 4, "payment_intent": {"id": "pi_1", "object": "payment_intent"}});
        let session = json!({"id": "cs_1", "object": "checkout.session", "amount_total": 5, "currency": "jpy",
            "created": 4, "payment_status": "paid", "payment_intent": "pi_1"});
        let paid = json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "amount_paid": 5,
            "currency": "jpy", "status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}});
        for line in [
            event("refund.created", &refund),
            event("charge.dispute.created", &dispute),
            event("charge.succeeded", &charge),
            event("charge.refunded", &charge),
            event("checkout.session.completed", &session),
            event("payment_intent.succeeded", &json!({"id": "pi_1", "object": "payment_intent"})),
            event("invoice_payment.paid", &paid),
            event(
                "review.opened",
                &json!({"id": "prv_1", "charge": "ch_1", "payment_intent": "pi_1"}),
            ),
            fetched(&transaction(&charge)),
            fetched(&transaction(&refund)),
            fetched(&refund),
            // What stands apart means nothing, and has its home all the same.
            event("refund.created", &refund).apart(crate::domain::book::line::Apart::OtherMode),
        ] {
            assert_eq!(home(&line), "pi_1", "{}", line.kind);
            assert!(is_sure(&line), "{}", line.kind);
        }
        let alone = json!({"id": "ch_2", "object": "charge", "amount": 5, "currency": "jpy", "payment_intent": null});
        let back = json!({"id": "re_2", "object": "refund", "amount": 5, "currency": "jpy", "charge": "ch_2",
            "payment_intent": null, "status": "succeeded"});
        assert_eq!(home(&event("charge.updated", &alone)), "ch_2");
        assert_eq!(home(&event("refund.created", &back)), "ch_2");
        assert_eq!(home(&event("payout.paid", &json!({"id": "po_1", "object": "payout"}))), "po_1");
        assert_eq!(home(&fetched(&transaction(&json!("po_1")))), "po_1");
        assert!(is_sure(&fetched(&transaction(&json!("po_1")))));
        let unsure = fetched(&transaction(&json!("ch_1")));
        assert!(!is_sure(&unsure), "whose charge is that?");
        assert_eq!(unsaid(&unsure).unwrap(), "ch_1");
        assert_eq!(unsaid(&fetched(&transaction(&charge))), None);
        assert_eq!(said(&event("charge.succeeded", &charge)), ["ch_1"]);
        let intent = json!({"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1"});
        assert_eq!(said(&event("payment_intent.succeeded", &intent)), ["ch_1", "pi_1"]);
    }

    #[test]
    fn a_server_is_drawn_the_same_forever() {
        // Written down once: another answer would look for a payment where it is not.
        let drawn: Vec<usize> =
            ["pi_1", "pi_2", "pi_3", "pi_4", "ch_1", "po_1", "creem/tran_1", ""]
                .iter()
                .map(|home| server_of(home, 2))
                .collect();
        assert_eq!(drawn, [1, 0, 1, 0, 1, 1, 1, 1]);
        assert_eq!(server_of("pi_1", 1), 0);
        let of_second = (0..10_000).filter(|n| server_of(&format!("pi_{n}"), 2) == 1).count();
        assert!((4_800..5_200).contains(&of_second), "{of_second}");
    }
}
