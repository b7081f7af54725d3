//! Where a learner stands.

use crate::domain::course::outcome::State;

/// Where a day of the course stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayStatus {
    /// `day3`.
    pub id: String,
    /// Its title in the language of the run.
    pub title: String,
    /// Whether the course is complete without it.
    pub optional: bool,
    /// Its checks: id, and what the last run of the present version came to.
    pub checks: Vec<(String, Option<State>)>,
    /// How many of its required checks there are.
    pub required: usize,
    /// How many of those are passed.
    pub passed: usize,
    /// How many of its steps were shown, and how many done by hand.
    pub gone: (usize, usize),
    /// How many of its required checks hold on a server of the learner's own.
    pub proved: usize,
    /// How many hints of it were shown.
    pub hints: u32,
    /// Whether its solution was shown, and whether it was not passed then.
    pub solution: Option<bool>,
}

impl DayStatus {
    /// Whether every required check is passed.
    pub const fn is_passed(&self) -> bool {
        self.passed == self.required
    }
}

/// `stripegym hint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// `SG3.7`.
    pub code: String,
    /// The check's title in the language of the run.
    pub title: String,
    /// The hints so far, the newest last.
    pub texts: Vec<String>,
    /// How many there are.
    pub all: usize,
}

/// `stripegym explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The code or the topic.
    pub name: String,
    /// Its title in the language of the run.
    pub title: String,
    /// Paragraphs.
    pub texts: Vec<String>,
    /// Pages to read on.
    pub docs: Vec<String>,
}
