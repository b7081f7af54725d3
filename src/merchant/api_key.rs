//! The sale of API keys: a hosted page is opened for the user who asks, and whoever hears first that it was paid, the
//! page that the buyer comes back to or the webhook, issues the one key of its subscription.

use crate::domain::merchant::api_key::{KeyText, Opens};
use crate::domain::merchant::one_time::{Awaited, Return};
use crate::domain::merchant::quota::PRO;
use crate::domain::time::Timestamp;
use crate::merchant::account;
use crate::merchant::base::api_key::KeptKey;
use crate::merchant::base::{Base, Database};
use crate::merchant::failure::ShopError;
use crate::merchant::projection;
use crate::merchant::provider::ProviderName;
use crate::merchant::provider::stripe::{metadata, of_subscription, whose};
use crate::os::entropy::secret_bytes;
use crate::store::StoreError;
use crate::stripe::Stripe;
use crate::wire::form::escape;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The provider that keys are sold through.
const STRIPE: &str = ProviderName::Stripe.name();

/// Who buys, and where a browser finds the shop.
#[derive(Clone, Copy, Debug)]
pub struct Buyer<'b> {
    /// The signed-in user.
    pub user: &'b str,
    /// Their address.
    pub email: &'b str,
    /// Scheme, host and port of the shop.
    pub origin: &'b str,
    /// The price that is asked.
    pub price: &'b str,
    /// The language of the hosted page.
    pub locale: &'static str,
}

/// Where a buyer goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// To the hosted page.
    Pay(String),
    /// Nowhere: they have a key already.
    Has,
}

/// What coming back led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// The key is there.
    Issued,
    /// The payment is on its way.
    Waiting,
    /// The address is not for this user, or it has run out.
    Refused,
}

/// The upgrade to a key, at one provider.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade<'s> {
    /// The provider.
    pub stripe: &'s Stripe,
    /// Where keys are kept.
    pub database: &'s Database,
    /// The time.
    pub now: Timestamp,
}

impl Upgrade<'_> {
    /// Opens the hosted page for a buyer. A second tab goes on with the page of the first, so that nobody pays twice.
    pub async fn start(&self, buyer: Buyer<'_>) -> Result<Start, ShopError> {
        if let Some(start) = self.started(buyer.user).await? {
            return Ok(start);
        }
        let key = account::new_token()?;
        let session = self.open(buyer, &key).await?;
        let awaited = Awaited::new(text(&session, "id"), buyer.user, &key, self.now);
        let now = self.now;
        let first = self.database.change(move |base| {
            let first = base.open_return(&awaited.user, now)?;
            if first.is_none() {
                base.await_return(&awaited)?;
            }
            Ok(first)
        });
        if let Some(first) = first.await? {
            // Another tab was quicker: its page is the one.
            self.stripe.expire_session(text(&session, "id")).await?;
            let first = self.stripe.session(&first.session).await?;
            return Ok(Start::Pay(text(&first, "url").to_owned()));
        }
        Ok(Start::Pay(text(&session, "url").to_owned()))
    }

    /// How far the user has come before.
    async fn started(&self, user: &str) -> Result<Option<Start>, ShopError> {
        let (owner, now) = (user.to_owned(), self.now);
        let look = self
            .database
            .look(move |base| Ok((base.key_of_user(&owner)?, base.open_return(&owner, now)?)));
        let (key, awaited) = look.await?;
        if key.is_some_and(|key| key.opens(now) != Opens::Nothing) {
            return Ok(Some(Start::Has));
        }
        let Some(awaited) = awaited else { return Ok(None) };
        let session = match self.stripe.session(&awaited.session).await {
            Ok(session) => session,
            // A provider that was emptied: what was begun there is over.
            Err(error) if error.is_missing() => Value::Null,
            Err(error) => return Err(error.into()),
        };
        if text(&session, "status") == "open" {
            return Ok(Some(Start::Pay(text(&session, "url").to_owned())));
        }
        // Paid, and never come back; unless what was paid has ended since.
        let is_paid = self.settle(user, &session).await?;
        if is_paid && self.key(user).await?.is_some_and(|key| key.opens(now) != Opens::Nothing) {
            return Ok(Some(Start::Has));
        }
        let used = move |base: &mut dyn Base| base.use_return(&awaited.session, now);
        self.database.change(used).await?;
        Ok(None)
    }

    async fn open(&self, buyer: Buyer<'_>, key: &str) -> Result<Value, ShopError> {
        let user = buyer.user.to_owned();
        let customer = self.database.look(move |base| base.customer_of(STRIPE, &user)).await?;
        let marks = json!({
            metadata::USER: buyer.user, metadata::PLAN: PRO.id, metadata::PRICE: buyer.price,
        });
        let origin = buyer.origin;
        let mut params = json!({
            "mode": "subscription",
            "line_items": [{"price": buyer.price, "quantity": 1}],
            "success_url": format!("{origin}/create-api-key?session_id={{CHECKOUT_SESSION_ID}}&key={key}"),
            "cancel_url": format!("{origin}/canceled_upgrade"),
            "client_reference_id": buyer.user,
            "metadata": marks,
            "subscription_data": {"metadata": marks},
            "locale": buyer.locale,
        });
        // One customer a user: who has bought before is the same again.
        let (name, value) = match &customer {
            Some(customer) => ("customer", customer.as_str()),
            None => ("customer_email", buyer.email),
        };
        if let Some(params) = params.as_object_mut() {
            params.insert(name.to_owned(), json!(value));
        }
        Ok(self.stripe.create_session(&params).await?)
    }

    /// A buyer comes back. The address proves nothing: it must be theirs, and the provider is asked.
    pub async fn land(&self, user: &str, session: &str, key: &str) -> Result<Landed, ShopError> {
        let id = session.to_owned();
        let awaited = self.database.look(move |base| base.awaited_return(&id)).await?;
        let judged = awaited.map(|awaited| awaited.judge(user, session, key, self.now));
        let Some(Ok(come)) = judged else { return Ok(Landed::Refused) };
        if come == Return::Again && self.key(user).await?.is_some() {
            return Ok(Landed::Issued);
        }
        let found = match self.stripe.session(session).await {
            Ok(found) => found,
            Err(error) if error.is_missing() => return Ok(Landed::Refused),
            Err(error) => return Err(error.into()),
        };
        if self.settle(user, &found).await? { Ok(Landed::Issued) } else { Ok(Landed::Waiting) }
    }

    /// Works in what a session of the user's and its subscription state; whether it is paid.
    async fn settle(&self, user: &str, session: &Value) -> Result<bool, ShopError> {
        let is_paid = matches!(text(session, "payment_status"), "paid" | "no_payment_required");
        let is_whole = text(session, "status") == "complete" && is_paid;
        let Some(subscription) = id(session, "subscription").filter(|_| is_whole) else {
            return Ok(false);
        };
        if text(session, "client_reference_id") != user || plan(session) != PRO.id {
            return Ok(false);
        }
        let path = format!("/v1/subscriptions/{}", escape(subscription));
        let subscription = self.stripe.get(&path, &Value::Null).await?;
        // Seen, not told: as old as the subscription itself, so that every event outweighs it.
        let at = subscription.get("created").and_then(Value::as_i64).unwrap_or_default();
        let mut facts = of_subscription(&subscription, at, "", BTreeMap::new());
        facts.extend(whose(session));
        let (now, id) = (self.now, text(session, "id").to_owned());
        let worked = self.database.change(move |base| {
            projection::learn(base, ProviderName::Stripe, &facts, now)?;
            base.use_return(&id, now)
        });
        worked.await?;
        Ok(true)
    }

    /// The user's key that was not revoked.
    pub async fn key(&self, user: &str) -> Result<Option<KeptKey>, StoreError> {
        let user = user.to_owned();
        self.database.look(move |base| base.key_of_user(&user)).await
    }

    /// Draws the text of the user's key, the one time that it has none; `None` where it was shown already.
    pub async fn show(&self, user: &str) -> Result<Option<KeyText>, ShopError> {
        let text = KeyText::of(secret_bytes().map_err(|error| no_randomness(&error))?);
        let (user, now, drawn) = (user.to_owned(), self.now, text.clone());
        let shown = self.database.change(move |base| match base.key_of_user(&user)? {
            Some(key) if key.opens(now) != Opens::Nothing => base.set_text(key.id, &drawn),
            Some(_) | None => Ok(false),
        });
        Ok(shown.await?.then_some(text))
    }

    /// Makes what was shown of the user's key worthless, so that another may be shown.
    pub async fn replace(&self, user: &str) -> Result<(), StoreError> {
        let user = user.to_owned();
        let cleared = self.database.change(move |base| match base.key_of_user(&user)? {
            Some(key) => base.clear_text(key.id).map(drop),
            None => Ok(()),
        });
        cleared.await
    }
}

fn no_randomness(error: &std::io::Error) -> StoreError {
    StoreError::Io { path: PathBuf::from("random"), reason: error.to_string() }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The id of what may be expanded.
fn id<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let member = value.get(name)?;
    member.as_str().or_else(|| member.get("id").and_then(Value::as_str))
}

fn plan(object: &Value) -> &str {
    object.get("metadata").map(|it| text(it, metadata::PLAN)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trade::fact::{Fact, Snapshot};
    use crate::merchant::base::LAYOUT;
    use crate::merchant::base::account::User;
    use crate::store::tables::Tables;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(50);
    const ANN: &str = "user_ann";

    fn seen(status: &str, at: i64, ends: bool, before: &[(&str, &str)]) -> Fact {
        let before = before.iter().map(|(name, was)| ((*name).to_owned(), (*was).to_owned()));
        Fact::Subscription(Snapshot {
            subscription: "sub_1".into(),
            user: Some(ANN.into()),
            customer: Some("cus_1".into()),
            plan: PRO.id.into(),
            price: None,
            status: status.into(),
            until: 100,
            ends,
            at,
            event: format!("evt_{status}_{at}_{ends}"),
            before: before.collect(),
        })
    }

    /// What the webhook and the landing page state of one purchase that is cancelled at its period's end.
    fn purchase() -> Vec<Fact> {
        vec![
            Fact::Customer { customer: "cus_1".into(), user: ANN.into() },
            seen("incomplete", 10, false, &[]),
            seen("active", 10, false, &[("status", "incomplete")]),
            seen("active", 10, false, &[]),
            Fact::PeriodPaid { subscription: "sub_1".into(), until: 100, at: 10 },
            seen("active", 20, true, &[("cancel_at_period_end", "false")]),
        ]
    }

    fn change<T>(file: &Tables, work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError>) -> T {
        file.change(|base| work(base)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_purchase_issues_one_key_in_whatever_order_it_is_told(
            told in Just([purchase(), purchase()].concat()).prop_shuffle(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = Tables::open(&folder.path().join("shop.db"), &LAYOUT).unwrap();
            let user = User { id: ANN.into(), email: "ann@example.com".into(), created: NOW };
            change(&file, |base| base.add_user(&user, ""));
            for fact in told {
                let learnt = |base: &mut dyn Base| {
                    projection::learn(base, ProviderName::Stripe, std::slice::from_ref(&fact), NOW)?;
                    base.api_keys()
                };
                prop_assert!(change(&file, learnt).len() <= 1);
            }
            let keys = change(&file, |base| base.api_keys());
            prop_assert_eq!(keys.len(), 1);
            let opens = |at| keys[0].opens(Timestamp(at));
            prop_assert_eq!((opens(99), opens(100)), (Opens::Everything, Opens::Nothing));
            let customer = change(&file, |base| base.customer_of(STRIPE, ANN));
            prop_assert_eq!(customer.as_deref(), Some("cus_1"));
        }
    }
}
