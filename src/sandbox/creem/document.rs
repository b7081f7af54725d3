//! What all of Creem's objects have in common: how they are made, found, listed and shown.

use crate::domain::time::Timestamp;
pub use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The mode of everything that a test key makes.
const MODE: &str = "test";

/// How long an id is after its prefix.
const ID_DIGITS: usize = 22;

/// How many items a list has where nobody says.
const PAGE_SIZE: i64 = 10;

/// A request that passed its checks.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What stands in the path.
    pub ids: Vec<String>,
    /// What stands in the query or the body.
    pub params: Map<String, Value>,
    /// The API key.
    pub key: String,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
}

/// Answers one endpoint.
pub type Handler = fn(&mut Txn<'_>, &Asked) -> Result<Value, Failure>;

impl Asked {
    /// The id in the path.
    pub fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// A text that was sent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// A whole number that was sent.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.params.get(name).and_then(Value::as_i64)
    }
}

/// An instant as Creem writes it.
pub fn iso(at: Timestamp) -> Value {
    json!(at.rfc3339().replace('Z', ".000Z"))
}

/// An instant in milliseconds, as transactions and events have it.
pub fn millis(at: Timestamp) -> Value {
    json!(at.0.saturating_mul(1_000))
}

/// A new object of a kind.
pub fn new(txn: &Txn<'_>, (kind, prefix): (&str, &str), members: Value) -> Doc {
    let mut doc = Doc::new();
    doc.insert("id".to_owned(), json!(txn.new_id(prefix, ID_DIGITS)));
    doc.insert("mode".to_owned(), json!(MODE));
    doc.insert("object".to_owned(), json!(kind));
    if let Value::Object(members) = members {
        doc.extend(members);
    }
    for name in ["created_at", "updated_at"] {
        doc.entry(name).or_insert_with(|| iso(txn.now()));
    }
    doc
}

/// Puts a member in, or takes it out where there is nothing to say: what is optional is never null.
pub fn set(doc: &mut Doc, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(doc.insert(name.to_owned(), value)),
        None => drop(doc.remove(name)),
    }
}

/// Notes that an object has changed.
pub fn touch(doc: &mut Doc, now: Timestamp) {
    doc.insert("updated_at".to_owned(), iso(now));
}

/// A refusal.
pub fn refuse(status: u16, message: impl Into<String>) -> Failure {
    Failure::of(status, FailureKind::InvalidRequest, message)
}

/// The object of a kind and id, or a 404 that names it.
pub fn find(view: &Txn<'_>, kind: &str, id: &str) -> Result<Arc<Object>, Failure> {
    view.get(kind, id).ok_or_else(|| missing(kind))
}

/// The 404 of a kind.
pub fn missing(kind: &str) -> Failure {
    let mut letters = kind.chars();
    let kind: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    refuse(404, format!("{kind} not found"))
}

/// Every object of a kind that is wanted, newest first.
pub fn all(view: &View, kind: &str, wanted: impl Fn(&Object) -> bool) -> Vec<Arc<Object>> {
    view.newest(kind).filter(|object| wanted(object)).collect()
}

/// One page of a list, as `page_number` and `page_size` ask for it.
pub fn page(asked: &Asked, found: &[Arc<Object>], show: impl Fn(&Object) -> Value) -> Value {
    let number = asked.int("page_number").unwrap_or(1).max(1);
    let size = asked.int("page_size").unwrap_or(PAGE_SIZE).max(1);
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let pages = total / size + i64::from(total % size != 0);
    let skipped = usize::try_from((number - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let taken = usize::try_from(size).unwrap_or(usize::MAX);
    let items: Vec<Value> =
        found.iter().skip(skipped).take(taken).map(|object| show(object)).collect();
    json!({
        "items": items,
        "pagination": {
            "total_records": total,
            "total_pages": pages,
            "current_page": number,
            "next_page": (number < pages).then_some(number.saturating_add(1)),
            "prev_page": (number > 1).then_some(number.saturating_sub(1)),
        },
    })
}

/// A document with a member that names an object replaced by that object.
pub fn expand(view: &Txn<'_>, doc: &mut Value, name: &str) {
    let found = view.get(name, text(doc, name));
    if let (Some(found), Value::Object(doc)) = (found, doc) {
        doc.insert(name.to_owned(), found.document());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;

    #[test]
    fn a_list_says_where_it_goes_on_and_where_it_came_from() {
        let mut lab = Lab::new();
        let found: Vec<_> = (0..5)
            .map(|at| {
                let doc = json!({"object": "order", "id": format!("ord_{at}")});
                lab.change(|txn| Ok(txn.put(doc))).unwrap()
            })
            .collect();
        let pagination = |number: i64, size: i64| {
            let params = json!({"page_number": number, "page_size": size});
            let Value::Object(params) = params else { panic!("an object") };
            let asked = Asked { params, ..Asked::default() };
            let page = page(&asked, &found, Object::document);
            (page["items"].as_array().unwrap().len(), page["pagination"].clone())
        };
        let wanted = json!({"total_records": 5, "total_pages": 3, "current_page": 1, "next_page": 2, "prev_page": null});
        assert_eq!(pagination(1, 2), (2, wanted));
        let wanted = json!({"total_records": 5, "total_pages": 3, "current_page": 3, "next_page": null, "prev_page": 2});
        assert_eq!(pagination(3, 2), (1, wanted));
        assert_eq!(pagination(9, 2).0, 0);
        assert_eq!(pagination(1, i64::MAX).0, 5);
    }
}
