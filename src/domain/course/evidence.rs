//! What a check rests on: ids, answers to deliveries, ledger rows. Nothing secret, nothing personal, and nothing
//! that depends on how quick a machine is or which port was free.

use crate::domain::canonical;
use crate::domain::course::outcome::Finding;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many sessions and how many events are kept of one check.
pub const MOST: usize = 4;

/// An event and how its deliveries were answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSeen {
    /// `evt_…`.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status of each attempt, oldest first; 0 where nobody answered.
    pub attempts: Vec<u16>,
}

/// A row of the application's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSeen {
    /// `cs_…`.
    pub session: String,
    /// In minor units.
    pub amount: Option<i64>,
    /// The code of its currency.
    pub currency: Option<String>,
    /// `paid`, `unpaid`, ….
    pub status: Option<String>,
}

/// What a check rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Checkout Sessions, in the order in which the check met them.
    pub sessions: Vec<String>,
    /// Events, likewise.
    pub events: Vec<EventSeen>,
    /// Rows of those sessions.
    pub ledger_rows: Vec<RowSeen>,
}

impl Evidence {
    /// As JSON.
    pub fn json(&self) -> Value {
        json!(self)
    }
}

/// The hash of what a check found. Ports and milliseconds are left out: they differ between equal runs.
pub fn findings_hash(findings: &[Finding]) -> String {
    let one = |it: &Finding| {
        json!([it.holds, steady(&it.expected.to_string()), steady(&it.got.to_string())])
    };
    canonical::hash(&Value::Array(findings.iter().map(one).collect()))
}

/// A text without what differs between equal runs: the port after a loopback address, milliseconds.
fn steady(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        let port = out.ends_with("127.0.0.1:") || out.ends_with("localhost:");
        let ended = |tail: &str| !tail.starts_with(|c: char| c.is_alphanumeric());
        let spent = after.strip_prefix(" ms").is_some_and(ended);
        out.push_str(if port || spent { "*" } else { digits });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(got: &str) -> Finding {
        Finding::new(true, "2xx", got)
    }

    #[test]
    fn a_hash_knows_neither_ports_nor_milliseconds() {
        assert_eq!(
            steady("1: 200 37 ms · http://127.0.0.1:4242/x"),
            "1: 200 * ms · http://127.0.0.1:*/x"
        );
        assert_eq!(steady("12 msg 3"), "12 msg 3");
        let hash = |got: &str| findings_hash(&[finding(got)]);
        assert_eq!(hash("200 3 ms"), hash("200 14 ms"));
        assert_ne!(hash("200 3 ms"), hash("500 3 ms"));
    }
}
