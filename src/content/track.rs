//! The own-server track as it comes with the program: starters and solutions in three languages, and which file
//! holds the gap of which lesson.

use crate::content::embedded;
use crate::domain::course::rules::LessonError;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A language of the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python with Flask.
    Python,
    /// Node with Express.
    Node,
    /// Rust with axum.
    Rust,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Rust];

    /// The word that the command line and the folders use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Rust => "rust",
        }
    }

    /// Reads such a word.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == text)
    }
}

/// What a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The shop in which each day's part is not written yet.
    Starter,
    /// The shop after the last day.
    Solution,
}

const TRACK: &str = include_str!("../../lessons/track/track.toml");

/// What is said of a language.
#[derive(Clone, Debug, Deserialize)]
struct Said {
    install: Option<String>,
    start: String,
    lessons: BTreeMap<String, String>,
}

fn said(language: Language) -> Result<Said, LessonError> {
    let broken = |what: String| LessonError::new("track/track.toml", language.name(), what);
    let mut all: BTreeMap<String, Said> =
        toml::from_str(TRACK).map_err(|error| broken(error.message().to_owned()))?;
    all.remove(language.name()).ok_or_else(|| broken("–".to_owned()))
}

/// What is typed once in the folder of a shop of a language, where it needs that.
pub fn install(language: Language) -> Result<Option<String>, LessonError> {
    said(language).map(|it| it.install)
}

/// What starts a shop of a language.
pub fn start(language: Language) -> Result<String, LessonError> {
    said(language).map(|it| it.start)
}

/// The files of a part: path and text.
pub fn files(language: Language, part: Part) -> impl Iterator<Item = (&'static str, &'static str)> {
    let part = match part {
        Part::Starter => "starter",
        Part::Solution => "solution",
    };
    let folder = format!("track/{}/{part}", language.name());
    embedded::under(&folder).collect::<Vec<_>>().into_iter()
}

/// The file of the solution that fills a lesson's gap: path and text.
pub fn of_lesson(
    language: Language,
    id: &str,
) -> Result<(&'static str, &'static str), LessonError> {
    let said = said(language)?;
    let name = said.lessons.get(id).map(String::as_str);
    let found =
        name.and_then(|name| files(language, Part::Solution).find(|(path, _)| *path == name));
    let lacking = || LessonError::new("track/track.toml", language.name(), format!("{id} –"));
    found.ok_or_else(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Library;

    #[test]
    fn every_lesson_has_its_file_in_every_language_and_an_optional_one_in_two() {
        for language in Language::ALL {
            for it in Library::default().manifest().unwrap().lessons {
                let lacks = it.optional && language == Language::Rust;
                assert!(lacks || of_lesson(language, &it.id).is_ok(), "{language:?} {}", it.id);
            }
            assert!(
                of_lesson(language, "no-such").is_err() && !start(language).unwrap().is_empty()
            );
        }
    }
}
