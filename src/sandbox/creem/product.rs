//! Products: what is sold, once or in each period.

use crate::domain::time::Timestamp;
use crate::sandbox::creem::check::{Field, Kind, may, may_be_null, need};
use crate::sandbox::creem::document::{
    Asked, all, find, int, missing, new, page, refuse, set, text, touch,
};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The kind of products.
pub const KIND: &str = "product";

/// How often a preset period bills: its unit in months, or in days.
const PERIODS: [(&str, &str, i64); 5] = [
    ("every-day", "day", 1),
    ("every-month", "month", 1),
    ("every-three-months", "month", 3),
    ("every-six-months", "month", 6),
    ("every-year", "month", 12),
];

/// How many units one custom period can have.
const CUSTOM: [(&str, i64); 4] = [("day", 365), ("week", 52), ("month", 24), ("year", 3)];

const CURRENCIES: &[&str] = &["EUR", "USD"];
const ANY_PRICE: Kind = Kind::Int(0, 99_999_999);
const BILLING: &[&str] = &["recurring", "onetime"];
const BILLING_PERIODS: &[&str] = &[
    "once",
    "every-day",
    "every-month",
    "every-three-months",
    "every-six-months",
    "every-year",
    "custom",
];
const INTERVALS: &[&str] = &["day", "week", "month", "year"];
const TAX_MODES: &[&str] = &["inclusive", "exclusive"];
const TAX_CATEGORIES: &[&str] = &["saas", "digital-goods-service", "ebooks"];

/// The fields that one asks the buyer for.
pub const CUSTOM_FIELDS: Kind = Kind::List(
    &[
        need("type", Kind::OneOf(&["text", "checkbox"])),
        need("key", Kind::Text),
        need("label", Kind::Text),
        may("optional", Kind::Flag),
        may(
            "text",
            Kind::Fields(&[
                may("max_length", Kind::Int(1, 255)),
                may("min_length", Kind::Int(0, 255)),
            ]),
        ),
        may("checkbox", Kind::Fields(&[may("label", Kind::Text)])),
    ],
    3,
);

/// What a product is made with.
pub const CREATE: &[Field] = &[
    need("name", Kind::Text),
    may("description", Kind::Text),
    may("image_url", Kind::Url),
    may("image_urls", Kind::Texts),
    need("price", ANY_PRICE),
    need("currency", Kind::OneOf(CURRENCIES)),
    need("billing_type", Kind::OneOf(BILLING)),
    may("billing_period", Kind::OneOf(BILLING_PERIODS)),
    may("recurring_interval", Kind::OneOf(INTERVALS)),
    may("recurring_interval_count", Kind::Int(1, 365)),
    may("tax_mode", Kind::OneOf(TAX_MODES)),
    may("business_net_pricing", Kind::Flag),
    may("tax_category", Kind::OneOf(TAX_CATEGORIES)),
    may("pay_what_you_want", Kind::Unmodelled),
    may("suggested_price", Kind::Unmodelled),
    may("trial_period_days", Kind::Int(1, 730)),
    may("trial_price", Kind::Int(100, 99_999_999)),
    may("default_success_url", Kind::Url),
    may("custom_fields", CUSTOM_FIELDS),
    may("custom_field", CUSTOM_FIELDS),
    may("abandoned_cart_recovery_enabled", Kind::Flag),
    may("usage_prices", Kind::Unmodelled),
    may("features", Kind::Unmodelled),
];

/// What of a product can be changed.
pub const UPDATE: &[Field] = &[
    may("name", Kind::Text),
    may("description", Kind::Text),
    may("image_url", Kind::Url),
    may("image_urls", Kind::Texts),
    may("default_success_url", Kind::Url),
    may("price", ANY_PRICE),
    may("currency", Kind::OneOf(CURRENCIES)),
    may("billing_type", Kind::OneOf(BILLING)),
    may("billing_period", Kind::OneOf(BILLING_PERIODS)),
    may("recurring_interval", Kind::OneOf(INTERVALS)),
    may("recurring_interval_count", Kind::Int(1, 365)),
    may("tax_mode", Kind::OneOf(TAX_MODES)),
    may("business_net_pricing", Kind::Flag),
    may_be_null("trial_period_days", Kind::Int(1, 730)),
    may_be_null("trial_price", Kind::Int(100, 99_999_999)),
    may("pay_what_you_want", Kind::Unmodelled),
    may("suggested_price", Kind::Unmodelled),
    may("usage_prices", Kind::Unmodelled),
    may("features", Kind::Unmodelled),
];

/// `POST /v1/products`. A key that was sent before answers with what it made then.
pub fn create(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    if let Some(key) = &asked.idempotency_key {
        let made =
            all(txn, KIND, |it| it.part::<CreemPart>().idempotency_key.as_ref() == Some(key));
        if let Some(made) = made.first() {
            return Ok(made.document());
        }
    }
    let recurring = asked.text("billing_type") == Some("recurring");
    let defaults = json!({
        "description": "", "image_urls": [], "features": [],
        "billing_period": if recurring { "" } else { "once" },
        "status": "active", "tax_mode": "exclusive", "tax_category": "saas",
        "business_net_pricing": false,
    });
    let mut doc = new(txn, (KIND, "prod_"), defaults);
    fill(&mut doc, asked);
    let fields = asked.params.get("custom_fields").or_else(|| asked.params.get("custom_field"));
    doc.insert("custom_fields".to_owned(), fields.cloned().unwrap_or_else(|| json!([])));
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default();
    let url = format!("{}/creem/product/{id}", txn.site().base_url);
    doc.insert("product_url".to_owned(), json!(url));
    ensure_sound(&doc)?;
    let part = CreemPart { idempotency_key: asked.idempotency_key.clone(), ..CreemPart::default() };
    Ok(txn.put_with(doc, part).document())
}

/// `GET /v1/products/{id}`, and with `product_id` as older programs ask.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let id = asked.text("product_id").unwrap_or_else(|| asked.id());
    Ok(find(txn, KIND, id)?.document())
}

/// `GET /v1/products/search`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn search(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let status = asked.text("status");
    let found = all(txn, KIND, |it| status.is_none_or(|status| text(it, "status") == status));
    Ok(page(asked, &found, Object::document))
}

/// `PATCH /v1/products/{id}`. Whoever subscribed goes on at the old price.
pub fn update(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let now = txn.now();
    let found = find(txn, KIND, asked.id())?;
    let mut doc = found.as_object().cloned().unwrap_or_default();
    fill(&mut doc, asked);
    touch(&mut doc, now);
    ensure_sound(&doc)?;
    Ok(txn.put(doc).document())
}

/// `DELETE /v1/products/{id}`: it is sold no more, and stays for those who have it.
pub fn archive(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let now = txn.now();
    let archived = txn.edit(KIND, asked.id(), |doc| {
        doc.insert("status".to_owned(), json!("archived"));
        touch(doc, now);
    });
    archived.map(|(_, after)| after.document()).ok_or_else(|| missing(KIND))
}

/// What of a request stands in the document under the same name.
fn fill(doc: &mut Doc, asked: &Asked) {
    const OWN: [&str; 4] =
        ["custom_fields", "custom_field", "abandoned_cart_recovery_enabled", "image_urls"];
    for (name, value) in &asked.params {
        if !OWN.contains(&name.as_str()) {
            set(doc, name, Some(value.clone()).filter(|value| !value.is_null()));
        }
    }
    // The first picture is the cover.
    if let Some(Value::Array(urls)) = asked.params.get("image_urls") {
        set(doc, "image_url", urls.first().cloned());
        doc.insert("image_urls".to_owned(), json!(urls));
    } else if let Some(url) = asked.params.get("image_url") {
        doc.insert("image_urls".to_owned(), json!([url]));
    }
}

/// Refuses what does not go together.
fn ensure_sound(doc: &Doc) -> Result<(), Failure> {
    let value = Value::Object(doc.clone());
    let (price, period) = (int(&value, "price"), text(&value, "billing_period"));
    let recurring = text(&value, "billing_type") == "recurring";
    let has = |name: &str| value.get(name).is_some();
    let custom = CUSTOM.iter().find(|(unit, _)| *unit == text(&value, "recurring_interval"));
    let count = int(&value, "recurring_interval_count");
    let said = if (1..100).contains(&price) {
        "price must be 0 or at least 100"
    } else if recurring && matches!(period, "" | "once") {
        "billing_period is required when billing_type is recurring"
    } else if !recurring && period != "once" {
        "billing_period must be once when billing_type is onetime"
    } else if period == "custom" && custom.is_none_or(|(_, most)| !(1..=*most).contains(&count)) {
        "recurring_interval and recurring_interval_count are required when billing_period is custom: day 1-365, week 1-52, month 1-24, year 1-3"
    } else if period != "custom" && (has("recurring_interval") || has("recurring_interval_count")) {
        "recurring_interval and recurring_interval_count are only allowed when billing_period is custom"
    } else if !recurring && has("trial_period_days") {
        "trial_period_days is only supported for recurring products"
    } else if has("trial_price") && !has("trial_period_days") {
        "trial_price requires trial_period_days"
    } else if has("trial_price") && int(&value, "trial_price") >= price {
        "trial_price must be lower than price"
    } else {
        return Ok(());
    };
    Err(refuse(400, said))
}

/// Whether a product is paid in each period.
pub fn is_recurring(product: &Value) -> bool {
    text(product, "billing_type") == "recurring"
}

/// How long a period of a product is: a unit, and how many.
pub fn rhythm(product: &Value) -> (&str, i64) {
    let period = text(product, "billing_period");
    let preset = PERIODS.iter().find(|(name, ..)| *name == period);
    preset.map_or_else(
        || (text(product, "recurring_interval"), int(product, "recurring_interval_count")),
        |(_, unit, count)| (*unit, *count),
    )
}

/// The instant so many periods of a product after another.
pub fn after_periods(product: &Value, from: Timestamp, periods: i64) -> Timestamp {
    let (unit, count) = rhythm(product);
    let count = count.saturating_mul(periods);
    match unit {
        "day" => from.plus(count.saturating_mul(86_400)),
        "week" => from.plus(count.saturating_mul(7 * 86_400)),
        "year" => from.plus_months(count.saturating_mul(12)),
        _ => from.plus_months(count),
    }
}

/// Whether two products bill at the same rhythm.
pub fn same_period(one: &Value, other: &Value) -> bool {
    ["billing_period", "recurring_interval", "recurring_interval_count"]
        .iter()
        .all(|name| one.get(*name) == other.get(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_counted_from_its_beginning_so_that_short_months_do_not_shift_it() {
        let from = Timestamp::read("2027-01-31T10:00:00Z").unwrap();
        for (product, periods, wanted) in [
            (json!({"billing_period": "every-month"}), 1, "2027-02-28T10:00:00Z"),
            (json!({"billing_period": "every-month"}), 2, "2027-03-31T10:00:00Z"),
            (json!({"billing_period": "every-three-months"}), 1, "2027-04-30T10:00:00Z"),
            (json!({"billing_period": "every-six-months"}), 1, "2027-07-31T10:00:00Z"),
            (json!({"billing_period": "every-year"}), 1, "2028-01-31T10:00:00Z"),
            (json!({"billing_period": "every-day"}), 3, "2027-02-03T10:00:00Z"),
            (
                json!({"billing_period": "custom", "recurring_interval": "week", "recurring_interval_count": 2}),
                1,
                "2027-02-14T10:00:00Z",
            ),
            (
                json!({"billing_period": "custom", "recurring_interval": "year", "recurring_interval_count": 2}),
                1,
                "2029-01-31T10:00:00Z",
            ),
        ] {
            assert_eq!(after_periods(&product, from, periods).rfc3339(), wanted, "{product}");
        }
    }
}
