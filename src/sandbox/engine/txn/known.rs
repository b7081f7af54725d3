//! What a change has in hand: objects that it read or wrote, so that reading one again need not parse it.

use crate::sandbox::engine::object::{Object, Stored};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// How many objects are kept that were only read: a change may look at a whole table.
const READ_MAX: usize = 4_096;

/// Objects by their places. One counts only while it is what is stored there, so whatever is undone leaves nothing.
#[derive(Debug, Default)]
pub(super) struct Known(RefCell<HashMap<u64, Arc<Object>>>);

impl Known {
    /// An object as it was written or read last, where it is stored like that still; else read.
    pub(super) fn read(&self, stored: &Arc<Stored>) -> Arc<Object> {
        let mut known = self.0.borrow_mut();
        if let Some(object) = known.get(&stored.seq).filter(|it| is_it(it, stored)) {
            return Arc::clone(object);
        }
        let object = Arc::new(Object::read(stored));
        if known.len() < READ_MAX {
            known.insert(stored.seq, Arc::clone(&object));
        }
        object
    }

    /// An object that is in hand, as it is stored.
    pub(super) fn held(&self, stored: &Arc<Stored>) -> Option<Arc<Object>> {
        self.0.borrow().get(&stored.seq).filter(|it| is_it(it, stored)).cloned()
    }

    /// Notes what was written.
    pub(super) fn note(&mut self, object: &Arc<Object>) {
        self.0.get_mut().insert(object.stored().seq, Arc::clone(object));
    }

    /// Notes that the same document is stored with another private part.
    pub(super) fn carry(&mut self, before: &Arc<Stored>, after: &Arc<Stored>) {
        let known = self.0.get_mut();
        if let Some(object) = known.get_mut(&before.seq).filter(|it| is_it(it, before)) {
            *object = Arc::new(object.stored_as(Arc::clone(after)));
        }
    }

    /// Lets go of what stands at a place.
    pub(super) fn forget(&mut self, seq: u64) {
        self.0.get_mut().remove(&seq);
    }
}

fn is_it(object: &Arc<Object>, stored: &Arc<Stored>) -> bool {
    Arc::ptr_eq(object.stored(), stored)
}

#[cfg(test)]
mod tests {
    use crate::sandbox::engine::private::{InvoicePart, PlannedPart};
    use crate::sandbox::testing::Lab;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn what_is_read_twice_is_read_once_until_it_is_changed() {
        let mut lab = Lab::new();
        lab.at(1, |txn| drop(txn.put(json!({"object": "customer", "id": "cus_1", "name": "a"}))));
        lab.at(2, |txn| {
            let (first, again) = (txn.get("customer", "cus_1"), txn.get("customer", "cus_1"));
            assert!(Arc::ptr_eq(&first.unwrap(), &again.unwrap()));
            txn.edit("customer", "cus_1", |doc| drop(doc.insert("name".to_owned(), json!("b"))));
            assert_eq!(txn.get("customer", "cus_1").unwrap()["name"], "b");
            txn.remove("customer", "cus_1");
            assert!(txn.get("customer", "cus_1").is_none());
        });
    }

    #[test]
    fn what_was_only_supposed_is_not_in_hand_afterwards_whatever_takes_its_place() {
        let mut lab = Lab::new();
        lab.at(1, |txn| {
            txn.put(json!({"object": "customer", "id": "cus_1", "name": "a"}));
            txn.supposing(|txn| {
                txn.edit("customer", "cus_1", |doc| {
                    doc.insert("name".to_owned(), json!("b"));
                });
                txn.put(json!({"object": "product", "id": "prod_1", "name": "never"}));
                assert_eq!(txn.get("customer", "cus_1").unwrap()["name"], "b");
            });
            assert_eq!(txn.get("customer", "cus_1").unwrap()["name"], "a");
            assert!(txn.get("product", "prod_1").is_none());
            txn.put(json!({"object": "price", "id": "price_1", "active": true}));
            assert_eq!(txn.get("price", "price_1").unwrap()["active"], true);
        });
        assert_eq!(lab.get("customer", "cus_1")["name"], "a");
        assert_eq!(lab.get("price", "price_1")["active"], true);
    }

    #[test]
    fn a_part_is_changed_without_the_document_and_the_document_without_the_part() {
        let mut lab = Lab::new();
        let doc = json!({"object": "invoice", "id": "in_1", "status": "draft"});
        lab.at(1, |txn| {
            txn.put(doc.clone());
            txn.edit_part("invoice", "in_1", |part: &mut InvoicePart| part.job = Some("j".into()));
            let known = txn.get("invoice", "in_1").unwrap();
            assert_eq!(known.part::<InvoicePart>().job.as_deref(), Some("j"));
            assert_eq!(known.document(), doc);
        });
        let before = lab.view().stored("invoice", "in_1").cloned().unwrap();
        lab.at(2, |txn| {
            txn.edit("invoice", "in_1", |doc| drop(doc.insert("status".to_owned(), json!("open"))));
            txn.edit_part("invoice", "none", |part: &mut PlannedPart| part.told = true);
        });
        let view = lab.view();
        assert_eq!(view.having("invoice", "status", "open").len(), 1);
        assert!(view.having("invoice", "status", "draft").is_empty());
        let after = view.get("invoice", "in_1").unwrap();
        assert_eq!(after.part::<InvoicePart>().job.as_deref(), Some("j"));
        assert!(!Arc::ptr_eq(&before.text, &after.stored().text));
    }
}
