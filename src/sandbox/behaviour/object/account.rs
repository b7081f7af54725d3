//! Accounts: the caller's own, and the connected ones that `Stripe-Account` reaches.
//!
//! A connected account can take payments as soon as it is made: nothing is asked of its owner.

use crate::sandbox::api::answer::Body;
use crate::sandbox::api::call::Call;
use crate::sandbox::api::list;
use crate::sandbox::behaviour::object::{Handler, copy, merge_metadata, new, text};
use crate::sandbox::behaviour::settings::Settings;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};

/// Members that are parameters of the same name.
const FIELDS: &[&str] = &["business_type", "country", "default_currency", "email"];

/// Hashes whose sent members are written over those that are there.
const HASHES: &[&str] = &["business_profile", "settings", "tos_acceptance", "groups"];

/// The behaviour of `/v1/account` and `/v1/accounts`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/account" => own,
        "POST /v1/accounts" => create,
        "GET /v1/accounts/{account}" => retrieve,
        "POST /v1/accounts/{account}" => update,
        "DELETE /v1/accounts/{account}" => delete,
        "GET /v1/accounts" => |txn, call| list::page(txn, call, "account", &[]),
        _ => return None,
    })
}

/// The caller's own account: the platform of the world, or the connected account that is worked in.
fn own(txn: &mut Txn<'_>, _: &Call) -> Result<Body, Failure> {
    let account = txn.scope().account.to_string();
    if account.is_empty() {
        return Ok(Value::Object(platform(txn)).into());
    }
    find(txn, &account).map(Body::from)
}

fn platform(txn: &Txn<'_>) -> Doc {
    let settings = Settings::of(txn);
    let methods = ["card_payments", "konbini_payments", "transfers"];
    let mut doc = blank(settings.get("country"), settings.get("currency"), "standard", &methods);
    doc.insert("id".to_owned(), json!(txn.platform_id()));
    doc
}

fn blank(country: &str, currency: &str, kind: &str, capabilities: &[&str]) -> Doc {
    let active: Map<String, Value> =
        capabilities.iter().map(|name| ((*name).to_owned(), json!("active"))).collect();
    new(
        "account",
        json!({
            "object": "account",
            "capabilities": active,
            "charges_enabled": true,
            "country": country,
            "default_currency": currency,
            "details_submitted": true,
            "metadata": {},
            "payouts_enabled": true,
            "type": kind,
        }),
    )
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if !txn.scope().account.is_empty() {
        let text = "A connected account cannot make accounts of its own in this sandbox.";
        return Err(Failure::of(501, FailureKind::Api, text));
    }
    let settings = Settings::of(txn);
    let country = call.text("country").unwrap_or_else(|| settings.get("country"));
    let kind = call.text("type").unwrap_or("standard");
    let mut doc = blank(country, settings.get("currency"), kind, &["transfers"]);
    doc.insert("id".to_owned(), json!(txn.new_id("acct_1", 15)));
    doc.insert("created".to_owned(), json!(txn.now().0));
    write(&mut doc, call);
    let account = txn.put(doc);
    Ok(account.into())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if call.id(0) == txn.platform_id() {
        return Ok(Value::Object(platform(txn)).into());
    }
    find(txn, call.id(0)).map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let before = find(txn, call.id(0))?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    write(&mut doc, call);
    let id = call.id(0).to_owned();
    let after = txn.in_account("", |txn| txn.put(doc));
    txn.in_account(&id, |txn| txn.emit_change("account.updated", &before, &after));
    Ok(after.into())
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = find(txn, call.id(0))?;
    let id = text(&found, "id").to_owned();
    txn.in_account("", |txn| txn.remove("account", &id));
    Ok(json!({"id": id, "object": "account", "deleted": true}).into())
}

/// The account, wherever the call comes from; accounts stand with the platform.
fn find(
    txn: &mut Txn<'_>,
    id: &str,
) -> Result<std::sync::Arc<crate::sandbox::engine::object::Object>, Failure> {
    let own = txn.scope().account.to_string();
    let visible = own.is_empty() || own == id;
    let found = txn.in_account("", |txn| txn.get("account", id)).filter(|_| visible);
    found.ok_or_else(|| {
        let text = format!(
            "The provided key does not have access to account '{id}' (or that account does not exist). Application access may have been revoked."
        );
        Failure::of(403, FailureKind::InvalidRequest, text).code("account_invalid")
    })
}

/// Writes the sent parameters into an account.
fn write(doc: &mut Doc, call: &Call) {
    copy(doc, call, FIELDS);
    for name in HASHES {
        let Some(Value::Object(sent)) = call.get(name) else { continue };
        let mut merged = doc.get(*name).and_then(Value::as_object).cloned().unwrap_or_default();
        merged.extend(sent.clone());
        doc.insert((*name).to_owned(), Value::Object(merged));
    }
    if let Some(Value::Object(asked)) = call.get("capabilities") {
        let mut active =
            doc.get("capabilities").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, wish) in asked {
            match wish.get("requested").and_then(Value::as_bool) {
                Some(true) => active.insert(name.clone(), json!("active")),
                _ => active.insert(name.clone(), json!("inactive")),
            };
        }
        doc.insert("capabilities".to_owned(), Value::Object(active));
    }
    merge_metadata(doc, &call.params);
}

#[cfg(test)]
mod tests {
    use crate::sandbox::testing::Lab;
    use serde_json::json;

    #[test]
    fn an_account_is_made_changed_listed_and_deleted() {
        let mut lab = Lab::new();
        let own = lab.ok("GET /v1/account", json!({}));
        assert_eq!((&own["country"], &own["default_currency"]), (&json!("JP"), &json!("jpy")));
        let asked = json!({
            "type": "custom", "country": "US", "email": "a@example.com",
            "capabilities": {"card_payments": {"requested": true}}, "metadata": {"shop": "1"},
        });
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(made["capabilities"]["card_payments"], "active");
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/accounts/{id}");
        let changed = lab.ok(&format!("POST {path}"), json!({"business_profile": {"name": "Tea"}}));
        assert_eq!(changed["business_profile"]["name"], "Tea");
        assert_eq!(changed["metadata"], made["metadata"]);
        assert_eq!(lab.ok(&format!("GET {path}"), json!({})), changed);
        assert_eq!(lab.ok("GET /v1/accounts", json!({}))["data"].as_array().unwrap().len(), 1);
        assert_eq!(lab.ok(&format!("DELETE {path}"), json!({}))["deleted"], true);
        let failure = lab.call(&format!("GET {path}"), json!({})).unwrap_err();
        assert_eq!((failure.status, failure.code.as_deref()), (403, Some("account_invalid")));
    }
}
