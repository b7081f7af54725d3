//! A world's whole content: taken out, put in again, emptied. Each time in one commit.

use crate::domain::time::Timestamp;
use crate::sandbox::engine::commit::ChangeError;
use crate::sandbox::engine::journal::JournalError;
use crate::sandbox::engine::object::{Stored, kind};
use crate::sandbox::engine::private::{Envelope, Part as _, Private, WorldPart};
use crate::sandbox::engine::state::{DEFAULT_WORLD, Scope, State};
use crate::sandbox::engine::txn::{Change, Origin};
use crate::sandbox::engine::worlds::{RECORD, World};
use crate::sandbox::engine::{full, refused};
use crate::wire::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// One object or record of a world as it is written down outside of the sandbox: a line of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Whose, empty for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Its `object`, or the name of the record.
    pub kind: String,
    /// Its `id`.
    pub id: String,
    /// Its place among the others; what refers to it names it.
    pub seq: u64,
    /// Compact JSON. Of an event, the object that it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What only the sandbox knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Private>,
}

impl World {
    /// Everything that the world holds, over all its accounts, in the order of creation.
    pub fn content(&self) -> Vec<Line> {
        let state = self.read(|view| view.state().clone());
        let mut lines: Vec<Line> = everything(&state, self.scope())
            .into_iter()
            .map(|(scope, stored)| Line {
                account: scope.account.to_string(),
                kind: stored.kind.to_owned(),
                id: stored.id.to_string(),
                seq: stored.seq,
                text: stored.text.to_string(),
                private: stored.private.as_deref().cloned(),
            })
            .collect();
        lines.sort_by_key(|line| line.seq);
        lines
    }

    /// Has the world hold exactly this, and stand where its record says. Ids that are drawn from now on follow
    /// from the seed and from how much that is, so that the same content goes on the same way.
    pub async fn replace(&self, content: Vec<Line>, part: WorldPart) -> Result<(), Failure> {
        let seen = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let record = self.part().is_some().then(|| part.clone());
        self.rewrite(content, record).await?;
        if self.part().is_some() {
            self.renew(part, seen);
        }
        self.engine().wake_all();
        Ok(())
    }

    /// Removes the world and all that it holds. The default world is only emptied.
    pub async fn delete(&self) -> Result<(), Failure> {
        self.rewrite(Vec::new(), None).await?;
        if self.scope().world != DEFAULT_WORLD {
            self.forget();
        }
        Ok(())
    }

    /// Sets the world's own clock; the default world has the sandbox's.
    pub async fn stand_at(&self, at: Timestamp) -> Result<(), Failure> {
        let Some(mut part) = self.part() else { return Ok(()) };
        (part.stands_at, part.ahead_s) = (Some(at.0), 0);
        self.keep(part).await
    }

    /// Moves the world's own clock ahead.
    pub async fn go_ahead(&self, seconds: i64) -> Result<(), Failure> {
        let Some(mut part) = self.part() else { return Ok(()) };
        part.ahead_s = part.ahead_s.saturating_add(seconds);
        self.keep(part).await
    }

    /// Stores the world's record as it is, so that it outlives the process although nothing is in it.
    pub async fn found(&self) -> Result<(), Failure> {
        match self.part() {
            Some(part) => self.keep(part).await,
            None => Ok(()),
        }
    }

    async fn keep(&self, part: WorldPart) -> Result<(), Failure> {
        let (name, stored) = (Arc::clone(self.name()), part.clone());
        let platform = self.at("");
        let kept = platform.change(Origin::default(), move |txn| {
            txn.put_record(RECORD, &name, Arc::from(""), stored);
            Ok(())
        });
        kept.await?;
        self.set_part(part);
        Ok(())
    }

    async fn rewrite(&self, content: Vec<Line>, part: Option<WorldPart>) -> Result<(), Failure> {
        let stored = {
            let engine = self.engine();
            let draft = engine.commits.begin().map_err(|refusal| refused(&refusal))?;
            let mut state = draft.state();
            let objects = state.objects();
            let mut changes = Vec::new();
            for (scope, stored) in everything(&state, self.scope()) {
                let before = state.remove(&scope, stored.kind, stored.seq);
                changes.push(Change { scope, before, after: None });
            }
            if let Some(part) = part {
                let private = Some(Arc::new(part.stored()));
                let id = Arc::clone(self.name());
                let seq = state.next_seq();
                let record = Stored { kind: RECORD, id, seq, text: Arc::from(""), private };
                put(&mut state, &mut changes, self.scope().at(""), record);
            }
            fill(&mut state, &mut changes, self.scope(), content);
            if state.objects() > engine.objects_max && state.objects() > objects {
                return Err(full(engine.objects_max));
            }
            if changes.is_empty() { None } else { draft.commit(state, changes) }
        };
        let Some(stored) = stored else { return Ok(()) };
        let gone = || Err(ChangeError::Unavailable(Arc::new(JournalError::Gone)));
        stored.await.unwrap_or_else(|_| gone()).map_err(|refusal| refused(&refusal))
    }
}

/// Every object and record of a world.
fn everything(state: &State, scope: &Scope) -> Vec<(Scope, Arc<Stored>)> {
    let mut all = Vec::new();
    for account in state.accounts(scope.world) {
        for (_, table) in state.tables(&account) {
            all.extend(table.all().map(|stored| (account.clone(), Arc::clone(stored))));
        }
    }
    all
}

/// Puts lines in, each at a place of its own, in their order.
fn fill(state: &mut State, changes: &mut Vec<Change>, scope: &Scope, content: Vec<Line>) {
    let mut places = HashMap::new();
    for line in content {
        if line.kind == RECORD {
            continue;
        }
        let seq = state.next_seq();
        places.insert(line.seq, seq);
        let private = line.private.map(|private| match private {
            Private::Event(envelope) => {
                let about = places.get(&envelope.about).copied().unwrap_or(0);
                Private::Event(Box::new(Envelope { about, ..*envelope }))
            }
            other => other,
        });
        let stored = Stored {
            kind: kind(&line.kind),
            id: Arc::from(line.id),
            seq,
            text: Arc::from(line.text),
            private: private.map(Arc::new),
        };
        put(state, changes, scope.at(&line.account), stored);
    }
}

fn put(state: &mut State, changes: &mut Vec<Change>, scope: Scope, stored: Stored) {
    let stored = Arc::new(stored);
    let before = state.put(&scope, &stored);
    changes.push(Change { scope, before, after: Some(stored) });
}
