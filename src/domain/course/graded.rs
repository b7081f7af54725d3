//! What `check` came to: days graded without reading and doing, once or again and again.

use crate::domain::course::outcome::{CheckResult, DayResult, Failure, State};
use crate::domain::course::{Level, Severity};
use crate::domain::mode::Mode;
use crate::domain::named::named;
use std::collections::BTreeMap;

/// One day as it was graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// What became of it; of single checks, those and what they need.
    pub day: DayResult,
    /// How many hints were shown, by the code of their check.
    pub hints: BTreeMap<String, u8>,
    /// Against which provider.
    pub mode: Mode,
    /// Whether every item is listed, or only what is not passed.
    pub every: bool,
}

/// How many items stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Passed.
    pub passed: usize,
    /// Failed, or blocked by one that failed.
    pub failed: usize,
    /// Risky, or a habit.
    pub warned: usize,
    /// Open: a person has not said their part.
    pub open: usize,
    /// Left out on this track.
    pub skipped: usize,
}

/// Several days together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The days, in order.
    pub days: Vec<Graded>,
    /// Whether open and risky items stand in the way too.
    pub strict: bool,
    /// Milliseconds that it all took.
    pub took_ms: u64,
}

impl Checked {
    /// The items of all days.
    pub fn checks(&self) -> impl Iterator<Item = &CheckResult> {
        self.days.iter().flat_map(|graded| &graded.day.checks)
    }

    /// How many items stand where.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for check in self.checks() {
            counts.all += 1;
            match check.state {
                State::Pass => counts.passed += 1,
                State::Fail | State::Blocked => counts.failed += 1,
                State::Warn => counts.warned += 1,
                State::Partial | State::Attest => counts.open += 1,
                State::Skip => counts.skipped += 1,
            }
        }
        counts
    }

    /// Whether an item stands in the way.
    pub fn blocks(&self, check: &CheckResult) -> bool {
        match check.state {
            State::Fail | State::Blocked => self.strict || check.level == Level::Required,
            State::Warn => self.strict && check.severity >= Severity::Risky,
            State::Partial | State::Attest => self.strict,
            State::Pass | State::Skip => false,
        }
    }

    /// Whether nothing stands in the way.
    pub fn is_well(&self) -> bool {
        !self.checks().any(|check| self.blocks(check))
    }

    /// The first failure that stands in the way.
    pub fn first_failure(&self) -> Option<&Failure> {
        let blocking = self.checks().filter(|check| self.blocks(check));
        let mut blocking: Vec<&CheckResult> = blocking.collect();
        // What blocks others comes before what is blocked.
        blocking.sort_by_key(|check| check.state == State::Blocked);
        blocking.into_iter().find_map(|check| check.failure.as_ref())
    }

    /// Where each item stands, by its id.
    pub fn states(&self) -> BTreeMap<String, State> {
        self.checks().map(|check| (check.id.clone(), check.state)).collect()
    }
}

/// Why days were graded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The first time.
    Began,
    /// Files changed: the first of them, and how many.
    Files {
        /// Its path below the watched folder.
        first: String,
        /// All of them.
        count: usize,
    },
    /// A webhook was delivered.
    Delivery {
        /// The event's type.
        kind: String,
        /// `evt_…`.
        event: String,
    },
    /// A server that was gone answers again.
    Back,
}

impl Cause {
    /// A stable name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Files { .. } => "files",
            Self::Delivery { .. } => "delivery",
            Self::Back => "back",
        }
    }
}

named! {
    /// How changes of files are noticed.
    pub enum Means {
        /// The system tells.
        Events = "events",
        /// The folder is looked through.
        Polling = "polling",
    }
}

/// An item that stands elsewhere than in the round before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// Where it stood.
    pub before: State,
    /// Where it stands.
    pub after: State,
}

/// One round of watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1.
    pub number: u64,
    /// Why.
    pub cause: Cause,
    /// What it came to.
    pub checked: Checked,
    /// What stands elsewhere than before; empty in the first round.
    pub changes: Vec<Change>,
    /// Whether what is on the screen makes room.
    pub clear: bool,
}

/// What stands elsewhere after a round than before it, in the order of the items; what was not graded before
/// has not changed.
pub fn changes(before: &BTreeMap<String, State>, after: &Checked) -> Vec<Change> {
    let change = |check: &CheckResult| {
        let had = *before.get(&check.id)?;
        let id = check.id.clone();
        (had != check.state).then_some(Change { id, before: had, after: check.state })
    };
    after.checks().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::Kind;
    use crate::domain::course::evidence::Evidence;
    use crate::domain::course::statement::Statement;

    fn check(id: &str, level: Level, state: State) -> CheckResult {
        let failure = matches!(state, State::Fail | State::Warn).then(|| Failure {
            code: format!("SG{id}"),
            checked: String::new(),
            expected: Statement::Nothing,
            got: Statement::Nothing,
            why: String::new(),
            next: String::new(),
            scene: None,
        });
        CheckResult {
            id: id.to_owned(),
            code: String::new(),
            title: String::new(),
            kind: Kind::Auto,
            level,
            severity: if state == State::Warn { Severity::Risky } else { Severity::Wrong },
            state,
            findings: Vec::new(),
            failure,
            root: None,
            evidence: Evidence::default(),
            took_ms: 0,
        }
    }

    fn checked(strict: bool, checks: Vec<CheckResult>) -> Checked {
        let day = DayResult {
            id: "day1".to_owned(),
            title: String::new(),
            next: None,
            version: 1,
            api_version: String::new(),
            track: "shop",
            checks,
            notes: Vec::new(),
            gates: Vec::new(),
            cut: false,
            took_ms: 0,
        };
        let graded = Graded { day, hints: BTreeMap::new(), mode: Mode::Sandbox, every: true };
        Checked { days: vec![graded], strict, took_ms: 0 }
    }

    #[test]
    fn only_strictly_do_open_and_risky_items_stand_in_the_way() {
        let open = || {
            vec![
                check("D1", Level::Required, State::Pass),
                check("D2", Level::Attest, State::Attest),
                check("D3", Level::Required, State::Partial),
                check("D4", Level::Required, State::Warn),
            ]
        };
        assert!(checked(false, open()).is_well());
        let mut habit = checked(true, vec![check("D4", Level::Required, State::Warn)]);
        assert!(!habit.is_well());
        habit.days[0].day.checks[0].severity = Severity::Habit;
        assert!(habit.is_well());
        let strict = checked(true, open());
        assert!(!strict.is_well());
        assert_eq!(strict.first_failure().map(|it| it.code.as_str()), Some("SGD4"));
        let counts = Counts { all: 4, passed: 1, failed: 0, warned: 1, open: 2, skipped: 0 };
        assert_eq!(strict.counts(), counts);
        assert!(!checked(false, vec![check("D1", Level::Required, State::Blocked)]).is_well());
    }

    #[test]
    fn a_change_names_both_states() {
        let before = checked(false, vec![check("D1", Level::Required, State::Fail)]).states();
        let after = checked(
            false,
            vec![
                check("D1", Level::Required, State::Pass),
                check("D2", Level::Required, State::Pass),
            ],
        );
        let found: Vec<_> =
            changes(&before, &after).into_iter().map(|it| (it.id, it.before)).collect();
        assert_eq!(found, [("D1".to_owned(), State::Fail)]);
        assert!(changes(&after.states(), &after).is_empty());
    }
}
