//! `stripegym hint`: the next of three hints of a check.

use crate::app::context::Context;
use crate::app::course::{choose, library, of_lesson, record};
use crate::content::Library;
use crate::domain::course::Level;
use crate::domain::course::outcome::State;
use crate::domain::course::standing::Hint;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;

/// Shows the hints of the check `name` (`SG3.7`, `SG3.7-NOVERIFY`, `D3.7`) up to `tier`, or one more than before;
/// of a day (`day3`), or where nothing is named of the whole course, those of its first open check.
pub fn run(context: &Context, name: Option<&str>, tier: Option<u8>) -> Result<Report, Fault> {
    let library = library();
    let ids = library.ids();
    let day = name.filter(|name| ids.iter().any(|id| id == name));
    let open = match name {
        Some(name) if day.is_none() => name.to_owned(),
        _ => first_open(context, &library, day)?,
    };
    let name = open.as_str();
    let base = name.split('-').next().unwrap_or(name);
    for id in &ids {
        let lesson = library.lesson(id, context.config.locale).map_err(|it| of_lesson(&it))?;
        let Some(check) = lesson.day.check(base) else { continue };
        let Some(text) = lesson.texts.checks.get(&check.id) else { continue };
        let progress = record::open(context)?;
        let fault = |error| record::fault(context, &error);
        let all = u8::try_from(text.hints.len()).unwrap_or(u8::MAX);
        let seen = progress.hint(&check.code).map_err(fault)?;
        let tier = tier.unwrap_or_else(|| seen.saturating_add(1)).min(all);
        progress.note_hint(&check.code, tier, context.clock.now()).map_err(fault)?;
        return Ok(Report::Hint(Hint {
            code: check.code.clone(),
            title: text.title.clone(),
            texts: text.hints.iter().take(usize::from(tier)).cloned().collect(),
            all: text.hints.len(),
        }));
    }
    Err(FaultKind::NoSuchCode { code: name.to_owned() }.into())
}

/// The code of the first required check that is not passed, of one day or of all; of the first check where all are.
fn first_open(context: &Context, library: &Library, day: Option<&str>) -> Result<String, Fault> {
    let progress = choose::progress(context)?;
    let mut first = None;
    for id in library.ids().iter().filter(|id| day.is_none_or(|day| day == *id)) {
        let day = library.day(id).map_err(|it| of_lesson(&it))?;
        let required = day.checks.iter().filter(|check| check.level == Level::Required);
        for check in required {
            if !choose::state(&day, &check.id, &progress).is_some_and(State::is_well) {
                return Ok(check.code.clone());
            }
            first.get_or_insert_with(|| check.code.clone());
        }
    }
    Ok(first.unwrap_or_default())
}
