//! The billing portal, only ever for the customer of the user who is signed in.

use crate::merchant::base::Database;
use crate::merchant::base::account::User;
use crate::merchant::customer;
use crate::merchant::failure::ShopError;
use crate::stripe::Stripe;
use serde_json::{Map, Value, json};

/// One thing of the portal that is opened in place of all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Another card.
    PaymentMethodUpdate,
    /// The end of a subscription.
    SubscriptionCancel,
    /// Another plan or quantity.
    SubscriptionUpdate,
}

impl Flow {
    /// The flow of this name, as Stripe names it.
    pub fn read(name: &str) -> Option<Self> {
        let all = [Self::PaymentMethodUpdate, Self::SubscriptionCancel, Self::SubscriptionUpdate];
        all.into_iter().find(|it| it.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentMethodUpdate => "payment_method_update",
            Self::SubscriptionCancel => "subscription_cancel",
            Self::SubscriptionUpdate => "subscription_update",
        }
    }

    const fn is_of_subscription(self) -> bool {
        matches!(self, Self::SubscriptionCancel | Self::SubscriptionUpdate)
    }

    /// Whether a subscription can be gone through with.
    fn fits(self, subscription: &Value) -> bool {
        let is = |status: &str| subscription.get("status") == Some(&json!(status));
        let ends = subscription.get("cancel_at").is_some_and(|it| !it.is_null())
            || subscription.get("cancel_at_period_end") == Some(&json!(true));
        let is_over = is("canceled") || is("incomplete") || is("incomplete_expired");
        !(is_over || ends && self == Self::SubscriptionCancel)
    }
}

/// Where a user goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the portal.
    Portal(String),
    /// To the portal's own login page: they have no customer here.
    Login(String),
    /// Nowhere: there is no customer, and the portal has no login page.
    NoCustomer,
    /// Nowhere: there is no subscription to change.
    NoSubscription,
}

/// Opens the portal for a user, who comes back to `return_url`.
pub async fn open(
    stripe: &Stripe,
    database: &Database,
    user: &User,
    flow: Option<Flow>,
    return_url: &str,
) -> Result<Way, ShopError> {
    let Some(customer) = customer::known(database, user).await? else {
        return Ok(login(stripe).await?.map_or(Way::NoCustomer, Way::Login));
    };
    let mut params = Map::new();
    params.insert("customer".to_owned(), json!(customer));
    params.insert("return_url".to_owned(), json!(return_url));
    if let Some(flow) = flow {
        let mut data = json!({
            "type": flow.name(),
            "after_completion": {"type": "redirect", "redirect": {"return_url": return_url}},
        });
        if flow.is_of_subscription() {
            let asked = json!({"customer": customer, "limit": 100});
            let all = stripe.get("/v1/subscriptions", &asked).await?;
            let all = all.get("data").and_then(Value::as_array);
            let found = all.and_then(|all| all.iter().find(|it| flow.fits(it)));
            let Some(subscription) = found.and_then(|it| it.get("id")) else {
                return Ok(Way::NoSubscription);
            };
            if let Some(data) = data.as_object_mut() {
                data.insert(flow.name().to_owned(), json!({"subscription": subscription}));
            }
        }
        params.insert("flow_data".to_owned(), data);
    }
    let asked = Value::Object(params);
    let session = match stripe.post("/v1/billing_portal/sessions", &asked).await {
        Ok(session) => session,
        // The provider was set back, or the customer was removed there.
        Err(error) if error.is_missing() => {
            return Ok(login(stripe).await?.map_or(Way::NoCustomer, Way::Login));
        }
        Err(error) => return Err(error.into()),
    };
    let url = session.get("url").and_then(Value::as_str).unwrap_or_default();
    Ok(Way::Portal(url.to_owned()))
}

/// The address at which customers sign in to the portal by e-mail, where the account has turned that on.
async fn login(stripe: &Stripe) -> Result<Option<String>, ShopError> {
    let params = json!({"is_default": true, "active": true, "limit": 1});
    let found = stripe.get("/v1/billing_portal/configurations", &params).await?;
    let url = found.pointer("/data/0/login_page/url").and_then(Value::as_str);
    Ok(url.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_goes_to_a_subscription_that_can_go_through_with_it() {
        for (subscription, cancel, update) in [
            (json!({"status": "active"}), true, true),
            (json!({"status": "past_due", "cancel_at": null}), true, true),
            (json!({"status": "active", "cancel_at_period_end": true}), false, true),
            (json!({"status": "active", "cancel_at": 5}), false, true),
            (json!({"status": "canceled"}), false, false),
            (json!({"status": "incomplete"}), false, false),
        ] {
            let fits = |flow: Flow| flow.fits(&subscription);
            let found = (fits(Flow::SubscriptionCancel), fits(Flow::SubscriptionUpdate));
            assert_eq!(found, (cancel, update), "{subscription}");
        }
        for name in ["payment_method_update", "subscription_cancel", "subscription_update"] {
            assert_eq!(Flow::read(name).map(Flow::name), Some(name));
        }
        assert_eq!(Flow::read("subscription_update_confirm"), None);
    }
}
