//! From a command line to a report: settings, runtime, command, output, exit code.

use crate::app::command::{
    account, book, cards, catch_up, check, checkout, clock, day, deliver, dev, doctor, events,
    explain, fault, hint, home, items, keys, ledger, listen, logs, merchant, plan_sync, progress,
    reconcile, report, reset, round, sandbox, setup, shop, shop_data, shop_migrate, solution,
    starter, status, trigger, verify_report, worlds,
};
use crate::app::context::{Context, NoticeSink};
use crate::app::course::talk::note_shown;
use crate::app::course::{RunOptions, library, of_lesson};
use crate::app::parts::Parts;
use crate::app::seeded::World;
use crate::app::trigger::Asked;
use crate::cli::args::{self, Command, Day, Ledger, Lesson, Line, Shape, ShopCommand};
use crate::cli::course_args::{Dev, Progress};
use crate::cli::deliver_args::Tampered;
use crate::cli::ledger_args::{BookFormat, LedgerBook};
use crate::cli::merchant_args::Merchant;
use crate::cli::options::{self, Reader};
use crate::cli::reconcile_args::Reconcile;
use crate::cli::reporter::Reporter;
use crate::cli::request_args;
use crate::cli::sandbox_args::SandboxCommand;
use crate::cli::{build_server, env_example, exit, fail, logging, out, pager, signals, talk};
use crate::config::Config;
use crate::config::sources::Sources;
use crate::domain::course::Track;
use crate::domain::course::manifest::Opening;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::merchant_command::Work;
use crate::domain::report::Report;
use crate::net::shutdown::Stop;
use crate::os::zone;
use crate::view;
use crate::view::canvas::{Canvas, Format};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a command that was asked to stop may take to do so.
const GRACE: Duration = Duration::from_secs(8);

/// Runs the command of `line`, whose name is `name`.
pub(crate) fn run(line: Line, name: &str, sources: &Sources, early: &Canvas) -> ExitCode {
    if matches!(line.command, Some(Command::EnvExample)) {
        out::data(&env_example::render());
        return ExitCode::from(exit::SUCCESS);
    }
    #[cfg(target_os = "linux")]
    if let Some(Command::Keep { command }) = &line.command {
        return ExitCode::from(crate::os::keeper::run(command));
    }
    let config = match Config::load(sources, line.global.live) {
        Ok(config) => config,
        Err(problem) => return fail(&problem.into(), early),
    };
    logging::start(line.global.verbose, config.log.as_deref());
    let canvas = Canvas {
        format: format(&line),
        locale: config.locale,
        colour: !config.no_color && early.colour && !for_build_servers(&line),
        zone: zone::of_reader(sources.is_set("TZ")),
        ..early.clone()
    };
    let copies = build_server::asked(line.command.as_ref());
    let day = line.command.as_ref().and_then(day_of);
    let asks_nothing = day.is_none_or(|day| day.yes) || canvas.format == Format::Json;
    let ci = sources.variable("CI").is_some();
    let pager = pager::choose(sources.variable("PAGER"), ci, asks_nothing);
    let of_tables = pager::choose(sources.variable("PAGER"), ci, canvas.format != Format::Text);
    match carry_out(line, name, (config, pager), &canvas) {
        Ok(report) => match build_server::write(&copies, &report, &canvas) {
            Ok(()) => {
                let quiet = build_server::owns_stdout(&copies);
                show(&report, &canvas, quiet, of_tables.as_deref())
            }
            Err(fault) => fail(&fault, &canvas),
        },
        Err(fault) => fail(&fault, &canvas),
    }
}

/// Gives the command its context, runs it, and waits until everything said has been shown.
fn carry_out(
    line: Line,
    name: &str,
    (config, pager): (Config, Option<String>),
    canvas: &Canvas,
) -> Result<Report, Fault> {
    #[cfg(target_os = "linux")]
    if line.command.as_ref().is_some_and(holds_little) {
        crate::os::pages::small();
    }
    let runtime = runtime(line.command.as_ref())
        .map_err(|error| FaultKind::Bug { what: format!("no runtime: {error}") })?;
    let person = canvas.format == Format::Text && !config.is_ci && out::is_dialogue();
    let (reporter, mut notices) = Reporter::start(canvas.clone(), pager);
    if build_server::owns_stdout(&build_server::asked(line.command.as_ref())) {
        notices = NoticeSink::silent();
    }
    let (stop, hurry) = signals::watch();
    let world = World::begin(&config);
    let context = Context {
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        config: Arc::new(config),
        notices,
        stop: stop.clone(),
    };
    let answer = runtime.block_on(interruptible(stop, hurry.clone(), async {
        let json = canvas.format == Format::Json;
        let now = context.clock.now();
        let reader = Reader { command: name, now, zone: &canvas.zone, canvas, person, json };
        if let Some(id) = line.command.as_ref().and_then(conversation).filter(|_| person)
            && let Some(report) = talk::hold(&context, canvas, id).await?
        {
            return Ok(report);
        }
        dispatch(line.command, &context, &reader).await
    }));
    drop(context);
    if hurry.is_stopped() {
        // Whoever asks twice waits for nothing: neither for threads nor for a reader.
        runtime.shutdown_background();
        world.end()?;
        return answer;
    }
    // What a command left running must not speak after its report.
    runtime.shutdown_timeout(Duration::from_secs(1));
    reporter.finish();
    world.end()?;
    answer
}

/// The flags of a day, where the command is one.
pub(super) const fn day_of(command: &Command) -> Option<&Day> {
    match command {
        Command::Day(lesson) => Some(&lesson.day),
        _ => None,
    }
}

/// The lesson that is taken as a conversation: one of which nothing particular is wished.
fn conversation(command: &Command) -> Option<&str> {
    let Command::Day(Lesson { lesson, day }) = command else { return None };
    let target = &day.target;
    let wished = day.yes || day.full || day.print_env || day.price || day.only.is_some();
    let more = day.from.is_some() || day.junit.is_some() || target.project.is_some();
    let given = !day.attest.is_empty() || !day.answer.is_empty();
    let own = target.app.is_some() || target.exec.is_some();
    (!wished && !more && !given && !own).then_some(lesson)
}

/// Whether a line begins a conversation, where a person sits before the terminal.
pub(crate) fn is_conversation(line: &Line) -> bool {
    !line.global.json && line.command.as_ref().and_then(conversation).is_some()
}

/// Whether what is said must not depend on a terminal.
const fn for_build_servers(line: &Line) -> bool {
    matches!(&line.command, Some(Command::Check(check)) if check.ci)
}

/// Whether a command keeps little in memory however long it runs: what waits for events, and what reads in streams.
#[cfg(target_os = "linux")]
const fn holds_little(command: &Command) -> bool {
    matches!(
        command,
        Command::Listen(_)
            | Command::Ledger { .. }
            | Command::Reconcile(_)
            | Command::CatchUp(_)
            | Command::Shop(_)
    )
}

/// The same of words that nobody has read yet: what is read in the meantime stays on the pages that it was put on.
#[cfg(target_os = "linux")]
pub(crate) fn may_hold_little(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).filter(|it| !it.as_encoded_bytes().starts_with(b"-"));
    let little = ["listen", "ledger", "reconcile", "catch-up", "shop"];
    words.next().is_some_and(|word| little.iter().any(|name| word == name))
}

/// Threads for what serves others while it works; one thread for the rest.
fn runtime(command: Option<&Command>) -> std::io::Result<Runtime> {
    let serves = matches!(
        command,
        Some(
            Command::Sandbox(_)
                | Command::Listen(_)
                | Command::Shop(_)
                | Command::Check(_)
                | Command::Dev { .. }
        )
    ) || command.and_then(day_of).is_some();
    let mut builder =
        if serves { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(2).enable_all().build()
}

/// Runs `work`; when the person interrupts, it is asked to stop and given time to.
async fn interruptible(
    mut stop: Stop,
    mut hurry: Stop,
    work: impl Future<Output = Result<Report, Fault>>,
) -> Result<Report, Fault> {
    tokio::pin!(work);
    tokio::select! {
        answer = &mut work => return answer,
        () = stop.wait() => {}
    }
    tokio::select! {
        answer = work => answer,
        () = tokio::time::sleep(GRACE) => Err(FaultKind::Interrupted.into()),
        () = hurry.wait() => Err(FaultKind::Interrupted.into()),
    }
}

/// Hosts the sandbox, or does something to one that is running.
async fn host(
    asked: args::Sandbox,
    context: &Context,
    reader: &Reader<'_>,
) -> Result<Report, Fault> {
    match asked.command {
        None => sandbox::run(context, reader.sandbox(&asked, &context.config)?).await,
        Some(SandboxCommand::Worlds { command }) => {
            worlds::run(context, &options::worlds(command)).await
        }
        Some(SandboxCommand::Account { command }) => {
            account::run(context, &reader.account(command)?).await
        }
        Some(SandboxCommand::Keys { command }) => keys::run(context, &options::keys(command)).await,
        Some(SandboxCommand::Fault { command }) => {
            fault::run(context, &request_args::fault(command)).await
        }
    }
}

/// Opens the merchant's application, or moves its database.
async fn open(asked: args::Shop, context: &Context) -> Result<Report, Fault> {
    match asked.command {
        Some(ShopCommand::Migrate(migrate)) => shop_migrate::run(context, &migrate.from).await,
        None => shop::run(context, &options::shop(asked)).await,
    }
}

/// Runs a lesson as the manifest says that it begins.
async fn lesson(context: &Context, id: &str, options: &RunOptions) -> Result<Report, Fault> {
    let all = library().manifest().map_err(|it| of_lesson(&it))?;
    let report = match all.find(id).map(|it| it.opening) {
        Some(Opening::Round) => round::run(context, id, options).await,
        _ => day::run(context, id, options).await,
    }?;
    let whole = options.only.is_none() && options.from.is_none() && !options.print_env;
    if whole && options.candidate.track() == Track::Shop {
        note_shown(context, id)?;
    }
    Ok(report)
}

pub(crate) async fn dispatch(
    command: Option<Command>,
    context: &Context,
    reader: &Reader<'_>,
) -> Result<Report, Fault> {
    let config = &context.config;
    let Some(command) = command else { return home::run(context).await };
    match command {
        Command::Day(asked) => lesson(context, &asked.lesson, &reader.day(&asked.day)?).await,
        Command::CatchUp(asked) => catch_up::run(context, reader.catch_up(&asked)?).await,
        Command::Checkout(asked) => {
            let browser = config.has_display && out::is_terminal();
            let then = reader.then(&asked, browser)?;
            checkout::run(context, &reader.order(&asked, config)?, &then).await
        }
        Command::Listen(asked) => listen::run(context, reader.listen(asked, config)?).await,
        Command::Ledger { command: Ledger::Show(asked), .. } => {
            let parts = parts(reader.canvas, false);
            ledger::run(context, reader.ledger(&asked)?, parts)
        }
        Command::Ledger { command: Ledger::Book(asked), .. } => {
            let text = matches!(&asked, LedgerBook::Export(it) if it.format != BookFormat::Csv);
            let parts = parts(reader.canvas, text);
            book::run(context, options::book(asked), parts).await
        }
        Command::Reconcile(asked) => compare(&asked, context, reader).await,
        Command::Logs(asked) => logs::run(context, &request_args::logs(asked)).await,
        Command::Clock { command } => clock::run(context, &options::clock(command)).await,
        Command::Sandbox(asked) => host(asked, context, reader).await,
        Command::Deliver(asked) => {
            deliver::run(context, &asked.event, asked.tamper.map(Tampered::tamper)).await
        }
        Command::Sign(asked) => deliver::sign(context, &asked.event, asked.explain).await,
        Command::Merchant(asked) => trade(asked, context, reader).await,
        Command::Setup(asked) => setup::run(context, &reader.setup(asked, config)?).await,
        Command::Shop(asked) => open(asked, context).await,
        Command::Trigger(args::Trigger { kind: Some(kind), on, set }) => {
            trigger::run(context, &kind, &Asked { on, set }).await
        }
        Command::Trigger(_) => Ok(trigger::list()),
        Command::Events { command } => events::run(context, &reader.events(command, config)?).await,
        Command::Cards { filter } => cards::run(filter.as_deref()),
        Command::Doctor => Ok(doctor::run(context).await),
        Command::EnvExample | Command::Keep { .. } => Ok(Report::Silent),
        Command::Contract => Ok(Report::Contract),
        Command::Check(asked) => {
            check::run(context, &reader.check(&asked, out::is_terminal())?).await
        }
        Command::Status => status::run(context),
        Command::Hint(asked) => hint::run(context, asked.code.as_deref(), asked.tier),
        Command::Solution(asked) => solution::run(context, &options::solution(&asked)),
        Command::Starter { language, folder } => starter::run(&language, &folder),
        Command::Report(asked) => {
            report::run(context, &options::report(&asked, reader.json), view::report::render)
        }
        Command::VerifyReport { file, against } => {
            verify_report::run(context, &file, against.as_ref(), view::report::render)
        }
        Command::Progress { command: Progress::Export { file } } => {
            progress::export(context, file.as_deref())
        }
        Command::Progress { command: Progress::Import { file } } => {
            progress::import(context, &file)
        }
        Command::Explain { name } => explain::run(context, name.as_deref()),
        Command::Reset(asked) => reset::run(context, &options::reset(&asked)).await,
        Command::Dev { command: Dev::Items } => items::run(config.locale),
        Command::Dev { command: Dev::Check(asked) } => {
            dev::run(context, options::parses, options::scope(&asked).as_ref()).await
        }
    }
}

/// Does what a merchant does.
async fn trade(asked: Merchant, context: &Context, reader: &Reader<'_>) -> Result<Report, Fault> {
    match asked.command.work {
        Work::PayPage => {
            let means = reader.means("--with", asked.text("with"))?;
            checkout::pay(context, asked.text("session"), &means).await
        }
        Work::Sync => plan_sync::run(context, Path::new(asked.text("file"))).await,
        Work::Kept(kept) => shop_data::run(context, reader.merchant(asked)?, kept).await,
        _ => merchant::run(context, reader.merchant(asked)?).await,
    }
}

/// Where rows of any number go part by part: where they are for programs, or are a `text` for one. A table has only as
/// many as a person reads.
fn parts(canvas: &Canvas, text: bool) -> Option<Parts> {
    let format = if text { Format::Text } else { canvas.format };
    let canvas = Canvas { format, ..canvas.clone() };
    (text || format != Format::Text).then(|| view::parts::sink(&canvas, out::stream()))
}

async fn compare(
    asked: &Reconcile,
    context: &Context,
    reader: &Reader<'_>,
) -> Result<Report, Fault> {
    let options = reader.reconcile(asked)?;
    reconcile::run(context, options, sink(asked, reader.canvas)?).await
}

/// Where the rows of a comparison go one by one, where they do.
fn sink(asked: &Reconcile, canvas: &Canvas) -> Result<Option<reconcile::Sink>, Fault> {
    let Some(form) = asked.format.form() else { return Ok(None) };
    let out: view::findings::Out = match &asked.output {
        None => out::stream(),
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| Fault::file(path, error))?;
            Box::new(std::io::BufWriter::new(file))
        }
    };
    Ok(Some(view::findings::sink(form, canvas, out)))
}

fn show(report: &Report, canvas: &Canvas, quiet: bool, pager: Option<&str>) -> ExitCode {
    if !quiet && let Some(text) = view::render(report, canvas) {
        let pager = pager.filter(|_| report.is_table());
        if !pager.is_some_and(|pager| pager::show(pager, text.trim_end())) {
            out::data(&text);
        }
    }
    if out::is_lost() {
        return fail(&FaultKind::File { path: "stdout".to_owned() }.into(), canvas);
    }
    match report {
        Report::Listened(listened) if listened.interrupted => ExitCode::from(exit::INTERRUPTED),
        _ if report.is_well() => ExitCode::from(exit::SUCCESS),
        _ => ExitCode::from(exit::DIFFERENCES),
    }
}

fn format(line: &Line) -> Format {
    let shape = match &line.command {
        Some(Command::Ledger { command: Ledger::Show(show), .. }) => show.format,
        Some(Command::Ledger { command: Ledger::Book(book), .. }) => match book {
            LedgerBook::Journal(journal) => journal.format,
            LedgerBook::Export(export) if export.format == BookFormat::Csv => Shape::Csv,
            LedgerBook::Export(_) => Shape::Table,
            LedgerBook::Import(import) => import.format,
            LedgerBook::Migrate(migrate) => migrate.format,
            LedgerBook::Accounts(it)
            | LedgerBook::Balance(it)
            | LedgerBook::Compact(it)
            | LedgerBook::Problems(it)
            | LedgerBook::Rebuild(it)
            | LedgerBook::Verify(it) => it.format,
        },
        Some(Command::Shop(args::Shop { command: Some(ShopCommand::Migrate(it)), .. })) => {
            it.format
        }
        Some(Command::Reconcile(reconcile)) => reconcile.format.shape(),
        command if build_server::wants_json(&build_server::asked(command.as_ref())) => Shape::Json,
        _ => Shape::Table,
    };
    match shape {
        Shape::Table | Shape::Csv if line.global.json => Format::Json,
        Shape::Table => Format::Text,
        Shape::Json => Format::Json,
        Shape::Csv => Format::Csv,
    }
}
