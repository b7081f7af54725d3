//! What is charged, by which card, and the transaction that tells of it.

use crate::domain::card::{Behaviour, Card};
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::creem::document::{millis, new, set};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a transaction is about.
#[derive(Clone, Debug, Default)]
pub struct Sale {
    /// Before anything is taken off.
    pub amount: i64,
    /// What is taken off.
    pub discount: i64,
    /// `EUR` or `USD`.
    pub currency: String,
    /// `ord_…`.
    pub order: String,
    /// `cust_…`.
    pub customer: String,
    /// `sub_…`, where there is one.
    pub subscription: Option<String>,
    /// What it pays for, from and until.
    pub period: Option<(Timestamp, Timestamp)>,
}

impl Sale {
    /// What is left to pay.
    pub const fn due(&self) -> i64 {
        self.amount - self.discount
    }
}

/// Why a card cannot begin a sale; `None` where it can. Challenges are not asked for.
pub fn refused_at_once(card: &Card) -> Option<Decline> {
    match card.behaviour {
        // It pays once, and fails every renewal.
        Behaviour::DeclinesAfterAttaching => None,
        _ => Decline::on_charging(card),
    }
}

/// Records the transaction of a sale that was paid, or declined.
pub fn transact(txn: &mut Txn<'_>, sale: &Sale, paid: bool) -> Arc<Object> {
    let now = txn.now();
    let members = json!({
        "amount": sale.amount,
        "amount_paid": if paid { sale.due() } else { 0 },
        "discount_amount": sale.discount,
        "currency": sale.currency,
        "type": if sale.subscription.is_some() { "invoice" } else { "payment" },
        "tax_country": null,
        "tax_amount": 0,
        "status": if paid { "paid" } else { "declined" },
        "refunded_amount": null,
        "order": sale.order,
        "subscription": sale.subscription,
        "customer": sale.customer,
        "description": if sale.subscription.is_some() { "Subscription payment" } else { "Payment" },
        "created_at": millis(now),
    });
    let mut doc = new(txn, (super::transaction::KIND, "tran_"), members);
    doc.remove("updated_at");
    set(&mut doc, "period_start", sale.period.map(|(from, _)| millis(from)));
    set(&mut doc, "period_end", sale.period.map(|(_, until)| millis(until)));
    txn.put(doc)
}

/// The share of an amount that the rest of a period is, rounded half away from zero.
pub fn share(amount: i64, rest_s: i64, whole_s: i64) -> i64 {
    let whole = i128::from(whole_s.max(1));
    let product = i128::from(amount) * i128::from(rest_s.clamp(0, whole_s.max(1)));
    let half = if product < 0 { -(whole / 2) } else { whole / 2 };
    i64::try_from((product + half) / whole).unwrap_or(0)
}

/// A member of a document as text, for a transaction.
pub fn named(doc: &Value, name: &str) -> String {
    super::document::text(doc, name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_rounded_half_away_from_zero() {
        assert_eq!((share(1_000, 1, 2), share(1_001, 1, 2), share(-1_001, 1, 2)), (500, 501, -501));
        assert_eq!(
            (share(1_000, 5, 2), share(1_000, -1, 2), share(1_000, 1, 0)),
            (1_000, 0, 1_000)
        );
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_the_whole(amount in -99_999_999_i64..=99_999_999, rest: i64, whole in 1_i64..=99_999_999) {
            let share = share(amount, rest, whole);
            prop_assert!(share.abs() <= amount.abs() && share.signum() * amount.signum() >= 0);
        }
    }
}
