//! The command line as clap reads it. What `--help` says stands in the Fluent files under `help-…`; the
//! comments here are for whoever reads the code.

use crate::app::course::books::Source;
use crate::cli::course_args::{Check, Dev, Progress, ReportAsked, Solution};
use crate::cli::deliver_args::{Deliver, Setup, Sign};
use crate::cli::grammar::lessons_and;
use crate::cli::ledger_args::{CatchUp, LedgerBook, LedgerShow, Migrate};
use crate::cli::merchant_args::Merchant;
use crate::cli::reconcile_args::Reconcile;
use crate::cli::request_args::Logs;
use crate::cli::sandbox_args;
use crate::cli::values::{self, beats, whole};
use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(
    name = "stripegym",
    bin_name = "stripegym",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true
)]
pub(crate) struct Line {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Language of everything said.
    #[arg(long, global = true, value_name = "ja|en", value_parser = ["ja", "en"])]
    pub(crate) lang: Option<String>,
    /// JSON on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Sandbox or Stripe.
    #[arg(long, global = true, value_name = "sandbox|stripe", value_parser = ["sandbox", "stripe"])]
    pub(crate) mode: Option<String>,
    /// Allows a live key.
    #[arg(long, global = true)]
    pub(crate) live: bool,
    /// Folder of ledger and sandbox.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<String>,
    /// World of the sandbox.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) world: Option<String>,
    /// No colours.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Logs to stderr; more letters, more logs.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Help.
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Version.
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// A lesson by its name.
    Day(Lesson),
    /// Brings the ledger what happened while nobody listened.
    CatchUp(CatchUp),
    /// Creates a Checkout Session and waits for its payment.
    Checkout(Checkout),
    /// Receives webhooks into the ledger.
    Listen(Listen),
    /// The ledger.
    Ledger {
        /// Where it is, when it is no file of the folder.
        #[arg(long, global = true, value_name = "postgres://…")]
        ledger: Option<String>,
        #[command(subcommand)]
        command: Ledger,
    },
    /// Compares ledger and provider.
    Reconcile(Reconcile),
    /// Hosts the sandbox.
    Sandbox(Sandbox),
    /// The request log.
    Logs(Logs),
    /// The sandbox's clocks.
    Clock {
        #[command(subcommand)]
        command: sandbox_args::Clock,
    },
    /// Sends one event by hand.
    Deliver(Deliver),
    /// Signs one event by hand.
    Sign(Sign),
    /// What a merchant does by the API.
    #[command(flatten)]
    Merchant(Merchant),
    /// Keeps a card.
    Setup(Setup),
    /// The merchant's application.
    Shop(Shop),
    /// Makes an event happen.
    Trigger(Trigger),
    /// Events of the provider.
    Events {
        #[command(subcommand)]
        command: Events,
    },
    /// Test cards.
    Cards {
        /// Which: a group, a number, a token, a brand, a country or a decline code, whole or in part.
        #[arg(value_name = "FILTER")]
        filter: Option<String>,
    },
    /// Looks for what could stop you.
    Doctor,
    /// Grades.
    Check(Check),
    /// What a server has to have.
    Contract,
    /// Where the learner stands.
    Status,
    /// The next hint.
    Hint(Hint),
    /// How it can be done.
    Solution(Solution),
    /// A shop to begin with.
    Starter {
        /// Its language.
        #[arg(value_name = "LANGUAGE", value_parser = ["python", "node", "rust"])]
        language: String,
        /// Where it is written.
        #[arg(value_name = "DIR")]
        folder: std::path::PathBuf,
    },
    /// What was reached, to hand on.
    Report(ReportAsked),
    /// Whether a report holds.
    VerifyReport {
        /// The report.
        #[arg(value_name = "FILE")]
        file: std::path::PathBuf,
        /// The progress to hold it against.
        #[arg(long, value_name = "FILE")]
        against: Option<std::path::PathBuf>,
    },
    /// Carries progress.
    Progress {
        #[command(subcommand)]
        command: Progress,
    },
    /// A code or a topic.
    Explain {
        /// Which.
        #[arg(value_name = "CODE|TOPIC")]
        name: Option<String>,
    },
    /// Sets back.
    Reset(Reset),
    /// For authors of lessons.
    Dev {
        #[command(subcommand)]
        command: Dev,
    },
    /// Prints `.env.example`.
    #[command(hide = true)]
    EnvExample,
    /// Keeps a program that was started for a run.
    #[command(hide = true)]
    Keep {
        /// What starts it.
        #[arg(value_name = "COMMAND")]
        command: String,
    },
}

/// `stripegym checkout`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Checkout {
    /// Price of one, in minor units.
    #[arg(long, value_name = "MINOR", value_parser = whole::<i64>(1, 99_999_999),
          conflicts_with_all = ["price", "lookup_key"])]
    pub(crate) amount: Option<i64>,
    /// Currency of the amount.
    #[arg(long, value_name = "CODE", default_value = "jpy", conflicts_with_all = ["price", "lookup_key"])]
    pub(crate) currency: String,
    /// What is sold.
    #[arg(long, conflicts_with_all = ["price", "lookup_key"])]
    pub(crate) name: Option<String>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<i64>(1, 999_999))]
    pub(crate) quantity: i64,
    /// A price that exists.
    #[arg(long, value_name = "price_…", conflicts_with = "lookup_key")]
    pub(crate) price: Option<String>,
    /// A price by its lookup key.
    #[arg(long, value_name = "KEY")]
    pub(crate) lookup_key: Option<String>,
    /// Metadata of the session.
    #[arg(long, value_name = "K=V")]
    pub(crate) metadata: Vec<String>,
    /// E-mail of the customer.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Where the page leads after payment.
    #[arg(long, value_name = "URL")]
    pub(crate) success_url: Option<String>,
    /// Where the back link leads.
    #[arg(long, value_name = "URL")]
    pub(crate) cancel_url: Option<String>,
    /// Pays in place of a person.
    #[arg(long, value_name = "CARD|decline|3ds|konbini|cancel", conflicts_with_all = ["no_wait", "open"])]
    pub(crate) pay: Option<String>,
    /// Prints and ends.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Opens a browser.
    #[arg(long, overrides_with = "no_open")]
    pub(crate) open: bool,
    /// Opens no browser.
    #[arg(long)]
    pub(crate) no_open: bool,
}

/// `stripegym listen`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Listen {
    /// Where the ledger is, when it is no file of the folder.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) ledger: Option<String>,
    /// Port to listen on.
    #[arg(long, value_parser = whole(0, u16::MAX))]
    pub(crate) port: Option<u16>,
    /// Ends after this time.
    #[arg(long = "for", value_name = "60s")]
    pub(crate) lasting: Option<String>,
    /// Ends after an event of this type.
    #[arg(long, value_name = "TYPE")]
    pub(crate) until: Option<String>,
    /// Ends after this many deliveries.
    #[arg(long, value_name = "N", value_parser = whole(1, u64::MAX))]
    pub(crate) count: Option<u64>,
    /// Passes the exact bytes on.
    #[arg(long, value_name = "URL", value_parser = values::callable)]
    pub(crate) forward_to: Option<String>,
    /// Prints the signing secret.
    #[arg(long)]
    pub(crate) print_secret: bool,
    /// The certificate to speak TLS with.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<std::path::PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<std::path::PathBuf>,
}

/// `stripegym shop`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Shop {
    #[command(subcommand)]
    pub(crate) command: Option<ShopCommand>,
    /// Where the ledger is and the shop's own database, when they are no files of the folder.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) ledger: Option<String>,
    /// Port to listen on.
    #[arg(long, value_parser = whole(0, u16::MAX))]
    pub(crate) port: Option<u16>,
    /// What is sold.
    #[arg(long, value_name = "FILE")]
    pub(crate) plans: Option<std::path::PathBuf>,
}

/// `stripegym shop …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ShopCommand {
    /// Takes its database's file over to a server.
    Migrate(Migrate),
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    #[default]
    Table,
    Json,
    Csv,
}

/// `stripegym ledger …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Shows its rows.
    Show(LedgerShow),
    /// The book behind them.
    #[command(flatten)]
    Book(LedgerBook),
}

/// `stripegym sandbox`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    pub(crate) command: Option<sandbox_args::SandboxCommand>,
    /// Port; 0 picks a free one.
    #[arg(long, value_parser = whole(0, u16::MAX))]
    pub(crate) port: Option<u16>,
    /// Address other than loopback.
    #[arg(long, value_name = "ADDRESS", value_parser = values::address)]
    pub(crate) bind: Option<std::net::IpAddr>,
    /// Keeps everything in memory.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// How many objects and records are kept.
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX))]
    pub(crate) max_objects: Option<u64>,
    /// The seed of its ids.
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Where its clock stands.
    #[arg(long, value_name = "WHEN")]
    pub(crate) now: Option<String>,
    /// How deliveries are retried.
    #[arg(long, value_name = "sandbox|live|instant|1s,5s,…", default_value = "sandbox")]
    pub(crate) retry_schedule: String,
    /// Hosts beyond loopback that webhooks are delivered to.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) deliver_to: Vec<String>,
    /// Webhooks are delivered anywhere.
    #[arg(long)]
    pub(crate) allow_remote_webhooks: bool,
    /// Where Creem's webhooks go.
    #[arg(long, value_name = "URL", value_parser = values::callable)]
    pub(crate) creem_webhook: Option<String>,
    /// What they are signed with.
    #[arg(long, value_name = "whsec_…", requires = "creem_webhook")]
    pub(crate) creem_secret: Option<String>,
}

/// `stripegym trigger`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Trigger {
    /// The event type; without it, the types that can be made to happen.
    #[arg(value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The object of yours that it happens to.
    #[arg(long, value_name = "ID", requires = "kind")]
    pub(crate) on: Option<String>,
    /// Parameters of the calls that are to be otherwise.
    #[arg(long, value_name = "PATH=VALUE", requires = "kind", value_parser = values::pair)]
    pub(crate) set: Vec<(String, String)>,
}

/// `stripegym events …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Events {
    /// The newest events.
    List(EventsList),
    /// One event as JSON.
    Show {
        /// Its id.
        #[arg(value_name = "evt_…")]
        id: String,
    },
    /// Delivers one event again.
    Resend {
        /// Its id.
        #[arg(value_name = "evt_…")]
        id: String,
    },
}

/// `stripegym events list`.
#[derive(Clone, Debug, Args)]
pub(crate) struct EventsList {
    /// Only events of this type.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<u32>(1, 100))]
    pub(crate) limit: u32,
}

/// `stripegym day NAME`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lesson {
    /// Its name.
    #[arg(value_name = "LESSON", value_parser = lessons_and(&[]))]
    pub(crate) lesson: String,
    #[command(flatten)]
    pub(crate) day: Day,
}

/// What a lesson takes.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each by itself")]
pub(crate) struct Day {
    /// Only this beat.
    #[arg(long, value_name = "BEAT", value_parser = beats(), conflicts_with = "from")]
    pub(crate) only: Option<String>,
    /// From this beat on.
    #[arg(long, value_name = "BEAT", value_parser = beats())]
    pub(crate) from: Option<String>,
    /// The whole lesson.
    #[arg(long)]
    pub(crate) full: bool,
    /// Asks nothing.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// XML as `JUnit` has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<std::path::PathBuf>,
    /// Attests a check.
    #[arg(long, value_name = "ID")]
    pub(crate) attest: Vec<String>,
    /// Only prints its environment.
    #[arg(long)]
    pub(crate) print_env: bool,
    /// Answers a question.
    #[arg(long, value_name = "K=V")]
    pub(crate) answer: Vec<String>,
    /// Sells a price that exists.
    #[arg(long)]
    pub(crate) price: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Whose work is graded; what the days and `check` take alike.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("own").args(["app", "exec"]).multiple(true)))]
pub(crate) struct Target {
    /// The learner's application.
    #[arg(long, value_name = "URL")]
    pub(crate) app: Option<String>,
    /// Starts the learner's application.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// Where its webhook is.
    #[arg(long, value_name = "PATH", requires = "own")]
    pub(crate) webhook_path: Option<String>,
    /// Whether it has no pages.
    #[arg(long, requires = "own")]
    pub(crate) webhook_only: bool,
    /// Where its ledger is.
    #[arg(long, value_name = "sqlite:PATH|postgres://…", requires = "own")]
    pub(crate) ledger: Option<Source>,
    /// Where its checkout begins.
    #[arg(long, value_name = "PATH", requires = "own")]
    pub(crate) checkout_path: Option<String>,
    /// Where its ledger is shown.
    #[arg(long, value_name = "PATH", requires = "own", conflicts_with_all = ["ledger", "ledger_cmd", "no_ledger"])]
    pub(crate) ledger_path: Option<String>,
    /// Whether it shows none.
    #[arg(long, requires = "own", conflicts_with_all = ["ledger", "ledger_cmd"])]
    pub(crate) no_ledger: bool,
    /// The version of its endpoint.
    #[arg(long, value_name = "VERSION", requires = "own")]
    pub(crate) api_version: Option<String>,
    /// What prints its ledger.
    #[arg(long, value_name = "COMMAND", conflicts_with = "ledger", requires = "own")]
    pub(crate) ledger_cmd: Option<String>,
    /// The project's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<std::path::PathBuf>,
    /// Lets lessons that did not come with the program run commands.
    #[arg(long)]
    pub(crate) allow_exec: bool,
}

/// `stripegym hint`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Hint {
    /// Which check; without it, the first open one.
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Up to which hint.
    #[arg(long, value_name = "1-3", value_parser = whole::<u8>(1, 3))]
    pub(crate) tier: Option<u8>,
}

/// `stripegym reset`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reset {
    /// What is set back.
    #[arg(value_name = "WHAT", value_parser = lessons_and(&["ledger", "sandbox"]),
          required_unless_present = "all", conflicts_with = "all")]
    pub(crate) what: Option<String>,
    /// Everything.
    #[arg(long)]
    pub(crate) all: bool,
}
