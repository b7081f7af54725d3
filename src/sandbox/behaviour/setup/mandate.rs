//! Mandates: what an owner has allowed to be debited.

use crate::sandbox::behaviour::document::{member, new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// Types of payment methods that nothing is debited from without a mandate.
pub const NEEDED_BY: [&str; 5] =
    ["acss_debit", "au_becs_debit", "bacs_debit", "sepa_debit", "us_bank_account"];

/// Whether a payment method needs a mandate.
pub fn is_needed(method: &Value) -> bool {
    NEEDED_BY.contains(&text(method, "type"))
}

/// Writes a mandate for a payment method down: once for `single_use`, else for good. Returns its id.
pub fn write(
    txn: &mut Txn<'_>,
    method: &Object,
    accepted: Option<&Value>,
    single_use: Option<&Value>,
) -> String {
    let id = txn.new_id("mandate_1", 23);
    let kind = text(method, "type");
    let way = if single_use.is_some() { "single_use" } else { "multi_use" };
    let details = details(txn, kind, &id);
    let mut doc = new(
        "mandate",
        json!({
            "id": id, "customer_acceptance": acceptance(txn, accepted),
            "payment_method": text(method, "id"),
            "payment_method_details": {"type": kind, kind: details}, "status": "active", "type": way,
        }),
    );
    doc.insert(way.to_owned(), single_use.cloned().unwrap_or_else(|| json!({})));
    txn.put(doc);
    id
}

/// How its owner accepted it, as it was sent; what happened on a page of ours happened there and now.
fn acceptance(txn: &Txn<'_>, sent: Option<&Value>) -> Value {
    let sent = sent.and_then(|data| data.get("customer_acceptance"));
    let kind = sent.map_or("online", |sent| text(sent, "type"));
    let at = sent.and_then(|sent| sent.get("accepted_at")).cloned();
    let at = at.unwrap_or_else(|| json!(txn.now().0));
    if kind == "offline" {
        return json!({"accepted_at": at, "offline": {}, "type": "offline"});
    }
    let online = sent.and_then(|sent| sent.get("online"));
    json!({
        "accepted_at": at, "type": "online",
        "online": {"ip_address": member(online, "ip_address"), "user_agent": member(online, "user_agent")},
    })
}

fn details(txn: &Txn<'_>, kind: &str, id: &str) -> Value {
    let url = format!("{}/mandates/{id}", txn.site().base_url);
    let reference = || txn.new_id("", 16).to_ascii_uppercase();
    match kind {
        "acss_debit" => json!({
            "default_for": [], "interval_description": null, "payment_schedule": "sporadic",
            "transaction_type": "personal",
        }),
        "au_becs_debit" => json!({"url": url}),
        "bacs_debit" => json!({
            "display_name": null, "network_status": "accepted", "reference": reference(),
            "revocation_reason": null, "service_user_number": null, "url": url,
        }),
        "sepa_debit" => json!({"reference": reference(), "url": url}),
        _ => json!({}),
    }
}
