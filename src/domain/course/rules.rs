//! What a lesson must keep to. Every problem names its file and its key.

use crate::domain::course::act::Act;
use crate::domain::course::claim::Claim;
use crate::domain::course::{Check, Cover, Day, Kind, Level, SCHEMA_VERSION, Track, coverage};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path};

/// Something that is wrong with a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonError {
    /// `day3/lesson.toml`.
    pub file: String,
    /// `check D3.7 on_fail 2`.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

impl LessonError {
    /// A problem of a key in a file.
    pub fn new(file: &str, key: &str, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), key: key.to_owned(), what: what.into() }
    }
}

impl fmt::Display for LessonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.key, self.what)
    }
}

/// Everything that is wrong with a day by itself.
pub fn problems(day: &Day, file: &str) -> Vec<LessonError> {
    let mut found = Judge { file, problems: coverage::problems(day, file) };
    found.head(day);
    found.names(day);
    found.references(day);
    for check in &day.checks {
        found.check(check);
    }
    let claims = day.checks.iter().map(|it| (&it.id, &it.assert));
    let claims = claims.chain(day.notes.iter().map(|it| (&it.id, &it.assert)));
    let claims = claims.chain(day.gates.iter().map(|it| (&it.id, &it.assert)));
    for (id, claim) in claims.flat_map(|(id, all)| all.iter().map(move |it| (id, it))) {
        for path in claim.files().into_iter().filter(|path| !stays(path)) {
            found.say(id, &format!("reads `{path}`, which is outside of the project"));
        }
    }
    let blind = |tracks: &[Track], claims: &[Claim]| {
        let log = claims.iter().all(Claim::needs_log);
        log && !claims.is_empty() && tracks.contains(&Track::App)
    };
    let items = day.checks.iter().map(|it| (&it.id, &it.tracks, &it.assert));
    let items = items.chain(day.notes.iter().map(|it| (&it.id, &it.tracks, &it.assert)));
    for (id, _, _) in items.filter(|(_, tracks, claims)| blind(tracks, claims)) {
        found.say(id, "claims only what a log says, which the track `app` cannot see");
    }
    for gate in &day.gates {
        let asks = |id: &String| day.check(id).is_some_and(|check| !check.quiz.is_empty());
        if gate.quiz.as_ref().is_some_and(|id| !asks(id)) {
            found.say(&gate.id, "rests on questions of a check that asks none");
        }
    }
    for note in &day.notes {
        let ways = [!note.by.is_empty(), !note.assert.is_empty(), note.advice];
        if ways.iter().filter(|way| **way).count() != 1 {
            found.say(&note.id, "must have exactly one of `by`, `assert`, `advice`");
        }
    }
    found.problems
}

struct Judge<'f> {
    file: &'f str,
    problems: Vec<LessonError>,
}

impl Judge<'_> {
    fn say(&mut self, key: &str, what: &str) {
        self.problems.push(LessonError::new(self.file, key, what));
    }

    fn head(&mut self, day: &Day) {
        let head = &day.lesson;
        if self.file.split_once('/').is_some_and(|(folder, _)| head.id != folder) {
            self.say("lesson.id", "is not the name of its folder");
        }
        if head.schema_version != SCHEMA_VERSION {
            self.say("lesson.schema_version", "is not the version that this program reads");
        }
        if head.version == 0 {
            self.say("lesson.version", "begins with 1");
        }
        let dated = head.verified_on.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if !dated || head.verified_on.len() != 10 {
            self.say("lesson.verified_on", "is no date, 2026-11-21");
        }
        if head.docs.is_empty() {
            self.say("lesson.docs", "names no page that it was verified with");
        }
        if head.docs.iter().any(|url| !url.starts_with("https://docs.stripe.com/")) {
            self.say("lesson.docs", "must lead to https://docs.stripe.com/");
        }
    }

    fn names(&mut self, day: &Day) {
        let checks = day.checks.iter().flat_map(|check| [&check.id, &check.code]);
        let others = day.steps.iter().map(|it| &it.id).chain(day.notes.iter().map(|it| &it.id));
        let all = checks.chain(others).chain(day.gates.iter().map(|it| &it.id));
        for name in all.filter(|name| !is_plain(name)) {
            self.say(name, "is no name: letters, digits, `.`, `-` and `_`");
        }
        let mut seen = BTreeSet::new();
        for name in day.checks.iter().flat_map(|check| [&check.id, &check.code]) {
            if !seen.insert(name.as_str()) {
                self.say(name, "stands twice");
            }
        }
        let mut seen = BTreeSet::new();
        for step in &day.steps {
            if !seen.insert(step.id.as_str()) {
                self.say(&format!("do {}", step.id), "stands twice");
            }
        }
    }

    fn references(&mut self, day: &Day) {
        let steps: BTreeSet<&str> = day.steps.iter().map(|step| step.id.as_str()).collect();
        let items: BTreeSet<&str> = day
            .checks
            .iter()
            .map(|check| check.id.as_str())
            .chain(day.notes.iter().map(|note| note.id.as_str()))
            .collect();
        for step in &day.steps {
            self.known(&format!("do {} needs", step.id), &step.needs, &steps);
        }
        for check in &day.checks {
            self.known(&format!("{} arrange", check.id), &check.arrange, &steps);
            // What it rests on may have been found on an earlier day of the same run.
            let earlier = |id: &&String| (0..day.lesson.order).any(|order| is_of(id, order));
            let own = |id: &&String| id.starts_with('X') || !earlier(id);
            let own: Vec<String> = check.needs.iter().filter(own).cloned().collect();
            self.known(&format!("{} needs", check.id), &own, &items);
        }
        for note in &day.notes {
            self.known(&format!("{} arrange", note.id), &note.arrange, &steps);
            let own: Vec<String> =
                note.by.iter().filter(|id| is_of(id, day.lesson.order)).cloned().collect();
            self.known(&format!("{} by", note.id), &own, &items);
        }
        for gate in &day.gates {
            let own: Vec<String> =
                gate.needs.iter().filter(|id| *id != "required").cloned().collect();
            self.known(&format!("{} needs", gate.id), &own, &items);
            if gate.needs.is_empty() {
                self.say(&gate.id, "needs nothing");
            }
        }
        for (id, cover) in &day.covers {
            if let Cover::By(by) = cover {
                let own: Vec<String> =
                    by.iter().filter(|id| is_of(id, day.lesson.order)).cloned().collect();
                self.known(&format!("covers.{id}"), &own, &items);
            }
        }
    }

    fn known(&mut self, key: &str, names: &[String], known: &BTreeSet<&str>) {
        for name in names.iter().filter(|name| !known.contains(name.as_str())) {
            self.say(key, &format!("names `{name}`, which this day does not have"));
        }
    }

    fn check(&mut self, check: &Check) {
        if check.code != format!("SG{}", check.id.trim_start_matches('D')) {
            self.say(&check.id, "has a code that is not `SG` and its number");
        }
        let spoken = matches!(check.kind, Kind::Human);
        if spoken != check.assert.is_empty() {
            self.say(&check.id, "must claim something, unless a person says it all");
        }
        if spoken && check.level == Level::Required {
            self.say(&check.id, "cannot be required and said by a person");
        }
        if check.kind == Kind::AutoCorrected && check.corrects.is_empty() {
            self.say(&check.id, "is auto-corrected and does not say what it corrects");
        }
        if check.timeout_ms == 0 {
            self.say(&check.id, "has no time at all");
        }
        for (at, diagnosis) in check.on_fail.iter().enumerate() {
            if !diagnosis.code.starts_with(&format!("{}-", check.code)) {
                let key = format!("{} on_fail {}", check.id, at + 1);
                self.say(
                    &key,
                    &format!("has the code `{}`, not `{}-…`", diagnosis.code, check.code),
                );
            }
        }
        let kept: Vec<&str> =
            check.act.iter().filter_map(|act: &Act| act.save.as_deref()).collect();
        if kept.iter().any(|name| {
            !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
        }) {
            self.say(&check.id, "keeps something under a name that is not a-z, 0-9 and _");
        }
    }
}

/// Whether a name can be that of a file, wherever it is put.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && !name.contains("..") && name.chars().all(plain)
}

/// Whether a path leads nowhere but into the folder that it is taken from.
fn stays(path: &str) -> bool {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(path).components().all(inside)
}

/// Whether an item belongs to the day of this order: `D3.1` to day 3. `X` probes belong to the day that has them.
fn is_of(id: &str, order: u8) -> bool {
    let day = id.trim_start_matches(|c: char| c.is_ascii_uppercase()).split('.').next();
    id.starts_with('X') || day.and_then(|text| text.parse::<u8>().ok()) == Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn day(change: impl FnOnce(&mut Value)) -> Day {
        let mut checks = Vec::new();
        for n in 1..=4 {
            checks
                .push(json!({"id": format!("D2.{n}"), "code": format!("SG2.{n}"), "kind": "auto",
                "level": "required", "assert": [{"alive": {}}]}));
        }
        let items = |letter: char, count: u8| (1..=count).map(move |n| format!("{letter}2.{n}"));
        let notes: Vec<Value> = items('N', 4).map(|id| json!({"id": id, "advice": true})).collect();
        let gates: Vec<Value> =
            items('G', 4).map(|id| json!({"id": id, "needs": ["required"]})).collect();
        let covers: serde_json::Map<String, Value> =
            items('T', 7).chain(items('S', 2)).map(|id| (id, json!(["D2.1"]))).collect();
        let mut day = json!({
            "lesson": {"id": "day2", "order": 2, "schema_version": 1, "version": 1,
                "api_version": "2026-10-28.endive", "est_minutes": 5, "verified_on": "2026-11-21",
                "items": {"D": 4, "G": 4, "N": 4, "T": 7, "S": 2},
                "docs": ["https://docs.stripe.com/api/events"]},
            "do": [{"id": "paid", "act": [{"mark": {}, "save": "before"}]}],
            "check": checks, "note": notes, "gate": gates, "covers": covers,
        });
        change(&mut day);
        serde_json::from_value(day).unwrap()
    }

    fn keys(change: impl FnOnce(&mut Value)) -> Vec<String> {
        problems(&day(change), "f").into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn a_day_that_keeps_to_the_format_has_no_problem() {
        assert_eq!(keys(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn each_break_of_the_format_is_named_by_its_key() {
        type Change = fn(&mut Value);
        let breaks: [(Change, &str); 17] = [
            (|day| day["check"][0]["timeout_ms"] = json!(0), "D2.1"),
            (|day| day["gate"][0]["quiz"] = json!("D2.1"), "G2.1"),
            (|day| day["lesson"]["version"] = json!(0), "lesson.version"),
            (|day| day["lesson"]["schema_version"] = json!(2), "lesson.schema_version"),
            (|day| day["lesson"]["docs"] = json!(["https://example.com/"]), "lesson.docs"),
            (|day| day["check"][0]["code"] = json!("SG9.9"), "D2.1"),
            (|day| day["check"][0]["arrange"] = json!(["nothing"]), "D2.1 arrange"),
            (|day| day["check"][0]["assert"] = json!([]), "D2.1"),
            (|day| day["check"][0]["kind"] = json!("auto-corrected"), "D2.1"),
            (
                |day| day["check"][0]["on_fail"] = json!([{"when": {"alive": {}}, "code": "X"}]),
                "D2.1 on_fail 1",
            ),
            (|day| day["note"][0]["by"] = json!(["D2.1"]), "N2.1"),
            (|day| day["gate"][0]["needs"] = json!(["D9.9"]), "G2.1 needs"),
            (|day| day["covers"]["T2.1"] = json!(""), "covers.T2.1"),
            (|day| day["do"][0]["id"] = json!("../paid"), "../paid"),
            (
                |day| day["note"][0] = json!({"id": "N2.1", "assert": [{"mentions": {"file": "a | /etc/hosts", "all": {}}}]}),
                "N2.1",
            ),
            (
                |day| {
                    day["check"][0]["assert"] =
                        json!([{"not": {"files": {"exist": ["a/../../b"]}}}]);
                },
                "D2.1",
            ),
            (|day| day["gate"][0]["assert"] = json!([{"files": {"own": ["a.md|~/../b"]}}]), "G2.1"),
        ];
        for (change, key) in breaks {
            assert_eq!(keys(change), [key]);
        }
        let lacking = keys(|day| drop(day["covers"].as_object_mut().unwrap().remove("S2.2")));
        assert_eq!(lacking, ["S2.2"]);
        let foreign = keys(|day| day["covers"]["T9.1"] = json!("why"));
        assert_eq!(foreign, ["T9.1"]);
    }
}
