//! From typed flags to what a command is asked for: instants, durations, orders. What cannot be read is a
//! usage error that names its flag.

use crate::app::checkout_browser::Means;
use crate::app::command::book::Export;
use crate::app::command::checkout::Then;
use crate::app::command::{
    account, book, catch_up, check, clock, events, keys, ledger, listen, report, reset, sandbox,
    setup, shop, solution, worlds,
};
use crate::app::course::application::Candidate;
use crate::app::course::ask::Asker;
use crate::app::course::books::Source;
use crate::app::course::choose::Choice;
use crate::app::course::watch::WatchOptions;
use crate::app::course::{self, Manner};
use crate::app::event_type;
use crate::app::merchant_server::ListenOptions;
use crate::app::payment::{Item, Order};
use crate::app::trial::Scope;
use crate::cli::ledger_args::LedgerShow;
use crate::cli::ledger_args::{BookFormat, CatchUp, LedgerBook};
use crate::cli::{args, course_args, deliver_args, sandbox_args};
use crate::config::Config;
use crate::domain::book::export::Form;
use crate::domain::course::progress_report::{Kind, Shape};
use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::fault::{FaultKind, UsageError};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::net::outbound::{Beyond, Place};
use crate::net::tls::Files;
use crate::view::canvas::{Canvas, Format};
use crate::view::time;
use jiff::tz::TimeZone;
use std::time::Duration;

/// What reading needs to know of the world.
pub(crate) struct Reader<'a> {
    pub(crate) command: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    /// What answers are written for.
    pub(crate) canvas: &'a Canvas,
    /// Whether a person sits before the terminal and can be asked.
    pub(crate) person: bool,
    /// Whether answers are for programs.
    pub(crate) json: bool,
}

const WHEN: &str = "2h, 7d, 2026-11-21, 2026-11-21T09:00:00Z";

impl Reader<'_> {
    pub(super) fn bad(&self, flag: &str, value: &str, expected: &str) -> FaultKind {
        let usage_error = UsageError::BadValue {
            flag: flag.to_owned(),
            value: value.to_owned(),
            expected: expected.to_owned(),
        };
        FaultKind::Usage { usage_error, command: self.command.to_owned() }
    }

    pub(super) fn instant(
        &self,
        flag: &str,
        text: Option<&str>,
    ) -> Result<Option<Timestamp>, FaultKind> {
        let Some(text) = text else { return Ok(None) };
        let read = time::read(text, self.now, self.zone);
        read.map(Some).ok_or_else(|| self.bad(flag, text, WHEN))
    }

    pub(crate) fn ledger(&self, show: &LedgerShow) -> Result<ledger::LedgerOptions, FaultKind> {
        let read = self.canvas.format == Format::Text;
        Ok(ledger::LedgerOptions {
            status: show.status.as_deref().and_then(EntryStatus::read),
            since: self.instant("--since", show.since.as_deref())?,
            session: show.session.clone(),
            limit: show.limit.or(read.then_some(ledger::ROWS_READ)),
        })
    }

    pub(crate) fn catch_up(&self, asked: &CatchUp) -> Result<catch_up::CatchUpOptions, FaultKind> {
        let since = self.instant("--since", asked.since.as_deref())?;
        Ok(catch_up::CatchUpOptions { since, undelivered: asked.undelivered })
    }

    fn lasting(&self, text: Option<&str>) -> Result<Option<Duration>, FaultKind> {
        self.duration("--for", text)
    }

    pub(super) fn duration(
        &self,
        flag: &str,
        text: Option<&str>,
    ) -> Result<Option<Duration>, FaultKind> {
        let Some(text) = text else { return Ok(None) };
        let seconds = time::read_duration(text);
        let seconds = seconds.ok_or_else(|| self.bad(flag, text, "60s, 5m, 2h"))?;
        Ok(Some(Duration::from_secs(seconds)))
    }

    pub(crate) fn check(
        &self,
        asked: &course_args::Check,
        clear: bool,
    ) -> Result<check::CheckOptions, FaultKind> {
        let names: Vec<String> = asked.names.iter().chain(&asked.only).cloned().collect();
        let choice = match (asked.all, names.is_empty()) {
            (true, _) => Choice::All,
            (false, true) => Choice::Here,
            (false, false) => Choice::Named(names),
        };
        let lasting = self.lasting(asked.lasting.as_deref())?;
        let watch = WatchOptions { poll: asked.poll, lasting, rounds: asked.rounds, clear };
        Ok(check::CheckOptions {
            choice,
            candidate: candidate(&asked.target),
            project: asked.target.project.clone(),
            strict: asked.strict,
            skip: asked.skip.clone(),
            budget: self.duration("--budget", asked.budget.as_deref())?,
            watch: asked.watch.then_some(watch),
        })
    }

    pub(crate) fn listen(
        &self,
        asked: args::Listen,
        config: &Config,
    ) -> Result<listen::ListenRun, FaultKind> {
        if let Some(kind) = &asked.until {
            self.event_type("--until", kind, (config, false))?;
        }
        let lasting = self.lasting(asked.lasting.as_deref())?;
        let files = asked.tls_cert.zip(asked.tls_key);
        let tls = files.map(|(certificate, key)| Files { certificate, key });
        let options = ListenOptions {
            port: asked.port.unwrap_or(config.port),
            or_next: asked.port.is_none(),
            forward_to: asked.forward_to,
            ..ListenOptions::default()
        };
        Ok(listen::ListenRun {
            options,
            tls,
            lasting,
            until: asked.until,
            count: asked.count,
            print_secret: asked.print_secret,
        })
    }

    /// Refuses a type of event that there is not.
    fn event_type(
        &self,
        flag: &str,
        kind: &str,
        (config, groups): (&Config, bool),
    ) -> Result<(), FaultKind> {
        event_type::check(kind, config.mode, groups).map_err(|meant| {
            self.bad(flag, kind, meant.unwrap_or("checkout.session.completed, invoice.paid, …"))
        })
    }

    /// What is wanted of the events.
    pub(crate) fn events(
        &self,
        asked: args::Events,
        config: &Config,
    ) -> Result<events::EventsAction, FaultKind> {
        Ok(match asked {
            args::Events::List(list) => {
                if let Some(kind) = &list.kind {
                    self.event_type("--type", kind, (config, true))?;
                }
                events::EventsAction::List { kind: list.kind, limit: list.limit }
            }
            args::Events::Show { id } => events::EventsAction::Show(id),
            args::Events::Resend { id } => events::EventsAction::Resend(id),
        })
    }

    pub(crate) fn sandbox(
        &self,
        asked: &args::Sandbox,
        config: &Config,
    ) -> Result<sandbox::SandboxOptions, FaultKind> {
        let schedule = &asked.retry_schedule;
        let retries = schedule.parse();
        let retries = retries.map_err(|_| {
            self.bad("--retry-schedule", schedule, "sandbox, live, instant, 1s,5s,30s")
        })?;
        if let Some(odd) = asked.deliver_to.iter().find(|place| Place::read(place).is_none()) {
            return Err(self.bad("--deliver-to", odd, "app:3000"));
        }
        let listed = &asked.deliver_to;
        let places = if listed.is_empty() { &config.deliver_to } else { listed };
        let beyond =
            if asked.allow_remote_webhooks { Beyond::Anybody } else { Beyond::places(places) };
        Ok(sandbox::SandboxOptions {
            port: asked.port,
            bind: asked.bind,
            ephemeral: asked.ephemeral,
            objects_max: asked.max_objects,
            retries,
            beyond,
            creem: asked.creem_webhook.clone().map(|url| (url, asked.creem_secret.clone())),
        })
    }

    pub(crate) fn account(
        &self,
        asked: sandbox_args::Account,
    ) -> Result<account::AccountAction, FaultKind> {
        let sandbox_args::Account::Set { pairs } = asked else {
            return Ok(account::AccountAction::Show);
        };
        let read = |text: &String| {
            let (name, value) = text.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let pairs: Result<Vec<_>, FaultKind> = pairs
            .iter()
            .map(|text| read(text).ok_or_else(|| self.bad("NAME=VALUE", text, "currency=usd")))
            .collect();
        pairs.map(account::AccountAction::Set)
    }

    pub(crate) fn order(
        &self,
        asked: &args::Checkout,
        config: &Config,
    ) -> Result<Order, FaultKind> {
        let pair = |text: &String| {
            let (name, value) = text.split_once('=')?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        };
        let mut metadata = Vec::new();
        for text in &asked.metadata {
            metadata.push(pair(text).ok_or_else(|| self.bad("--metadata", text, "K=V"))?);
        }
        let shop = format!("http://127.0.0.1:{}", config.port);
        let success = || format!("{shop}/success?session_id={{CHECKOUT_SESSION_ID}}");
        Ok(Order {
            item: self.item(asked)?,
            quantity: asked.quantity,
            metadata,
            email: asked.email.clone(),
            success_url: asked.success_url.clone().unwrap_or_else(success),
            cancel_url: asked.cancel_url.clone().unwrap_or_else(|| format!("{shop}/cancel")),
        })
    }

    fn item(&self, asked: &args::Checkout) -> Result<Item, FaultKind> {
        if let Some(id) = &asked.price {
            return Ok(Item::Price(id.clone()));
        }
        if let Some(key) = &asked.lookup_key {
            return Ok(Item::LookupKey(key.clone()));
        }
        let currency: Currency = asked
            .currency
            .parse()
            .map_err(|_| self.bad("--currency", &asked.currency, "jpy, usd, eur, …"))?;
        let amount = Money::new(asked.amount.unwrap_or(500), currency);
        Ok(Item::Inline { amount, name: asked.name.clone().unwrap_or_else(|| "Tea".to_owned()) })
    }

    pub(crate) fn then(&self, asked: &args::Checkout, browser: bool) -> Result<Then, FaultKind> {
        if let Some(text) = &asked.pay {
            return Ok(Then::Pay(self.means("--pay", text)?));
        }
        if asked.no_wait {
            return Ok(Then::End);
        }
        Ok(Then::Wait { open: asked.open || (browser && !asked.no_open) })
    }

    pub(crate) fn setup(
        &self,
        asked: deliver_args::Setup,
        config: &Config,
    ) -> Result<setup::SetupOptions, FaultKind> {
        let means = Means::read(&asked.with).filter(|it| !matches!(it, Means::Konbini));
        let expected = "4242424242424242, decline, 3ds, cancel";
        let means = means.ok_or_else(|| self.bad("--with", "…", expected))?;
        let shop = format!("http://127.0.0.1:{}", config.port);
        Ok(setup::SetupOptions { email: asked.email, means, shop })
    }

    /// How a page is paid.
    pub(crate) fn means(&self, flag: &str, text: &str) -> Result<Means, FaultKind> {
        let expected = "4242424242424242, decline, 3ds, konbini, cancel";
        Means::read(text).ok_or_else(|| self.bad(flag, "…", expected))
    }

    /// How a day is run. Whoever sits before the terminal is asked, unless everything was said already.
    pub(crate) fn day(&self, asked: &args::Day) -> Result<course::RunOptions, FaultKind> {
        let mut answers = Vec::new();
        for text in &asked.answer {
            let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
            let (name, answer) = pair.ok_or_else(|| self.bad("--answer", text, "id=evt_…"))?;
            answers.push((name.to_owned(), answer.to_owned()));
        }
        Ok(course::RunOptions {
            only: asked.only.as_deref().and_then(course::Beat::read),
            from: asked.from.as_deref().and_then(course::Beat::read),
            full: asked.full,
            attest: asked.attest.clone(),
            project: asked.target.project.clone(),
            candidate: Candidate { price: asked.price, ..candidate(&asked.target) },
            print_env: asked.print_env,
            allow_exec: asked.target.allow_exec,
            manner: if self.person && !asked.yes {
                Manner::Asking(Asker::stdin())
            } else {
                Manner::Telling
            },
            answers,
            ..course::RunOptions::default()
        })
    }
}

pub(crate) fn worlds(asked: sandbox_args::Worlds) -> worlds::WorldsAction {
    match asked {
        sandbox_args::Worlds::List => worlds::WorldsAction::List,
        sandbox_args::Worlds::Create { name, seed, now, objects } => {
            worlds::WorldsAction::Create { name, seed, now, objects }
        }
        sandbox_args::Worlds::Reset { name } => worlds::WorldsAction::Reset(name),
        sandbox_args::Worlds::Delete { name } => worlds::WorldsAction::Delete(name),
        sandbox_args::Worlds::Snapshot { name, label } => {
            worlds::WorldsAction::Snapshot(name, label)
        }
        sandbox_args::Worlds::Restore { name, label } => worlds::WorldsAction::Restore(name, label),
    }
}

pub(crate) fn keys(asked: sandbox_args::Keys) -> keys::KeysAction {
    match asked {
        sandbox_args::Keys::Create { allow } => keys::KeysAction::Create(allow),
        sandbox_args::Keys::List => keys::KeysAction::List,
        sandbox_args::Keys::Delete { key } => keys::KeysAction::Delete(key),
    }
}

pub(crate) fn shop(asked: args::Shop) -> shop::ShopOptions {
    shop::ShopOptions { port: asked.port, plans: asked.plans }
}

pub(crate) fn clock(asked: sandbox_args::Clock) -> clock::ClockAction {
    match asked {
        sandbox_args::Clock::Show => clock::ClockAction::Show,
        sandbox_args::Clock::Advance { by } => clock::ClockAction::Advance(by),
        sandbox_args::Clock::Set { at } => clock::ClockAction::Set(at),
    }
}

/// Which application is graded.
fn candidate(target: &args::Target) -> Candidate {
    Candidate {
        address: target.app.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        command: target.exec.clone(),
        price: false,
        webhook_path: target.webhook_path.clone(),
        webhook_only: target.webhook_only,
        as_found: false,
        checkout_path: target.checkout_path.clone(),
        api_version: target.api_version.clone(),
        books: match (&target.ledger_cmd, &target.ledger_path) {
            _ if target.no_ledger => Source::None,
            (Some(command), _) => Source::Command(command.clone()),
            (None, Some(path)) => Source::PageAt(format!("/{}", path.trim_start_matches('/'))),
            (None, None) => target.ledger.clone().unwrap_or_default(),
        },
    }
}

/// Which solution is shown.
pub(crate) fn solution(asked: &course_args::Solution) -> solution::SolutionOptions {
    solution::SolutionOptions {
        name: asked.name.clone(),
        language: asked.language.clone(),
        give_up: asked.give_up,
    }
}

/// Which report is made; for programs always its data.
pub(crate) fn report(asked: &course_args::ReportAsked, json: bool) -> report::ReportOptions {
    let kind = match (asked.demo, asked.share) {
        (true, _) => Kind::Demo,
        (false, true) => Kind::Share,
        (false, false) => Kind::Full,
    };
    let shape = match asked.format {
        _ if json => Shape::Json,
        course_args::ReportShape::Md => Shape::Markdown,
        course_args::ReportShape::Html => Shape::Html,
        course_args::ReportShape::Json => Shape::Json,
    };
    report::ReportOptions { kind, shape, out: asked.out.clone() }
}

/// What is set back.
pub(crate) fn reset(asked: &args::Reset) -> reset::ResetAction {
    match asked.what.as_deref() {
        Some("ledger") => reset::ResetAction::Ledger,
        Some("sandbox") => reset::ResetAction::Sandbox,
        Some(day) => reset::ResetAction::Day(day.to_owned()),
        None => reset::ResetAction::All,
    }
}

/// Which programs the course is tried out on, where any are.
pub(crate) fn scope(asked: &course_args::DevCheck) -> Option<Scope> {
    let (tools, only) = (asked.tools.clone(), asked.only.clone());
    asked.run.then_some(Scope { tools, only, brief: asked.brief, jobs: asked.jobs })
}

/// Whether a quoted command is one, with its flags; ids may be shortened by `…`.
pub(crate) fn parses(command: &str) -> Result<(), String> {
    use clap::error::ErrorKind;
    let words = shell_words::split(command).map_err(|error| error.to_string())?;
    if words.len() == 2 && words.iter().any(|word| word == "…") {
        return Ok(());
    }
    let open = words.iter().any(|word| word == "…");
    match crate::cli::grammar::command().try_get_matches_from(words) {
        Ok(_) => Ok(()),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            Ok(())
        }
        Err(error) if open && error.kind() == ErrorKind::ValueValidation => Ok(()),
        Err(error) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

/// What is wanted of the book.
pub(crate) fn book(asked: LedgerBook) -> book::BookAction {
    match asked {
        LedgerBook::Journal(it) => book::BookAction::Journal { object: it.object, limit: it.limit },
        LedgerBook::Accounts(_) => book::BookAction::Accounts,
        LedgerBook::Balance(_) => book::BookAction::Balance,
        LedgerBook::Compact(_) => book::BookAction::Compact,
        LedgerBook::Problems(_) => book::BookAction::Problems,
        LedgerBook::Import(it) => book::BookAction::Import(it.from),
        LedgerBook::Migrate(it) => book::BookAction::Migrate(it.from),
        LedgerBook::Rebuild(_) => book::BookAction::Rebuild,
        LedgerBook::Verify(_) => book::BookAction::Verify,
        LedgerBook::Export(it) => book::BookAction::Export(match (it.format, it.output) {
            (BookFormat::Jsonl, _) => Export::Text(Form::Jsonl),
            (BookFormat::Beancount, _) => Export::Text(Form::Beancount),
            (BookFormat::Hledger, _) => Export::Text(Form::Hledger),
            (BookFormat::Sqlite, Some(path)) => Export::Sqlite(path),
            (BookFormat::Csv | BookFormat::Sqlite, _) => Export::Csv,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_commands_are_read_as_a_shell_reads_them() {
        assert!(parses("stripegym day3 --exec 'flask run").is_err(), "a quote is never closed");
        assert!(parses("stripegym day3 --exec 'flask run -p $PORT'").is_ok());
        assert!(parses("stripegym sandbox --bind …").is_ok());
        assert!(parses("stripegym day3 --no-such-flag").is_err());
    }

    /// What a sentence quotes as a command: between backquotes, or the whole of it up to what explains it.
    fn quoted(line: &str) -> Vec<String> {
        let said = line.split_once(" = ").map_or(line, |(_, said)| said);
        let mut found: Vec<String> =
            said.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let whole = said.split("    ").next().unwrap_or_default();
        let word = whole.split(' ').nth(1).unwrap_or_default();
        let may_be = whole.starts_with("stripegym ") && !whole.ends_with(['.', '。']);
        if may_be && crate::cli::grammar::command().find_subcommand(word).is_some() {
            found.push(whole.to_owned());
        }
        found.retain(|it| it.starts_with("stripegym "));
        found
    }

    #[test]
    fn every_command_that_a_sentence_quotes_parses() {
        let mut count = 0;
        for text in [include_str!("../view/words/en.ftl"), include_str!("../view/words/ja.ftl")] {
            for line in text.lines() {
                for command in quoted(line) {
                    // What is put in for an argument is some word.
                    let mut parts = command.split("{ $");
                    let first = parts.next().unwrap_or_default().to_owned();
                    let filled = parts.fold(first, |out, part| {
                        let (name, rest) = part.split_once(" }").unwrap();
                        let value = if name == "url" { "http://127.0.0.1:1" } else { name };
                        format!("{out}{value}{rest}")
                    });
                    assert_eq!(parses(&filled), Ok(()), "{line}");
                    count += 1;
                }
            }
        }
        assert!(count > 20, "{count}");
    }
}
