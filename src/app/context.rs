//! What every command is given: settings, clock, randomness, a voice, and the signal to stop.

use crate::config::Config;
use crate::domain::notice::Notice;
use crate::domain::report::Place;
use crate::net::shutdown::Stop;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// How many notices may wait to be shown: more than any day has, and few enough to be kept in memory while a
/// terminal stands still.
const WAITING_MAX: usize = 4096;

/// Says notices to whoever watches. Clones speak to the same ear; when all are gone, it stops listening.
#[derive(Clone, Debug)]
pub struct Voice {
    ear: SyncSender<Notice>,
    left_out: Arc<AtomicU64>,
}

/// Hears what voices say.
#[derive(Debug)]
pub struct Ear {
    notices: Receiver<Notice>,
    left_out: Arc<AtomicU64>,
}

impl Voice {
    /// A voice, and the ear that hears it.
    pub fn pair() -> (Self, Ear) {
        Self::with_room(WAITING_MAX)
    }

    fn with_room(waiting_max: usize) -> (Self, Ear) {
        let (ear, notices) = sync_channel(waiting_max);
        let left_out = Arc::new(AtomicU64::new(0));
        let voice = Self { ear, left_out: Arc::clone(&left_out) };
        (voice, Ear { notices, left_out })
    }

    /// A voice that nobody hears.
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
        if count > 0 && self.ear.try_send(Notice::LeftOut { count }).is_err() {
            self.left_out.fetch_add(count, Ordering::Relaxed);
        }
        let sent = self.ear.try_send(notice);
        if matches!(sent, Err(TrySendError::Full(_))) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        sent.is_ok()
    }
}

impl Ear {
    /// Waits for the next notice; `None` once every voice is gone and all was heard.
    pub fn next(&self) -> Option<Notice> {
        self.notices.recv().ok().or_else(|| {
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
    /// Where notices go.
    pub voice: Voice,
    /// When to end early.
    pub stop: Stop,
}

impl Context {
    /// The same, with a voice that nobody hears.
    #[must_use]
    pub fn quietly(&self) -> Self {
        Self { voice: Voice::silent(), ..self.clone() }
    }

    /// Where the command works, speaking to the provider at `base`.
    pub fn place(&self, base: Option<&str>) -> Place {
        Place {
            mode: self.config.mode,
            base: base.map(str::to_owned),
            home: self.config.home.display().to_string(),
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
        let (voice, ear) = Voice::with_room(2);
        for at in 0..5 {
            voice.say(port(at));
        }
        assert_eq!(ear.next(), Some(port(0)));
        assert_eq!(ear.next(), Some(port(1)));
        voice.say(port(5));
        assert_eq!(ear.next(), Some(Notice::LeftOut { count: 3 }));
        assert_eq!(ear.next(), Some(port(5)));
        for at in 6..9 {
            voice.say(port(at));
        }
        drop(voice);
        let rest: Vec<Notice> = std::iter::from_fn(|| ear.next()).collect();
        assert_eq!(rest, [port(6), port(7), Notice::LeftOut { count: 1 }]);
    }

    #[test]
    fn a_silent_voice_reaches_nobody() {
        assert!(!Voice::silent().reaches(port(1)));
    }
}
