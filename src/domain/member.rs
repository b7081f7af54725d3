//! Members of JSON documents, read as texts.

use serde_json::Value;

/// A text; `None` where there is none of that name.
pub fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name)?.as_str()
}

/// The same, to keep.
pub fn owned(of: &Value, name: &str) -> Option<String> {
    text(of, name).map(str::to_owned)
}

/// The same, empty where there is none.
pub fn string(of: &Value, name: &str) -> String {
    owned(of, name).unwrap_or_default()
}
