//! A run that can be repeated: what is drawn and what time it is follow from the seed and from how many runs
//! the folder has seen before.

use crate::config::Config;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::os::private;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a seeded clock stands at first: 2026-12-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp(1_796_083_200);
/// How many seconds after the end of a run the next one begins, so that each sees what is its own.
pub const BETWEEN_S: u32 = 60;
/// What the folder remembers of its seeded runs.
const FILE: &str = "seeded.json";

/// Time and randomness of a run.
#[derive(Debug)]
pub struct World {
    /// What time it is.
    pub clock: Clock,
    /// What is drawn.
    pub entropy: Entropy,
    /// The folder's memory and the number of this run, where it is seeded.
    memory: Option<(PathBuf, u64)>,
}

impl World {
    /// The world of the next run under these settings.
    pub fn begin(config: &Config) -> Self {
        let Some(seed) = config.seed else {
            let clock = config.now.map_or_else(Clock::system, Clock::fixed);
            return Self { clock, entropy: Entropy::system(), memory: None };
        };
        let path = config.home.join(FILE);
        let (runs, last) = recall(&path).unwrap_or_default();
        let first = config.now.unwrap_or(BEGINNING);
        let next = Timestamp(last).plus(i64::from(BETWEEN_S));
        let clock = Clock::fixed(if runs > 0 { first.max(next) } else { first });
        let mut numbers = Entropy::seeded(seed).numbers(&format!("run {runs}"));
        Self { clock, entropy: Entropy::seeded(numbers.next()), memory: Some((path, runs + 1)) }
    }

    /// Ends the run: the folder, where there is one, remembers it.
    pub fn end(self) -> Result<(), Fault> {
        let Some((path, run)) = self.memory else { return Ok(()) };
        if !path.parent().is_some_and(Path::is_dir) {
            return Ok(());
        }
        // Another run may have ended in the meantime.
        let (runs, last) = recall(&path).unwrap_or_default();
        let text =
            json!({ "runs": runs.max(run), "now": last.max(self.clock.now().0) }).to_string();
        let broken = || FaultKind::File { path: path.display().to_string() };
        private::write(&path, text.as_bytes()).map_err(|error| Fault::because(broken(), error))
    }
}

/// How many runs there were, and the instant at which the last one ended.
fn recall(path: &Path) -> Option<(u64, i64)> {
    let read: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    Some((read.get("runs")?.as_u64()?, read.get("now")?.as_i64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::Sources;

    fn world(home: &Path) -> World {
        let home = home.display().to_string();
        let environment = [("STRIPEGYM_SEED", "7"), ("STRIPEGYM_HOME", home.as_str())];
        World::begin(&Config::load(&Sources::of(&environment, &[]), false).unwrap())
    }

    #[test]
    fn each_run_in_a_folder_draws_anew_and_begins_later() {
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let seen = homes.each_ref().map(|home| {
            let first = world(home.path());
            first.clock.advance(600);
            let drawn = first.entropy.numbers("evt_").next();
            first.end().unwrap();
            let second = world(home.path());
            assert_eq!(second.clock.now(), BEGINNING.plus(660));
            assert_ne!(second.entropy.numbers("evt_").next(), drawn);
            drawn
        });
        assert_eq!(seen[0], seen[1]);
    }
}
