//! What a text is written for: the form, the language, the width, the zone.

use crate::domain::locale::Locale;
use crate::view::words::{Msg, say};
use crate::view::wrap::wrap;
use jiff::tz::TimeZone;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Sentences and tables for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Comma-separated values, as RFC 4180 has them.
    Csv,
}

/// How commands are written in every text.
pub const NAME: &str = "stripegym";

/// What may follow the program's name in a command.
pub const COMMANDS: [&str; 46] = [
    "day",
    "deliver",
    "pay",
    "portal",
    "plan",
    "invoice",
    "customer",
    "subscribe",
    "subscription",
    "refund",
    "dispute",
    "order",
    "credit",
    "api-key",
    "kv",
    "setup",
    "shop",
    "sign",
    "check",
    "contract",
    "status",
    "hint",
    "solution",
    "starter",
    "report",
    "verify-report",
    "progress",
    "explain",
    "reset",
    "dev",
    "catch-up",
    "checkout",
    "clock",
    "listen",
    "ledger",
    "logs",
    "reconcile",
    "sandbox",
    "trigger",
    "events",
    "card",
    "cards",
    "doctor",
    "env-example",
    "help",
    "--help",
];

/// What ends a tone.
const TONE_END: &str = "\u{1b}[0m";

/// What a text is written for.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// The form.
    pub format: Format,
    /// The language.
    pub locale: Locale,
    /// Columns that a line may have.
    pub width: u16,
    /// Whether it is a terminal: what programs read keeps one line a thing.
    pub terminal: bool,
    /// Whether colours are welcome.
    pub colour: bool,
    /// The reader's time zone.
    pub zone: TimeZone,
    /// What the reader types to run the program: its name, or a path, or `cargo run --`.
    pub program: String,
}

/// A way to set words apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Strong,
    /// As it should be.
    Good,
    /// Worth a look.
    Caution,
    /// Wrong.
    Bad,
    /// Beside the point.
    Quiet,
}

impl Canvas {
    /// The sentence in the canvas's language.
    pub fn say(&self, msg: &Msg<'_>) -> String {
        self.typed(&say(self.locale, msg))
    }

    /// A text whose commands can be typed as they are: `stripegym day1` as the reader runs it.
    pub fn typed(&self, text: &str) -> String {
        if self.program == NAME {
            return text.to_owned();
        }
        let mut parts = text.split(NAME);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let free = !out.ends_with(|c: char| c.is_alphanumeric() || "./-_".contains(c));
            let word = part.strip_prefix(' ').unwrap_or_default();
            let word = word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next();
            // The lessons are numbered days, whatever their names are in a pack.
            let command = word
                .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
                .is_some_and(|word| COMMANDS.contains(&word));
            out.push_str(if free && command { &self.program } else { NAME });
            out.push_str(part);
        }
        out
    }

    /// The sentence in lines of the canvas's width.
    pub fn prose(&self, msg: &Msg<'_>) -> String {
        wrap(&self.say(msg), self.width, 0)
    }

    /// `text` in a tone, where colours are welcome.
    pub fn tone(&self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let begin = match tone {
            Tone::Strong => "\u{1b}[1m",
            Tone::Good => "\u{1b}[32m",
            Tone::Caution => "\u{1b}[33m",
            Tone::Bad => "\u{1b}[31m",
            Tone::Quiet => "\u{1b}[2m",
        };
        format!("{begin}{text}{TONE_END}")
    }

    /// The sequences that tones are made of, where colours are welcome.
    pub const fn tones(&self) -> &'static [&'static str] {
        const ALL: &[&str] =
            &["\u{1b}[1m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[2m", TONE_END];
        if self.colour { ALL } else { &[] }
    }
}

#[cfg(test)]
impl Canvas {
    pub(crate) fn plain(locale: Locale) -> Self {
        let program = NAME.to_owned();
        Self {
            format: Format::Text,
            locale,
            width: 80,
            terminal: false,
            colour: false,
            zone: TimeZone::UTC,
            program,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_the_reader_types_them_and_nothing_else_is() {
        let canvas = Canvas { program: "cargo run --".to_owned(), ..Canvas::plain(Locale::En) };
        for (text, typed) in [
            ("Next: stripegym day1", "Next: cargo run -- day1"),
            (
                "`stripegym ledger show`, stripegym status.",
                "`cargo run -- ledger show`, cargo run -- status.",
            ),
            (
                "stripegym knows charges; .stripegym check",
                "stripegym knows charges; .stripegym check",
            ),
            ("/opt/stripegym day1 stripegym", "/opt/stripegym day1 stripegym"),
        ] {
            assert_eq!(canvas.typed(text), typed);
        }
    }
}
