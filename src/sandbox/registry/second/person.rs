//! The people of an account of v2.

use crate::catalog::Catalog;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::connect::second::{self, PERSON};
use crate::sandbox::behaviour::document::{Handler, int, keep_unsent, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::Filter;
use crate::sandbox::call::neighbours;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, View, missing};
use crate::sandbox::registry::second::shape::shaped;
use crate::sandbox::registry::second::token::{self, Of};
use crate::sandbox::registry::second::{account, ensure_modelled, names, of_first};
use crate::wire::failure::Failure;
use crate::wire::render;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What there is nothing behind.
const UNMODELLED: [&str; 1] = ["/documents"];

/// The behaviour of `/v2/core/accounts/{account_id}/persons`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v2/core/accounts/{account_id}/persons" => create,
        "GET /v2/core/accounts/{account_id}/persons" => list_all,
        "GET /v2/core/accounts/{account_id}/persons/{id}" => |txn, call| {
            let found = find(txn, call)?;
            Ok(shown(txn, &found).into())
        },
        "POST /v2/core/accounts/{account_id}/persons/{id}" => update,
        "DELETE /v2/core/accounts/{account_id}/persons/{id}" => delete,
        _ => return None,
    })
}

fn find(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    account::find(txn, call.id(0))?;
    let found = txn.at(call.id(0)).get("person", call.id(1));
    let found = found.filter(|person| text(person, "account") == call.id(0));
    found.ok_or_else(|| missing(PERSON, call.id(1), "id"))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    account::find(txn, call.id(0))?;
    let key = "POST /v1/accounts/{account}/persons";
    write(txn, call, key, &[call.id(0)], "created")
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    find(txn, call)?;
    let key = "POST /v1/accounts/{account}/persons/{person}";
    write(txn, call, key, &[call.id(0), call.id(1)], "updated")
}

fn write(
    txn: &mut Txn<'_>,
    call: &Call,
    key: &str,
    ids: &[&str],
    event: &str,
) -> Result<Body, Failure> {
    let sent = Value::Object(call.params.clone());
    let mut sent = token::redeem(txn, Of::Person, call.id(0), sent)?;
    ensure_modelled(&sent, &UNMODELLED)?;
    let params = names::first_person(&sent);
    let made = of_first(txn, call, key, ids, params)?;
    let id = text(&made, "id").to_owned();
    if let Some(old) = second::kept(txn, &id).and_then(|mut kept| kept.remove("sent")) {
        keep_unsent(&mut sent, old);
    }
    let mut kept = Map::new();
    kept.insert("sent".to_owned(), sent);
    kept.insert("updated".to_owned(), json!(txn.now().rfc3339()));
    second::keep(txn, &id, kept);
    tell(txn, call.id(0), &id, event);
    let found = txn.at(call.id(0)).get("person", &id);
    let found = found.ok_or_else(|| missing(PERSON, &id, "id"))?;
    Ok(shown(txn, &found).into())
}

fn tell(txn: &mut Txn<'_>, account: &str, id: &str, event: &str) {
    let about = json!({"id": id, "object": PERSON, "account": account});
    txn.in_account("", |txn| txn.emit_about(&format!("{PERSON}.{event}"), &about));
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    find(txn, call)?;
    let key = "DELETE /v1/accounts/{account}/persons/{person}";
    of_first(txn, call, key, &[call.id(0), call.id(1)], Map::new())?;
    second::forget(txn, call.id(1));
    tell(txn, call.id(0), call.id(1), "deleted");
    Ok(json!({"id": call.id(1), "object": PERSON}).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    account::find(txn, call.id(0))?;
    let id = call.id(0).to_owned();
    txn.in_account(&id, |txn| {
        let filter = Filter::Is("account", id.clone());
        let txn = &*txn;
        neighbours::page(txn, call, "person", &[filter], |stored| {
            render::compact(&shown(txn, &Object::read(stored))).into()
        })
    })
}

/// A person as v2 shows it: what was sent, else what v1 knows.
fn shown(view: &View, person: &Object) -> Value {
    let id = text(person, "id");
    let kept = second::kept(view, id).unwrap_or_default();
    let created = Timestamp(int(person, "created")).rfc3339();
    let mut whole = json!({
        "account": text(person, "account"), "created": created, "id": id, "livemode": false,
        "metadata": person.get("metadata"), "object": PERSON,
        "updated": kept.get("updated").cloned().unwrap_or(json!(created)),
    });
    keep_unsent(&mut whole, kept.get("sent").cloned().unwrap_or_else(|| json!({})));
    keep_unsent(&mut whole, names::second_person(person));
    let Some(shape) = Catalog::get().object(PERSON) else { return whole };
    let members = shape.fields.iter().map(|field| {
        let value = whole.get(field.name).map(|value| shaped(&field.of, value));
        (field.name.to_owned(), value.unwrap_or_default())
    });
    Value::Object(members.collect())
}
