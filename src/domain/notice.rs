//! What a command says while it runs, as data.

pub use crate::domain::ledger_state::LedgerState;

use crate::domain::course::graded::{Graded, Means, Round};
use crate::domain::course::outcome::CheckResult;
use crate::domain::course::statement::Statement;
use crate::domain::fault::Fault;
use crate::domain::money::Money;
use crate::domain::report::Tried;
use crate::domain::request::RequestRow;
use crate::domain::time::Timestamp;

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It is in the ledger's file, and changed the ledger where `booked`.
    Recorded {
        /// Whether a row of the ledger changed.
        booked: bool,
    },
    /// It is in the ledger's file, and speaks of money that could not be booked.
    NotBooked {
        /// Why.
        problem: String,
    },
    /// The event had been received before; nothing changed.
    Duplicate,
    /// It was refused with this status.
    Rejected {
        /// The HTTP status of the answer.
        status: u16,
        /// A stable name of the reason.
        reason: String,
    },
}

/// One delivery that the listener answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When it was answered.
    pub at: Timestamp,
    /// `evt_…`, where it could be read.
    pub event: Option<String>,
    /// The event's type, where it could be read.
    pub kind: Option<String>,
    /// How it ended.
    pub outcome: DeliveryOutcome,
    /// Milliseconds from the first byte to the answer.
    pub took_ms: u64,
    /// The answer of whom it was passed on to: a status, or why there is none.
    pub forwarded: Option<Result<u16, String>>,
}

/// Why a delivery was not passed on: whom it was for has a certificate that nobody vouches for.
pub const UNTRUSTED: &str = "certificate_not_trusted";

/// One step of `day0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sandbox answers.
    SandboxUp {
        /// Its base URL.
        base: String,
    },
    /// The listener is registered.
    ListenerUp {
        /// Where it listens.
        url: String,
    },
    /// A Checkout Session exists.
    Created {
        /// `cs_…`.
        session: String,
        /// Its total.
        total: Money,
        /// Its hosted page.
        url: String,
    },
    /// The hosted page was paid.
    Paid {
        /// The last four digits of the card.
        last4: String,
        /// `pi_…`.
        payment_intent: Option<String>,
        /// Where the page led afterwards.
        landed: String,
    },
    /// The signed event arrived.
    Heard {
        /// `evt_…`.
        event: String,
        /// Its type.
        kind: String,
        /// Milliseconds until it was durable and answered.
        took_ms: u64,
    },
    /// The ledger has the row.
    Booked {
        /// `cs_…`.
        session: String,
        /// Its status.
        status: String,
        /// Its amount.
        total: Money,
    },
    /// Ledger and provider were compared.
    Reconciled {
        /// Rows that are equal.
        matching: usize,
        /// Rows that differ.
        differing: usize,
    },
}

impl Step {
    /// Its number, from 1.
    pub const fn number(&self) -> u8 {
        match self {
            Self::SandboxUp { .. } => 1,
            Self::ListenerUp { .. } => 2,
            Self::Created { .. } => 3,
            Self::Paid { .. } => 4,
            Self::Heard { .. } => 5,
            Self::Booked { .. } => 6,
            Self::Reconciled { .. } => 7,
        }
    }

    /// A stable name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SandboxUp { .. } => "sandbox_up",
            Self::ListenerUp { .. } => "listener_up",
            Self::Created { .. } => "session_created",
            Self::Paid { .. } => "page_paid",
            Self::Heard { .. } => "event_received",
            Self::Booked { .. } => "ledger_row",
            Self::Reconciled { .. } => "reconciled",
        }
    }
}

/// What a day begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// `day3`.
    pub id: String,
    /// Its title in the language of the run.
    pub title: String,
    /// Its goal in one sentence.
    pub goal: String,
    /// Minutes that a person takes.
    pub minutes: u16,
    /// The beginning of its prose, or all of it.
    pub prose: String,
    /// Whether it is all of it.
    pub full: bool,
}

/// A session of a run, on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookSession {
    /// `cs_…`.
    pub id: String,
    /// Its total in minor units.
    pub amount: i64,
    /// The code of its currency.
    pub currency: String,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`.
    pub payment_status: String,
    /// The ledger's status, where it has a row.
    pub ledger: Option<String>,
    /// Whether the ledger says what the provider says.
    pub agrees: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The status of its PaymentIntent, where there is one.
    pub intent: Option<String>,
    /// The status of its charge, where there is one.
    pub charge: Option<String>,
}

/// A scenario of a day, over everything that it touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookScenario {
    /// Its title in the language of the run.
    pub title: String,
    /// What the application answered, oldest first: statuses without repetition; 0 where nobody answered.
    pub answers: Vec<u16>,
    /// How many attempts there were.
    pub attempts: usize,
    /// How many of them met a fault of the lesson.
    pub faults: usize,
    /// The ledger's status, where it has a row.
    pub ledger: Option<String>,
    /// The verdict of the comparison, where there is something to compare.
    pub verdict: Option<String>,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Its sessions, oldest first.
    pub sessions: Vec<LookSession>,
    /// Its scenarios, in the order of the day.
    pub scenarios: Vec<LookScenario>,
    /// Whether session, PaymentIntent and charge are shown side by side.
    pub objects: bool,
    /// Whether instants are shown in UTC and in local time.
    pub times: bool,
    /// Its events: type, how many, how many of them are not delivered.
    pub events: Vec<(String, u64, u64)>,
}

/// What is said while a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The sandbox takes requests.
    Ready {
        /// Its base URL.
        base: String,
    },
    /// The wished port was taken and another one is used.
    OtherPort {
        /// The port that was wished for.
        wished: u16,
        /// The address that is used.
        used: String,
    },
    /// More was said than was read meanwhile.
    LeftOut {
        /// How many notices are missing here.
        count: u64,
    },
    /// The sandbox listens beyond this machine.
    Exposed {
        /// Its address.
        address: String,
    },
    /// The command hosts the sandbox itself while it runs.
    Hosting {
        /// Its base URL.
        base: String,
    },
    /// The listener takes deliveries.
    Listening {
        /// Its URL.
        url: String,
        /// The endpoint at the provider, where it was registered.
        endpoint: Option<String>,
    },
    /// Events are fetched from the provider with its key.
    Polling {
        /// The provider's base URL.
        base: String,
    },
    /// Events could not be fetched; the next round makes up for it.
    PollFailed {
        /// What the provider or the ledger said.
        cause: String,
    },
    /// The ledger takes no deliveries for a while, or was moved.
    LedgerState {
        /// Its file.
        path: String,
        /// What is the matter.
        trouble: LedgerState,
    },
    /// The ledger takes deliveries again.
    LedgerBack {
        /// Its file.
        path: String,
    },
    /// Deliveries were not passed on, because too many were on their way.
    ForwardsDropped {
        /// How many.
        count: u64,
    },
    /// The signing secret, asked for by its owner.
    Secret {
        /// `whsec_…`.
        secret: String,
    },
    /// The learner's server was started and answers.
    Started {
        /// What started it.
        command: String,
        /// Where it answers.
        url: String,
        /// The file of its output.
        output: String,
    },
    /// What the learner's server needs in its environment.
    Surroundings {
        /// Names and values.
        variables: Vec<(&'static str, String)>,
        /// Whether secrets are shown, as their owner asked for.
        whole: bool,
    },
    /// The learner's server has a webhook and no pages.
    WebhookOnly {
        /// Its webhook.
        url: String,
    },
    /// The course was tried out on a program.
    Tried(Tried),
    /// A delivery was answered.
    Delivered(Delivery),
    /// A session waits for its payment.
    Open {
        /// `cs_…`.
        session: String,
        /// Its hosted page.
        url: String,
        /// Its total.
        total: Money,
    },
    /// A browser could not be opened.
    NoBrowser {
        /// What the system said.
        cause: String,
    },
    /// What an import came to.
    Imported {
        /// Lines read.
        read: u64,
        /// Lines that were new.
        fresh: u64,
    },
    /// How far catching up has come.
    CatchingUp {
        /// Everything before it is durable.
        until: Timestamp,
        /// What was read.
        read: usize,
        /// What of it was new.
        fresh: usize,
    },
    /// How far the ledger is packed.
    Compacting {
        /// Lines packed.
        done: u64,
        /// Lines to pack.
        all: u64,
    },
    /// How far a comparison has come.
    Comparing {
        /// Rows read.
        rows: u64,
        /// Rows a second.
        per_second: u64,
        /// Seconds that are left, where that can be told.
        left_s: Option<u64>,
        /// Whether all are read.
        merging: bool,
    },
    /// In which encoding a file was read.
    Encoding {
        /// The file.
        path: String,
        /// Its encoding.
        encoding: &'static str,
    },
    /// Whether what was planned is to be done.
    FixQuestion {
        /// How many differences it would mend.
        count: usize,
    },
    /// Something is waited for.
    Waiting {
        /// Seconds since waiting began.
        seconds: u64,
    },
    /// A step of `day0` is done.
    Step(Step),
    /// A day begins.
    Lesson(Opening),
    /// Documents that a project lacks were written as a proposal.
    Proposed {
        /// Where they are.
        folder: String,
        /// Their names.
        names: Vec<String>,
    },
    /// A project's `.env` was made from its `.env.example`.
    EnvMade {
        /// Its path.
        path: String,
    },
    /// Commands of a README are going to be run.
    WillRun {
        /// The folder of the project.
        folder: String,
        /// The commands with their lines.
        commands: Vec<(usize, String)>,
    },
    /// A step of a day is done.
    LessonStep {
        /// Its name within the day.
        name: String,
        /// What it does, in the language of the run.
        what: String,
        /// What does the same by hand.
        by_hand: Vec<String>,
        /// What it fell short of, where it did.
        short: Option<Statement>,
    },
    /// What came of the run so far.
    Look(Look),
    /// What questions are about, as JSON or as a table.
    Shown {
        /// The text.
        text: String,
    },
    /// A person is asked a question of a check.
    Asked {
        /// Its words.
        text: String,
    },
    /// A person is asked for their word, to be answered with yes or no.
    AskedWord {
        /// The check.
        id: String,
        /// What holds when it is so.
        title: String,
    },
    /// An answer was judged.
    Answered {
        /// What was answered.
        given: String,
        /// What is wrong with it, where it is wrong.
        wrong: Option<String>,
    },
    /// A check was run.
    Checked(Box<CheckResult>),
    /// A file of the solution follows.
    SolutionOf {
        /// `day3`.
        day: String,
        /// Its path, `python/webhook.py`.
        path: String,
    },
    /// A day was graded.
    Graded(Box<Graded>),
    /// A folder is watched.
    Watching {
        /// The folder.
        folder: String,
        /// How.
        means: Means,
        /// Why it is looked through, where it is.
        why: Option<String>,
    },
    /// Days were graded once more.
    Round(Box<Round>),
    /// Days could not be graded this time.
    RoundFailed {
        /// The round's number.
        number: u64,
        /// Why.
        fault: Box<Fault>,
    },
    /// The log of requests is followed.
    Following {
        /// The sandbox's base URL.
        base: String,
    },
    /// A request was answered: a row of the log that is followed.
    Request(RequestRow),
    /// A call of a scenario was made.
    Called {
        /// HTTP method.
        method: &'static str,
        /// Path below `/v1`.
        path: String,
        /// The id of the object in the answer, or the error's code.
        answer: String,
    },
}
