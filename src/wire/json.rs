//! JSON as Stripe prints it: two spaces, `id` and `object` first, then by name.

use serde_json::{Map, Value};

/// Pretty JSON in Stripe's order. An API object's own members whose name starts with `_` are private
/// to the sandbox and left out; what a user named so (metadata) stays.
pub fn pretty(value: &Value) -> String {
    let mut out = String::with_capacity(2048);
    write_value(&mut out, value, 0);
    out
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) => write_object(out, map, depth),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(out, at == 0, depth + 1);
                write_value(out, item, depth + 1);
            }
            separate(out, true, depth);
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

fn write_object(out: &mut String, map: &Map<String, Value>, depth: usize) {
    let is_api_object = map.get("object").is_some_and(Value::is_string);
    let leads = |name: &str| is_api_object && matches!(name, "id" | "object");
    let private = |name: &str| is_api_object && name.starts_with('_');
    let first = map.iter().filter(|(name, _)| leads(name));
    let rest = map.iter().filter(|(name, _)| !leads(name) && !private(name));
    let mut empty = true;
    out.push('{');
    for (name, value) in first.chain(rest) {
        separate(out, empty, depth + 1);
        out.push_str(&Value::from(name.as_str()).to_string());
        out.push_str(": ");
        write_value(out, value, depth + 1);
        empty = false;
    }
    if !empty {
        separate(out, true, depth);
    }
    out.push('}');
}

fn separate(out: &mut String, first: bool, depth: usize) {
    if !first {
        out.push(',');
    }
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn id_and_object_lead_and_private_members_stay_inside() {
        let text = pretty(
            &json!({"object": "customer", "a": [], "id": "cus_1", "_secret": 1, "b": {"y": 1, "x": [2]}}),
        );
        let expected = "{\n  \"id\": \"cus_1\",\n  \"object\": \"customer\",\n  \"a\": [],\n  \"b\": {\n    \"x\": [\n      2\n    ],\n    \"y\": 1\n  }\n}";
        assert_eq!(text, expected);
    }
}
