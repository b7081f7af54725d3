//! The failures that a person meets, as data: what happened and where. `view::fault` has the words,
//! `cli::exit` the codes.

use crate::domain::data_file::{DataFile, FileState};
use std::path::Path;

/// Which of the exit codes a failure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The command line was wrong.
    Usage,
    /// The surroundings failed: a port, the network, the disk, the provider.
    Environment,
    /// A fixture, a lesson or an export is broken.
    Content,
    /// Going on would have been unsafe.
    Refused,
    /// A bug of this program.
    Bug,
    /// The person stopped it.
    Interrupted,
}

/// What went wrong on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// There is no such flag; perhaps another was meant.
    UnknownFlag {
        /// The flag as typed.
        flag: String,
        /// The nearest flag that exists.
        meant: Option<String>,
    },
    /// A number below zero, where none is taken.
    Negative {
        /// The number as typed.
        value: String,
    },
    /// There is no such command; perhaps another was meant.
    UnknownCommand {
        /// The command as typed.
        command: String,
        /// The nearest command that exists.
        meant: Option<String>,
    },
    /// The value does not fit the flag.
    BadValue {
        /// The flag or positional argument.
        flag: String,
        /// The value as typed.
        value: String,
        /// The values or the form that would fit.
        expected: String,
    },
    /// Something that is needed was not given.
    Missing {
        /// The flags or arguments that lack.
        what: String,
    },
    /// Two flags exclude each other.
    Conflict {
        /// The flag that cannot be used.
        flag: String,
        /// With what it conflicts.
        other: String,
    },
    /// Anything else, in clap's words.
    Other {
        /// The first line of clap's message.
        message: String,
    },
}

/// Why a server that was to be started does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// There is no such command.
    NotFound,
    /// It ended before it answered.
    Exited {
        /// `exit 1`, `signal 9`.
        how: String,
    },
    /// It runs and does not answer.
    Silent {
        /// Where it answers instead, where it says so.
        elsewhere: Option<String>,
    },
    /// Somebody else answers there already.
    Taken,
    /// This system has no groups of processes.
    #[cfg_attr(unix, expect(dead_code, reason = "built where there are none"))]
    NotHere,
}

/// What happened, with the facts that a sentence about it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The command line was wrong.
    Usage {
        /// What was wrong.
        usage_error: UsageError,
        /// The command whose help tells more, `stripegym checkout`.
        command: String,
    },
    /// A setting has a value that cannot be used.
    Setting {
        /// Name of the setting.
        name: String,
        /// Where the value came from: a flag, the environment, a file.
        origin: String,
        /// The form that would be accepted.
        expected: String,
    },
    /// A live key was found and `--live` was not given.
    LiveKey {
        /// Name of the setting.
        name: String,
        /// Where the value came from.
        origin: String,
    },
    /// A key is of another kind than its setting: a publishable one where the secret one belongs, or the reverse.
    KeySlot {
        /// Name of the setting.
        name: String,
        /// Where the value came from.
        origin: String,
        /// Whether the publishable key was found.
        publishable: bool,
    },
    /// The mode asks for a key and there is none.
    KeyMissing,
    /// The command belongs to the sandbox and the mode is `stripe`.
    SandboxOnly {
        /// The command, `stripegym trigger`.
        command: String,
    },
    /// An address cannot be listened on.
    PortTaken {
        /// Address and port.
        address: String,
        /// What the command is, for the suggestion of another port.
        command: String,
    },
    /// A file is not one of ours, or of another version.
    NotOurs {
        /// The file.
        path: String,
        /// What it should be.
        expected: String,
    },
    /// A file of plans is not written as it should be.
    PlanFile {
        /// The file.
        path: String,
    },
    /// A side of a comparison cannot be read.
    Incomparable {
        /// Which.
        what: String,
    },
    /// A file that would be written is there already.
    InTheWay {
        /// The file.
        path: String,
    },
    /// The learner's server does not answer.
    AppDown {
        /// Where it should.
        url: String,
        /// Where somebody answers at its port instead.
        elsewhere: Option<String>,
    },
    /// The provider did not answer.
    ProviderDown {
        /// Its base URL.
        base: String,
    },
    /// The provider answered with an error.
    ProviderRefused {
        /// HTTP status.
        status: u16,
        /// `error.message`.
        message: String,
        /// `error.code`, where there is one.
        code: Option<String>,
        /// `error.param`, where there is one.
        param: Option<String>,
        /// `Request-Id`, where there is one.
        request: Option<String>,
    },
    /// The provider's answer is not what its documentation promises.
    ProviderOdd {
        /// What was asked for.
        what: String,
    },
    /// The hosted page did not behave as a page does.
    Page {
        /// Its address.
        url: String,
        /// What was looked for.
        what: String,
    },
    /// A file that keeps data cannot be used, or the server that it stands on.
    Data {
        /// Which.
        file: DataFile,
        /// Its path, or the server's address without a password.
        path: String,
        /// What is wrong with it.
        trouble: FileState,
    },
    /// The servers that were named are not those of one ledger, or do not do together what was asked.
    LedgerServers {
        /// Their addresses, without passwords.
        url: String,
        /// The command that fits.
        next: String,
    },
    /// The server has a ledger already, and another was to be taken over.
    LedgerThere {
        /// Its address, without a password.
        url: String,
        /// The file that was to be taken over.
        file: String,
    },
    /// The server has rows of a shop already, and those of a file were to be taken over.
    ShopThere {
        /// Its address, without a password.
        url: String,
    },
    /// A running program writes the ledger that is to be set back.
    LedgerInUse {
        /// Its file.
        path: String,
    },
    /// A file or folder cannot be used.
    File {
        /// Its path.
        path: String,
    },
    /// The event type has no scenario.
    NoScenario {
        /// The type as typed.
        kind: String,
        /// The nearest that has one.
        meant: Option<String>,
        /// The types that have one.
        known: Vec<String>,
    },
    /// A thing that was named does not exist.
    NotFound {
        /// What was looked for, with its name.
        what: String,
    },
    /// There is no check, cause or topic of this name.
    NoSuchCode {
        /// The name as typed.
        code: String,
    },
    /// Another run of the course is at work in the folder.
    CourseInUse {
        /// The folder.
        home: String,
    },
    /// No process hosts the sandbox of the folder, and the command works on a running one.
    SandboxNotRunning {
        /// The folder.
        home: String,
    },
    /// Another process hosts the sandbox.
    SandboxInUse {
        /// Where.
        base: String,
    },
    /// A lesson does not keep to its format.
    Lesson {
        /// `day3/lesson.toml`.
        file: String,
        /// The key or the line.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The application has none of the pages that a day is about.
    NoPages {
        /// `day1`.
        day: String,
        /// Where the application is.
        url: String,
    },
    /// The learner's server could not be started.
    Program {
        /// What starts it.
        command: String,
        /// Where it was to answer.
        address: String,
        /// Why it does not.
        how: StartError,
    },
    /// What was waited for did not come in time.
    TimedOut {
        /// What was waited for.
        what: String,
        /// Seconds waited.
        seconds: u64,
    },
    /// The page does not offer that way to pay for this amount.
    NotOffered {
        /// The way: `konbini`.
        method: String,
        /// What it takes.
        fits: String,
    },
    /// The person stopped the command.
    Interrupted,
    /// The person stopped what lived in memory alone.
    Gone,
    /// Something that cannot happen did.
    Bug {
        /// What was seen.
        what: String,
    },
}

impl FaultKind {
    /// Which exit code it belongs to.
    pub const fn class(&self) -> Class {
        match self {
            Self::Usage { .. } | Self::NoScenario { .. } | Self::NoSuchCode { .. } => Class::Usage,
            Self::LiveKey { .. } => Class::Refused,
            Self::Lesson { .. } | Self::NotOurs { .. } | Self::PlanFile { .. } => Class::Content,
            Self::Interrupted | Self::Gone => Class::Interrupted,
            Self::Bug { .. } => Class::Bug,
            Self::Setting { .. }
            | Self::KeySlot { .. }
            | Self::KeyMissing
            | Self::SandboxOnly { .. }
            | Self::PortTaken { .. }
            | Self::Incomparable { .. }
            | Self::InTheWay { .. }
            | Self::ProviderDown { .. }
            | Self::ProviderRefused { .. }
            | Self::ProviderOdd { .. }
            | Self::Page { .. }
            | Self::NotOffered { .. }
            | Self::Data { .. }
            | Self::LedgerServers { .. }
            | Self::LedgerThere { .. }
            | Self::ShopThere { .. }
            | Self::LedgerInUse { .. }
            | Self::File { .. }
            | Self::NotFound { .. }
            | Self::SandboxNotRunning { .. }
            | Self::SandboxInUse { .. }
            | Self::CourseInUse { .. }
            | Self::AppDown { .. }
            | Self::NoPages { .. }
            | Self::Program { .. }
            | Self::TimedOut { .. } => Class::Environment,
        }
    }

    /// A stable name for programs that read `--json`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Setting { .. } => "setting_invalid",
            Self::LiveKey { .. } => "live_key_refused",
            Self::KeySlot { .. } => "key_in_wrong_slot",
            Self::KeyMissing => "key_missing",
            Self::SandboxOnly { .. } => "sandbox_only",
            Self::PortTaken { .. } => "port_taken",
            Self::NotOurs { .. } => "not_ours",
            Self::PlanFile { .. } => "plan_file",
            Self::Incomparable { .. } => "incomparable",
            Self::InTheWay { .. } => "in_the_way",
            Self::ProviderDown { .. } => "provider_down",
            Self::ProviderRefused { .. } => "provider_refused",
            Self::ProviderOdd { .. } => "provider_odd",
            Self::Page { .. } => "page",
            Self::NotOffered { .. } => "not_offered",
            Self::Data { file, trouble, .. } => file.name(*trouble),
            Self::LedgerServers { .. } => "ledger_servers",
            Self::LedgerThere { .. } => "ledger_there",
            Self::ShopThere { .. } => "shop_there",
            Self::LedgerInUse { .. } => "ledger_in_use",
            Self::File { .. } => "file",
            Self::NoScenario { .. } => "no_scenario",
            Self::NotFound { .. } => "not_found",
            Self::Lesson { .. } => "lesson",
            Self::NoSuchCode { .. } => "no_such_code",
            Self::SandboxNotRunning { .. } => "sandbox_not_running",
            Self::SandboxInUse { .. } => "sandbox_in_use",
            Self::CourseInUse { .. } => "course_in_use",
            Self::AppDown { .. } => "app_down",
            Self::NoPages { .. } => "app_no_pages",
            Self::Program { how, .. } => match how {
                StartError::NotFound => "app_not_found",
                StartError::Exited { .. } => "app_exited",
                StartError::Silent { .. } => "app_silent",
                StartError::Taken => "app_port_taken",
                StartError::NotHere => "app_not_here",
            },
            Self::TimedOut { .. } => "timed_out",
            Self::Interrupted | Self::Gone => "interrupted",
            Self::Bug { .. } => "bug",
        }
    }
}

/// A problem with what the layer below said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened; boxed, because answers that may fail should stay small.
    pub kind: Box<FaultKind>,
    /// The technical cause in the words of whoever reported it.
    pub cause: Option<String>,
    /// What to type next, after the program's name, where the command knows better than the kind does.
    pub next: Option<String>,
}

impl Fault {
    /// The same with what to type next, unless that was known already.
    #[must_use]
    pub fn followed_by(self, next: Option<String>) -> Self {
        Self { next: self.next.or(next), ..self }
    }

    /// A fault with its technical cause.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error ends here: its caller has no more use for it"
    )]
    pub fn because(kind: FaultKind, cause: impl ToString) -> Self {
        Self { kind: Box::new(kind), cause: Some(cause.to_string()), next: None }
    }

    /// A file that cannot be read or written, with its technical cause.
    pub fn file(path: &Path, cause: impl ToString) -> Self {
        Self::because(FaultKind::File { path: path.display().to_string() }, cause)
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self { kind: Box::new(kind), cause: None, next: None }
    }
}
