//! What commands end with, as data. `view` turns it into text, JSON or CSV.

pub use crate::domain::place::Place;

use crate::domain::course::carried::Carried;
use crate::domain::course::graded::Checked;
use crate::domain::course::item::ItemProof;
use crate::domain::course::outcome::DayResult;
use crate::domain::course::progress_report::Verified;
use crate::domain::course::standing::{DayStatus, Explained, Hint};
use crate::domain::doctor::{Doctor, Weight};
use crate::domain::event::EventRow;
use crate::domain::merchant_command::noun::Noun;
use crate::domain::money::Money;
use crate::domain::reconcile::{Finding, Reconciliation, Record, Verdict};
use crate::domain::request::Told;
use crate::domain::sheet::Sheet;
use crate::domain::signed_delivery::{Delivered, Signed};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `stripegym` without a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Where it would work.
    pub place: Place,
    /// The key, masked, with where it came from.
    pub key: Option<(String, String)>,
    /// Rows of the ledger; `None` where there is no ledger yet.
    pub rows: Option<u64>,
    /// The lesson to begin with.
    pub first: Option<String>,
}

/// How waiting for a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nobody waited.
    Created,
    /// The money came.
    Paid,
    /// Complete, and the money is on its way.
    Processing,
    /// The card was declined; the session is still open.
    Declined,
    /// The customer went back to the shop; the session is still open.
    Canceled,
    /// The session expired.
    Expired,
}

impl Ending {
    /// A stable name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::Processing => "processing",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// Whether the customer has done all that was asked of them, or nobody waited for it.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Created | Self::Paid | Self::Processing)
    }
}

/// `stripegym checkout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Where it worked.
    pub place: Place,
    /// `cs_…`.
    pub session: String,
    /// The hosted page, while the session is open.
    pub url: Option<String>,
    /// Whether somebody answers at that page once the command has ended.
    pub page_stays: bool,
    /// The session's total.
    pub total: Money,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`.
    pub payment_status: String,
    /// `pi_…`, once there is one.
    pub payment_intent: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// What the page said to the customer, where it said something.
    pub message: Option<String>,
}

/// `stripegym listen`, when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listened {
    /// Deliveries that were answered.
    pub deliveries: u64,
    /// Events that were new.
    pub recorded: u64,
    /// Events that had been received before.
    pub duplicates: u64,
    /// Requests that were refused.
    pub rejected: u64,
    /// Whether the person stopped it.
    pub interrupted: bool,
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// What it says of its session.
    pub record: Record,
    /// Minor units that went back.
    pub refunded: i64,
    /// When the provider last said something new about it.
    pub updated: Timestamp,
    /// The event that last changed it; `None` where a reconciliation did.
    pub event_id: Option<String>,
}

impl LedgerRow {
    /// Whether what was bought is to be sent, as far as its money goes: it is there, or none was due.
    pub const fn is_to_send(&self) -> bool {
        use crate::domain::entry::EntryStatus::{NoPaymentRequired, Paid, PartiallyRefunded};
        matches!(self.record.status, Paid | PartiallyRefunded | NoPaymentRequired)
    }

    /// The same in a word. What the buyer's bank has taken was not paid for.
    pub const fn goods(&self, held: Disputed) -> &'static str {
        if self.is_to_send() && held.amount == 0 { "send" } else { "hold" }
    }
}

/// What the ledger comes to in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Rows of this currency, whatever their status.
    pub rows: u64,
    /// What was paid, refunds not taken off.
    pub paid: Money,
    /// What of it went back.
    pub refunded: Money,
}

/// `stripegym ledger show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Where it worked.
    pub place: Place,
    /// The rows, oldest first.
    pub rows: Vec<LedgerRow>,
    /// What disputes hold of its payments, by PaymentIntent; a table for people has none of that.
    pub disputes: Arc<BTreeMap<String, Disputed>>,
    /// Totals of what was asked for, by currency, whatever the limit.
    pub totals: Vec<Total>,
    /// Rows of the whole ledger.
    pub all: u64,
}

/// What the disputes of a payment come to, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disputed {
    /// What was taken and not given back.
    pub amount: i64,
    /// What was kept for it, won or lost.
    pub fee: i64,
}

/// `stripegym reconcile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// Where it worked.
    pub place: Place,
    /// The comparison, made anew after a repair.
    pub result: Reconciliation,
    /// What `--fix` did, or would do, about each difference; `None` where nobody asked.
    pub fixed: Option<Vec<Fixed>>,
}

/// What `--fix` did about one difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// What it is about: `cs_…`, `pi_…`.
    pub session: String,
    /// The verdict before.
    pub before: Verdict,
    /// What became of it.
    pub state: FixState,
}

/// What became of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixState {
    /// What the provider proves would be written.
    Planned,
    /// It was written.
    Done,
    /// The ledger had been told the same before.
    Unchanged,
    /// The provider does not prove what would have to be written: a person decides.
    Left,
}

impl FixState {
    /// The word that JSON uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Left => "left",
        }
    }
}

/// `stripegym catch-up`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Where it worked.
    pub place: Place,
    /// From when on.
    pub from: Timestamp,
    /// Up to when.
    pub to: Timestamp,
    /// Events read.
    pub events: usize,
    /// Objects read, from before the provider's events.
    pub objects: usize,
    /// What of it was new.
    pub fresh: usize,
    /// Entries of lists that are no events.
    pub unreadable: usize,
}

/// `stripegym ledger compact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Where it worked.
    pub place: Place,
    /// Lines whose bodies were packed now.
    pub lines: u64,
    /// The bytes of all events as they came.
    pub payload: u64,
    /// The file's bytes before.
    pub before: u64,
    /// The file's bytes after.
    pub after: u64,
}

/// `stripegym reconcile explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Where it worked.
    pub place: Place,
    /// What was asked about.
    pub id: String,
    /// What was found about it.
    pub findings: Vec<Finding>,
    /// The lines of the journal about it, oldest first: id, type, when it came.
    pub lines: Vec<(String, String, Timestamp)>,
}

/// `stripegym day0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day0 {
    /// The session that was paid.
    pub checkout: Checkout,
    /// The event that was heard.
    pub event: String,
    /// The comparison.
    pub reconciled: Reconciled,
    /// The checks of the day.
    pub course: DayResult,
    /// Milliseconds that it all took.
    pub took_ms: u64,
}

/// `stripegym dev check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonsChecked {
    /// Items by their letter: D, G, N, T, S, X.
    pub items: Vec<(char, usize)>,
    /// Commands quoted in prose that were parsed.
    pub commands: usize,
    /// Everything that is wrong, by file and key.
    pub problems: Vec<String>,
    /// Requests that were made or wanted beyond loopback.
    pub beyond: u64,
    /// The programs that the course was tried out on.
    pub tried: Vec<Tried>,
}

/// A program whose outcome is known, put before the course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// `python solution`, `node starter day3`, `mutant no_sig`.
    pub name: String,
    /// Milliseconds that it took.
    pub took_ms: u64,
    /// The checks that did not hold.
    pub failed: Vec<String>,
    /// What is wrong with how it came out.
    pub wrong: Option<String>,
}

/// Objects of the API, of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// Which kind.
    pub noun: &'static Noun,
    /// As the API answered.
    pub rows: Vec<serde_json::Value>,
    /// Whether it is a list, though it have one row.
    pub is_list: bool,
    /// Whether the list goes on.
    pub has_more: bool,
}

/// What a command ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Nothing more to say: the notices were all.
    Silent,
    /// What a server has to have to be graded.
    Contract,
    /// `stripegym`.
    Home(Home),
    /// `stripegym checkout`.
    Checkout(Checkout),
    /// `stripegym listen`.
    Listened(Listened),
    /// `stripegym ledger show`.
    Ledger(Ledger),
    /// The book behind the ledger, as a table.
    Sheet(Sheet),
    /// `stripegym reconcile`.
    Reconciled(Reconciled),
    /// `stripegym catch-up`.
    CaughtUp(CaughtUp),
    /// `stripegym ledger compact`.
    Compacted(Compacted),
    /// `stripegym reconcile explain`.
    Comparison(Box<Explanation>),
    /// What was written row by row while it was found: whether nothing differs.
    Streamed(bool),
    /// `stripegym day0`.
    Day0(Box<Day0>),
    /// A day of the course.
    Day(Box<DayResult>),
    /// `stripegym check`.
    Checked(Box<Checked>),
    /// `stripegym check --watch`, at its end: whether the last round was well.
    Watched(bool),
    /// `stripegym status`.
    Course(Vec<DayStatus>),
    /// `stripegym report` and `stripegym progress export`: the text itself.
    Document(String),
    /// `stripegym verify-report`.
    Verified(Box<Verified>),
    /// What was written, merged, held back or begun.
    Carried(Carried),
    /// `stripegym hint`.
    Hint(Hint),
    /// `stripegym explain`.
    Explained(Explained),
    /// `stripegym explain` without a topic: the topics.
    Topics(Vec<(String, String)>),
    /// `stripegym reset`: what was set back, and the folder with the backup.
    Reset {
        /// Files and days.
        what: Vec<String>,
        /// Where they are kept.
        backup: String,
    },
    /// `stripegym dev check`.
    Lessons(LessonsChecked),
    /// `stripegym dev items`.
    Items(Vec<ItemProof>),
    /// `stripegym cards`: those that a filter names, or all.
    Cards(Option<String>),
    /// `stripegym doctor`.
    Doctor(Doctor),
    /// `stripegym trigger` without a type: the types that have a scenario.
    Scenarios(Vec<&'static str>),
    /// `stripegym trigger TYPE`: the type and the newest event of it.
    Triggered {
        /// The type that was asked for.
        kind: String,
        /// The event that came of it, where one came.
        event: Option<String>,
    },
    /// `stripegym events list`.
    Events(Vec<EventRow>),
    /// `stripegym logs` and `stripegym sandbox fault`.
    Told(Told),
    /// `stripegym events show`: an object of the API as JSON.
    Object(String),
    /// A command of the merchant's: what it made, changed or found.
    Objects(Objects),
    /// A control of a running sandbox: what it answered.
    Control(serde_json::Value),
    /// `stripegym deliver`.
    Delivered(Box<Delivered>),
    /// `stripegym sign`.
    Signed(Box<Signed>),
    /// `stripegym events resend`.
    Resent {
        /// How many endpoints are told.
        endpoints: usize,
        /// `evt_…`.
        event: String,
        /// Its type.
        kind: String,
    },
}

/// Takes a report whose rows, or whose text, may be longer than memory part by part.
pub trait PartSink: Send {
    /// Begins; the report has no rows yet, and everything else.
    fn begin(&mut self, frame: &Report) -> std::io::Result<()>;
    /// Some of the rows, as a report of these alone, or some of the text.
    fn part(&mut self, part: &Report) -> std::io::Result<()>;
    /// Ends.
    fn end(&mut self) -> std::io::Result<()>;
}

impl Report {
    /// Whether it is rows, of which there may be more than a screen has lines.
    pub const fn is_table(&self) -> bool {
        matches!(
            self,
            Self::Ledger(_)
                | Self::Objects(_)
                | Self::Sheet(_)
                | Self::Reconciled(_)
                | Self::Comparison(_)
        )
    }

    /// Whether the answer is yes: nothing differs, nothing is wrong, the payment was made.
    pub fn is_well(&self) -> bool {
        match self {
            Self::Checkout(checkout) => checkout.ending.is_well(),
            Self::Reconciled(reconciled) => reconciled.result.is_clean(),
            Self::Comparison(it) => it.findings.iter().all(|one| one.verdict.is_well()),
            Self::Streamed(clean) => *clean,
            Self::Sheet(sheet) => sheet.looked.is_none() || sheet.rows.is_empty(),
            Self::Day0(day0) => {
                let well = day0.checkout.ending.is_well() && day0.reconciled.result.is_clean();
                well && day0.course.is_passed()
            }
            Self::Doctor(doctor) => doctor.findings.iter().all(|f| f.weight() != Weight::Bad),
            Self::Triggered { event, .. } => event.is_some(),
            Self::Delivered(delivered) => delivered.is_well(),
            Self::Day(day) => day.is_passed(),
            Self::Checked(checked) => checked.is_well(),
            Self::Watched(well) => *well,
            Self::Verified(verified) => verified.flaws.is_empty(),
            Self::Carried(carried) => !matches!(carried, Carried::SolutionHeld { .. }),
            Self::Lessons(checked) => {
                checked.problems.is_empty()
                    && checked.beyond == 0
                    && checked.tried.iter().all(|it| it.wrong.is_none())
            }
            // What only tells something is well.
            _ => true,
        }
    }
}
