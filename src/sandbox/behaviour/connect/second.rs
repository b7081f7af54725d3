//! Accounts as v2 sees them: what is kept of what it was told and v1 has no member for, and its own events.
//!
//! An account is one thing with two faces: v1's document, by which it stands or falls, and v2's, which is worked out
//! of that and of what was sent. That v2's events are the platform's is believed.

use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::{Txn, View};
use serde_json::{Map, Value, json};

/// The value of `object` of an account.
pub const ACCOUNT: &str = "v2.core.account";
/// The value of `object` of a person.
pub const PERSON: &str = "v2.core.account_person";
/// The kind of what is kept beside an account or a person.
const KEPT: &str = "_second";

/// What is kept of what v2 was told of an account or a person; `None` where it never was told anything.
pub fn kept(view: &View, id: &str) -> Option<Doc> {
    view.at("").get(KEPT, id).and_then(|kept| kept.as_object().cloned())
}

/// Keeps what v2 was told.
pub fn keep(txn: &mut Txn<'_>, id: &str, mut doc: Doc) {
    doc.insert("object".to_owned(), json!(KEPT));
    doc.insert("id".to_owned(), json!(id));
    txn.in_account("", |txn| txn.put(doc));
}

/// Forgets it.
pub fn forget(txn: &mut Txn<'_>, id: &str) {
    txn.in_account("", |txn| txn.remove(KEPT, id));
}

/// Emits an event of v2 about an account (`updated`, `[identity].updated`) with what only its retrieval shows.
pub fn tell_account(txn: &mut Txn<'_>, id: &str, what: &str, data: Option<Value>) {
    let joint = if what.starts_with('[') { "" } else { "." };
    let mut about = json!({"id": id, "object": ACCOUNT});
    if let (Some(data), Some(about)) = (data, about.as_object_mut()) {
        about.insert("data".to_owned(), data);
    }
    txn.in_account("", |txn| txn.emit_about(&format!("{ACCOUNT}{joint}{what}"), &about));
}

/// Emits the events of v2 that follow from how an account changed, where v2 knows it.
pub fn tell(txn: &mut Txn<'_>, id: &str, before: &Value, after: &Value) {
    if kept(txn, id).is_none() {
        return;
    }
    if before.get("requirements") != after.get("requirements") {
        tell_account(txn, id, "[requirements].updated", None);
    }
    let all = |account: &Value| {
        let all = account.get("capabilities").and_then(Value::as_object);
        all.cloned().unwrap_or_else(Map::new)
    };
    let old = all(before);
    for (name, status) in all(after) {
        if old.get(&name) != Some(&status) {
            let (configuration, name) = place(&name);
            let what = format!("[configuration.{configuration}].capability_status_updated");
            let data = json!({"updated_capability": name});
            tell_account(txn, id, &what, Some(data));
        }
    }
}

/// Where v2 has a capability of v1: in which configuration, and under which name.
pub fn place(capability: &str) -> (&'static str, &str) {
    match capability {
        "transfers" => ("recipient", "stripe_balance.stripe_transfers"),
        "us_bank_account_ach_payments" => ("merchant", "ach_debit_payments"),
        other => ("merchant", other),
    }
}

/// Emits the event of an owner who came back from a link that v2 made.
pub fn tell_returned(txn: &mut Txn<'_>, link: &Value) {
    let Some(configurations) = link.get("configurations").filter(|it| it.is_array()) else {
        return;
    };
    let data = json!({"account_id": text(link, "account"), "configurations": configurations,
        "use_case": text(link, "use_case")});
    let about = json!({ "data": data });
    txn.in_account("", |txn| txn.emit_about("v2.core.account_link.returned", &about));
}
