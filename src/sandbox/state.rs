//! What the sandbox knows, in memory: every object by kind and id, in order of creation.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The name and the id of one object: `("customer", "cus_…")`. Kinds that start with `_` are the sandbox's own.
pub type Key = (String, String);

/// One stored object.
#[derive(Clone, Debug)]
pub struct Record {
    /// The object as the API shows it, and members starting with `_` that only the sandbox sees.
    pub doc: Arc<Value>,
    /// Position in the order of creation over all kinds.
    pub seq: u64,
}

/// All objects of one kind.
#[derive(Debug, Default)]
struct Shelf {
    records: HashMap<String, Record>,
    order: BTreeMap<u64, String>,
    /// What has a `due` instant, soonest first: jobs and deliveries.
    agenda: BTreeSet<(i64, u64)>,
}

impl Shelf {
    fn insert(&mut self, id: &str, record: Record) -> Option<Record> {
        self.order.insert(record.seq, id.to_owned());
        let new = due(&record).map(|at| (at, record.seq));
        let before = self.records.insert(id.to_owned(), record);
        if let Some(old) = before.as_ref().and_then(|old| due(old).map(|at| (at, old.seq))) {
            self.agenda.remove(&old);
        }
        self.agenda.extend(new);
        before
    }
}

fn due(record: &Record) -> Option<i64> {
    record.doc.get("due").and_then(Value::as_i64)
}

/// Every object of the sandbox.
#[derive(Debug, Default)]
pub struct State {
    shelves: HashMap<String, Shelf>,
    last_seq: u64,
}

impl State {
    /// The object of that kind and id.
    pub fn get(&self, kind: &str, id: &str) -> Option<&Arc<Value>> {
        self.record(kind, id).map(|record| &record.doc)
    }

    /// The stored record of that kind and id.
    pub fn record(&self, kind: &str, id: &str) -> Option<&Record> {
        self.shelves.get(kind)?.records.get(id)
    }

    /// Every object of a kind, newest first.
    pub fn newest<'s>(&'s self, kind: &str) -> impl Iterator<Item = &'s Arc<Value>> + use<'s> {
        let shelf = self.shelves.get(kind);
        shelf.into_iter().flat_map(|shelf| {
            shelf.order.values().rev().filter_map(|id| shelf.records.get(id)).map(|r| &r.doc)
        })
    }

    /// Every object of a kind created before (`older`) or after the one named, nearest first.
    pub fn from<'s>(
        &'s self,
        kind: &str,
        seq: u64,
        older: bool,
    ) -> Box<dyn Iterator<Item = &'s Arc<Value>> + 's> {
        let Some(shelf) = self.shelves.get(kind) else { return Box::new(std::iter::empty()) };
        let doc = |id: &String| shelf.records.get(id).map(|record| &record.doc);
        if older {
            Box::new(shelf.order.range(..seq).rev().filter_map(move |(_, id)| doc(id)))
        } else {
            Box::new(shelf.order.range(seq + 1..).filter_map(move |(_, id)| doc(id)))
        }
    }

    /// The objects of a kind whose `due` has come at `now`, soonest first.
    pub fn due(&self, kind: &str, now: i64) -> Vec<Arc<Value>> {
        let Some(shelf) = self.shelves.get(kind) else { return Vec::new() };
        shelf
            .agenda
            .range(..=(now, u64::MAX))
            .filter_map(|(_, seq)| shelf.records.get(shelf.order.get(seq)?))
            .map(|record| Arc::clone(&record.doc))
            .collect()
    }

    /// The soonest `due` of a kind.
    pub fn next_due(&self, kind: &str) -> Option<i64> {
        self.shelves.get(kind)?.agenda.first().map(|(at, _)| *at)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &str) -> usize {
        self.shelves.get(kind).map_or(0, |shelf| shelf.records.len())
    }

    /// Stores an object, keeping its place where it exists already. Returns what stood there before.
    pub fn put(&mut self, kind: &str, id: &str, doc: Arc<Value>) -> Option<Record> {
        let shelf = self.shelves.entry(kind.to_owned()).or_default();
        let seq = shelf.records.get(id).map_or(self.last_seq + 1, |record| record.seq);
        self.last_seq = self.last_seq.max(seq);
        shelf.insert(id, Record { doc, seq })
    }

    /// Stores a record at the place it had, as loading and undoing do.
    pub fn restore(&mut self, kind: &str, id: &str, record: Record) {
        let shelf = self.shelves.entry(kind.to_owned()).or_default();
        self.last_seq = self.last_seq.max(record.seq);
        shelf.insert(id, record);
    }

    /// Removes an object and returns what it was.
    pub fn remove(&mut self, kind: &str, id: &str) -> Option<Record> {
        let shelf = self.shelves.get_mut(kind)?;
        let record = shelf.records.remove(id)?;
        shelf.order.remove(&record.seq);
        if let Some(at) = due(&record) {
            shelf.agenda.remove(&(at, record.seq));
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_keep_their_place_when_they_change() {
        let mut state = State::default();
        for id in ["a", "b", "c"] {
            state.put("customer", id, Arc::new(json!({"id": id})));
        }
        state.put("customer", "a", Arc::new(json!({"id": "a", "name": "x"})));
        let ids: Vec<_> = state.newest("customer").map(|d| d["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["c", "b", "a"]);
        let seq = state.record("customer", "b").unwrap().seq;
        assert_eq!(state.from("customer", seq, true).count(), 1);
        assert_eq!(state.from("customer", seq, false).next().unwrap()["id"], "c");
    }
}
