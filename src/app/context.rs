//! What every command is given: settings, clock, randomness, a notices, and the signal to stop.

use crate::config::Config;
use crate::domain::notice::Notice;
use crate::domain::report::Place;
use crate::net::shutdown::Stop;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// How many received may wait to be shown: more than any day has, and few enough to be kept in memory while a
/// terminal stands still.
const WAITING_MAX: usize = 4096;

/// Says received to whoever watches. Clones speak to the same heard; when all are gone, it stops listening.
#[derive(Clone, Debug)]
pub struct NoticeSink {
    heard: SyncSender<Notice>,
    left_out: Arc<AtomicU64>,
}

/// Hears what voices say.
#[derive(Debug)]
pub struct Notices {
    received: Receiver<Notice>,
    left_out: Arc<AtomicU64>,
}

impl NoticeSink {
    /// A notices, and the heard that hears it.
    pub fn pair() -> (Self, Notices) {
        Self::with_room(WAITING_MAX)
    }

    fn with_room(waiting_max: usize) -> (Self, Notices) {
        let (heard, received) = sync_channel(waiting_max);
        let left_out = Arc::new(AtomicU64::new(0));
        let notices = Self { heard, left_out: Arc::clone(&left_out) };
        (notices, Notices { received, left_out })
    }

    /// A notices that nobody hears.
    pub fn silent() -> Self {
        Self::pair().0
    }

    /// Says something. The work never waits for a reader: where too much is unread, it is left out and counted.
    pub fn say(&self, notice: Notice) {
        // A notice is not worth failing for.
        let _reached = self.reaches(notice);
    }

    /// Says something; whether there is somebody who will see it.
    pub fn reaches(&self, notice: Notice) -> bool {
        let count = self.left_out.swap(0, Ordering::Relaxed);
        if count > 0 && self.heard.try_send(Notice::LeftOut { count }).is_err() {
            self.left_out.fetch_add(count, Ordering::Relaxed);
        }
        let sent = self.heard.try_send(notice);
        if matches!(sent, Err(TrySendError::Full(_))) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        sent.is_ok()
    }
}

impl Notices {
    /// Waits for the next notice; `None` once every notices is gone and all was heard.
    pub fn next(&self) -> Option<Notice> {
        self.received.recv().ok().or_else(|| {
            let count = self.left_out.swap(0, Ordering::Relaxed);
            (count > 0).then_some(Notice::LeftOut { count })
        })
    }
}

/// What a command works with.
#[derive(Clone, Debug)]
pub struct Context {
    /// The settings.
    pub config: Arc<Config>,
    /// The clock.
    pub clock: Clock,
    /// The randomness.
    pub entropy: Entropy,
    /// Where received go.
    pub notices: NoticeSink,
    /// When to end early.
    pub stop: Stop,
}

impl Context {
    /// The same, with a notices that nobody hears.
    #[must_use]
    pub fn quietly(&self) -> Self {
        Self { notices: NoticeSink::silent(), ..self.clone() }
    }

    /// Where the command works, speaking to the provider at `base`.
    pub fn place(&self, base: Option<&str>) -> Place {
        Place {
            mode: self.config.mode,
            base: base.map(str::to_owned),
            home: match &self.config.ledger {
                Some(url) => url.shown(),
                None => self.config.home.display().to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(wished: u16) -> Notice {
        Notice::OtherPort { wished, used: String::new() }
    }

    #[test]
    fn what_nobody_reads_is_left_out_and_counted_where_it_is_missing() {
        let (notices, heard) = NoticeSink::with_room(2);
        for at in 0..5 {
            notices.say(port(at));
        }
        assert_eq!(heard.next(), Some(port(0)));
        assert_eq!(heard.next(), Some(port(1)));
        notices.say(port(5));
        assert_eq!(heard.next(), Some(Notice::LeftOut { count: 3 }));
        assert_eq!(heard.next(), Some(port(5)));
        for at in 6..9 {
            notices.say(port(at));
        }
        drop(notices);
        let rest: Vec<Notice> = std::iter::from_fn(|| heard.next()).collect();
        assert_eq!(rest, [port(6), port(7), Notice::LeftOut { count: 1 }]);
    }

    #[test]
    fn a_silent_voice_reaches_nobody() {
        assert!(!NoticeSink::silent().reaches(port(1)));
    }
}
