//! One stored object: its public document as text, and its private part beside it.

use crate::sandbox::engine::private::{Envelope, Part, Private, kept_once};
use crate::sandbox::engine::thin;
use crate::sandbox::version::down::{self, Find};
use crate::wire::{peek, render};
use serde_json::{Map, Value};
use std::ops::Deref;
use std::sync::Arc;

/// An object as a map of its members.
pub type Doc = Map<String, Value>;

/// An object at rest. Never changed: a change stores another one in its place.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its `object`; kinds that start with `_` are the sandbox's own records.
    pub kind: &'static str,
    /// Its `id`.
    pub id: Arc<str>,
    /// Its place in the order of creation over everything that the sandbox holds.
    pub seq: u64,
    /// Compact JSON in the order in which the API shows it. Of an event, the object that it is about.
    pub text: Arc<str>,
    /// What only the sandbox knows of it.
    pub private: Option<Arc<Private>>,
}

impl Stored {
    /// The private part, empty where there is none of this type.
    pub fn part<T: Part>(&self) -> Option<&T> {
        self.private.as_deref().and_then(T::of)
    }

    /// The object as the API shows it.
    pub fn shown(&self) -> Arc<str> {
        match self.part::<Envelope>() {
            Some(envelope) if thin::is_own(&envelope.kind) => {
                thin::text(&self.id, envelope, &self.text, true).into()
            }
            // What an older version shows in whole is not looked for: here nobody can.
            Some(envelope) => {
                let version = &envelope.api_version;
                event_text(&self.id, envelope, &self.text, version, &down::nowhere).into()
            }
            None => Arc::clone(&self.text),
        }
    }

    /// A member of the document, at a path of names. For events, of what [`Stored::shown`] gives, but
    /// without `data`.
    pub fn member<R>(&self, path: &[&str], look: impl FnOnce(Option<peek::Raw<'_>>) -> R) -> R {
        if self.part::<Envelope>().is_some() {
            let shown = self.shown();
            return look(peek::member(&shown, path));
        }
        look(peek::member(&self.text, path))
    }

    /// `created`, in Unix seconds; 0 where it has none.
    pub fn created(&self) -> i64 {
        match self.part::<Envelope>() {
            Some(envelope) => envelope.created,
            None => self.member(&["created"], |raw| raw.and_then(peek::Raw::int)).unwrap_or(0),
        }
    }

    /// Whether only the stub of a deleted object is left.
    pub fn is_deleted(&self) -> bool {
        // A stub is short: longer texts need no look.
        self.text.len() < 128 && peek::member(&self.text, &["deleted"]).is_some()
    }

    /// Its place among the jobs and deliveries.
    pub fn due(&self) -> Option<i64> {
        self.private.as_deref().and_then(Private::due)
    }

    /// Bytes that it takes, roughly, without what it shares.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.id.len() + size_of::<Self>()
    }
}

/// An object in hand: read into a tree, with its private part. Dereferences to its document.
#[derive(Clone, Debug)]
pub struct Object {
    stored: Arc<Stored>,
    value: Arc<Value>,
}

impl Object {
    /// Reads a stored object.
    pub fn read(stored: &Arc<Stored>) -> Self {
        let value = serde_json::from_str(&stored.shown()).unwrap_or_default();
        Self { stored: Arc::clone(stored), value: Arc::new(value) }
    }

    /// An object whose document is at hand already.
    pub(super) fn with(stored: Arc<Stored>, value: Value) -> Self {
        Self { stored, value: Arc::new(value) }
    }

    /// The same document, stored with another private part.
    pub(super) fn stored_as(&self, stored: Arc<Stored>) -> Self {
        Self { stored, value: Arc::clone(&self.value) }
    }

    /// As it is stored.
    pub const fn stored(&self) -> &Arc<Stored> {
        &self.stored
    }

    /// The private part; empty where there is none.
    pub fn part<T: Part + 'static>(&self) -> std::borrow::Cow<'_, T> {
        match self.stored.part::<T>() {
            Some(part) => std::borrow::Cow::Borrowed(part),
            None => std::borrow::Cow::Owned(T::default()),
        }
    }

    /// A copy of the document.
    pub fn document(&self) -> Value {
        Value::clone(&self.value)
    }
}

impl Deref for Object {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

/// An event as the API shows it: an envelope around the text of the object that it is about, in the form of a
/// version.
pub fn event_text(
    id: &str,
    envelope: &Envelope,
    about: &str,
    version: &str,
    find: Find<'_>,
) -> String {
    let kind = peek::member(about, &["object"]).and_then(peek::Raw::string).unwrap_or_default();
    let previous = envelope.previous.as_deref().map(|text| down::previous(text, &kind, version));
    let about = down::text(about, version, find);
    let mut out = String::with_capacity(about.len() + 400);
    let text = |out: &mut String, value: &str| render::string_into(out, value);
    let optional = |out: &mut String, value: Option<&str>| match value {
        Some(value) => text(out, value),
        None => out.push_str("null"),
    };
    out.push_str("{\"id\":");
    text(&mut out, id);
    out.push_str(",\"object\":\"event\"");
    if let Some(account) = &envelope.account {
        out.push_str(",\"account\":");
        text(&mut out, account);
    }
    out.push_str(",\"api_version\":");
    text(&mut out, version);
    out.push_str(",\"created\":");
    out.push_str(&envelope.created.to_string());
    out.push_str(",\"data\":{\"object\":");
    out.push_str(&about);
    if let Some(previous) = &previous {
        out.push_str(",\"previous_attributes\":");
        out.push_str(previous);
    }
    out.push_str("},\"livemode\":false,\"pending_webhooks\":");
    out.push_str(&envelope.pending_webhooks().to_string());
    out.push_str(",\"request\":{\"id\":");
    optional(&mut out, envelope.request.as_deref());
    out.push_str(",\"idempotency_key\":");
    optional(&mut out, envelope.idempotency_key.as_deref());
    out.push_str("},\"type\":");
    text(&mut out, &envelope.kind);
    out.push('}');
    out
}

/// The one copy of a kind's name: the API's object names and the sandbox's own.
pub fn kind(name: &str) -> &'static str {
    KINDS.iter().find(|known| **known == name).copied().unwrap_or_else(|| kept_once(name))
}

/// The kinds that are asked for most, most frequent first.
const KINDS: [&str; 20] = [
    "event",
    "customer",
    "_job",
    "_delivery",
    "_idempotency",
    "payment_intent",
    "charge",
    "payment_method",
    "checkout.session",
    "balance_transaction",
    "price",
    "product",
    "refund",
    "webhook_endpoint",
    "account",
    "_balance",
    "_mark",
    "_world",
    "item",
    "list",
];

/// The text member of an object; empty where it has none.
pub fn text<'d>(doc: &'d Value, name: &str) -> &'d str {
    doc.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The integer member of an object; 0 where it has none.
pub fn int(doc: &Value, name: &str) -> i64 {
    doc.get(name).and_then(Value::as_i64).unwrap_or(0)
}
