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

/// What a text is written for.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// The form.
    pub format: Format,
    /// The language.
    pub locale: Locale,
    /// Columns that a line may have.
    pub width: u16,
    /// Whether colours are welcome.
    pub colour: bool,
    /// The reader's time zone.
    pub zone: TimeZone,
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
        say(self.locale, msg)
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
        let code = match tone {
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Caution => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
impl Canvas {
    pub(crate) fn plain(locale: Locale) -> Self {
        Self { format: Format::Text, locale, width: 80, colour: false, zone: TimeZone::UTC }
    }
}
