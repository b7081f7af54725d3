//! `stripegym explain`: a code of a failure, or a topic.

use crate::app::context::Context;
use crate::app::course::{library, of_lesson};
use crate::content::{Library, explain, topic, wording};
use crate::domain::course::Day;
use crate::domain::course::standing::Explained;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
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
    match found(&library, name, locale)? {
        list if list.is_empty() => Err(FaultKind::NoSuchCode { code: name.to_owned() }.into()),
        mut list if list.len() == 1 => Ok(Report::Explained(list.remove(0))),
        list => Ok(Report::Topics(list.into_iter().map(line).collect())),
    }
}

/// What a list shows of something: a topic's title, else what there is to say of it.
fn line(it: Explained) -> (String, String) {
    let said = it.texts.into_iter().next().filter(|_| it.docs.is_empty());
    (it.name, said.unwrap_or(it.title))
}

/// Everything else that has this name: the words, codes and events of `explain.toml`, the misstatements E1 to E48,
/// and the topics. Where nothing is called so, what has it as a part.
fn found(library: &Library, name: &str, locale: Locale) -> Result<Vec<Explained>, Fault> {
    if let Some(it) = misstatement(library, name, locale) {
        return Ok(vec![it]);
    }
    let entries = explain::all().map_err(|it| of_lesson(&it))?;
    let topics = topic::all(locale).map_err(|it| of_lesson(&it))?;
    for whole in [true, false] {
        let entry = |it: &explain::Entry| Explained {
            name: it.names.first().cloned().unwrap_or_default(),
            title: it.names.get(1..).unwrap_or_default().join(", "),
            texts: vec![it.text(locale).to_owned()],
            docs: Vec::new(),
        };
        let mut list: Vec<Explained> =
            entries.iter().filter(|it| it.fits(name, whole)).map(entry).collect();
        let called = |id: &String, title: &str| {
            explain::fits(id, name, whole) || explain::fits(title, name, whole)
        };
        let others = topics.iter().filter(|(id, topic)| called(id, &topic.title));
        list.extend(others.map(|(id, topic)| Explained {
            name: id.clone(),
            title: topic.title.clone(),
            texts: vec![topic.text.trim().to_owned()],
            docs: topic.docs.clone(),
        }));
        if !list.is_empty() {
            return Ok(list);
        }
    }
    Ok(Vec::new())
}

/// A common misstatement, with what puts it right.
fn misstatement(library: &Library, name: &str, locale: Locale) -> Option<Explained> {
    let id = name.to_uppercase();
    let told = |title: String, texts: Vec<String>, docs: Vec<String>| {
        Some(Explained { name: id.clone(), title, texts, docs })
    };
    for lesson in library.ids().iter().filter_map(|it| library.lesson(it, locale).ok()) {
        let Some(check) = lesson.day.checks.iter().find(|it| it.corrects.contains(&id)) else {
            continue;
        };
        let text = lesson.texts.checks.get(&check.id)?;
        let texts = vec![text.why.clone(), format!("← {}", check.id)];
        return told(text.title.clone(), texts, check.docs.clone());
    }
    let (lesson, says) = wording::correction(library, &id, locale)?;
    let title = lesson.as_ref().and_then(|it| library.lesson(it, locale).ok());
    let title = title.map_or_else(String::new, |lesson| lesson.texts.title);
    let more = lesson.map(|it| format!("`stripegym {it} --only read --full`"));
    told(title, std::iter::once(says).chain(more).collect(), Vec::new())
}

/// The checks that a note or a gate rests on.
fn rests_on(day: &Day, name: &str) -> Option<String> {
    let note = day.notes.iter().find(|note| note.id == name).map(|note| &note.by);
    let gate = day.gates.iter().find(|gate| gate.id == name).map(|gate| &gate.needs);
    note.or(gate)
        .filter(|checks| !checks.is_empty())
        .map(|checks| format!("← {}", checks.join(" ")))
}
