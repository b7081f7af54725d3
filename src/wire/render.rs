//! JSON for storing and for showing, written by hand: building it through serde costs a request more
//! than all its other work.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// A line break and the deepest indentation that is copied in one go.
const BREAK: &[u8] = b"\n                                                                ";

/// Compact JSON in Stripe's order: in an API object (a hash with a string `object`) `id`, then `object`,
/// then the rest by name. Leaves nothing out.
pub fn compact(value: &Value) -> String {
    let mut out = String::with_capacity(1024);
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => string_into(out, text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => write_object(out, map),
    }
}

fn write_object(out: &mut String, map: &Map<String, Value>) {
    out.push('{');
    let mut first = true;
    let mut member = |out: &mut String, name: &str, value: &Value| {
        if !first {
            out.push(',');
        }
        first = false;
        string_into(out, name);
        out.push(':');
        write_value(out, value);
    };
    match map.get("object").filter(|it| it.is_string()) {
        Some(object) => {
            if let Some(id) = map.get("id") {
                member(out, "id", id);
            }
            member(out, "object", object);
            for (name, value) in map.iter().filter(|(name, _)| *name != "id" && *name != "object") {
                member(out, name, value);
            }
        }
        None => map.iter().for_each(|(name, value)| member(out, name, value)),
    }
    out.push('}');
}

fn write_number(out: &mut String, number: &Number) {
    let Some(mut rest) = number.as_u64() else {
        // Negative or with a fraction: rare. Writing to a string cannot fail.
        let _infallible = write!(out, "{number}");
        return;
    };
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    let text = digits.get(digits.len() - used..).and_then(|it| std::str::from_utf8(it).ok());
    out.push_str(text.unwrap_or_default());
}

/// Writes a string with its quotes and serde's escapes. Runs without any are copied whole.
pub fn string_into(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = first::<true>(rest.as_bytes()) {
        // What is escaped is ASCII, so both cuts are at the bounds of characters.
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = tail.chars();
        if let Some(letter) = letters.next() {
            write_escape(out, letter);
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_escape(out: &mut String, letter: char) {
    match letter {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        _ => {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "\\u{:04x}", u32::from(letter));
        }
    }
}

/// Indents compact JSON, as [`compact`] makes it, to what [`crate::wire::json::pretty`] prints of the same
/// value `depth` levels deep. One pass over the bytes; text that is not JSON comes out as nonsense.
pub fn pretty_into(out: &mut Vec<u8>, compact: &str, depth: usize) {
    let mut depth = depth;
    let mut rest = compact.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b'{' | b'[' => {
                out.push(byte);
                if let Some((&end @ (b'}' | b']'), after)) = tail.split_first() {
                    out.push(end);
                    after
                } else {
                    depth += 1;
                    break_line(out, depth);
                    tail
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                break_line(out, depth);
                out.push(byte);
                tail
            }
            b',' => {
                out.push(byte);
                break_line(out, depth);
                tail
            }
            _ => {
                let length = if byte == b'"' { string_length(tail) } else { scalar_length(tail) };
                // What mostly follows is copied with it.
                let (token, after) = rest.split_at_checked(length + 2).unwrap_or((rest, b""));
                match token.last() {
                    Some(b':') => {
                        out.extend_from_slice(token);
                        out.push(b' ');
                        after
                    }
                    Some(b',') if token.len() == length + 2 => {
                        out.extend_from_slice(token);
                        break_line(out, depth);
                        after
                    }
                    _ => {
                        let (token, after) =
                            rest.split_at_checked(length + 1).unwrap_or((rest, b""));
                        out.extend_from_slice(token);
                        after
                    }
                }
            }
        };
    }
}

/// Indents a list whose items are given as compact JSON, as [`pretty_into`] would the whole.
pub fn pretty_list_into<'t>(out: &mut Vec<u8>, items: impl Iterator<Item = &'t str>, depth: usize) {
    out.push(b'[');
    let mut first = true;
    for item in items {
        if !first {
            out.push(b',');
        }
        first = false;
        break_line(out, depth + 1);
        pretty_into(out, item, depth + 1);
    }
    if !first {
        break_line(out, depth);
    }
    out.push(b']');
}

fn break_line(out: &mut Vec<u8>, depth: usize) {
    let width = 1 + 2 * depth;
    out.extend_from_slice(BREAK.get(..width).unwrap_or(BREAK));
    for _ in BREAK.len()..width {
        out.push(b' ');
    }
}

/// How many bytes follow the first one of a number, `true`, `false` or `null`.
fn scalar_length(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// How many bytes follow the opening quote, the closing one included.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(first::<false>) {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        // What follows a backslash is no end, whatever it is.
        at += 1;
    }
    bytes.len()
}

/// The place of the first quote or backslash, or, where these count, of the first control character.
/// Eight bytes at a time, because almost none is.
fn first<const CONTROLS: bool>(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let (eights, remainder) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        // Each test sets the high bit of the first byte it is true of (and of no earlier one).
        let zero = |it: u64| it.wrapping_sub(ONES) & !it;
        let mut found =
            zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if CONTROLS {
            found |= word.wrapping_sub(ONES * 0x20) & !word;
        }
        found &= HIGHS;
        if found != 0 {
            return Some(at * 8 + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0));
        }
    }
    let is_one = |byte: &u8| matches!(byte, b'"' | b'\\') || (CONTROLS && matches!(byte, 0..0x20));
    remainder.iter().position(is_one).map(|at| bytes.len() - remainder.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::pretty;
    use proptest::prelude::*;
    use serde_json::json;

    fn indented(value: &Value) -> String {
        let mut out = Vec::new();
        pretty_into(&mut out, &compact(value), 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn id_and_object_lead_and_nothing_is_left_out() {
        let value = json!({
            "object": "customer", "_a": 1, "id": "cus_1", "b": {"object": 1, "id": "x", "a": [[], {}]}
        });
        let text =
            r#"{"id":"cus_1","object":"customer","_a":1,"b":{"a":[[],{}],"id":"x","object":1}}"#;
        assert_eq!(compact(&value), text);
    }

    #[test]
    fn text_is_indented_under_what_stands_around_it() {
        let mut out = b"  \"data\": ".to_vec();
        pretty_into(&mut out, r#"[{"a":"]\\\",{"},{}]"#, 1);
        let expected = "  \"data\": [\n    {\n      \"a\": \"]\\\\\\\",{\"\n    },\n    {}\n  ]";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn depth_has_no_limit_and_broken_text_does_not_panic() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(indented(&deep), pretty(&deep));
        for text in ["", "\"", "\"\\", "}", "[", "{\"a\":", "]]]", "\"a"] {
            pretty_into(&mut Vec::new(), text, 0);
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let name =
            prop_oneof![Just("id".to_owned()), Just("object".to_owned()), "[a-z\"\\\\é]{0,9}"];
        let text =
            prop_oneof!["[ -~]{0,40}", "[\\x00-\\x23\\x5b-\\x5d\\x7fé円]{0,20}", any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (0_u64..100).prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|map| map.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn indenting_compact_text_is_printing_the_value(value in values()) {
            prop_assert_eq!(indented(&value), pretty(&value));
        }

        #[test]
        fn compact_text_reads_back_as_the_value(value in values()) {
            let text = compact(&value);
            // What serde makes of a number's text is what counts: it reads floats a last digit off.
            let theirs: Value = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), theirs);
            prop_assert_eq!(text.len(), value.to_string().len());
        }

        #[test]
        fn strings_are_escaped_as_serde_does(text in any::<String>(), more in "[\\x00-\\x7f\\u{80}-\\u{ff}]{0,40}") {
            for text in [text, more] {
                prop_assert_eq!(compact(&json!(text)), json!(text).to_string());
            }
        }
    }
}
