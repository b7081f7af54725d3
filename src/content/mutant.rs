//! The broken handlers that prove the lessons: which check catches each, said by the handler and by the check.

use crate::content::{Library, read};
use crate::domain::course::Day;
use crate::domain::course::matrix::{Matrix, Mutant};
use crate::domain::course::rules::LessonError;
use std::collections::BTreeMap;

/// Where a lesson lists its own.
fn file(lesson: &str) -> String {
    format!("{lesson}/mutants.toml")
}

/// Those of every lesson, in the order of the lessons.
///
/// Fails with the first list that cannot be read; a lesson needs none.
pub fn all(library: &Library) -> Result<Matrix, LessonError> {
    let mut all = Matrix::default();
    for lesson in library.ids() {
        let name = file(&lesson);
        let Ok(text) = library.file(&name) else { continue };
        let list: Matrix = read(&name, &text)?;
        let own = list.mutants.into_iter().map(|it| Mutant { lesson: lesson.clone(), ..it });
        all.mutants.extend(own);
    }
    Ok(all)
}

/// Where the days and the lists of the broken handlers contradict one another.
pub fn problems(library: &Library, days: &[Day]) -> Vec<LessonError> {
    match all(library) {
        Ok(list) => contradictions(&list, days),
        Err(problem) => vec![problem],
    }
}

fn contradictions(list: &Matrix, days: &[Day]) -> Vec<LessonError> {
    let mut found = Vec::new();
    let mut killed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let checks = days.iter().flat_map(|day| day.checks.iter().map(move |check| (day, check)));
    for (day, check) in checks {
        for name in &check.kills {
            killed.entry(name).or_default().push(&check.id);
            let what = match list.mutants.iter().find(|it| it.id == *name) {
                Some(it) if it.caught_by == check.id => continue,
                Some(it) => format!("`{name}` is caught by {}", it.caught_by),
                None => format!("`{name}` does not exist"),
            };
            let file = format!("{}/lesson.toml", day.lesson.id);
            found.push(LessonError::new(&file, &format!("{} kills", check.id), what));
        }
    }
    for it in &list.mutants {
        if it.file.contains(['/', '\\']) {
            let what = "is no file of the lesson's own `mutants`";
            found.push(LessonError::new(&file(&it.lesson), &it.id, what));
        }
        let said = killed.get(it.id.as_str()).is_some_and(|ids| ids.contains(&&*it.caught_by));
        if !said {
            let what = format!("{} does not say that it kills it", it.caught_by);
            found.push(LessonError::new(&file(&it.lesson), &it.id, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days() -> Vec<Day> {
        let library = Library::default();
        library.ids().iter().map(|id| library.day(id).unwrap()).collect()
    }

    #[test]
    fn handlers_and_checks_name_each_other() {
        let found: Vec<String> =
            problems(&Library::default(), &days()).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn a_contradiction_is_named_from_both_sides() {
        let mut list = all(&Library::default()).unwrap();
        let first = list.mutants.first_mut().unwrap();
        let (id, other) = (first.id.clone(), "D9.9".to_owned());
        first.caught_by = other;
        let found: Vec<String> =
            contradictions(&list, &days()).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|it| it.contains(&id) && it.contains("D9.9")), "{found:?}");
        list.mutants.remove(0);
        list.mutants.first_mut().unwrap().file = "../../elsewhere.py".to_owned();
        assert_eq!(contradictions(&list, &days()).len(), 2);
    }
}
