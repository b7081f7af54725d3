//! What the sandbox knows, as a persistent structure: a copy costs a pointer, and a change copies only its path.
//!
//! World → account → kind → table. A table holds its objects by place and by id, the entries of its indexes,
//! and what is due.

use crate::sandbox::engine::index;
use crate::sandbox::engine::object::Stored;
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// A world's number; the default world is 0.
pub type WorldId = u32;

/// The world that is meant where none is named.
pub const DEFAULT_WORLD: WorldId = 0;

/// Whose objects: a world, and in it the platform (empty) or a connected account (`acct_…`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The world.
    pub world: WorldId,
    /// The account.
    pub account: Arc<str>,
}

impl Scope {
    /// The platform of a world.
    pub fn platform(world: WorldId) -> Self {
        Self { world, account: Arc::from("") }
    }

    /// An account of the same world.
    #[must_use]
    pub fn at(&self, account: &str) -> Self {
        if *self.account == *account {
            return self.clone();
        }
        Self { world: self.world, account: Arc::from(account) }
    }
}

/// All objects of one kind in one account.
#[derive(Clone, Debug, Default)]
pub struct Table {
    order: OrdMap<u64, Arc<Stored>>,
    /// A hash and a place each: see [`index`]. The ids are among them.
    index: OrdSet<(u64, u64)>,
    due: OrdSet<(i64, u64)>,
}

impl Table {
    /// The table of objects that are given in the order of their places, with the entries that they have.
    pub(super) fn of(objects: Vec<Arc<Stored>>, mut entries: Vec<(u64, u64)>) -> Self {
        // Sorted first: filling a tree in its order touches each of its nodes once.
        entries.sort_unstable();
        let due = objects.iter().filter_map(|stored| Some((stored.due()?, stored.seq))).collect();
        let order = objects.into_iter().map(|stored| (stored.seq, stored)).collect();
        Self { order, index: entries.into_iter().collect(), due }
    }

    fn put(&mut self, stored: &Arc<Stored>, alike: bool) -> Option<Arc<Stored>> {
        let seq = stored.seq;
        let before = self.order.insert(seq, Arc::clone(stored));
        let is_alike = |old: &Arc<Stored>| alike || index::is_found_alike(old, stored);
        if !before.as_ref().is_some_and(is_alike) {
            let new_keys = index::keys(stored);
            let old_keys = before.as_deref().map(index::keys).unwrap_or_default();
            for key in old_keys.iter().filter(|key| !new_keys.contains(key)) {
                self.index.remove(&(*key, seq));
            }
            for key in new_keys.into_iter().filter(|key| !old_keys.contains(key)) {
                self.index.insert((key, seq));
            }
        }
        let (old_due, new_due) = (before.as_deref().and_then(Stored::due), stored.due());
        if old_due != new_due {
            if let Some(due) = old_due {
                self.due.remove(&(due, seq));
            }
            if let Some(due) = new_due {
                self.due.insert((due, seq));
            }
        }
        before
    }

    fn remove(&mut self, seq: u64) -> Option<Arc<Stored>> {
        let old = self.order.remove(&seq)?;
        for key in index::keys(&old) {
            self.index.remove(&(key, seq));
        }
        if let Some(due) = old.due() {
            self.due.remove(&(due, seq));
        }
        Some(old)
    }

    /// The object of an id.
    pub fn get(&self, id: &str) -> Option<&Arc<Stored>> {
        self.indexed_after(index::id_key(id), 0).find(|stored| &*stored.id == id)
    }

    /// The object at a place.
    pub fn at(&self, seq: u64) -> Option<&Arc<Stored>> {
        self.order.get(&seq)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All of them, oldest first; reversible.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Stored>> {
        self.order.values()
    }

    /// Those made before `seq`, newest first.
    pub fn before(&self, seq: u64) -> impl Iterator<Item = &Arc<Stored>> {
        self.order.range(..seq).rev().map(|(_, stored)| stored)
    }

    /// Those made after `seq`, oldest first.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<Stored>> {
        self.order.range(seq.saturating_add(1)..).map(|(_, stored)| stored)
    }

    /// Those that an index entry names, made before `seq`, newest first.
    pub fn indexed_before(&self, key: u64, seq: u64) -> impl Iterator<Item = &Arc<Stored>> {
        self.index.range((key, 0)..(key, seq)).rev().filter_map(|(_, seq)| self.order.get(seq))
    }

    /// Those that an index entry names, made after `seq`, oldest first.
    pub fn indexed_after(&self, key: u64, seq: u64) -> impl Iterator<Item = &Arc<Stored>> {
        self.index
            .range((key, seq.saturating_add(1))..=(key, u64::MAX))
            .filter_map(|(_, seq)| self.order.get(seq))
    }

    /// What has become due at `now`, soonest first.
    pub fn due(&self, now: i64) -> impl Iterator<Item = &Arc<Stored>> {
        self.due.range(..=(now, u64::MAX)).filter_map(|(_, seq)| self.order.get(seq))
    }

    /// The soonest instant at which something is due.
    pub fn next_due(&self) -> Option<i64> {
        self.due.get_min().map(|(due, _)| *due)
    }
}

type Tables = OrdMap<&'static str, Arc<Table>>;

/// The objects of one world.
#[derive(Clone, Debug, Default)]
pub struct WorldState {
    accounts: OrdMap<Arc<str>, Arc<Tables>>,
    objects: u64,
}

/// Everything that the sandbox holds, at one commit.
#[derive(Clone, Debug, Default)]
pub struct State {
    worlds: OrdMap<WorldId, Arc<WorldState>>,
    last_seq: u64,
    objects: u64,
}

impl State {
    /// A table; `None` where nothing of its kind was ever made.
    pub fn table(&self, scope: &Scope, kind: &str) -> Option<&Arc<Table>> {
        self.worlds.get(&scope.world)?.accounts.get(&*scope.account)?.get(kind)
    }

    /// The object of a kind and id.
    pub fn get(&self, scope: &Scope, kind: &str, id: &str) -> Option<&Arc<Stored>> {
        self.table(scope, kind)?.get(id)
    }

    /// How many objects and records there are, over all worlds.
    pub const fn objects(&self) -> u64 {
        self.objects
    }

    /// The place of the newest object.
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The worlds that hold anything.
    pub fn worlds(&self) -> impl Iterator<Item = WorldId> + '_ {
        self.worlds.keys().copied()
    }

    /// How many objects and records a world holds.
    pub fn objects_of(&self, world: WorldId) -> u64 {
        self.worlds.get(&world).map_or(0, |world| world.objects)
    }

    /// The accounts of a world that hold anything, the platform first.
    pub fn accounts(&self, world: WorldId) -> Vec<Scope> {
        let accounts = self.worlds.get(&world).into_iter().flat_map(|w| w.accounts.keys());
        accounts.map(|account| Scope { world, account: Arc::clone(account) }).collect()
    }

    /// The kinds that an account has, and their tables.
    pub fn tables(&self, scope: &Scope) -> impl Iterator<Item = (&'static str, &Arc<Table>)> {
        let tables = self.worlds.get(&scope.world).and_then(|w| w.accounts.get(&*scope.account));
        tables.into_iter().flat_map(|tables| tables.iter().map(|(kind, table)| (*kind, table)))
    }

    /// The place that the next new object gets.
    pub const fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Has new objects get places after `seq`.
    pub fn reserve(&mut self, seq: u64) {
        self.last_seq = self.last_seq.max(seq);
    }

    /// Stores an object at its place. Returns what stood there.
    pub fn put(&mut self, scope: &Scope, stored: &Arc<Stored>) -> Option<Arc<Stored>> {
        self.put_again(scope, stored, false)
    }

    /// [`State::put`]; `alike` says that it is found as what stood there was.
    pub fn put_again(
        &mut self,
        scope: &Scope,
        stored: &Arc<Stored>,
        alike: bool,
    ) -> Option<Arc<Stored>> {
        self.last_seq = self.last_seq.max(stored.seq);
        let world = Arc::make_mut(self.worlds.entry(scope.world).or_default());
        let tables = Arc::make_mut(world.accounts.entry(Arc::clone(&scope.account)).or_default());
        let table = Arc::make_mut(tables.entry(stored.kind).or_default());
        let before = table.put(stored, alike);
        if before.is_none() {
            world.objects += 1;
            self.objects += 1;
        }
        before
    }

    /// Puts a whole table in its place, where none is yet, as loading does.
    pub fn fill(&mut self, scope: &Scope, kind: &'static str, table: Table) {
        let count = u64::try_from(table.len()).unwrap_or(0);
        let last = table.order.get_max().map_or(0, |(seq, _)| *seq);
        self.last_seq = self.last_seq.max(last);
        let world = Arc::make_mut(self.worlds.entry(scope.world).or_default());
        let tables = Arc::make_mut(world.accounts.entry(Arc::clone(&scope.account)).or_default());
        tables.insert(kind, Arc::new(table));
        world.objects += count;
        self.objects += count;
    }

    /// Removes an object. Returns what it was.
    pub fn remove(&mut self, scope: &Scope, kind: &'static str, seq: u64) -> Option<Arc<Stored>> {
        self.table(scope, kind)?.order.get(&seq)?;
        let world = Arc::make_mut(self.worlds.get_mut(&scope.world)?);
        let tables = Arc::make_mut(world.accounts.get_mut(&*scope.account)?);
        let removed = Arc::make_mut(tables.get_mut(kind)?).remove(seq)?;
        world.objects -= 1;
        self.objects -= 1;
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(seq: u64, email: &str) -> Arc<Stored> {
        let id = format!("cus_{seq}");
        let text = format!("{{\"id\":\"{id}\",\"object\":\"customer\",\"email\":\"{email}\"}}");
        Arc::new(Stored { kind: "customer", id: id.into(), seq, text: text.into(), private: None })
    }

    #[test]
    fn a_copy_keeps_what_it_had_while_the_other_changes() {
        let scope = Scope::platform(DEFAULT_WORLD);
        let mut state = State::default();
        for seq in 1..=100 {
            state.put(&scope, &customer(seq, if seq % 2 == 0 { "even@x.jp" } else { "odd@x.jp" }));
        }
        let before = state.clone();
        state.put(&scope, &customer(2, "odd@x.jp"));
        state.remove(&scope, "customer", 3);
        let found = |state: &State, email: &str| -> Vec<u64> {
            let key = index::key("email", email);
            let table = state.table(&scope, "customer").unwrap();
            table.indexed_before(key, u64::MAX).map(|stored| stored.seq).collect()
        };
        assert_eq!((found(&before, "even@x.jp").len(), found(&state, "even@x.jp").len()), (50, 49));
        assert_eq!(found(&state, "odd@x.jp").len(), 50);
        assert_eq!(found(&state, "ODD@x.jp").first(), Some(&99));
        assert_eq!((before.objects(), state.objects(), state.objects_of(0)), (100, 99, 99));
        assert!(state.get(&scope, "customer", "cus_3").is_none());
        assert_eq!(state.table(&scope, "customer").unwrap().before(5).count(), 3);
        assert_eq!(state.table(&scope, "customer").unwrap().after(98).count(), 2);
        let elsewhere = Scope::platform(7);
        assert!(state.table(&elsewhere, "customer").is_none());
    }
}
