//! Worlds: isolated universes of accounts, each with its own objects, time and ids.

use crate::domain::id;
use crate::domain::secret::is_world_name;
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

/// What the world that is meant where none is named is called where it has to be named.
pub const DEFAULT_NAME: &str = "default";

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

impl Own {
    fn time(&self, clock: &Clock) -> Timestamp {
        let part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        part.stands_at.map_or_else(|| clock.now(), Timestamp).plus(part.ahead_s)
    }
}

/// The named worlds, by name.
#[derive(Debug)]
pub(super) struct Worlds {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    by_name: HashMap<Arc<str>, Arc<Own>>,
    by_id: HashMap<WorldId, Arc<str>>,
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
        let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
        let mut last = DEFAULT_WORLD;
        for world in state.worlds().filter(|world| *world != DEFAULT_WORLD) {
            last = last.max(world);
            let table = state.table(&Scope::platform(world), RECORD);
            let Some(stored) = table.and_then(|table| table.all().next()) else { continue };
            let part = stored.part::<WorldPart>().cloned().unwrap_or_default();
            let entropy = entropy_of(&part, state.last_seq());
            let own = Own { id: world, entropy, part: Mutex::new(part) };
            by_id.insert(world, Arc::clone(&stored.id));
            by_name.insert(Arc::clone(&stored.id), Arc::new(own));
        }
        Self { known: Mutex::new(Known { by_name, by_id, last }) }
    }

    /// The world of a name, made by `part` where it does not exist; whether it was made.
    fn open(
        &self,
        name: &str,
        part: impl FnOnce() -> WorldPart,
    ) -> Result<(Arc<Own>, bool), WorldError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.by_name.get(name) {
            return Ok((Arc::clone(own), false));
        }
        if !is_world_name(name) {
            return Err(WorldError::Name);
        }
        if known.by_name.len() >= WORLDS_MAX {
            return Err(WorldError::TooMany);
        }
        known.last += 1;
        let (id, part) = (known.last, part());
        let entropy = entropy_of(&part, 0);
        let own = Arc::new(Own { id, entropy, part: Mutex::new(part) });
        let name: Arc<str> = Arc::from(name);
        known.by_id.insert(id, Arc::clone(&name));
        known.by_name.insert(name, Arc::clone(&own));
        Ok((own, true))
    }

    fn get(&self, name: &str) -> Option<Arc<Own>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_name.get(name).map(Arc::clone)
    }

    fn by_id(&self, id: WorldId) -> Option<(Arc<str>, Arc<Own>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let name = known.by_id.get(&id)?;
        Some((Arc::clone(name), Arc::clone(known.by_name.get(name)?)))
    }

    /// Has a world's ids and its time begin anew.
    fn renew(&self, id: WorldId, part: WorldPart, seen: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(name) = known.by_id.get(&id).cloned() else { return };
        let entropy = entropy_of(&part, seen);
        known.by_name.insert(name, Arc::new(Own { id, entropy, part: Mutex::new(part) }));
    }

    fn forget(&self, id: WorldId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.by_id.remove(&id) {
            known.by_name.remove(&name);
        }
    }
}

/// A seeded world's ids go on differently after each start, and the same way each time.
fn entropy_of(part: &WorldPart, last_seq: u64) -> Entropy {
    match part.seed {
        Some(seed) => Entropy::seeded(seed ^ last_seq.rotate_left(17)),
        None => Entropy::system(),
    }
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
        self.make_world(name, &WorldPart::default()).map(|(world, _)| world)
    }

    /// The platform of a named world, made with this seed and this time where it does not exist; whether it
    /// was made.
    pub fn make_world(
        self: &Arc<Self>,
        name: &str,
        part: &WorldPart,
    ) -> Result<(Arc<World>, bool), WorldError> {
        if name == DEFAULT_NAME {
            return Ok((self.default_world(), false));
        }
        let made = self.clock.now().0;
        let (own, is_new) = self.worlds.open(name, || WorldPart { made, ..part.clone() })?;
        Ok((self.named(name, own), is_new))
    }

    /// The platform of a named world; `None` where it does not exist.
    pub fn known_world(self: &Arc<Self>, name: &str) -> Option<Arc<World>> {
        if name == DEFAULT_NAME {
            return Some(self.default_world());
        }
        self.worlds.get(name).map(|own| self.named(name, own))
    }

    /// The present instant of a world, in Unix seconds.
    pub fn now_in(&self, world: WorldId) -> i64 {
        let own = if world == DEFAULT_WORLD { None } else { self.worlds.by_id(world) };
        own.map_or_else(|| self.clock.now(), |(_, own)| own.time(&self.clock)).0
    }

    fn named(self: &Arc<Self>, name: &str, own: Arc<Own>) -> Arc<World> {
        let site = Site {
            base_url: format!("{}/worlds/{name}", self.site.base_url),
            api_version: self.site.api_version.clone(),
            beyond: self.site.beyond.clone(),
            behaviour: self.site.behaviour,
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
            let (name, own) = self.worlds.by_id(scope.world)?;
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

    /// Its name, also where it is the default one.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { DEFAULT_NAME } else { &self.name }
    }

    /// What its paths begin with: `/worlds/NAME`, and nothing for the default world.
    pub fn root(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("/worlds/{}", self.name) }
    }

    /// A key that leads here.
    pub fn example_key(&self) -> String {
        if self.name.is_empty() {
            "sk_test_anything1234".to_owned()
        } else {
            format!("sk_test_w_{}_anything", self.name)
        }
    }

    /// The id of the account that its keys belong to; a world's name decides it.
    pub fn platform_id(&self) -> String {
        platform_id(&self.name)
    }

    /// What its record says; `None` for the default world, whose time and ids are the sandbox's own.
    pub fn part(&self) -> Option<WorldPart> {
        let own = self.own.as_ref()?;
        Some(own.part.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether it has a clock of its own that stands until it is moved.
    pub fn stands(&self) -> bool {
        let Some(own) = &self.own else { return false };
        own.part.lock().unwrap_or_else(PoisonError::into_inner).stands_at.is_some()
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
        self.own.as_ref().map_or_else(|| clock.now(), |own| own.time(clock))
    }

    /// Has its record say something else from now on; it must be stored already.
    pub(super) fn set_part(&self, part: WorldPart) {
        if let Some(own) = &self.own {
            *own.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
        }
    }

    /// Has its ids and its time begin anew after `seen` objects.
    pub(super) fn renew(&self, part: WorldPart, seen: u64) {
        self.engine.worlds.renew(self.scope.world, part, seen);
    }

    /// Has nobody find it any more.
    pub(super) fn forget(&self) {
        self.engine.worlds.forget(self.scope.world);
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
        let before = state.put(&scope, &stored);
        changes.push(Change { scope, before, after: Some(stored) });
    }
}

/// The id of the account that a world's keys belong to.
pub fn platform_id(world: &str) -> String {
    // Any seed will do, as long as it stays the same.
    let mut numbers = Entropy::seeded(0).numbers(&format!("acct_ {world}"));
    id::new_id("acct_1", 15, || numbers.next())
}
