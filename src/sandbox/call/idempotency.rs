//! Idempotency keys: the first answer is kept and given again; the same key for anything else is refused.

use crate::domain::hex;
use crate::domain::time::Timestamp;
use crate::sandbox::engine::private::Answered;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::render;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Stripe's limit for a key.
const KEY_CHARS_MAX: usize = 255;

/// How long an answer is kept.
const KEPT_S: i64 = 24 * 3600;

/// The kind of the records of answers.
pub const KIND: &str = "_idempotency";

/// A request that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The key.
    pub key: String,
    /// The path that was called.
    pub path: String,
    /// A digest of the parameters.
    pub digest: String,
}

/// An answer that was given before.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// HTTP status.
    pub status: u16,
    /// The body, compact JSON.
    pub body: Arc<str>,
    /// The request that was answered first.
    pub original_request: String,
}

/// Parameters in one spelling: sorted by name, decoded. Two requests that ask for the same have the same.
fn canonical(params: &Map<String, Value>) -> String {
    // Maps are sorted by name, so that neither the order nor the spelling of what was sent shows.
    render::compact(&Value::Object(params.clone()))
}

impl Keyed {
    /// Refuses a key that is longer than Stripe takes. What is compared later are the parameters, wherever in
    /// the request they stood and however they were spelled.
    pub fn new(key: &str, path: &str, params: &Map<String, Value>) -> Result<Self, Failure> {
        if key.chars().count() > KEY_CHARS_MAX {
            let text = "Idempotency-Key must be at most 255 characters.";
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        let digest = hex::write(&Sha256::digest(canonical(params)));
        Ok(Self { key: key.to_owned(), path: path.to_owned(), digest })
    }

    /// The answer given before to this very request; an error where the key was used for another.
    pub fn replay(&self, view: &View, now: Timestamp) -> Result<Option<Replay>, Failure> {
        let Some(stored) = view.stored(KIND, &self.key) else { return Ok(None) };
        let Some(answered) = stored.part::<Answered>().filter(|known| known.due > now.0) else {
            return Ok(None);
        };
        let advice = format!(
            "Try using a key other than '{}' if you meant to execute a different request.",
            self.key
        );
        if answered.path != self.path {
            let text = format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs '{}'). {advice}",
                self.path, answered.path,
            );
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        if answered.digest != self.digest {
            let text = format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. {advice}"
            );
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        Ok(Some(Replay {
            status: answered.status,
            body: Arc::clone(&stored.text),
            original_request: answered.request.clone(),
        }))
    }

    /// Keeps the first answer for a day.
    pub fn keep(&self, txn: &mut Txn<'_>, status: u16, body: &Arc<str>, request_id: &str) {
        let part = Answered {
            path: self.path.clone(),
            digest: self.digest.clone(),
            status,
            request: request_id.to_owned(),
            due: txn.now().plus(KEPT_S).0,
        };
        txn.put_record(KIND, &self.key, Arc::clone(body), part);
    }

    /// Stripe's answer to a key whose first request is still running.
    pub fn still_running(&self) -> Failure {
        let text = format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {}. Please try again later.",
            self.key
        );
        Failure::of(409, FailureKind::Idempotency, text).code("idempotency_key_in_use")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::outbound::Beyond;
    use crate::os::clock::Clock;
    use crate::os::entropy::Entropy;
    use crate::sandbox::engine::txn::follow::Behaviour;
    use crate::sandbox::engine::txn::{Origin, Site};
    use crate::sandbox::engine::worlds::World;
    use crate::sandbox::engine::{Decision, Engine};

    #[tokio::test]
    async fn a_key_belongs_to_one_account_of_one_world() {
        let site = Site {
            base_url: String::new(),
            api_version: String::new(),
            beyond: Beyond::default(),
            behaviour: Behaviour::NONE,
        };
        let clock = Clock::fixed(Timestamp(1_800_000_000));
        let engine = Arc::new(Engine::ephemeral(clock, Entropy::seeded(1), site));
        let keyed = Keyed::new("k", "/v1/customers", &Map::new()).unwrap();
        let first = engine.world("first").unwrap();
        let keep = first.transact(Origin::default(), |txn| {
            keyed.keep(txn, 200, &Arc::from("{}"), "req_1");
            Decision { value: (), keep: true }
        });
        keep.await.unwrap();
        let known =
            |world: &World| world.read(|view| keyed.replay(view, world.now())).unwrap().is_some();
        assert!(known(&first));
        assert!(!known(&first.at("acct_1")));
        assert!(!known(&engine.world("second").unwrap()));
        assert!(!known(&engine.default_world()));
        let running = first.begin_idempotent("k");
        assert!(running.is_some() && first.begin_idempotent("k").is_none());
        assert!(first.at("acct_1").begin_idempotent("k").is_some());
    }
}
