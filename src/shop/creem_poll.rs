//! Hears of Creem without a public address. Creem lists no events, and keeps them for whoever fetches them (a webhook whose
//! `delivery_mode` is `cli`): each is fetched with the key, fed into the same street as deliveries, and acknowledged once it
//! is durable; until then Creem keeps it. That Creem keeps events in this way is believed, of its own package.

use crate::domain::event::Event;
use crate::domain::peek::Peek as _;
use crate::net::shutdown::Stop;
use crate::shop::creem_api::Creem;
use crate::shop::intake::Intake;
use crate::shop::listener_event::EventSink;
use crate::shop::poll::{self, PollError, Round, again_and_again};
use crate::stripe::failure::Error;
use serde_json::{Value, json};
use std::time::Duration;

/// Events that are asked for at once.
const PAGE: usize = 100;

/// Pages of a round: whoever gives more of them gives the same again.
const PAGES_MAX: usize = 1_000;

/// Fetches the events of one webhook.
#[derive(Debug)]
pub struct CreemPoller {
    /// Creem.
    pub api: Creem,
    /// The path of the webhook that keeps them.
    pub webhook: String,
    /// Where events go.
    pub intake: Intake,
    /// Where it is told what was seen.
    pub sink: EventSink,
}

impl CreemPoller {
    /// Takes everything that is kept, the oldest first.
    pub async fn once(&self) -> Result<Round, PollError> {
        let mut round = Round::default();
        let (path, limit) = (format!("{}/events/pending", self.webhook), PAGE.to_string());
        for _ in 0..PAGES_MAX {
            let kept = self.api.get(&path, &[("limit", &limit)]).await?;
            let some = kept.items("items");
            for it in some {
                self.take(it, &mut round).await?;
            }
            if some.len() < PAGE {
                break;
            }
        }
        Ok(round)
    }

    /// Does so again and again until `stop`, `every` so often: see [`again_and_again`].
    pub async fn run(&self, every: Duration, stop: Stop, failed: impl FnMut(&PollError)) {
        again_and_again(every, stop, || self.once(), failed).await;
    }

    async fn take(&self, kept: &Value, round: &mut Round) -> Result<(), PollError> {
        round.read += 1;
        let status = match Event::of_creem(kept.text("body").as_bytes()) {
            Ok(event) => {
                if poll::take(&self.intake, &self.sink, event).await? {
                    round.fresh += 1;
                }
                200
            }
            Err(error) => {
                // One of them must not hold up the rest.
                tracing::warn!(%error, "what Creem keeps is no event");
                round.unreadable += 1;
                400
            }
        };
        let id: String = url::form_urlencoded::byte_serialize(kept.text("id").as_bytes()).collect();
        let path = format!("{}/events/{id}/ack", self.webhook);
        match self.api.post(&path, &json!({ "status_code": status }), None).await {
            // Another process of the same shop was sooner.
            Err(Error::Api(error)) if error.status == 404 => Ok(()),
            done => Ok(done.map(drop)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::CreemKey;
    use crate::domain::time::Timestamp;
    use crate::os::clock::Clock;
    use crate::shop::intake::Secrets;
    use crate::store::{FILE, Ledger};
    use crate::stripe::fake::Fake;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn what_is_kept_is_fetched_oldest_first_and_acknowledged_once_it_is_durable() {
        let kept = |id: &str, body: Value| json!({"id": id, "body": body.to_string()});
        let event = json!({"id": "evt_1", "eventType": "refund.created", "created_at": 5_000,
            "object": {"id": "ref_1", "object": "refund"}});
        let waiting =
            [kept("evt_0", json!([])), kept("evt_1", event.clone()), kept("evt_1", event)];
        let waiting = Arc::new(Mutex::new(waiting.to_vec()));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let (own, told) = (Arc::clone(&waiting), Arc::clone(&acknowledged));
        let creem = Fake::start(move |asked, _| {
            let Some(rest) = asked.target.strip_prefix("/v1/webhooks/wh_1/events/") else {
                panic!("{}", asked.target)
            };
            if rest == "pending?limit=100" {
                return (200, vec![], json!({"items": *own.lock().unwrap()}));
            }
            told.lock().unwrap().push((rest.to_owned(), asked.body.clone()));
            let mut kept = own.lock().unwrap();
            let id = rest.trim_end_matches("/ack");
            let before = kept.len();
            kept.retain(|it| it["id"] != id);
            // A second process would be told that nothing is kept any more.
            if kept.len() == before {
                return (404, vec![], json!({"status": 404, "message": "Webhook event not found"}));
            }
            (200, vec![], json!({"success": true}))
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = Arc::new(ledger.writer().unwrap().start());
        let clock = Clock::fixed(Timestamp(9));
        let poller = CreemPoller {
            api: Creem::new(Some(&creem.base), CreemKey::read("creem_test_12345678").unwrap())
                .unwrap(),
            webhook: "/v1/webhooks/wh_1".to_owned(),
            intake: Intake::new(Secrets::default(), 300, clock, batch),
            sink: EventSink::channel().0,
        };
        assert_eq!(poller.once().await.unwrap(), Round { read: 3, fresh: 1, unreadable: 1 });
        assert_eq!(poller.once().await.unwrap(), Round::default());
        let acknowledged = acknowledged.lock().unwrap();
        let said: Vec<(&str, bool)> =
            acknowledged.iter().map(|(path, body)| (path.as_str(), body.contains("200"))).collect();
        assert_eq!(said, [("evt_0/ack", false), ("evt_1/ack", true), ("evt_1/ack", true)]);
        assert_eq!(ledger.events_after(0, 0, 9).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_durable_is_not_acknowledged() {
        let event =
            json!({"id": "evt_1", "eventType": "x", "created_at": 5_000, "object": {"id": "x"}});
        let creem = Fake::start(move |asked, _| {
            assert!(asked.target.contains("/pending"), "{}", asked.target);
            (200, vec![], json!({"items": [{"id": "evt_1", "body": event.to_string()}]}))
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let ledger = Ledger::open(&path).unwrap();
        let batch = Arc::new(ledger.writer().unwrap().start());
        std::fs::remove_file(&path).unwrap();
        let poller = CreemPoller {
            api: Creem::new(Some(&creem.base), CreemKey::read("creem_test_12345678").unwrap())
                .unwrap(),
            webhook: "/v1/webhooks/wh_1".to_owned(),
            intake: Intake::new(Secrets::default(), 300, Clock::fixed(Timestamp(9)), batch),
            sink: EventSink::channel().0,
        };
        assert!(matches!(poller.once().await, Err(PollError::Intake(_))));
    }
}
