//! `stripegym status`: where the learner stands.

use crate::app::context::Context;
use crate::app::course::{choose, library, of_lesson};
use crate::domain::course::Level;
use crate::domain::course::outcome::State;
use crate::domain::course::standing::DayStatus;
use crate::domain::fault::Fault;
use crate::domain::report::Report;

/// Looks at every day; what was reached under another version of a lesson does not count.
pub fn run(context: &Context) -> Result<Report, Fault> {
    let progress = choose::progress(context)?;
    let library = library();
    let required_ids = library.required();
    let mut days = Vec::new();
    for id in library.ids() {
        let lesson = library.lesson(&id, context.config.locale).map_err(|it| of_lesson(&it))?;
        let state = |check: &str| choose::state(&lesson.day, check, &progress);
        let required = lesson.day.checks.iter().filter(|check| check.level == Level::Required);
        let passed = required.clone().filter(|check| state(&check.id).is_some_and(State::is_well));
        let version = lesson.day.lesson.version;
        let proved = required.clone().filter(|check| progress.is_proved(&check.id, version));
        let codes = || lesson.day.checks.iter().map(|check| &check.code);
        let hints = progress.hints.iter().filter(|hint| codes().any(|code| *code == hint.code));
        let seen = progress.solutions.iter().find(|seen| seen.day == id);
        days.push(DayStatus {
            gone: progress.gone(&id),
            proved: proved.count(),
            hints: hints.map(|hint| u32::from(hint.tier)).sum(),
            solution: seen.map(|seen| seen.gave_up),
            optional: !required_ids.contains(&id),
            id,
            required: required.clone().count(),
            passed: passed.count(),
            checks: lesson.day.checks.iter().map(|it| (it.id.clone(), state(&it.id))).collect(),
            title: lesson.texts.title,
        });
    }
    Ok(Report::Course(days))
}
