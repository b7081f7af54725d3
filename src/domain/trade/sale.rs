//! A sale: what its facts come to.

use crate::domain::named::named;
use crate::domain::trade::fact::{Fact, Sold, Stands};
use std::collections::BTreeMap;

named! {
    /// How a sale stands.
    pub enum SaleStatus {
        /// The payment is on its way.
        Pending = "pending",
        /// It is paid.
        Succeeded = "succeeded",
        /// The payment did not arrive.
        Failed = "failed",
        /// A part of it went back.
        PartiallyRefunded = "partially_refunded",
        /// All of it went back.
        Refunded = "refunded",
        /// The buyer's bank has taken it.
        Disputed = "disputed",
    }
}

/// A sale with what has become of its money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// What was sold.
    pub sold: Sold,
    /// How it stands.
    pub status: SaleStatus,
    /// How much went back by refunds, in minor units.
    pub refunded: i64,
    /// How much the buyer's bank has taken, in minor units.
    pub disputed: i64,
}

impl Sale {
    /// The sale that these facts about it and its payments state; `None` before it is known what was sold.
    pub fn of(facts: &[Fact]) -> Option<Self> {
        let sold = facts.iter().filter_map(|fact| match fact {
            Fact::Sold(it) => Some(it),
            _ => None,
        });
        // Paid outweighs unpaid: a payment that arrived is not taken back by an older event.
        let sold = sold.max_by_key(|it| (it.paid, *it))?.clone();
        let refunded = refunded(facts).min(sold.amount);
        let disputed = disputed(facts).min(sold.amount - refunded);
        let has_failed = facts.iter().any(|fact| matches!(fact, Fact::Failed { .. }));
        let status = match () {
            () if !sold.paid && has_failed => SaleStatus::Failed,
            () if !sold.paid => SaleStatus::Pending,
            () if disputed > 0 => SaleStatus::Disputed,
            () if refunded > 0 && refunded == sold.amount => SaleStatus::Refunded,
            () if refunded > 0 => SaleStatus::PartiallyRefunded,
            () => SaleStatus::Succeeded,
        };
        Some(Self { sold, status, refunded, disputed })
    }
}

/// What the payments that are named here are.
pub fn payments(facts: &[Fact]) -> impl Iterator<Item = &str> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Sold(it) => it.payment.as_deref(),
        Fact::PaymentOf { payment, .. } => Some(payment),
        _ => None,
    })
}

/// What went back: by each refund once, or what a payment says in all where not every refund is known.
fn refunded(facts: &[Fact]) -> i64 {
    let mut single: BTreeMap<(&str, &str), (i64, bool)> = BTreeMap::new();
    let mut in_all: BTreeMap<&str, i64> = BTreeMap::new();
    for fact in facts {
        match fact {
            Fact::Refunded { payment, refund, amount, undone } => {
                let known = single.entry((payment, refund)).or_default();
                *known = (known.0.max(*amount), known.1 || *undone);
            }
            Fact::RefundedInAll { payment, amount } => {
                let known = in_all.entry(payment).or_default();
                *known = (*known).max(*amount);
            }
            _ => {}
        }
    }
    let mut of_payment: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for ((payment, _), (amount, undone)) in single {
        let (gone, back) = of_payment.entry(payment).or_default();
        *(if undone { back } else { gone }) += amount;
    }
    for payment in in_all.keys() {
        of_payment.entry(payment).or_default();
    }
    let gone = of_payment.into_iter().map(|(payment, (gone, back))| {
        let said = in_all.get(payment).copied().unwrap_or_default();
        gone.max(said - back).max(0)
    });
    gone.sum()
}

/// What the banks have taken and not given back.
fn disputed(facts: &[Fact]) -> i64 {
    let mut disputes: BTreeMap<&str, (Stands, i64)> = BTreeMap::new();
    for fact in facts {
        if let Fact::Disputed { dispute, amount, stands, .. } = fact {
            let known = disputes.entry(dispute).or_insert((*stands, *amount));
            *known = (known.0.max(*stands), known.1.max(*amount));
        }
    }
    let taken = disputes.into_values().filter(|(stands, _)| *stands == Stands::Taken);
    taken.map(|(_, amount)| amount).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold(paid: bool) -> Fact {
        Fact::Sold(Sold {
            sale: "cs_1".into(),
            plan: "small".into(),
            credits: 100,
            amount: 500,
            currency: "jpy".into(),
            payment: Some("pi_1".into()),
            paid,
            ..Sold::default()
        })
    }

    fn refund(id: &str, amount: i64, undone: bool) -> Fact {
        Fact::Refunded { payment: "pi_1".into(), refund: id.into(), amount, undone }
    }

    fn in_all(amount: i64) -> Fact {
        Fact::RefundedInAll { payment: "pi_1".into(), amount }
    }

    fn dispute(stands: Stands) -> Fact {
        Fact::Disputed { payment: "pi_1".into(), dispute: "dp_1".into(), amount: 500, stands }
    }

    #[test]
    fn a_sale_stands_as_its_facts_say() {
        let failed = Fact::Failed { sale: "cs_1".into() };
        for (facts, status, refunded, disputed) in [
            (vec![sold(false)], SaleStatus::Pending, 0, 0),
            (vec![sold(false), failed.clone()], SaleStatus::Failed, 0, 0),
            (vec![sold(false), failed, sold(true)], SaleStatus::Succeeded, 0, 0),
            (vec![sold(true), in_all(200)], SaleStatus::PartiallyRefunded, 200, 0),
            (
                vec![sold(true), refund("re_1", 200, false), in_all(200)],
                SaleStatus::PartiallyRefunded,
                200,
                0,
            ),
            (
                vec![sold(true), refund("re_1", 200, false), in_all(500)],
                SaleStatus::Refunded,
                500,
                0,
            ),
            (
                vec![sold(true), refund("re_1", 500, false), refund("re_1", 500, true)],
                SaleStatus::Succeeded,
                0,
                0,
            ),
            (vec![sold(true), refund("re_1", 500, true), in_all(500)], SaleStatus::Succeeded, 0, 0),
            (vec![sold(true), dispute(Stands::Asked)], SaleStatus::Succeeded, 0, 0),
            (vec![sold(true), dispute(Stands::Taken)], SaleStatus::Disputed, 0, 500),
            (vec![sold(true), dispute(Stands::Taken), in_all(200)], SaleStatus::Disputed, 200, 300),
            (
                vec![sold(true), dispute(Stands::Won), dispute(Stands::Taken)],
                SaleStatus::Succeeded,
                0,
                0,
            ),
        ] {
            let sale = Sale::of(&facts).unwrap();
            assert_eq!(
                (sale.status, sale.refunded, sale.disputed),
                (status, refunded, disputed),
                "{facts:?}"
            );
        }
        assert_eq!(Sale::of(&[in_all(5)]), None);
    }
}
