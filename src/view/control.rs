//! What a control of the sandbox answered: its members by name, or a table of several.

use crate::domain::time::Timestamp;
use crate::view::canvas::Canvas;
use crate::view::table::{Side, draw};
use crate::view::words::Msg;
use serde_json::Value;

/// The members that a list shows of each.
const COLUMNS: [&str; 11] = [
    "name",
    "key",
    "allow",
    "seed",
    "clock",
    "now",
    "objects",
    "payment_method",
    "customer",
    "brand",
    "last4",
];

/// The answer for people.
pub fn render(answer: &Value, canvas: &Canvas) -> String {
    match answer.get("data").and_then(Value::as_array) {
        Some(rows) if rows.is_empty() => canvas.say(&Msg::ControlNone),
        Some(rows) => list(rows, canvas),
        None => one(answer),
    }
}

fn list(rows: &[Value], canvas: &Canvas) -> String {
    let has = |name: &str| rows.iter().any(|row| row.get(name).is_some());
    let columns: Vec<&str> = COLUMNS.into_iter().filter(|name| has(name)).collect();
    let head: Vec<_> = columns.iter().map(|name| ((*name).to_owned(), Side::Left)).collect();
    let row = |row: &Value| {
        columns.iter().map(|name| shown(name, row.get(*name).unwrap_or(&Value::Null))).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    draw(canvas, &head, &rows)
}

fn one(answer: &Value) -> String {
    let members: Vec<_> = answer.as_object().into_iter().flatten().collect();
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = members.iter().map(|(name, value)| {
        let line = format!("{name:width$}  {}", shown(name, value));
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value as a person reads it; instants as dates.
fn shown(name: &str, value: &Value) -> String {
    match (name, value) {
        (_, Value::Null) => String::new(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            items.iter().map(|item| shown("", item)).collect::<Vec<_>>().join(",")
        }
        ("now" | "created" | "due_by", Value::Number(at)) => {
            at.as_i64().map_or_else(String::new, |at| Timestamp(at).rfc3339())
        }
        (_, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_lines_and_instants_are_dates() {
        let text = one(&json!({"name": "shop", "now": 0, "seed": null}));
        assert_eq!(text, "name  shop\nnow   1970-01-01T00:00:00Z\nseed");
    }
}
