//! `stripegym solution`: how the track's shop does what a day asks for, once the day is passed or given up.

use crate::app::context::Context;
use crate::app::course::{choose, library, of_lesson, record};
use crate::content::track::{self, Language};
use crate::domain::course::Day;
use crate::domain::course::carried::Carried;
use crate::domain::course::outcome::State;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::report::Report;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionOptions {
    /// A day or a check: `day3`, `SG3.7`.
    pub name: String,
    /// In which language.
    pub language: String,
    /// Whether it is shown although it is not passed.
    pub give_up: bool,
}

/// Shows the file that fills the day's gap, and notes that it was shown.
pub fn run(context: &Context, options: &SolutionOptions) -> Result<Report, Fault> {
    let library = library();
    let all = library.ids().into_iter().map(|id| library.day(&id));
    let days: Vec<Day> = all.collect::<Result<_, _>>().map_err(|it| of_lesson(&it))?;
    let unknown = || FaultKind::NoSuchCode { code: options.name.clone() };
    let (id, check) = choose::find(days.iter(), &options.name).ok_or_else(unknown)?;
    let day = days.iter().find(|day| day.lesson.id == id).ok_or_else(unknown)?;
    let progress = choose::progress(context)?;
    let passed = match &check {
        Some(check) => choose::state(day, check, &progress).is_some_and(State::is_well),
        None => choose::is_passed(day, &progress),
    };
    if !passed && !options.give_up {
        let hint = check.as_deref().and_then(|id| day.check(id)).map(|check| check.code.clone());
        let next = hint.map_or_else(
            || format!("stripegym check {id}"),
            |code| format!("stripegym hint {code}"),
        );
        return Ok(Report::Carried(Carried::SolutionHeld { name: options.name.clone(), next }));
    }
    let broken = |it| of_lesson(&it);
    let other = || FaultKind::NoSuchCode { code: options.language.clone() };
    let language = Language::read(&options.language).ok_or_else(other)?;
    let (path, text) = track::of_lesson(language, &id).map_err(broken)?;
    let noted = record::open(context)?.note_solution(&id, context.clock.now(), !passed);
    noted.map_err(|error| record::fault(context, &error))?;
    let language = language.name();
    context.notices.say(Notice::SolutionOf { day: id.clone(), path: format!("{language}/{path}") });
    Ok(Report::Carried(Carried::Solution {
        day: id,
        language,
        path: path.to_owned(),
        text: text.to_owned(),
        gave_up: !passed,
    }))
}
