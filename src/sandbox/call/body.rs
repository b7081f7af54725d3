//! What an endpoint answers: a stored object's text as it is, or a document that was put together.

use crate::sandbox::engine::object::Object;
use crate::wire::render;
use serde_json::Value;
use std::sync::Arc;

/// The body of a successful answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// Compact JSON in the order in which the API shows it: copied, never read.
    Text(Arc<str>),
    /// A document.
    Document(Value),
}

impl Body {
    /// The body as a document, to be looked into.
    pub fn into_document(self) -> Value {
        match self {
            Self::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
            Self::Document(value) => value,
        }
    }

    /// The body as compact JSON.
    pub fn into_text(self) -> Arc<str> {
        match self {
            Self::Text(text) => text,
            Self::Document(value) => render::compact(&value).into(),
        }
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Document(value)
    }
}

impl From<&Object> for Body {
    fn from(object: &Object) -> Self {
        Self::Text(object.stored().shown())
    }
}

impl From<Arc<Object>> for Body {
    fn from(object: Arc<Object>) -> Self {
        Self::from(&*object)
    }
}
