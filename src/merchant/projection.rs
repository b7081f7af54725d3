//! Works facts into the database: each once, and after each what follows from all that is known of its subject. A
//! webhook and a landing page come here alike, in any order and at once.

use crate::domain::merchant::api_key::Opens;
use crate::domain::merchant::quota::PRO;
use crate::domain::time::Timestamp;
use crate::domain::trade::credit;
use crate::domain::trade::fact::Fact;
use crate::domain::trade::sale::{self, Sale};
use crate::domain::trade::subscription::Mirror;
use crate::merchant::account::new_id;
use crate::merchant::base::Base;
use crate::merchant::base::credit::CreditEntry;
use crate::merchant::base::order::Order;
use crate::merchant::provider::ProviderName;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// Works in what an event states; nothing, where the event was worked in before.
pub fn apply(
    base: &mut dyn Base,
    provider: ProviderName,
    event: &str,
    facts: &[Fact],
    now: Timestamp,
) -> Result<(), StoreError> {
    if base.apply(provider.name(), event, now)? {
        learn(base, provider, facts, now)?;
    }
    Ok(())
}

/// Works in facts. What is known already changes nothing.
pub fn learn(
    base: &mut dyn Base,
    provider: ProviderName,
    facts: &[Fact],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (mut sales, mut subscriptions) = (BTreeSet::new(), BTreeSet::new());
    let name = provider.name();
    for fact in facts {
        if !base.learn(name, fact)? {
            continue;
        }
        let subject = fact.subject().to_owned();
        match fact {
            Fact::Sold(_) | Fact::PaymentOf { .. } | Fact::Failed { .. } => {
                for payment in sale::payments(std::slice::from_ref(fact)) {
                    base.link(name, payment, &subject)?;
                }
                sales.insert(subject);
            }
            Fact::Refunded { .. } | Fact::RefundedInAll { .. } | Fact::Disputed { .. } => {
                sales.extend(base.sales_of(name, &subject)?);
            }
            Fact::Customer { customer, user } => bind(base, name, customer, user)?,
            Fact::Subscription(_) | Fact::PeriodPaid { .. } | Fact::PeriodFailed { .. } => {
                subscriptions.insert(subject);
            }
        }
    }
    for sale in sales {
        settle(base, name, &sale, now)?;
    }
    for subscription in subscriptions {
        follow(base, name, &subscription, now)?;
    }
    Ok(())
}

/// Brings the order and the credits of a sale to what its facts say.
fn settle(
    base: &mut dyn Base,
    provider: &str,
    sale: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut facts = base.facts(provider, sale)?;
    let payments: BTreeSet<String> = sale::payments(&facts).map(str::to_owned).collect();
    for payment in payments {
        facts.extend(base.facts(provider, &payment)?);
    }
    let Some(mut sale) = Sale::of(&facts) else { return Ok(()) };
    if let Some(price) = &sale.sold.price
        && let Some((plan, credits)) = base.price(provider, price)?
    {
        (sale.sold.plan, sale.sold.credits) = (plan, credits);
    }
    let (user, customer) = (sale.sold.user.as_deref(), sale.sold.customer.as_deref());
    // Somebody whom we do not know has bought elsewhere through the same account.
    let Some(user) = owner(base, provider, user, customer)? else { return Ok(()) };
    let known = base.order_of(provider, &sale.sold.sale)?;
    let user = known.as_ref().map_or(user, |it| it.user.clone());
    let id = known.map_or_else(|| new_id("order_"), |it| Ok(it.id))?;
    base.put_order(&Order::of(id, provider, user.clone(), &sale))?;
    let booked = base.credits_of_sale(provider, &sale.sold.sale)?;
    for (reason, amount) in credit::missing(&credit::due(&sale), &booked) {
        base.add_credits(&CreditEntry {
            user: user.clone(),
            provider: provider.to_owned(),
            sale: sale.sold.sale.clone(),
            reason,
            amount,
            at: now,
        })?;
    }
    Ok(())
}

/// Brings a subscription to what its facts say; one that pays for a key has its key issued, once.
fn follow(
    base: &mut dyn Base,
    provider: &str,
    subscription: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let facts = base.facts(provider, subscription)?;
    let Some(mut mirror) = Mirror::of(&facts) else { return Ok(()) };
    if let Some(price) = &mirror.price
        && let Some((plan, _)) = base.price(provider, price)?
    {
        mirror.plan = plan;
    }
    let (user, customer) = (mirror.user.as_deref(), mirror.customer.as_deref());
    let Some(user) = owner(base, provider, user, customer)? else { return Ok(()) };
    base.put_subscription(provider, &user, &mirror)?;
    if mirror.plan == PRO.id && Opens::of(&mirror, now) == Opens::Everything {
        base.issue(&user, subscription, now)?;
    }
    Ok(())
}

/// Notes which customer a user is, where neither is anybody's yet: what was said twice, or late, changes nothing.
fn bind(base: &mut dyn Base, provider: &str, customer: &str, user: &str) -> Result<(), StoreError> {
    let is_new = base.customer_of(provider, user)?.is_none();
    if is_new && base.user(user)?.is_some() {
        base.bind_customer(provider, customer, user)?;
    }
    Ok(())
}

/// Whose a thing is: the user whom we named ourselves when it was begun, else whoever the customer is.
fn owner(
    base: &mut dyn Base,
    provider: &str,
    user: Option<&str>,
    customer: Option<&str>,
) -> Result<Option<String>, StoreError> {
    if let Some(id) = user
        && let Some(user) = base.user(id)?
    {
        return Ok(Some(user.id));
    }
    match customer {
        Some(customer) => base.user_of(provider, customer),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trade::fact::{Snapshot, Sold, Stands};
    use crate::domain::trade::sale::SaleStatus;
    use crate::merchant::base::LAYOUT;
    use crate::merchant::base::account::User;
    use crate::store::tables::Tables;
    use proptest::prelude::*;
    use std::path::Path;

    const NOW: Timestamp = Timestamp(1_000);
    const ANN: &str = "user_ann";

    fn open(folder: &Path) -> Tables {
        let file = Tables::open(&folder.join("shop.db"), &LAYOUT).unwrap();
        let user = User { id: ANN.into(), email: "ann@example.com".into(), created: NOW };
        change(&file, |base| base.add_user(&user, "").map(drop));
        file
    }

    fn change(file: &Tables, work: impl FnOnce(&mut dyn Base) -> Result<(), StoreError>) {
        file.change(|base| work(base)).unwrap();
    }

    fn sold(sale: &str, user: Option<&str>, paid: bool) -> Fact {
        Fact::Sold(Sold {
            sale: sale.into(),
            user: user.map(str::to_owned),
            customer: Some("cus_1".into()),
            plan: "small".into(),
            credits: 100,
            amount: 500,
            currency: "jpy".into(),
            payment: Some(format!("pi_{sale}")),
            paid,
            at: 5,
            ..Sold::default()
        })
    }

    /// What a life of purchases states: bought, paid later, refunded in part, a period, disputed and won.
    fn life() -> Vec<Fact> {
        let payment = |sale: &str| format!("pi_{sale}");
        let dispute = |stands| Fact::Disputed {
            payment: payment("cs_2"),
            dispute: "dp_1".into(),
            amount: 500,
            stands,
        };
        let period = Fact::Sold(Sold {
            sale: "in_1".into(),
            user: Some(ANN.into()),
            credits: 300,
            amount: 1_200,
            subscription: Some("sub_1".into()),
            paid: true,
            ..Sold::default()
        });
        vec![
            sold("cs_1", Some(ANN), false),
            sold("cs_1", Some(ANN), true),
            Fact::RefundedInAll { payment: payment("cs_1"), amount: 250 },
            sold("cs_2", Some(ANN), true),
            dispute(Stands::Taken),
            dispute(Stands::Won),
            sold("cs_3", Some("user_nobody"), true),
            period,
            Fact::PaymentOf { sale: "in_1".into(), payment: "pi_in".into() },
            Fact::Refunded {
                payment: "pi_in".into(),
                refund: "re_1".into(),
                amount: 1_200,
                undone: false,
            },
            Fact::Subscription(Snapshot {
                subscription: "sub_1".into(),
                user: Some(ANN.into()),
                status: "active".into(),
                until: 31,
                at: 1,
                ..Snapshot::default()
            }),
            Fact::PeriodPaid { subscription: "sub_1".into(), until: 61, at: 31 },
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn no_order_and_no_repetition_changes_orders_and_credits(
            facts in Just(life()).prop_shuffle(), again in 0..12_usize
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = open(folder.path());
            for fact in facts.iter().chain(&facts[again..]) {
                let one = std::slice::from_ref(fact);
                change(&file, |base| learn(base, ProviderName::Stripe, one, NOW));
            }
            change(&file, |base| {
                let orders = base.orders(Some(ANN), 10)?;
                let status = |sale: &str| orders.iter().find(|it| it.sale == sale).unwrap().status;
                assert_eq!(orders.len(), 3);
                assert_eq!(status("cs_1"), SaleStatus::PartiallyRefunded);
                assert_eq!(status("cs_2"), SaleStatus::Succeeded);
                assert_eq!(status("in_1"), SaleStatus::Refunded);
                assert_eq!(base.credits(ANN)?, 50 + 100);
                let mirror = base.subscriptions(ANN)?.remove(0);
                assert_eq!((mirror.status.as_str(), mirror.until), ("active", 61));
                Ok(())
            });
        }
    }

    #[test]
    fn a_buyer_who_is_not_named_is_whoever_the_customer_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        change(&file, |base| {
            learn(base, ProviderName::Stripe, &[sold("cs_1", None, true)], NOW)?;
            assert_eq!(base.orders(None, 9)?, []);
            base.bind_customer("stripe", "cus_1", ANN)?;
            // A customer that is somebody's stays theirs.
            base.bind_customer("stripe", "cus_1", "user_eve")?;
            learn(base, ProviderName::Stripe, &[sold("cs_2", None, true)], NOW)?;
            assert_eq!(base.orders(Some(ANN), 9)?.len(), 1);
            Ok(())
        });
    }

    #[test]
    fn a_plan_that_was_changed_gives_what_its_price_gives() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        let Fact::Sold(period) = sold("in_1", Some(ANN), true) else { return };
        let changed =
            |price: &str| Fact::Sold(Sold { price: Some(price.into()), ..period.clone() });
        change(&file, |base| {
            base.put_price("stripe", "price_2", "large", 4_000)?;
            base.put_price("stripe", "price_2", "large", 9_000)?;
            learn(base, ProviderName::Stripe, &[changed("price_2")], NOW)?;
            assert_eq!(
                (base.orders(None, 9)?[0].plan.as_str(), base.credits(ANN)?),
                ("large", 4_000)
            );
            Ok(())
        });
    }

    #[test]
    fn an_event_is_worked_in_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        for _ in 0..3 {
            let facts = [sold("cs_1", Some(ANN), true)];
            change(&file, |base| apply(base, ProviderName::Stripe, "evt_1", &facts, NOW));
        }
        change(&file, |base| {
            assert_eq!((base.orders(None, 9)?.len(), base.credits(ANN)?), (1, 100));
            Ok(())
        });
    }

    #[test]
    fn two_processes_at_once_make_one_order() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            [open(folder.path()), Tables::open(&folder.path().join("shop.db"), &LAYOUT).unwrap()];
        std::thread::scope(|scope| {
            for file in &files {
                scope.spawn(move || {
                    for number in 0..20 {
                        let fact = [sold(&format!("cs_{number}"), Some(ANN), true)];
                        change(file, |base| learn(base, ProviderName::Stripe, &fact, NOW));
                    }
                });
            }
        });
        change(&files[0], |base| {
            assert_eq!((base.orders(None, 99)?.len(), base.credits(ANN)?), (20, 2_000));
            Ok(())
        });
    }

    #[test]
    fn the_credit_book_is_only_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        let fact = [sold("cs_1", Some(ANN), true)];
        change(&file, |base| learn(base, ProviderName::Stripe, &fact, NOW));
        let raw = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
        for sql in ["UPDATE credits SET amount = 9999", "DELETE FROM credits"] {
            assert!(raw.execute(sql, []).is_err(), "{sql}");
        }
        assert_eq!(raw.query_row("SELECT amount FROM credits", [], |row| row.get(0)), Ok(100));
    }

    #[test]
    fn what_fails_in_the_middle_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        let failed = file.change(|base| {
            learn(base, ProviderName::Stripe, &[sold("cs_1", Some(ANN), true)], NOW)?;
            Err::<(), _>(StoreError::Gone)
        });
        assert_eq!(failed, Err(StoreError::Gone));
        change(&file, |base| {
            assert_eq!((base.orders(None, 9)?.len(), base.credits(ANN)?), (0, 0));
            Ok(())
        });
    }
}
