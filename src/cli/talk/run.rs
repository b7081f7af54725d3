//! Runs a command that was typed in a conversation, in this process, and gathers what it says.

use crate::app::context::{Context, NoticeSink};
use crate::app::course::talk::of_code;
use crate::cli::args::{Checkout, Command};
use crate::cli::options::Reader;
use crate::cli::talk::{Talking, line};
use crate::cli::{exit, grammar, ledger_of, run, usage};
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::view;
use crate::view::canvas::Canvas;
use crate::view::notice::{Line, render};
use clap::error::ErrorKind;
use std::ffi::OsString;

/// A failure as it is said elsewhere.
pub(super) fn fault(fault: &Fault, canvas: &Canvas) -> String {
    view::fault::render(fault, exit::of_class(fault.kind.class()), canvas)
}

impl Talking<'_> {
    /// Runs a line, and shows what came of it.
    pub(super) async fn run_line(&mut self, line: &str) {
        let line = line::whole(line, self.room.seen());
        self.room.note_typed(&line);
        let canvas = self.canvas();
        let text = answer(self.context, &canvas, &line).await;
        self.screen.add(&text);
    }
}

/// What a command line comes to, as text.
async fn answer(context: &Context, canvas: &Canvas, line: &str) -> String {
    let words = std::iter::once("stripegym".to_owned()).chain(line::split(line));
    let words: Vec<OsString> = words.map(OsString::from).collect();
    let mut grammar = grammar::for_reading();
    let matches = grammar.try_get_matches_from_mut(&words);
    let name = grammar::named(&grammar, &words);
    let parsed = match matches.and_then(|matches| grammar::read(&matches)) {
        Ok(parsed) => parsed,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            return error.to_string();
        }
        Err(error) => {
            return fault(&usage::problem(&error, name).into(), canvas);
        }
    };
    let Some(command) = parsed.command else { return String::new() };
    if ledger_of(&command).is_some() {
        // A conversation is about the folder's ledger, and would show that one instead.
        let usage_error = UsageError::UnknownFlag { flag: "--ledger".to_owned(), meant: None };
        return fault(&FaultKind::Usage { usage_error, command: name }.into(), canvas);
    }
    let (notices, heard) = NoticeSink::pair();
    let inner = Context { notices, ..context.clone() };
    let reader = Reader {
        command: &name,
        now: context.clock.now(),
        zone: &canvas.zone,
        canvas,
        person: false,
        json: false,
    };
    let done = Box::pin(run::dispatch(Some(here(command)), &inner, &reader)).await;
    drop(inner);
    let shown = canvas.clone();
    let said = tokio::task::spawn_blocking(move || {
        let mut lines = Vec::new();
        while let Some(notice) = heard.next() {
            match render(&notice, &shown) {
                Line::Data(text) | Line::Aside(text) => lines.push(text),
                Line::Progress(_) | Line::Nothing => {}
            }
        }
        lines
    });
    let mut lines = said.await.unwrap_or_default();
    match done {
        Ok(report) => lines.extend(view::render(&report, canvas)),
        Err(error) => {
            lines.push(fault(&error, canvas));
            // What the API says stays in Stripe's words; what that means is said in the learner's.
            if let FaultKind::ProviderRefused { code: Some(code), .. } = &*error.kind
                && let Some(text) = of_code(code, canvas.locale)
            {
                lines.push(view::talk::text(&format!("→ {text}"), canvas));
            }
        }
    }
    lines.join("\n")
}

/// A command as it is meant here: the day itself sees a payment, so that none is waited for.
fn here(command: Command) -> Command {
    match command {
        Command::Checkout(asked) if asked.pay.is_none() => {
            Command::Checkout(Checkout { no_wait: true, open: false, ..asked })
        }
        other => other,
    }
}
