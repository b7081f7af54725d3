//! What happened in the learner's program when a check failed: the request, the answer, the log at that moment,
//! and what the official libraries' own words in it mean. Pure.

use serde::{Deserialize, Serialize};

/// How much of an answer's body is shown.
const LINE_MAX: usize = 160;

/// What the words of an official library say about why it refused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// The event is of another API version than the library.
    Version,
    /// What was verified is no text and no bytes: somebody had parsed it before.
    Parsed,
    /// The header was not handed over.
    NoHeader,
    /// The secret was not handed over, or is empty.
    NoSecret,
    /// The signature is older than the tolerance.
    Tolerance,
    /// None of the signatures fits.
    NoMatch,
}

/// The libraries' phrases in small letters, the most telling first.
const PHRASES: [(&str, Said); 20] = [
    ("expects api version", Said::Version),
    ("received event with api version", Said::Version),
    ("api version mismatch", Said::Version),
    ("parsed javascript object", Said::Parsed),
    ("payload was provided as a parsed", Said::Parsed),
    ("must be provided as a string or a buffer", Said::Parsed),
    ("no stripe-signature header", Said::NoHeader),
    ("no webhook signature header", Said::NoHeader),
    ("webhook has no stripe-signature header", Said::NoHeader),
    ("unable to extract timestamp and signatures", Said::NoHeader),
    ("no webhook secret", Said::NoSecret),
    ("secret is not set", Said::NoSecret),
    ("secret must not be", Said::NoSecret),
    ("no webhook signing secret", Said::NoSecret),
    ("timestamp outside the tolerance", Said::Tolerance),
    ("timestamp outside tolerance", Said::Tolerance),
    ("timestamp wasn't within tolerance", Said::Tolerance),
    ("no signatures found matching", Said::NoMatch),
    ("webhook had no valid signature", Said::NoMatch),
    ("no signatures found with expected scheme", Said::NoMatch),
];

impl Said {
    /// What a text says, where it has words of an official library in it.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        PHRASES.iter().find(|(phrase, _)| text.contains(phrase)).map(|(_, said)| *said)
    }
}

/// What happened when a check failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The request, as `curl` sends it again.
    pub request: String,
    /// The answer's status and first line.
    pub answer: String,
    /// The last lines of the log at that moment.
    pub log: Vec<String>,
    /// What an official library said in answer or log.
    pub said: Option<Said>,
    /// Whether the handler failed by itself.
    pub crashed: bool,
}

/// The first line of a body that says something, without what would move a terminal.
pub fn first_line(body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(LINE_MAX).collect()
}

/// A text as a shell takes it, whatever is in it.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_libraries_are_known() {
        for (text, said) in [
            ("No signatures found matching the expected signature for payload.", Said::NoMatch),
            ("stripe: webhook had no valid signature", Said::NoMatch),
            ("Timestamp outside the tolerance zone (1)", Said::Tolerance),
            ("Webhook payload must be provided as a string or a Buffer", Said::Parsed),
            ("Payload was provided as a parsed JavaScript object instead.", Said::Parsed),
            (
                "Received event with API version 2026-10-28.endive, but stripe-go expects API version x",
                Said::Version,
            ),
            ("No stripe-signature header value was provided.", Said::NoHeader),
            ("No webhook secret was provided", Said::NoSecret),
        ] {
            assert_eq!(Said::read(text), Some(said), "{text}");
        }
        assert_eq!(Said::read("Bad Request"), None);
    }

    #[test]
    fn a_first_line_moves_no_terminal_and_a_quote_ends_nothing() {
        assert_eq!(first_line("\n  \n a\u{1b}[31m b\r\nc"), "a[31m b");
        assert_eq!(first_line(&"x".repeat(999)).len(), LINE_MAX);
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
