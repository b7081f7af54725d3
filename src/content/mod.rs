//! Lessons as they are written: embedded in the program, overridden by a `lessons/` folder where there is one.
//! What cannot be read is named with its file and its key.

pub mod embedded;
pub mod mutant;
pub mod prose;
pub mod text;
pub mod topic;
pub mod track;
pub mod wording;

use crate::content::text::Texts;
use crate::domain::course::Day;
use crate::domain::course::rules::{self, Problem};
use crate::domain::locale::Locale;
use std::path::{Path, PathBuf};

/// The days, in order.
pub const DAYS: [&str; 7] = ["day0", "day1", "day2", "day3", "day4", "day5", "day6"];

/// A day with its texts in one language.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// What is done and checked.
    pub day: Day,
    /// What is said of it.
    pub texts: Texts,
    /// The prose, `ja.md` or `en.md`.
    pub prose: String,
}

/// Where lessons are looked for.
#[derive(Clone, Debug, Default)]
pub struct Library {
    folder: Option<PathBuf>,
}

impl Library {
    /// The embedded lessons; each file that `folder` has comes before the embedded one.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The text of a file, `day3/lesson.toml`.
    pub fn file(&self, name: &str) -> Result<String, Problem> {
        let lacking = || Problem::new(name, "-", "there is no such file".to_owned());
        if let Some(path) = self.folder.as_deref().map(|folder| folder.join(name))
            && path.exists()
        {
            let read = std::fs::read_to_string(&path);
            return read.map_err(|error| Problem::new(&show(&path), "-", error.to_string()));
        }
        embedded::file(name).map(str::to_owned).ok_or_else(lacking)
    }

    /// A day with its texts.
    pub fn lesson(&self, id: &str, locale: Locale) -> Result<Lesson, Problem> {
        let code = locale.code();
        Ok(Lesson {
            day: self.day(id)?,
            texts: self.texts(id, locale)?,
            prose: self.file(&format!("{id}/{code}.md"))?,
        })
    }

    /// A day without its texts.
    pub fn day(&self, id: &str) -> Result<Day, Problem> {
        let name = format!("{id}/lesson.toml");
        read(&name, &self.file(&name)?)
    }

    /// The texts of a day.
    pub fn texts(&self, id: &str, locale: Locale) -> Result<Texts, Problem> {
        let name = format!("{id}/{}.toml", locale.code());
        read(&name, &self.file(&name)?)
    }

    /// Everything that is wrong with the lessons.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut days = Vec::new();
        for id in DAYS {
            let day = match self.day(id) {
                Ok(day) => day,
                Err(problem) => {
                    found.push(problem);
                    continue;
                }
            };
            found.extend(rules::problems(&day, &format!("{id}/lesson.toml")));
            for locale in Locale::ALL {
                let file = format!("{id}/{}.toml", locale.code());
                match self.texts(id, locale) {
                    Ok(texts) => found.extend(text::problems(&texts, &day, &file)),
                    Err(problem) => found.push(problem),
                }
                let file = format!("{id}/{}.md", locale.code());
                match self.file(&file) {
                    Ok(prose) => found.extend(prose::problems(&prose, &file)),
                    Err(problem) => found.push(problem),
                }
            }
            days.push(day);
        }
        if days.len() == DAYS.len() {
            found.extend(mutant::problems(&days));
            found.extend(wording::problems(self, &days));
        }
        found
    }
}

fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| {
            text.get(..span.start).map_or(0, |before| before.matches('\n').count() + 1)
        });
        Problem::new(name, &format!("line {line}"), error.message().to_owned())
    })
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_lessons_keep_to_their_format() {
        let problems: Vec<String> =
            Library::default().problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems, Vec::<String>::new(), "\n{}", problems.join("\n"));
    }

    #[test]
    fn a_folder_overrides_file_by_file_and_what_it_breaks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("day1")).unwrap();
        std::fs::write(folder.path().join("day1/lesson.toml"), "[lesson]\nid = 5\n").unwrap();
        let library = Library::new(Some(folder.path().to_owned()));
        let problem = library.day("day1").unwrap_err();
        assert_eq!((problem.file.as_str(), problem.key.as_str()), ("day1/lesson.toml", "line 2"));
        assert!(library.day("day0").is_ok());
    }
}
