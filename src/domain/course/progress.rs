//! What a learner has reached, as a document that can be carried to another machine and merged there. Pure.

use crate::domain::course::Track;
use crate::domain::course::outcome::State;
use crate::domain::course::talk::Gone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The word that an exported file begins with.
pub const FORMAT: &str = "stripegym-progress";
/// The version of that file.
pub const VERSION: u32 = 1;

/// Where one check of one lesson version stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// `D3.7`.
    pub id: String,
    /// The lesson's version.
    pub version: u32,
    /// When it was last run, in Unix seconds.
    pub updated: i64,
    /// What its last run came to.
    pub state: State,
    /// How often it was run.
    pub attempts: u32,
    /// When it was passed first.
    pub passed: Option<i64>,
}

/// One run of one check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When, in Unix seconds.
    pub at: i64,
    /// `D3.7`.
    pub id: String,
    /// The lesson's version.
    pub version: u32,
    /// What it came to.
    pub state: State,
    /// The code of its failure, where it failed.
    pub code: Option<String>,
    /// Which application was graded: `shop`, `exec`, `app`.
    pub track: String,
    /// The API version of the lesson.
    pub api_version: String,
    /// What it rests on, in its one form (see `domain::canonical`).
    pub evidence: String,
    /// The hash of what its claims came to.
    pub findings: String,
}

/// A check that a person attested.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// `D2.4`.
    pub id: String,
    /// When, in Unix seconds.
    pub at: i64,
}

/// How many hints of a check were shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintSeen {
    /// `SG3.7`.
    pub code: String,
    /// The last one, from 1.
    pub tier: u8,
    /// When, in Unix seconds.
    pub at: i64,
}

/// A solution that was shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolutionSeen {
    /// `day3`.
    pub day: String,
    /// When first, in Unix seconds.
    pub at: i64,
    /// Whether the day was not passed then.
    pub gave_up: bool,
}

/// How far a step of a lesson was gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepGone {
    /// `day3`.
    pub day: String,
    /// Its name within the day.
    pub step: String,
    /// Shown, or done by hand.
    pub gone: Gone,
    /// When, in Unix seconds.
    pub at: i64,
}

/// Everything that the progress file holds, each list in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// By id and version.
    pub checks: Vec<Mark>,
    /// By id.
    pub attested: Vec<Word>,
    /// By code.
    pub hints: Vec<HintSeen>,
    /// By day.
    pub solutions: Vec<SolutionSeen>,
    /// By day and name. Files of before have none.
    #[serde(default)]
    pub steps: Vec<StepGone>,
    /// By time, then by everything else.
    pub attempts: Vec<Attempt>,
}

/// A snapshot as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// What it holds.
    pub progress: Snapshot,
}

impl Snapshot {
    /// Whether the last run of a check on a server of the learner's own held, under a version of its lesson.
    pub fn is_proved(&self, check: &str, version: u32) -> bool {
        let own = self
            .attempts
            .iter()
            .filter(|it| it.id == check && it.version == version && it.track != Track::Shop.name());
        own.max_by_key(|it| it.at).is_some_and(|it| it.state.is_well())
    }

    /// How many steps of a day were shown, and how many done by hand.
    pub fn gone(&self, day: &str) -> (usize, usize) {
        let of = |wanted: Gone| {
            self.steps.iter().filter(|it| it.day == day && it.gone == wanted).count()
        };
        (of(Gone::Shown), of(Gone::Done))
    }

    /// Both together. Of one check and lesson version the newer run decides; nothing that was reached is lost.
    /// Merging twice, or in another order, comes to the same.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let attempts: BTreeSet<&Attempt> = self.attempts.iter().chain(&other.attempts).collect();
        Self {
            checks: merged(&self.checks, &other.checks, |it| (it.id.clone(), it.version), newer),
            attested: merged(
                &self.attested,
                &other.attested,
                |it| it.id.clone(),
                |a, b| Word { at: a.at.min(b.at), ..a.clone() },
            ),
            hints: merged(
                &self.hints,
                &other.hints,
                |it| it.code.clone(),
                |a, b| HintSeen { tier: a.tier.max(b.tier), at: a.at.max(b.at), ..a.clone() },
            ),
            solutions: merged(
                &self.solutions,
                &other.solutions,
                |it| it.day.clone(),
                |a, b| {
                    let (at, gave_up) = (a.at.min(b.at), a.gave_up || b.gave_up);
                    SolutionSeen { at, gave_up, ..a.clone() }
                },
            ),
            steps: merged(
                &self.steps,
                &other.steps,
                |it| (it.day.clone(), it.step.clone()),
                |a, b| {
                    if (a.gone, a.at) >= (b.gone, b.at) { a.clone() } else { b.clone() }
                },
            ),
            attempts: attempts.into_iter().cloned().collect(),
        }
    }
}

/// Both lists by their keys; what stands in both, or twice, is joined.
fn merged<T: Clone, K: Ord>(
    ours: &[T],
    theirs: &[T],
    key: impl Fn(&T) -> K,
    join: impl Fn(&T, &T) -> T,
) -> Vec<T> {
    let mut all: BTreeMap<K, T> = BTreeMap::new();
    for it in ours.iter().chain(theirs) {
        let joined = all.get(&key(it)).map_or_else(|| it.clone(), |had| join(had, it));
        all.insert(key(it), joined);
    }
    all.into_values().collect()
}

/// Of two marks of one check the newer, with the earlier pass and the higher count.
fn newer(a: &Mark, b: &Mark) -> Mark {
    let newest = if (a.updated, a.state) >= (b.updated, b.state) { a } else { b };
    let passed = [a.passed, b.passed].into_iter().flatten().min();
    Mark { attempts: a.attempts.max(b.attempts), passed, ..newest.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state() -> impl Strategy<Value = State> {
        prop_oneof![Just(State::Pass), Just(State::Fail), Just(State::Partial)]
    }

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        let mark = ("D[0-2]", 1..3_u32, 0..5_i64, state(), 0..4_u32, prop::option::of(0..5_i64))
            .prop_map(|(id, version, updated, state, attempts, passed)| Mark {
                id,
                version,
                updated,
                state,
                attempts,
                passed,
            });
        let attempt = (0..5_i64, "D[0-2]", state()).prop_map(|(at, id, state)| Attempt {
            at,
            id,
            version: 1,
            state,
            code: None,
            track: "shop".to_owned(),
            api_version: String::new(),
            evidence: String::new(),
            findings: String::new(),
        });
        let word = ("D[0-2]", 0..5_i64).prop_map(|(id, at)| Word { id, at });
        let hint =
            ("S[0-2]", 1..4_u8, 0..5_i64).prop_map(|(code, tier, at)| HintSeen { code, tier, at });
        let seen = ("day[0-2]", 0..5_i64, any::<bool>())
            .prop_map(|(day, at, gave_up)| SolutionSeen { day, at, gave_up });
        let few = 0..4;
        (
            prop::collection::vec(mark, few.clone()),
            prop::collection::vec(word, few.clone()),
            prop::collection::vec(hint, few.clone()),
            prop::collection::vec(seen, few.clone()),
            prop::collection::vec(attempt, few),
        )
            .prop_map(|(checks, attested, hints, solutions, attempts)| Snapshot {
                checks,
                attested,
                hints,
                solutions,
                steps: Vec::new(),
                attempts,
            })
    }

    proptest! {
        #[test]
        fn merging_knows_no_order_and_no_repetition(a in snapshot(), b in snapshot(), c in snapshot()) {
            prop_assert_eq!(a.merge(&b), b.merge(&a));
            let ab = a.merge(&b);
            prop_assert_eq!(&ab.merge(&b), &ab);
            prop_assert_eq!(&ab.merge(&ab), &ab);
            prop_assert_eq!(ab.merge(&c), a.merge(&b.merge(&c)));
        }

        #[test]
        fn nothing_that_was_reached_is_lost(a in snapshot(), b in snapshot()) {
            let both = a.merge(&b);
            for mark in a.checks.iter().filter(|mark| mark.passed.is_some()) {
                prop_assert!(both.checks.iter().any(|it| it.id == mark.id && it.passed <= mark.passed));
            }
            prop_assert!(a.attempts.iter().all(|it| both.attempts.contains(it)));
        }
    }
}
