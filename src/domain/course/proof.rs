//! Claims that put several observations together: a table of members, what a rule finds in files, a signature that
//! is tried, accidents among deliveries, a claim under a condition.

use crate::domain::course::claim::Claim;
use crate::domain::course::lint::Rule;
use crate::domain::course::scene::Said;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `{ says = { of = ["forged"], what = ["version"] } }`, or `event = "$event"` for the answers to its deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// Names of kept answers.
    #[serde(default)]
    pub of: Vec<String>,
    /// The event whose deliveries were answered.
    #[serde(default)]
    pub event: Option<String>,
    /// What one of them says.
    pub what: Vec<Said>,
}

/// `{ lint = { rule = "utcnow" } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// The rule, which must find nothing.
    pub rule: Rule,
}

/// `{ fields = { of = "recorded", are = { "/status" = "complete", "/amount_total" = 500 } } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The name of something kept.
    pub of: String,
    /// What each member is, by JSON pointer; may refer to something kept.
    pub are: BTreeMap<String, Value>,
}

/// `{ accepts = { event = "$event", signed = "whitespace" } }`: the application is sent the event, signed so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepts {
    /// `$event`.
    pub event: String,
    /// How it is signed.
    pub signed: Signed,
}

/// A way to sign that fits only whoever makes a certain mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// As it should be.
    Well,
    /// With another secret that is known here: of the settings, of the provider's endpoint, of an earlier run.
    OtherSecret,
    /// With the secret and a blank, a line end or quotes around it.
    Whitespace,
    /// With the endpoint's id in place of its secret.
    EndpointId,
    /// With the secret without its `whsec_`.
    NoPrefix,
    /// With no secret at all.
    EmptySecret,
    /// Over the body as a JSON library writes it again.
    Reserialised,
}

/// `{ accidents = { class = "5xx", max = 0 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accidents {
    /// Which answers count: a class (`5xx`), a status, or several with `|`. No answer at all counts always.
    #[serde(default = "failing")]
    pub class: String,
    /// How many there may be.
    #[serde(default)]
    pub max: usize,
}

/// `{ refused = { path = "/v1/checkout/sessions" } }`: the provider refused the newest such call of this run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The path that was called.
    pub path: String,
}

/// `{ given = { kept = "price", then = { … } } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The name of something that may have been kept.
    pub kept: String,
    /// What is claimed where it was.
    pub then: Box<Claim>,
}

fn failing() -> String {
    "3xx|4xx|5xx".to_owned()
}
