//! `stripegym hint`: the next of three hints of a check.

use crate::app::context::Context;
use crate::app::course::{library, of_lesson, record};
use crate::content::DAYS;
use crate::domain::course::standing::Hint;
use crate::domain::fault::{Fault, Problem};
use crate::domain::report::Report;

/// Shows the hints of the check `name` (`SG3.7`, `SG3.7-NOVERIFY`, `D3.7`) up to `tier`, or one more than before.
pub fn run(context: &Context, name: &str, tier: Option<u8>) -> Result<Report, Fault> {
    let library = library();
    let base = name.split('-').next().unwrap_or(name);
    for id in DAYS {
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
    Err(Problem::NoSuchCode { code: name.to_owned() }.into())
}
