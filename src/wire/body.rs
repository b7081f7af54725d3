//! The request encoding of v2: a JSON object, read into the same tree as a form.

use crate::wire::failure::Failure;
use crate::wire::form::{MAX_DEPTH, MAX_PAIRS, Tree};
use serde_json::Value;

/// Decodes a JSON body into the parameters that it names.
///
/// Fails for what is no JSON object, and beyond the limits of a form. A `null` counts as not given.
pub fn decode(bytes: &[u8]) -> Result<Tree, Failure> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::invalid(format!(
            "Invalid request: the body is not valid JSON (line {line}, column {column})."
        ))
    })?;
    if !value.is_object() {
        return Err(Failure::invalid("Invalid request: the body must be a JSON object."));
    }
    let mut pairs = 0;
    let tree = read(value, 0, &mut pairs)?;
    Ok(tree.unwrap_or_else(|| Tree::Hash(Vec::new())))
}

fn read(value: Value, depth: usize, pairs: &mut usize) -> Result<Option<Tree>, Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::invalid(format!(
            "Invalid request: parameters can nest at most {MAX_DEPTH} levels deep."
        )));
    }
    *pairs += 1;
    // The object itself is none of them.
    if *pairs > MAX_PAIRS + 1 {
        return Err(Failure::invalid(format!(
            "Invalid request: at most {MAX_PAIRS} parameters can be sent in one request."
        )));
    }
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(it) => Tree::Leaf(it.to_string()),
        Value::Number(it) => Tree::Leaf(it.to_string()),
        Value::String(it) => Tree::Leaf(it),
        Value::Array(items) => {
            let mut list = Vec::with_capacity(items.len().min(MAX_PAIRS));
            for item in items {
                list.extend(read(item, depth + 1, pairs)?);
            }
            Tree::List(list)
        }
        Value::Object(map) => {
            let mut members = Vec::with_capacity(map.len().min(MAX_PAIRS));
            for (name, value) in map {
                members.extend(read(value, depth + 1, pairs)?.map(|tree| (name, tree)));
            }
            Tree::Hash(members)
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_object_is_the_tree_of_the_same_form() {
        let body = br#"{"event_name": "x", "payload": {"value": "1"}, "on": true, "n": [1, 2], "no": null}"#;
        let tree = decode(body).unwrap();
        assert_eq!(tree.get("event_name").unwrap().text(), Some("x"));
        assert_eq!(tree.get("payload").unwrap().get("value").unwrap().text(), Some("1"));
        assert_eq!(tree.get("on").unwrap().text(), Some("true"));
        assert_eq!(tree.get("n").unwrap().items().unwrap().len(), 2);
        assert_eq!(tree.get("no"), None);
    }

    #[test]
    fn what_is_no_object_or_too_much_is_refused() {
        for body in ["", "[]", "1", "{\"a\":", "a=1"] {
            assert_eq!(decode(body.as_bytes()).unwrap_err().status, 400, "{body}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(decode(deep.as_bytes()).unwrap_err().message.contains("levels deep"));
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_PAIRS));
        assert!(decode(wide.as_bytes()).unwrap_err().message.contains("at most"));
        let fits = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_PAIRS - 2));
        assert!(decode(fits.as_bytes()).is_ok());
    }
}
