//! What was bought at two providers, told alike: a view of the events of both, kept nowhere.

use crate::domain::entry::EntryStatus;
use crate::domain::event::CREEM;
use crate::domain::peek::Peek as _;
use crate::store::{Filter, Ledger, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;

/// A purchase that was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// Whether it was paid at Creem.
    pub is_creem: bool,
    /// The session or the checkout.
    pub id: String,
    /// Which cart it was.
    pub cart: String,
    /// What came, in minor units.
    pub amount: i64,
    /// In which currency, in small letters.
    pub currency: String,
    /// What went back.
    pub lost: i64,
}

fn noted<'v>(object: &'v Value, name: &str) -> &'v str {
    object.get("metadata").map_or("", |it| it.text(name))
}

fn number(of: &Value, name: &str) -> i64 {
    of.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// The id of an object that is named or comes along.
fn named(value: Option<&Value>) -> &str {
    value.map_or("", |it| it.get("id").unwrap_or(it).as_str().unwrap_or_default())
}

impl Ledger {
    /// What a user has bought and paid, by provider, each in the order in which it was told first.
    pub fn bought(&self, user: &str) -> Result<Vec<Bought>, StoreError> {
        let mut all = self.bought_of_stripe(user)?;
        all.extend(self.bought_of_creem(user)?);
        Ok(all)
    }

    fn bought_of_stripe(&self, user: &str) -> Result<Vec<Bought>, StoreError> {
        let mut carts: Vec<(String, String)> = Vec::new();
        self.objects_of("checkout.session.completed", |session| {
            let (id, cart) = (session.text("id"), noted(session, "cart"));
            let is_own = session.text("client_reference_id") == user && !cart.is_empty();
            if is_own && !carts.iter().any(|(known, _)| known == id) {
                carts.push((id.to_owned(), cart.to_owned()));
            }
        })?;
        let disputes = self.disputes()?;
        let mut bought = Vec::new();
        for (id, cart) in carts {
            let filter = Filter { session: Some(id.clone()), ..Filter::default() };
            for row in self.rows(&filter)? {
                let came =
                    [EntryStatus::Paid, EntryStatus::PartiallyRefunded, EntryStatus::Refunded];
                if !came.contains(&row.record.status) {
                    continue;
                }
                let intent = row.record.payment_intent.as_deref();
                let held = intent.and_then(|it| disputes.get(it)).map_or(0, |it| it.amount);
                bought.push(Bought {
                    is_creem: false,
                    id: id.clone(),
                    cart: cart.clone(),
                    amount: row.record.amount.minor,
                    currency: row.record.amount.currency.code().to_owned(),
                    lost: row.refunded + held,
                });
            }
        }
        Ok(bought)
    }

    /// A checkout counts once, and so does what took its money back, however often they are told of.
    fn bought_of_creem(&self, user: &str) -> Result<Vec<Bought>, StoreError> {
        let mut bought: Vec<(String, Bought)> = Vec::new();
        self.objects_of(&format!("{CREEM}checkout.completed"), |checkout| {
            let Some(order) = checkout.get("order").filter(|it| it.text("status") == "paid") else {
                return;
            };
            let id = checkout.text("id");
            let is_own = noted(checkout, "user") == user && !noted(checkout, "cart").is_empty();
            if !is_own || bought.iter().any(|(_, known)| known.id == id) {
                return;
            }
            let payment = named(order.get("transaction")).to_owned();
            // What was paid, and not what the product costs: a code may have taken something off.
            let it = Bought {
                is_creem: true,
                id: id.to_owned(),
                cart: noted(checkout, "cart").to_owned(),
                amount: number(order, "amount_paid"),
                currency: order.text("currency").to_ascii_lowercase(),
                lost: 0,
            };
            bought.push((payment, it));
        })?;
        let mut losses: BTreeMap<String, (String, i64)> = BTreeMap::new();
        self.objects_of(&format!("{CREEM}refund.created"), |refund| {
            let undone = matches!(refund.text("status"), "failed" | "canceled");
            let amount = if undone { 0 } else { number(refund, "refund_amount") };
            let payment = named(refund.get("transaction")).to_owned();
            losses.insert(refund.text("id").to_owned(), (payment, amount));
        })?;
        self.objects_of(&format!("{CREEM}dispute.created"), |dispute| {
            let payment = named(dispute.get("transaction")).to_owned();
            losses.insert(dispute.text("id").to_owned(), (payment, number(dispute, "amount")));
        })?;
        Ok(bought
            .into_iter()
            .map(|(payment, it)| {
                let own = losses.values().filter(|(of, _)| *of == payment);
                Bought { lost: own.map(|(_, amount)| amount).sum(), ..it }
            })
            .collect())
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
    fn a_checkout_counts_once_for_what_was_paid_and_loses_only_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = ledger.writer().unwrap().start();
        let hear = |id: &str, kind: &str, object: Value| {
            let event = json!({"id": id, "eventType": kind, "created_at": 5_000, "object": object});
            let event = Event::of_creem(event.to_string().as_bytes()).unwrap();
            let line = Line::event(event, Timestamp(9), Source::Poll);
            batch.submit_blocking(Write::line(line)).unwrap();
        };
        let checkout = |id: &str, user: &str, payment: &str| {
            json!({"id": id, "object": "checkout", "metadata": {"user": user, "cart": "c1"}, "order":
                {"id": "ord_1", "status": "paid", "amount": 500, "amount_paid": 250, "currency": "EUR",
                "type": "onetime", "transaction": payment}})
        };
        hear("evt_1", "checkout.completed", checkout("ch_1", "ann", "tran_1"));
        hear("evt_2", "checkout.completed", checkout("ch_1", "ann", "tran_1"));
        hear("evt_3", "checkout.completed", checkout("ch_2", "bob", "tran_2"));
        let refund = json!({"id": "ref_1", "object": "refund", "status": "succeeded", "refund_amount": 100,
            "transaction": {"id": "tran_1"}});
        hear("evt_4", "refund.created", refund.clone());
        hear("evt_5", "refund.created", refund);
        let of = |user: &str| ledger.bought(user).unwrap();
        let it = Bought {
            is_creem: true,
            id: "ch_1".to_owned(),
            cart: "c1".to_owned(),
            amount: 250,
            currency: "eur".to_owned(),
            lost: 100,
        };
        assert_eq!(of("ann"), [it]);
        assert_eq!((of("bob").len(), of("bob")[0].lost, of("eve").len()), (1, 0, 0));
        hear(
            "evt_6",
            "dispute.created",
            json!({"id": "disp_1", "object": "dispute", "amount": 250, "transaction": "tran_2"}),
        );
        assert_eq!(of("bob")[0].lost, 250);
    }
}
