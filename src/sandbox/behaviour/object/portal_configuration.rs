//! Configurations of the customer portal, as the API makes, changes and shows them.

use crate::sandbox::behaviour::document::{Handler, copy, merge_hash, merge_metadata};
use crate::sandbox::behaviour::portal::{CONFIGURATION, features, visit};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::{list, reference};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/billing_portal/configurations`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/billing_portal/configurations" => create,
        "GET /v1/billing_portal/configurations" => |txn, call| {
            list::page(txn, call, CONFIGURATION, &list::same(call, &["active", "is_default"]))
        },
        "GET /v1/billing_portal/configurations/{configuration}" => {
            |txn, call| txn.find(CONFIGURATION, call.id(0), "id").map(Body::from)
        }
        "POST /v1/billing_portal/configurations/{configuration}" => update,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    reference::check(txn, call)?;
    let mut doc = features::blank(txn);
    write(txn, call, &mut doc)?;
    let made = txn.put(doc);
    txn.emit("billing_portal.configuration.created", &made);
    Ok(made.into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = txn.find(CONFIGURATION, call.id(0), "id")?;
    reference::check(txn, call)?;
    if call.flag("active") == Some(false) && known.get("is_default") == Some(&json!(true)) {
        // Believed: no recording has it.
        let text = "You cannot deactivate the default configuration.";
        return Err(Failure::invalid(text).param("active"));
    }
    let mut changed = known.as_object().cloned().unwrap_or_default();
    copy(&mut changed, call, &["active"]);
    write(txn, call, &mut changed)?;
    let now = txn.now().0;
    let edited = txn.edit(CONFIGURATION, call.id(0), |doc| {
        *doc = changed;
        doc.insert("updated".to_owned(), json!(now));
    });
    let Some((before, after)) = edited else { return Ok(known.into()) };
    txn.emit_change("billing_portal.configuration.updated", &before, &after);
    Ok(after.into())
}

/// Writes what a call sends.
fn write(txn: &Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    copy(doc, call, &["default_return_url", "name"]);
    merge_hash(doc.get_mut("business_profile"), call.hash("business_profile"));
    merge_metadata(doc, &call.params);
    let mut all = features::merged(doc.get("features"), call.hash("features"));
    let counts = all.pointer("/subscription_update/default_allowed_updates");
    let counts = counts.and_then(Value::as_array).is_some_and(|it| it.contains(&json!("quantity")));
    features::fill_products(&mut all, counts);
    if call.sent("features") {
        features::check(txn, &all)?;
    }
    doc.insert("features".to_owned(), all);
    if let Some(sent) = call.hash("login_page") {
        let enabled = sent.get("enabled") == Some(&json!(true));
        let id = doc.get("id").and_then(Value::as_str).unwrap_or_default();
        let url = enabled.then(|| visit::login_url(txn, id));
        doc.insert("login_page".to_owned(), json!({"enabled": enabled, "url": url}));
    }
    Ok(())
}
