//! `stripegym dev check`: do the lessons keep to their format, and do they judge as they say?

use crate::app::context::Context;
use crate::app::course::library;
use crate::app::trial::{self, Scope};
use crate::content::prose::commands;
use crate::content::{topic, wording};
use crate::domain::course::rules::LessonError;
use crate::domain::fault::Fault;
use crate::domain::locale::Locale;
use crate::domain::report::{LessonsChecked, Report};
use crate::net::outbound;
use std::collections::BTreeMap;

/// The pages beside the lessons that quote commands.
const PAGES: [&str; 15] = [
    "CONTRIBUTING.md",
    "README.md",
    "README.ja.md",
    "docs/commands.md",
    "docs/commands.ja.md",
    "docs/sandbox.md",
    "docs/sandbox.ja.md",
    "lessons/explain.toml",
    "lessons/topics.en.toml",
    "lessons/topics.ja.toml",
    "lessons/README.md",
    "lessons/README.ja.md",
    "lessons/FORMAT.md",
    "lessons/track/README.md",
    "lessons/track/README.ja.md",
];

/// Checks every lesson; where a scope is given, also what the course makes of programs whose outcome is known.
pub async fn run(
    context: &Context,
    parses: impl Fn(&str) -> Result<(), String>,
    scope: Option<&Scope>,
) -> Result<Report, Fault> {
    let mut checked = check(parses);
    if let Some(scope) = scope {
        checked.tried = Box::pin(trial::run(context, scope)).await?;
    }
    let crossings = outbound::crossings();
    checked.beyond = crossings.passed + crossings.refused;
    Ok(Report::Lessons(checked))
}

/// Checks every lesson; `parses` says why a command is none.
fn check(parses: impl Fn(&str) -> Result<(), String>) -> LessonsChecked {
    let library = library();
    let mut problems = library.problems();
    let mut items: BTreeMap<char, usize> = BTreeMap::new();
    let mut quoted = 0;
    let all = library.ids();
    for id in &all {
        let Ok(day) = library.day(id) else { continue };
        let ids = day.checks.iter().map(|it| &it.id).chain(day.notes.iter().map(|it| &it.id));
        let ids = ids.chain(day.gates.iter().map(|it| &it.id)).chain(day.covers.keys());
        for letter in ids.filter_map(|id| id.chars().next()) {
            *items.entry(letter).or_default() += 1;
        }
        let mut examine = |file: &str, key: &str, command: &str| {
            quoted += 1;
            if let Err(reason) = parses(command) {
                problems.push(LessonError::new(file, key, format!("`{command}`: {reason}")));
            }
        };
        let file = format!("{id}/lesson.toml");
        for step in &day.steps {
            for command in &step.by_hand {
                examine(&file, &format!("do {} by_hand", step.id), command);
            }
        }
        if let Ok(Some((talk, _))) = library.talk(id, Locale::En) {
            let file = format!("{id}/steps.toml");
            for (command, step) in talk.commands() {
                examine(&file, step, &format!("stripegym {command}"));
            }
        }
        for diagnosis in day.checks.iter().flat_map(|check| &check.on_fail) {
            if let Some(command) = &diagnosis.next {
                examine(&file, &diagnosis.code, command);
            }
        }
        for locale in Locale::ALL {
            let code = locale.code();
            for name in [format!("{code}.md"), format!("{code}.toml"), format!("steps.{code}.toml")]
            {
                let file = format!("{id}/{name}");
                let Ok(prose) = library.file(&file) else { continue };
                for command in commands(&prose) {
                    examine(&file, "commands", &command);
                }
            }
        }
    }
    quoted += pages(&parses, &mut problems);
    for locale in Locale::ALL {
        problems.extend(topic::all(locale).err());
    }
    let days: Vec<_> = all.iter().filter_map(|id| library.day(id).ok()).collect();
    items.insert('E', wording::corrected(&library, &days).0);
    LessonsChecked {
        items: items.into_iter().collect(),
        commands: quoted,
        beyond: 0,
        problems: problems.iter().map(ToString::to_string).collect(),
        tried: Vec::new(),
    }
}

/// Checks the commands that the pages of the repository quote; how many there are.
fn pages(parses: &impl Fn(&str) -> Result<(), String>, problems: &mut Vec<LessonError>) -> usize {
    let mut quoted = 0;
    for page in PAGES {
        // They are there where the program is built, not where it is used.
        let Ok(text) = std::fs::read_to_string(page) else { continue };
        for command in commands(&text) {
            quoted += 1;
            let command = command.split_once(" > ").map_or(command.as_str(), |(typed, _)| typed);
            if let Err(reason) = parses(command) {
                problems.push(LessonError::new(page, "commands", format!("`{command}`: {reason}")));
            }
        }
    }
    quoted
}
