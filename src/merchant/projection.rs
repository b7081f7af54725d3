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
    let Some(sale) = Sale::of(&facts) else { return Ok(()) };
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
    let Some(mirror) = Mirror::of(&base.facts(provider, subscription)?) else { return Ok(()) };
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
