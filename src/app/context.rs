//! What every command is given: settings, clock, randomness, a voice, and the signal to stop.

use crate::config::Config;
use crate::domain::notice::Notice;
use crate::domain::report::Place;
use crate::net::shutdown::Stop;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

/// Says notices to whoever watches. Clones speak to the same ear; when all are gone, it stops listening.
#[derive(Clone, Debug)]
pub struct Voice(Sender<Notice>);

impl Voice {
    /// A voice that `ear` hears.
    pub const fn new(ear: Sender<Notice>) -> Self {
        Self(ear)
    }

    /// A voice that nobody hears.
    pub fn silent() -> Self {
        Self(channel().0)
    }

    /// Says something.
    pub fn say(&self, notice: Notice) {
        // The ear may have gone home; a notice is not worth failing for.
        drop(self.0.send(notice));
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
