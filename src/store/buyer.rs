//! What the events say of an order that was paid by a payment of its own, and of whose a customer is: views, kept nowhere.

use crate::domain::entry::EntryStatus;
use crate::domain::peek::Peek as _;
use crate::domain::report::LedgerRow;
use crate::store::{Filter, Ledger, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The customers that a user has had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The one that is theirs, where there is one.
    pub customer: Option<String>,
    /// How many were deleted.
    pub gone: usize,
}

/// What a shop has noted at an object of the provider's.
fn noted<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get("metadata")?.get(name)?.as_str()
}

/// What of the credits of a row is paid for: its money has to have come, and to have stayed.
fn paid_for(row: &LedgerRow, held: i64, credits: i64) -> i64 {
    let amount = row.record.amount.minor;
    let stayed = (amount - row.refunded - held).max(0);
    match row.record.status {
        EntryStatus::NoPaymentRequired => credits,
        EntryStatus::Paid | EntryStatus::PartiallyRefunded | EntryStatus::Refunded => {
            (credits * stayed).checked_div(amount).unwrap_or(credits)
        }
        EntryStatus::Unpaid | EntryStatus::Expired | EntryStatus::Failed => 0,
    }
}

impl Ledger {
    /// What came for an order, in minor units; `None` while nothing has. A payment counts once, and nothing that is told
    /// of it before or later takes it back.
    pub fn paid_for(&self, order: &str) -> Result<Option<i64>, StoreError> {
        let mut paid = BTreeMap::new();
        self.objects_of("payment_intent.succeeded", |intent| {
            if noted(intent, "order") == Some(order) {
                let came = intent.get("amount_received").and_then(Value::as_i64);
                paid.insert(intent.text("id").to_owned(), came.unwrap_or_default());
            }
        })?;
        Ok((!paid.is_empty()).then(|| paid.values().sum()))
    }

    /// How many credits a user has: those of each session that was paid, as far as its money stayed.
    pub fn credits(&self, user: &str) -> Result<i64, StoreError> {
        let mut sold = BTreeMap::new();
        self.objects_of("checkout.session.completed", |session| {
            let credits = noted(session, "credits").and_then(|it| it.parse::<i64>().ok());
            if let Some(credits) = credits
                && session.text("client_reference_id") == user
            {
                sold.insert(session.text("id").to_owned(), credits);
            }
        })?;
        let disputes = self.disputes()?;
        let mut left = 0;
        for (session, credits) in sold {
            let filter = Filter { session: Some(session), ..Filter::default() };
            for row in self.rows(&filter)? {
                let intent = row.record.payment_intent.as_deref();
                let held = intent.and_then(|it| disputes.get(it)).map_or(0, |it| it.amount);
                left += paid_for(&row, held, credits);
            }
        }
        Ok(left)
    }

    /// Whose customer a user is: the one that was made for them, and never one that somebody else has made.
    pub fn user(&self, user: &str) -> Result<Known, StoreError> {
        let (mut made, mut gone) = (Vec::new(), BTreeSet::new());
        self.objects_of("customer.created", |customer| {
            if noted(customer, "user") == Some(user) {
                made.push(customer.text("id").to_owned());
            }
        })?;
        self.objects_of("customer.deleted", |customer| {
            gone.insert(customer.text("id").to_owned());
        })?;
        made.sort_unstable();
        made.dedup();
        let (gone, left): (Vec<_>, Vec<_>) = made.into_iter().partition(|id| gone.contains(id));
        Ok(Known { customer: left.into_iter().next(), gone: gone.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::{Line, Source};
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::FILE;
    use crate::store::writer::Write;
    use serde_json::json;

    #[test]
    fn an_order_is_paid_once_and_a_user_has_the_customer_that_was_made_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = ledger.writer().unwrap().start();
        let hear = |id: &str, kind: &str, object: Value| {
            let event = json!({"id": id, "object": "event", "type": kind, "created": 5,
                "livemode": false, "api_version": null, "data": {"object": object}});
            let line = Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll);
            batch.submit_blocking(Write::line(line)).unwrap();
        };
        let intent = |status: &str, came: i64| {
            json!({"id": "pi_1", "object": "payment_intent", "status": status, "amount": 500, "currency": "jpy",
                "amount_received": came, "metadata": {"order": "a"}})
        };
        hear("evt_1", "payment_intent.requires_action", intent("requires_action", 0));
        assert_eq!(ledger.paid_for("a").unwrap(), None);
        hear("evt_2", "payment_intent.succeeded", intent("succeeded", 500));
        hear("evt_3", "payment_intent.succeeded", intent("succeeded", 500));
        hear("evt_4", "payment_intent.payment_failed", intent("requires_payment_method", 0));
        assert_eq!(
            (ledger.paid_for("a").unwrap(), ledger.paid_for("b").unwrap()),
            (Some(500), None)
        );
        let customer = |id: &str, user: &str| json!({"id": id, "object": "customer", "email": "x@example.com", "metadata": {"user": user}});
        hear("evt_5", "customer.created", customer("cus_1", "ann"));
        hear(
            "evt_6",
            "customer.created",
            json!({"id": "cus_0", "object": "customer", "metadata": {}}),
        );
        let known =
            |customer: Option<&str>, gone| Known { customer: customer.map(str::to_owned), gone };
        assert_eq!(ledger.user("ann").unwrap(), known(Some("cus_1"), 0));
        assert_eq!(ledger.user("bob").unwrap(), known(None, 0));
        hear(
            "evt_7",
            "customer.deleted",
            json!({"id": "cus_1", "object": "customer", "metadata": {}}),
        );
        assert_eq!(ledger.user("ann").unwrap(), known(None, 1));
        hear("evt_8", "customer.created", customer("cus_2", "ann"));
        assert_eq!(ledger.user("ann").unwrap(), known(Some("cus_2"), 1));
    }
}
