//! `expand[]`: ids become the objects that they name, and fields that are absent by default appear.
//!
//! The paths were checked against the catalog with the other parameters; what is walked here exists.

use crate::catalog::Catalog;
use crate::catalog::expand::{ExpandKind, Target, expand_in};
use crate::catalog::grammar::Field;
use crate::sandbox::behaviour::object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry;
use serde_json::Value;

/// Where a path stands: at an API object, which knows its own fields, or within a hash of one.
#[derive(Clone, Copy)]
enum Scope<'c> {
    Object,
    Hash(&'c [Field]),
}

/// Expands one dotted path of `value`, the body of an answer.
pub fn expand(txn: &Txn<'_>, value: &mut Value, path: &str) {
    let segments: Vec<&str> = path.split('.').collect();
    walk(txn, value, &segments, Scope::Object);
}

fn walk(txn: &Txn<'_>, value: &mut Value, path: &[&str], scope: Scope<'_>) {
    let Some((name, rest)) = path.split_first() else { return };
    if let Value::Array(items) = value {
        for item in items {
            walk(txn, item, path, scope);
        }
        return;
    }
    if matches!(object::text(value, "object"), "list" | "search_result") {
        if let Some(items) = value.get_mut(*name) {
            walk(txn, items, rest, Scope::Object);
        }
        return;
    }
    let Some(target) = target_of(value, name, scope) else { return };
    if target.includable && value.get(*name).is_none() {
        let shown =
            registry::include(txn, value, name).or_else(|| object::include(txn, value, name));
        if let (Some(shown), Some(map)) = (shown, value.as_object_mut()) {
            map.insert((*name).to_owned(), shown);
        }
    }
    let Some(member) = value.get_mut(*name) else { return };
    let inner = match target.kind {
        ExpandKind::Reference(kinds) => {
            resolve(txn, member, kinds);
            Scope::Object
        }
        ExpandKind::Hash(fields) => Scope::Hash(fields),
        ExpandKind::Embedded(_) | ExpandKind::Page(_) => Scope::Object,
        ExpandKind::Plain => return,
    };
    walk(txn, member, rest, inner);
}

fn target_of<'c>(value: &Value, name: &str, scope: Scope<'c>) -> Option<Target<'c>> {
    match scope {
        Scope::Object => Catalog::get().expand_target(object::text(value, "object"), name),
        Scope::Hash(fields) => expand_in(fields, name),
    }
}

fn resolve(txn: &Txn<'_>, member: &mut Value, kinds: &[&'static str]) {
    match member {
        Value::String(id) => {
            if let Some(doc) = kinds.iter().find_map(|kind| txn.get(kind, id)) {
                *member = doc.document();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(txn, item, kinds)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}
