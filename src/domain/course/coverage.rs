//! The items of the course, by number: what its lessons together must deal with, each once.

use crate::domain::course::rules::LessonError;
use crate::domain::course::{Cover, Day};

/// The ids that a lesson must deal with.
pub fn items(day: &Day) -> Vec<String> {
    let order = day.lesson.order;
    let of = |(letter, count): (&char, &u8)| {
        let letter = *letter;
        (1..=*count).map(move |n| format!("{letter}{order}.{n}"))
    };
    day.lesson.items.iter().flat_map(of).collect()
}

/// What of a day's items is not dealt with, or more than once, or belongs elsewhere.
pub fn problems(day: &Day, file: &str) -> Vec<LessonError> {
    let wanted = items(day);
    let of_others = wanted.is_empty();
    let mut found: Vec<&str> = Vec::new();
    found.extend(day.checks.iter().map(|check| check.id.as_str()));
    found.extend(day.gates.iter().map(|gate| gate.id.as_str()));
    found.extend(day.notes.iter().map(|note| note.id.as_str()));
    found.extend(day.covers.keys().map(String::as_str));
    let mut problems = Vec::new();
    for id in &wanted {
        let times = found.iter().filter(|one| *one == id).count();
        if times != 1 {
            problems.push(LessonError::new(file, id, format!("stands {times} times, not once")));
        }
    }
    // Where the manifest lists nothing, a lesson says itself what it deals with.
    let own = found.iter().filter(|_| !of_others);
    for id in own.filter(|id| !id.starts_with('X') && !wanted.iter().any(|w| w == *id)) {
        problems.push(LessonError::new(file, id, "is no item of this day"));
    }
    for (id, cover) in &day.covers {
        let empty = match cover {
            Cover::By(items) => items.is_empty(),
            Cover::Why(reason) => reason.trim().is_empty(),
        };
        let wrong = [
            (!id.starts_with(['T', 'S'])).then_some("is no task"),
            empty.then_some("says nothing"),
        ];
        let key = format!("covers.{id}");
        problems.extend(wrong.into_iter().flatten().map(|what| LessonError::new(file, &key, what)));
    }
    problems
}
