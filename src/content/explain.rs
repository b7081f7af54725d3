//! What can be explained by name besides topics and codes of checks: `lessons/explain.toml`, and the common
//! misstatements of `lessons/corrections.toml`.

use crate::content::{Library, read};
use crate::domain::course::rules::LessonError;
use crate::domain::locale::Locale;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

/// One thing with its names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its names, in both languages; the first is what it is called.
    pub names: Vec<String>,
    en: String,
    ja: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct All {
    it: Vec<Entry>,
}

impl Entry {
    /// What is said of it.
    pub fn text(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }

    /// Whether one of its names is `sought`, whole or in part.
    pub fn fits(&self, sought: &str, whole: bool) -> bool {
        self.names.iter().any(|name| fits(name, sought, whole))
    }
}

/// Whether a name is what is sought, whole or in part, whatever its case and width.
pub fn fits(name: &str, sought: &str, whole: bool) -> bool {
    let flat = |text: &str| text.nfkc().collect::<String>().to_lowercase().replace(' ', "_");
    let (name, sought) = (flat(name), flat(sought));
    if whole { name == sought } else { name.contains(&sought) }
}

/// Everything that has a name.
pub fn all() -> Result<Vec<Entry>, LessonError> {
    let name = "explain.toml";
    Ok(read::<All>(name, &Library::default().file(name)?)?.it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_part_and_in_either_language() {
        let all = all().unwrap();
        let found = |sought: &str| all.iter().filter(|it| it.fits(sought, false)).count();
        for sought in
            ["insufficient", "冪等", "ｗｅｂｈｏｏｋ", "async_payment", "Card_Declined", "台帳"]
        {
            assert!(found(sought) > 0, "{sought}");
        }
        assert_eq!(found("no such thing"), 0);
        assert!(
            all.iter().all(|it| !it.names.is_empty() && !it.en.is_empty() && !it.ja.is_empty())
        );
    }
}
