//! Members of JSON whose shape others decide: what is not there, or of another kind, is empty.

use serde_json::Value;

/// A look at members by their names.
pub trait Peek {
    /// A text.
    fn text(&self, name: &str) -> &str;
    /// A list.
    fn items(&self, name: &str) -> &[Value];
    /// The member `status`, where it is one of HTTP.
    fn http_status(&self) -> u16;
}

impl Peek for Value {
    fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Self::as_str).unwrap_or_default()
    }

    fn items(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Self::as_array).map_or(&[], Vec::as_slice)
    }

    fn http_status(&self) -> u16 {
        let status = self.get("status").and_then(Self::as_u64).unwrap_or_default();
        u16::try_from(status).unwrap_or_default()
    }
}
