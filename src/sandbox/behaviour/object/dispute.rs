//! Disputes, as the API shows them and takes evidence.

use crate::sandbox::behaviour::dispute::machine::Step;
use crate::sandbox::behaviour::dispute::{course, evidence};
use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/disputes`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/disputes/{dispute}" => retrieve,
        "POST /v1/disputes/{dispute}" => update,
        "POST /v1/disputes/{dispute}/close" => close,
        "GET /v1/disputes" => list_all,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("dispute", call.id(0), "id").map(Body::from)
}

/// Evidence that is sent is submitted with it, unless `submit` says to keep it for later.
fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let found = txn.find("dispute", id, "id")?;
    let sent = call.hash("evidence").cloned();
    let submits = call.flag("submit").unwrap_or(sent.is_some());
    if sent.is_some() || submits {
        course::ensure_open(&found)?;
    }
    if let Some(sent) = &sent {
        evidence::check(txn, sent)?;
    }
    let write = |doc: &mut Doc| {
        if let Some(sent) = &sent {
            evidence::merge(doc, sent);
        }
        copy(doc, call, &["intended_submission_method"]);
        merge_metadata(doc, &call.params);
    };
    if submits {
        let after = course::go(txn, id, Step::Submit, |doc| {
            write(doc);
            evidence::submitted(doc);
        });
        let after = after.ok_or_else(|| Failure::invalid("This dispute is already closed"))?;
        if let Some(step) = evidence::outcome(&after) {
            course::decide(txn, id, step);
        }
        return Ok(after.into());
    }
    let Some((before, after)) = txn.edit("dispute", id, write) else {
        return Err(Failure::missing("dispute", id, "id"));
    };
    txn.emit_change("charge.dispute.updated", &before, &after);
    Ok(after.into())
}

/// The merchant has nothing to say: the dispute is lost, an inquiry is closed.
fn close(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("dispute", call.id(0), "id")?;
    course::ensure_open(&found)?;
    let after = course::go(txn, call.id(0), Step::Accept, |_| {});
    after.map(Body::from).ok_or_else(|| Failure::invalid("This dispute is already closed"))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let filters = list::same(call, &["charge", "payment_intent"]);
    list::page(txn, call, "dispute", &filters)
}
