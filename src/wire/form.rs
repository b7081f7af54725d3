//! Stripe's request encoding: `a[b][c]=1`, `a[0][b]=1`, `a[]=1`, in bodies and in query strings.
//!
//! Numbered keys stay a hash here, because `metadata[0]` is a key and `line_items[0]` is a place in a
//! list: only who knows the parameter's type can tell, see [`Tree::items`].

use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_decode_str, utf8_percent_encode,
};
use serde_json::Value;

use crate::wire::failure::{Failure, echo};

/// How deep keys may nest; the API's own parameters need fewer than 10.
pub const MAX_DEPTH: usize = 16;
/// How many `key=value` pairs one request may carry.
pub const MAX_PAIRS: usize = 4096;

/// A decoded parameter, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A value: text, as everything is on this wire.
    Leaf(String),
    /// What `a[key]=…` makes, numbered keys included.
    Hash(Vec<(String, Self)>),
    /// What `a[]=…` makes.
    List(Vec<Self>),
}

impl Tree {
    /// The member of a hash.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Hash(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, tree)| tree)
            }
            Self::Leaf(_) | Self::List(_) => None,
        }
    }

    /// The text of a leaf.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Leaf(text) => Some(text),
            Self::Hash(_) | Self::List(_) => None,
        }
    }

    /// Whether this is a hash without members, as an empty request is.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Hash(members) if members.is_empty())
    }

    /// The elements, read as a list: of `a[]`, or of a hash whose keys are all numbers, by number.
    pub fn items(&self) -> Option<Vec<&Self>> {
        match self {
            Self::Leaf(_) => None,
            Self::List(items) => Some(items.iter().collect()),
            Self::Hash(members) => {
                let mut numbered = Vec::with_capacity(members.len());
                for (key, tree) in members {
                    let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
                    numbered.push((key.parse::<u32>().ok().filter(|_| digits)?, tree));
                }
                numbered.sort_by_key(|(at, _)| *at);
                Some(numbered.into_iter().map(|(_, tree)| tree).collect())
            }
        }
    }

    /// The member of a hash, made empty if it is not there, and whether it was made.
    fn entry<'m>(members: &'m mut Vec<(String, Self)>, key: &str) -> Option<(&'m mut Self, bool)> {
        let found = members.iter().position(|(name, _)| name == key);
        let at = found.unwrap_or(members.len());
        if found.is_none() {
            members.push((key.to_owned(), Self::Hash(Vec::new())));
        }
        members.get_mut(at).map(|(_, tree)| (tree, found.is_none()))
    }
}

/// What a request said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// All parameters, always a [`Tree::Hash`].
    pub tree: Tree,
    /// Keys that came more than once; the last value counts and `Stripe-Notice` says so.
    pub duplicates: Vec<String>,
}

/// Keys sent more than once that the answer names.
const DUPLICATES_NAMED: usize = 20;

impl Decoded {
    /// The same with the parameters of a body, which count where both have one.
    #[must_use]
    pub fn with(mut self, body: Tree) -> Self {
        if let (Tree::Hash(sent), Tree::Hash(members)) = (&mut self.tree, body) {
            sent.retain(|(name, _)| !members.iter().any(|(member, _)| member == name));
            sent.extend(members);
        }
        self
    }
}

/// Decodes a form body or a query string.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Failure> {
    let mut root = Vec::new();
    let mut duplicates = Vec::new();
    let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    for (at, pair) in pairs.enumerate() {
        if at >= MAX_PAIRS {
            return Err(Failure::invalid(format!(
                "Invalid request: at most {MAX_PAIRS} parameters can be sent in one request."
            )));
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let key = unescape(halves.next().unwrap_or_default())?;
        let value = unescape(halves.next().unwrap_or_default())?;
        let segments = Segments::of(&key);
        let Some(path) = segments.path() else {
            return Err(Failure::invalid(format!(
                "Invalid request: parameters can nest at most {MAX_DEPTH} levels deep."
            ))
            .param(key));
        };
        match insert(&mut root, path, value.into_owned()) {
            Some(Inserted::Again) if duplicates.len() < DUPLICATES_NAMED => {
                duplicates.push(echo(&key).into_owned());
            }
            Some(Inserted::New | Inserted::Again) => {}
            None => return Err(Failure::invalid("Invalid object").param(key)),
        }
    }
    Ok(Decoded { tree: Tree::Hash(root), duplicates })
}

/// Percent and plus decoding.
fn unescape(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    let text = if bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        let spaced: Vec<u8> =
            bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        String::from_utf8(percent_decode(&spaced).collect()).map(Cow::Owned).ok()
    } else {
        std::str::from_utf8(bytes).map(Cow::Borrowed).ok()
    };
    text.ok_or_else(|| {
        Failure::invalid("Invalid UTF-8 in the request: parameters must be encoded as UTF-8.")
    })
}

/// Percent decoding of a path segment; bytes that are not UTF-8 become replacement characters.
pub fn unescape_segment(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// `a[b][c]` as `a`, `b`, `c`, borrowed: most of them are in the tree already.
struct Segments<'k> {
    names: [&'k str; MAX_DEPTH],
    /// Also counts what is too deep to be kept.
    count: usize,
}

impl<'k> Segments<'k> {
    /// A key whose brackets do not pair is one name as it stands; brackets within brackets belong to the
    /// name, so that the rule for metadata's keys can see them.
    fn of(key: &'k str) -> Self {
        let mut segments = Self { names: [""; MAX_DEPTH], count: 0 };
        if segments.split(key).is_none() {
            segments.count = 0;
            segments.push(key);
        }
        segments
    }

    /// The names; `None` where they nest too deep.
    fn path(&self) -> Option<&[&'k str]> {
        self.names.get(..self.count)
    }

    fn push(&mut self, name: &'k str) {
        if let Some(place) = self.names.get_mut(self.count) {
            *place = name;
        }
        self.count += 1;
    }

    /// `None` where the brackets do not pair.
    fn split(&mut self, key: &'k str) -> Option<()> {
        let (head, mut rest) = key.split_once('[').filter(|(head, _)| !head.is_empty())?;
        self.push(head);
        loop {
            let (name, tail) = rest.split_at_checked(closing(rest)?)?;
            self.push(name);
            match tail.strip_prefix(']')? {
                "" => return Some(()),
                more => rest = more.strip_prefix('[')?,
            }
        }
    }
}

/// Where the bracket closes that opened just before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' => open += 1,
            b']' => open -= 1,
            _ => {}
        }
        open == 0
    })
}

enum Inserted {
    New,
    Again,
}

/// Puts a value where its path leads; `None` where something of another kind already stands.
fn insert(root: &mut Vec<(String, Tree)>, path: &[&str], value: String) -> Option<Inserted> {
    let (head, rest) = path.split_first()?;
    let (node, fresh) = Tree::entry(root, head)?;
    grow(node, rest, value, fresh)
}

fn grow(node: &mut Tree, path: &[&str], value: String, fresh: bool) -> Option<Inserted> {
    let Some((segment, rest)) = path.split_first() else {
        if fresh || matches!(node, Tree::Leaf(_)) {
            *node = Tree::Leaf(value);
            return Some(if fresh { Inserted::New } else { Inserted::Again });
        }
        return None;
    };
    if segment.is_empty() {
        if fresh {
            *node = Tree::List(Vec::new());
        }
        let Tree::List(items) = node else { return None };
        return append(items, rest, value);
    }
    let Tree::Hash(members) = node else { return None };
    let (inner, is_new) = Tree::entry(members, segment)?;
    grow(inner, rest, value, is_new)
}

/// `a[]=1` adds an element; `a[][b]=1` fills the last one, or a new one once `b` is taken there.
fn append(items: &mut Vec<Tree>, path: &[&str], value: String) -> Option<Inserted> {
    let takes_last = path.first().is_some_and(|name| match items.last() {
        Some(last @ Tree::Hash(_)) => !name.is_empty() && !has(last, path),
        _ => false,
    });
    if !takes_last {
        items.push(Tree::Hash(Vec::new()));
    }
    grow(items.last_mut()?, path, value, !takes_last)
}

/// Whether a value already stands at the end of a path.
fn has(tree: &Tree, path: &[&str]) -> bool {
    match path.split_first() {
        None => true,
        Some((&"", _)) => false,
        Some((name, rest)) => tree.get(name).is_some_and(|inner| has(inner, rest)),
    }
}

/// Encodes JSON as the official SDKs do: indexed lists, `null` as the empty string that clears,
/// brackets as they are. Anything but an object encodes to nothing.
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    if let Value::Object(members) = value {
        for (name, inner) in members {
            write_pairs(&mut out, &escape(name), inner);
        }
    }
    out
}

fn write_pairs(out: &mut String, key: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                write_pairs(out, &format!("{key}[{}]", escape(name)), inner);
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                write_pairs(out, &format!("{key}[{at}]"), inner);
            }
        }
        Value::Null => write_pair(out, key, ""),
        Value::String(text) => write_pair(out, key, text),
        Value::Bool(_) | Value::Number(_) => write_pair(out, key, &value.to_string()),
    }
}

fn write_pair(out: &mut String, key: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    out.push_str(key);
    out.push('=');
    out.push_str(&escape(value));
}

/// All but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes all but letters, digits and `-._~`; a space becomes `+`.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn leaf(text: &str) -> Tree {
        Tree::Leaf(text.to_owned())
    }

    fn tree(text: &str) -> Tree {
        decode(text.as_bytes()).unwrap().tree
    }

    /// A tree as JSON, numbered hashes as lists: what a typed reader would see.
    fn value(tree: &Tree) -> Value {
        if let Tree::Leaf(text) = tree {
            return json!(text);
        }
        match (tree.items(), tree) {
            (Some(items), _) if !items.is_empty() => items.into_iter().map(value).collect(),
            (_, Tree::Hash(members)) => {
                members.iter().map(|(name, inner)| (name.clone(), value(inner))).collect()
            }
            _ => json!([]),
        }
    }

    #[test]
    fn every_bracket_form_is_read() {
        assert_eq!(
            value(&tree("a=1&b[c][d]=2&e[0][f]=3&e[1][f]=4&g[]=5&g[]=6&h%5Bi%5D=%E5%86%86+x&j")),
            json!({
                "a": "1", "b": {"c": {"d": "2"}}, "e": [{"f": "3"}, {"f": "4"}], "g": ["5", "6"],
                "h": {"i": "円 x"}, "j": ""
            })
        );
        assert_eq!(tree(""), Tree::Hash(vec![]));
        assert_eq!(tree("&&a=1&"), Tree::Hash(vec![("a".to_owned(), leaf("1"))]));
    }

    #[test]
    fn bare_lists_of_hashes_start_anew_at_a_repeated_key() {
        assert_eq!(
            value(&tree("a[][b]=1&a[][c]=2&a[][b]=3&a[][c]=4")),
            json!({"a": [{"b": "1", "c": "2"}, {"b": "3", "c": "4"}]})
        );
    }

    #[test]
    fn numbered_keys_are_ordered_by_number() {
        assert_eq!(value(&tree("a[10]=c&a[9]=b&a[1]=a")), json!({"a": ["a", "b", "c"]}));
        assert!(tree("a[1]=a&a[x]=b").get("a").unwrap().items().is_none());
    }

    #[test]
    fn the_last_of_equal_keys_wins_and_is_noted() {
        let decoded = decode(b"a=1&b[c]=1&a=2&b[c]=3").unwrap();
        assert_eq!(value(&decoded.tree), json!({"a": "2", "b": {"c": "3"}}));
        assert_eq!(decoded.duplicates, ["a", "b[c]"]);
    }

    #[test]
    fn one_name_cannot_be_two_things() {
        for body in ["a=1&a[b]=2", "a[b]=1&a=2", "a[]=1&a[b]=2", "a[b]=1&a[]=2", "a[b]=&a[b][c]=1"]
        {
            let failure = decode(body.as_bytes()).unwrap_err();
            assert_eq!(
                (failure.status, failure.message.as_str()),
                (400, "Invalid object"),
                "{body}"
            );
            assert!(failure.param.is_some());
        }
    }

    #[test]
    fn broken_brackets_are_plain_names_and_inner_ones_belong_to_the_key() {
        for key in ["a[b", "a]b", "[a]", "a[b]c", "a[b]]", "["] {
            assert_eq!(tree(&format!("{key}=1")).get(key), Some(&leaf("1")), "{key}");
        }
        assert_eq!(tree("m[a[b]]=1").get("m").and_then(|m| m.get("a[b]")), Some(&leaf("1")));
    }

    #[test]
    fn limits_and_text_encoding_are_enforced() {
        assert_eq!(decode(b"a=%FF").unwrap_err().status, 400);
        let deep = format!("a{}=1", "[b]".repeat(MAX_DEPTH));
        assert_eq!(decode(deep.as_bytes()).unwrap_err().status, 400);
        let many = "a[]=1&".repeat(MAX_PAIRS + 1);
        assert_eq!(decode(many.as_bytes()).unwrap_err().status, 400);
        assert_eq!(value(&tree("a=%zz%4")), json!({"a": "%zz%4"}));
    }

    #[test]
    fn json_is_encoded_as_the_sdks_do() {
        let body = encode(&json!({
            "a": [{"b": 1}, {"b": true}], "c": null, "d": {"é": "x y&z"}, "e": []
        }));
        assert_eq!(body, "a[0][b]=1&a[1][b]=true&c=&d[%C3%A9]=x+y%26z");
        assert_eq!(encode(&json!(1)), "");
    }

    fn trees() -> impl Strategy<Value = Value> {
        let inner = any::<String>().prop_map(Value::from).prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
                prop::collection::hash_map("[a-z_]{1,8}", inner, 1..4)
                    .prop_map(|map| map.into_iter().collect::<Value>()),
            ]
        });
        prop::collection::hash_map("[a-z_é ]{1,8}", inner, 1..5)
            .prop_map(|map| map.into_iter().collect::<Value>())
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(sent in trees()) {
            let decoded = decode(encode(&sent).as_bytes()).unwrap();
            prop_assert_eq!(value(&decoded.tree), sent);
            prop_assert!(decoded.duplicates.is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _either = decode(&bytes);
        }

        #[test]
        fn no_brackets_make_it_panic(text in "[a-b\\[\\]&=0%+]{0,60}") {
            let _either = decode(text.as_bytes());
        }
    }
}
