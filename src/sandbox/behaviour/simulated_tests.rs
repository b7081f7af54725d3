//! What simulations share: dice from a seed, somebody who knows nothing but the events, and every byte that there is.

use crate::sandbox::engine::private::{Envelope, TransactionPart};
use crate::sandbox::testing::Lab;
use crate::wire::peek;
use serde_json::json;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// Numbers that follow from a seed (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(super) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(super) fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        let at = self.below(u64::try_from(items.len()).unwrap());
        &items[usize::try_from(at).unwrap()]
    }

    /// One of these, each of which has its share of a hundred.
    pub(super) fn share(&mut self, of: &[(&'static str, u64)]) -> &'static str {
        let mut left = self.below(100);
        for (name, share) in of {
            if left < *share {
                return name;
            }
            left -= share;
        }
        of[0].0
    }
}

/// Somebody who has nothing but the events: what each object's status is, by its id.
#[derive(Default)]
pub(super) struct Observer {
    seen: u64,
    pub(super) known: HashMap<String, String>,
    pub(super) told: usize,
    /// Over all that was told.
    heard: DefaultHasher,
}

impl Observer {
    /// Hears what was told since the last time; an update must say what was told before. Then it is forgotten: two years
    /// of events are more than a test should hold.
    pub(super) fn listen(&mut self, lab: &mut Lab) {
        let view = lab.view();
        let Some(table) = view.table("event") else { return };
        let mut heard = Vec::new();
        for event in table.after(self.seen) {
            self.seen = event.seq;
            self.told += 1;
            self.heard.write(event.text.as_bytes());
            heard.push(std::sync::Arc::clone(&event.id));
            let word = |name: &str| {
                let found = peek::member(&event.text, &[name]).and_then(peek::Raw::string);
                found.map(Cow::into_owned)
            };
            let (Some(id), Some(status)) = (word("id"), word("status")) else { continue };
            let envelope = event.part::<Envelope>().unwrap();
            let before = envelope.previous.as_deref().and_then(|previous| {
                Some(peek::member(previous, &["status"])?.string()?.into_owned())
            });
            // What an update says that it changed is what was told last; some changes are told twice, by two names.
            let again = self.known.get(&id) == Some(&status);
            if let (Some(before), Some(known), false) = (before, self.known.get(&id), again) {
                assert_eq!(*known, before, "{}: {}", &*envelope.kind, event.text);
            }
            self.known.insert(id, status);
        }
        let forget = |txn: &mut crate::sandbox::engine::txn::Txn<'_>| {
            for id in &heard {
                txn.remove("event", id);
            }
            Ok(())
        };
        lab.change(forget).unwrap();
    }

    /// Everything that there is and was told, as one number.
    pub(super) fn fingerprint(&self, lab: &Lab) -> u64 {
        let mut all = self.heard.clone();
        let view = lab.view();
        for (kind, table) in view.state().tables(view.scope()) {
            for it in table.all() {
                let private = serde_json::to_string(&it.private.as_deref()).unwrap();
                for part in [kind, &*it.id, &*it.text, &private] {
                    all.write(part.as_bytes());
                }
            }
        }
        all.finish()
    }

    /// Whoever has only the events knows the status of every object of these kinds.
    pub(super) fn check(&self, lab: &Lab, kinds: &[&str]) {
        let view = lab.view();
        for kind in kinds {
            assert!(view.count(kind) > 0, "{kind}");
            for object in view.newest(kind) {
                let known = self.known.get(object["id"].as_str().unwrap()).map(String::as_str);
                assert_eq!(known, object["status"].as_str(), "{kind} {}", object["id"]);
            }
        }
    }
}

/// The balance is the sum of its transactions, and each is its amount without its fee. What of them each payout pays.
pub(super) fn check_balance(lab: &mut Lab) -> HashMap<String, i64> {
    let view = lab.view();
    let (mut available, mut pending) = (0, 0);
    let mut by_payout: HashMap<String, i64> = HashMap::new();
    for row in view.newest("balance_transaction") {
        let net = row["net"].as_i64().unwrap();
        assert_eq!(net, row["amount"].as_i64().unwrap() - row["fee"].as_i64().unwrap());
        *if row["status"] == "pending" { &mut pending } else { &mut available } += net;
        let part = row.part::<TransactionPart>();
        if let Some(payout) = part.payout.as_deref()
            && row["type"] != "payout"
        {
            *by_payout.entry(payout.to_owned()).or_default() += net;
        }
    }
    let balance = lab.ask("GET /v1/balance", json!({})).unwrap();
    assert_eq!(balance["available"][0]["amount"], available);
    assert_eq!(balance["pending"][0]["amount"], pending);
    by_payout
}
