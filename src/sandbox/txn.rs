//! One change of the sandbox's state: all of it happens, or none.

use crate::domain::id;
use crate::domain::time::Timestamp;
use crate::os::entropy::Entropy;
use crate::sandbox::emit;
use crate::sandbox::state::{Key, Record, State};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Who caused a change: `request` of the events that it emits. Empty for what happens by itself.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `req_…`.
    pub request_id: Option<String>,
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// Where the sandbox is reachable; objects carry links that start with it.
#[derive(Clone, Debug)]
pub struct Site {
    /// `http://127.0.0.1:12111`, without a slash at the end.
    pub base_url: String,
    /// The account's default API version.
    pub api_version: String,
}

/// An object as a map of its members.
pub type Doc = Map<String, Value>;

/// What a transaction left behind: every object it wrote, in no order, `None` where it was removed.
pub type Changes = Vec<(Key, Option<Record>)>;

/// A running change. Reads see its own writes; [`Txn::rollback`] undoes them.
#[derive(Debug)]
pub struct Txn<'s> {
    state: &'s mut State,
    now: Timestamp,
    entropy: &'s Entropy,
    site: &'s Site,
    origin: Origin,
    undo: Vec<(Key, Option<Record>)>,
}

impl<'s> Txn<'s> {
    /// Begins a change at `now`.
    pub const fn begin(
        state: &'s mut State,
        now: Timestamp,
        entropy: &'s Entropy,
        site: &'s Site,
        origin: Origin,
    ) -> Self {
        Self { state, now, entropy, site, origin, undo: Vec::new() }
    }

    /// The instant at which the change happens.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Who caused the change.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where the sandbox is reachable.
    pub const fn site(&self) -> &Site {
        self.site
    }

    /// The state as it is now, with this change's writes.
    pub const fn state(&self) -> &State {
        self.state
    }

    /// A fresh id: `prefix` and `length` base-62 digits.
    pub fn mint(&self, prefix: &str, length: usize) -> String {
        let mut numbers = self.entropy.numbers(prefix);
        id::mint(prefix, length, || numbers.next())
    }

    /// The object of that kind (its `object` name) and id.
    pub fn get(&self, kind: &str, id: &str) -> Option<Arc<Value>> {
        self.state.get(kind, id).cloned()
    }

    /// The object, or Stripe's `resource_missing` naming `param` (`id` for an id in the path).
    pub fn find(&self, kind: &str, id: &str, param: &str) -> Result<Arc<Value>, Failure> {
        self.get(kind, id)
            .filter(|doc| doc.get("deleted") != Some(&Value::Bool(true)))
            .ok_or_else(|| missing(kind, id, param))
    }

    /// Stores an object under its own `object` and `id`; what had them is replaced.
    pub fn put(&mut self, doc: impl Into<Value>) -> Arc<Value> {
        let doc = Arc::new(doc.into());
        let name = |member| doc.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key: Key = (name("object"), name("id"));
        let before = self.state.put(&key.0, &key.1, Arc::clone(&doc));
        self.undo.push((key, before));
        doc
    }

    /// Changes an object in place. Returns it before and after; `None` where it does not exist.
    pub fn edit(
        &mut self,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut Doc),
    ) -> Option<(Arc<Value>, Arc<Value>)> {
        let before = self.get(kind, id)?;
        let mut map = before.as_object().cloned().unwrap_or_default();
        change(&mut map);
        let after = self.put(map);
        Some((before, after))
    }

    /// Removes an object for good.
    pub fn remove(&mut self, kind: &str, id: &str) {
        if let Some(record) = self.state.remove(kind, id) {
            self.undo.push(((kind.to_owned(), id.to_owned()), Some(record)));
        }
    }

    /// Every object of a kind that `keep` accepts, newest first.
    pub fn all(&self, kind: &str, keep: impl Fn(&Value) -> bool) -> Vec<Arc<Value>> {
        self.state.newest(kind).filter(|doc| keep(doc)).cloned().collect()
    }

    /// Emits an event about `doc` as it is now, to be delivered to every endpoint that wants its type.
    pub fn emit(&mut self, kind: &str, doc: &Value) {
        emit::emit(self, kind, doc, None);
    }

    /// Emits an `*.updated`-like event with `previous_attributes`, unless nothing visible changed.
    pub fn emit_change(&mut self, kind: &str, before: &Value, after: &Value) {
        let previous = crate::sandbox::diff::previous_attributes(before, after);
        if !previous.is_empty() {
            emit::emit(self, kind, after, Some(previous));
        }
    }

    /// Has `job` run with `args` once the clock reaches `due`. Returns the id that [`Txn::unschedule`] takes.
    pub fn schedule(&mut self, due: Timestamp, job: &str, args: &Value) -> String {
        let id = self.mint("job_", 16);
        self.put(json!({"object": "_job", "id": id, "due": due.0, "job": job, "args": args}));
        id
    }

    /// Takes a scheduled job back.
    pub fn unschedule(&mut self, id: &str) {
        self.remove("_job", id);
    }

    /// Every object that the change wrote so far, as it is now.
    pub fn changes(&self) -> Changes {
        let keys: BTreeSet<&Key> = self.undo.iter().map(|(key, _)| key).collect();
        keys.into_iter()
            .map(|key| (key.clone(), self.state.record(&key.0, &key.1).cloned()))
            .collect()
    }

    /// Undoes everything that the change wrote.
    pub fn rollback(self) {
        for ((kind, id), before) in self.undo.into_iter().rev() {
            match before {
                Some(record) => self.state.restore(&kind, &id, record),
                None => drop(self.state.remove(&kind, &id)),
            }
        }
    }
}

/// Stripe's sentence for an object that does not exist; the nouns are its own.
pub fn missing(kind: &str, id: &str, param: &str) -> Failure {
    let noun = match kind {
        "payment_method" => "PaymentMethod",
        "setup_intent" => "setupintent",
        other => other,
    };
    let mut failure = Failure::missing(noun, id, param);
    if kind == "checkout.session" {
        failure.message = format!("No such checkout.session: {id}");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            base_url: "http://127.0.0.1:1".to_owned(),
            api_version: "2026-10-28.endive".to_owned(),
        }
    }

    #[test]
    fn a_change_that_is_rolled_back_leaves_nothing() {
        let (mut state, entropy, site) = (State::default(), Entropy::seeded(1), site());
        state.put("customer", "cus_1", Arc::new(json!({"object": "customer", "id": "cus_1"})));
        let mut txn = Txn::begin(&mut state, Timestamp(1), &entropy, &site, Origin::default());
        txn.edit("customer", "cus_1", |doc| {
            doc.insert("name".to_owned(), json!("x"));
        });
        txn.put(json!({"object": "customer", "id": "cus_2"}));
        txn.remove("customer", "cus_1");
        txn.rollback();
        assert_eq!(
            **state.get("customer", "cus_1").unwrap(),
            json!({"object": "customer", "id": "cus_1"})
        );
        assert_eq!(state.count("customer"), 1);
    }

    #[test]
    fn each_written_object_is_told_once() {
        let (mut state, entropy, site) = (State::default(), Entropy::seeded(1), site());
        let mut txn = Txn::begin(&mut state, Timestamp(1), &entropy, &site, Origin::default());
        txn.put(json!({"object": "customer", "id": "cus_1"}));
        txn.put(json!({"object": "customer", "id": "cus_1", "name": "y"}));
        let changes = txn.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].1.as_ref().unwrap().doc["name"], "y");
    }
}
