//! What a list of a generic resource keeps: by every parameter that names a member of what is listed.

use crate::catalog::grammar::{self, Kind, Shape};
use crate::sandbox::call::Call;
use crate::sandbox::call::list::{Filter, plain};
use crate::sandbox::call::reference::kind_of;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{reference, unplaced};
use crate::wire::failure::Failure;
use serde_json::{Map, Value};

/// Parameters of a list that are no filters.
const NO_FILTERS: [&str; 7] =
    ["created", "ending_before", "include", "limit", "page", "starting_after", "query"];

/// Filters whose member lies deeper than their name: kind, parameter, path.
const DEEPER: [(&str, &str, &str); 2] = [
    ("billing.alert", "meter", "usage_threshold.meter"),
    ("v2.core.vault.us_bank_account", "verification_status", "verification.status"),
];

/// The filters that a call asks for. Fails for what refers to nothing, and for what no member answers to.
pub fn filters<'c>(
    txn: &mut Txn<'_>,
    call: &'c Call,
    shape: &'static Shape,
) -> Result<Vec<Filter<'c>>, Failure> {
    let mut found = Vec::new();
    let none_there = txn.table(shape.name).is_none();
    for (name, sent) in &call.params {
        if sent.is_null() || NO_FILTERS.contains(&name.as_str()) {
            continue;
        }
        refer(txn, shape, name, sent)?;
        match filter(shape, name, sent) {
            Some(filter) => found.push(filter),
            // Of nothing, nothing is kept, whatever is asked for.
            None if none_there => {}
            None => return Err(unplaced(name)),
        }
    }
    Ok(found)
}

fn refer(txn: &mut Txn<'_>, shape: &Shape, name: &str, sent: &Value) -> Result<(), Failure> {
    let Some(id) = sent.as_str() else { return Ok(()) };
    let kinds = match grammar::field(&shape.fields, name).map(|field| &field.of.kind) {
        Some(Kind::Expandable(kinds) | Kind::Object(kinds)) => kinds.clone(),
        _ => kind_of(name).into_iter().collect(),
    };
    // Payment methods are made by their tokens; a filter makes nothing.
    if kinds.is_empty() || kinds.contains(&"payment_method") {
        return Ok(());
    }
    reference::ensure(txn, &kinds, id, name).map(|_| ())
}

fn filter<'c>(shape: &'static Shape, name: &'c str, sent: &'c Value) -> Option<Filter<'c>> {
    let deeper = DEEPER.iter().find(|(kind, param, _)| *kind == shape.name && *param == name);
    if let Some((_, _, path)) = deeper {
        return Some(Filter::Is(path, text(sent)));
    }
    match sent {
        Value::Array(wanted) => {
            let single = name.strip_suffix('s').unwrap_or(name);
            let field = grammar::field(&shape.fields, single)?;
            let wanted: Vec<String> = wanted.iter().map(text).collect();
            Some(Filter::test(move |stored| {
                plain(stored, field.name, |found| wanted.iter().any(|it| it == found))
            }))
        }
        Value::Object(members) => {
            let field = grammar::field(&shape.fields, name)?;
            match field.of.kind {
                Kind::Integer => Some(within(field.name, members)),
                Kind::Hash(_) => Some(Filter::test(move |stored| {
                    members.iter().all(|(inner, wanted)| {
                        plain(stored, &format!("{name}.{inner}"), |found| found == text(wanted))
                    })
                })),
                _ => None,
            }
        }
        // What is archived is not active.
        Value::Bool(archived) if name == "archived" => {
            let active = grammar::field(&shape.fields, "active")?;
            Some(Filter::Is(active.name, (!archived).to_string()))
        }
        _ => {
            let field = grammar::field(&shape.fields, name)?;
            if matches!(field.of.kind, Kind::Object(_)) {
                let path = format!("{name}.id");
                return Some(Filter::test(move |stored| plain(stored, &path, |it| it == sent)));
            }
            Some(Filter::Is(field.name, text(sent)))
        }
    }
}

/// Keeps what lies between `gt`, `gte`, `lt` and `lte`.
fn within<'c>(name: &'static str, range: &'c Map<String, Value>) -> Filter<'c> {
    Filter::test(move |stored| {
        plain(stored, name, |found| {
            let Ok(found) = found.parse::<i64>() else { return false };
            range.iter().all(|(side, bound)| {
                let bound = bound.as_i64().unwrap_or(0);
                match side.as_str() {
                    "gt" => found > bound,
                    "gte" => found >= bound,
                    "lt" => found < bound,
                    _ => found <= bound,
                }
            })
        })
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
