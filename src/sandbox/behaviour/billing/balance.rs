//! What a customer owes or is owed, and how an invoice takes it up.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of a change of a customer's balance.
pub const KIND: &str = "customer_balance_transaction";

/// How an invoice and its customer's balance come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What is to be paid.
    pub due: i64,
    /// The balance before it: negative is owed to the customer.
    pub starting: i64,
    /// The balance after it.
    pub ending: i64,
    /// Whether it is too little to be charged, and waits for the next invoice.
    pub too_small: bool,
}

/// What is to be paid of a total at a balance, where nothing below `least` can be charged. Pure.
pub fn settled(total: i64, starting: i64, least: i64) -> Settled {
    let sum = total.saturating_add(starting);
    let too_small = total > 0 && (1..least).contains(&sum);
    let due = if too_small { 0 } else { sum.max(0) };
    Settled { due, starting, ending: sum.saturating_sub(due), too_small }
}

/// Takes a customer's balance up into an invoice that gets its number.
pub fn apply(txn: &mut Txn<'_>, invoice: &Value) -> Settled {
    let customer = text(invoice, "customer").to_owned();
    let currency = text(invoice, "currency").to_owned();
    let known = txn.get("customer", &customer);
    // What was counted in another currency is left alone.
    let is_own = known
        .as_ref()
        .is_some_and(|it| matches!(text(it, "currency"), "") || text(it, "currency") == currency);
    let starting = known.filter(|_| is_own).map_or(0, |it| int(&it, "balance"));
    let least = currency.parse::<Currency>().map_or(1, Currency::minimum_charge);
    let settled = settled(int(invoice, "total"), starting, least);
    if settled.ending != starting {
        let kind = if settled.too_small { "invoice_too_small" } else { "applied_to_invoice" };
        let amount = settled.ending - starting;
        change(txn, &customer, (amount, &currency), kind, Some(text(invoice, "id")));
    }
    settled
}

/// Gives back what an invoice had taken of its customer's balance.
pub fn give_back(txn: &mut Txn<'_>, invoice: &Value) {
    let taken = int(invoice, "ending_balance") - int(invoice, "starting_balance");
    if taken != 0 {
        let (customer, currency) = (text(invoice, "customer"), text(invoice, "currency"));
        let id = Some(text(invoice, "id"));
        change(txn, customer, (-taken, currency), "unapplied_from_invoice", id);
    }
}

/// Changes a customer's balance and writes down why.
pub fn change(
    txn: &mut Txn<'_>,
    customer: &str,
    (amount, currency): (i64, &str),
    kind: &str,
    invoice: Option<&str>,
) -> Option<Arc<Object>> {
    let changed = txn.edit("customer", customer, |doc| {
        let balance = doc.get("balance").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("balance".to_owned(), json!(balance.saturating_add(amount)));
        if doc.get("currency").is_none_or(Value::is_null) {
            doc.insert("currency".to_owned(), json!(currency));
        }
    });
    let (before, after) = changed?;
    let doc = new(
        KIND,
        json!({
            "id": txn.new_id("cbtxn_1", 23), "amount": amount, "created": txn.now().0,
            "currency": currency, "customer": customer, "ending_balance": int(&after, "balance"),
            "invoice": invoice, "livemode": false, "type": kind,
        }),
    );
    let made = txn.put(doc);
    txn.emit_change("customer.updated", &before, &after);
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_balance_is_taken_up_and_too_little_waits() {
        let of = |total, starting| {
            let it = settled(total, starting, 50);
            (it.due, it.ending, it.too_small)
        };
        assert_eq!(of(2_000, -1_106), (894, 0, false));
        assert_eq!(of(-334, 0), (0, -334, false));
        assert_eq!(of(1_000, 50), (1_050, 0, false));
        assert_eq!(of(500, -1_106), (0, -606, false));
        assert_eq!(of(4, 0), (0, 4, true));
        assert_eq!(of(0, 0), (0, 0, false));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_invoice_and_balance(
            total in -1_000_000_i64..1_000_000,
            starting in -1_000_000_i64..1_000_000,
            least in 1_i64..200,
        ) {
            let it = settled(total, starting, least);
            prop_assert_eq!(it.due + it.ending, total + starting);
            prop_assert!(it.due >= 0 && (it.due == 0 || it.ending == 0));
            prop_assert!(it.due == 0 || it.due >= least || total <= 0);
        }
    }
}
