//! Hears without a public address: reads the provider's events with the API key and feeds them into the
//! same street as deliveries. The cursor lags a little behind the newest event and never moves before what
//! it covers is durable, so that nothing is missed across restarts; what is read twice counts once.

use crate::domain::book::line::Source;
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::net::shutdown::Stop;
use crate::shop::intake::{Intake, IntakeError};
use crate::shop::listener_event::{EventSink, ListenerEvent, Via};
use crate::store::{Ledger, StoreError};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use std::sync::Arc;
use std::time::Duration;

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
    Intake(#[from] IntakeError),
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
    pub sink: EventSink,
}

impl Poller {
    /// Reads what is new, oldest first.
    pub async fn once(&self) -> Result<Round, PollError> {
        let now = self.intake.now();
        let oldest = now.plus(-KEPT_S);
        let cursor = self.read(self.cursor.clone()).await?;
        // Not the cursor: where nothing happens it stands still, and nothing is missed.
        let polled = self.read(self.polled()).await?;
        if let Some(from) = polled.filter(|at| *at < oldest) {
            self.sink.tell(ListenerEvent::Gap { from, to: oldest });
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
            if take(&self.intake, &self.sink, event).await? {
                round.fresh += 1;
            }
        }
        let reached = newest.plus(-OVERLAP_S);
        if cursor.is_none_or(|at| reached > at) {
            self.intake.store_cursor(&self.cursor, reached.max(oldest)).await?;
        }
        self.intake.store_cursor(&self.polled(), now).await?;
        Ok(round)
    }

    /// Reads again and again until `stop`, `every` so often: see [`again_and_again`].
    pub async fn run(&self, every: Duration, stop: Stop, failed: impl FnMut(&PollError)) {
        again_and_again(every, stop, || self.once(), failed).await;
    }

    /// A cursor, read where it keeps no other work waiting.
    async fn read(&self, name: String) -> Result<Option<Timestamp>, StoreError> {
        let ledger = Arc::clone(&self.ledger);
        let read = tokio::task::spawn_blocking(move || ledger.cursor(&name));
        read.await.unwrap_or(Err(StoreError::Gone))
    }

    /// Name of the cursor that says when it was read last, by our clock.
    fn polled(&self) -> String {
        format!("{}.polled", self.cursor)
    }
}

/// Has a round made again and again until `stop`, `every` so often. One that failed is told to `failed` and the next one
/// makes up for it.
pub(super) async fn again_and_again<F: Future<Output = Result<Round, PollError>>>(
    every: Duration,
    mut stop: Stop,
    once: impl Fn() -> F,
    mut failed: impl FnMut(&PollError),
) {
    loop {
        if let Err(error) = once().await {
            failed(&error);
        }
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Makes an event that was asked for durable, and tells of it; whether it was new.
pub(super) async fn take(
    intake: &Intake,
    sink: &EventSink,
    event: Event,
) -> Result<bool, PollError> {
    let began = intake.clock().stopwatch();
    let received = intake.store(event, Source::Poll).await?;
    let fresh = received.accepted.fresh;
    if fresh {
        sink.tell(received.seen(intake.now(), Via::Poll, began.ms()));
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::ApiKey;
    use crate::os::clock::Clock;
    use crate::shop::intake::Secrets;
    use crate::store::{FILE, Filter};
    use crate::stripe::fake::{Asked, Fake};
    use crate::stripe::retry::Retries;
    use serde_json::{Value, json};
    use std::sync::Mutex;
    use tokio::sync::mpsc;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn event(n: i64, created: i64) -> Value {
        json!({"id": format!("evt_{n}"), "object": "event", "type": "checkout.session.completed",
            "created": created, "data": {"object": {"id": format!("cs_{n}"), "amount_total": 500,
            "currency": "jpy", "created": created, "payment_status": "paid"}}})
    }

    fn since(asked: &Asked) -> i64 {
        let rest = asked.target.split("created[gte]=").nth(1).unwrap();
        rest.split('&').next().unwrap().parse().unwrap()
    }

    /// A provider whose events can be added to; newest first, only those that were asked for.
    async fn provider(events: &Arc<Mutex<Vec<Value>>>) -> Fake {
        let events = Arc::clone(events);
        Fake::start(move |asked, _| {
            let from = since(asked);
            let mut data = events.lock().unwrap().clone();
            data.retain(|event| event["created"].as_i64().is_none_or(|at| at >= from));
            data.sort_by_key(|event| -event["created"].as_i64().unwrap_or(0));
            (200, vec![], json!({"object": "list", "data": data, "has_more": false}))
        })
        .await
    }

    struct Desk {
        poller: Poller,
        seen: mpsc::Receiver<ListenerEvent>,
        clock: Clock,
        _folder: tempfile::TempDir,
    }

    fn desk(base: &str) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::open(&folder.path().join(FILE)).unwrap());
        let batch = Arc::new(ledger.writer().unwrap().start());
        let (sink, seen) = EventSink::channel();
        let clock = Clock::fixed(NOW);
        let key = ApiKey::read("sk_test_secretsecret").unwrap();
        let poller = Poller {
            stripe: Stripe::with_retries(base, key, Retries::NONE).unwrap(),
            intake: Intake::new(Secrets::default(), 300, clock.clone(), batch),
            ledger,
            cursor: "events".to_owned(),
            sink,
        };
        Desk { poller, seen, clock, _folder: folder }
    }

    #[tokio::test]
    async fn what_is_new_is_read_oldest_first_and_once() {
        let events = Arc::new(Mutex::new(vec![event(1, NOW.0 - 500), event(2, NOW.0 - 10)]));
        let provider = provider(&events).await;
        let mut desk = desk(&provider.base);
        assert_eq!(desk.poller.once().await.unwrap(), Round { read: 2, fresh: 2, unreadable: 0 });
        for id in ["evt_1", "evt_2"] {
            let told = desk.seen.recv().await.unwrap();
            assert!(
                matches!(told, ListenerEvent::Accepted { event, via: Via::Poll, .. } if event == id)
            );
        }
        assert_eq!(since(&provider.asked()[0]), NOW.0 - KEPT_S);
        // One that became visible late, and one that is no event: neither is in the way.
        events.lock().unwrap().extend([event(3, NOW.0 - 60), json!({"object": "event", "id": ""})]);
        assert_eq!(desk.poller.once().await.unwrap(), Round { read: 3, fresh: 1, unreadable: 1 });
        assert_eq!(since(&provider.asked()[1]), NOW.0 - 10 - OVERLAP_S);
        assert_eq!(desk.poller.ledger.rows(&Filter::default()).unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_gap_longer_than_the_provider_remembers_is_told() {
        let events = Arc::new(Mutex::new(vec![event(1, NOW.0)]));
        let provider = provider(&events).await;
        let mut desk = desk(&provider.base);
        desk.poller.once().await.unwrap();
        assert!(matches!(desk.seen.recv().await, Some(ListenerEvent::Accepted { .. })));
        desk.clock.advance(40 * 86_400);
        desk.poller.once().await.unwrap();
        let told = desk.seen.recv().await.unwrap();
        assert_eq!(told, ListenerEvent::Gap { from: NOW, to: NOW.plus(10 * 86_400) });
    }

    #[tokio::test]
    async fn where_nothing_happens_there_is_no_gap() {
        let provider = provider(&Arc::default()).await;
        let mut desk = desk(&provider.base);
        for _ in 0..3 {
            assert_eq!(desk.poller.once().await.unwrap(), Round::default());
            desk.clock.advance(20 * 86_400);
        }
        assert!(desk.seen.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_round_that_fails_leaves_the_cursor_where_it_was() {
        let desk = desk("http://127.0.0.1:9");
        assert!(matches!(desk.poller.once().await, Err(PollError::Provider(_))));
        assert_eq!(desk.poller.ledger.cursor("events").unwrap(), None);
    }
}
