//! Checkouts: what is for sale to one buyer, until it is paid.

use crate::domain::creem::sign_redirect;
use crate::sandbox::creem::check::{Field, Kind, may, need};
use crate::sandbox::creem::document::{Asked, expand, find, int, missing, new, refuse, set, text};
use crate::sandbox::creem::product::{self, CUSTOM_FIELDS};
use crate::sandbox::creem::{customer, discount};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The kind of checkouts.
pub const KIND: &str = "checkout";

/// What a checkout is made with.
pub const CREATE: &[Field] = &[
    need("product_id", Kind::Text),
    may("request_id", Kind::Text),
    may("units", Kind::Int(1, 1_000_000)),
    may("custom_price", Kind::Int(100, 99_999_999)),
    may("discount_code", Kind::Text),
    may("affiliate_code", Kind::Unmodelled),
    may(
        "customer",
        Kind::Fields(&[may("id", Kind::Text), may("email", Kind::Email), may("name", Kind::Text)]),
    ),
    may("custom_fields", CUSTOM_FIELDS),
    may("custom_field", CUSTOM_FIELDS),
    may("success_url", Kind::Url),
    may("metadata", Kind::Hash),
];

/// How one is asked for.
pub const GET: &[Field] = &[need("checkout_id", Kind::Text)];

/// `POST /v1/checkouts`.
pub fn create(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let sold = find(txn, product::KIND, asked.text("product_id").unwrap_or_default())?;
    if text(&sold, "status") != "active" {
        return Err(refuse(400, "Product is archived"));
    }
    let code = asked.text("discount_code");
    let off = code.map(|code| discount::redeemable(txn, code, &sold)).transpose()?;
    let buyer = asked.params.get("customer");
    let named = buyer.map_or("", |buyer| text(buyer, "id"));
    if !named.is_empty() {
        find(txn, customer::KIND, named)?;
    }
    let mut doc = new(txn, (KIND, "ch_"), json!({"status": "pending"}));
    // A checkout shows neither when it was made nor when it was changed.
    doc.retain(|name, _| !matches!(name.as_str(), "created_at" | "updated_at"));
    let url = format!(
        "{}/creem/checkout/{}",
        txn.site().base_url,
        doc.get("id").and_then(Value::as_str).unwrap_or_default()
    );
    let given = asked.params.get("custom_fields").or_else(|| asked.params.get("custom_field"));
    let fields = given.or_else(|| sold.get("custom_fields")).cloned();
    let success = asked.params.get("success_url").or_else(|| sold.get("default_success_url"));
    for (name, value) in [
        ("request_id", asked.params.get("request_id").cloned()),
        ("product", sold.get("id").cloned()),
        ("units", Some(json!(asked.int("units").unwrap_or(1)))),
        ("custom_price", asked.params.get("custom_price").cloned()),
        ("customer", Some(json!(named)).filter(|_| !named.is_empty())),
        ("custom_fields", Some(fields.unwrap_or_else(|| json!([])))),
        ("checkout_url", Some(json!(url))),
        ("success_url", success.cloned()),
        ("discount", off.as_ref().map(|off| discount::shown_within(off))),
        ("metadata", Some(asked.params.get("metadata").cloned().unwrap_or_else(|| json!({})))),
    ] {
        set(&mut doc, name, value);
    }
    let part = CreemPart {
        key: asked.key.clone(),
        discount: off.map(|off| text(&off, "id").to_owned()),
        // Whom the page greets, where no customer is known yet.
        customer: buyer.map(|buyer| text(buyer, "email").to_owned()).unwrap_or_default(),
        ..CreemPart::default()
    };
    Ok(txn.put_with(doc, part).document())
}

/// `GET /v1/checkouts`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = find(txn, KIND, asked.text("checkout_id").unwrap_or_default())?;
    Ok(show(txn, &found))
}

/// A checkout with what it is about: its product, its customer, its order and its subscription.
pub fn show(txn: &Txn<'_>, checkout: &Value) -> Value {
    let mut shown = checkout.clone();
    for name in ["product", "customer", "order", "subscription"] {
        expand(txn, &mut shown, name);
    }
    shown
}

/// What a checkout costs: before its discount, what that takes off, and what is due today. A trial costs nothing
/// but the price of its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Of each period, or of the whole.
    pub amount: i64,
    /// What a discount takes off today.
    pub discount: i64,
    /// What is due today.
    pub due: i64,
}

/// See [`Price`].
pub fn price(checkout: &Value, product: &Value, off: Option<&Value>) -> Price {
    let each = checkout.get("custom_price").and_then(Value::as_i64);
    let amount =
        each.unwrap_or_else(|| int(product, "price")).saturating_mul(int(checkout, "units").max(1));
    if product.get("trial_period_days").is_some() {
        return Price { amount, discount: 0, due: int(product, "trial_price") };
    }
    let discount = off.map_or(0, |off| discount::taken_off(off, amount));
    Price { amount, discount, due: amount - discount }
}

/// Puts another discount in, or none where the code is empty.
pub fn choose(txn: &mut Txn<'_>, id: &str, code: &str) -> Result<(), Failure> {
    let checkout = open(txn, id)?;
    let sold = find(txn, product::KIND, text(&checkout, "product"))?;
    let off = match code.trim() {
        "" => None,
        code => Some(discount::redeemable(txn, code, &sold)?),
    };
    txn.edit_with(KIND, id, |doc, part: &mut CreemPart| {
        set(doc, "discount", off.as_ref().map(|off| discount::shown_within(off)));
        part.discount = off.as_ref().map(|off| text(off, "id").to_owned());
    });
    Ok(())
}

/// The checkout, where it can still be paid.
pub fn open(txn: &Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let checkout = txn.get(KIND, id).ok_or_else(|| missing(KIND))?;
    match text(&checkout, "status") {
        "pending" => Ok(checkout),
        status => Err(refuse(400, format!("Checkout is {status} already"))),
    }
}

/// Where a payer goes from a paid checkout: the merchant's address, with what Creem adds to it and signs.
pub fn success(checkout: &Object) -> Option<String> {
    let url = checkout.get("success_url").and_then(Value::as_str)?;
    let said = |name: &str| Some(text(checkout, name).to_owned()).filter(|id| !id.is_empty());
    let named = [
        ("request_id", said("request_id")),
        ("checkout_id", said("id")),
        ("order_id", said("order")),
        ("customer_id", said("customer")),
        ("subscription_id", said("subscription")),
        ("product_id", said("product")),
    ];
    let mut parameters: Vec<(&str, String)> =
        named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let signature = sign_redirect(&parameters, &checkout.part::<CreemPart>().key);
    parameters.push(("signature", signature));
    Some(with_query(url, &parameters))
}

/// An address with parameters after those that it has, before its fragment.
fn with_query(url: &str, parameters: &[(&str, String)]) -> String {
    let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY)))
        .collect();
    let joint = if front.contains('?') { '&' } else { '?' };
    format!("{front}{joint}{}{fragment}", pairs.join("&"))
}

const QUERY: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// What was typed into the custom fields, put where their type keeps it.
pub fn keep_custom(doc: &mut Map<String, Value>, typed: impl Fn(&str) -> Option<String>) {
    let fields = doc.get_mut("custom_fields").and_then(Value::as_array_mut);
    for field in fields.into_iter().flatten() {
        let (kind, key) = (text(field, "type").to_owned(), text(field, "key").to_owned());
        let value = match kind.as_str() {
            "checkbox" => json!(typed(&key).is_some()),
            _ => json!(typed(&key)),
        };
        if let Value::Object(field) = field
            && let Value::Object(own) = field.entry(kind).or_insert_with(|| json!({}))
        {
            own.insert("value".to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_to_an_address_stands_after_its_query_and_before_its_fragment() {
        let added = [("request_id", "a b&c".to_owned()), ("checkout_id", "ch_1".to_owned())];
        let tail = "request_id=a%20b%26c&checkout_id=ch_1";
        assert_eq!(with_query("http://a.b/x", &added), format!("http://a.b/x?{tail}"));
        assert_eq!(
            with_query("http://a.b/x?provider=creem#done", &added),
            format!("http://a.b/x?provider=creem&{tail}#done")
        );
    }

    #[test]
    fn a_trial_costs_nothing_today_or_its_own_price() {
        let checkout = json!({"units": 2});
        let off = json!({"percentage": 50});
        let priced = |product: Value| price(&checkout, &product, Some(&off));
        assert_eq!(
            priced(json!({"price": 1_000})),
            Price { amount: 2_000, discount: 1_000, due: 1_000 }
        );
        let trial = json!({"price": 1_000, "trial_period_days": 7});
        assert_eq!(priced(trial), Price { amount: 2_000, discount: 0, due: 0 });
        let trial = json!({"price": 1_000, "trial_period_days": 7, "trial_price": 100});
        assert_eq!(priced(trial).due, 100);
        let own = json!({"units": 3, "custom_price": 150});
        assert_eq!(price(&own, &json!({"price": 1_000}), None).amount, 450);
    }
}
