//! Worlds: isolated universes of accounts, each with its own objects, time and ids.

use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::{Part, WorldPart};
use crate::sandbox::engine::state::{DEFAULT_WORLD, Scope, State, WorldId};
use crate::sandbox::engine::txn::{Change, Site};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Worlds that one sandbox may have.
pub const WORLDS_MAX: usize = 10_000;

/// Characters that a world's name may have.
const NAME_MAX: usize = 40;

/// The record of a world.
pub const RECORD: &str = "_world";

/// One account of one world: what a request, a page or a job works in.
#[derive(Debug)]
pub struct World {
    engine: Arc<Engine>,
    name: Arc<str>,
    scope: Scope,
    site: Site,
    own: Option<Arc<Own>>,
}

/// What a named world keeps in memory.
#[derive(Debug)]
struct Own {
    id: WorldId,
    entropy: Entropy,
    part: Mutex<WorldPart>,
}

/// The named worlds, by name.
#[derive(Debug)]
pub(super) struct Worlds {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    by_name: HashMap<Arc<str>, Arc<Own>>,
    last: WorldId,
}

/// Why a world cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// Its name is not one.
    #[error("a world's name has 1 to 40 of a-z, 0-9 and -")]
    Name,
    /// There are too many.
    #[error("the sandbox has {WORLDS_MAX} worlds already: delete some first")]
    TooMany,
}

impl Worlds {
    /// The worlds that a state has.
    pub(super) fn of(state: &State) -> Self {
        let mut by_name = HashMap::new();
        let mut last = DEFAULT_WORLD;
        for world in state.worlds().filter(|world| *world != DEFAULT_WORLD) {
            last = last.max(world);
            let table = state.table(&Scope::platform(world), RECORD);
            let Some(stored) = table.and_then(|table| table.all().next()) else { continue };
            let part = stored.part::<WorldPart>().cloned().unwrap_or_default();
            let entropy = entropy_of(&part, state.last_seq());
            let own = Own { id: world, entropy, part: Mutex::new(part) };
            by_name.insert(Arc::clone(&stored.id), Arc::new(own));
        }
        Self { known: Mutex::new(Known { by_name, last }) }
    }

    fn open(&self, name: &str, part: impl FnOnce() -> WorldPart) -> Result<Arc<Own>, WorldError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.by_name.get(name) {
            return Ok(Arc::clone(own));
        }
        if !is_name(name) {
            return Err(WorldError::Name);
        }
        if known.by_name.len() >= WORLDS_MAX {
            return Err(WorldError::TooMany);
        }
        known.last += 1;
        let part = part();
        let entropy = entropy_of(&part, 0);
        let own = Arc::new(Own { id: known.last, entropy, part: Mutex::new(part) });
        known.by_name.insert(Arc::from(name), Arc::clone(&own));
        Ok(own)
    }
}

/// A seeded world's ids go on differently after each start, and the same way each time.
fn entropy_of(part: &WorldPart, last_seq: u64) -> Entropy {
    match part.seed {
        Some(seed) => Entropy::seeded(seed ^ last_seq.rotate_left(17)),
        None => Entropy::system(),
    }
}

/// Whether a text can name a world.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Engine {
    /// The platform of the world that is meant where none is named.
    pub fn default_world(self: &Arc<Self>) -> Arc<World> {
        Arc::new(World {
            engine: Arc::clone(self),
            name: Arc::from(""),
            scope: Scope::platform(DEFAULT_WORLD),
            site: self.site.clone(),
            own: None,
        })
    }

    /// The platform of a named world, made where it does not exist.
    pub fn world(self: &Arc<Self>, name: &str) -> Result<Arc<World>, WorldError> {
        let own = self
            .worlds
            .open(name, || WorldPart { made: self.clock.now().0, ..WorldPart::default() })?;
        Ok(self.named(name, own))
    }

    fn named(self: &Arc<Self>, name: &str, own: Arc<Own>) -> Arc<World> {
        let site = Site {
            base_url: format!("{}/worlds/{name}", self.site.base_url),
            api_version: self.site.api_version.clone(),
            beyond: self.site.beyond.clone(),
        };
        let scope = Scope::platform(own.id);
        Arc::new(World {
            engine: Arc::clone(self),
            name: Arc::from(name),
            scope,
            site,
            own: Some(own),
        })
    }

    /// The world of a scope, at its account; `None` where there is no such world.
    pub fn world_at(self: &Arc<Self>, scope: &Scope) -> Option<Arc<World>> {
        let platform = if scope.world == DEFAULT_WORLD {
            self.default_world()
        } else {
            let known = self.worlds.known.lock().unwrap_or_else(PoisonError::into_inner);
            let found = known.by_name.iter().find(|(_, own)| own.id == scope.world);
            let (name, own) = found.map(|(name, own)| (Arc::clone(name), Arc::clone(own)))?;
            drop(known);
            self.named(&name, own)
        };
        Some(if scope.account.is_empty() { platform } else { platform.at(&scope.account) })
    }

    /// The named worlds, by name.
    pub fn world_names(&self) -> Vec<Arc<str>> {
        let known = self.worlds.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = known.by_name.keys().cloned().collect();
        names.sort();
        names
    }
}

impl World {
    /// The engine.
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Its name; empty for the default world.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Which account of which world.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where it is reachable.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// Where its ids come from.
    pub fn entropy(&self) -> &Entropy {
        self.own.as_ref().map_or(&self.engine.entropy, |own| &own.entropy)
    }

    /// Another account of the same world.
    #[must_use]
    pub fn at(&self, account: &str) -> Arc<Self> {
        Arc::new(Self {
            engine: Arc::clone(&self.engine),
            name: Arc::clone(&self.name),
            scope: self.scope.at(account),
            site: self.site.clone(),
            own: self.own.clone(),
        })
    }

    /// The instant that it is here, where the sandbox's clock shows `clock`.
    pub(super) fn time(&self, clock: &Clock) -> Timestamp {
        let Some(own) = &self.own else { return clock.now() };
        let part = own.part.lock().unwrap_or_else(PoisonError::into_inner);
        let base = part.stands_at.map_or_else(|| clock.now(), Timestamp);
        base.plus(part.ahead_s)
    }

    /// The first change of a world brings its record along.
    pub(super) fn introduce(&self, state: &mut State, changes: &mut Vec<Change>) {
        let Some(own) = &self.own else { return };
        let scope = Scope::platform(own.id);
        if state.get(&scope, RECORD, &self.name).is_some() {
            return;
        }
        let part = own.part.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stored = Arc::new(Stored {
            kind: RECORD,
            id: Arc::clone(&self.name),
            seq: state.next_seq(),
            text: Arc::from(""),
            private: Some(Arc::new(part.stored())),
        });
        let before = state.put(&scope, Arc::clone(&stored));
        changes.push(Change { scope, before, after: Some(stored) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_named_by_small_letters_digits_and_hyphens() {
        for good in ["a", "test-1", &"x".repeat(40)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "A", "a_b", "a/b", "é", &"x".repeat(41)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
