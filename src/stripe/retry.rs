//! When a call is tried again, and after how long, as the official libraries decide it. Pure but for
//! the randomness of keys and jitter.

use crate::os::entropy::Entropy;
use std::time::Duration;

/// How often and how patiently calls are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Further attempts after the first.
    pub max: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max: 2, first: Duration::from_millis(500), longest: Duration::from_secs(5) }
    }
}

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No answer: the connection failed or the time was up.
    Unreachable,
    /// An answer with a status, and what `Stripe-Should-Retry` said.
    Status {
        /// HTTP status.
        status: u16,
        /// The provider's own opinion, which overrides ours.
        told: Option<bool>,
    },
}

impl Retries {
    /// One attempt only.
    pub const NONE: Self = Self { max: 0, first: Duration::ZERO, longest: Duration::ZERO };

    /// As by default, without pauses.
    pub const fn immediate() -> Self {
        Self { max: 2, first: Duration::ZERO, longest: Duration::ZERO }
    }

    /// Whether to try again after attempt number `attempt`, counted from 0.
    pub const fn again(self, answer: Answer, attempt: u32) -> bool {
        if attempt >= self.max {
            return false;
        }
        match answer {
            Answer::Unreachable => true,
            Answer::Status { told: Some(told), .. } => told,
            Answer::Status { status, told: None } => status == 409 || status >= 500,
        }
    }

    /// The pause after attempt number `attempt`; `jitter` (0 to 255) takes off up to half of it, so that
    /// many clients do not come back at once.
    pub fn delay(self, attempt: u32, jitter: u8) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt)).min(self.longest);
        let spared = (doubled / 510).saturating_mul(u32::from(jitter));
        doubled.saturating_sub(spared).max(self.first.min(doubled))
    }
}

/// Random bytes; where the system has none, zeros: a jitter of zero is harmless.
fn random<const N: usize>() -> ([u8; N], bool) {
    let mut bytes = [0; N];
    let fine = getrandom::fill(&mut bytes).is_ok();
    (bytes, fine)
}

/// A random number for [`Retries::delay`].
pub fn jitter() -> u8 {
    let ([byte], _) = random::<1>();
    byte
}

/// A new idempotency key: a random UUID, or one that `entropy` decides. Without randomness the process and a
/// count stand in.
pub fn idempotency_key(entropy: Option<&Entropy>) -> String {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let (bytes, fine) = entropy.map_or_else(random::<16>, |entropy| {
        let mut numbers = entropy.numbers("idempotency");
        let wide = u128::from(numbers.next()) << 64 | u128::from(numbers.next());
        (wide.to_be_bytes(), true)
    });
    if !fine {
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        return format!("stripegym-{}-{count}", std::process::id());
    }
    let version = 4 << 76 | 2 << 62;
    let id = u128::from_be_bytes(bytes) & !(0xf << 76 | 3 << 62) | version;
    let part = |shift: u32, bits: u32| id >> shift & ((1 << bits) - 1);
    let [low, middle, high, sequence] =
        [(96, 32), (80, 16), (64, 16), (48, 16)].map(|(s, b)| part(s, b));
    let node = part(0, 48);
    format!("{low:08x}-{middle:04x}-{high:04x}-{sequence:04x}-{node:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Answer {
        Answer::Status { status, told: None }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_is_wrong_is_not() {
        let retries = Retries::default();
        for answer in [Answer::Unreachable, status(409), status(500), status(503)] {
            assert!(retries.again(answer, 0) && retries.again(answer, 1));
            assert!(!retries.again(answer, 2));
        }
        for answer in [status(400), status(402), status(404), status(429), status(200)] {
            assert!(!retries.again(answer, 0));
        }
    }

    #[test]
    fn the_provider_knows_better() {
        let told = |status, told| Answer::Status { status, told: Some(told) };
        assert!(Retries::default().again(told(429, true), 0));
        assert!(!Retries::default().again(told(500, false), 0));
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter_only_shortens() {
        let retries = Retries::default();
        let ms = |attempt, jitter| retries.delay(attempt, jitter).as_millis();
        assert_eq!([ms(0, 0), ms(1, 0), ms(2, 0), ms(9, 0)], [500, 1_000, 2_000, 5_000]);
        assert!(ms(3, 255) >= 2_000 && ms(3, 255) < 4_000);
        assert_eq!(ms(0, 255), 500, "never shorter than the first pause");
        assert_eq!(Retries::immediate().delay(1, 9), Duration::ZERO);
    }

    #[test]
    fn keys_are_random_uuids() {
        let key = idempotency_key(None);
        assert_eq!(key.len(), 36);
        assert_eq!(key.as_bytes()[14], b'4');
        assert_ne!(key, idempotency_key(None));
        let seeded = || idempotency_key(Some(&Entropy::seeded(7)));
        assert_eq!(seeded(), seeded());
        assert_eq!(seeded().as_bytes()[14], b'4');
    }
}
