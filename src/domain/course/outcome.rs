//! What became of checks, notes and gates.

use crate::domain::course::evidence::Evidence;
use crate::domain::course::scene::Scene;
use crate::domain::course::statement::Statement;
use crate::domain::course::{Kind, Level, Severity};
use crate::domain::named::named;

named! {
    /// Where an item stands.
    pub enum State {
        /// It holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// It does not hold, and nobody is harmed by that alone: risky, or a habit.
        Warn = "warn",
        /// The automatic part holds; a person has not said the rest.
        Partial = "partial",
        /// Only a person can say it, and nobody has.
        Attest = "attest",
        /// It was left out.
        Skip = "skip",
        /// Something that it needs does not hold.
        Blocked = "blocked",
    }
}

impl State {
    /// Whether nothing automatic is left that has to be done.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::Partial | Self::Attest)
    }
}

/// What one claim came to, in facts without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub holds: bool,
    /// What was expected: `forged: 4xx`.
    pub expected: Statement,
    /// What was found: `forged: 200`.
    pub got: Statement,
    /// Whether there was nothing to look at: it holds nothing then, and must not pass for it.
    pub left_out: bool,
    /// The topics that a document lacks, by name.
    pub lacking: Vec<String>,
    /// The exchange with the application that it is about, by its number in the run.
    pub about: Option<usize>,
}

impl Finding {
    /// A finding.
    pub fn new(holds: bool, expected: impl Into<Statement>, got: impl Into<Statement>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self { holds, expected, got, left_out: false, lacking: Vec::new(), about: None }
    }

    /// What was found in place of what was expected.
    pub fn instead(&self) -> Statement {
        Statement::Instead(Box::new(self.expected.clone()), Box::new(self.got.clone()))
    }

    /// The same finding, about an exchange.
    #[must_use]
    pub fn of(self, exchange: Option<usize>) -> Self {
        Self { about: exchange, ..self }
    }
}

/// Why a check failed, for its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `SG3.7-NOVERIFY`, or the check's own code where no diagnosis fits.
    pub code: String,
    /// What was done to find out.
    pub checked: String,
    /// What was expected.
    pub expected: Statement,
    /// What was found.
    pub got: Statement,
    /// Why that is wrong.
    pub why: String,
    /// The one command to type next.
    pub next: String,
    /// What happened in the learner's program, where that could be seen.
    pub scene: Option<Scene>,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// `D3.7`.
    pub id: String,
    /// `SG3.7`.
    pub code: String,
    /// Its title in the language of the run.
    pub title: String,
    /// How far it is automatic.
    pub kind: Kind,
    /// What its failure means.
    pub level: Level,
    /// How much its failure weighs.
    pub severity: Severity,
    /// Where it stands.
    pub state: State,
    /// What its claims came to.
    pub findings: Vec<Finding>,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// The check whose failure it waits for, where it is blocked.
    pub root: Option<String>,
    /// What it rests on.
    pub evidence: Evidence,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

impl CheckResult {
    /// Whether the day cannot be passed because of it.
    pub fn blocks(&self) -> bool {
        self.level == Level::Required && matches!(self.state, State::Fail | State::Blocked)
    }
}

/// What became of a note's probe or of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemResult {
    /// `N3.3` or `G3.1`.
    pub id: String,
    /// Its title in the language of the run.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// What is in the way: items that do not hold, or what a probe found.
    pub because: Vec<Statement>,
}

/// One run of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayResult {
    /// `day3`.
    pub id: String,
    /// Its title in the language of the run.
    pub title: String,
    /// The lesson that comes after it, where one does.
    pub next: Option<String>,
    /// The version of the lesson's content.
    pub version: u32,
    /// The API version that the lesson was proven with.
    pub api_version: String,
    /// Which application was graded: `shop`, `exec`, `app`.
    pub track: &'static str,
    /// The checklist.
    pub checks: Vec<CheckResult>,
    /// The notes.
    pub notes: Vec<ItemResult>,
    /// The gates.
    pub gates: Vec<ItemResult>,
    /// Whether the run stopped before its checks, as it was asked to.
    pub cut: bool,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

impl DayResult {
    /// Whether everything required holds.
    pub fn is_passed(&self) -> bool {
        !self.checks.iter().any(CheckResult::blocks)
    }
}
