//! What a lesson changes of a delivery that it sends itself.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is changed of a delivery; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mutate {
    /// The body, after it was signed or before.
    pub body: Option<Body>,
    /// The header.
    pub header: Option<Header>,
    /// Seconds by which the signature is older (negative) or newer.
    pub timestamp_s: i64,
    /// The secret that it is signed with.
    pub secret: Option<Secret>,
    /// Whether each delivery gets an event id of its own.
    pub new_id: bool,
    /// Members of the event that are replaced or added before signing, by JSON pointer.
    pub set: BTreeMap<String, Value>,
    /// Members of the event that become null before signing, by JSON pointer.
    pub null: Vec<String>,
    /// Members of the event that are left out before signing, by JSON pointer.
    pub drop: Vec<String>,
}

/// What happens to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// One byte differs from what was signed.
    FlipOneByte,
    /// Other characters than ASCII, odd blanks and another order of keys; signed as sent.
    Odd,
    /// Signed, and no JSON.
    NotJson,
    /// Signed, and empty.
    Empty,
    /// Signed, and a thin event.
    Thin,
}

/// What happens to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// There is none.
    Missing,
    /// It is empty.
    Empty,
    /// It has the signature under `v0` alone.
    V0Only,
    /// It has two `v1`, of which the second fits.
    SecondV1,
    /// It has three `v1`, of which the first fits.
    FirstV1,
    /// Only the first digits of its signature are right.
    FirstDigits,
    /// It has no time, and its signature is of the body alone.
    Undated,
}

/// Which secret signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// One that nobody knows.
    Wrong,
    /// The one that was rolled to.
    New,
}
