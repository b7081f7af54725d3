//! What a subscriber has paid, and whether what was paid for goes on: a view of the events, kept nowhere.

use crate::domain::peek::Peek as _;
use crate::store::pack::Bodies;
use crate::store::{Ledger, SqliteLedger, StoreError};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How a customer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    /// Whether a period was paid for of a subscription that is not over.
    pub has_access: bool,
    /// How many invoices of subscriptions were paid.
    pub paid: usize,
    /// What they come to, in minor units.
    pub total: i64,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// How many periods were paid.
    pub periods: usize,
    /// Whether it has ended; one that is to end goes on until then.
    pub is_over: bool,
}

/// The lines of a type of event, but for those that were put apart.
const LINES: &str =
    "SELECT seq, body, pack FROM events WHERE type = ?1 AND apart IS NULL ORDER BY seq";

impl Ledger {
    /// How a customer stands. An invoice counts once, however often it was told of; a subscription that is over stays so,
    /// whatever comes later.
    pub fn subscriber(&self, customer: &str) -> Result<Subscriber, StoreError> {
        let mut paid: BTreeMap<String, (String, i64)> = BTreeMap::new();
        let mut over = BTreeSet::new();
        let is_own = |it: &Value| named(it.get("customer")) == Some(customer);
        self.objects_of("invoice.paid", |invoice| {
            if !is_own(invoice) {
                return;
            }
            if let Some(subscription) = subscription_of(invoice) {
                let amount = invoice.get("amount_paid").and_then(Value::as_i64);
                let bought = (subscription.to_owned(), amount.unwrap_or_default());
                paid.insert(invoice.text("id").to_owned(), bought);
            }
        })?;
        self.objects_of("customer.subscription.deleted", |subscription| {
            if is_own(subscription) {
                over.insert(subscription.text("id").to_owned());
            }
        })?;
        Ok(Subscriber {
            has_access: paid.values().any(|(subscription, _)| !over.contains(subscription)),
            paid: paid.len(),
            total: paid.values().map(|(_, amount)| amount).sum(),
        })
    }
}

impl Ledger {
    /// How a subscription stands: an invoice counts once, however often it was told of.
    pub fn term(&self, subscription: &str) -> Result<Term, StoreError> {
        let (mut paid, mut is_over) = (BTreeSet::new(), false);
        self.objects_of("invoice.paid", |invoice| {
            if subscription_of(invoice) == Some(subscription) {
                paid.insert(invoice.text("id").to_owned());
            }
        })?;
        self.objects_of("customer.subscription.deleted", |ended| {
            is_over = is_over || ended.text("id") == subscription;
        })?;
        Ok(Term { periods: paid.len(), is_over })
    }
}

impl SqliteLedger {
    /// Gives what the events of a type are about to `tell`, in the order in which they came.
    pub fn objects_of(&self, kind: &str, tell: &mut dyn FnMut(&Value)) -> Result<(), StoreError> {
        self.read(|connection| each(connection, kind, tell))
    }
}

/// What an event is about; Creem's stands at the top.
pub(super) fn about(event: &Value) -> Option<&Value> {
    let own = || event.get("object").filter(|it| it.is_object());
    event.pointer("/data/object").or_else(own)
}

/// What the events of a type are about, in the order in which they came.
fn each(connection: &Connection, kind: &str, tell: &mut dyn FnMut(&Value)) -> rusqlite::Result<()> {
    let mut bodies = Bodies::new(connection);
    let mut lines = connection.prepare_cached(LINES)?;
    let mut rows = lines.query(params![kind])?;
    while let Some(row) = rows.next()? {
        let body = bodies.of(row.get(0)?, row.get(1)?, row.get(2)?)?;
        let event: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(object) = about(&event) {
            tell(object);
        }
    }
    Ok(())
}

/// The subscription that an invoice is for; older versions of the API name it at another place.
fn subscription_of(invoice: &Value) -> Option<&str> {
    let at = ["/parent/subscription_details/subscription", "/subscription"];
    at.into_iter().find_map(|at| named(invoice.pointer(at)))
}

/// The id of an object that is named or expanded.
fn named(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.get("id").unwrap_or(value).as_str()
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
    fn an_invoice_counts_once_and_what_is_over_stays_over() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = ledger.writer().unwrap().start();
        let hear = |id: &str, kind: &str, object: Value| {
            let event = json!({"id": id, "object": "event", "type": kind, "created": 5,
                "livemode": false, "api_version": null, "data": {"object": object}});
            let line = Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll);
            batch.submit_blocking(Write::line(line)).unwrap();
        };
        let invoice = |id: &str, parent: Value| {
            json!({"id": id, "object": "invoice", "customer": "cus_1", "amount_paid": 900, "amount_due": 900,
                "total": 900, "currency": "jpy", "status": "paid", "parent": parent})
        };
        let of = |id: &str| json!({"subscription_details": {"subscription": id}});
        let stands = |has_access, paid, total| Subscriber { has_access, paid, total };
        assert_eq!(ledger.subscriber("cus_1").unwrap(), stands(false, 0, 0));
        hear("evt_1", "invoice.paid", invoice("in_1", of("sub_1")));
        hear("evt_2", "invoice.paid", invoice("in_1", of("sub_1")));
        hear("evt_3", "invoice.paid", invoice("in_other", Value::Null));
        hear("evt_4", "invoice.payment_failed", invoice("in_2", of("sub_1")));
        assert_eq!(ledger.subscriber("cus_1").unwrap(), stands(true, 1, 900));
        assert_eq!(ledger.term("sub_1").unwrap(), Term { periods: 1, is_over: false });
        assert_eq!(ledger.subscriber("cus_2").unwrap(), stands(false, 0, 0));
        let over = json!({"id": "sub_1", "object": "subscription", "customer": {"id": "cus_1"}});
        hear("evt_5", "customer.subscription.deleted", over);
        let mut old = invoice("in_0", Value::Null);
        old["subscription"] = json!("sub_1");
        hear("evt_6", "invoice.paid", old);
        assert_eq!(ledger.subscriber("cus_1").unwrap(), stands(false, 2, 1_800));
        hear("evt_7", "invoice.paid", invoice("in_3", of("sub_2")));
        assert_eq!(ledger.subscriber("cus_1").unwrap(), stands(true, 3, 2_700));
    }
}
