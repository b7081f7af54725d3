//! Domains on which wallets are shown: those of payment methods, and those of Apple Pay from before.

use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, echo};
use serde_json::{Value, json};

const KIND: &str = "payment_method_domain";
const APPLE: &str = "apple_pay_domain";

/// The wallets that a domain is registered for.
const WALLETS: [&str; 6] = ["amazon_pay", "apple_pay", "google_pay", "klarna", "link", "paypal"];

/// The behaviour of `/v1/payment_method_domains` and `/v1/apple_pay/domains`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payment_method_domains" => create,
        "GET /v1/payment_method_domains" => {
            |txn, call| list::page(txn, call, KIND, &list::same(call, &["domain_name", "enabled"]))
        }
        "GET /v1/payment_method_domains/{payment_method_domain}"
        | "POST /v1/payment_method_domains/{payment_method_domain}/validate" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from)
        }
        "POST /v1/payment_method_domains/{payment_method_domain}" => update,
        "POST /v1/apple_pay/domains" => create_apple,
        "GET /v1/apple_pay/domains" => {
            |txn, call| list::page(txn, call, APPLE, &list::same(call, &["domain_name"]))
        }
        "GET /v1/apple_pay/domains/{domain}" => {
            |txn, call| txn.find(APPLE, call.id(0), "id").map(Body::from)
        }
        "DELETE /v1/apple_pay/domains/{domain}" => delete_apple,
        _ => return None,
    })
}

/// The name of a domain as it was sent, without what is none. Believed: the words of the refusal.
fn name(call: &Call) -> Result<String, Failure> {
    let sent = call.text("domain_name").unwrap_or_default();
    let fits = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if sent.contains('.') && sent.split('.').all(fits) {
        return Ok(sent.to_ascii_lowercase());
    }
    Err(Failure::invalid(format!("Invalid domain name: {}", echo(sent))).param("domain_name"))
}

fn statuses(doc: &mut Doc, enabled: bool) {
    let status = if enabled { "active" } else { "inactive" };
    for wallet in WALLETS {
        doc.insert(wallet.to_owned(), json!({"status": status}));
    }
    doc.insert("enabled".to_owned(), json!(enabled));
}

/// A domain that is registered already is shown as it is.
fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let name = name(call)?;
    if let Some(known) = txn.newest(KIND).find(|known| text(known, "domain_name") == name) {
        return Ok(known.into());
    }
    let id = txn.new_id("pmd_1", 23);
    let mut doc = new(KIND, json!({"id": id, "created": txn.now().0, "domain_name": name}));
    statuses(&mut doc, call.flag("enabled") != Some(false));
    Ok(txn.put(doc).into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find(KIND, call.id(0), "id")?;
    if let Some(enabled) = call.flag("enabled") {
        txn.edit(KIND, call.id(0), |doc| statuses(doc, enabled));
    }
    txn.find(KIND, call.id(0), "id").map(Body::from)
}

fn create_apple(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let name = name(call)?;
    let id = txn.new_id("apwc_1", 23);
    let doc = new(APPLE, json!({"id": id, "created": txn.now().0, "domain_name": name}));
    Ok(txn.put(doc).into())
}

fn delete_apple(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find(APPLE, call.id(0), "id")?;
    txn.remove(APPLE, call.id(0));
    Ok(Value::Object(
        [("id", json!(call.id(0))), ("object", json!(APPLE)), ("deleted", json!(true))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
    )
    .into())
}
