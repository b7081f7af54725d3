//! What the sandbox tells of the requests that it answered, and of the faults that it was asked for.

use crate::domain::time::Timestamp;

/// One request of the API, as the sandbox's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// `req_…`.
    pub id: String,
    /// When it was answered.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path, without its query.
    pub path: String,
    /// HTTP status; `None` where a fault left it unanswered and undone.
    pub status: Option<u16>,
    /// `error.message` of the answer.
    pub error: Option<String>,
    /// The fault that was asked for, where one was.
    pub fault: Option<String>,
}

/// A rule by which requests fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRow {
    /// Which requests: `POST /v1/payment_intents`.
    pub on: String,
    /// What they get: `429`, `cut`.
    pub answer: String,
    /// How many of them.
    pub times: u64,
    /// How many have had it.
    pub used: u64,
}

/// What was asked of a running sandbox, and what it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// `stripegym logs`: newest first.
    Requests(Vec<RequestRow>),
    /// `stripegym sandbox fault list`.
    Faults(Vec<FaultRow>),
    /// `stripegym sandbox fault add`.
    FaultAdded(FaultRow),
    /// `stripegym sandbox fault clear`: how many rules there were.
    FaultsCleared(u64),
}
