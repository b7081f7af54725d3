//! One API call after the front has checked it: which endpoint, which ids, which parameters.

pub mod body;
pub mod idempotency;
pub mod list;
pub mod reference;
pub mod search;
pub mod step;

pub use crate::catalog::version::Version;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value};

/// A checked call: parameters have the catalog's types, and a cleared one is null.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method and pattern: `POST /v1/customers/{customer}`.
    pub key: String,
    /// The ids that stood in the path, in order.
    pub ids: Vec<String>,
    /// The parameters, without `expand`.
    pub params: Map<String, Value>,
    /// The version that the answer follows.
    pub version: Version,
}

impl Call {
    /// The `n`th id of the path.
    pub fn id(&self, n: usize) -> &str {
        self.ids.get(n).map_or("", String::as_str)
    }

    /// A parameter that was sent and not cleared.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.params.get(name).filter(|value| !value.is_null())
    }

    /// Whether a parameter was sent, cleared ones included.
    pub fn sent(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    /// Fails with 501 for a parameter that was sent and follows nothing yet; `of` says of what, as ` of tokens`.
    pub fn ensure_modelled(&self, of: &str, names: &[&str]) -> Result<(), Failure> {
        let Some(name) = names.iter().find(|name| self.sent(name)) else { return Ok(()) };
        let text = format!("`{name}`{of} is not modelled by this sandbox yet.");
        Err(Failure::of(501, FailureKind::Api, text).param(*name))
    }

    /// A text parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The same, to keep.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// An integer parameter.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    /// A boolean parameter.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    /// A hash parameter.
    pub fn hash(&self, name: &str) -> Option<&Map<String, Value>> {
        self.get(name).and_then(Value::as_object)
    }

    /// A list parameter; empty where it was not sent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}
