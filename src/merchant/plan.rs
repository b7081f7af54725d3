//! Plans: what is sold, from a file, and the prices at the provider that they are sold for. A price is found by its
//! lookup key, so that a price that is changed there is the one that is asked here.

use crate::domain::canonical::sha256;
use crate::domain::currency::Currency;
use crate::domain::locale::Locale;
use crate::domain::member::{owned, text};
use crate::domain::money::Money;
use crate::merchant::base::Base;
use crate::merchant::provider::ProviderName;
use crate::shop::creem_api::Creem;
use crate::store::StoreError;
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use serde::Deserialize;
use serde_json::{Value, json};

/// The plans that are sold where no file is named.
const PLANS: &str = include_str!("plans.toml");

/// The most lookup keys that are asked for at once.
const KEYS_MAX: usize = 10;

/// Something that is sold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// Who takes the money.
    #[serde(default = "stripe")]
    pub provider: ProviderName,
    /// What its price at Stripe is found by; Creem's product is made under it once.
    pub lookup_key: String,
    /// The product at Creem, `prod_…`: Creem knows no names of ours to find one by.
    #[serde(default)]
    pub product: Option<String>,
    /// What it costs, in minor units, where its price is made.
    pub amount: i64,
    /// The currency's code.
    pub currency: String,
    /// How long a period is, where it is paid again and again.
    #[serde(default)]
    pub interval: Option<Interval>,
    /// The credits that it gives, each period where it has periods.
    #[serde(default)]
    pub credits: i64,
    /// The page that sells it.
    #[serde(default)]
    pub page: Page,
    /// What is said of it in English.
    en: Texts,
    /// What is said of it in Japanese.
    ja: Texts,
}

/// The page that sells a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The prices.
    #[default]
    Pricing,
    /// A page of its own.
    Own,
}

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Interval {
    const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Creem's word for it.
    const fn creem_name(self) -> &'static str {
        match self {
            Self::Month => "every-month",
            Self::Year => "every-year",
        }
    }
}

const fn stripe() -> ProviderName {
    ProviderName::Stripe
}

/// What is said of a plan in one language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Its name.
    pub title: String,
    /// A sentence about it.
    pub about: String,
    /// What one gets.
    pub features: Vec<String>,
}

impl Plan {
    /// What is said of it.
    pub const fn texts(&self, locale: Locale) -> &Texts {
        match locale {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }
}

/// A plan that can be bought: it has a price.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The plan.
    pub plan: Plan,
    /// `price_…`, or Creem's `prod_…`.
    pub price: String,
    /// What the price asks.
    pub amount: Money,
}

impl Offer {
    /// Whether it is paid again and again.
    pub const fn is_recurring(&self) -> bool {
        self.plan.interval.is_some()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    plan: Vec<Plan>,
}

/// The plans of a file's text, else those that the shop brings; why they cannot be read.
pub fn read(text: Option<&str>) -> Result<Vec<Plan>, String> {
    let file: PlanFile = toml::from_str(text.unwrap_or(PLANS)).map_err(|it| it.to_string())?;
    let odd = file.plan.iter().find(|it| it.currency.parse::<Currency>().is_err());
    match odd {
        Some(plan) => Err(format!("{}: currency `{}`", plan.id, plan.currency)),
        None => Ok(file.plan),
    }
}

/// Where prices are, and whether one that is not there may be made.
#[derive(Clone, Copy, Debug)]
pub struct Market<'m> {
    /// Stripe.
    pub stripe: &'m Stripe,
    /// Whether prices may be made at Stripe.
    pub make: bool,
    /// Creem, where there is one, and whether products may be made there.
    pub creem: Option<(&'m Creem, bool)>,
}

/// The plans that have a price, in their order.
pub async fn offers(market: Market<'_>, plans: Vec<Plan>) -> Result<Vec<Offer>, Error> {
    let Market { stripe, make, creem } = market;
    let mut prices = Vec::new();
    let of_stripe: Vec<&Plan> =
        plans.iter().filter(|it| it.provider == ProviderName::Stripe).collect();
    for some in of_stripe.chunks(KEYS_MAX) {
        let keys: Vec<&str> = some.iter().map(|it| it.lookup_key.as_str()).collect();
        let asked = json!({ "lookup_keys": keys, "active": true, "limit": 100 });
        let list = stripe.get("/v1/prices", &asked).await?;
        prices.extend(list.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    let mut offers = Vec::new();
    for plan in plans {
        if plan.provider == ProviderName::Creem {
            let Some((creem, make)) = creem else { continue };
            let product = product(creem, &plan, make).await?;
            offers.extend(product.and_then(|product| creem_offer(plan, &product)));
            continue;
        }
        let found = prices.iter().find(|it| text(it, "lookup_key") == Some(&*plan.lookup_key));
        let price = match found {
            Some(price) => price.clone(),
            None if make => create(stripe, &plan).await?,
            None => continue,
        };
        offers.extend(offer(plan, &price));
    }
    Ok(offers)
}

/// Notes what each price gives, for whoever changes from one to another.
pub fn note(base: &mut dyn Base, offers: &[Offer]) -> Result<(), StoreError> {
    for Offer { plan, price, .. } in offers {
        base.put_price(plan.provider.name(), price, &plan.id, plan.credits)?;
    }
    Ok(())
}

fn offer(plan: Plan, price: &Value) -> Option<Offer> {
    let currency: Currency = text(price, "currency")?.parse().ok()?;
    let amount = Money::new(price.get("unit_amount")?.as_i64()?, currency);
    // A price that is paid otherwise than the plan says is not the plan's.
    let interval = price.pointer("/recurring/interval").and_then(Value::as_str);
    let price = owned(price, "id").filter(|_| interval == plan.interval.map(Interval::name))?;
    Some(Offer { plan, price, amount })
}

/// The product at Creem that a plan is: named by the plan, or made once under its key and everything that a product is
/// told apart by.
async fn product(creem: &Creem, plan: &Plan, make: bool) -> Result<Option<Value>, Error> {
    if let Some(id) = &plan.product {
        return match creem.get("/v1/products", &[("product_id", id)]).await {
            Err(error) if error.is_missing() => Ok(None),
            other => other.map(Some),
        };
    }
    if !make {
        return Ok(None);
    }
    let texts = plan.texts(Locale::En);
    let asked = json!({
        "name": texts.title,
        "description": texts.about,
        "price": plan.amount,
        "currency": plan.currency.to_ascii_uppercase(),
        "billing_type": if plan.interval.is_some() { "recurring" } else { "onetime" },
        "billing_period": plan.interval.map_or("once", Interval::creem_name),
    });
    let key = sha256(&format!("{} {asked}", plan.lookup_key));
    creem.post("/v1/products", &asked, Some(&key)).await.map(Some)
}

fn creem_offer(plan: Plan, product: &Value) -> Option<Offer> {
    let currency: Currency = text(product, "currency")?.to_ascii_lowercase().parse().ok()?;
    let amount = Money::new(product.get("price")?.as_i64()?, currency);
    let period = text(product, "billing_period").filter(|it| *it != "once");
    let is_sold = text(product, "status") == Some("active");
    let is_plans = is_sold && period == plan.interval.map(Interval::creem_name);
    let price = owned(product, "id").filter(|_| is_plans)?;
    Some(Offer { plan, price, amount })
}

/// Makes product and price. Whoever does so at once makes the same: the product's id is its own.
async fn create(stripe: &Stripe, plan: &Plan) -> Result<Value, Error> {
    let product = format!("shop_{}", plan.id);
    let texts = plan.texts(Locale::En);
    let asked = json!({ "id": product, "name": texts.title, "description": texts.about });
    match stripe.post("/v1/products", &asked).await {
        Ok(_) => {}
        Err(error) if is_there(&error) => {}
        Err(error) => return Err(error),
    }
    let mut asked = json!({
        "product": product,
        "currency": plan.currency,
        "unit_amount": plan.amount,
        "lookup_key": plan.lookup_key,
        "transfer_lookup_key": true,
    });
    if let (Some(interval), Some(asked)) = (plan.interval, asked.as_object_mut()) {
        asked.insert("recurring".to_owned(), json!({ "interval": interval.name() }));
    }
    stripe.post("/v1/prices", &asked).await
}

fn is_there(error: &Error) -> bool {
    error.api().is_some_and(|it| it.code.as_deref() == Some("resource_already_exists"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_plans_that_the_shop_brings_are_sound() {
        let plans = read(None).unwrap();
        let ids: BTreeSet<_> = plans.iter().map(|it| &it.id).collect();
        let keys: BTreeSet<_> = plans.iter().map(|it| &it.lookup_key).collect();
        assert_eq!((ids.len(), keys.len()), (plans.len(), plans.len()));
        assert!(plans.iter().any(|it| it.interval.is_some()));
        assert!(plans.iter().any(|it| it.interval.is_none()));
        for locale in Locale::ALL {
            assert!(plans.iter().all(|it| !it.texts(locale).features.is_empty()));
        }
        assert!(read(Some("[[plan]]\nid = \"a\"")).is_err());
    }

    #[test]
    fn a_price_of_another_kind_is_not_the_plans() {
        let plans = read(None).unwrap();
        let monthly = plans.iter().find(|it| it.interval == Some(Interval::Month)).unwrap();
        let price = |recurring: Value| json!({"id": "price_1", "currency": "jpy", "unit_amount": 980, "recurring": recurring});
        let found = offer(monthly.clone(), &price(json!({"interval": "month"}))).unwrap();
        assert_eq!((found.amount.minor, found.is_recurring()), (980, true));
        assert!(offer(monthly.clone(), &price(json!({"interval": "year"}))).is_none());
        assert!(offer(monthly.clone(), &price(Value::Null)).is_none());
    }

    #[test]
    fn a_product_of_creem_is_the_plans_while_it_is_sold_as_the_plan_says() {
        let plans = read(None).unwrap();
        let of_creem = |it: &&Plan| it.provider == ProviderName::Creem;
        let monthly =
            plans.iter().filter(of_creem).find(|it| it.interval == Some(Interval::Month)).unwrap();
        let once = plans.iter().filter(of_creem).find(|it| it.interval.is_none()).unwrap();
        let product = |period: &str, status: &str| json!({"id": "prod_1", "currency": "EUR", "price": 900, "billing_period": period, "status": status});
        let found = creem_offer(monthly.clone(), &product("every-month", "active")).unwrap();
        assert_eq!((found.price.as_str(), found.amount.minor), ("prod_1", 900));
        assert!(creem_offer(once.clone(), &product("once", "active")).is_some());
        for (plan, period, status) in [
            (monthly, "every-year", "active"),
            (monthly, "every-month", "archived"),
            (once, "every-month", "active"),
        ] {
            assert!(creem_offer(plan.clone(), &product(period, status)).is_none(), "{period}");
        }
    }
}
