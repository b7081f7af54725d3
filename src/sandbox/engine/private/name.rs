//! Names of which there are few: event types, versions of the API.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{OnceLock, PoisonError, RwLock};

/// A name of which there are few, kept once however many events carry it: event types, API versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name(&'static str);

impl Name {
    /// The one copy of a name.
    pub fn of(name: &str) -> Self {
        Self(kept_once(name))
    }
}

impl std::ops::Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::of(&std::borrow::Cow::<str>::deserialize(from)?))
    }
}

/// The one copy of a text of which there are few. A new one is kept for good: only names that our own code
/// and our own file have come here.
pub fn kept_once(name: &str) -> &'static str {
    static KEPT: OnceLock<RwLock<HashSet<&'static str>>> = OnceLock::new();
    let kept = KEPT.get_or_init(RwLock::default);
    if let Some(known) = kept.read().unwrap_or_else(PoisonError::into_inner).get(name) {
        return known;
    }
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(name) {
        return known;
    }
    let fresh: &'static str = Box::leak(name.to_owned().into_boxed_str());
    kept.insert(fresh);
    fresh
}
