//! What the newest commits changed: kept in memory, bounded in changes and in bytes, for whoever compares.

use crate::sandbox::engine::state::WorldId;
use crate::sandbox::engine::txn::Change;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Changes that are kept.
const CHANGES_MAX: usize = 20_000;

/// Bytes that the objects in them may take together, roughly.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What one commit changed.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The commit's number.
    pub number: u64,
    /// The changes, in the order of creation of what they are about.
    pub changes: Vec<Change>,
}

/// The newest commits.
#[derive(Debug)]
pub struct Recent(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    commits: VecDeque<Committed>,
    changes: usize,
    bytes: usize,
    /// The last commit that is not kept any more.
    forgotten: u64,
}

impl Recent {
    /// Nothing yet, after commit `number`.
    pub fn after(number: u64) -> Self {
        let commits = VecDeque::new();
        Self(Mutex::new(Kept { commits, changes: 0, bytes: 0, forgotten: number }))
    }

    /// Keeps what a commit changed, and forgets the oldest ones where that is too much.
    pub fn add(&self, number: u64, changes: &[Change]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.changes += changes.len();
        kept.bytes += bytes(changes);
        kept.commits.push_back(Committed { number, changes: changes.to_vec() });
        while kept.changes > CHANGES_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.commits.pop_front() else { return };
            kept.changes -= oldest.changes.len();
            kept.bytes -= bytes(&oldest.changes);
            kept.forgotten = oldest.number;
        }
    }

    /// What changed in a world after commit `since`, oldest first. Fails with the first number that can be
    /// asked for where that is not known any more.
    pub fn since(&self, world: WorldId, since: u64) -> Result<Vec<Committed>, u64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since < kept.forgotten {
            return Err(kept.forgotten);
        }
        let newer = kept.commits.iter().rev().take_while(|commit| commit.number > since);
        let of_world = |commit: &Committed| {
            let changes = commit.changes.iter().filter(|change| change.scope.world == world);
            let changes: Vec<Change> = changes.cloned().collect();
            (!changes.is_empty()).then_some(Committed { number: commit.number, changes })
        };
        let mut found: Vec<Committed> = newer.filter_map(of_world).collect();
        found.reverse();
        Ok(found)
    }
}

fn bytes(changes: &[Change]) -> usize {
    let sides = changes.iter().flat_map(|change| [&change.before, &change.after]);
    sides.flatten().map(|stored| stored.bytes()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::object::Stored;
    use crate::sandbox::engine::state::Scope;
    use std::sync::Arc;

    fn change(world: WorldId, bytes: usize) -> Change {
        let text = "x".repeat(bytes).into();
        let stored = Stored { kind: "customer", id: "cus_1".into(), seq: 1, text, private: None };
        Change { scope: Scope::platform(world), before: None, after: Some(Arc::new(stored)) }
    }

    #[test]
    fn a_world_is_told_of_its_own_changes_only() {
        let recent = Recent::after(7);
        recent.add(8, &[change(1, 1)]);
        recent.add(9, &[change(2, 1)]);
        recent.add(10, &[change(1, 1), change(2, 1)]);
        let numbers = |since| -> Vec<(u64, usize)> {
            let found = recent.since(1, since).unwrap();
            found.iter().map(|commit| (commit.number, commit.changes.len())).collect()
        };
        assert_eq!(numbers(7), [(8, 1), (10, 1)]);
        assert_eq!(numbers(8), [(10, 1)]);
        assert_eq!(numbers(10), []);
        assert_eq!(recent.since(1, 6).unwrap_err(), 7);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let recent = Recent::after(0);
        for number in 1..=40 {
            recent.add(number, &[change(1, 1024 * 1024)]);
        }
        let first = recent.since(1, 0).unwrap_err();
        assert!((24..40).contains(&first), "{first}");
        assert_eq!(recent.since(1, first).unwrap().len() as u64, 40 - first);
    }
}
