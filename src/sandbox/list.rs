//! Lists: newest first, by cursor, filtered.

use crate::sandbox::call::Call;
use crate::sandbox::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// One page of the objects of `kind` that `keep` accepts and that the call's `created` filter accepts.
///
/// Fails for an unknown cursor and for both cursors at once.
pub fn page(
    txn: &Txn<'_>,
    call: &Call,
    kind: &str,
    keep: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let wanted =
        |doc: &Value| doc.get("deleted").is_none() && created_matches(call, doc) && keep(doc);
    let (data, has_more) = match (call.text("starting_after"), call.text("ending_before")) {
        (Some(_), Some(_)) => {
            let text =
                "You may only specify one of these parameters: ending_before, starting_after.";
            return Err(Failure::invalid(text).param("ending_before"));
        }
        (Some(cursor), None) => {
            let seq = seq_of(txn, kind, cursor, "starting_after")?;
            take(txn.state().from(kind, seq, true), limit(call), wanted)
        }
        (None, Some(cursor)) => {
            let seq = seq_of(txn, kind, cursor, "ending_before")?;
            let (mut data, more) = take(txn.state().from(kind, seq, false), limit(call), wanted);
            data.reverse();
            (data, more)
        }
        (None, None) => take(txn.state().newest(kind), limit(call), wanted),
    };
    let data: Vec<Value> = data.iter().map(|doc| (***doc).clone()).collect();
    Ok(envelope(call, &data, has_more))
}

/// One page of values that are already at hand, in the order in which they are listed.
///
/// Fails for an unknown cursor.
pub fn page_of(call: &Call, kind: &str, items: &[Value]) -> Result<Value, Failure> {
    let at = |cursor: &str, param: &str| {
        items
            .iter()
            .position(|item| item.get("id").and_then(Value::as_str) == Some(cursor))
            .ok_or_else(|| missing(kind, cursor, param))
    };
    let limit = limit(call);
    let (rows, has_more): (Vec<&Value>, bool) = if let Some(cursor) = call.text("ending_before") {
        let end = at(cursor, "ending_before")?;
        (items.iter().take(end).skip(end.saturating_sub(limit)).collect(), end > limit)
    } else {
        let start = match call.text("starting_after") {
            Some(cursor) => at(cursor, "starting_after")? + 1,
            None => 0,
        };
        let rows: Vec<_> = items.iter().skip(start).take(limit).collect();
        let more = start + rows.len() < items.len();
        (rows, more)
    };
    let rows: Vec<Value> = rows.into_iter().cloned().collect();
    Ok(envelope(call, &rows, has_more))
}

/// A list object; its `url` is the path that was called.
pub fn envelope(call: &Call, data: &[Value], has_more: bool) -> Value {
    let mut ids = call.ids.iter();
    let path = call.key.split_once(' ').map_or("", |(_, path)| path);
    let url: Vec<&str> = path
        .split('/')
        .map(
            |part| {
                if part.starts_with('{') { ids.next().map_or(part, String::as_str) } else { part }
            },
        )
        .collect();
    json!({"object": "list", "data": data, "has_more": has_more, "url": url.join("/")})
}

fn limit(call: &Call) -> usize {
    call.int("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10)
}

fn seq_of(txn: &Txn<'_>, kind: &str, cursor: &str, param: &str) -> Result<u64, Failure> {
    txn.state()
        .record(kind, cursor)
        .map(|record| record.seq)
        .ok_or_else(|| missing(kind, cursor, param))
}

fn take<'a>(
    docs: impl Iterator<Item = &'a Arc<Value>>,
    limit: usize,
    wanted: impl Fn(&Value) -> bool,
) -> (Vec<&'a Arc<Value>>, bool) {
    let mut docs = docs.filter(|doc| wanted(doc));
    let page: Vec<_> = docs.by_ref().take(limit).collect();
    let more = docs.next().is_some();
    (page, more)
}

/// `created` as an exact instant or as `gt`, `gte`, `lt`, `lte`.
fn created_matches(call: &Call, doc: &Value) -> bool {
    let created = doc.get("created").and_then(Value::as_i64).unwrap_or(0);
    match call.get("created") {
        None => true,
        Some(Value::Object(range)) => range.iter().all(|(name, bound)| {
            let bound = bound.as_i64().unwrap_or(0);
            match name.as_str() {
                "gt" => created > bound,
                "gte" => created >= bound,
                "lt" => created < bound,
                _ => created <= bound,
            }
        }),
        Some(exact) => exact.as_i64() == Some(created),
    }
}
