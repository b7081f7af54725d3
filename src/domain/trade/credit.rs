//! The credit book: entries are only ever added. What a sale should have given stands in its facts; what is added is
//! the difference to what was given, so that the sum is right after each fact, in whatever order they come.

use crate::domain::named::named;
use crate::domain::trade::sale::{Sale, SaleStatus};
use std::collections::BTreeMap;

named! {
    /// Why credits are given or taken.
    pub enum Reason {
        /// They were bought, or a period was paid.
        Purchase = "purchase",
        /// The money went back.
        Refund = "refund",
        /// The buyer's bank has the money.
        Dispute = "dispute",
        /// By hand.
        Grant = "grant",
    }
}

/// What a sale comes to in credits, by reason.
pub fn due(sale: &Sale) -> BTreeMap<Reason, i64> {
    let credits = match sale.status {
        SaleStatus::Pending | SaleStatus::Failed => 0,
        _ => sale.sold.credits.max(0),
    };
    let after_refund = left(credits, sale.sold.amount, sale.refunded);
    let after_all = left(credits, sale.sold.amount, sale.refunded.saturating_add(sale.disputed));
    BTreeMap::from([
        (Reason::Purchase, credits),
        (Reason::Refund, after_refund - credits),
        (Reason::Dispute, after_all - after_refund),
    ])
}

/// What is to be added so that what is booked becomes what is due.
pub fn missing(due: &BTreeMap<Reason, i64>, booked: &BTreeMap<Reason, i64>) -> Vec<(Reason, i64)> {
    let booked = |reason: &Reason| booked.get(reason).copied().unwrap_or_default();
    let change = due.iter().map(|(reason, amount)| (*reason, amount - booked(reason)));
    change.filter(|(_, change)| *change != 0).collect()
}

/// The credits that are left of a sale of which `gone` came back: never more than what is still paid for.
fn left(credits: i64, amount: i64, gone: i64) -> i64 {
    if gone <= 0 || amount <= 0 {
        return credits;
    }
    let kept = i128::from(credits) * i128::from((amount - gone).max(0)) / i128::from(amount);
    i64::try_from(kept).unwrap_or(credits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trade::fact::{Fact, Sold, Stands};
    use proptest::prelude::*;

    const CREDITS: i64 = 100;
    const AMOUNT: i64 = 500;

    fn fact() -> impl Strategy<Value = Fact> {
        let payment = || "pi_1".to_owned();
        let refund = (0..3_u8, 1..=AMOUNT, any::<bool>()).prop_map(move |(id, amount, undone)| {
            Fact::Refunded { payment: payment(), refund: format!("re_{id}"), amount, undone }
        });
        let in_all =
            (0..=AMOUNT).prop_map(move |amount| Fact::RefundedInAll { payment: payment(), amount });
        let stands = prop_oneof![Just(Stands::Asked), Just(Stands::Taken), Just(Stands::Won)];
        let dispute = (0..2_u8, 1..=AMOUNT, stands).prop_map(move |(id, amount, stands)| {
            Fact::Disputed { payment: payment(), dispute: format!("dp_{id}"), amount, stands }
        });
        let sold = any::<bool>().prop_map(|paid| {
            Fact::Sold(Sold {
                sale: "cs_1".into(),
                credits: CREDITS,
                amount: AMOUNT,
                payment: Some("pi_1".into()),
                paid,
                ..Sold::default()
            })
        });
        let failed = Just(Fact::Failed { sale: "cs_1".into() });
        prop_oneof![4 => sold, 3 => refund, 2 => in_all, 2 => dispute, 1 => failed]
    }

    /// The book after these facts came one by one, each of them as often as it came.
    fn booked(facts: &[Fact]) -> BTreeMap<Reason, i64> {
        let (mut known, mut book): (Vec<Fact>, BTreeMap<Reason, i64>) = Default::default();
        for fact in facts {
            if known.contains(fact) {
                continue;
            }
            known.push(fact.clone());
            let Some(sale) = Sale::of(&known) else { continue };
            for (reason, change) in missing(&due(&sale), &book) {
                *book.entry(reason).or_default() += change;
            }
        }
        book
    }

    fn with_order() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
        proptest::collection::vec(fact(), 0..12)
            .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))
    }

    proptest! {
        #[test]
        fn no_order_and_no_repetition_changes_the_book((facts, shuffled) in with_order()) {
            let strip = |book: BTreeMap<Reason, i64>| {
                book.into_iter().filter(|(_, sum)| *sum != 0).collect::<BTreeMap<_, _>>()
            };
            let twice = [shuffled.clone(), shuffled].concat();
            prop_assert_eq!(strip(booked(&facts)), strip(booked(&twice)));
        }

        #[test]
        fn a_sale_never_leaves_less_than_nothing_or_more_than_was_bought(
            facts in proptest::collection::vec(fact(), 0..12)
        ) {
            let sum: i64 = booked(&facts).values().sum();
            prop_assert!((0..=CREDITS).contains(&sum), "{}", sum);
        }
    }

    #[test]
    fn what_came_back_takes_its_share_and_all_takes_all() {
        let mut sale = Sale {
            sold: Sold { credits: 10, amount: 3, paid: true, ..Sold::default() },
            status: SaleStatus::Succeeded,
            refunded: 1,
            disputed: 0,
        };
        let sum = |sale: &Sale| due(sale).values().sum::<i64>();
        assert_eq!(sum(&sale), 6);
        sale.disputed = 2;
        assert_eq!(
            due(&sale),
            [(Reason::Purchase, 10), (Reason::Refund, -4), (Reason::Dispute, -6)].into()
        );
        sale = Sale { refunded: 0, disputed: 0, ..sale };
        assert_eq!(sum(&sale), 10);
        sale.sold.amount = 0;
        assert_eq!(sum(&sale), 10, "a sale for nothing gives its credits");
        sale.status = SaleStatus::Pending;
        assert_eq!(sum(&sale), 0);
    }
}
