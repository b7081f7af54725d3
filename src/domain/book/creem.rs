//! What an event of Creem's says, as the same facts that Stripe's say. Its objects stand under the provider's name, so that
//! the book tells whose they are. Creem tells no fee: what is owed stays receivable until it is paid out.

use crate::domain::book::fact::{Claim, Fact, Key, Kind, What};
use crate::domain::currency::Currency;
use crate::domain::entry::{
    AMOUNT_MAX, CheckoutRecord, EntryError, EntryStatus, Fact as Seen, RefundState, Refunded,
};
use crate::domain::event::{CREEM, Event};
use crate::domain::time::Timestamp;
use serde_json::Value;

/// What subjects of Creem's begin with.
pub const PREFIX: &str = "creem/";

/// What an event says; nothing for the many that are about no money.
pub fn of_event(event: &Event) -> Result<Vec<Fact>, EntryError> {
    let (object, mut said) = (&event.object, Said { at: event.created, facts: Vec::new() });
    match event.kind.strip_prefix(CREEM).unwrap_or_default() {
        "checkout.completed" => {
            if let Some(order) = object.get("order").filter(|order| order.is_object()) {
                said.order(order)?;
            }
        }
        "subscription.paid" => said.period(object)?,
        "refund.created" => said.refund(object)?,
        "dispute.created" => said.dispute(object)?,
        _ => {}
    }
    said.facts.sort();
    said.facts.dedup();
    Ok(said.facts)
}

/// What an event means for the ledger's rows: a sale stands under its transaction, by which refunds find it.
pub fn row_of(event: &Event) -> Result<Option<Seen>, EntryError> {
    let (object, at) = (&event.object, event.created);
    let named = |record: CheckoutRecord| {
        Seen::Session(CheckoutRecord { event_id: Some(event.id.clone()), ..record })
    };
    Ok(match event.kind.strip_prefix(CREEM).unwrap_or_default() {
        "checkout.completed" => {
            let order = object.get("order").filter(|order| order.is_object());
            let paid = order.and_then(|order| Some((order, id_of(order.get("transaction"))?)));
            let Some((order, transaction)) = paid else { return Ok(None) };
            let money = (amount(order, "amount_paid")?, currency(order, "currency")?);
            let created = order.get("created_at").and_then(Value::as_str).and_then(Timestamp::read);
            Some(named(sale(transaction, money, created.unwrap_or(at), at)))
        }
        "subscription.paid" => {
            let last = object.get("last_transaction").filter(|it| it.is_object());
            last.map(|it| row_of_transaction(it, at)).transpose()?.flatten().map(named)
        }
        "refund.created" => {
            let Some(transaction) = id_of(object.get("transaction")) else { return Ok(None) };
            let is_back =
                matches!(object.get("status").and_then(Value::as_str), Some("failed" | "canceled"));
            Some(Seen::Refund(Refunded {
                source: format!("{PREFIX}{}", id(object)?),
                payment_intent: format!("{PREFIX}{transaction}"),
                amount: amount(object, "refund_amount")?,
                state: if is_back { RefundState::Returned } else { RefundState::Sent },
                updated: at,
                event_id: Some(event.id.clone()),
                charge: None,
                currency: Some(currency(object, "refund_currency")?),
            }))
        }
        _ => None,
    })
}

/// What a transaction says that was asked for: what was paid, and what went back of it so far.
pub fn of_transaction(it: &Value, at: Timestamp) -> Result<Vec<Fact>, EntryError> {
    let mut said = Said { at, facts: Vec::new() };
    said.transaction(it)?;
    Ok(said.facts)
}

/// The row of a transaction as it stands at `at`; `None` for one that was not paid.
pub fn row_of_transaction(it: &Value, at: Timestamp) -> Result<Option<CheckoutRecord>, EntryError> {
    if !is_paid(it) {
        return Ok(None);
    }
    let created = made(it).unwrap_or(at);
    let money = (amount(it, "amount_paid")?, currency(it, "currency")?);
    Ok(Some(sale(id(it)?, money, created, at)))
}

/// When a transaction was made: it is told in milliseconds.
pub fn made(transaction: &Value) -> Option<Timestamp> {
    let ms = transaction.get("created_at").and_then(Value::as_i64)?;
    Some(Timestamp(ms.div_euclid(1_000)))
}

fn sale(
    transaction: &str,
    (amount, currency): (i64, Currency),
    created: Timestamp,
    updated: Timestamp,
) -> CheckoutRecord {
    let named = format!("{PREFIX}{transaction}");
    CheckoutRecord {
        session_id: named.clone(),
        amount,
        currency,
        status: EntryStatus::Paid,
        created,
        updated,
        payment_intent: Some(named),
        event_id: None,
    }
}

fn is_paid(transaction: &Value) -> bool {
    let status = transaction.get("status").and_then(Value::as_str);
    matches!(status, Some("paid" | "refunded" | "partialRefund" | "chargedBack"))
}

struct Said {
    at: Timestamp,
    facts: Vec<Fact>,
}

impl Said {
    fn put(
        &mut self,
        subject: &str,
        (object, kind): (&str, Kind),
        what: What,
        money: (i64, Currency),
    ) {
        let named = |id: &str| format!("{PREFIX}{id}");
        self.facts.push(Fact {
            subject: named(subject),
            key: Key { object: named(object), kind, what },
            claim: Claim { amount: money.0, currency: money.1, detail: String::new() },
            at: self.at,
        });
    }

    /// An order says what its transaction has paid.
    fn order(&mut self, order: &Value) -> Result<(), EntryError> {
        let Some(transaction) = id_of(order.get("transaction")) else { return Ok(()) };
        let own = (id(order)?, Kind::Session);
        let money = (amount(order, "amount_paid")?, currency(order, "currency")?);
        self.put(transaction, own, What::Paid, money);
        self.tax(transaction, own, order)
    }

    /// A period that was paid, by its transaction, or where that is named only, for the price of the product.
    fn period(&mut self, subscription: &Value) -> Result<(), EntryError> {
        if let Some(last) = subscription.get("last_transaction").filter(|it| it.is_object()) {
            return self.transaction(last);
        }
        let named = id_of(subscription.get("last_transaction_id"));
        let priced = subscription.get("product").filter(|it| it.is_object());
        let Some((transaction, product)) = named.zip(priced) else { return Ok(()) };
        let money = (amount(product, "price")?, currency(product, "currency")?);
        self.put(transaction, (id(subscription)?, Kind::Invoice), What::Paid, money);
        Ok(())
    }

    fn transaction(&mut self, it: &Value) -> Result<(), EntryError> {
        if !is_paid(it) {
            return Ok(());
        }
        let (id, currency) = (id(it)?, currency(it, "currency")?);
        self.put(id, (id, Kind::Charge), What::Paid, (amount(it, "amount_paid")?, currency));
        self.tax(id, (id, Kind::Charge), it)?;
        let gone = it.get("refunded_amount").and_then(Value::as_i64).unwrap_or_default();
        if gone != 0 {
            let gone = amount(it, "refunded_amount")?;
            self.put(id, (id, Kind::Charge), What::RefundedSoFar, (gone, currency));
        }
        Ok(())
    }

    fn tax(&mut self, subject: &str, own: (&str, Kind), of: &Value) -> Result<(), EntryError> {
        if of.get("tax_amount").and_then(Value::as_i64).unwrap_or_default() != 0 {
            let money = (amount(of, "tax_amount")?, currency(of, "currency")?);
            self.put(subject, own, What::Tax, money);
        }
        Ok(())
    }

    fn refund(&mut self, refund: &Value) -> Result<(), EntryError> {
        let own = (id(refund)?, Kind::Refund);
        let money = (amount(refund, "refund_amount")?, currency(refund, "refund_currency")?);
        let is_back =
            matches!(refund.get("status").and_then(Value::as_str), Some("failed" | "canceled"));
        self.put(own.0, own, What::Sent, money);
        if is_back {
            self.put(own.0, own, What::Returned, money);
        }
        let Some(transaction) = refund.get("transaction") else { return Ok(()) };
        if let Some(transaction) = id_of(Some(transaction)) {
            self.put(transaction, own, What::Part, money);
            if is_back {
                self.put(transaction, own, What::PartReturned, money);
            }
        }
        if transaction.is_object() { self.transaction(transaction) } else { Ok(()) }
    }

    fn dispute(&mut self, dispute: &Value) -> Result<(), EntryError> {
        let own = (id(dispute)?, Kind::Dispute);
        let money = (amount(dispute, "amount")?, currency(dispute, "currency")?);
        self.put(own.0, own, What::Withdrawn, money);
        let transaction = dispute.get("transaction").filter(|it| it.is_object());
        transaction.map_or(Ok(()), |it| self.transaction(it))
    }
}

fn id(of: &Value) -> Result<&str, EntryError> {
    of.get("id").and_then(Value::as_str).ok_or(EntryError::Missing("id"))
}

fn id_of(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.as_str().or_else(|| value.get("id")?.as_str())
}

fn currency(of: &Value, field: &'static str) -> Result<Currency, EntryError> {
    let code = of.get(field).and_then(Value::as_str).ok_or(EntryError::Missing(field))?;
    Ok(code.to_ascii_lowercase().parse()?)
}

fn amount(of: &Value, field: &'static str) -> Result<i64, EntryError> {
    let amount = of.get(field).and_then(Value::as_i64).ok_or(EntryError::Missing(field))?;
    if amount.unsigned_abs() > AMOUNT_MAX.unsigned_abs() {
        return Err(EntryError::Unknown { field, value: amount.to_string() });
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::derive::entries;
    use crate::domain::book::{Account, Reason};
    use serde_json::json;
    use std::collections::{BTreeMap, BTreeSet};

    fn event(kind: &str, object: &Value) -> Vec<Fact> {
        let body = json!({"id": "evt_1", "eventType": kind, "created_at": 5_000, "object": object});
        of_event(&Event::of_creem(body.to_string().as_bytes()).unwrap()).unwrap()
    }

    fn booked(facts: &[Fact]) -> BTreeMap<(String, Reason), i64> {
        let subjects: BTreeSet<&str> = facts.iter().map(|it| it.subject.as_str()).collect();
        let mut sums = BTreeMap::new();
        for subject in subjects {
            let own: Vec<Fact> = facts.iter().filter(|it| it.subject == subject).cloned().collect();
            let derived = entries(subject, &own);
            assert_eq!(derived.conflicts, BTreeSet::new());
            for entry in derived.entries {
                let owed = |it: &&crate::domain::book::Posting| it.account == Account::Receivable;
                let sum = entry.postings().iter().find(owed).map_or(0, |it| it.amount);
                sums.insert((entry.about().to_owned(), entry.reason()), sum);
            }
        }
        sums
    }

    #[test]
    fn a_sale_what_went_back_of_it_and_a_dispute_are_booked_as_anybodys() {
        let paid = json!({"id": "tran_1", "status": "paid", "amount_paid": 2_900, "tax_amount": 0,
            "currency": "USD", "refunded_amount": null});
        let order = json!({"id": "ord_1", "transaction": "tran_1", "amount_paid": 2_900, "currency": "USD",
            "tax_amount": 0});
        let mut facts = event("checkout.completed", &json!({"id": "ch_1", "order": order}));
        facts.extend(event("subscription.paid", &json!({"id": "sub_1", "last_transaction": paid})));
        let sale = (("creem/tran_1".to_owned(), Reason::Sale), 2_900);
        assert_eq!(booked(&facts), BTreeMap::from([sale.clone()]), "said twice, booked once");

        let mut after = paid.clone();
        (after["status"], after["refunded_amount"]) = (json!("partialRefund"), json!(900));
        let refund = json!({"id": "ref_1", "status": "succeeded", "refund_amount": 900,
            "refund_currency": "USD", "transaction": after});
        facts.extend(event("refund.created", &refund));
        let gone = (("creem/ref_1".to_owned(), Reason::Refund), -900);
        assert_eq!(booked(&facts), BTreeMap::from([gone.clone(), sale.clone()]));
        assert_eq!(booked(&event("refund.created", &refund)), BTreeMap::from([gone, sale.clone()]));

        let dispute =
            json!({"id": "disp_1", "amount": 2_000, "currency": "USD", "transaction": paid});
        let taken = (("creem/disp_1".to_owned(), Reason::Dispute), -2_000);
        assert_eq!(booked(&event("dispute.created", &dispute)), BTreeMap::from([taken, sale]));
    }

    #[test]
    fn a_sale_is_a_row_of_the_ledger_under_its_transaction() {
        let row = |kind: &str, object: &Value| {
            let body =
                json!({"id": "evt_1", "eventType": kind, "created_at": 5_000, "object": object});
            row_of(&Event::of_creem(body.to_string().as_bytes()).unwrap()).unwrap()
        };
        let order = json!({"id": "ord_1", "transaction": "tran_1", "amount_paid": 900, "currency": "EUR",
            "created_at": "1970-01-01T00:00:04.000Z"});
        let told = row("checkout.completed", &json!({"order": order}));
        let paid = json!({"id": "tran_1", "status": "paid", "amount_paid": 900, "currency": "EUR", "created_at": 4_000});
        assert_eq!(
            told,
            row("subscription.paid", &json!({"id": "sub_1", "last_transaction": paid}))
        );
        let Some(Seen::Session(sale)) = told else { panic!("{told:?}") };
        assert_eq!(
            (sale.session_id.as_str(), sale.amount, sale.created),
            ("creem/tran_1", 900, Timestamp(4))
        );
        let refund = json!({"id": "ref_1", "status": "succeeded", "refund_amount": 300,
            "refund_currency": "EUR", "transaction": paid});
        let Some(Seen::Refund(refund)) = row("refund.created", &refund) else { panic!() };
        assert_eq!((Some(refund.payment_intent), refund.amount), (sale.payment_intent, 300));
        assert_eq!(row("subscription.canceled", &json!({"id": "sub_1"})), None);
        let declined = json!({"id": "tran_2", "status": "declined"});
        assert_eq!(row_of_transaction(&declined, Timestamp(1)), Ok(None));
    }

    #[test]
    fn what_moves_no_money_says_nothing_and_what_cannot_be_read_says_so() {
        let trial =
            json!({"id": "ch_1", "order": {"id": "ord_1", "transaction": null, "amount_paid": 0}});
        assert_eq!(event("checkout.completed", &trial), []);
        assert_eq!(event("subscription.active", &json!({"id": "sub_1"})), []);
        let body = json!({"id": "evt_1", "eventType": "dispute.created", "created_at": 1,
            "object": {"id": "disp_1", "amount": "5", "currency": "USD"}});
        let event = Event::of_creem(body.to_string().as_bytes()).unwrap();
        assert_eq!(of_event(&event), Err(EntryError::Missing("amount")));
    }

    #[test]
    fn a_transaction_that_was_asked_for_says_what_was_paid_and_what_went_back() {
        let asked = |status: &str, gone: i64| {
            json!({"id": "tran_1", "object": "transaction", "status": status, "amount_paid": 2_900,
                "tax_amount": 0, "currency": "USD", "refunded_amount": gone, "created_at": 5_000_999})
        };
        let at = Timestamp(9);
        let facts = of_transaction(&asked("partialRefund", 900), at).unwrap();
        assert_eq!(booked(&facts).values().sum::<i64>(), 2_000);
        let row = row_of_transaction(&asked("paid", 0), at).unwrap().unwrap();
        assert_eq!((row.session_id.as_str(), row.created), ("creem/tran_1", Timestamp(5_000)));
        for open in ["pending", "declined", "canceled", "void", "uncollectible"] {
            assert_eq!(of_transaction(&asked(open, 0), at).unwrap(), [], "{open}");
        }
        assert!(of_transaction(&json!({"id": "tran_1", "status": "paid"}), at).is_err());
    }
}
