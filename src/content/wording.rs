//! What holds for all lessons together: one word for one thing, no code used again, every common misstatement put
//! right somewhere.

use crate::content::Library;
use crate::domain::course::Day;
use crate::domain::course::rules::LessonError;
use crate::domain::locale::Locale;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const GLOSSARY: &str = include_str!("../../lessons/glossary.toml");
const RETIRED: &str = include_str!("../../lessons/retired.toml");
const CORRECTIONS: &str = include_str!("../../lessons/corrections.toml");
/// How many common misstatements there are: E1 to this.
pub const MISSTATEMENTS: usize = 48;

#[derive(Deserialize)]
struct Glossary {
    term: Vec<Term>,
}

#[derive(Deserialize)]
struct Term {
    en: String,
    ja: String,
    never: Vec<String>,
}

#[derive(Deserialize)]
struct Retired {
    codes: Vec<String>,
}

/// Where a misstatement is put right.
#[derive(Deserialize)]
#[serde(untagged)]
enum Correction {
    Words { file: String, says: String },
    Reason { why: String },
}

/// What is wrong with the lessons' words and codes.
pub fn problems(library: &Library, days: &[Day]) -> Vec<LessonError> {
    let mut found = codes(days);
    match toml::from_str::<Glossary>(GLOSSARY) {
        Ok(glossary) => {
            for day in days {
                found.extend(terms(library, &day.lesson.id, &glossary.term));
            }
        }
        Err(error) => {
            found.push(LessonError::new("glossary.toml", "-", error.message().to_owned()));
        }
    }
    found.extend(corrected(library, days).1);
    found
}

/// Where a common misstatement is put right: the file and the words, or why there is nothing to say.
pub fn correction(id: &str) -> Option<(Option<String>, String)> {
    let mut list: BTreeMap<String, Correction> = toml::from_str(CORRECTIONS).ok()?;
    Some(match list.remove(id)? {
        Correction::Words { file, says } => (Some(file), says),
        Correction::Reason { why } => (None, why),
    })
}

/// How many common misstatements are put right, and which are not.
pub fn corrected(library: &Library, days: &[Day]) -> (usize, Vec<LessonError>) {
    let file = "corrections.toml";
    let list = match toml::from_str::<BTreeMap<String, Correction>>(CORRECTIONS) {
        Ok(list) => list,
        Err(error) => return (0, vec![LessonError::new(file, "-", error.message().to_owned())]),
    };
    let checks = days.iter().flat_map(|day| &day.checks);
    let named: BTreeSet<&String> = checks.flat_map(|check| &check.corrects).collect();
    let mut found = Vec::new();
    let mut count = 0;
    for id in (1..=MISSTATEMENTS).map(|number| format!("E{number}")) {
        let wrong = match list.get(&id) {
            Some(_) if named.contains(&id) => Some("stands in `corrects` already".to_owned()),
            None if named.contains(&id) => None,
            None => Some("is put right nowhere".to_owned()),
            Some(Correction::Reason { why }) => {
                why.trim().is_empty().then(|| "has no reason".to_owned())
            }
            Some(Correction::Words { file, says }) => {
                let text = read(library, file).map(|text| flat(&text)).unwrap_or_default();
                (!text.contains(&flat(says))).then(|| format!("{file} does not say `{says}`"))
            }
        };
        match wrong {
            None => count += 1,
            Some(what) => found.push(LessonError::new(file, &id, what)),
        }
    }
    (count, found)
}

fn read(library: &Library, file: &str) -> Option<String> {
    library.file(file).ok()
}

/// A text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Codes that stand twice, or that were taken back.
fn codes(days: &[Day]) -> Vec<LessonError> {
    let retired = match toml::from_str::<Retired>(RETIRED) {
        Ok(retired) => retired.codes,
        Err(error) => {
            return vec![LessonError::new("retired.toml", "-", error.message().to_owned())];
        }
    };
    let mut found = Vec::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for day in days {
        let file = format!("{}/lesson.toml", day.lesson.id);
        for check in &day.checks {
            let causes: BTreeSet<&str> =
                check.on_fail.iter().map(|diagnosis| diagnosis.code.as_str()).collect();
            for code in causes.into_iter().chain([check.code.as_str()]) {
                if retired.iter().any(|old| old == code) {
                    found.push(LessonError::new(&file, code, "was taken back".to_owned()));
                }
                // Several diagnoses of one check may come to the same cause.
                let before = seen.insert(code, &check.id);
                if let Some(before) = before.filter(|before| *before != check.id) {
                    found.push(LessonError::new(
                        &file,
                        code,
                        format!("belongs to {before} as well"),
                    ));
                }
            }
        }
    }
    found
}

/// Whether a text has a word; of `フォルダ!ー` one that no `ー` follows.
pub fn is_used(text: &str, word: &str) -> bool {
    let (word, not_after) = word.split_once('!').unwrap_or((word, ""));
    let mut parts = text.split(word).skip(1);
    parts.any(|after| not_after.is_empty() || !after.starts_with(not_after))
}

/// Words of a day that mean the same and differ.
fn terms(library: &Library, id: &str, terms: &[Term]) -> Vec<LessonError> {
    let text = |locale: Locale| {
        let code = locale.code();
        let files = [
            format!("{id}/{code}.md"),
            format!("{id}/{code}.toml"),
            format!("{id}/steps.{code}.toml"),
        ];
        files.iter().filter_map(|file| library.file(file).ok()).collect::<String>()
    };
    let (en, ja) = (text(Locale::En), text(Locale::Ja));
    // What stands in code is no word of the prose.
    let prose: Vec<&str> = en.lines().flat_map(|line| line.split('`').step_by(2)).collect();
    let words: BTreeSet<String> = prose
        .join(" ")
        .split(|c: char| !c.is_ascii_alphabetic())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut found = Vec::new();
    for term in terms {
        if words.contains(&term.en) && !ja.contains(&term.ja) {
            let what = format!("`{}` of the English is `{}`", term.en, term.ja);
            found.push(LessonError::new(&format!("{id}/ja.md"), "glossary", what));
        }
        for word in &term.never {
            for (locale, text) in [(Locale::En, &en), (Locale::Ja, &ja)] {
                if is_used(text, word) {
                    let file = format!("{id}/{}.md", locale.code());
                    let what = format!("`{word}` is called {} and {}", term.en, term.ja);
                    found.push(LessonError::new(&file, "glossary", what));
                }
            }
        }
    }
    found
}
