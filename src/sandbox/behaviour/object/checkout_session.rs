//! Checkout Sessions: the endpoints.

use crate::catalog::limit::ends;
use crate::sandbox::behaviour::checkout::{SESSION, create, expire, sums, update};
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

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

/// `line_items` of a session, its first ten lines; `total_details.breakdown` and `shipping_cost.taxes`.
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    let id = text(doc, "id");
    match field {
        "line_items" => {
            let all = &txn.record::<SessionPart>(SESSION, id)?.line_items;
            let data: Vec<&Value> = all.iter().take(10).collect();
            let url = format!("/v1/checkout/sessions/{id}/line_items");
            Some(json!({"object": "list", "data": data, "has_more": all.len() > 10, "url": url}))
        }
        "total_details.breakdown" => Some(sums::breakdown(txn, doc)),
        "shipping_cost.taxes" => Some(json!(sums::more(txn, id, "taxes"))),
        _ => None,
    }
}

/// `discounts` and `taxes` of a line item.
pub fn item_more(txn: &Txn<'_>, item: &Value, field: &str) -> Option<Value> {
    let is_one = matches!(field, "discounts" | "taxes");
    is_one.then(|| json!(sums::more(txn, text(item, "id"), field)))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    create::create(txn, call).map(Body::from)
}

/// Characters of the longest id that a session has.
const ID_MAX: usize = 66;

/// The session of the path. An address ends in more than the id; whoever takes it for one is told so.
fn named(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let id = call.id(0);
    if id.chars().count() > ID_MAX {
        let message =
            format!("Invalid string: {}; must be at most {ID_MAX} characters", ends(id, 4));
        return Err(Failure::of(404, FailureKind::InvalidRequest, message).param("session"));
    }
    txn.find(SESSION, id, "id")
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    named(txn, call).map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    named(txn, call)?;
    update::update(txn, call).map(Body::from)
}

fn expire(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    named(txn, call)?;
    expire::expire(txn, call.id(0)).map(Body::from)
}

fn line_items(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let session = named(txn, call)?;
    list::page_of(call, "item", &session.part::<SessionPart>().line_items)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let email = call.hash("customer_details").and_then(|details| details.get("email"));
    let email = email.and_then(Value::as_str).map(str::to_owned);
    let same = [
        "customer",
        "customer_account",
        "payment_intent",
        "payment_link",
        "status",
        "subscription",
    ];
    let mut filters = list::same(call, &same);
    filters.extend(email.map(|email| Filter::IsLike("customer_details.email", email)));
    list::page(txn, call, SESSION, &filters)
}
