//! How an account gets through its requirements: links to a page, and what that page does.

use crate::sandbox::behaviour::connect::{bank, second, standing};
use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds for which an account link can be opened, as recorded.
const LINK_S: i64 = 300;
/// The kind of what is kept of an account link.
pub const LINK: &str = "_account_link";

/// The behaviour of account links and login links.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/account_links" => link,
        "POST /v1/accounts/{account}/login_links" => login,
        _ => return None,
    })
}

/// Stripe's answer to an account that is not there, or not the caller's.
pub fn no_access(id: &str) -> Failure {
    let text = format!(
        "The provided key does not have access to account '{id}' (or that account does not exist). Application access may have been revoked."
    );
    Failure::of(403, crate::wire::failure::FailureKind::InvalidRequest, text)
        .code("account_invalid")
}

fn link(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.text("account").unwrap_or_default().to_owned();
    let found = txn.at("").get("account", &id);
    // Believed: nobody recorded a link for an account that is not there.
    let account = found.ok_or_else(|| Failure::missing("account", &id, "account"))?;
    if call.text("type") == Some("account_update") && text(&account, "type") != "custom" {
        // Believed.
        let text = "You cannot create `account_update` type Account Links for this account; use `account_onboarding`.";
        return Err(Failure::invalid(text).param("type"));
    }
    for name in ["refresh_url", "return_url"] {
        if call.text(name).is_none() {
            return Err(Failure::invalid(format!("Missing required param: {name}."))
                .code("parameter_missing")
                .param(name));
        }
    }
    let token = txn.new_id("", 12);
    let expires_at = txn.now().plus(LINK_S).0;
    txn.in_account("", |txn| {
        txn.put(json!({
            "object": LINK, "id": token, "account": id, "expires_at": expires_at, "used": false,
            "refresh_url": call.text("refresh_url"), "return_url": call.text("return_url"),
        }))
    });
    let url = format!("{}/setup/c/{id}/{token}", txn.site().base_url);
    Ok(json!({
        "object": "account_link", "created": txn.now().0, "expires_at": expires_at, "url": url,
    })
    .into())
}

fn login(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = txn.at("").get("account", call.id(0)).ok_or_else(|| no_access(call.id(0)))?;
    if text(&account, "type") != "express" {
        // Believed: nobody recorded it.
        let text = "Cannot create a login link for an account that does not have access to the Express Dashboard.";
        return Err(Failure::invalid(text));
    }
    if account.get("details_submitted") != Some(&json!(true)) {
        let text = "Cannot create a login link for an account that has not completed onboarding.";
        return Err(Failure::invalid(text));
    }
    let token = txn.new_id("", 12);
    let url = format!("{}/express/{}/{token}", txn.site().base_url, call.id(0));
    Ok(json!({"object": "login_link", "created": txn.now().0, "url": url}).into())
}

/// A link that somebody opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The account.
    pub account: Arc<Object>,
    /// Where the owner goes who is done.
    pub return_url: String,
    /// Where the owner goes whose link cannot be used any more.
    pub refresh_url: String,
    /// Whether it can be used.
    pub fresh: bool,
}

/// The link of a page's address; `None` where there never was one.
pub fn opened(view: &View, account: &str, token: &str, now: i64) -> Option<Opened> {
    let view = view.at("");
    let link = view.get(LINK, token).filter(|link| text(link, "account") == account)?;
    let account = view.get("account", account)?;
    let expires_at = link.get("expires_at").and_then(Value::as_i64).unwrap_or(0);
    Some(Opened {
        account,
        return_url: text(&link, "return_url").to_owned(),
        refresh_url: text(&link, "refresh_url").to_owned(),
        fresh: link.get("used") == Some(&json!(false)) && now < expires_at,
    })
}

/// Uses a link up: the owner has given everything that is asked for, or nothing.
///
/// Fails where it cannot be used any more.
pub fn submit(txn: &mut Txn<'_>, account: &str, token: &str, gives: bool) -> Result<(), Failure> {
    let now = txn.now().0;
    let link = opened(txn, account, token, now).filter(|link| link.fresh);
    if link.is_none() {
        return Err(Failure::invalid("This link cannot be used any more."));
    }
    txn.in_account("", |txn| {
        txn.edit(LINK, token, |doc| drop(doc.insert("used".to_owned(), json!(true))))
    });
    if gives {
        complete(txn, account)?;
    }
    if let Some(link) = txn.at("").get(LINK, token) {
        second::tell_returned(txn, &link);
    }
    Ok(())
}

/// Gives everything that an account is asked for, as a page that asks its owner would: values of Stripe's own
/// test data.
pub fn complete(txn: &mut Txn<'_>, id: &str) -> Result<(), Failure> {
    let Some(before) = txn.at("").get("account", id) else { return Err(no_access(id)) };
    let country = text(&before, "country").to_owned();
    let now = txn.now().0;
    let after = txn.in_account("", |txn| {
        txn.edit("account", id, |doc| {
            if doc.get("business_type").is_none_or(Value::is_null) {
                doc.insert("business_type".to_owned(), json!("individual"));
            }
            fill(doc, "business_profile", &json!({
                "product_description": "Test products", "support_phone": "0000000000",
                "url": "https://accessible.stripe.com",
            }));
            fill(doc, "tos_acceptance", &json!({"date": now, "ip": "127.0.0.1"}));
            let address = json!({"city": "Testtown", "country": country, "line1": "address_full_match",
                "postal_code": "00000", "state": "CA"});
            if doc.get("business_type") != Some(&json!("individual")) {
                fill(doc, "company", &json!({"name": "Test", "phone": "0000000000", "tax_id_provided": true}));
                if let Some(Value::Object(company)) = doc.get_mut("company") {
                    fill(company, "address", &address);
                }
            }
        })
    });
    let Some((_, after)) = after else { return Err(no_access(id)) };
    txn.in_account(id, |txn| {
        person(txn, id, &country);
        if txn.having("bank_account", "account", id).is_empty() {
            let token = json!(format!("btok_{}", country.to_ascii_lowercase()));
            let bank = bank::drafted(txn, id, &token, "external_account")?;
            let made = bank::add(txn, id, bank, None);
            txn.emit("account.external_account.created", &made);
        }
        Ok(())
    })?;
    standing::keep(txn, id, |doc| drop(doc.insert("failed".to_owned(), json!([]))));
    standing::request_usual(txn, id, text(&after, "type"));
    standing::refresh(txn, id, false);
    if let Some(after) = txn.at("").get("account", id) {
        standing::tell(txn, id, &before, &after);
    }
    Ok(())
}

/// Writes members into a hash of an object where they are missing or null.
fn fill(doc: &mut Doc, name: &str, members: &Value) {
    let hash = doc.entry(name.to_owned()).or_insert_with(|| json!({}));
    if !hash.is_object() {
        *hash = json!({});
    }
    let (Value::Object(hash), Value::Object(members)) = (hash, members) else { return };
    for (name, value) in members {
        let known = hash.entry(name.clone()).or_insert(Value::Null);
        if known.is_null() || *known == json!(false) {
            known.clone_from(value);
        }
    }
}

/// Gives what is missing of the person who stands for an account.
fn person(txn: &mut Txn<'_>, account: &str, country: &str) {
    let known = standing::representative(txn, account);
    let is_new = known.is_none();
    let mut doc = known.and_then(|known| known.as_object().cloned()).unwrap_or_else(|| {
        new(
            "person",
            json!({"id": txn.new_id("person_1", 23), "account": account,
            "created": txn.now().0, "metadata": {}}),
        )
    });
    for (name, members) in [
        (
            "address",
            json!({"city": "Testtown", "country": country, "line1": "address_full_match",
            "line2": null, "postal_code": "00000", "state": "CA"}),
        ),
        ("dob", json!({"day": 1, "month": 1, "year": 1901})),
        (
            "relationship",
            json!({"authorizer": false, "director": false, "executive": false,
            "legal_guardian": false, "owner": false, "percent_ownership": null,
            "representative": true, "title": "Owner"}),
        ),
        (
            "verification",
            json!({
            "additional_document": {"back": null, "details": null, "details_code": null, "front": null},
            "details": null, "details_code": null,
            "document": {"back": null, "details": null, "details_code": null, "front": null},
            "status": "unverified"}),
        ),
    ] {
        fill(&mut doc, name, &members);
    }
    for (name, value) in [
        ("email", json!("owner@example.com")),
        ("first_name", json!("Jenny")),
        ("id_number_provided", json!(true)),
        ("last_name", json!("Rosen")),
        ("nationality", json!(country)),
        ("phone", json!("0000000000")),
        ("ssn_last_4_provided", json!(true)),
    ] {
        let known = doc.entry(name.to_owned()).or_insert(Value::Null);
        if known.is_null() || *known == json!(false) {
            *known = value;
        }
    }
    if country == "JP" {
        for name in ["first_name_kana", "first_name_kanji", "last_name_kana", "last_name_kanji"] {
            doc.entry(name.to_owned()).or_insert_with(|| json!("テスト"));
        }
        let address = json!({"city": null, "country": "JP", "line1": "1-1", "line2": null,
            "postal_code": null, "state": null, "town": null});
        for name in ["address_kana", "address_kanji"] {
            doc.entry(name.to_owned()).or_insert_with(|| address.clone());
        }
    }
    if country == "SG" {
        doc.insert("full_name_aliases".to_owned(), json!(["None"]));
    }
    let none = json!({"alternatives": [], "currently_due": [], "errors": [], "eventually_due": [],
        "past_due": [], "pending_verification": []});
    for name in ["future_requirements", "requirements"] {
        doc.entry(name.to_owned()).or_insert_with(|| none.clone());
    }
    let made = txn.put(doc);
    txn.emit(if is_new { "person.created" } else { "person.updated" }, &made);
}
