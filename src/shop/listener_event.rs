//! What the listener and the poller saw, for whoever tells a person.

use crate::domain::notice::LedgerState;
use crate::domain::time::Timestamp;
use crate::store::writer::Change;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// How many sink wait for their reader before further ones are dropped and counted.
pub const SIGHTS_MAX: usize = 8_192;

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Delivered to the webhook, signed.
    Webhook,
    /// Fetched with the API key.
    Poll,
}

/// One thing that happened at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerEvent {
    /// An event is in the ledger's file.
    Accepted {
        /// When.
        at: Timestamp,
        /// How it came.
        via: Via,
        /// `evt_…`.
        event: String,
        /// Its type.
        kind: String,
        /// Its object in short: id, amount in minor units, currency.
        about: String,
        /// Whether it came for the first time.
        fresh: bool,
        /// The ledger's rows that it changed.
        changes: Vec<Change>,
        /// Why it could not be booked, where it should have been.
        problem: Option<String>,
        /// Milliseconds until it was durable.
        took_ms: u64,
        /// The status of whoever it was passed on to, or why there is none. Our own answer does not depend
        /// on it: the ledger has the event.
        forwarded: Option<Result<u16, String>>,
    },
    /// A request was refused and changed nothing.
    Rejected {
        /// When.
        at: Timestamp,
        /// HTTP status of the answer.
        status: u16,
        /// A stable name of the cause.
        cause: &'static str,
        /// Milliseconds until the answer.
        took_ms: u64,
    },
    /// A page was asked for.
    Visited {
        /// When.
        at: Timestamp,
        /// The method.
        method: String,
        /// Path and query.
        target: String,
        /// HTTP status of the answer.
        status: u16,
    },
    /// The ledger stopped taking deliveries, or takes them again where there is no trouble.
    Ledger {
        /// When.
        at: Timestamp,
        /// What is the matter.
        trouble: Option<LedgerState>,
    },
    /// Events older than the provider keeps were never read: there is a gap.
    Gap {
        /// Up to when events had been read.
        from: Timestamp,
        /// From when on they could be read again.
        to: Timestamp,
    },
}

impl ListenerEvent {
    /// The line of the shop's log: ids, amounts and statuses, no names, no addresses, no secrets.
    pub fn line(&self) -> String {
        match self {
            Self::Accepted { at, event, kind, about, fresh, changes, problem, .. } => {
                let what = if *fresh { "recorded" } else { "already recorded" };
                let mut line = format!("{at} {what} {kind} {event} {about}");
                for change in changes {
                    let (session, status) = (&change.session_id, change.after.name());
                    line.extend([format!(" → {session} {status}")]);
                }
                if let Some(problem) = problem {
                    line.extend([format!(" not booked: {problem}")]);
                }
                line
            }
            Self::Rejected { at, status, cause, .. } => format!("{at} refused {status} {cause}"),
            Self::Visited { at, method, target, status } => {
                format!("{at} {method} {target} {status}")
            }
            Self::Ledger { at, trouble: None } => format!("{at} ledger takes deliveries again"),
            Self::Ledger { at, trouble: Some(trouble) } => format!("{at} ledger {trouble:?}"),
            Self::Gap { from, to } => format!("{to} events from {from} on were never read"),
        }
    }
}

/// Where sink are told. Clones tell the same reader.
#[derive(Clone, Debug)]
pub struct EventSink {
    sender: mpsc::Sender<ListenerEvent>,
    dropped: Arc<AtomicU64>,
}

impl EventSink {
    /// A teller and its reader.
    pub fn channel() -> (Self, mpsc::Receiver<ListenerEvent>) {
        let (sender, receiver) = mpsc::channel(SIGHTS_MAX);
        (Self { sender, dropped: Arc::default() }, receiver)
    }

    /// Tells without waiting: whoever does not read must not hold up an acknowledgement.
    pub fn tell(&self, seen: ListenerEvent) {
        if self.sender.try_send(seen).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many sink nobody read.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
