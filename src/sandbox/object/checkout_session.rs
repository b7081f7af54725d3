//! Checkout Sessions: the endpoints.

use crate::sandbox::call::Call;
use crate::sandbox::checkout::{SESSION, create, expire, update};
use crate::sandbox::list;
use crate::sandbox::object::{Handler, text};
use crate::sandbox::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/checkout/sessions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/checkout/sessions" => create,
        "GET /v1/checkout/sessions" => list_all,
        "GET /v1/checkout/sessions/{session}" => retrieve,
        "POST /v1/checkout/sessions/{session}" => update,
        "POST /v1/checkout/sessions/{session}/expire" => expire,
        "GET /v1/checkout/sessions/{session}/line_items" => line_items,
        _ => return None,
    })
}

/// `line_items` of a session: its first ten lines.
pub fn include(doc: &Value, field: &str) -> Option<Value> {
    if field != "line_items" {
        return None;
    }
    let all = doc.get("_line_items").and_then(Value::as_array)?;
    let data: Vec<&Value> = all.iter().take(10).collect();
    let url = format!("/v1/checkout/sessions/{}/line_items", text(doc, "id"));
    Some(json!({"object": "list", "data": data, "has_more": all.len() > 10, "url": url}))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    create::create(txn, call).map(|session| create::shown(&session, call))
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find(SESSION, call.id(0), "id").map(|session| create::shown(&session, call))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find(SESSION, call.id(0), "id")?;
    update::update(txn, call).map(|session| create::shown(&session, call))
}

fn expire(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find(SESSION, call.id(0), "id")?;
    expire::expire(txn, call.id(0)).map(|session| create::shown(&session, call))
}

fn line_items(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let session = txn.find(SESSION, call.id(0), "id")?;
    let items = session.get("_line_items").and_then(Value::as_array);
    list::page_of(call, "item", items.map_or(&[], Vec::as_slice))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let email = call.hash("customer_details").and_then(|details| details.get("email"));
    let email = email.and_then(Value::as_str).map(str::to_lowercase);
    let same = [
        "customer",
        "customer_account",
        "payment_intent",
        "payment_link",
        "status",
        "subscription",
    ];
    let mut page = list::page(txn, call, SESSION, |doc| {
        same.iter().all(|name| call.text(name).is_none_or(|wanted| text(doc, name) == wanted))
            && email.as_ref().is_none_or(|wanted| {
                let details = doc.get("customer_details");
                details.is_some_and(|details| text(details, "email").to_lowercase() == *wanted)
            })
    })?;
    for session in page.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten() {
        *session = create::shown(session, call);
    }
    Ok(page)
}
