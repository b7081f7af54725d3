//! `apps.secret`: what an app keeps for an account or one of its users, found by its name and scope.

use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

const KIND: &str = "apps.secret";

/// The behaviour of `/v1/apps/secrets`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/apps/secrets" => set,
        "GET /v1/apps/secrets" => |txn, call| {
            let scope = scope(call)?;
            let mut within = vec![Filter::Is("scope.type", text(&scope, "type").to_owned())];
            let user = text(&scope, "user");
            if !user.is_empty() {
                within.push(Filter::Is("scope.user", user.to_owned()));
            }
            list::page(txn, call, KIND, &within)
        },
        "GET /v1/apps/secrets/find" => |txn, call| find(txn, call).map(|it| shown(&it, true)),
        "POST /v1/apps/secrets/delete" => delete,
        _ => return None,
    })
}

/// The scope that a call names, as a secret shows it.
fn scope(call: &Call) -> Result<Value, Failure> {
    let sent = call.hash("scope");
    let word = |name: &str| sent.and_then(|it| it.get(name)).and_then(Value::as_str);
    match (word("type").unwrap_or_default(), word("user")) {
        ("user", None) => {
            let text = "Missing required param: scope[user].";
            Err(Failure::invalid(text).code("parameter_missing").param("scope[user]"))
        }
        ("user", Some(user)) => Ok(json!({"type": "user", "user": user})),
        _ => Ok(json!({"type": "account"})),
    }
}

fn same(known: &Value, wanted: &Value) -> bool {
    text(known, "type") == text(wanted, "type") && text(known, "user") == text(wanted, "user")
}

fn known(txn: &Txn<'_>, call: &Call) -> Result<Option<Arc<Object>>, Failure> {
    let scope = scope(call)?;
    let name = call.text("name").unwrap_or_default();
    let now = txn.now().0;
    let all = txn.having(KIND, "name", name);
    let lives = |it: &Arc<Object>| {
        let ends = it.get("expires_at").and_then(Value::as_i64);
        ends.is_none_or(|at| at > now) && it.get("scope").is_some_and(|it| same(it, &scope))
    };
    Ok(all.into_iter().find(lives))
}

/// The words are believed.
fn find(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let name = call.text("name").unwrap_or_default();
    known(txn, call)?
        .ok_or_else(|| Failure { status: 404, ..Failure::missing("secret", name, "name") })
}

/// A secret's payload is shown where one is looked for by name, and nowhere else.
fn shown(secret: &Object, whole: bool) -> Body {
    let mut doc = secret.document();
    if let (Value::Object(doc), false) = (&mut doc, whole) {
        doc.insert("payload".to_owned(), Value::Null);
    }
    doc.into()
}

fn set(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let old = known(txn, call)?;
    let id = old.map_or_else(|| txn.new_id("appsecret_", 24), |old| text(&old, "id").to_owned());
    let made = txn.put(new(
        KIND,
        json!({
            "id": id, "created": txn.now().0, "expires_at": call.int("expires_at"),
            "name": call.text("name"), "payload": call.text("payload"), "scope": scope(call)?,
        }),
    ));
    Ok(shown(&made, false))
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = find(txn, call)?;
    txn.remove(KIND, text(&found, "id"));
    let mut doc = found.document();
    if let Value::Object(doc) = &mut doc {
        doc.insert("payload".to_owned(), Value::Null);
        doc.insert("deleted".to_owned(), json!(true));
    }
    Ok(doc.into())
}
