//! A report: what a learner has reached, row by row, each row sealed with those before it. Pure.
//!
//! A seal shows that a row was changed afterwards. It cannot show that all of it was made anew: who recomputes
//! every hash has a report that holds. Only the progress file, or somebody who kept the final seal, knows better.

use crate::domain::canonical;
use crate::domain::course::evidence::Evidence;
use crate::domain::course::outcome::State;
use crate::domain::course::progress::{Attempt, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The word that a report's data begin with.
pub const FORMAT: &str = "stripegym-report";
/// The version of those data.
pub const VERSION: u32 = 1;

/// What holds for the whole report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of the program that made it.
    pub program: String,
    /// The API version of the lessons.
    pub api_version: String,
    /// The code of its language.
    pub language: String,
}

/// A day of the course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayLine {
    /// `day3`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When its solution was shown, and whether the day was not passed then.
    pub solution: Option<Shown>,
    /// Steps that were shown, steps that were done by hand, and checks that hold on an own server. Reports of before
    /// do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<[usize; 3]>,
}

/// A solution that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// When, in RFC 3339.
    pub at: String,
    /// Whether the day was not passed then.
    pub gave_up: bool,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// `D3.7`.
    pub id: String,
    /// `day3`.
    pub day: String,
    /// Its title.
    pub title: String,
    /// Whether the day is not passed without it.
    pub required: bool,
    /// The lesson's version.
    pub lesson_version: u32,
    /// Where it stands; `None` where it was never run.
    pub state: Option<State>,
    /// Which application was graded last.
    pub track: Option<String>,
    /// When it was passed first, in RFC 3339.
    pub first_passed: Option<String>,
    /// When a person attested it, in RFC 3339.
    pub attested: Option<String>,
    /// How often it was run.
    pub attempts: u32,
    /// How often it failed, as far as runs were kept.
    pub failed: u32,
    /// How many of its hints were shown.
    pub hints: u8,
    /// What its last good run rests on, or its last run where none was good.
    pub evidence: Evidence,
    /// The hash of that evidence.
    pub evidence_sha256: String,
    /// The hash of what its claims came to in that run; empty where that was not kept.
    pub findings_sha256: String,
    /// The seal: the hash of the row before's seal and of all of the above.
    pub seal: String,
}

/// A report's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressReport {
    /// What holds for all of it.
    pub head: Head,
    /// The days.
    pub days: Vec<DayLine>,
    /// The checks of all days, in order.
    pub rows: Vec<Row>,
    /// The last row's seal, for whoever keeps only one.
    pub seal: String,
    /// The check by which a person says that the demonstration was given; no part of the report.
    #[serde(skip)]
    pub demo: Option<String>,
}

/// What a report is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Everything, with its data.
    #[default]
    Full,
    /// A demonstration of three minutes, with a line to sign.
    Demo,
    /// One page to show around.
    Share,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Markdown.
    #[default]
    Markdown,
    /// One HTML file that needs nothing else.
    Html,
    /// The data alone.
    Json,
}

/// What is wrong with a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot be read.
    Unreadable(String),
    /// A row was changed, or one before it was added, moved or taken away.
    Row(String),
    /// The evidence of a row was changed.
    Evidence(String),
    /// The final seal is not that of the last row.
    Seal,
    /// The text for people does not say what the data say, from this line on.
    Text(usize),
    /// The progress file knows nothing of what a row says was reached.
    Unknown(String),
    /// The progress file says something else about a row.
    Differs(String),
}

impl Flaw {
    /// A stable name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::Row(_) => "row",
            Self::Evidence(_) => "evidence",
            Self::Seal => "seal",
            Self::Text(_) => "text",
            Self::Unknown(_) => "unknown",
            Self::Differs(_) => "differs",
        }
    }
}

/// Whether a report holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The file.
    pub file: String,
    /// How many rows it has.
    pub rows: usize,
    /// Its final seal as it was computed.
    pub seal: String,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// The progress file that it was held against.
    pub against: Option<String>,
    /// The version of the program that wrote its text, where that is another one and the text was not compared.
    pub other: Option<String>,
}

impl Row {
    /// The hash of the row after another seal.
    fn sealed(&self, before: &str) -> String {
        let mut value = json!(self);
        if let Some(map) = value.as_object_mut() {
            map.remove("seal");
        }
        canonical::sha256(&format!("{before}\n{}", canonical::write(&value)))
    }
}

impl ProgressReport {
    /// Seals rows in their order.
    pub fn seal(head: Head, days: Vec<DayLine>, rows: Vec<Row>) -> Self {
        let mut before = first(&head, &days);
        let mut sealed = Vec::with_capacity(rows.len());
        for mut row in rows {
            row.evidence_sha256 = canonical::hash(&row.evidence.json());
            before = row.sealed(&before);
            row.seal.clone_from(&before);
            sealed.push(row);
        }
        Self { head, days, rows: sealed, seal: before, demo: None }
    }

    /// Computes every hash again, and names what does not fit.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut before = first(&self.head, &self.days);
        for row in &self.rows {
            if row.evidence_sha256 != canonical::hash(&row.evidence.json()) {
                flaws.push(Flaw::Evidence(row.id.clone()));
            }
            if row.seal != row.sealed(&before) {
                flaws.push(Flaw::Row(row.id.clone()));
            }
            // Going on from what stands there, one change is named once and not for every row after it.
            before.clone_from(&row.seal);
        }
        if self.seal != before {
            flaws.push(Flaw::Seal);
        }
        flaws
    }

    /// Holds what was reached against a progress file, which may have moved on since.
    pub fn against(&self, progress: &Snapshot) -> Vec<Flaw> {
        let flaw = |row: &Row| {
            row.state?;
            let of = |id: &str, version: u32| id == row.id && version == row.lesson_version;
            let mark = progress.checks.iter().find(|it| of(&it.id, it.version));
            let Some(mark) = mark else { return Some(Flaw::Unknown(row.id.clone())) };
            let passed = mark.passed.map(rfc3339);
            let kept = |it: &Attempt| {
                of(&it.id, it.version)
                    && it.findings == row.findings_sha256
                    && canonical::sha256(&it.evidence) == row.evidence_sha256
            };
            let same = passed == row.first_passed
                && mark.attempts >= row.attempts
                && (row.findings_sha256.is_empty() || progress.attempts.iter().any(kept));
            (!same).then(|| Flaw::Differs(row.id.clone()))
        };
        self.rows.iter().filter_map(flaw).collect()
    }

    /// As a file: a row a line.
    pub fn write(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| canonical::write(&json!(row))).collect();
        format!(
            "{{\n\"head\": {},\n\"days\": {},\n\"rows\": [\n{}\n],\n\"seal\": \"{}\"\n}}\n",
            canonical::write(&json!(self.head)),
            canonical::write(&json!(self.days)),
            rows.join(",\n"),
            self.seal,
        )
    }

    /// Reads such a file.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let head = |name: &str| value.pointer(&format!("/head/{name}"));
        if head("format") != Some(&json!(FORMAT)) {
            return Err(format!("\"format\": \"{FORMAT}\" –"));
        }
        if head("version") != Some(&json!(VERSION)) {
            return Err(format!("\"version\" ≠ {VERSION}"));
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// How many required checks are passed, and how many there are.
    pub fn passed(&self, day: Option<&str>) -> (usize, usize) {
        let of = |row: &&Row| row.required && day.is_none_or(|day| row.day == day);
        let required = self.rows.iter().filter(of);
        let passed = required.clone().filter(|row| row.state.is_some_and(State::is_well));
        (passed.count(), required.count())
    }
}

/// The seal before the first row.
fn first(head: &Head, days: &[DayLine]) -> String {
    canonical::hash(&json!([head, days]))
}

/// Unix seconds as RFC 3339.
pub fn rfc3339(at: i64) -> String {
    crate::domain::time::Timestamp(at).rfc3339()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::progress::Mark;
    use proptest::prelude::*;

    fn row(id: &str, attempts: u32) -> Row {
        Row {
            id: id.to_owned(),
            day: "day1".to_owned(),
            title: format!("\"{id}\" < é"),
            required: true,
            lesson_version: 1,
            state: Some(State::Pass),
            track: Some("shop".to_owned()),
            first_passed: Some(rfc3339(7)),
            attested: None,
            attempts,
            failed: 0,
            hints: 0,
            evidence: Evidence { sessions: vec![format!("cs_{id}")], ..Evidence::default() },
            evidence_sha256: String::new(),
            findings_sha256: "f".to_owned(),
            seal: String::new(),
        }
    }

    fn report(attempts: &[u32]) -> ProgressReport {
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: "0".to_owned(),
            api_version: "x".to_owned(),
            language: "en".to_owned(),
        };
        let rows = attempts.iter().enumerate().map(|(at, n)| row(&format!("D1.{at}"), *n));
        ProgressReport::seal(head, Vec::new(), rows.collect())
    }

    fn snapshot(of: &ProgressReport) -> Snapshot {
        let mark = |row: &Row| Mark {
            id: row.id.clone(),
            version: 1,
            updated: 9,
            state: State::Pass,
            attempts: row.attempts,
            passed: Some(7),
        };
        let attempt = |row: &Row| Attempt {
            at: 7,
            id: row.id.clone(),
            version: 1,
            state: State::Pass,
            code: None,
            track: "shop".to_owned(),
            api_version: String::new(),
            evidence: canonical::write(&row.evidence.json()),
            findings: row.findings_sha256.clone(),
        };
        Snapshot {
            checks: of.rows.iter().map(mark).collect(),
            attempts: of.rows.iter().map(attempt).collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_row_that_was_changed_is_the_one_that_is_named() {
        let whole = report(&[1, 2, 3]);
        assert!(whole.flaws().is_empty());
        let mut changed = whole.clone();
        changed.rows[1].attempts = 1;
        assert_eq!(changed.flaws(), [Flaw::Row("D1.1".to_owned())]);
        let mut changed = whole.clone();
        changed.rows[2].evidence.sessions.clear();
        let third = "D1.2".to_owned();
        assert_eq!(changed.flaws(), [Flaw::Evidence(third.clone()), Flaw::Row(third.clone())]);
        let mut changed = whole.clone();
        changed.rows.remove(1);
        assert_eq!(changed.flaws(), [Flaw::Row(third)]);
        let mut changed = whole.clone();
        changed.head.program = "1".to_owned();
        assert_eq!(changed.flaws(), [Flaw::Row("D1.0".to_owned())]);
        let mut changed = whole;
        changed.rows.pop();
        assert_eq!(changed.flaws(), [Flaw::Seal]);
    }

    #[test]
    fn who_recomputes_everything_is_caught_by_the_progress_file_alone() {
        let mine = report(&[1, 2]);
        let progress = snapshot(&mine);
        assert!(mine.against(&progress).is_empty());
        let mut forged = mine.clone();
        forged.rows[0].first_passed = Some(rfc3339(1));
        forged.rows[1].evidence.sessions = vec!["cs_other".to_owned()];
        let forged = ProgressReport::seal(forged.head, forged.days, forged.rows);
        assert!(forged.flaws().is_empty());
        let names = ["D1.0", "D1.1"].map(|id| Flaw::Differs(id.to_owned()));
        assert_eq!(forged.against(&progress), names);
        let unknown = Flaw::Unknown("D1.0".to_owned());
        assert_eq!(forged.against(&Snapshot::default())[0], unknown);
        let mut later = progress;
        later.checks[0].attempts += 5;
        assert!(mine.against(&later).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_any_changed_byte_is_noticed(
            attempts in prop::collection::vec(0..5_u32, 1..4),
            at in any::<prop::sample::Index>(),
            with in prop::char::range('0', 'z'),
        ) {
            let whole = report(&attempts);
            let text = whole.write();
            prop_assert_eq!(&ProgressReport::read(&text).unwrap(), &whole);
            let mut letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len());
            letters[at] = with;
            let changed: String = letters.into_iter().collect();
            let noticed = ProgressReport::read(&changed).map_or(true, |it| it == whole || !it.flaws().is_empty());
            prop_assert!(noticed, "{}", changed);
        }
    }
}
