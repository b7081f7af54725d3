//! The lessons that there are, and their order: what `lessons/course.toml` holds. Nothing else names a lesson.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Where it stands.
pub const FILE: &str = "course.toml";

/// The lessons, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// In order.
    #[serde(rename = "lesson")]
    pub lessons: Vec<Entry>,
}

/// What a lesson can ask of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// It has pages, and they are what the lesson is about.
    Pages,
    /// It has a ledger.
    Ledger,
    /// What it prints can be seen.
    Log,
    /// It knows of refunds.
    Refunds,
    /// It knows of subscriptions.
    Subscriptions,
    /// It acts for connected accounts.
    Accounts,
    /// It has a key of its own.
    Keys,
}

/// How the built-in shop begins a lesson where nobody is asked anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// With its text and its steps.
    #[default]
    Lesson,
    /// With the whole loop, told step by step.
    Round,
}

/// One lesson.
#[expect(clippy::struct_excessive_bools, reason = "a manifest's own words, each by itself")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What is typed: `day3`. Its files stand in the folder of this name.
    pub id: String,
    /// Its place among the lessons.
    pub order: u8,
    /// Lessons that come before.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Minutes that a person takes.
    pub minutes: u16,
    /// What it asks of an application.
    #[serde(default)]
    pub grades: Vec<Ability>,
    /// Whether the course is complete without it.
    #[serde(default)]
    pub optional: bool,
    /// How it begins.
    #[serde(default)]
    pub opening: Opening,
    /// Whether what a README starts is graded by it, where a lesson follows one.
    #[serde(default)]
    pub rehearsed: bool,
    /// How many items of each letter it must deal with, each once; a lesson without them says itself what it has.
    #[serde(default)]
    pub items: BTreeMap<char, u8>,
    /// Whether a session may be made by the program in place of the application's own button: what the lesson is about
    /// is what happens after the payment.
    #[serde(default)]
    pub stands_in: bool,
    /// The check by which a person says that they demonstrated the course to somebody.
    pub demo: Option<String>,
    /// Whether it is tried out on the programs of the course itself. One that installs from registries is not.
    #[serde(default = "yes")]
    pub tried: bool,
}

const fn yes() -> bool {
    true
}

impl Manifest {
    /// This one with the lessons of another: those of the same id are replaced.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for entry in other.lessons {
            match self.lessons.iter_mut().find(|it| it.id == entry.id) {
                Some(known) => *known = entry,
                None => self.lessons.push(entry),
            }
        }
        self.lessons.sort_by_key(|it| it.order);
        self
    }

    /// The lesson of an id.
    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.lessons.iter().find(|it| it.id == id)
    }

    /// What comes after a lesson: none of those without which the course is complete, they are chosen.
    pub fn after(&self, id: &str) -> Option<&Entry> {
        let at = self.lessons.iter().position(|it| it.id == id)?;
        self.lessons.iter().skip(at + 1).find(|it| !it.optional)
    }

    /// What is wrong with it: the key, and what.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (at, it) in self.lessons.iter().enumerate() {
            let mut say = |what: &str| found.push((it.id.clone(), what.to_owned()));
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if it.id.is_empty() || !it.id.chars().all(plain) {
                say("is no name of a lesson: a-z, 0-9, -");
            }
            let before = self.lessons.get(..at).unwrap_or_default();
            if before.iter().any(|other| other.id == it.id) {
                say("stands twice");
            }
            if before.iter().any(|other| other.order == it.order) {
                say("has the order of another lesson");
            }
            if it.needs.iter().any(|id| !before.iter().any(|other| other.id == *id)) {
                say("needs a lesson that does not come before it");
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        toml::from_str(text).unwrap()
    }

    const ONE: &str = "[[lesson]]\nid = \"one\"\norder = 1\nminutes = 5\n";

    #[test]
    fn a_pack_adds_lessons_and_replaces_those_of_the_same_name() {
        let own = read(ONE).with(read(
            "[[lesson]]\nid = \"zero\"\norder = 0\nminutes = 1\n\
             [[lesson]]\nid = \"one\"\norder = 1\nminutes = 9\nneeds = [\"zero\"]\n",
        ));
        let names: Vec<_> = own.lessons.iter().map(|it| (it.id.as_str(), it.minutes)).collect();
        assert_eq!(names, [("zero", 1), ("one", 9)]);
        assert_eq!(own.after("zero").map(|it| it.id.as_str()), Some("one"));
        assert_eq!((own.after("one"), own.problems()), (None, Vec::new()));
        let more = "[[lesson]]\nid = \"two\"\norder = 2\nminutes = 1\noptional = true\n";
        assert_eq!(own.with(read(more)).after("one"), None, "what is optional is chosen");
    }

    #[test]
    fn each_contradiction_is_named() {
        let twice = read(&format!("{ONE}{ONE}"));
        assert_eq!(twice.problems().len(), 2);
        let odd = "[[lesson]]\nid = \"Day 1\"\norder = 1\nminutes = 5\nneeds = [\"day0\"]\n";
        assert_eq!(read(odd).problems().len(), 2);
    }
}
