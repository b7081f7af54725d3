//! Idempotency keys: the first answer is kept and given again; the same key for anything else is refused.

use crate::sandbox::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Stripe's limit for a key.
const KEY_CHARS_MAX: usize = 255;

/// How long an answer is kept.
const KEPT_S: i64 = 24 * 3600;

/// A request that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The key.
    pub key: String,
    /// The path that was called.
    pub path: String,
    /// A digest of the body.
    pub digest: String,
}

/// An answer that was given before.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The request that was answered first.
    pub original_request: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

impl Keyed {
    /// Refuses a key that is longer than Stripe takes.
    pub fn new(key: &str, path: &str, body: &[u8]) -> Result<Self, Failure> {
        if key.chars().count() > KEY_CHARS_MAX {
            let text = "Idempotency-Key must be at most 255 characters.";
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        let digest = hex(&Sha256::digest(body));
        Ok(Self { key: key.to_owned(), path: path.to_owned(), digest })
    }

    /// The answer given before to this very request; an error where the key was used for another.
    pub fn replay(&self, txn: &Txn<'_>) -> Result<Option<Replay>, Failure> {
        let Some(record) = txn.get("_idempotency", &self.key) else { return Ok(None) };
        let member = |name| record.get(name).and_then(Value::as_str).unwrap_or_default();
        if record.get("due").and_then(Value::as_i64).unwrap_or(0) <= txn.now().0 {
            return Ok(None);
        }
        let advice = format!(
            "Try using a key other than '{}' if you meant to execute a different request.",
            self.key
        );
        if member("path") != self.path {
            let text = format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs '{}'). {advice}",
                self.path,
                member("path"),
            );
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        if member("digest") != self.digest {
            let text = format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. {advice}"
            );
            return Err(Failure::of(400, FailureKind::Idempotency, text));
        }
        Ok(Some(Replay {
            status: record
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|s| s.try_into().ok())
                .unwrap_or(200),
            body: record.get("body").cloned().unwrap_or(Value::Null),
            original_request: member("request").to_owned(),
        }))
    }

    /// Keeps the first answer for a day.
    pub fn keep(&self, txn: &mut Txn<'_>, status: u16, body: &Value, request_id: &str) {
        let due = txn.now().plus(KEPT_S).0;
        txn.put(json!({
            "object": "_idempotency", "id": self.key, "path": self.path, "digest": self.digest,
            "status": status, "body": body, "request": request_id, "due": due,
        }));
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
