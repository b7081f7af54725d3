//! A new or changed object out of the parameters that were sent: each goes where its name and type fit.

use crate::catalog::Catalog;
use crate::catalog::absent::is_includable;
use crate::catalog::grammar::{self, Field, Kind, Shape, Type};
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::merge_metadata;
use crate::sandbox::call::reference::kind_of;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::table::Row;
use crate::sandbox::registry::{reference, rules, unplaced};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};

/// A hash with more members than this that may all be null is a choice of one: the others are left out.
const CHOICES: usize = 20;

/// An object that is being written, and what of it is shown only when it is expanded.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The document.
    pub doc: Doc,
    /// Members that stand beside it.
    pub more: Doc,
}

/// A new object of a kind: empty, with what its row says of new ones.
pub fn begin(txn: &Txn<'_>, row: &Row, shape: &Shape, params: &Map<String, Value>) -> Draft {
    let mut doc = Catalog::get().blank(row.kind);
    for field in &shape.fields {
        if let (Kind::Hash(_), false) = (&field.of.kind, field.of.nullable)
            && let Some(value) = empty(&field.of)
        {
            doc.insert(field.name.to_owned(), value);
        }
    }
    let initial: Value = serde_json::from_str(row.initial).unwrap_or_default();
    merge(txn, &mut doc, &initial, shape, params);
    for name in ["created", "updated"] {
        stamp(txn, &mut doc, shape, name);
    }
    Draft { doc, more: Doc::new() }
}

/// Sets a member to the time of this change, where the object has it.
pub fn stamp(txn: &Txn<'_>, doc: &mut Doc, shape: &Shape, name: &str) {
    if let Some(field) = grammar::field(&shape.fields, name) {
        doc.insert(name.to_owned(), instant(&field.of, txn.now()));
    }
}

/// Seconds, or RFC 3339 where the member is text, as in v2.
fn instant(of: &Type, now: Timestamp) -> Value {
    if matches!(of.kind, Kind::Text) { json!(now.rfc3339()) } else { json!(now.0) }
}

/// Writes members over those that are there, hash by hash.
pub fn merge(
    txn: &Txn<'_>,
    doc: &mut Doc,
    members: &Value,
    shape: &Shape,
    params: &Map<String, Value>,
) {
    for (name, value) in members.as_object().into_iter().flatten() {
        let of = grammar::field(&shape.fields, name).map(|field| &field.of);
        let value = filled(txn, value, of, params);
        merge_value(doc.entry(name.clone()).or_insert(Value::Null), value);
    }
}

fn merge_value(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                merge_value(old.entry(name).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new,
    }
}

/// A value of the table, with what its placeholders stand for.
fn filled(txn: &Txn<'_>, value: &Value, of: Option<&Type>, params: &Map<String, Value>) -> Value {
    let number = || params.get("account_number").and_then(Value::as_str).unwrap_or_default();
    match value {
        Value::Object(members) => {
            let inner = members.iter().map(|(name, value)| {
                let of = of.and_then(|of| match &of.kind {
                    Kind::Hash(fields) => grammar::field(fields, name).map(|field| &field.of),
                    _ => None,
                });
                (name.clone(), filled(txn, value, of, params))
            });
            Value::Object(inner.collect())
        }
        Value::String(text) => match text.as_str() {
            "$now" => of.map_or_else(|| json!(txn.now().0), |of| instant(of, txn.now())),
            "$last4" => json!(last(number(), 4)),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// The last characters of a text.
pub fn last(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    text.chars().skip(skipped).collect()
}

/// What a member holds before anything was said of it; `None` where only somebody who knows can tell.
pub fn empty(of: &Type) -> Option<Value> {
    if of.nullable {
        return Some(Value::Null);
    }
    Some(match &of.kind {
        Kind::Boolean => json!(false),
        Kind::List(_) => json!([]),
        Kind::Map(_) => json!({}),
        Kind::Hash(fields) => Value::Object(empty_hash(fields)),
        _ => return None,
    })
}

fn empty_hash(fields: &[Field]) -> Doc {
    let is_choice = fields.len() > CHOICES && fields.iter().all(|field| field.of.nullable);
    let known = fields.iter().filter(|_| !is_choice);
    known.filter_map(|field| Some((field.name.to_owned(), empty(&field.of)?))).collect()
}

impl Draft {
    /// Writes the sent parameters into the object. Fails for what refers to nothing, and for what has no place.
    pub fn write(
        &mut self,
        txn: &mut Txn<'_>,
        shape: &Shape,
        params: &Map<String, Value>,
        known: &[&str],
    ) -> Result<(), Failure> {
        for (name, sent) in params {
            if name == "metadata" || known.contains(&name.as_str()) {
                continue;
            }
            let Some(field) = grammar::field(&shape.fields, name) else {
                if !provide(&mut self.doc, &shape.fields, name, sent) {
                    return Err(unplaced(name));
                }
                continue;
            };
            let apart = is_includable(shape.name, name);
            let at = if apart { &mut self.more } else { &mut self.doc };
            let old = at.get(name).cloned();
            let value = fit(txn, &field.of, sent, old.as_ref(), name)?;
            at.insert(name.clone(), value);
        }
        if grammar::field(&shape.fields, "metadata").is_some() {
            merge_metadata(&mut self.doc, params);
        }
        Ok(())
    }

    /// Refuses an object that would not have the API's shape: better none than one that is made up.
    pub fn ensure_whole(&self) -> Result<(), Failure> {
        let found = Catalog::get().check(&Value::Object(self.doc.clone()));
        let Some(first) = found.first() else { return Ok(()) };
        let text = format!("This combination of parameters is not modelled yet: {first}.");
        Err(Failure::of(501, FailureKind::Api, text))
    }
}

/// Notes that something was given which the API does not show: `id_number_provided`.
fn provide(doc: &mut Doc, fields: &[Field], name: &str, sent: &Value) -> bool {
    let noted = format!("{name}_provided");
    let is_there =
        grammar::field(fields, &noted).is_some_and(|field| matches!(field.of.kind, Kind::Boolean));
    if is_there {
        doc.insert(noted, json!(!sent.is_null()));
    }
    is_there
}

/// What was sent, as the member of an object holds it.
fn fit(
    txn: &mut Txn<'_>,
    of: &Type,
    sent: &Value,
    old: Option<&Value>,
    path: &str,
) -> Result<Value, Failure> {
    if sent.is_null() {
        return empty(of).ok_or_else(|| unplaced(path));
    }
    let fits = match &of.kind {
        Kind::Text | Kind::Decimal => return text(txn, sent, path),
        Kind::Integer if sent == "now" => return Ok(json!(txn.now().0)),
        Kind::Integer => sent.is_i64(),
        Kind::Float => sent.is_number(),
        Kind::Boolean => sent.is_boolean(),
        Kind::Any => true,
        Kind::Enum { words, .. } => sent.as_str().is_some_and(|word| words.contains(&word)),
        Kind::List(of) => return list(txn, of, sent, path),
        Kind::Map(of) => return map(txn, of, sent, old, path),
        Kind::Hash(fields) => return hash(txn, fields, sent, old, path),
        Kind::Expandable(kinds) => {
            let Some(id) = sent.as_str() else { return Err(unplaced(path)) };
            reference::ensure(txn, kinds, id, path)?;
            true
        }
        Kind::Object(kinds) => {
            let Some(id) = sent.as_str() else { return Err(unplaced(path)) };
            return reference::ensure(txn, kinds, id, path)?.ok_or_else(|| unplaced(path));
        }
        Kind::Union(members) => {
            let results = members.iter().map(|member| fit(txn, member, sent, old, path));
            return results.reduce(Result::or).unwrap_or_else(|| Err(unplaced(path)));
        }
        Kind::Page(_) | Kind::Shape(_) => false,
    };
    if fits { Ok(sent.clone()) } else { Err(unplaced(path)) }
}

fn text(txn: &mut Txn<'_>, sent: &Value, path: &str) -> Result<Value, Failure> {
    let Some(id) = sent.as_str() else { return Err(unplaced(path)) };
    if let Some(kind) = kind_of(path) {
        reference::ensure(txn, &[kind], id, path)?;
    }
    Ok(sent.clone())
}

fn list(txn: &mut Txn<'_>, of: &Type, sent: &Value, path: &str) -> Result<Value, Failure> {
    let Some(items) = sent.as_array() else { return Err(unplaced(path)) };
    let mut found = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        found.push(fit(txn, of, item, None, &format!("{path}[{at}]"))?);
    }
    Ok(Value::Array(found))
}

fn map(
    txn: &mut Txn<'_>,
    of: &Type,
    sent: &Value,
    old: Option<&Value>,
    path: &str,
) -> Result<Value, Failure> {
    let Some(members) = sent.as_object() else { return Err(unplaced(path)) };
    let mut found = old.and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in members {
        if value.is_null() {
            found.remove(name);
            continue;
        }
        let value = fit(txn, of, value, found.get(name), &format!("{path}[{name}]"))?;
        found.insert(name.clone(), value);
    }
    Ok(Value::Object(found))
}

fn hash(
    txn: &mut Txn<'_>,
    fields: &[Field],
    sent: &Value,
    old: Option<&Value>,
    path: &str,
) -> Result<Value, Failure> {
    let Some(members) = sent.as_object() else { return Err(unplaced(path)) };
    let old = old.and_then(Value::as_object).cloned();
    let mut found = old.unwrap_or_else(|| empty_hash(fields));
    for (name, value) in members {
        let inner = format!("{path}[{name}]");
        match grammar::field(fields, name) {
            Some(field) => {
                let value = fit(txn, &field.of, value, found.get(name), &inner)?;
                found.insert(name.clone(), value);
            }
            None if provide(&mut found, fields, name, value) || rules::is_kept_back(&inner) => {}
            None => return Err(unplaced(&inner)),
        }
    }
    Ok(Value::Object(found))
}

/// Whether a hash has a member of that name.
pub fn has_member(of: &Kind, name: &str) -> bool {
    matches!(of, Kind::Hash(fields) if grammar::field(fields, name).is_some())
}
