//! One change of the sandbox's state: all of it happens, or none.

use crate::domain::id;
use crate::domain::time::Timestamp;
use crate::net::outbound::Beyond;
use crate::os::entropy::Entropy;
use crate::sandbox::engine::diff::previous_attributes;
use crate::sandbox::engine::emit;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::{Doc, Object, Stored, kind};
use crate::sandbox::engine::private::{Part, Private};
use crate::sandbox::engine::state::{Scope, State, Table};
use crate::sandbox::engine::txn::follow::Behaviour;
use crate::sandbox::engine::txn::known::Known;
use crate::sandbox::engine::worlds;
use crate::wire::failure::Failure;
use crate::wire::render;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

pub mod follow;
mod known;
pub mod timeline;

/// Who caused a change: `request` of the events that it emits. Empty for what happens by itself.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `req_…`.
    pub request_id: Option<String>,
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Whether a page in a browser asked, with a publishable key.
    pub browser: bool,
}

/// Where a world is reachable, and what is done there; objects carry links that start with it.
#[derive(Clone, Debug)]
pub struct Site {
    /// `http://127.0.0.1:12111` or `http://127.0.0.1:12111/worlds/NAME`, without a slash at the end.
    pub base_url: String,
    /// The account's default API version.
    pub api_version: String,
    /// Whom its webhooks may be delivered to beyond this machine.
    pub beyond: Beyond,
    /// What its changes can have done by name.
    pub behaviour: Behaviour,
}

/// One account's objects at one commit.
#[derive(Clone, Debug)]
pub struct View {
    state: State,
    scope: Scope,
}

impl View {
    /// The objects of an account.
    pub const fn new(state: State, scope: Scope) -> Self {
        Self { state, scope }
    }

    /// Everything, over all accounts and worlds.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whose objects these are.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The same commit, seen by another account of this world.
    #[must_use]
    pub fn at(&self, account: &str) -> Self {
        Self { state: self.state.clone(), scope: self.scope.at(account) }
    }

    /// The objects of a kind; `None` where there never was one.
    pub fn table(&self, kind: &str) -> Option<&Table> {
        self.state.table(&self.scope, kind).map(AsRef::as_ref)
    }

    /// The stored object of that kind (its `object` name) and id.
    pub fn stored(&self, kind: &str, id: &str) -> Option<&Arc<Stored>> {
        self.state.get(&self.scope, kind, id)
    }

    /// The object of that kind and id.
    pub fn get(&self, kind: &str, id: &str) -> Option<Arc<Object>> {
        self.stored(kind, id).map(|stored| Arc::new(Object::read(stored)))
    }

    /// A record of the sandbox's own: the private part of that kind and id.
    pub fn record<T: Part>(&self, kind: &str, id: &str) -> Option<&T> {
        self.stored(kind, id)?.part()
    }

    /// Every object of a kind, newest first.
    pub fn newest(&self, kind: &str) -> impl Iterator<Item = Arc<Object>> + '_ {
        let stored = self.table(kind).into_iter().flat_map(|table| table.all().rev());
        stored.map(|stored| Arc::new(Object::read(stored)))
    }

    /// The objects of a kind whose member at `path` has exactly this value, newest first. Where an index
    /// is declared, only those are looked at.
    pub fn having(&self, kind: &str, path: &'static str, value: &str) -> Vec<Arc<Object>> {
        let read = |stored: &Arc<Stored>| Arc::new(Object::read(stored));
        self.stored_having(kind, path, value).into_iter().map(read).collect()
    }

    fn stored_having(&self, kind: &str, path: &'static str, value: &str) -> Vec<&Arc<Stored>> {
        let Some(table) = self.table(kind) else { return Vec::new() };
        let names: Vec<&str> = path.split('.').collect();
        let fits = |stored: &&Arc<Stored>| {
            stored.member(&names, |raw| raw.and_then(|raw| raw.plain().map(|found| found == value)))
                == Some(true)
        };
        if index::declared(kind).contains(&path) {
            let key = index::key(path, value);
            return table.indexed_before(key, u64::MAX).filter(fits).collect();
        }
        table.all().rev().filter(fits).collect()
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &str) -> usize {
        self.table(kind).map_or(0, Table::len)
    }

    /// The object, or Stripe's `resource_missing` naming `param` (`id` for an id in the path).
    pub fn find(&self, kind: &str, id: &str, param: &str) -> Result<Arc<Object>, Failure> {
        self.stored(kind, id)
            .filter(|stored| !stored.is_deleted())
            .map(|stored| Arc::new(Object::read(stored)))
            .ok_or_else(|| self.absent(kind, id, param))
    }

    /// The refusal of an object that is not there. A payment method may be in another account of the platform's, which
    /// Stripe says to every platform, whether it has accounts or not; whoever has a sandbox is one.
    fn absent(&self, kind: &str, id: &str, param: &str) -> Failure {
        let mut failure = missing(kind, id, param);
        if kind == "payment_method" {
            let is_platform = self.scope.account.is_empty();
            let tail = if !is_platform && self.at("").stored(kind, id).is_some() {
                "; OAuth key or Stripe-Account header was used but API request was provided with a platform-owned payment method ID. Please ensure that the provided payment method matches the specified account."
            } else if is_platform {
                "; It's possible this PaymentMethod exists on one of your connected accounts, in which case you should retry this request on that connected account. Learn more at https://stripe.com/docs/connect/authentication"
            } else {
                ""
            };
            failure.message.push_str(tail);
        }
        failure
    }
}

/// One object before and after a change; `None` where it did not exist.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose object.
    pub scope: Scope,
    /// Before.
    pub before: Option<Arc<Stored>>,
    /// After.
    pub after: Option<Arc<Stored>>,
}

impl Change {
    /// Whether it removes an object, or leaves only a stub of it.
    pub fn deletes(&self) -> bool {
        let is_there =
            |stored: &Option<Arc<Stored>>| stored.as_ref().is_some_and(|s| !s.is_deleted());
        is_there(&self.before) && !is_there(&self.after)
    }
}

/// A running change: a draft of the state. Reads see its own writes; dropping it undoes them.
/// Dereferences to the [`View`] of its draft.
#[derive(Debug)]
pub struct Txn<'e> {
    view: View,
    now: Timestamp,
    /// The same where no test clock counts.
    world_now: Timestamp,
    /// The test clock whose time counts.
    timeline: Option<Arc<str>>,
    entropy: &'e Entropy,
    site: &'e Site,
    origin: Origin,
    changes: BTreeMap<u64, Change>,
    /// What was read or written: reading it again need not parse it.
    known: Known,
}

impl Deref for Txn<'_> {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl<'e> Txn<'e> {
    /// Begins a change of a draft at `now`.
    pub fn begin(
        view: View,
        now: Timestamp,
        entropy: &'e Entropy,
        site: &'e Site,
        origin: Origin,
    ) -> Self {
        let (changes, known) = (BTreeMap::new(), Known::default());
        let (world_now, timeline) = (now, None);
        Self { view, now, world_now, timeline, entropy, site, origin, changes, known }
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

    /// The id of the account that the world's keys belong to.
    pub fn platform_id(&self) -> String {
        let name = self.site.base_url.rsplit_once("/worlds/").map_or("", |(_, name)| name);
        worlds::platform_id(name)
    }

    /// A fresh id: `prefix` and `length` base-62 digits.
    pub fn new_id(&self, prefix: &str, length: usize) -> String {
        let mut numbers = self.entropy.numbers(prefix);
        id::new_id(prefix, length, || numbers.next())
    }

    /// The client secret of an object: its id, `_secret_` and `length` base-62 digits.
    pub fn secret(&self, kind: &str, id: &str, length: usize) -> String {
        // One sequence a kind: one for each object would be kept for ever.
        let mut numbers = self.entropy.numbers(&format!("{kind} _secret_"));
        id::new_id(&format!("{id}_secret_"), length, || numbers.next())
    }

    /// The object of that kind and id, with this change's writes.
    pub fn get(&self, kind: &str, id: &str) -> Option<Arc<Object>> {
        self.view.stored(kind, id).map(|stored| self.known.read(stored))
    }

    /// See [`View::having`].
    pub fn having(&self, kind: &str, path: &'static str, value: &str) -> Vec<Arc<Object>> {
        let found = self.view.stored_having(kind, path, value);
        found.into_iter().map(|stored| self.known.read(stored)).collect()
    }

    /// See [`View::find`].
    pub fn find(&self, kind: &str, id: &str, param: &str) -> Result<Arc<Object>, Failure> {
        let stored = self.view.stored(kind, id).filter(|stored| !stored.is_deleted());
        stored.and_then(|_| self.get(kind, id)).ok_or_else(|| self.absent(kind, id, param))
    }

    /// Stores a document under its own `object` and `id`; what had them is replaced, and keeps its private part.
    pub fn put(&mut self, doc: impl Into<Value>) -> Arc<Object> {
        self.store(doc.into(), None)
    }

    /// Stores a document together with its private part.
    pub fn put_with(&mut self, doc: impl Into<Value>, part: impl Part) -> Arc<Object> {
        self.store(doc.into(), Some(Arc::new(part.stored())))
    }

    fn store(&mut self, doc: Value, private: Option<Arc<Private>>) -> Arc<Object> {
        let name = |member| doc.get(member).and_then(Value::as_str).unwrap_or_default();
        let (kind, id) = (kind(name("object")), name("id"));
        let old = self.view.stored(kind, id).cloned();
        let held = old.as_ref().and_then(|old| self.known.held(old));
        let alike = held.is_some_and(|held| index::are_found_alike(kind, &held, &doc));
        let stored = Arc::new(Stored {
            kind,
            id: old.as_ref().map_or_else(|| Arc::from(id), |old| Arc::clone(&old.id)),
            seq: old.as_ref().map_or_else(|| self.view.state.next_seq(), |old| old.seq),
            text: render::compact(&doc).into(),
            private: private.or_else(|| old.as_ref().and_then(|old| old.private.clone())),
        });
        let object = Arc::new(Object::with(Arc::clone(&stored), doc));
        self.known.note(&object);
        self.write(stored, alike);
        object
    }

    /// Stores a record of the sandbox's own, with a text where it has one.
    pub fn put_record(&mut self, kind: &'static str, id: &str, text: Arc<str>, part: impl Part) {
        let old = self.view.stored(kind, id).cloned();
        let seq = old.as_ref().map_or_else(|| self.view.state.next_seq(), |old| old.seq);
        let id = old.map_or_else(|| Arc::from(id), |old| Arc::clone(&old.id));
        self.known.forget(seq);
        let stored =
            Arc::new(Stored { kind, id, seq, text, private: Some(Arc::new(part.stored())) });
        self.write(stored, false);
    }

    /// Changes a record of the sandbox's own; `false` where there is none.
    pub fn edit_record<T: Part>(
        &mut self,
        kind: &'static str,
        id: &str,
        change: impl FnOnce(&mut T),
    ) -> bool {
        let Some(stored) = self.view.stored(kind, id).cloned() else { return false };
        let Some(mut part) = stored.part::<T>().cloned() else { return false };
        change(&mut part);
        self.put_record(kind, id, Arc::clone(&stored.text), part);
        true
    }

    fn write(&mut self, stored: Arc<Stored>, alike: bool) {
        let (scope, seq) = (self.view.scope.clone(), stored.seq);
        let before = self.view.state.put_again(&scope, &stored, alike);
        self.note(scope, seq, before, Some(stored));
    }

    fn note(
        &mut self,
        scope: Scope,
        seq: u64,
        before: Option<Arc<Stored>>,
        after: Option<Arc<Stored>>,
    ) {
        // Only the first state before and the last one after count.
        let change = self.changes.entry(seq).or_insert(Change { scope, before, after: None });
        change.after = after;
        if change.before.is_none() && change.after.is_none() {
            self.changes.remove(&seq);
        }
    }

    /// Changes an object in place. Returns it before and after; `None` where it does not exist.
    pub fn edit(
        &mut self,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut Doc),
    ) -> Option<(Arc<Object>, Arc<Object>)> {
        let before = self.get(kind, id)?;
        let mut map = before.as_object().cloned().unwrap_or_default();
        change(&mut map);
        let after = self.put(map);
        Some((before, after))
    }

    /// Changes an object and its private part in place. Returns it before and after.
    pub fn edit_with<T: Part + 'static>(
        &mut self,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut Doc, &mut T),
    ) -> Option<(Arc<Object>, Arc<Object>)> {
        let before = self.get(kind, id)?;
        let mut map = before.as_object().cloned().unwrap_or_default();
        let mut part = before.part::<T>().into_owned();
        change(&mut map, &mut part);
        let after = self.put_with(map, part);
        Some((before, after))
    }

    /// Changes only what the sandbox keeps of an object beyond what the API shows: its document stays as it is, and is
    /// neither written nor looked through anew.
    pub fn edit_part<T: Part + 'static>(
        &mut self,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut T),
    ) {
        let Some(before) = self.view.stored(kind, id).cloned() else { return };
        let mut part = before.part::<T>().cloned().unwrap_or_default();
        change(&mut part);
        let private = Some(Arc::new(part.stored()));
        let stored = Arc::new(Stored { private, ..Stored::clone(&before) });
        self.known.carry(&before, &stored);
        self.write(stored, false);
    }

    /// Removes an object for good.
    pub fn remove(&mut self, kind: &str, id: &str) {
        let Some(stored) = self.view.stored(kind, id).cloned() else { return };
        let scope = self.view.scope.clone();
        self.known.forget(stored.seq);
        let before = self.view.state.remove(&scope, stored.kind, stored.seq);
        self.note(scope, stored.seq, before, None);
    }

    /// Stores the event that `envelope` and the text of the object that it is about make.
    pub(in crate::sandbox) fn put_event(
        &mut self,
        id: &str,
        about: Arc<str>,
        envelope: crate::sandbox::engine::private::Envelope,
    ) {
        self.put_record("event", id, about, envelope);
    }

    /// Does something in another account of this world, as part of this change.
    pub fn in_account<R>(&mut self, account: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        if &*self.view.scope.account == account {
            return work(self);
        }
        let scope = self.view.scope.at(account);
        let own = std::mem::replace(&mut self.view.scope, scope);
        let result = work(self);
        self.view.scope = own;
        result
    }

    /// Does something and undoes it: what would be.
    pub fn supposing<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let state = self.view.state.clone();
        let changes = std::mem::take(&mut self.changes);
        let result = work(self);
        (self.view.state, self.changes) = (state, changes);
        result
    }

    /// Emits an event about `object` as it is now, to be delivered to every endpoint that wants its type.
    pub fn emit(&mut self, kind: &str, object: &Object) {
        emit::emit(self, kind, object.stored(), None);
    }

    /// Has the newest event of a type about `object` show it as it is now.
    pub fn retell(&mut self, kind: &str, object: &Object) {
        emit::retell(self, kind, object.stored());
    }

    /// Emits an event about a document that is not stored (the balance).
    pub fn emit_about(&mut self, kind: &str, doc: &Value) {
        emit::emit(self, kind, &emit::unstored(doc), None);
    }

    /// Emits an `*.updated`-like event with `previous_attributes`, unless nothing visible changed.
    pub fn emit_change(&mut self, kind: &str, before: &Object, after: &Object) {
        if before.stored().text == after.stored().text {
            return;
        }
        let previous = previous_attributes(before, after);
        if !previous.is_empty() {
            let previous = render::compact(&Value::Object(previous));
            emit::emit(self, kind, after.stored(), Some(previous.into()));
        }
    }

    /// Whether anything was written.
    pub fn has_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The draft, and every object that the change wrote: as it was, and as it is now.
    pub fn finish(self) -> (State, Vec<Change>) {
        (self.view.state, self.changes.into_values().collect())
    }
}

/// Stripe's sentence for an object that does not exist; the nouns are its own.
pub fn missing(kind: &str, id: &str, param: &str) -> Failure {
    let noun = match kind {
        "billing_portal.configuration" => "configuration",
        "payment_link" => "payment link",
        "payment_method" => "PaymentMethod",
        "promotion_code" => "promotion code",
        "setup_intent" => "setupintent",
        "shipping_rate" => "shipping rate",
        "subscription_item" => "subscription item",
        "subscription_schedule" => "subscription schedule",
        "tax_id" => "tax ID",
        "tax_rate" => "tax rate",
        timeline::CLOCK => "billingclock",
        other => other,
    };
    let mut failure = Failure::missing(noun, id, param);
    if kind == "checkout.session" {
        failure.message = format!("No such checkout.session: {id}");
    }
    failure
}

/// A record without members: marks that something was done.
pub fn mark(id: &str) -> Value {
    json!({"object": "_mark", "id": id})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::state::DEFAULT_WORLD;

    fn site() -> Site {
        Site {
            base_url: "http://127.0.0.1:1".to_owned(),
            api_version: "2026-10-28.endive".to_owned(),
            beyond: Beyond::Nobody,
            behaviour: Behaviour::NONE,
        }
    }

    fn view(state: &State) -> View {
        View::new(state.clone(), Scope::platform(DEFAULT_WORLD))
    }

    #[test]
    fn a_change_that_is_dropped_leaves_nothing() {
        let (entropy, site) = (Entropy::seeded(1), site());
        let begin = |state: &State| {
            Txn::begin(view(state), Timestamp(1), &entropy, &site, Origin::default())
        };
        let mut txn = begin(&State::default());
        txn.put(json!({"object": "customer", "id": "cus_1"}));
        let (state, changes) = txn.finish();
        assert_eq!(changes.len(), 1);
        let mut txn = begin(&state);
        txn.edit("customer", "cus_1", |doc| {
            doc.insert("name".to_owned(), json!("x"));
        });
        txn.put(json!({"object": "customer", "id": "cus_2"}));
        txn.remove("customer", "cus_1");
        assert!(txn.get("customer", "cus_1").is_none());
        drop(txn);
        let view = view(&state);
        let kept = view.get("customer", "cus_1").unwrap();
        assert_eq!(kept.document(), json!({"object": "customer", "id": "cus_1"}));
        assert_eq!(view.count("customer"), 1);
    }

    #[test]
    fn each_written_object_is_told_once_with_its_first_and_last_state() {
        let (entropy, site) = (Entropy::seeded(1), site());
        let view = view(&State::default());
        let mut txn = Txn::begin(view, Timestamp(1), &entropy, &site, Origin::default());
        txn.put(json!({"object": "customer", "id": "cus_1"}));
        txn.put(json!({"object": "customer", "id": "cus_1", "name": "y"}));
        txn.put(json!({"object": "customer", "id": "cus_2"}));
        txn.remove("customer", "cus_2");
        assert_eq!(txn.get("customer", "cus_1").unwrap()["name"], "y");
        let (_, changes) = txn.finish();
        assert_eq!(changes.len(), 1);
        assert!(changes[0].before.is_none());
        assert!(changes[0].after.as_ref().unwrap().text.contains("\"name\":\"y\""));
    }
}
