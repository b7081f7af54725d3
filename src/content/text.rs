//! What is said about a day in one language: `ja.toml`, `en.toml`.

use crate::domain::course::Day;
use crate::domain::course::claim::Claim;
use crate::domain::course::rules::LessonError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The texts of a day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// The day's title.
    pub title: String,
    /// What is reached at its end, in one sentence.
    pub goal: String,
    /// What each step does, by its name.
    #[serde(default, rename = "do")]
    pub steps: BTreeMap<String, String>,
    /// The titles of the scenarios, by id.
    #[serde(default, rename = "scenario")]
    pub scenarios: BTreeMap<String, String>,
    /// The checklist, by id.
    #[serde(default, rename = "check")]
    pub checks: BTreeMap<String, CheckText>,
    /// The notes, by id.
    #[serde(default, rename = "note")]
    pub notes: BTreeMap<String, String>,
    /// The gates, by id.
    #[serde(default, rename = "gate")]
    pub gates: BTreeMap<String, String>,
}

/// The texts of a check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckText {
    /// What holds when it is passed.
    pub title: String,
    /// What is done to find out.
    pub checked: String,
    /// Why it matters; said where no diagnosis fits.
    pub why: String,
    /// Three hints, each telling more than the one before.
    pub hints: Vec<String>,
    /// The reasons of the diagnoses, by code.
    #[serde(default)]
    pub causes: BTreeMap<String, String>,
    /// The words of the questions, by id.
    #[serde(default)]
    pub quiz: BTreeMap<String, String>,
    /// What to say where a question was answered wrongly, by id.
    #[serde(default)]
    pub wrong: BTreeMap<String, String>,
    /// What is shown once the questions were answered.
    #[serde(default)]
    pub table: String,
    /// Why each topic matters that the check asks for, by the topic's name.
    #[serde(default)]
    pub topics: BTreeMap<String, String>,
}

/// What is wrong with the texts of a day.
pub fn problems(texts: &Texts, day: &Day, file: &str) -> Vec<LessonError> {
    let mut found = Vec::new();
    same(&mut found, file, "do", &texts.steps, day.steps.iter().map(|it| it.id.as_str()));
    let scenarios = day.scenarios.iter().map(|it| it.id.as_str());
    same(&mut found, file, "scenario", &texts.scenarios, scenarios);
    same(&mut found, file, "check", &texts.checks, day.checks.iter().map(|it| it.id.as_str()));
    same(&mut found, file, "note", &texts.notes, day.notes.iter().map(|it| it.id.as_str()));
    same(&mut found, file, "gate", &texts.gates, day.gates.iter().map(|it| it.id.as_str()));
    for check in &day.checks {
        let Some(text) = texts.checks.get(&check.id) else { continue };
        let key = format!("check.{}", check.id);
        if text.hints.len() != 3 {
            let what = format!("has {} hints, not three", text.hints.len());
            found.push(LessonError::new(file, &key, what));
        }
        let quiz = format!("{}-QUIZ", check.code);
        let codes = check.on_fail.iter().map(|diagnosis| diagnosis.code.as_str());
        let codes = codes.chain((!check.quiz.is_empty()).then_some(quiz.as_str()));
        same(&mut found, file, &format!("{key}.causes"), &text.causes, codes);
        for (name, texts) in [("quiz", &text.quiz), ("wrong", &text.wrong)] {
            let ids = check.quiz.iter().map(|question| question.id.as_str());
            same(&mut found, file, &format!("{key}.{name}"), texts, ids);
        }
        let topics = check.assert.iter().flat_map(Claim::topics);
        same(&mut found, file, &format!("{key}.topics"), &text.topics, topics);
        let all = [&text.title, &text.checked, &text.why];
        if all.into_iter().chain(&text.hints).any(|text| text.trim().is_empty()) {
            found.push(LessonError::new(file, &key, "has an empty text"));
        }
    }
    found
}

fn same<'d, T>(
    found: &mut Vec<LessonError>,
    file: &str,
    key: &str,
    texts: &BTreeMap<String, T>,
    wanted: impl Iterator<Item = &'d str>,
) {
    let wanted: BTreeSet<&str> = wanted.collect();
    let have: BTreeSet<&str> = texts.keys().map(String::as_str).collect();
    for id in wanted.difference(&have) {
        found.push(LessonError::new(file, &format!("{key}.{id}"), "is lacking"));
    }
    for id in have.difference(&wanted) {
        found.push(LessonError::new(file, &format!("{key}.{id}"), "belongs to nothing"));
    }
}
