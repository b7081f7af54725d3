//! What stands within an account and is no record: its capabilities, and where its money is paid out to.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::object::{Handler, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{account, draft, reference, rules, table, unplaced};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The behaviour of capabilities and of new external accounts.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/accounts/{account}/capabilities" => capabilities,
        "GET /v1/accounts/{account}/capabilities/{capability}" => capability,
        "POST /v1/accounts/{account}/capabilities/{capability}" => request,
        "POST /v1/accounts/{account}/external_accounts" => add_external,
        _ => return None,
    })
}

/// The account of a call, by the handlers of accounts themselves.
fn account(
    txn: &mut Txn<'_>,
    call: &Call,
    method: &str,
    params: Map<String, Value>,
) -> Result<Value, Failure> {
    let key = format!("{method} /v1/accounts/{{account}}");
    let found = account::handler(&key)
        .ok_or_else(|| Failure::of(501, FailureKind::Api, "Accounts are not modelled."))?;
    let ids = vec![call.id(0).to_owned()];
    let inner = Call { key, ids, params, version: call.version.clone() };
    found(txn, &inner).map(Body::into_document)
}

fn capabilities(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let named = account.get("capabilities").and_then(Value::as_object);
    let names = named.into_iter().flat_map(Map::keys);
    let all: Vec<Value> = names.filter_map(|name| shown(&account, name)).collect();
    list::page_of(call, "capability", &all)
}

fn capability(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let found = shown(&account, call.id(1));
    found.map(Body::from).ok_or_else(|| reference::absent("capability", call.id(1), "capability"))
}

fn request(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let name = call.id(1).to_owned();
    let known = Catalog::get().object("account").is_some_and(|shape| {
        shape
            .fields
            .iter()
            .any(|field| field.name == "capabilities" && draft::has_member(&field.of.kind, &name))
    });
    if !known {
        return Err(reference::absent("capability", &name, "capability"));
    }
    let mut params = Map::new();
    if let Some(requested) = call.flag("requested") {
        params.insert("capabilities".to_owned(), json!({&name: {"requested": requested}}));
    }
    let account = account(txn, call, "POST", params)?;
    let found = shown(&account, &name);
    found.map(Body::from).ok_or_else(|| reference::absent("capability", &name, "capability"))
}

/// A capability of an account, as its own endpoint shows it.
fn shown(account: &Value, name: &str) -> Option<Value> {
    let status = account.get("capabilities")?.get(name)?.as_str()?;
    let nothing = json!({
        "alternatives": [], "current_deadline": null, "currently_due": [], "disabled_reason": null,
        "errors": [], "eventually_due": [], "past_due": [], "pending_verification": [],
    });
    Some(json!({
        "id": name, "object": "capability", "account": account.get("id")?,
        "future_requirements": nothing, "requested": status != "unrequested",
        "requested_at": account.get("created"), "requirements": nothing, "status": status,
    }))
}

/// Brings the list of external accounts that an account shows up to date.
pub fn refresh(txn: &mut Txn<'_>, account: &str) {
    let mut data = Vec::new();
    for kind in ["bank_account", "card"] {
        data.extend(txn.having(kind, "account", account).iter().map(|it| it.document()));
    }
    let list = external_accounts(account, &data);
    txn.in_account("", |txn| {
        txn.edit("account", account, |doc| {
            doc.insert("external_accounts".to_owned(), list);
        });
    });
}

/// [`refresh`], from wherever the change is.
pub fn refresh_in(txn: &mut Txn<'_>, account: &str) {
    txn.in_account(account, |txn| refresh(txn, account));
}

/// The list of external accounts that an account shows.
pub fn external_accounts(account: &str, data: &[Value]) -> Value {
    json!({
        "object": "list", "has_more": false, "total_count": data.len(), "data": data,
        "url": format!("/v1/accounts/{account}/external_accounts"),
    })
}

/// Stores a person of an account, made new or written over what is there.
pub fn put_person(
    txn: &mut Txn<'_>,
    account: &str,
    known: Option<&Value>,
    params: &Map<String, Value>,
) -> Result<Arc<Object>, Failure> {
    let described = table::row("person").zip(Catalog::get().object("person"));
    let (row, shape) = described.ok_or_else(|| unplaced("individual"))?;
    let mut person = draft::begin(txn, row, shape, params);
    if let Some(known) = known.and_then(Value::as_object) {
        person.doc.clone_from(known);
    } else {
        person.doc.insert("id".to_owned(), json!(txn.new_id(row.prefix, row.digits)));
        person.doc.insert("account".to_owned(), json!(account));
    }
    person.write(txn, shape, params, rules::known("person"))?;
    // Who is an account's only person stands for it; a whole number has its end in it.
    if let Some(Value::Object(relation)) = person.doc.get_mut("relationship") {
        relation.insert("representative".to_owned(), json!(true));
    }
    if params.contains_key("id_number") {
        person.doc.insert("ssn_last_4_provided".to_owned(), json!(true));
    }
    person.ensure_whole()?;
    Ok(txn.in_account(account, |txn| txn.put(person.doc)))
}

fn add_external(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let id = text(&account, "id").to_owned();
    let scope = if id == txn.platform_id() { "" } else { &id };
    txn.in_account(scope, |txn| {
        let sent = call.get("external_account").cloned().unwrap_or_default();
        let mut doc = bank_account(txn, &id, &sent)?;
        let is_first = txn.table("bank_account").is_none();
        let is_default = call.flag("default_for_currency").unwrap_or(is_first);
        doc.insert("default_for_currency".to_owned(), json!(is_default));
        merge_metadata(&mut doc, &call.params);
        let made = txn.put(doc);
        refresh(txn, &id);
        txn.emit("account.external_account.created", &made);
        Ok(made.into())
    })
}

/// A bank account out of what was sent: its details, or a token that stands for them.
pub fn bank_account(txn: &mut Txn<'_>, account: &str, sent: &Value) -> Result<Doc, Failure> {
    const PARAM: &str = "external_account";
    let details = match sent {
        Value::String(token) if token.starts_with("btok_us") => json!({
            "account_number": "000123456789", "country": "US", "currency": "usd",
            "routing_number": "110000000",
        }),
        Value::String(token) => {
            let found =
                txn.get("token", token).ok_or_else(|| Failure::missing("token", token, PARAM))?;
            found
                .get("bank_account")
                .filter(|it| it.is_object())
                .cloned()
                .ok_or_else(|| unplaced(PARAM))?
        }
        // Cards that are paid out to are not modelled.
        hash if hash.get("account_number").is_some() => hash.clone(),
        _ => return Err(unplaced(PARAM)),
    };
    let number = text(&details, "account_number");
    let country = text(&details, "country").to_ascii_uppercase();
    let last4 =
        if number.is_empty() { text(&details, "last4").to_owned() } else { draft::last(number, 4) };
    let currency = match text(&details, "currency") {
        "" => {
            if country == "US" {
                "usd"
            } else {
                "eur"
            }
        }
        currency => currency,
    };
    let id = txn.new_id("ba_1", 23);
    let methods: &[&str] = if country == "US" { &["standard", "instant"] } else { &["standard"] };
    let due =
        json!({"currently_due": [], "errors": [], "past_due": [], "pending_verification": []});
    Ok(new(
        "bank_account",
        json!({
            "id": id, "account": account, "bank_name": "STRIPE TEST BANK", "country": country,
            "account_holder_name": details.get("account_holder_name"),
            "account_holder_type": details.get("account_holder_type"),
            "available_payout_methods": methods, "currency": currency,
            "fingerprint": txn.new_id("", 16), "future_requirements": due, "last4": last4,
            "metadata": {}, "requirements": due, "routing_number": details.get("routing_number"),
            "status": "new",
        }),
    ))
}
