//! The command line with the lessons as commands of their own: `stripegym day3` is `stripegym day day3`.

use crate::app::course::library;
use crate::cli::args::{Command, Day, Global, Lesson, Line};
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::LazyLock;

/// The ids of the lessons: the manifest is read once, however many arguments name a lesson.
static IDS: LazyLock<Vec<String>> = LazyLock::new(|| library().ids());

/// The commands that are no lessons; a lesson of a pack must not hide one.
static OWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    Line::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
});

/// Everything that can be typed, whole: for help, and for whoever walks through it.
pub(crate) fn command() -> clap::Command {
    with_lessons(Day::augment_args)
}

/// Everything that can be typed, for one reading: what a lesson takes is laid out when that lesson is typed. Making
/// a grammar is a good part of a start: make it once, and pass it on.
pub(crate) fn for_reading() -> clap::Command {
    with_lessons(|lesson| lesson.defer(Day::augment_args))
}

fn with_lessons(of: impl Fn(clap::Command) -> clap::Command) -> clap::Command {
    IDS.iter().fold(Line::command(), |line, id| match line.find_subcommand(id) {
        Some(_) => line,
        None => line.subcommand(of(clap::Command::new(id))),
    })
}

/// The command that the words name, as far as it exists: `stripegym ledger show`.
pub(crate) fn named(line: &clap::Command, arguments: &[OsString]) -> String {
    let mut name = "stripegym".to_owned();
    let mut command = line;
    for word in arguments.iter().skip(1).filter_map(|word| word.to_str()) {
        let Some(next) = command.find_subcommand(word) else { continue };
        name = format!("{name} {word}");
        command = next;
    }
    name
}

/// Reads what was typed.
pub(crate) fn read(matches: &ArgMatches) -> Result<Line, clap::Error> {
    match matches.subcommand().filter(|(name, _)| is_lesson(name)) {
        None => Line::from_arg_matches(matches),
        Some((name, own)) => Ok(Line {
            global: Global::from_arg_matches(matches)?,
            command: Some(Command::Day(Lesson {
                lesson: name.to_owned(),
                day: Day::from_arg_matches(own)?,
            })),
        }),
    }
}

/// Whether a command is a lesson.
pub(crate) fn is_lesson(name: &str) -> bool {
    IDS.iter().any(|id| id == name) && !OWN.contains(name)
}

/// The lessons, and what else can be named beside them.
pub(crate) fn lessons_and(others: &[&str]) -> PossibleValuesParser {
    let others = others.iter().map(|it| (*it).to_owned());
    PossibleValuesParser::new(IDS.iter().cloned().chain(others).collect::<Vec<String>>())
}
