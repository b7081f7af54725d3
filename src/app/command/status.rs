//! `stripegym status`: where the learner stands.

use crate::app::context::Context;
use crate::app::course::{library, of_lesson, record};
use crate::content::DAYS;
use crate::domain::course::Level;
use crate::domain::course::outcome::State;
use crate::domain::fault::Fault;
use crate::domain::report::{DayStatus, Report};
use crate::store::progress::Reached;

/// Looks at every day; what was reached under another version of a lesson does not count.
pub fn run(context: &Context) -> Result<Report, Fault> {
    let reached: Vec<Reached> = if record::path(context).exists() {
        let all = record::open(context)?.all();
        all.map_err(|error| record::fault(context, &error))?
    } else {
        Vec::new()
    };
    let library = library();
    let mut days = Vec::new();
    for id in DAYS {
        let lesson = library.lesson(id, context.config.locale).map_err(|it| of_lesson(&it))?;
        let version = lesson.day.lesson.version;
        let state = |check: &str| {
            reached.iter().find(|it| it.id == check && it.version == version).map(|it| it.state)
        };
        let required = lesson.day.checks.iter().filter(|check| check.level == Level::Required);
        let passed = required.clone().filter(|check| state(&check.id).is_some_and(State::is_well));
        days.push(DayStatus {
            id: id.to_owned(),
            title: lesson.texts.title,
            required: required.clone().count(),
            passed: passed.count(),
            checks: lesson.day.checks.iter().map(|it| (it.id.clone(), state(&it.id))).collect(),
        });
    }
    Ok(Report::Course(days))
}
