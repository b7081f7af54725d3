//! What happened in the learner's program when a check failed: the request, the answer, the log at that moment,
//! and what the official libraries' own words in it mean. Pure.

use crate::domain::course::known;
use crate::domain::named::named;

/// How much of an answer's body is shown.
const LINE_MAX: usize = 160;

named! {
    /// What the words of an official library say about why it refused an event.
    pub enum Said {
        /// The event is of another API version than the library.
        Version = "version",
        /// What was verified is no text and no bytes: somebody had parsed it before.
        Parsed = "parsed",
        /// The header was not handed over.
        NoHeader = "no-header",
        /// The secret was not handed over, or is empty.
        NoSecret = "no-secret",
        /// The signature is older than the tolerance.
        Tolerance = "tolerance",
        /// None of the signatures fits.
        NoMatch = "no-match",
    }
}

impl Said {
    /// What a text says, where it has words of an official library in it.
    pub fn in_text(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let said = |(_, phrases): &(&str, &[String])| phrases.iter().any(|it| text.contains(it));
        known::groups("phrases").find(said).and_then(|(word, _)| Self::read(word))
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
            assert_eq!(Said::in_text(text), Some(said), "{text}");
        }
        assert_eq!(Said::in_text("Bad Request"), None);
    }

    #[test]
    fn a_first_line_moves_no_terminal_and_a_quote_ends_nothing() {
        assert_eq!(first_line("\n  \n a\u{1b}[31m b\r\nc"), "a[31m b");
        assert_eq!(first_line(&"x".repeat(999)).len(), LINE_MAX);
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
