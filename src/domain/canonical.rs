//! One way to write a value down, so that equal values have equal hashes: no blanks, members by name.

use crate::domain::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A value in its one form: members of objects by name, no blanks.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    add(value, &mut out);
    out
}

fn add(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                add(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            // The map's own order depends on how serde_json was built.
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (at, (name, item)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                add(item, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// SHA-256 of a text, in 64 hexadecimal digits.
pub fn sha256(text: &str) -> String {
    hex::write(&Sha256::digest(text.as_bytes()))
}

/// SHA-256 of a value in its one form.
pub fn hash(value: &Value) -> String {
    sha256(&write(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_stand_by_name_and_blanks_nowhere() {
        let value = json!({"b": [1, {"z": null, "a": "é \"q\""}], "a": true});
        assert_eq!(write(&value), r#"{"a":true,"b":[1,{"a":"é \"q\"","z":null}]}"#);
    }

    #[test]
    fn the_hash_is_the_one_that_other_tools_compute() {
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((".{0,4}", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_written_again_the_same(value in values()) {
            let text = write(&value);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(write(&read), text);
        }
    }
}
