//! The items of the course, by number: what the seven lessons together must deal with, each once.

use crate::domain::course::rules::LessonError;
use crate::domain::course::{Cover, Day};

/// How many items of each letter a day has: checklist, gates, notes, tasks, steps on the provider's side.
const ITEMS: [[u8; 5]; 7] = [
    [4, 3, 3, 5, 2],
    [6, 4, 4, 8, 3],
    [4, 4, 4, 7, 2],
    [7, 4, 5, 10, 3],
    [5, 4, 5, 9, 2],
    [4, 4, 5, 16, 3],
    [4, 3, 4, 16, 3],
];
const LETTERS: [char; 5] = ['D', 'G', 'N', 'T', 'S'];

/// The ids that a day must deal with.
pub fn items(order: u8) -> Vec<String> {
    let counts = ITEMS.get(usize::from(order)).copied().unwrap_or_default();
    let of = |(letter, count): (char, u8)| (1..=count).map(move |n| format!("{letter}{order}.{n}"));
    LETTERS.into_iter().zip(counts).flat_map(of).collect()
}

/// What of a day's items is not dealt with, or more than once, or belongs elsewhere.
pub fn problems(day: &Day, file: &str) -> Vec<LessonError> {
    let wanted = items(day.lesson.order);
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
    // Beyond the seven, a lesson says itself what it deals with.
    let own = found.iter().filter(|_| !of_others);
    for id in own.filter(|id| !id.starts_with('X') && !wanted.iter().any(|w| w == *id)) {
        problems.push(LessonError::new(file, id, "is no item of this day".to_owned()));
    }
    for (id, cover) in &day.covers {
        if !id.starts_with(['T', 'S']) {
            problems.push(LessonError::new(file, &format!("covers.{id}"), "is no task".to_owned()));
        }
        let empty = match cover {
            Cover::By(items) => items.is_empty(),
            Cover::Why(reason) => reason.trim().is_empty(),
        };
        if empty {
            problems.push(LessonError::new(
                file,
                &format!("covers.{id}"),
                "says nothing".to_owned(),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_has_as_many_items_as_it_says() {
        let all: Vec<String> = (0..7).flat_map(items).collect();
        let count = |letter| all.iter().filter(|id| id.starts_with(letter)).count();
        assert_eq!(LETTERS.map(count), [34, 26, 30, 71, 18]);
    }
}
