//! The shops of `lessons/track/`: how each language is laid out and started, and which file holds which day.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The file of `lessons/track/` that lists the languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Shops(pub BTreeMap<String, Shop>);

/// The shop in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// What installs its packages in its folder, where it has any.
    pub install: Option<String>,
    /// The command that starts it, once its packages are installed in its folder.
    pub start: String,
    /// The file that holds the gap of each lesson, by the lesson's id; they are written in the order of the ids.
    pub lessons: BTreeMap<String, String>,
    /// What it needs to be tried out with packages that are installed elsewhere.
    pub trial: Trial,
}

/// How a copy of a shop is tried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What is linked into the copy, and where it stands in the folder of tools.
    pub links: BTreeMap<String, String>,
    /// A command that must have ended well before the shop is started.
    pub build: Option<String>,
    /// The command that starts it, where it is not `start`.
    pub start: Option<String>,
    /// The command that starts another program of its language in its place: `{file}`, which may rest on what lies in
    /// the folder of the languages, `{track}`.
    pub other: Option<String>,
}

impl Shop {
    /// The command that starts a copy.
    pub fn command(&self) -> &str {
        self.trial.start.as_deref().unwrap_or(&self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_languages_say_how_they_are_started() {
        let shops: Shops =
            toml::from_str(include_str!("../../../lessons/track/track.toml")).unwrap();
        assert_eq!(shops.0.keys().collect::<Vec<_>>(), ["node", "python", "rust"]);
        for (name, shop) in &shops.0 {
            assert!((0..7).all(|day| shop.lessons.contains_key(&format!("day{day}"))), "{name}");
            assert!(!shop.command().is_empty() && !shop.trial.links.is_empty(), "{name}");
        }
    }
}
