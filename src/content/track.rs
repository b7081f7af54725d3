//! The own-server track as it comes with the program: starters and solutions in three languages, and which file
//! holds the gap of which lesson.

use crate::content::{embedded, read};
use crate::domain::course::rules::LessonError;
use crate::domain::course::shops::{Shop, Shops};
use crate::domain::named::named;

named! {
    /// A language of the track.
    pub enum Language {
        /// Python with Flask.
        Python = "python",
        /// Node with Express.
        Node = "node",
        /// Rust with axum.
        Rust = "rust",
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

fn shop(language: Language) -> Result<Shop, LessonError> {
    let Shops(mut all) = read("track/track.toml", TRACK)?;
    let lacking = || LessonError::new("track/track.toml", language.name(), "–");
    all.remove(language.name()).ok_or_else(lacking)
}

/// What is typed once in the folder of a shop of a language, where it needs that.
pub fn install(language: Language) -> Result<Option<String>, LessonError> {
    shop(language).map(|it| it.install)
}

/// What starts a shop of a language.
pub fn start(language: Language) -> Result<String, LessonError> {
    shop(language).map(|it| it.start)
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
    let shop = shop(language)?;
    let name = shop.lessons.get(id).map(String::as_str);
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
