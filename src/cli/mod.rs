//! The edge: reads arguments, runs one command, prints its report and ends with its exit code.

pub(crate) mod args;
pub(crate) mod build_server;
pub(crate) mod course_args;
pub(crate) mod deliver_args;
pub(crate) mod env_example;
pub(crate) mod exit;
pub(crate) mod grammar;
pub(crate) mod help;
pub(crate) mod invoked;
mod language;
pub(crate) mod ledger_args;
pub(crate) mod logging;
mod merchant_args;
pub(crate) mod options;
pub(crate) mod out;
pub(crate) mod pager;
pub(crate) mod reconcile_args;
pub(crate) mod reporter;
mod request_args;
pub(crate) mod run;
pub(crate) mod sandbox_args;
pub(crate) mod signals;
mod talk;
pub(crate) mod usage;
mod values;

use crate::cli::args::{Command, Ledger, Line, ShopCommand};
use crate::cli::ledger_args::LedgerBook;
use crate::cli::reconcile_args::ReconcileCommand;
use crate::config::keys;
use crate::config::sources::Sources;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
use crate::view::canvas::{Canvas, Format};
use crate::view::words::Msg;
use clap::error::ErrorKind;
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;

/// The whole program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    #[cfg(target_os = "linux")]
    if run::may_hold_little(&arguments) {
        crate::os::pages::small();
    }
    let arguments = ask_for_help(arguments);
    let canvas = early_canvas(&arguments);
    let say = canvas.clone();
    // A panic may quote what it was working on: it passes the same writer as logs.
    std::panic::set_hook(Box::new(move |info| {
        let what = logging::redact(&info.to_string());
        fail(&FaultKind::Bug { what }.into(), &say);
    }));
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| run_line(&arguments, &canvas)));
    ran.unwrap_or(ExitCode::from(exit::BUG))
}

fn run_line(arguments: &[OsString], early: &Canvas) -> ExitCode {
    let (line, name) = match parse(arguments, early) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let sources = match Sources::read(Path::new("")) {
        Ok(sources) => sources,
        Err(broken) => {
            let problem = FaultKind::Setting {
                name: ".env".to_owned(),
                origin: broken.path,
                expected: "NAME=VALUE".to_owned(),
            };
            return fail(&Fault::because(problem, broken.cause), early);
        }
    };
    if let Some(path) = sources.passed_over() {
        let path = path.display().to_string();
        out::aside(&early.say(&Msg::EnvPassedOver { path: &path }));
    }
    let global = &line.global;
    let sources = sources
        .with_flag(keys::LANG, global.lang.clone())
        .with_flag(keys::MODE, global.mode.clone())
        .with_flag(keys::HOME, global.home.clone())
        .with_flag(keys::WORLD, global.world.clone())
        .with_flag(keys::NO_COLOR, global.no_color.then(|| "1".to_owned()));
    let sources = match &line.command {
        Some(Command::Sandbox(asked)) => sources
            .with_flag(keys::SEED, asked.seed.map(|seed| seed.to_string()))
            .with_flag(keys::NOW, asked.now.clone()),
        _ => sources,
    };
    let sources = sources.with_flag(keys::LEDGER, line.command.as_ref().and_then(ledger_of));
    let home = sources.find(keys::HOME).map_or_else(|| ".stripegym".to_owned(), |it| it.value);
    let sources = match language::settle(&sources, Path::new(&home), run::is_conversation(&line)) {
        Some(locale) => sources.with_flag(keys::LANG, Some(locale.code().to_owned())),
        None => sources,
    };
    run::run(line, &name, &sources, early)
}

/// Where the ledger of a command is, when it is no file of the folder.
pub(crate) fn ledger_of(command: &Command) -> Option<String> {
    match command {
        Command::Ledger { command: Ledger::Book(LedgerBook::Migrate(asked)), .. } => {
            Some(asked.to.clone())
        }
        Command::Ledger { ledger, .. } => ledger.clone(),
        Command::Listen(asked) => asked.ledger.clone(),
        Command::CatchUp(asked) => asked.ledger.clone(),
        Command::Shop(asked) => match &asked.command {
            Some(ShopCommand::Migrate(migrate)) => Some(migrate.to.clone()),
            None => asked.ledger.clone(),
        },
        Command::Merchant(asked) => {
            Some(asked.text("ledger")).filter(|text| !text.is_empty()).map(str::to_owned)
        }
        Command::Reconcile(asked) => match &asked.command {
            Some(ReconcileCommand::Explain { sides, .. }) => sides.ledger.clone(),
            None => asked.sides.ledger.clone(),
        },
        _ => None,
    }
}

/// `stripegym help checkout` is `stripegym checkout --help`.
fn ask_for_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|word| word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Reads the command line, and names its command; where it shows help or a usage error instead, the code to end with.
fn parse(arguments: &[OsString], early: &Canvas) -> Result<(Line, String), ExitCode> {
    let mut grammar = grammar::for_reading();
    let parsed = grammar.try_get_matches_from_mut(arguments);
    let name = grammar::named(&grammar, arguments);
    let error = match parsed.and_then(|matches| grammar::read(&matches)) {
        Ok(line) => return Ok((line, name)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayVersion => {
            out::data(&error.to_string());
            Err(ExitCode::from(exit::SUCCESS))
        }
        ErrorKind::DisplayHelp => {
            let localised = help::localise(grammar::command(), early.locale);
            let localised = localised.term_width(usize::from(early.width));
            let text = match localised.try_get_matches_from(arguments) {
                Err(shown) if early.colour => shown.render().ansi().to_string(),
                Err(shown) => shown.render().to_string(),
                Ok(_) => error.to_string(),
            };
            out::data(&text);
            Err(ExitCode::from(exit::SUCCESS))
        }
        _ => {
            let problem = usage::problem(&error, name);
            Err(fail(&problem.into(), early))
        }
    }
}

/// Language, form and colour as far as they can be known without reading the command line properly.
fn early_canvas(arguments: &[OsString]) -> Canvas {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let after = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words.get(at + 1).copied()
    };
    let lang = after("--lang").or_else(|| words.iter().find_map(|w| w.strip_prefix("--lang=")));
    let sources = Sources::read(Path::new("")).unwrap_or_else(|_| Sources::environment_only());
    let json = words.contains(&"--json");
    let no_color = words.contains(&"--no-color") || sources.find(keys::NO_COLOR).is_some();
    Canvas {
        format: if json { Format::Json } else { Format::Text },
        locale: lang.and_then(Locale::read).unwrap_or_else(|| sources.locale()),
        width: out::width(sources.variable("COLUMNS")),
        terminal: out::is_terminal(),
        colour: !no_color && out::is_colourful(sources.variable("CLICOLOR_FORCE")),
        zone: TimeZone::UTC,
        program: invoked::program(arguments.first(), &sources),
    }
}

/// Says what went wrong and gives the code to end with.
fn fail(fault: &Fault, canvas: &Canvas) -> ExitCode {
    let code = exit::of_class(fault.kind.class());
    let canvas = Canvas { colour: canvas.colour && out::is_error_terminal(), ..canvas.clone() };
    out::aside(&crate::view::fault::render(fault, code, &canvas));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn help_may_be_asked_for_as_a_command() {
        let asked = ask_for_help(words(&["stripegym", "help", "ledger", "show"]));
        assert_eq!(asked, words(&["stripegym", "ledger", "show", "--help"]));
    }

    #[test]
    fn a_usage_error_names_the_command_it_belongs_to() {
        let typed = words(&["stripegym", "--json", "ledger", "show", "--bogus"]);
        let name = grammar::named(&grammar::command(), &typed);
        assert_eq!(name, "stripegym ledger show");
    }

    #[test]
    fn the_language_is_known_before_the_line_is_read() {
        assert_eq!(early_canvas(&words(&["stripegym", "--lang=ja", "--bogus"])).locale, Locale::Ja);
        let canvas = early_canvas(&words(&["stripegym", "--lang", "en", "--json"]));
        assert_eq!((canvas.locale, canvas.format), (Locale::En, Format::Json));
    }
}
