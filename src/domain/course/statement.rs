//! What should have been and what was found, as facts that each language puts into a sentence. Programs and hashes get
//! the short form, which is the same in every language.

use crate::domain::course::claim::Op;
use serde::{Serialize, Serializer};
use std::fmt;

/// What stands for nothing in the short form.
const NOTHING: &str = "–";

/// Something that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A header of an answer.
    Header(String),
    /// The text of a kept answer, by its name.
    Body(String),
    /// A member of something kept: its name, and a JSON pointer.
    Member(String, String),
    /// A column of the ledger's row.
    Column(String),
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A value, a line, an address: the same in every language.
    Line(String),
    /// There is nothing.
    Nothing,
    /// Something is to another as `op` says.
    Is(Subject, Op, String),
    /// Something is about so.
    Near(Subject, String),
    /// A text of a kept answer lacks this.
    Without(String, String),
    /// Requests are answered with a status (`303|302`) or a class (`2xx`).
    Answer(Vec<String>, String),
    /// How requests were answered, each by its name, which may be empty; 0 where nobody answered.
    Answered(Vec<(String, u64)>),
    /// A page has a form, a link or a script that leads somewhere.
    Door(String, String),
    /// The shop's checkout leads to the payment page.
    ToPayment,
    /// An event happens so often.
    Happens(String, usize),
    /// How deliveries go: how many attempts at all and at least, the first answer, the end, the time of the last.
    Delivery(Vec<Attempt>),
    /// The ledger has rows of a session, so many where that counts.
    Rows(String, Option<usize>),
    /// The ledger has no row of these sessions.
    NoRows(Vec<String>),
    /// The ledger grows by so many rows.
    Grows(u64),
    /// The ledger stays as it was when it was kept.
    Unchanged(String),
    /// How many rows the ledger had before and has now; of as many, they are others.
    From(u64, u64, bool),
    /// A comparison has only these verdicts, in so many lines at least.
    Verdicts(Vec<String>, usize),
    /// One line of the log has all of these.
    Logged(Vec<String>),
    /// No line of the log has this.
    NotLogged(String),
    /// No secret shows.
    NoSecret,
    /// The application runs and takes connections.
    Alive,
    /// A document speaks of so many topics.
    Mentions(String, usize),
    /// A document does not speak of these.
    Silent(Vec<String>),
    /// A rule finds nothing.
    Clean(String),
    /// A rule looked at so many files.
    Looked(usize),
    /// It is over within so many milliseconds.
    Within(u128),
    /// It took longer than that.
    Longer(u128),
    /// It waits for a check that failed.
    Waits(String),
    /// It was not judged, because that check failed.
    NotJudged(String),
    /// What an act came to.
    Doing(String, Box<Statement>),
    /// All of them hold.
    All(Vec<Statement>),
    /// One of them holds.
    Any(Vec<Statement>),
    /// One thing was expected, and another was found.
    Instead(Box<Statement>, Box<Statement>),
    /// It does not hold.
    Not(Box<Statement>),
}

/// Something that is asked of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// So many attempts.
    Count(usize),
    /// So many at least.
    Least(usize),
    /// The answer to the first.
    First(String),
    /// Where the newest delivery stands.
    Ends(String),
    /// Milliseconds that the last may take.
    Quick(u64),
}

impl Statement {
    /// A comparison.
    pub fn is(what: Subject, op: Op, value: impl Into<String>) -> Self {
        Self::Is(what, op, value.into())
    }

    /// How one request was answered.
    pub fn answered(status: u16) -> Self {
        Self::Answered(vec![(String::new(), status.into())])
    }

    /// This, with what else was found.
    #[must_use]
    pub fn and(self, more: impl Into<Self>) -> Self {
        match self {
            Self::All(mut all) => {
                all.push(more.into());
                Self::All(all)
            }
            one => Self::All(vec![one, more.into()]),
        }
    }
}

impl From<String> for Statement {
    fn from(text: String) -> Self {
        if text.is_empty() || text == NOTHING { Self::Nothing } else { Self::Line(text) }
    }
}

impl From<&str> for Statement {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Statement {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) | Self::Body(name) => f.write_str(name),
            Self::Member(of, at) => write!(f, "{of}{at}"),
            Self::Column(name) => write!(f, "ledger {name}"),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "attempts = {count}"),
            Self::Least(count) => write!(f, "attempts ≥ {count}"),
            Self::First(is) => write!(f, "1: {is}"),
            Self::Ends(end) => f.write_str(end),
            Self::Quick(ms) => write!(f, "≤ {ms} ms"),
        }
    }
}

impl fmt::Display for Statement {
    /// The short form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(text) => f.write_str(text),
            Self::Nothing => f.write_str(NOTHING),
            Self::Is(what, op, value) => {
                write!(f, "{what} {}", op.sign())?;
                if value.is_empty() { Ok(()) } else { write!(f, " {value}") }
            }
            Self::Near(what, value) => write!(f, "{what} ≈ {value}"),
            Self::Without(of, text) => write!(f, "{of} without {text}"),
            Self::Answer(of, status) => write!(f, "{}: {status}", of.join(", ")),
            Self::Answered(all) => {
                let one = |(name, status): &(String, u64)| format!("{name} {status}");
                f.write_str(all.iter().map(one).collect::<Vec<_>>().join(" · ").trim_start())
            }
            Self::Door(page, to) => write!(f, "{page}: form | a | script → {to}"),
            Self::ToPayment => f.write_str("POST /checkout: 303 → /c/pay/cs_…"),
            Self::Happens(kind, count) => write!(f, "{kind} × {count}"),
            Self::Delivery(all) => joined(f, all, " · "),
            Self::Rows(session, None) => write!(f, "ledger row {session}"),
            Self::Rows(session, Some(count)) => write!(f, "ledger rows {session} = {count}"),
            Self::NoRows(sessions) => write!(f, "ledger without {}", sessions.join(" ")),
            Self::Grows(by) => write!(f, "ledger + {by}"),
            Self::Unchanged(since) => write!(f, "ledger = {since}"),
            Self::From(before, after, others) => {
                write!(f, "{before} → {after}{}", if *others { " ≠" } else { "" })
            }
            Self::Verdicts(only, least) => write!(f, "{} ≥ {least}", only.join(" | ")),
            Self::Logged(texts) => write!(f, "log: {}", texts.join(" + ")),
            Self::NotLogged(text) => write!(f, "log without {text}"),
            Self::NoSecret => f.write_str("no secret"),
            Self::Alive => f.write_str("process alive"),
            Self::Mentions(file, topics) => write!(f, "{file} × {topics}"),
            Self::Silent(topics) => write!(f, "{NOTHING} {}", topics.join(", ")),
            Self::Clean(rule) => write!(f, "lint {rule}"),
            Self::Looked(files) => write!(f, "{files} files"),
            Self::Within(ms) => write!(f, "≤ {ms} ms"),
            Self::Longer(ms) => write!(f, "> {ms} ms"),
            Self::Waits(root) => write!(f, "{root}: pass"),
            Self::NotJudged(_) => f.write_str("blocked"),
            Self::Doing(verb, what) => write!(f, "{verb}: {what}"),
            Self::All(all) => joined(f, all, " · "),
            Self::Any(all) => joined(f, all, " ∨ "),
            Self::Instead(expected, got) => write!(f, "{got} ≠ {expected}"),
            Self::Not(what) => write!(f, "¬ {what}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, all: &[impl fmt::Display], with: &str) -> fmt::Result {
    f.write_str(&all.iter().map(ToString::to_string).collect::<Vec<_>>().join(with))
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
