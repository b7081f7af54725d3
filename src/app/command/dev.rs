//! `stripegym dev check`: do the lessons keep to their format?

use crate::app::course::library;
use crate::content::prose::commands;
use crate::content::{DAYS, topic};
use crate::domain::course::rules::Problem;
use crate::domain::locale::Locale;
use crate::domain::report::{LessonsChecked, Report};
use std::collections::BTreeMap;

/// Checks every lesson; `parses` says why a command is none.
pub fn check(parses: impl Fn(&str) -> Result<(), String>) -> Report {
    let library = library();
    let mut problems = library.problems();
    let mut items: BTreeMap<char, usize> = BTreeMap::new();
    let mut quoted = 0;
    for id in DAYS {
        let Ok(day) = library.day(id) else { continue };
        let ids = day.checks.iter().map(|it| &it.id).chain(day.notes.iter().map(|it| &it.id));
        let ids = ids.chain(day.gates.iter().map(|it| &it.id)).chain(day.covers.keys());
        for letter in ids.filter_map(|id| id.chars().next()) {
            *items.entry(letter).or_default() += 1;
        }
        let mut examine = |file: &str, key: &str, command: &str| {
            quoted += 1;
            if let Err(reason) = parses(command) {
                problems.push(Problem::new(file, key, format!("`{command}`: {reason}")));
            }
        };
        let file = format!("{id}/lesson.toml");
        for step in &day.steps {
            for command in &step.by_hand {
                examine(&file, &format!("do {} by_hand", step.id), command);
            }
        }
        for diagnosis in day.checks.iter().flat_map(|check| &check.on_fail) {
            if let Some(command) = &diagnosis.next {
                examine(&file, &diagnosis.code, command);
            }
        }
        for locale in Locale::ALL {
            let file = format!("{id}/{}.md", locale.code());
            let Ok(prose) = library.file(&file) else { continue };
            for command in commands(&prose) {
                examine(&file, "commands", &command);
            }
        }
    }
    for locale in Locale::ALL {
        problems.extend(topic::all(locale).err());
    }
    Report::Lessons(LessonsChecked {
        items: items.into_iter().collect(),
        commands: quoted,
        problems: problems.iter().map(ToString::to_string).collect(),
    })
}
