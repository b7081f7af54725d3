//! What an account has exactly one of: its settings of tax and of the balance.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::balance::schedule;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::draft::{self, Draft};
use crate::sandbox::registry::{reference, table};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// The behaviour of `/v1/balance_settings` and `/v1/tax/settings`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/balance_settings" | "GET /v1/tax/settings" => retrieve,
        "POST /v1/balance_settings" | "POST /v1/tax/settings" => update,
        _ => return None,
    })
}

fn kind_of(call: &Call) -> &'static str {
    if call.key.ends_with("/v1/tax/settings") { "tax.settings" } else { "balance_settings" }
}

/// The settings as they stand; those of a new account where nobody changed them.
fn current(txn: &Txn<'_>, kind: &'static str) -> Result<Draft, Failure> {
    if let Some(found) = txn.get(kind, "") {
        let doc = found.as_object().cloned().unwrap_or_default();
        return Ok(Draft { doc, ..Draft::default() });
    }
    let described = table::row(kind).zip(Catalog::get().object(kind));
    let (row, shape) = described.ok_or_else(|| reference::absent(kind, "", "id"))?;
    Ok(draft::begin(txn, row, shape, &Map::new()))
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    current(txn, kind_of(call)).map(|draft| Value::Object(draft.doc).into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let kind = kind_of(call);
    let mut draft = current(txn, kind)?;
    let Some(shape) = Catalog::get().object(kind) else { return retrieve(txn, call) };
    // What is there before the first change is what `previous_attributes` tells.
    let before = txn.put(draft.doc.clone());
    draft.write(txn, shape, &call.params, &[])?;
    if kind == "tax.settings" && draft.doc.get("head_office").is_some_and(Value::is_object) {
        draft.doc.insert("status".to_owned(), json!("active"));
        draft.doc.insert("status_details".to_owned(), json!({"active": {}}));
    }
    draft.ensure_whole()?;
    let after = txn.put(draft.doc);
    txn.emit_change(&format!("{kind}.updated"), &before, &after);
    if kind == "balance_settings" {
        schedule::plan(txn);
    }
    Ok(after.into())
}
