//! What one signed delivery was made of, and what came of it: facts for whoever shows them.

use crate::domain::time::Timestamp;

/// A signature, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// When it was signed: `t`.
    pub at: Timestamp,
    /// The body's first characters.
    pub start: String,
    /// The body's bytes.
    pub bytes: usize,
    /// The secret, masked.
    pub secret: String,
    /// The signature in hexadecimal digits: `v1`.
    pub mac: String,
    /// Whether each step is shown.
    pub explain: bool,
}

/// A delivery that was sent by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// Where it was sent.
    pub url: String,
    /// `Stripe-Signature`, where it had one.
    pub header: Option<String>,
    /// The body's bytes.
    pub bytes: usize,
    /// What was forged: `body`, `secret`, `time`, `header`.
    pub tamper: Option<&'static str>,
    /// What was answered: the status, or why there is none.
    pub answer: Result<u16, String>,
    /// What the answer says.
    pub said: String,
    /// Milliseconds until the answer.
    pub took_ms: u64,
    /// Whether the ledger changed.
    pub changed: bool,
}

impl Delivered {
    /// Whether what should be taken was, and what should be refused was.
    pub fn is_well(&self) -> bool {
        let taken = matches!(self.answer, Ok(200..=299));
        taken != self.tamper.is_some()
    }
}
