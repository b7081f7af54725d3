//! `stripegym explain`: a code of a failure, or a topic.

use crate::app::context::Context;
use crate::app::course::{library, of_lesson};
use crate::content::topic;
use crate::domain::course::Day;
use crate::domain::course::standing::Explained;
use crate::domain::fault::{Fault, Problem};
use crate::domain::report::Report;

/// Explains `name`; without one, lists the topics.
pub fn run(context: &Context, name: Option<&str>) -> Result<Report, Fault> {
    let locale = context.config.locale;
    let topics = topic::all(locale).map_err(|it| of_lesson(&it))?;
    let Some(name) = name else {
        let list = topics.into_iter().map(|(name, topic)| (name, topic.title));
        return Ok(Report::Topics(list.collect()));
    };
    if let Some(topic) = topics.get(name) {
        return Ok(Report::Explained(Explained {
            name: name.to_owned(),
            title: topic.title.clone(),
            texts: vec![topic.text.trim().to_owned()],
            docs: topic.docs.clone(),
        }));
    }
    let library = library();
    let base = name.split('-').next().unwrap_or(name);
    for id in library.ids() {
        let lesson = library.lesson(&id, locale).map_err(|it| of_lesson(&it))?;
        if let Some(title) = lesson.texts.notes.get(name).or_else(|| lesson.texts.gates.get(name)) {
            return Ok(Report::Explained(Explained {
                name: name.to_owned(),
                title: title.clone(),
                texts: rests_on(&lesson.day, name).into_iter().collect(),
                docs: lesson.day.lesson.docs.clone(),
            }));
        }
        let Some(check) = lesson.day.check(base) else { continue };
        let Some(text) = lesson.texts.checks.get(&check.id) else { continue };
        let cause = text.causes.get(name).cloned();
        if name.contains('-') && cause.is_none() {
            break;
        }
        let mut texts: Vec<String> = cause.into_iter().collect();
        texts.extend([text.why.clone(), text.checked.clone()]);
        let docs = if check.docs.is_empty() { &lesson.day.lesson.docs } else { &check.docs };
        return Ok(Report::Explained(Explained {
            name: name.to_owned(),
            title: text.title.clone(),
            texts,
            docs: docs.clone(),
        }));
    }
    Err(Problem::NoSuchCode { code: name.to_owned() }.into())
}

/// The checks that a note or a gate rests on.
fn rests_on(day: &Day, name: &str) -> Option<String> {
    let note = day.notes.iter().find(|note| note.id == name).map(|note| &note.by);
    let gate = day.gates.iter().find(|gate| gate.id == name).map(|gate| &gate.needs);
    note.or(gate)
        .filter(|checks| !checks.is_empty())
        .map(|checks| format!("← {}", checks.join(" ")))
}
