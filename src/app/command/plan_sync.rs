//! `stripegym plan sync`: products and prices become those of a file. A product is found by its id and a price by its
//! lookup key, so that a second run changes nothing. A price that differs is replaced, because it cannot be changed:
//! the new one takes over the key, and the old one is sold no more.

use crate::app::context::Context;
use crate::app::provider::Provider;
use crate::app::remote::segment;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::merchant_command::noun::SYNCED;
use crate::domain::report::{Objects, Report};
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The most bytes that a file of plans can have.
const FILE_MAX: u64 = 1 << 20;

/// The member of a price's metadata that says that another takes its place.
const REPLACED: &str = "stripegym_replaced";

/// What stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plans {
    product: Vec<Product>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Product {
    id: String,
    name: String,
    description: Option<String>,
    #[serde(default)]
    price: Vec<Price>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    lookup_key: String,
    unit_amount: i64,
    currency: String,
    interval: Option<String>,
    #[serde(default = "once")]
    interval_count: i64,
    nickname: Option<String>,
}

const fn once() -> i64 {
    1
}

/// Brings products and prices to what the file at `path` says.
pub async fn run(context: &Context, path: &Path) -> Result<Report, Fault> {
    let plans = read(path)?;
    let provider = Provider::connect(context).await?;
    let done = sync(&provider.stripe, &plans).await;
    provider.close().await;
    let rows = done.map_err(|fault| fault.followed_by(Some("plan list".to_owned())))?;
    Ok(Report::Objects(Objects { noun: &SYNCED, rows, is_list: true, has_more: false }))
}

fn read(path: &Path) -> Result<Plans, Fault> {
    let odd = |what: &str| {
        let kind = FaultKind::PlanFile { path: path.display().to_string() };
        Fault::because(kind, what).followed_by(Some("plan sync --help".to_owned()))
    };
    let size = std::fs::metadata(path).map_err(|error| Fault::file(path, error))?.len();
    if size > FILE_MAX {
        return Err(Fault::file(path, format!("{size} > {FILE_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, error))?;
    let plans: Plans = toml::from_str(&text).map_err(|error| odd(error.message()))?;
    let mut keys = BTreeSet::new();
    for price in plans.product.iter().flat_map(|product| &product.price) {
        if !keys.insert(price.lookup_key.as_str()) {
            return Err(odd(&format!("lookup_key = \"{}\", twice", price.lookup_key)));
        }
        if price.currency.parse::<Currency>().is_err() {
            return Err(odd(&format!("currency = \"{}\"", price.currency)));
        }
    }
    Ok(plans)
}

async fn sync(stripe: &Stripe, plans: &Plans) -> Result<Vec<Value>, Fault> {
    let mut rows = Vec::new();
    for product in &plans.product {
        let renamed = sync_product(stripe, product).await?;
        let renamed = archive_replaced(stripe, &product.id).await? || renamed;
        for price in &product.price {
            let (mut row, change) = sync_price(stripe, &product.id, price).await?;
            let change = if change == "unchanged" && renamed { "changed" } else { change };
            if let Some(row) = row.as_object_mut() {
                row.insert("change".to_owned(), json!(change));
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Makes a product or changes what it is called; whether one that was there was changed.
async fn sync_product(stripe: &Stripe, product: &Product) -> Result<bool, Fault> {
    let path = format!("/v1/products/{}", segment(&product.id));
    let wanted = json!({ "name": product.name, "description": product.description });
    let now = match stripe.get(&path, &Value::Null).await {
        Ok(now) => now,
        Err(Error::Api(error)) if error.status == 404 => {
            let mut params = json!({ "id": product.id, "name": product.name });
            set(&mut params, "description", product.description.as_ref().map(|it| json!(it)));
            stripe.post("/v1/products", &params).await?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let is_active = now.get("active").and_then(Value::as_bool) == Some(true);
    if is_active && ["name", "description"].iter().all(|name| same(&now, &wanted, name)) {
        return Ok(false);
    }
    let mut params = wanted;
    set(&mut params, "active", Some(json!(true)));
    stripe.post(&path, &params).await?;
    Ok(true)
}

/// Archives prices whose place another has taken and that are on sale still: the run that replaced them was ended before
/// it could. Whether there were any.
async fn archive_replaced(stripe: &Stripe, product: &str) -> Result<bool, Fault> {
    let params = json!({ "product": product, "active": true });
    let mut found = false;
    for price in stripe.walk("/v1/prices", &params).rest().await? {
        let is_marked = price.pointer("/metadata").and_then(|it| it.get(REPLACED)).is_some();
        let has_key = price.get("lookup_key").is_some_and(Value::is_string);
        let Some(id) = price.get("id").and_then(Value::as_str) else { continue };
        if is_marked && !has_key {
            archive(stripe, id).await?;
            found = true;
        }
    }
    Ok(found)
}

async fn archive(stripe: &Stripe, price: &str) -> Result<(), Fault> {
    stripe.post(&format!("/v1/prices/{}", segment(price)), &json!({ "active": false })).await?;
    Ok(())
}

/// Makes, replaces or relabels a price; it, and what became of it.
async fn sync_price(
    stripe: &Stripe,
    product: &str,
    price: &Price,
) -> Result<(Value, &'static str), Fault> {
    let params = json!({ "lookup_keys": [price.lookup_key], "limit": 1 });
    let mut list = stripe.get("/v1/prices", &params).await?;
    let now = list.pointer_mut("/data/0").map(Value::take);
    let currency = price.currency.to_lowercase();
    let Some(now) = now else {
        return Ok((make(stripe, product, price, false).await?, "created"));
    };
    let at = |pointer: &str| now.pointer(pointer).cloned().unwrap_or_default();
    let recurring = match &price.interval {
        Some(interval) => {
            at("/recurring/interval") == json!(interval)
                && at("/recurring/interval_count") == json!(price.interval_count)
        }
        None => at("/recurring").is_null(),
    };
    let alike = at("/product") == json!(product)
        && at("/unit_amount") == json!(price.unit_amount)
        && at("/currency") == json!(currency);
    let id = at("/id");
    let path = format!("/v1/prices/{}", segment(id.as_str().unwrap_or_default()));
    if !(alike && recurring) {
        // Marked first: a run that is ended after the new one is made leaves two on sale, and the next one knows which.
        stripe.post(&path, &json!({ "metadata": { (REPLACED): price.lookup_key } })).await?;
        let made = make(stripe, product, price, true).await?;
        archive(stripe, id.as_str().unwrap_or_default()).await?;
        return Ok((made, "changed"));
    }
    if at("/active") == json!(true) && at("/nickname") == json!(price.nickname) {
        return Ok((now, "unchanged"));
    }
    let params = json!({ "active": true, "nickname": price.nickname });
    Ok((stripe.post(&path, &params).await?, "changed"))
}

async fn make(
    stripe: &Stripe,
    product: &str,
    price: &Price,
    takes_key: bool,
) -> Result<Value, Fault> {
    let mut params = json!({
        "product": product, "unit_amount": price.unit_amount, "currency": price.currency.to_lowercase(),
        "lookup_key": price.lookup_key,
    });
    let recurring = price.interval.as_ref();
    let recurring =
        recurring.map(|it| json!({ "interval": it, "interval_count": price.interval_count }));
    set(&mut params, "recurring", recurring);
    set(&mut params, "nickname", price.nickname.as_ref().map(|it| json!(it)));
    set(&mut params, "transfer_lookup_key", takes_key.then_some(json!(true)));
    Ok(stripe.post("/v1/prices", &params).await?)
}

fn set(params: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (params.as_object_mut(), value) {
        map.insert(name.to_owned(), value);
    }
}

fn same(one: &Value, other: &Value, name: &str) -> bool {
    one.get(name).unwrap_or(&Value::Null) == other.get(name).unwrap_or(&Value::Null)
}
