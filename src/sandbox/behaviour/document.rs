//! What all behaviour does with documents: made of a kind, filled and trimmed by its shape, merged with what was sent.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Kind};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::Doc;
pub use crate::sandbox::engine::object::{int, text};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// Answers one endpoint.
pub type Handler = fn(&mut Txn<'_>, &Call) -> Result<Body, Failure>;

/// A new object of a kind: every member that the API shows, empty, and those given.
pub fn new(kind: &str, members: Value) -> Doc {
    let mut doc = Catalog::get().blank(kind);
    if let Value::Object(members) = members {
        doc.extend(members);
    }
    doc
}

/// A member of a hash, null where there is none.
pub fn member<'v>(of: impl Into<Option<&'v Value>>, name: &str) -> Value {
    of.into().and_then(|of| of.get(name)).cloned().unwrap_or_default()
}

/// Gives the named hashes of an object, where they are there, the members that they lack, as null.
pub fn fill(doc: &mut Doc, kind: &str, names: &[&str]) {
    let Some(shape) = Catalog::get().object(kind) else { return };
    for name in names {
        let of = grammar::field(&shape.fields, name).map(|field| &field.of.kind);
        if let (Some(value), Some(of)) = (doc.get_mut(*name), of) {
            fill_hash(value, of);
        }
    }
}

/// Takes out of the named hashes what the API does not show of what was sent (a security code's token).
pub fn trim(doc: &mut Doc, kind: &str, names: &[&str]) {
    let Some(shape) = Catalog::get().object(kind) else { return };
    for name in names {
        let of = grammar::field(&shape.fields, name).map(|field| &field.of.kind);
        if let (Some(value), Some(of)) = (doc.get_mut(*name), of) {
            trim_hash(value, of);
        }
    }
}

/// Merges what a call sends for types of payment methods into the `payment_method_options` of an intent.
pub fn merge_options(doc: &mut Doc, intent: &str, call: &Call) {
    const OPTIONS: &str = "payment_method_options";
    let Some(Value::Object(shown)) = doc.get_mut(OPTIONS) else { return };
    for (kind, members) in call.hash(OPTIONS).into_iter().flatten() {
        let at = shown.entry(kind.clone()).or_insert_with(|| json!({}));
        let (Value::Object(at), Value::Object(members)) = (at, members) else { continue };
        at.extend(members.clone());
        // Of a card's mandate, unlike a bank's, what was not said is null.
        if kind == "card"
            && let Some(mandate) = members.get("mandate_options").filter(|sent| sent.is_object())
        {
            let mandate = fit(Some(mandate), intent, &[OPTIONS, "card", "mandate_options"]);
            at.insert("mandate_options".to_owned(), mandate);
        }
    }
    trim(doc, intent, &[OPTIONS]);
}

/// A hash as an object of a kind shows it at a path: without what it does not know, and with null for what it lacks.
pub fn fit(hash: Option<&Value>, kind: &str, path: &[&str]) -> Value {
    let mut value = hash.filter(|hash| hash.is_object()).cloned().unwrap_or_else(|| json!({}));
    let Some(shape) = Catalog::get().object(kind) else { return value };
    let (mut fields, mut found) = (shape.fields.as_slice(), None);
    for name in path {
        found = grammar::field(fields, name).map(|field| &field.of.kind);
        fields = match found {
            Some(Kind::Hash(inner)) => inner,
            _ => &[],
        };
    }
    if let Some(of) = found {
        trim_hash(&mut value, of);
        fill_hash(&mut value, of);
    }
    value
}

fn trim_hash(value: &mut Value, of: &Kind) {
    let (Value::Object(map), Kind::Hash(fields)) = (value, of) else { return };
    map.retain(|name, _| grammar::field(fields, name).is_some());
    for field in fields {
        if let Some(inner) = map.get_mut(field.name) {
            trim_hash(inner, &field.of.kind);
        }
    }
}

fn fill_hash(value: &mut Value, of: &Kind) {
    let (Value::Object(map), Kind::Hash(fields)) = (value, of) else { return };
    for field in fields {
        if field.of.nullable {
            map.entry(field.name).or_insert(Value::Null);
        }
        if let Some(inner) = map.get_mut(field.name) {
            fill_hash(inner, &field.of.kind);
        }
    }
}

/// Copies the named parameters that were sent into an object; a cleared one becomes null.
pub fn copy(doc: &mut Doc, call: &Call, names: &[&str]) {
    for name in names {
        if let Some(value) = call.params.get(*name) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
}

/// Keeps what a hash had and was not sent anew, at every depth.
///
/// Recordings show it of a customer's address: a line that is sent leaves the others. What is updated leaf by leaf
/// there is believed to be so everywhere, as the API's rule is that a parameter which is not sent changes nothing.
pub fn keep_unsent(new: &mut Value, old: Value) {
    let (Value::Object(new), Value::Object(old)) = (new, old) else { return };
    for (name, old) in old {
        match new.get_mut(&name) {
            Some(new) => keep_unsent(new, old),
            None => drop(new.insert(name, old)),
        }
    }
}

/// Writes a sent hash into one that is there, and keeps of it what was not sent. What is null takes nothing.
pub fn merge_hash(into: Option<&mut Value>, sent: Option<&Map<String, Value>>) {
    if let (Some(into @ Value::Object(_)), Some(sent)) = (into, sent) {
        let old = std::mem::replace(into, Value::Object(sent.clone()));
        keep_unsent(into, old);
    }
}

/// Merges a `metadata` parameter: keys that are not named stay, cleared keys go, a cleared hash empties it.
pub fn merge_metadata(doc: &mut Doc, params: &Map<String, Value>) {
    let merged = merged(doc.get("metadata"), params.get("metadata"));
    doc.insert("metadata".to_owned(), Value::Object(merged));
}

fn merged(old: Option<&Value>, new: Option<&Value>) -> Map<String, Value> {
    let mut merged = old.and_then(Value::as_object).cloned().unwrap_or_default();
    match new {
        Some(Value::Null) => merged.clear(),
        Some(Value::Object(sent)) => {
            for (name, value) in sent {
                if value.is_null() {
                    merged.remove(name);
                } else {
                    merged.insert(name.clone(), value.clone());
                }
            }
        }
        _ => {}
    }
    merged
}
