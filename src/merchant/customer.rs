//! Which customer of the provider a user is.

use crate::domain::member::string;
use crate::merchant::base::Database;
use crate::merchant::base::account::User;
use crate::merchant::failure::ShopError;
use crate::merchant::provider::{ProviderName, stripe::metadata};
use crate::stripe::Stripe;
use reqwest::Method;
use serde_json::json;

/// The user's customer, made where there is none. Two who make it at once make one.
pub async fn of(database: &Database, stripe: &Stripe, user: &User) -> Result<String, ShopError> {
    match known(database, user).await? {
        Some(customer) => Ok(customer),
        None => make(database, stripe, user, &format!("customer-{}", user.id)).await,
    }
}

/// The user's customer, where there is one.
pub async fn known(database: &Database, user: &User) -> Result<Option<String>, ShopError> {
    let (provider, user) = (ProviderName::Stripe.name(), user.id.clone());
    Ok(database.look(move |base| base.customer_of(provider, &user)).await?)
}

/// Another customer, where the provider no longer knows the one that we knew.
pub async fn again(database: &Database, stripe: &Stripe, user: &User) -> Result<String, ShopError> {
    make(database, stripe, user, &stripe.fresh_key()).await
}

async fn make(
    database: &Database,
    stripe: &Stripe,
    user: &User,
    key: &str,
) -> Result<String, ShopError> {
    let asked = json!({ "email": user.email, "metadata": { (metadata::USER): user.id } });
    let path = "/v1/customers";
    let made = stripe.call_with_key(Method::POST, path, &asked, Some(key)).await?;
    let customer = string(&made, "id");
    let (provider, id, user) = (ProviderName::Stripe.name(), customer.clone(), user.id.clone());
    database.change(move |base| base.bind_customer(provider, &id, &user)).await?;
    Ok(customer)
}
