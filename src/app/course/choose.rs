//! Which days and which checks are meant by names, and where the learner is.

use crate::app::context::Context;
use crate::app::course::{library, of_lesson, record};
use crate::content::Lesson;
use crate::domain::course::outcome::State;
use crate::domain::course::progress::Snapshot;
use crate::domain::course::{Check, Day, Level};
use crate::domain::fault::{Fault, FaultKind};
use std::collections::BTreeSet;

/// What is to be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The day that the learner is at.
    Here,
    /// Every day that belongs to the course; what is optional is graded where it is named.
    All,
    /// Days and checks by name: `day3`, `D3.7`, `SG3.7`.
    Named(Vec<String>),
}

/// What the progress file holds; nothing where there is none.
pub fn progress(context: &Context) -> Result<Snapshot, Fault> {
    if !record::path(context).exists() {
        return Ok(Snapshot::default());
    }
    record::open(context)?.snapshot().map_err(|error| record::fault(context, &error))
}

/// Whether every required check of the day's present version is passed.
pub fn is_passed(day: &Day, progress: &Snapshot) -> bool {
    let mut required = day.checks.iter().filter(|check| check.level == Level::Required);
    required.all(|check| state(day, &check.id, progress).is_some_and(State::is_well))
}

/// What the last run of a check of the day's present version came to.
pub fn state(day: &Day, check: &str, progress: &Snapshot) -> Option<State> {
    let of = |it: &&crate::domain::course::progress::Mark| {
        it.id == check && it.version == day.lesson.version
    };
    progress.checks.iter().find(of).map(|it| it.state)
}

/// The lessons that are meant, each cut to the checks that are meant with what they need.
pub fn lessons(context: &Context, choice: &Choice) -> Result<Vec<Lesson>, Fault> {
    let read = |ids: Vec<String>| -> Result<Vec<Lesson>, Fault> {
        ids.iter().map(|id| crate::app::course::lesson(context, id)).collect()
    };
    match choice {
        Choice::All => read(library().required()),
        Choice::Here => {
            let progress = progress(context)?;
            let mut last = None;
            for id in library().required() {
                let day = library().day(&id).map_err(|it| of_lesson(&it))?;
                last = Some(id);
                if !is_passed(&day, &progress) {
                    break;
                }
            }
            read(last.into_iter().collect())
        }
        Choice::Named(names) => named(read(library().ids())?, names),
    }
}

/// The day or the check that a name means, as the day's id and the check's id.
pub fn find<'d>(
    days: impl Iterator<Item = &'d Day>,
    name: &str,
) -> Option<(String, Option<String>)> {
    let base = name.split('-').next().unwrap_or(name);
    for day in days {
        if day.lesson.id == name {
            return Some((day.lesson.id.clone(), None));
        }
        if let Some(check) = day.check(base) {
            return Some((day.lesson.id.clone(), Some(check.id.clone())));
        }
    }
    None
}

fn named(lessons: Vec<Lesson>, names: &[String]) -> Result<Vec<Lesson>, Fault> {
    let mut whole = BTreeSet::new();
    let mut single: BTreeSet<(String, String)> = BTreeSet::new();
    for name in names {
        match find(lessons.iter().map(|it| &it.day), name) {
            Some((day, None)) => drop(whole.insert(day)),
            Some((day, Some(check))) => drop(single.insert((day, check))),
            None => return Err(FaultKind::NoSuchCode { code: name.clone() }.into()),
        }
    }
    let mut chosen = Vec::new();
    for mut lesson in lessons {
        let id = lesson.day.lesson.id.clone();
        if whole.contains(&id) {
            chosen.push(lesson);
            continue;
        }
        let wanted = single.iter().filter(|(day, _)| *day == id).map(|(_, check)| check.as_str());
        let wanted: Vec<&str> = wanted.collect();
        if !wanted.is_empty() {
            let keep = with_needs(&lesson.day, &wanted);
            lesson.day.checks.retain(|check| keep.contains(&check.id));
            lesson.day.notes.clear();
            lesson.day.gates.clear();
            chosen.push(lesson);
        }
    }
    Ok(chosen)
}

/// Leaves checks out that are named by id or code. What needs one of them is graded without it.
pub fn skip(lessons: &mut [Lesson], names: &[String]) -> Result<(), Fault> {
    for name in names {
        let named = |check: &Check| {
            let code = name.split('-').next().unwrap_or(name);
            check.id.eq_ignore_ascii_case(name) || check.code.eq_ignore_ascii_case(code)
        };
        let mut found = false;
        for lesson in lessons.iter_mut() {
            let before = lesson.day.checks.len();
            lesson.day.checks.retain(|check| !named(check));
            found = found || lesson.day.checks.len() < before;
        }
        if !found {
            return Err(FaultKind::NoSuchCode { code: name.clone() }.into());
        }
    }
    Ok(())
}

/// Checks with everything that they need, and what that needs.
fn with_needs(day: &Day, wanted: &[&str]) -> BTreeSet<String> {
    let mut keep = BTreeSet::new();
    let mut open: Vec<String> = wanted.iter().map(|id| (*id).to_owned()).collect();
    while let Some(id) = open.pop() {
        if let Some(check) = day.check(&id) {
            open.extend(check.needs.iter().filter(|id| !keep.contains(*id)).cloned());
        }
        keep.insert(id);
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Library;
    use crate::domain::locale::Locale;

    fn days() -> Vec<Lesson> {
        let library = Library::default();
        library.ids().iter().map(|id| library.lesson(id, Locale::En).unwrap()).collect()
    }

    fn chosen(names: &[&str]) -> Vec<(String, Vec<String>)> {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let ids = |lesson: Lesson| {
            (lesson.day.lesson.id, lesson.day.checks.into_iter().map(|it| it.id).collect())
        };
        named(days(), &names).unwrap().into_iter().map(ids).collect()
    }

    #[test]
    fn a_check_brings_what_it_needs_and_nothing_else() {
        let texts =
            |ids: &[&str]| -> Vec<String> { ids.iter().map(|it| (*it).to_owned()).collect() };
        assert_eq!(chosen(&["SG4.2"]), [("day4".to_owned(), texts(&["D4.1", "D4.2"]))]);
        assert_eq!(chosen(&["D4.2", "SG4.1-NOROW"]), chosen(&["D4.2"]));
        let whole = chosen(&["day4", "D4.2", "D1.1"]);
        assert_eq!(whole.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["day1", "day4"]);
        assert!(whole[1].1.len() > 5);
        assert!(named(days(), &["day9".to_owned()]).is_err());
    }
}
