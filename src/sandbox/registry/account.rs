//! Accounts: the caller's own, and the connected ones that `Stripe-Account` reaches.
//!
//! What Stripe asks the owner of a standard account for is listed as due, and may be sent as parameters. Of express
//! and custom accounts nothing is asked: they can take payments and be paid out as soon as they are made.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::object::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::draft::{self, Draft};
use crate::sandbox::registry::{connect, table};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Parameters that [`write()`] puts into an account itself; the others go where the catalog says.
const OWN: &[&str] = &[
    "bank_account",
    "capabilities",
    "controller",
    "documents",
    "external_account",
    "individual",
    "requested_capabilities",
    "type",
];

/// What the owner of a standard account is asked for.
const ASKED: [&str; 6] = [
    "business_profile.product_description",
    "business_profile.support_phone",
    "business_profile.url",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
];

/// The currencies of countries that do not pay in euros.
const CURRENCIES: [(&str, &str); 25] = [
    ("AE", "aed"),
    ("AU", "aud"),
    ("BR", "brl"),
    ("CA", "cad"),
    ("CH", "chf"),
    ("CZ", "czk"),
    ("DK", "dkk"),
    ("GB", "gbp"),
    ("HK", "hkd"),
    ("HU", "huf"),
    ("IN", "inr"),
    ("JP", "jpy"),
    ("KR", "krw"),
    ("LI", "chf"),
    ("MX", "mxn"),
    ("MY", "myr"),
    ("NO", "nok"),
    ("NZ", "nzd"),
    ("PH", "php"),
    ("PL", "pln"),
    ("RO", "ron"),
    ("SE", "sek"),
    ("SG", "sgd"),
    ("TH", "thb"),
    ("US", "usd"),
];

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
    let mut doc = blank(txn, settings.get("country"), "standard");
    let methods = ["card_payments", "konbini_payments", "transfers"];
    let active = methods.map(|name| (name.to_owned(), json!("active")));
    let id = txn.platform_id();
    doc.insert("external_accounts".to_owned(), connect::external_accounts(&id, &[]));
    doc.insert("default_currency".to_owned(), json!(settings.get("currency")));
    doc.insert("capabilities".to_owned(), Value::Object(active.into_iter().collect()));
    doc.insert("created".to_owned(), Value::Null);
    doc.insert("id".to_owned(), json!(id));
    stand(&mut doc, &[]);
    doc
}

/// An account as it is before anything is known of it.
fn blank(txn: &Txn<'_>, country: &str, kind: &str) -> Doc {
    let described = table::row("account").zip(Catalog::get().object("account"));
    let mut doc = described
        .map(|(row, shape)| draft::begin(txn, row, shape, &Map::new()).doc)
        .unwrap_or_default();
    let found = CURRENCIES.iter().find(|(name, _)| *name == country);
    let currency = found.map_or("eur", |(_, currency)| currency);
    doc.insert("country".to_owned(), json!(country));
    doc.insert("default_currency".to_owned(), json!(currency));
    doc.insert("controller".to_owned(), controller(kind));
    doc.insert("type".to_owned(), json!(kind));
    doc
}

/// Who pays, who bears losses, who asks and who shows, of an account of a type.
fn controller(kind: &str) -> Value {
    let (payer, losses, asks, shows) = match kind {
        "express" => ("application_express", "application", "stripe", "express"),
        "custom" => ("application_custom", "application", "application", "none"),
        _ => ("account", "stripe", "stripe", "full"),
    };
    json!({
        "fees": {"payer": payer}, "is_controller": true, "losses": {"payments": losses},
        "requirement_collection": asks, "stripe_dashboard": {"type": shows}, "type": "application",
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if !txn.scope().account.is_empty() {
        let text = "A connected account cannot make accounts of its own in this sandbox.";
        return Err(Failure::of(501, FailureKind::Api, text));
    }
    let settings = Settings::of(txn);
    let country = call.text("country").unwrap_or_else(|| settings.get("country")).to_owned();
    let dashboard = call.hash("controller").and_then(|it| it.get("stripe_dashboard"));
    let kind = call.text("type").unwrap_or(match dashboard.map(|it| text(it, "type")) {
        Some("express") => "express",
        Some("none") => "custom",
        _ => "standard",
    });
    let mut doc = blank(txn, &country, kind);
    let id = txn.new_id("acct_1", 15);
    doc.insert("id".to_owned(), json!(id));
    doc.insert("external_accounts".to_owned(), connect::external_accounts(&id, &[]));
    // A platform that bears the losses may spare its accounts.
    let debits = doc.get_mut("settings");
    if let Some(debits) = debits.and_then(|it| it.pointer_mut("/payouts/debit_negative_balances")) {
        *debits = json!(kind != "custom");
    }
    write(txn, &mut doc, call)?;
    txn.put(doc);
    connect::refresh_in(txn, &id);
    find(txn, &id).map(Body::from)
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
    let id = call.id(0).to_owned();
    let after = txn.in_account("", |txn| {
        write(txn, &mut doc, call)?;
        txn.put(doc);
        connect::refresh_in(txn, &id);
        find(txn, &id)
    })?;
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
fn find(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
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
fn write(txn: &mut Txn<'_>, doc: &mut Doc, call: &Call) -> Result<(), Failure> {
    let Some(shape) = Catalog::get().object("account") else { return Ok(()) };
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut params = call.params.clone();
    // The word for the shortest delay there is.
    if let Some(delay) =
        params.get_mut("settings").and_then(|it| it.pointer_mut("/payouts/schedule/delay_days"))
        && delay.as_str() == Some("minimum")
    {
        *delay = json!(2);
    }
    if let Some(Value::Object(sent)) = call.get("controller")
        && let Some(Value::Object(controller)) = doc.get_mut("controller")
    {
        controller.extend(sent.clone());
    }
    let business = call.text("business_type").or(doc.get("business_type").and_then(Value::as_str));
    let is_company = call.sent("company") || business.is_some();
    if is_company && !doc.contains_key("company") {
        doc.insert("company".to_owned(), company(doc.get("country")));
    }
    let mut written = Draft { doc: std::mem::take(doc), ..Draft::default() };
    written.write(txn, shape, &params, OWN)?;
    *doc = written.doc;
    if let Some(Value::Object(sent)) = call.get("individual") {
        let person = connect::put_person(txn, &id, doc.get("individual"), sent)?;
        doc.insert("individual".to_owned(), person.document());
    }
    if let Some(sent) = call.get("external_account").or_else(|| call.get("bank_account")) {
        let mut bank = connect::bank_account(txn, &id, sent)?;
        bank.insert("default_for_currency".to_owned(), json!(true));
        txn.in_account(&id, |txn| txn.put(bank));
    }
    request(doc, call);
    let mut due: Vec<&str> = ASKED.to_vec();
    let has_bank = txn.at(&id).table("bank_account").is_some();
    due.retain(|name| match name.split_once('.') {
        Some((hash, member)) => {
            doc.get(hash).and_then(|it| it.get(member)).is_none_or(Value::is_null)
        }
        None => !has_bank,
    });
    if doc.get("type").and_then(Value::as_str) != Some("standard") {
        due.clear();
    }
    stand(doc, &due);
    Ok(())
}

fn company(country: Option<&Value>) -> Value {
    json!({
        "address": {"city": null, "country": country, "line1": null, "line2": null,
            "postal_code": null, "state": null},
        "directors_provided": false, "executives_provided": false, "name": null,
        "owners_provided": false, "tax_id_provided": false,
        "verification": {"document": {"back": null, "details": null, "details_code": null,
            "front": null}},
    })
}

/// Requests capabilities; what is asked for is given.
fn request(doc: &mut Doc, call: &Call) {
    let mut asked: Vec<(String, bool)> = Vec::new();
    for (name, wish) in call.hash("capabilities").into_iter().flatten() {
        asked.push((name.clone(), wish.get("requested") == Some(&json!(true))));
    }
    let older = call.list("requested_capabilities").iter().filter_map(Value::as_str);
    asked.extend(older.map(|name| (name.to_owned(), true)));
    if let Some(Value::Object(capabilities)) = doc.get_mut("capabilities") {
        for (name, wish) in asked {
            let status = if wish { "active" } else { "inactive" };
            capabilities.insert(name, json!(status));
        }
    }
}

/// Sets what an account may do, by what is still due of it.
fn stand(doc: &mut Doc, due: &[&str]) {
    let may = due.is_empty();
    for name in ["charges_enabled", "details_submitted", "payouts_enabled"] {
        doc.insert(name.to_owned(), json!(may));
    }
    let reason = (!may).then_some("requirements.past_due");
    let list = |due: &[&str], reason: Option<&str>| {
        json!({
            "alternatives": [], "current_deadline": null, "currently_due": due,
            "disabled_reason": reason, "errors": [], "eventually_due": due, "past_due": due,
            "pending_verification": [],
        })
    };
    doc.insert("requirements".to_owned(), list(due, reason));
    doc.insert("future_requirements".to_owned(), list(&[], None));
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

    #[test]
    fn a_standard_account_says_what_is_due_until_it_was_sent() {
        let mut lab = Lab::new();
        let asked = json!({"type": "standard", "country": "AU", "business_type": "non_profit"});
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(
            (&made["default_currency"], &made["charges_enabled"]),
            (&json!("aud"), &json!(false))
        );
        assert_eq!((&made["capabilities"], &made["company"]["name"]), (&json!({}), &json!(null)));
        assert_eq!(made["requirements"]["past_due"].as_array().unwrap().len(), 6);
        assert_eq!(made["requirements"]["disabled_reason"], "requirements.past_due");
        let asked = json!({
            "business_profile": {"product_description": "Tea", "support_phone": "1", "url": "https://example.com"},
            "external_account": "btok_us_verified", "tos_acceptance": {"date": 1, "ip": "127.0.0.1"},
        });
        let path = format!("POST /v1/accounts/{}", made["id"].as_str().unwrap());
        let whole = lab.ok(&path, asked);
        assert_eq!(
            (&whole["charges_enabled"], &whole["external_accounts"]["total_count"]),
            (&json!(true), &json!(1))
        );
        assert_eq!(whole["requirements"]["currently_due"], json!([]));
    }

    #[test]
    fn a_custom_account_takes_what_older_versions_sent() {
        let mut lab = Lab::new();
        let asked = json!({
            "type": "custom", "country": "US", "requested_capabilities": ["transfers"],
            "business_type": "individual",
            "individual": {"first_name": "Jenny", "id_number": "000000000", "dob": {"day": 1, "month": 1, "year": 1990}},
            "bank_account": {"country": "US", "currency": "usd", "account_number": "000123456789"},
        });
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(made["capabilities"], json!({"transfers": "active"}));
        assert_eq!(made["individual"]["id_number_provided"], true);
        assert_eq!(made["individual"]["relationship"]["representative"], true);
        assert_eq!(made["external_accounts"]["data"][0]["last4"], "6789");
        assert_eq!(made["controller"]["requirement_collection"], "application");
        let path = format!("GET /v1/accounts/{}/persons", made["id"].as_str().unwrap());
        assert_eq!(lab.ok(&path, json!({}))["data"], json!([made["individual"]]));
    }
}
