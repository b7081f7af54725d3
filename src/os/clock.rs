//! The only reader of the system clock.

use crate::domain::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What time it is: the system's, or one that was fixed, plus an offset that only grows.
/// Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Timestamp>,
    offset_s: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until it is advanced.
    pub fn fixed(now: Timestamp) -> Self {
        Self { fixed: Some(now), ..Self::default() }
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        let base = self.fixed.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
        });
        base.plus(self.offset_s.load(Ordering::SeqCst))
    }

    /// The present instant for whoever moved nothing: what a day is noted under, however far it has gone ahead.
    pub fn unmoved(&self) -> Timestamp {
        self.now().plus(-self.offset_s.load(Ordering::SeqCst))
    }

    /// Whether it stands until it is advanced.
    pub const fn stands(&self) -> bool {
        self.fixed.is_some()
    }

    /// Begins to measure how long something takes, for people to read: where the clock stands, no time at all.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch((!self.stands()).then(Instant::now))
    }

    /// Moves this clock and its clones `seconds` into the future.
    pub fn advance(&self, seconds: u32) {
        self.offset_s.fetch_add(i64::from(seconds), Ordering::SeqCst);
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Option<Instant>);

impl Stopwatch {
    /// Milliseconds since it was begun.
    pub fn ms(self) -> u64 {
        let took = self.0.map_or(0, |began| began.elapsed().as_millis());
        u64::try_from(took).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_advanced_and_clones_move_with_it() {
        let clock = Clock::fixed(Timestamp(1_000));
        let twin = clock.clone();
        clock.advance(60);
        assert_eq!((twin.now(), twin.unmoved()), (Timestamp(1_060), Timestamp(1_000)));
        assert_eq!(twin.stopwatch().ms(), 0);
    }
}
