//! Where a learner stands.

use crate::domain::course::outcome::State;

/// Where a day of the course stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayStatus {
    /// `day3`.
    pub id: String,
    /// Its title in the language of the run.
    pub title: String,
    /// Its checks: id, and what the last run of the present version came to.
    pub checks: Vec<(String, Option<State>)>,
    /// How many of its required checks there are.
    pub required: usize,
    /// How many of those are passed.
    pub passed: usize,
}

impl DayStatus {
    /// Whether every required check is passed.
    pub const fn is_passed(&self) -> bool {
        self.passed == self.required
    }
}
