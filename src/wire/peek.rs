//! Looks into JSON text without reading it into a tree.
//!
//! Lists and searches look at one member of many objects: skipping over the others costs a tenth of what
//! reading them all would. The text must be valid compact JSON (no blanks between tokens), as
//! [`crate::wire::render::compact`] writes it; anything else is answered with `None`, never with a panic.

use std::borrow::Cow;

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'t>(&'t str);

impl<'t> Raw<'t> {
    /// Its JSON.
    pub const fn json(self) -> &'t str {
        self.0
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The text of a string, the digits of a number, `true` or `false`; `None` for null, hashes and lists.
    pub fn plain(self) -> Option<Cow<'t, str>> {
        match self.0.as_bytes().first()? {
            b'"' => self.string(),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(self.0)),
        }
    }

    /// The text of a string.
    pub fn string(self) -> Option<Cow<'t, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// A whole number.
    pub fn int(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The items of a list.
    pub fn items(self) -> Vec<Self> {
        let Some(mut rest) = self.0.strip_prefix('[') else { return Vec::new() };
        let mut items = Vec::new();
        while let Some(end) = skip(rest.as_bytes()).filter(|end| *end > 0) {
            items.push(Raw(rest.get(..end).unwrap_or_default()));
            match rest.get(end..).and_then(|tail| tail.strip_prefix(',')) {
                Some(tail) => rest = tail,
                None => break,
            }
        }
        items
    }

    /// The members of a hash, in the order in which they stand.
    pub fn members(self) -> Members<'t> {
        Members { rest: self.0.strip_prefix('{').unwrap_or_default() }
    }
}

/// The members of the hash that `text` is.
pub fn members(text: &str) -> Members<'_> {
    Raw(text).members()
}

/// The member at a path of names (`["metadata", "order"]`).
pub fn member<'t>(text: &'t str, path: &[&str]) -> Option<Raw<'t>> {
    path.iter().try_fold(Raw(text), |at, name| {
        at.members().find(|(known, _)| known == name).map(|(_, value)| value)
    })
}

/// See [`members`]. Names are given as they stand; one that needs an escape is decoded.
#[derive(Clone, Debug)]
pub struct Members<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Members<'t> {
    type Item = (Cow<'t, str>, Raw<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let end = skip_string(self.rest.as_bytes())?;
        let name = Raw(self.rest.get(..end)?).string()?;
        let rest = self.rest.get(end..)?.strip_prefix(':')?;
        let end = skip(rest.as_bytes())?;
        let value = Raw(rest.get(..end)?);
        let rest = rest.get(end..)?;
        self.rest = rest.strip_prefix(',').unwrap_or_default();
        Some((name, value))
    }
}

/// How many bytes the value at the start takes.
fn skip(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => skip_string(text),
        b'{' | b'[' => skip_nested(text),
        _ => Some(text.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(text.len())),
    }
}

fn skip_string(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        let found = text.get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        at += found;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn skip_nested(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0_usize, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => at += skip_string(text.get(at..)?)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn members_are_found_by_path() {
        let text =
            json!({"a": {"b": "x\"y", "c": [1, {"d": "]"}]}, "e": null, "f": -12, "g": true})
                .to_string();
        assert_eq!(member(&text, &["a", "b"]).unwrap().plain().unwrap(), "x\"y");
        assert_eq!(member(&text, &["f"]).unwrap().int(), Some(-12));
        assert_eq!(member(&text, &["g"]).unwrap().plain().unwrap(), "true");
        assert!(member(&text, &["e"]).unwrap().is_null());
        assert_eq!(member(&text, &["a", "z"]), None);
        assert_eq!(member(&text, &["f", "z"]), None);
        let items = member(&text, &["a", "c"]).unwrap().items();
        assert_eq!(
            items.iter().map(|item| item.json()).collect::<Vec<_>>(),
            ["1", "{\"d\":\"]\"}"]
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_member_is_found_as_a_reader_of_the_whole_finds_it(value in any_json()) {
            let text = value.to_string();
            for (name, member_value) in value.as_object().into_iter().flatten() {
                let found = member(&text, &[name.as_str()]).unwrap();
                prop_assert_eq!(serde_json::from_str::<Value>(found.json()).unwrap(), member_value.clone());
                let items = member_value.as_array().map_or(0, Vec::len);
                prop_assert_eq!(found.items().len(), items);
            }
            prop_assert_eq!(members(&text).count(), value.as_object().map_or(0, serde_json::Map::len));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\",:\\\\a1é]{0,24}") {
            prop_assert!(members(&text).count() <= text.len());
            drop(Raw(&text).items());
        }
    }
}
