//! Lessons as they are written: embedded in the program, overridden by a `lessons/` folder where there is one.
//! What cannot be read is named with its file and its key.

pub mod embedded;
pub mod explain;
pub mod mutant;
pub mod prose;
pub mod steps;
pub mod text;
pub mod topic;
pub mod track;
pub mod wording;

use crate::content::text::Texts;
use crate::domain::course::Day;
use crate::domain::course::manifest::{self, Manifest};
use crate::domain::course::rules::{self, LessonError};
use crate::domain::locale::Locale;
use std::path::{Path, PathBuf};

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
    pub fn file(&self, name: &str) -> Result<String, LessonError> {
        let lacking = || LessonError::new(name, "-", "there is no such file");
        if let Some(folder) = &self.folder
            && let path = folder.join(name)
            && let Ok(whole) = path.canonicalize()
        {
            if !folder.canonicalize().is_ok_and(|folder| whole.starts_with(folder)) {
                return Err(LessonError::new(name, "-", "leads out of the folder of the lessons"));
            }
            let read = std::fs::read_to_string(&path);
            return read.map_err(|error| LessonError::new(&show(&path), "-", error.to_string()));
        }
        embedded::file(name).map(str::to_owned).ok_or_else(lacking)
    }

    /// The lessons that there are: those that came with the program, and those of a pack.
    pub fn manifest(&self) -> Result<Manifest, LessonError> {
        let own = embedded::file(manifest::FILE).unwrap_or_default();
        let own: Manifest = read(manifest::FILE, own)?;
        let all = match self.file(manifest::FILE)? {
            text if Some(text.as_str()) == embedded::file(manifest::FILE) => own,
            text => own.with(read(manifest::FILE, &text)?),
        };
        match all.problems().into_iter().next() {
            None => Ok(all),
            Some((key, what)) => Err(LessonError::new(manifest::FILE, &key, what)),
        }
    }

    /// The ids of the lessons, in order; those that came with the program where a pack cannot be read.
    pub fn ids(&self) -> Vec<String> {
        let own = || Self::default().manifest();
        let all = self.manifest().or_else(|_| own()).unwrap_or_default();
        all.lessons.into_iter().map(|it| it.id).collect()
    }

    /// The ids of the lessons without which the course is not complete, in order.
    pub fn required(&self) -> Vec<String> {
        let all = self.manifest().unwrap_or_default();
        let is_optional = |id: &String| all.find(id).is_some_and(|it| it.optional);
        self.ids().into_iter().filter(|id| !is_optional(id)).collect()
    }

    /// A day with its texts.
    pub fn lesson(&self, id: &str, locale: Locale) -> Result<Lesson, LessonError> {
        let code = locale.code();
        Ok(Lesson {
            day: self.day(id)?,
            texts: self.texts(id, locale)?,
            prose: self.file(&format!("{id}/{code}.md"))?,
        })
    }

    /// A day without its texts.
    pub fn day(&self, id: &str) -> Result<Day, LessonError> {
        let name = format!("{id}/lesson.toml");
        let mut day: Day = read(&name, &self.file(&name)?)?;
        let manifest = self.manifest()?;
        let lacking = || LessonError::new(manifest::FILE, id, "is not listed");
        let entry = manifest.find(id).ok_or_else(lacking)?;
        let head = &mut day.lesson;
        (head.order, head.est_minutes) = (entry.order, entry.minutes);
        head.needs.clone_from(&entry.needs);
        head.items.clone_from(&entry.items);
        head.stands_in = entry.stands_in;
        Ok(day)
    }

    /// The texts of a day.
    pub fn texts(&self, id: &str, locale: Locale) -> Result<Texts, LessonError> {
        let name = format!("{id}/{}.toml", locale.code());
        read(&name, &self.file(&name)?)
    }

    /// Everything that is wrong with the lessons.
    pub fn problems(&self) -> Vec<LessonError> {
        let mut found = Vec::new();
        let mut days = Vec::new();
        if let Err(problem) = self.manifest() {
            found.push(problem);
        }
        let ids = self.ids();
        for id in &ids {
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
            found.extend(steps::problems(self, &day));
            days.push(day);
        }
        if days.len() == ids.len() {
            found.extend(mutant::problems(self, &days));
            found.extend(wording::problems(self, &days));
        }
        found
    }
}

fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, LessonError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| {
            text.get(..span.start).map_or(0, |before| before.matches('\n').count() + 1)
        });
        LessonError::new(name, &format!("line {line}"), error.message())
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
    fn the_course_is_the_week_and_what_is_optional_is_chosen() {
        let library = Library::default();
        let week: Vec<String> = (0..7).map(|day| format!("day{day}")).collect();
        assert_eq!(library.required(), week);
        assert_eq!(
            library.ids()[7..],
            [
                "saved-cards",
                "refunds",
                "disputes",
                "subscriptions",
                "customer-portal",
                "payment-intents",
                "customers",
                "restricted-keys",
                "going-live",
                "orders-and-credits",
                "api-keys",
                "two-providers",
            ]
        );
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
