//! What holds for all lessons together: one word for one thing, no code used again, every common misstatement put
//! right somewhere.

use crate::content::{Library, read};
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
    /// In what is no prose: the file, the words, and what is told of it.
    Elsewhere { file: String, says: String, en: String, ja: String },
    /// In a passage of the English prose, whose counterpart stands at the same place of the Japanese.
    Words { file: String, says: String },
    /// Nowhere, for this reason.
    Reason { why: String, ja: String },
}

/// What is wrong with the lessons' words and codes.
pub fn problems(library: &Library, days: &[Day]) -> Vec<LessonError> {
    let mut found = codes(days);
    match read::<Glossary>("glossary.toml", GLOSSARY) {
        Ok(glossary) => {
            found
                .extend(days.iter().flat_map(|day| terms(library, &day.lesson.id, &glossary.term)));
        }
        Err(problem) => found.push(problem),
    }
    found.extend(corrected(library, days).1);
    found
}

/// What puts a common misstatement right, in a language: the passage, and the lesson in which it stands; or why there
/// is nothing to say.
pub fn correction(library: &Library, id: &str, locale: Locale) -> Option<(Option<String>, String)> {
    let mut list: BTreeMap<String, Correction> = toml::from_str(CORRECTIONS).ok()?;
    let of = |en: String, ja: String| match locale {
        Locale::En => en,
        Locale::Ja => ja,
    };
    Some(match list.remove(id)? {
        Correction::Words { file, says } => {
            let lesson = file.split('/').next().unwrap_or_default().to_owned();
            let at = passages(&library.file(&file).ok()?)
                .iter()
                .position(|it| flat(it).contains(&flat(&says)))?;
            let own = library.file(&format!("{lesson}/{}.md", locale.code())).ok()?;
            (Some(lesson), passages(&own).get(at)?.trim_start_matches("- ").to_owned())
        }
        Correction::Elsewhere { en, ja, .. } => (None, of(en, ja)),
        Correction::Reason { why, ja } => (None, of(why, ja)),
    })
}

/// The paragraphs and items between the heading of the tasks and that of the end: as many in each language.
fn passages(prose: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in prose.lines() {
        if line.contains("{#done}") {
            break;
        }
        let begins = line.starts_with("- ") || line.starts_with('#') || !goes_on;
        goes_on = !line.trim().is_empty();
        match found.last_mut() {
            _ if !goes_on => {}
            Some(last) if !begins => {
                last.push('\n');
                last.push_str(line.trim_start());
            }
            _ => found.push(line.to_owned()),
        }
    }
    found
}

/// How many common misstatements are put right, and which are not.
pub fn corrected(library: &Library, days: &[Day]) -> (usize, Vec<LessonError>) {
    let file = "corrections.toml";
    let list = match read::<BTreeMap<String, Correction>>(file, CORRECTIONS) {
        Ok(list) => list,
        Err(problem) => return (0, vec![problem]),
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
            Some(Correction::Reason { why, .. }) => {
                why.trim().is_empty().then(|| "has no reason".to_owned())
            }
            Some(Correction::Words { file, says } | Correction::Elsewhere { file, says, .. }) => {
                let text = library.file(file).map(|text| flat(&text)).unwrap_or_default();
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

/// A text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Codes that stand twice, or that were taken back.
fn codes(days: &[Day]) -> Vec<LessonError> {
    let retired = match read::<Retired>("retired.toml", RETIRED) {
        Ok(retired) => retired.codes,
        Err(problem) => return vec![problem],
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
                    found.push(LessonError::new(&file, code, "was taken back"));
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

/// Whether a text has a word; of `フォルダ!ー` one that none of the characters after the `!` follows.
pub fn is_used(text: &str, word: &str) -> bool {
    let (word, not_after) = word.split_once('!').unwrap_or((word, ""));
    let mut parts = text.split(word).skip(1);
    parts.any(|after| !after.starts_with(|c| not_after.contains(c)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::explain;

    #[test]
    fn every_term_is_explained_in_both_languages() {
        let all = explain::all().unwrap();
        for term in toml::from_str::<Glossary>(GLOSSARY).unwrap().term {
            for name in [&term.en, &term.ja] {
                assert!(all.iter().any(|it| it.fits(name, true)), "{name}");
            }
        }
    }

    #[test]
    fn every_misstatement_is_put_right_in_the_reader_s_language() {
        let library = Library::default();
        let list: BTreeMap<String, Correction> = toml::from_str(CORRECTIONS).unwrap();
        for id in list.keys() {
            for locale in Locale::ALL {
                let (lesson, text) = correction(&library, id, locale).unwrap_or_else(|| {
                    panic!("{id} is put right nowhere in {}", locale.code());
                });
                let japanese = text.chars().any(|c| ('ぁ'..='ん').contains(&c));
                assert_eq!(japanese, locale == Locale::Ja, "{id}: {text}");
                assert!(lesson.is_none_or(|id| library.day(&id).is_ok()));
            }
        }
    }

    /// The texts for people below a folder: prose, tables and sentences.
    fn texts(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["node_modules", "target", ".venv"].contains(&name.as_str()) {
                texts(&path, found);
            } else if [".md", ".toml", ".ftl"].iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_text_for_people_has_another_word_for_a_thing() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = vec![root.join("README.md"), root.join("README.ja.md")];
        texts(&root.join("docs"), &mut files);
        texts(&root.join("lessons"), &mut files);
        texts(&root.join("src/view/words"), &mut files);
        let glossary = toml::from_str::<Glossary>(GLOSSARY).unwrap().term;
        let mut wrong = Vec::new();
        for path in files.iter().filter(|path| !path.ends_with("glossary.toml")) {
            for line in std::fs::read_to_string(path).unwrap().lines() {
                // A name under which something is sought may be any word for it.
                if line.starts_with("names = ") {
                    continue;
                }
                let used = glossary.iter().flat_map(|it| &it.never).filter(|it| is_used(line, it));
                wrong.extend(used.map(|word| format!("{}: {word}: {line}", path.display())));
            }
        }
        assert!(files.len() > 40 && wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_passage_is_a_paragraph_or_an_item() {
        let prose = "# T\n\none\ntwo\n\n- a\n  b\n- c\n\n## X {#done}\nlast\n";
        assert_eq!(passages(prose), ["# T", "one\ntwo", "- a\nb", "- c"]);
    }
}
