//! The languages that the program speaks.

/// A language for people; the API's own texts stay in Stripe's English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Locale {
    /// Every language, in the order in which help lists them.
    pub const ALL: [Self; 2] = [Self::En, Self::Ja];

    /// The two-letter code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// Reads a code or a POSIX locale (`ja`, `ja_JP.UTF-8`, `en-US`, `C`); `None` for a language that is not spoken.
    pub fn read(text: &str) -> Option<Self> {
        let language = text.split(['_', '-', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "ja" => Some(Self::Ja),
            "en" | "c" | "posix" => Some(Self::En),
            _ => None,
        }
    }
}

/// Whether a person's answer means yes, in whichever language.
pub fn is_yes(answer: &str) -> bool {
    ["y", "yes", "はい"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_locales_are_read_by_their_language() {
        assert_eq!(Locale::read("ja_JP.UTF-8"), Some(Locale::Ja));
        assert_eq!(Locale::read("en-GB"), Some(Locale::En));
        assert_eq!(Locale::read("C.UTF-8"), Some(Locale::En));
        assert_eq!(Locale::read("fr_FR"), None);
        assert_eq!(Locale::read(""), None);
    }
}
