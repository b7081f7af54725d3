//! What can be explained besides the codes of failures: `lessons/topics.ja.toml`, `lessons/topics.en.toml`.

use crate::content::{Library, read};
use crate::domain::course::rules::LessonError;
use crate::domain::locale::Locale;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One topic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its title.
    pub title: String,
    /// What is said about it.
    pub text: String,
    /// Pages to read on.
    #[serde(default)]
    pub docs: Vec<String>,
}

/// The topics in a language, by name.
pub fn all(locale: Locale) -> Result<BTreeMap<String, Topic>, LessonError> {
    let name = format!("topics.{}.toml", locale.code());
    read(&name, &Library::default().file(&name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_explains_the_same() {
        let [en, ja] = Locale::ALL.map(|locale| all(locale).unwrap());
        assert_eq!(en.keys().collect::<Vec<_>>(), ja.keys().collect::<Vec<_>>());
        for topic in en.values().chain(ja.values()) {
            assert!(topic.docs.iter().all(|url| url.starts_with("https://docs.stripe.com/")));
            assert!(!topic.text.trim().is_empty() && !topic.title.is_empty());
        }
    }
}
