//! What an object says, as facts. It is read by its state and not by the type of the event that carried it, so that a
//! fetched object says the same as any event about it.

use crate::domain::book::fact::{Claim, Fact, Key, Kind, What};
use crate::domain::currency::Currency;
use crate::domain::entry::{AMOUNT_MAX, EntryError, EntryStatus, Fact as Seen, RefundState};
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use serde_json::Value;

/// What an event says; nothing for the many that are about no money.
pub fn of_event(event: &Event) -> Result<Vec<Fact>, EntryError> {
    let mut facts = of_object(&event.object, event.created)?;
    let moved = match event.kind.as_str() {
        "charge.dispute.funds_withdrawn" => Some(What::Withdrawn),
        "charge.dispute.funds_reinstated" => Some(What::Reinstated),
        _ => None,
    };
    if let Some(what) = moved {
        let mut reader = Reader::new(&event.object, Kind::Dispute, event.created)?;
        reader.say(what, "amount")?;
        facts.append(&mut reader.facts);
    }
    facts.sort();
    facts.dedup();
    Ok(facts)
}

/// What an object says as it stands at `at`.
pub fn of_object(object: &Value, at: Timestamp) -> Result<Vec<Fact>, EntryError> {
    let kind = object.get("object").and_then(Value::as_str).and_then(Kind::read);
    let Some(kind) = kind else { return Ok(Vec::new()) };
    let mut reader = Reader::new(object, kind, at)?;
    match kind {
        Kind::Session => reader.session()?,
        Kind::Intent => reader.intent()?,
        Kind::Charge => reader.charge()?,
        Kind::Refund => reader.refund()?,
        Kind::Dispute => reader.dispute()?,
        Kind::Payout => reader.left()?,
        Kind::Transfer => {
            reader.say(What::Sent, "amount")?;
            reader.say_some(What::ReversedSoFar, "amount_reversed")?;
        }
        Kind::ApplicationFee => {
            reader.say(What::Sent, "amount")?;
            reader.say_some(What::RefundedSoFar, "amount_refunded")?;
        }
        Kind::Invoice => reader.invoice()?,
        Kind::InvoicePayment => reader.invoice_payment()?,
        Kind::Transaction => reader.transaction()?,
    }
    reader.inner("balance_transaction")?;
    Ok(reader.facts)
}

/// What was seen at the provider while both sides were compared.
pub fn of_seen(seen: &Seen) -> Vec<Fact> {
    let fact = |subject: &str, object: &str, kind, what, amount, currency, at| Fact {
        subject: subject.to_owned(),
        key: Key { object: object.to_owned(), kind, what },
        claim: Claim { amount, currency, detail: String::new() },
        at,
    };
    match seen {
        Seen::Session(it) => {
            let Some(intent) = it.payment_intent.as_deref() else { return Vec::new() };
            if it.status != EntryStatus::Paid || it.amount == 0 {
                return Vec::new();
            }
            let (kind, what) = (Kind::Session, What::Paid);
            vec![fact(intent, &it.session_id, kind, what, it.amount, it.currency, it.updated)]
        }
        Seen::Refund(it) => {
            let (Some(currency), false) = (it.currency, it.state == RefundState::Total) else {
                return Vec::new();
            };
            let say = |subject: &str, what| {
                fact(subject, &it.source, Kind::Refund, what, it.amount, currency, it.updated)
            };
            let mut facts = vec![say(&it.source, What::Sent)];
            let returned = it.state == RefundState::Returned;
            if returned {
                facts.push(say(&it.source, What::Returned));
            }
            if let Some(charge) = it.charge.as_deref() {
                facts.push(say(charge, What::Part));
                if returned {
                    facts.push(say(charge, What::PartReturned));
                }
            }
            facts
        }
    }
}

struct Reader<'o> {
    object: &'o Value,
    id: &'o str,
    kind: Kind,
    at: Timestamp,
    facts: Vec<Fact>,
}

impl<'o> Reader<'o> {
    fn new(object: &'o Value, kind: Kind, at: Timestamp) -> Result<Self, EntryError> {
        let id = object.get("id").and_then(Value::as_str).ok_or(EntryError::Missing("id"))?;
        Ok(Self { object, id, kind, at, facts: Vec::new() })
    }

    fn text(&self, field: &str) -> Option<&'o str> {
        self.object.get(field).and_then(Value::as_str)
    }

    fn currency(&self) -> Result<Currency, EntryError> {
        Ok(self.text("currency").ok_or(EntryError::Missing("currency"))?.parse()?)
    }

    /// The id of another object, expanded or not.
    fn other(&self, field: &str) -> Option<&'o str> {
        id_of(self.object.get(field)?)
    }

    fn put(&mut self, subject: &str, what: What, amount: i64, currency: Currency, detail: &str) {
        self.facts.push(Fact {
            subject: subject.to_owned(),
            key: Key { object: self.id.to_owned(), kind: self.kind, what },
            claim: Claim { amount, currency, detail: detail.to_owned() },
            at: self.at,
        });
    }

    /// Says it of the object itself, by one of its members.
    fn say(&mut self, what: What, field: &'static str) -> Result<(), EntryError> {
        let (amount, currency) = (amount(self.object, field)?, self.currency()?);
        self.put(self.id, what, amount, currency, "");
        Ok(())
    }

    /// The same, where the member is there and not zero.
    fn say_some(&mut self, what: What, field: &'static str) -> Result<(), EntryError> {
        if self.object.get(field).is_none_or(|value| value.is_null() || value.as_i64() == Some(0)) {
            return Ok(());
        }
        self.say(what, field)
    }

    /// Reads an object that this one has inside, where it is expanded.
    fn inner(&mut self, field: &str) -> Result<(), EntryError> {
        if let Some(inner) = self.object.get(field).filter(|inner| inner.is_object()) {
            self.facts.extend(of_object(inner, self.at)?);
        }
        Ok(())
    }

    fn session(&mut self) -> Result<(), EntryError> {
        self.inner("payment_intent")?;
        if self.text("payment_status") != Some("paid") || self.text("currency").is_none() {
            return Ok(());
        }
        let (total, currency) = (amount(self.object, "amount_total")?, self.currency()?);
        if let Some(intent) = self.other("payment_intent").filter(|_| total != 0) {
            self.put(intent, What::Paid, total, currency, "");
        }
        // Where there is an invoice, the invoice says it.
        let tax = self.object.pointer("/total_details/amount_tax").and_then(Value::as_i64);
        if let Some(tax) = tax.filter(|tax| *tax != 0 && self.other("invoice").is_none()) {
            self.put(self.id, What::Tax, bounded("amount_tax", tax)?, currency, "");
        }
        Ok(())
    }

    fn intent(&mut self) -> Result<(), EntryError> {
        self.inner("latest_charge")?;
        if self.text("status") != Some("succeeded") {
            return Ok(());
        }
        self.say(What::Asked, "amount")?;
        self.say(What::Received, "amount_received")
    }

    fn charge(&mut self) -> Result<(), EntryError> {
        let captured = self.object.get("captured").and_then(Value::as_bool) == Some(true);
        if captured && self.text("status") == Some("succeeded") {
            let named = self.object.get("amount_captured").is_some();
            let total = amount(self.object, if named { "amount_captured" } else { "amount" })?;
            let currency = self.currency()?;
            let subject = self.other("payment_intent").unwrap_or(self.id);
            self.put(subject, What::Captured, total, currency, "");
            self.put(self.id, What::Charged, total, currency, "");
        }
        self.say_some(What::RefundedSoFar, "amount_refunded")?;
        let refunds = self.object.pointer("/refunds/data").and_then(Value::as_array);
        for refund in refunds.into_iter().flatten() {
            self.facts.extend(of_object(refund, self.at)?);
        }
        Ok(())
    }

    fn refund(&mut self) -> Result<(), EntryError> {
        let (total, currency) = (amount(self.object, "amount")?, self.currency()?);
        let returned = matches!(self.text("status"), Some("failed" | "canceled"));
        self.put(self.id, What::Sent, total, currency, "");
        if returned {
            self.put(self.id, What::Returned, total, currency, "");
        }
        if let Some(charge) = self.other("charge") {
            self.put(charge, What::Part, total, currency, "");
            if returned {
                self.put(charge, What::PartReturned, total, currency, "");
            }
        }
        self.inner("failure_balance_transaction")
    }

    fn dispute(&mut self) -> Result<(), EntryError> {
        let moves = self.object.get("balance_transactions").and_then(Value::as_array);
        let mut signs = Vec::new();
        for one in moves.into_iter().flatten() {
            signs.extend(one.get("amount").and_then(Value::as_i64).map(i64::signum));
            self.facts.extend(of_object(one, self.at)?);
        }
        let status = self.text("status");
        if signs.contains(&-1) || matches!(status, Some("lost" | "won")) {
            self.say(What::Withdrawn, "amount")?;
        }
        if signs.contains(&1) || status == Some("won") {
            self.say(What::Reinstated, "amount")?;
        }
        Ok(())
    }

    /// A payout, which may come back.
    fn left(&mut self) -> Result<(), EntryError> {
        self.say(What::Sent, "amount")?;
        if matches!(self.text("status"), Some("failed" | "canceled")) {
            self.say(What::Returned, "amount")?;
        }
        self.inner("failure_balance_transaction")
    }

    fn invoice(&mut self) -> Result<(), EntryError> {
        let payments = self.object.pointer("/payments/data").and_then(Value::as_array);
        for payment in payments.into_iter().flatten() {
            self.facts.extend(of_object(payment, self.at)?);
        }
        if self.text("status") != Some("paid") {
            return Ok(());
        }
        let currency = self.currency()?;
        // Invoices of older versions name what paid them.
        if let Some(intent) = self.other("payment_intent") {
            let paid = amount(self.object, "amount_paid")?;
            if paid != 0 {
                self.put(intent, What::Paid, paid, currency, "");
            }
        }
        let taxes = ["total_taxes", "total_tax_amounts"]
            .into_iter()
            .find_map(|field| self.object.get(field).and_then(Value::as_array));
        let mut tax = 0_i64;
        for one in taxes.into_iter().flatten() {
            tax = bounded("total_taxes", tax.saturating_add(amount(one, "amount")?))?;
        }
        if tax != 0 {
            self.put(self.id, What::Tax, tax, currency, "");
        }
        Ok(())
    }

    fn invoice_payment(&mut self) -> Result<(), EntryError> {
        let intent = self.object.pointer("/payment/payment_intent").and_then(id_of);
        if let Some(intent) = intent.filter(|_| self.text("status") == Some("paid")) {
            let (paid, currency) = (amount(self.object, "amount_paid")?, self.currency()?);
            self.put(intent, What::Paid, paid, currency, "");
        }
        Ok(())
    }

    fn transaction(&mut self) -> Result<(), EntryError> {
        let total = amount(self.object, "amount")?;
        let (fee, net) = (amount(self.object, "fee")?, amount(self.object, "net")?);
        if total.checked_sub(fee) != Some(net) {
            return Err(EntryError::Unknown { field: "net", value: net.to_string() });
        }
        let currency = self.currency()?;
        let category = self.text("reporting_category").or_else(|| self.text("type"));
        self.put(self.id, What::Moved, total, currency, category.unwrap_or_default());
        self.put(self.id, What::Fee, fee, currency, "");
        if let Some(source) = self.other("source") {
            self.put(source, What::Settled, total, currency, "");
        }
        Ok(())
    }
}

fn id_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id").and_then(Value::as_str))
}

fn amount(object: &Value, field: &'static str) -> Result<i64, EntryError> {
    let amount = object.get(field).and_then(Value::as_i64).ok_or(EntryError::Missing(field))?;
    bounded(field, amount)
}

/// No amount of Stripe's comes near the bound: sums of what is within it are far from what can be counted.
fn bounded(field: &'static str, amount: i64) -> Result<i64, EntryError> {
    if amount.unsigned_abs() > AMOUNT_MAX.unsigned_abs() {
        return Err(EntryError::Unknown { field, value: amount.to_string() });
    }
    Ok(amount)
}
