//! The command line with the lessons as commands of their own: `stripegym day3` is `stripegym day day3`.

use crate::app::course::library;
use crate::cli::args::{Command, Day, Global, Lesson, Line};
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _};

/// Everything that can be typed.
pub(crate) fn command() -> clap::Command {
    let ids = library().ids().into_iter();
    ids.fold(Line::command(), |line, id| {
        // A lesson of a pack must not hide a command.
        if line.find_subcommand(&id).is_some() {
            return line;
        }
        line.subcommand(Day::augment_args(clap::Command::new(id)))
    })
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
    Line::command().find_subcommand(name).is_none() && library().ids().iter().any(|id| id == name)
}

/// The lessons, and what else can be named beside them.
pub(crate) fn lessons_and(others: &[&str]) -> PossibleValuesParser {
    let others = others.iter().map(|it| (*it).to_owned());
    PossibleValuesParser::new(library().ids().into_iter().chain(others).collect::<Vec<String>>())
}
