//! `expand[]`: ids become the objects that they name, and fields that are absent by default appear.
//!
//! The paths were checked against the catalog with the other parameters; what is walked here exists.

use crate::catalog::Catalog;
use crate::catalog::expand::{ExpandKind, Target, expand_in};
use crate::catalog::grammar::Field;
use crate::catalog::version::Version;
use crate::sandbox::behaviour::billing::told;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry;
use crate::sandbox::version::down;
use serde_json::Value;

/// Where a path stands: at an API object, which knows its own fields, or within a hash of one.
#[derive(Clone, Copy)]
enum Scope<'c> {
    Object,
    Hash(&'c [Field]),
}

/// Who looks for what is expanded, and how it is shown to them.
#[derive(Clone, Copy)]
struct Reader<'t> {
    txn: &'t Txn<'t>,
    version: &'t Version,
}

impl Reader<'_> {
    fn shown(self, mut object: Value) -> Value {
        let find = |kind: &str, id: &str| told::find(self.txn, kind, id);
        down::value(&mut object, &self.version.text, &find);
        object
    }
}

/// Expands one dotted path of `value`, the body of an answer as the version shows it.
pub fn expand(txn: &Txn<'_>, value: &mut Value, path: &str, version: &Version) {
    let segments: Vec<&str> = path.split('.').collect();
    walk(Reader { txn, version }, value, &segments, Scope::Object);
}

fn walk(reader: Reader<'_>, value: &mut Value, path: &[&str], scope: Scope<'_>) {
    let Some((name, rest)) = path.split_first() else { return };
    if let Value::Array(items) = value {
        for item in items {
            walk(reader, item, path, scope);
        }
        return;
    }
    if matches!(text(value, "object"), "list" | "search_result") {
        if let Some(items) = value.get_mut(*name) {
            walk(reader, items, rest, Scope::Object);
        }
        return;
    }
    let Some(target) = target_of(reader, value, name, scope) else { return };
    if target.includable && value.get(*name).is_none() {
        let shown = registry::include(reader.txn, value, name)
            .or_else(|| object::include(reader.txn, value, name))
            .map(|shown| reader.shown(shown));
        if let (Some(shown), Some(map)) = (shown, value.as_object_mut()) {
            map.insert((*name).to_owned(), shown);
        }
    }
    let accounts = accounts_of(reader, value);
    if matches!(scope, Scope::Object) {
        include_within(reader, value, name, rest);
    }
    let Some(member) = value.get_mut(*name) else { return };
    let inner = match target.kind {
        ExpandKind::Reference(kinds) => {
            resolve(reader, member, kinds, &accounts);
            Scope::Object
        }
        ExpandKind::Hash(fields) => Scope::Hash(fields),
        ExpandKind::Embedded(_) | ExpandKind::Page(_) => Scope::Object,
        ExpandKind::Plain => return,
    };
    walk(reader, member, rest, inner);
}

/// A member of a hash that is absent until it is asked for (`total_details.breakdown`): only the object around the
/// hash knows what is in it.
fn include_within(reader: Reader<'_>, value: &mut Value, name: &str, rest: &[&str]) {
    let Some(inner) = rest.first() else { return };
    if !value.get(name).is_some_and(|hash| hash.is_object() && hash.get(inner).is_none()) {
        return;
    }
    let shown = object::include(reader.txn, value, &format!("{name}.{inner}"));
    if let (Some(shown), Some(Value::Object(hash))) = (shown, value.get_mut(name)) {
        hash.insert((*inner).to_owned(), reader.shown(shown));
    }
}

fn target_of<'c>(
    reader: Reader<'_>,
    value: &Value,
    name: &str,
    scope: Scope<'c>,
) -> Option<Target<'c>> {
    match scope {
        Scope::Object => {
            let kind = text(value, "object");
            Catalog::get().expand_target_in(kind, name, reader.version)
        }
        Scope::Hash(fields) => expand_in(fields, name),
    }
}

/// The accounts beside the caller's in which an object's references may stand: the platform, and whom it names.
fn accounts_of(reader: Reader<'_>, value: &Value) -> Vec<String> {
    let named = |value: &Value, name: &str| {
        let named = value.get(name)?;
        // It may be expanded already.
        let id = named.as_str().or_else(|| named.get("id")?.as_str());
        id.filter(|id| id.starts_with("acct_")).map(str::to_owned)
    };
    let mut found = vec![String::new()];
    found.extend(["account", "destination"].iter().filter_map(|name| named(value, name)));
    if text(value, "object") == "transfer_reversal" {
        let transfer = reader.txn.get("transfer", text(value, "transfer"));
        found.extend(transfer.and_then(|transfer| named(&transfer, "destination")));
    }
    found
}

fn resolve(reader: Reader<'_>, member: &mut Value, kinds: &[&'static str], accounts: &[String]) {
    match member {
        Value::String(id) => {
            let own = kinds.iter().find_map(|kind| reader.txn.get(kind, id));
            let found = own.or_else(|| {
                let mut views = accounts.iter().map(|account| reader.txn.at(account));
                views.find_map(|view| kinds.iter().find_map(|kind| view.get(kind, id)))
            });
            if let Some(doc) = found {
                *member = reader.shown(doc.document());
            }
        }
        Value::Array(items) => {
            for item in items {
                resolve(reader, item, kinds, accounts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}
