//! Credit notes, as the API makes, previews, voids and shows them.

use crate::sandbox::behaviour::billing::credit::{self, KIND};
use crate::sandbox::behaviour::billing::{invoice, on_clock_of};
use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;
use std::sync::Arc;

/// The behaviour of `/v1/credit_notes`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/credit_notes" => |txn, call| make(txn, call).map(Body::from),
        "GET /v1/credit_notes" => {
            |txn, call| list::page(txn, call, KIND, &list::same(call, &["customer", "invoice"]))
        }
        "GET /v1/credit_notes/preview" => {
            |txn, call| txn.supposing(|txn| make(txn, call)).map(Body::from)
        }
        "GET /v1/credit_notes/preview/lines" => {
            |txn, call| txn.supposing(|txn| make(txn, call)).and_then(|it| lines(call, &it))
        }
        "GET /v1/credit_notes/{credit_note}/lines" => {
            |txn, call| txn.find(KIND, call.id(0), "id").and_then(|it| lines(call, &it))
        }
        "GET /v1/credit_notes/{id}" => |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from),
        "POST /v1/credit_notes/{id}" => update,
        "POST /v1/credit_notes/{id}/void" => {
            |txn, call| credit::void(txn, call.id(0)).map(Body::from)
        }
        _ => return None,
    })
}

/// Made in the time of its invoice's customer.
fn make(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let of = txn.find(invoice::KIND, call.text("invoice").unwrap_or_default(), "invoice")?;
    let customer = text(&of, "customer").to_owned();
    on_clock_of(txn, &customer, |txn| credit::create(txn, call))
}

fn lines(call: &Call, note: &Value) -> Result<Body, Failure> {
    let all = note.get("lines").and_then(|it| it.get("data")?.as_array().cloned());
    list::page_of(call, "credit_note_line_item", &all.unwrap_or_default())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = txn.find(KIND, call.id(0), "id")?;
    let changed = txn.edit(KIND, call.id(0), |doc| {
        copy(doc, call, &["memo"]);
        merge_metadata(doc, &call.params);
    });
    let Some((before, after)) = changed else { return Ok(known.into()) };
    txn.emit_change("credit_note.updated", &before, &after);
    Ok(after.into())
}
