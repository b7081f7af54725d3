//! Ephemeral keys and customer sessions: what a page or an app may do for one customer, for a while.

use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Seconds for which a key holds.
const KEY_S: i64 = 3600;
/// Seconds for which a session holds.
const SESSION_S: i64 = 1800;

/// The behaviour of `/v1/ephemeral_keys` and `/v1/customer_sessions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/ephemeral_keys" => create_key,
        "DELETE /v1/ephemeral_keys/{key}" => delete_key,
        "POST /v1/customer_sessions" => create_session,
        _ => return None,
    })
}

/// The sandbox keeps the key; no page asks with one yet.
fn create_key(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let not_yet = ["issuing_card", "verification_session", "nonce"];
    call.ensure_modelled(" of ephemeral keys", &not_yet)?;
    let Some(customer) = call.text("customer") else {
        // Believed: the words of a key for nobody.
        let text = "You must provide one of: customer, issuing_card, verification_session.";
        return Err(Failure::invalid(text).code("parameter_missing"));
    };
    txn.find("customer", customer, "customer")?;
    let now = txn.now();
    let doc = new(
        "ephemeral_key",
        json!({
            "id": txn.new_id("ephkey_1", 23), "created": now.0, "expires": now.plus(KEY_S).0,
            "associated_objects": [{"id": customer, "type": "customer"}],
            "secret": txn.new_id("ek_test_", 64),
        }),
    );
    Ok(txn.put(doc).into())
}

/// A key that is deleted has run out.
fn delete_key(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("ephemeral_key", call.id(0), "id")?;
    let mut gone: Doc = found.as_object().cloned().unwrap_or_default();
    gone.insert("expires".to_owned(), json!(txn.now().0));
    gone.remove("secret");
    txn.remove("ephemeral_key", text(&found, "id"));
    Ok(Value::Object(gone).into())
}

/// The components of a customer session, with the features of those that have any.
const COMPONENTS: [(&str, Option<&str>); 7] = [
    ("active_entitlements", None),
    ("buy_button", None),
    ("customer_portal", None),
    (
        "customer_sheet",
        Some(
            r#"{"payment_method_allow_redisplay_filters":["always"],"payment_method_remove":"disabled"}"#,
        ),
    ),
    (
        "mobile_payment_element",
        Some(
            r#"{"payment_method_allow_redisplay_filters":["always"],"payment_method_redisplay":"disabled","payment_method_remove":"disabled","payment_method_save":"disabled","payment_method_save_allow_redisplay_override":null}"#,
        ),
    ),
    (
        "payment_element",
        Some(
            r#"{"payment_method_allow_redisplay_filters":["always"],"payment_method_redisplay":"disabled","payment_method_redisplay_limit":3,"payment_method_remove":"disabled","payment_method_save":"disabled","payment_method_save_usage":null}"#,
        ),
    ),
    ("pricing_table", None),
];

fn create_session(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of customer sessions", &["customer_account"])?;
    let Some(customer) = call.text("customer") else {
        let text = "Must provide customer or customer_account.";
        return Err(Failure::invalid(text).code("parameter_missing"));
    };
    txn.find("customer", customer, "customer")?;
    let asked = call.hash("components");
    let mut components = Doc::new();
    for (name, usual) in COMPONENTS {
        components.insert(name.to_owned(), component(asked.and_then(|it| it.get(name)), usual));
    }
    let now = txn.now();
    let doc = new(
        "customer_session",
        json!({
            "client_secret": txn.new_id("cuss_secret_", 58), "components": components,
            "created": now.0, "customer": customer, "expires_at": now.plus(SESSION_S).0,
        }),
    );
    Ok(Value::Object(doc).into())
}

fn component(sent: Option<&Value>, usual: Option<&str>) -> Value {
    let enabled = sent.and_then(|sent| sent.get("enabled")) == Some(&json!(true));
    let mut shown = json!({"enabled": enabled});
    if let (Some(usual), Value::Object(shown)) = (usual, &mut shown) {
        let mut features: Value = serde_json::from_str(usual).unwrap_or_default();
        let asked = sent.and_then(|sent| sent.get("features")).and_then(Value::as_object);
        if let (Some(asked), Value::Object(features)) = (asked, &mut features) {
            features.extend(asked.clone());
        }
        shown.insert("features".to_owned(), if enabled { features } else { Value::Null });
    }
    shown
}
