//! The course as data: days with steps, checks, notes and gates. What a lesson may say is closed: every act
//! and every claim is a word of this module, so that a lesson cannot run code.

pub mod act;
pub mod books;
pub mod carried;
pub mod claim;
pub mod contract;
pub mod coverage;
pub mod evidence;
pub mod facts;
pub mod graded;
pub mod item;
pub mod known;
pub mod launch;
pub mod lint;
pub mod manifest;
pub mod matrix;
pub mod mutate;
pub mod outcome;
pub mod progress;
pub mod progress_report;
pub mod reach;
pub mod readme;
pub mod routes;
pub mod rules;
pub mod scene;
pub mod shops;
pub mod standing;
pub mod statement;
pub mod talk;

use crate::domain::course::act::Act;
use crate::domain::course::claim::Claim;
use crate::domain::named::named;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The version of the lesson format that this program reads.
pub const SCHEMA_VERSION: u32 = 1;

/// The languages' codes and the anchors that every prose file has, in their order.
pub const ANCHORS: [&str; 5] = ["goal", "tasks", "look", "pitfalls", "done"];

named! {
    /// How far a check can be automatic.
    pub enum Kind {
        /// Decided by the program alone.
        Auto = "auto",
        /// Decided by the program alone, once a common misstatement is put right.
        AutoCorrected = "auto-corrected",
        /// Decided in part by the program; a person says the rest.
        Partial = "partial",
        /// Said by a person.
        Human = "human",
    }
}

/// What a failure of a check means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The day is not passed without it.
    Required,
    /// A person attests it; it never blocks.
    Attest,
}

named! {
    /// How much a failure weighs.
    #[derive(Default)]
    pub enum Severity {
        /// A matter of style: log lines, forms, what nobody is harmed by.
        Habit = "habit",
        /// It goes well until something else goes wrong.
        Risky = "risky",
        /// Money or security: the only one that fails a check, and holds up what rests on it.
        #[default]
        Wrong = "wrong",
    }
}

named! {
    /// The ways in which an application can stand before the course.
    pub enum Track {
        /// The shop that is built in.
        Shop = "shop",
        /// The learner's server, started and watched by the program.
        Exec = "exec",
        /// The learner's server, known by its address alone.
        App = "app",
    }
}

fn every_track() -> Vec<Track> {
    Track::ALL.to_vec()
}

/// One day: what `lesson.toml` holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// What is said of the day as a whole.
    pub lesson: Head,
    /// What the day does, in order; checks name what they need of it.
    #[serde(default, rename = "do")]
    pub steps: Vec<Step>,
    /// What the look beat shows as one table: each row what became of one course of events.
    #[serde(default, rename = "scenario")]
    pub scenarios: Vec<Scenario>,
    /// What the look beat shows of sessions besides: `objects`, `times`.
    #[serde(default)]
    pub look: Vec<Aspect>,
    /// The checklist.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
    /// The notes, with their probes.
    #[serde(default, rename = "note")]
    pub notes: Vec<Note>,
    /// What is unlocked by which checks.
    #[serde(default, rename = "gate")]
    pub gates: Vec<Gate>,
    /// Where tasks and provider-side steps of the day are dealt with.
    #[serde(default)]
    pub covers: BTreeMap<String, Cover>,
}

/// The head of a day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `day3`.
    pub id: String,
    /// Its place in the course, from 0; what the manifest says.
    #[serde(default)]
    pub order: u8,
    /// The version of the format.
    pub schema_version: u32,
    /// The version of the content; progress is kept under it.
    pub version: u32,
    /// The API version that the lesson was proven with.
    pub api_version: String,
    /// Days that come before; what the manifest says.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Minutes that a person takes; what the manifest says.
    #[serde(default)]
    pub est_minutes: u16,
    /// How many items of each letter it must deal with; what the manifest says.
    #[serde(default)]
    pub items: BTreeMap<char, u8>,
    /// Whether a session may be made in the application's place; what the manifest says.
    #[serde(default)]
    pub stands_in: bool,
    /// Day of the last proof, `2026-11-21`.
    pub verified_on: String,
    /// Pages to read on, under `https://docs.stripe.com/`.
    #[serde(default)]
    pub docs: Vec<String>,
}

/// A course of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name within the day; the title stands in the texts under it.
    pub id: String,
    /// The session that it is about, `$small`.
    pub session: String,
    /// Names of kept answers that belong to it, beside the deliveries of the provider.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Whether the deliveries of the provider belong to it.
    #[serde(default = "yes")]
    pub deliveries: bool,
}

const fn yes() -> bool {
    true
}

/// What of sessions is shown besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Session, PaymentIntent and charge side by side.
    Objects,
    /// Instants in UTC and in local time.
    Times,
}

/// A part of what a day does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name within the day.
    pub id: String,
    /// Steps that must have been done before.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What is done.
    pub act: Vec<Act>,
    /// What does the same by hand.
    #[serde(default)]
    pub by_hand: Vec<String>,
}

/// One item of the checklist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// `D3.7`, or `X1` for a probe beyond the list.
    pub id: String,
    /// `SG3.7`; stays the same for ever.
    pub code: String,
    /// How far it is automatic.
    pub kind: Kind,
    /// What its failure means.
    pub level: Level,
    /// How much its failure weighs, where its cause does not say otherwise.
    #[serde(default)]
    pub severity: Severity,
    /// Which misstatements it puts right.
    #[serde(default)]
    pub corrects: Vec<String>,
    /// The tracks that it can be run on.
    #[serde(default = "every_track")]
    pub tracks: Vec<Track>,
    /// Checks without which it makes no sense.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Steps that must have been done.
    #[serde(default)]
    pub arrange: Vec<String>,
    /// What it does itself.
    #[serde(default)]
    pub act: Vec<Act>,
    /// What must hold afterwards, in order.
    #[serde(default)]
    pub assert: Vec<Claim>,
    /// Diagnoses, the first that fits wins.
    #[serde(default)]
    pub on_fail: Vec<Diagnosis>,
    /// Broken handlers that must fail here.
    #[serde(default)]
    pub kills: Vec<String>,
    /// Pages to read on.
    #[serde(default)]
    pub docs: Vec<String>,
    /// Milliseconds that its acts and claims may take together.
    #[serde(default = "minute")]
    pub timeout_ms: u64,
    /// Questions that a person is asked about what happened.
    #[serde(default)]
    pub quiz: Vec<Question>,
    /// How many of the questions are drawn in a run.
    #[serde(default)]
    pub draw: usize,
    /// The event that the questions are about; answers refer to it as `$asked`.
    pub about: Option<String>,
}

/// A question with one right answer, which the run itself brought about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name; the words stand in the texts under it.
    pub id: String,
    /// The right answer; may refer to something kept.
    pub answer: String,
}

const fn minute() -> u64 {
    60_000
}

/// A cause that a failure can have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// What must hold for it to be the cause.
    pub when: Claim,
    /// `SG3.7-NOVERIFY`; its reason stands in the texts under this code.
    pub code: String,
    /// How much it weighs; without it, what the check weighs.
    pub severity: Option<Severity>,
    /// The one command to type next; without it, the hint of the check.
    pub next: Option<String>,
}

/// A note: a warning with a probe of its own, or with the checks that stand for it, or advice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// `N3.3`.
    pub id: String,
    /// Checks that stand for it.
    #[serde(default)]
    pub by: Vec<String>,
    /// The tracks that its probe can be run on.
    #[serde(default = "every_track")]
    pub tracks: Vec<Track>,
    /// Steps that must have been done.
    #[serde(default)]
    pub arrange: Vec<String>,
    /// What its probe does.
    #[serde(default)]
    pub act: Vec<Act>,
    /// What its probe expects.
    #[serde(default)]
    pub assert: Vec<Claim>,
    /// Whether it is only advice.
    #[serde(default)]
    pub advice: bool,
}

/// What stands open once its items are passed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// `G3.1`.
    pub id: String,
    /// Checks and notes, or `required` for every required check of the day.
    pub needs: Vec<String>,
    /// Whether a person also has to say something; that never blocks.
    #[serde(default)]
    pub attest: bool,
    /// A check whose questions must have been answered; until then it stays partial.
    pub quiz: Option<String>,
    /// What must hold besides.
    #[serde(default)]
    pub assert: Vec<Claim>,
}

/// Where a task is dealt with: items by id, or a reason why nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Cover {
    /// The items.
    By(Vec<String>),
    /// The reason.
    Why(String),
}

impl Day {
    /// The check of an id or a code.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == name || check.code == name)
    }

    /// The step of a name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == name)
    }
}
