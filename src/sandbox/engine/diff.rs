//! `previous_attributes`: what an update changed, with the old values.

use serde_json::{Map, Value};

/// The members of `before` whose value differs in `after`: nested hashes contain only the changed leaves,
/// arrays are given whole, and a member that is new has the old value `null`.
pub fn previous_attributes(before: &Value, after: &Value) -> Map<String, Value> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return Map::new();
    };
    let mut changed = Map::new();
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let value = match (old, new) {
            (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                Value::Object(previous_attributes(old, new))
            }
            (old, _) => old.cloned().unwrap_or(Value::Null),
        };
        changed.insert(name.clone(), value);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_changed_leaves_are_told_with_their_old_values() {
        let before = json!({"a": 1, "m": {"x": "1", "y": "2"}, "l": [1], "same": 0});
        let after = json!({"a": null, "m": {"x": "1", "y": "3", "z": "4"}, "l": [1, 2], "same": 0});
        let previous = previous_attributes(&before, &after);
        assert_eq!(Value::Object(previous), json!({"a": 1, "m": {"y": "2", "z": null}, "l": [1]}));
    }
}
