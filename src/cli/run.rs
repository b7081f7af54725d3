//! From a command line to a report: settings, runtime, command, output, exit code.

use crate::app::context::{Context, Voice};
use crate::app::{cards, home};
use crate::cli::args::{Command, Ledger, Line, Shape};
use crate::cli::reporter::Reporter;
use crate::cli::{env_example, exit, fail, logging, out};
use crate::config::Config;
use crate::config::sources::Sources;
use crate::domain::fault::{Fault, Problem};
use crate::domain::report::Report;
use crate::net::shutdown;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::view;
use crate::view::canvas::{Canvas, Format};
use jiff::tz::TimeZone;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the command of `line`.
pub(crate) fn run(line: Line, sources: &Sources, early: &Canvas) -> ExitCode {
    let config = match Config::load(sources, line.global.live) {
        Ok(config) => config,
        Err(problem) => return fail(&problem.into(), early),
    };
    logging::start(line.global.verbose, config.log.as_deref());
    let canvas = Canvas {
        format: format(&line),
        locale: config.locale,
        colour: !config.no_color && out::is_terminal(),
        zone: TimeZone::system(),
        ..early.clone()
    };
    if matches!(line.command, Some(Command::EnvExample)) {
        out::data(&env_example::render());
        return ExitCode::from(exit::SUCCESS);
    }
    match carry_out(line, config, &canvas) {
        Ok(report) => show(&report, &canvas),
        Err(fault) => fail(&fault, &canvas),
    }
}

/// Gives the command its context, runs it, and waits until everything said has been shown.
fn carry_out(line: Line, config: Config, canvas: &Canvas) -> Result<Report, Fault> {
    let (reporter, voice) = Reporter::start(canvas.clone());
    let (_stopper, stop) = shutdown::pair();
    let context = Context {
        clock: config.now.map_or_else(Clock::system, Clock::fixed),
        entropy: config.seed.map_or_else(Entropy::system, Entropy::seeded),
        config: Arc::new(config),
        voice: Voice::new(voice),
        stop,
    };
    let answer = dispatch(line.command, &context);
    drop(context);
    reporter.finish();
    answer
}

fn dispatch(command: Option<Command>, context: &Context) -> Result<Report, Fault> {
    match command {
        None => home::run(context),
        Some(Command::Cards) => Ok(cards::run()),
        Some(other) => Err(Problem::NotThereYet { what: format!("{other:?}") }.into()),
    }
}

fn show(report: &Report, canvas: &Canvas) -> ExitCode {
    if let Some(text) = view::render(report, canvas) {
        out::data(&text);
    }
    ExitCode::from(if report.is_well() { exit::SUCCESS } else { exit::DIFFERENCES })
}

fn format(line: &Line) -> Format {
    let shape = match &line.command {
        Some(Command::Ledger { command: Ledger::Show(show) }) => show.format,
        Some(Command::Reconcile(reconcile)) => reconcile.format,
        _ => Shape::Table,
    };
    match shape {
        _ if line.global.json => Format::Json,
        Shape::Json => Format::Json,
        Shape::Csv => Format::Csv,
        Shape::Table => Format::Text,
    }
}
