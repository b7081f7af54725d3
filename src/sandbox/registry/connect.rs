//! What stands within an account: its capabilities, its people, and where its money is paid out to.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::connect::{bank, scope_of, standing};
use crate::sandbox::behaviour::document::{Handler, merge_metadata, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{account, draft, plan, record, reference, rules, table, unplaced};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The behaviour of capabilities, external accounts and people.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/accounts/{account}/capabilities" => capabilities,
        "GET /v1/accounts/{account}/capabilities/{capability}" => capability,
        "POST /v1/accounts/{account}/capabilities/{capability}" => request,
        "POST /v1/account_sessions" => session,
        "POST /v1/accounts/{account}/external_accounts" => add_external,
        "DELETE /v1/accounts/{account}/external_accounts/{id}" => remove_external,
        "POST /v1/accounts/{account}/persons" | "POST /v1/accounts/{account}/persons/{person}" => {
            write_person
        }
        "GET /v1/accounts/{account}/external_accounts"
        | "GET /v1/accounts/{account}/external_accounts/{id}"
        | "POST /v1/accounts/{account}/external_accounts/{id}"
        | "GET /v1/accounts/{account}/persons"
        | "GET /v1/accounts/{account}/persons/{person}"
        | "DELETE /v1/accounts/{account}/persons/{person}" => as_record,
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
    let all: Vec<Value> =
        names.filter_map(|name| standing::capability(txn, &account, name)).collect();
    list::page_of(call, "capability", &all)
}

fn capability(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let found = standing::capability(txn, &account, call.id(1));
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
    let found = standing::capability(txn, &account, &name);
    found.map(Body::from).ok_or_else(|| reference::absent("capability", &name, "capability"))
}

/// What a person in Korea or the Emirates shows although nobody said it, as recorded of these two alone.
pub fn show_unsaid(doc: &mut Doc, country: &str) {
    const UNSAID: [&str; 7] = [
        "first_name_kana",
        "first_name_kanji",
        "gender",
        "last_name_kana",
        "last_name_kanji",
        "maiden_name",
        "nationality",
    ];
    for name in UNSAID.iter().filter(|_| ["AE", "KR"].contains(&country)) {
        doc.entry(*name).or_insert(Value::Null);
    }
}

/// Stores a person of an account in a country, made new or written over what is there.
pub fn put_person(
    txn: &mut Txn<'_>,
    (account, country): (&str, &str),
    known: Option<&Value>,
    params: &Map<String, Value>,
) -> Result<Arc<Object>, Failure> {
    let described = table::row("person").zip(Catalog::get().object("person"));
    let (row, shape) = described.ok_or_else(|| unplaced("individual"))?;
    let mut person = draft::begin(txn, row, shape, params);
    // The account shows less of it than there is.
    let stored = known.and_then(|known| txn.at(account).get("person", text(known, "id")));
    let stored = stored.map(|stored| stored.document());
    if let Some(known) = stored.as_ref().or(known).and_then(Value::as_object) {
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
    show_unsaid(&mut person.doc, country);
    person.ensure_whole()?;
    standing::note_sent(txn, account, params);
    let event =
        if known.is_some_and(Value::is_object) { "person.updated" } else { "person.created" };
    Ok(txn.in_account(account, |txn| {
        let made = txn.put(person.doc);
        txn.emit(event, &made);
        made
    }))
}

/// Seconds for which the secret of an account session works. Believed.
const SESSION_S: i64 = 3600;

fn session(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.text("account").unwrap_or_default();
    if txn.at("").get("account", id).is_none() {
        return Err(Failure::missing("account", id, "account"));
    }
    let described = table::row("account_session").zip(Catalog::get().object("account_session"));
    let (row, shape) = described.ok_or_else(|| unplaced("account"))?;
    let mut session = draft::begin(txn, row, shape, &call.params);
    session.write(txn, shape, &call.params, &[])?;
    let expires_at = txn.now().plus(SESSION_S).0;
    let secret = txn.secret("account_session", "accs", 44);
    session.doc.insert("client_secret".to_owned(), json!(secret));
    session.doc.insert("expires_at".to_owned(), json!(expires_at));
    session.ensure_whole()?;
    Ok(Value::Object(session.doc).into())
}

fn add_external(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let id = text(&account, "id").to_owned();
    let scope = scope_of(txn, &id);
    let made = txn.in_account(&scope, |txn| {
        let sent = call.get("external_account").cloned().unwrap_or_default();
        let mut doc = bank::drafted(txn, &id, &sent, "external_account")?;
        merge_metadata(&mut doc, &call.params);
        let made = bank::add(txn, &id, doc, call.flag("default_for_currency"));
        txn.emit("account.external_account.created", &made);
        Ok(made)
    })?;
    standing::refresh(txn, &id, true);
    Ok(made.into())
}

fn remove_external(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = account(txn, call, "GET", Map::new())?;
    let id = text(&account, "id").to_owned();
    let scope = scope_of(txn, &id);
    let gone = txn.in_account(&scope, |txn| {
        let found = ["bank_account", "card"].iter().find_map(|kind| txn.get(kind, call.id(1)));
        let found = found.filter(|it| text(it, "account") == id);
        let found = found.ok_or_else(|| reference::absent("bank_account", call.id(1), "id"))?;
        bank::ensure_removable(txn, &account, &found)?;
        txn.remove(text(&found, "object"), call.id(1));
        txn.emit("account.external_account.deleted", &found);
        Ok(found)
    })?;
    standing::refresh(txn, &id, true);
    let object = text(&gone, "object");
    let mut stub = json!({"id": call.id(1), "object": object, "deleted": true});
    if let (Some(stub), "bank_account") = (stub.as_object_mut(), object) {
        stub.insert("currency".to_owned(), gone.get("currency").cloned().unwrap_or_default());
    }
    Ok(stub.into())
}

/// What is done to a record, whatever it is a record of; what follows for the account is `rules` to say.
fn as_record(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let endpoint = Catalog::get().routes().all().iter().find(|it| it.key() == call.key);
    let plan = endpoint.and_then(|endpoint| plan::plan(endpoint).ok());
    let plan = plan.ok_or_else(|| unplaced("account"))?;
    record::answer(txn, call, &plan)
}

/// Writes a person as the record of one, and has what was sent looked into.
fn write_person(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let account = call.id(0).to_owned();
    standing::note_sent(txn, &account, &call.params);
    let made = as_record(txn, call)?.into_document();
    let shown = txn.at(&scope_of(txn, &account)).get("person", text(&made, "id"));
    Ok(shown.map_or_else(|| made.into(), Body::from))
}
