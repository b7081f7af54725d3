//! Declared indexes: by which members the objects of a kind are found without looking at all of them.
//!
//! An entry is a hash of name and value, kept beside the object's place: sixteen bytes, whatever the value.
//! Two values may share a hash, so whoever finds an object by an index still looks at its member.

use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::{Envelope, TransactionPart};
use crate::wire::peek::{self, Raw};
use serde_json::Value;
use std::sync::Arc;

/// The members of a kind that lists filter by and searches ask for: dotted paths.
/// `metadata` stands for each of its keys.
pub const fn declared(kind: &str) -> &'static [&'static str] {
    match kind.as_bytes() {
        b"customer" => &["email", "metadata", "name", "phone", "test_clock"],
        b"charge" => &["customer", "metadata", "payment_intent", "transfer_group"],
        b"payment_intent" | b"subscription" => &["customer", "metadata", "status"],
        b"billing.credit_grant"
        | b"customer_balance_transaction"
        | b"customer_cash_balance_transaction"
        | b"payment_method"
        | b"quote"
        | b"source"
        | b"subscription_schedule"
        | b"tax_id" => &["customer"],
        b"checkout.session" => &[
            "customer",
            "customer_details.email",
            "payment_intent",
            "payment_link",
            "recovered_from",
            "status",
            "subscription",
        ],
        b"balance_transaction" => &["source", "type"],
        b"dispute" | b"radar.early_fraud_warning" | b"refund" => &["charge", "payment_intent"],
        b"price" => &["lookup_key", "metadata", "product"],
        b"product" => &["metadata", "name", "url"],
        b"event" => &["type"],
        b"application_fee" => &["charge"],
        b"bank_account" | b"card" => &["account", "customer"],
        b"fee_refund" => &["fee"],
        b"credit_note" | b"invoiceitem" => &["customer", "invoice"],
        b"billing.credit_balance_transaction" => &["credit_grant"],
        b"billing.meter" => &["event_name"],
        b"billing.meter_event" => &["identifier", "of"],
        b"invoice" => &[
            "customer",
            "metadata",
            "number",
            "parent.subscription_details.subscription",
            "status",
        ],
        b"invoice_payment" => &["invoice", "payment.payment_intent"],
        b"person" => &["account"],
        b"subscription_item" => &["subscription"],
        b"setup_attempt" => &["setup_intent"],
        b"setup_intent" => &["customer", "payment_method"],
        b"file_link" => &["file"],
        b"billing_portal.session" | b"payment_link" => &["url"],
        b"promotion_code" => &["code", "promotion.coupon"],
        b"radar.value_list_item" => &["value_list"],
        b"transfer" => &["destination", "source_transaction", "transfer_group"],
        b"transfer_reversal" => &["transfer"],
        b"_delivery" => &["endpoint", "event", "status"],
        _ => &[],
    }
}

/// The name under which a transaction is found by its currency for as long as it is in no payout.
pub const UNPAID: &str = "_unpaid";

/// Whether a balance transaction is available and in no payout yet.
pub fn is_unpaid(stored: &Stored) -> bool {
    let part = stored.part::<TransactionPart>();
    part.is_none_or(|part| part.payout.is_none())
        && peek::member(&stored.text, &["status"]).and_then(Raw::plain).as_deref()
            == Some("available")
}

/// The hash under which `value` of the member at `path` is found. Capitals count as small letters,
/// since searches do not tell them apart.
pub fn key(path: &str, value: &str) -> u64 {
    // FNV-1a over both, then scattered: entries are compared, and a shared hash costs one look more.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    let mut hash = path.bytes().fold(0xCBF2_9CE4_8422_2325, step);
    hash = step(hash, 0);
    if value.is_ascii() {
        hash = value.bytes().map(|b| b.to_ascii_lowercase()).fold(hash, step);
    } else {
        hash = value.to_lowercase().bytes().fold(hash, step);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 29)
}

/// The hash of an id. Ids that differ in capitals alone share one, as any two may.
pub fn id_key(id: &str) -> u64 {
    key("", id)
}

/// The hash of one key of `metadata`.
pub fn metadata_key(name: &str, value: &str) -> u64 {
    key(&format!("metadata.{name}"), value)
}

/// Kinds of which more than their text says how they are found.
fn by_part(kind: &str) -> bool {
    matches!(kind, "event" | "_delivery" | "balance_transaction")
}

/// Whether an object is found as it was before by what is seen at once: its text is the very same, and nothing but the
/// text says how it is found.
pub fn is_found_alike(before: &Stored, after: &Stored) -> bool {
    !by_part(after.kind) && Arc::ptr_eq(&before.text, &after.text)
}

/// Whether what says how an object of a kind is found is the same in two documents of it.
pub fn are_found_alike(kind: &str, before: &Value, after: &Value) -> bool {
    fn at<'d>(doc: &'d Value, path: &str) -> Option<&'d Value> {
        path.split('.').try_fold(doc, |at, name| at.get(name))
    }
    let is_whole = |doc: &Value| doc.get("deleted").is_none();
    let same = |path: &&str| at(before, path) == at(after, path);
    !by_part(kind) && is_whole(before) && is_whole(after) && declared(kind).iter().all(same)
}

/// Every hash under which an object is found.
pub fn keys(stored: &Stored) -> Vec<u64> {
    let mut found = vec![id_key(&stored.id)];
    match stored.kind {
        "event" => {
            if let Some(envelope) = stored.part::<Envelope>() {
                found.push(key("type", &envelope.kind));
            }
        }
        "_delivery" => {
            if let Some(delivery) = stored.part::<crate::sandbox::engine::private::Delivery>() {
                found.push(key("endpoint", &delivery.endpoint));
                found.push(key("event", &delivery.event));
                found.push(key("status", delivery.status.name()));
            }
        }
        kind => {
            if kind == "balance_transaction" && is_unpaid(stored) {
                let currency = peek::member(&stored.text, &["currency"]).and_then(Raw::plain);
                found.extend(currency.map(|currency| key(UNPAID, &currency)));
            }
            let paths = declared(kind);
            if paths.is_empty() || stored.is_deleted() {
                return found;
            }
            for (name, raw) in peek::members(&stored.text) {
                for path in paths {
                    if let Some(rest) = path.strip_prefix(name.as_ref()) {
                        collect(&mut found, path, rest, raw);
                    }
                }
            }
        }
    }
    found
}

fn collect(found: &mut Vec<u64>, path: &str, rest: &str, raw: Raw<'_>) {
    if let Some(inner) = rest.strip_prefix('.') {
        for (name, raw) in raw.members() {
            if let Some(rest) = inner.strip_prefix(name.as_ref()) {
                collect(found, path, rest, raw);
            }
        }
    } else if !rest.is_empty() {
        // Another member whose name is longer.
    } else if path == "metadata" {
        for (name, raw) in raw.members() {
            found.extend(raw.plain().map(|value| metadata_key(&name, &value)));
        }
    } else {
        found.extend(raw.plain().map(|value| key(path, &value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_indexed_changes_nothing_of_how_an_object_is_found() {
        let of = |subscription: &str| {
            json!({"id": "in_1", "total": 1, "status": "open",
            "parent": {"subscription_details": {"subscription": subscription}}})
        };
        let mut other = of("sub_1");
        other["total"] = json!(2);
        assert!(are_found_alike("invoice", &of("sub_1"), &other));
        assert!(!are_found_alike("invoice", &of("sub_1"), &of("sub_2")));
        other["status"] = json!("paid");
        assert!(!are_found_alike("invoice", &of("sub_1"), &other));
        let gone = json!({"id": "in_1", "deleted": true});
        assert!(!are_found_alike("product_feature", &of("sub_1"), &gone));
        assert!(!are_found_alike("event", &other, &other), "its part says how it is found");
    }

    #[test]
    fn an_object_is_found_by_its_declared_members_and_each_key_of_its_metadata() {
        let text = json!({
            "id": "cus_1", "object": "customer", "email": "Jenny@Example.com", "name": null,
            "named": "x", "metadata": {"order": "6735", "名": "茶"},
        })
        .to_string();
        let stored = Stored {
            kind: "customer",
            id: Arc::from("cus_1"),
            seq: 1,
            text: text.into(),
            private: None,
        };
        let mut expected = vec![
            id_key("cus_1"),
            key("email", "jenny@example.COM"),
            metadata_key("order", "6735"),
            metadata_key("名", "茶"),
        ];
        let mut found = keys(&stored);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
