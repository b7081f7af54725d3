//! Hears without a public address: reads the provider's events with the API key and feeds them into the
//! same street as deliveries. The cursor lags a little behind the newest event and never moves before what
//! it covers is durable, so that nothing is missed across restarts; what is read twice counts once.

use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::net::shutdown::Stop;
use crate::shop::intake::{Intake, Refusal};
use crate::shop::seen::{Seen, Sights, Via};
use crate::store::{Ledger, StoreError};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the provider keeps events.
const KEPT_S: i64 = 30 * 86_400;

/// An event may become visible later than a younger one; so much is read again each time.
const OVERLAP_S: i64 = 120;

/// Why a round of polling failed; the next one reads the same again.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The provider did not give its events.
    #[error(transparent)]
    Provider(#[from] Error),
    /// An event could not be stored.
    #[error(transparent)]
    Intake(#[from] Refusal),
    /// The cursor could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Events read.
    pub read: usize,
    /// Events that were new.
    pub fresh: usize,
    /// Entries of the list that are no events. They are passed over: one of them must not hold up the rest.
    pub unreadable: usize,
}

/// Reads one account's events.
#[derive(Debug)]
pub struct Poller {
    /// The provider.
    pub stripe: Stripe,
    /// The ledger, for the cursor.
    pub ledger: Arc<Ledger>,
    /// Where events go.
    pub intake: Intake,
    /// Name of the cursor; one for each account that feeds the ledger.
    pub cursor: String,
    /// Where it is told what was seen.
    pub sights: Sights,
}

impl Poller {
    /// Reads what is new, oldest first.
    pub async fn once(&self) -> Result<Round, PollError> {
        let now = self.intake.now();
        let oldest = now.plus(-KEPT_S);
        let cursor = self.ledger.cursor(&self.cursor)?;
        if let Some(from) = cursor.filter(|at| *at < oldest) {
            self.sights.tell(Seen::Gap { from, to: oldest });
        }
        let since = cursor.unwrap_or(oldest).max(oldest);
        let window = Window { since: Some(since), until: None };
        let mut events = self.stripe.events(window).rest().await?;
        events.reverse();
        let mut round = Round::default();
        let mut newest = since;
        for event in &events {
            round.read += 1;
            let event = match Event::fetched(event) {
                Ok(event) => event,
                Err(error) => {
                    tracing::warn!(%error, "an entry of the provider's list is no event");
                    round.unreadable += 1;
                    continue;
                }
            };
            newest = newest.max(event.created);
            if self.take(event).await? {
                round.fresh += 1;
            }
        }
        let reached = newest.plus(-OVERLAP_S);
        if cursor.is_none_or(|at| reached > at) {
            self.intake.store_cursor(&self.cursor, reached.max(oldest)).await?;
        }
        Ok(round)
    }

    /// Reads again and again until `stop`, `every` so often. A round that failed is told to `failed` and
    /// the next one makes up for it.
    pub async fn run(&self, every: Duration, mut stop: Stop, mut failed: impl FnMut(&PollError)) {
        loop {
            if let Err(error) = self.once().await {
                failed(&error);
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    async fn take(&self, event: Event) -> Result<bool, PollError> {
        let began = Instant::now();
        let received = self.intake.store(event).await?;
        let fresh = received.accepted.fresh;
        if fresh {
            self.sights.tell(Seen::Accepted {
                at: self.now(),
                via: Via::Poll,
                event: received.event,
                kind: received.kind,
                fresh,
                changes: received.accepted.changes,
                problem: received.accepted.problem,
                took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                forwarded: None,
            });
        }
        Ok(fresh)
    }

    fn now(&self) -> Timestamp {
        self.intake.now()
    }
}
