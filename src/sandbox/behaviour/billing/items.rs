//! What a subscription is for: the prices that a call names, and how many of each.

use crate::sandbox::behaviour::billing::discount::{self, Holder};
use crate::sandbox::behaviour::billing::period::{Interval, Period};
use crate::sandbox::behaviour::billing::{line, plan, threshold};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::pricing;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The kind of an invoice item.
pub const INVOICE_ITEM: &str = "invoiceitem";

/// What one sent item says.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The price.
    pub price: Arc<Object>,
    /// The hash that was sent.
    pub sent: Map<String, Value>,
}

impl Spec {
    /// How many; none of what is metered.
    pub fn quantity(&self) -> Option<i64> {
        let recurring = self.price.get("recurring");
        if recurring.is_some_and(|it| text(it, "usage_type") == "metered") {
            return None;
        }
        Some(self.sent.get("quantity").and_then(Value::as_i64).unwrap_or(1))
    }
}

/// The price that a hash at a path names, or makes.
///
/// Fails for none and for what is not there.
pub fn price(
    txn: &mut Txn<'_>,
    sent: &Map<String, Value>,
    at: &str,
) -> Result<Option<Arc<Object>>, Failure> {
    let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}[{name}]") };
    if let Some(id) = sent.get("price").and_then(Value::as_str) {
        return txn.find("price", id, &path("price")).map(Some);
    }
    if let Some(id) = sent.get("plan").and_then(Value::as_str) {
        // Wherever it stands, as recorded.
        let found = txn.find("price", id, "");
        return found.map(Some).map_err(|_| missing("plan", id, "plan"));
    }
    let Some(data) = sent.get("price_data").and_then(Value::as_object) else { return Ok(None) };
    let at = path("price_data");
    let product = match (data.get("product").and_then(Value::as_str), data.get("product_data")) {
        (Some(id), _) => {
            txn.find("product", id, &format!("{at}[product]"))?;
            id.to_owned()
        }
        (None, Some(Value::Object(named))) => {
            text(&*pricing::create_product(txn, named)?, "id").to_owned()
        }
        _ => return Err(required(&format!("{at}[product]"))),
    };
    let made = pricing::put_price(txn, &product, data, &at)?;
    Ok(Some(made))
}

/// A parameter that has to be sent.
pub fn required(name: &str) -> Failure {
    let text = format!("Missing required param: {name}.");
    Failure::invalid(text).code("parameter_missing").param(name)
}

/// Reads the items of a call. All have prices that recur, in one currency, each once.
pub fn read(
    txn: &mut Txn<'_>,
    sent: &[Value],
    currency: Option<&str>,
) -> Result<Vec<Spec>, Failure> {
    let mut specs: Vec<Spec> = Vec::with_capacity(sent.len());
    for (at, item) in sent.iter().enumerate() {
        let (path, sent) = (format!("items[{at}]"), item.as_object().cloned().unwrap_or_default());
        let Some(price) = price(txn, &sent, &path)? else {
            return Err(required(&format!("{path}[price]")));
        };
        ensure_recurring(&price, &format!("{path}[price]"))?;
        let own = text(&price, "currency");
        if let Some(first) = specs.first().filter(|_| currency.is_none())
            && text(&first.price, "currency") != own
        {
            let message = format!(
                "This `price` has `currency={own}`, but other items use `currency={}`. All items must have pricing in the same currency. When using multi-currency prices, you can specify `currency` at the top level, to be used by all items.",
                text(&first.price, "currency")
            );
            return Err(Failure::invalid(message).param(format!("{path}[price]")));
        }
        if specs.iter().any(|known| text(&known.price, "id") == text(&price, "id")) {
            let message = format!(
                "Cannot create a Subscription with multiple Subscription Items with the same Price: {}",
                text(&price, "id")
            );
            return Err(Failure::invalid(message).param("plan"));
        }
        specs.push(Spec { price, sent });
    }
    Ok(specs)
}

/// Refuses a price that is paid once.
pub fn ensure_recurring(price: &Value, param: &str) -> Result<(), Failure> {
    if price.get("recurring").is_some_and(Value::is_object) {
        return Ok(());
    }
    let text = "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.";
    Err(Failure::invalid(text).param(param))
}

/// Refuses intervals that do not go together on one subscription: by the older rules all are the same; by the flexible
/// ones each is a multiple of the shortest. Believed: all but the beginning of the first sentence, and the second one.
pub fn ensure_aligned<'p>(
    prices: impl Iterator<Item = &'p Value>,
    is_flexible: bool,
) -> Result<(), Failure> {
    let all: Vec<Interval> =
        prices.filter_map(|price| Interval::read(price.get("recurring")?)).collect();
    let Some(shortest) = all.iter().copied().min_by_key(|it| it.least()) else { return Ok(()) };
    if !is_flexible && all.iter().any(|it| *it != shortest) {
        let text = "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`. If you meant to update an existing subscription item instead of creating a new one, make sure to include the subscription item ID in the request. See examples at https://stripe.com/docs/billing/subscriptions/upgrade-downgrade#changing.";
        return Err(Failure::invalid(text));
    }
    if all.iter().any(|it| !it.is_multiple_of(shortest)) {
        let text = "The `recurring.interval` and `recurring.interval_count` of each price on a subscription must be a multiple of those of the shortest one. See https://docs.stripe.com/billing/subscriptions/mixed-interval#interval-alignment.";
        return Err(Failure::invalid(text));
    }
    Ok(())
}

/// Whether a subscription or a schedule is billed by the flexible rules.
pub fn is_flexible(of: &Value) -> bool {
    of.get("billing_mode").is_some_and(|it| text(it, "type") == "flexible")
}

/// Tax rates by their ids, in whole, as items show them.
pub fn tax_rates(txn: &Txn<'_>, sent: Option<&Value>, at: &str) -> Result<Vec<Value>, Failure> {
    let ids = sent.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    ids.enumerate()
        .map(|(n, id)| txn.find("tax_rate", id, &format!("{at}[{n}]")).map(|it| it.document()))
        .collect()
}

/// A new item of a subscription.
///
/// Fails for tax rates that are not there.
pub fn item(
    txn: &Txn<'_>,
    subscription: &str,
    spec: &Spec,
    period: Period,
) -> Result<Value, Failure> {
    let mut doc = new(
        "subscription_item",
        json!({
            "id": txn.new_id("si_", 14), "created": txn.now().0,
            "current_period_end": period.end.0, "current_period_start": period.start.0,
            "discounts": [], "subscription": subscription, "tax_rates": [],
        }),
    );
    write(txn, &mut doc, spec)?;
    Ok(Value::Object(doc))
}

/// Writes what was sent of an item into it.
pub fn write(txn: &Txn<'_>, doc: &mut Doc, spec: &Spec) -> Result<(), Failure> {
    doc.insert("plan".to_owned(), json!(plan::of(&spec.price)));
    doc.insert("price".to_owned(), spec.price.document());
    doc.insert("quantity".to_owned(), json!(spec.quantity()));
    if let Some(Value::Object(sent)) = spec.sent.get("metadata") {
        let kept: Doc = sent
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        doc.insert("metadata".to_owned(), Value::Object(kept));
    }
    if let Some(sent) = spec.sent.get("tax_rates") {
        let rates = tax_rates(txn, Some(sent), "tax_rates")?;
        doc.insert("tax_rates".to_owned(), json!(rates));
    }
    let (sent, is_metered) = (spec.sent.get(threshold::NAME), spec.quantity().is_none());
    if sent.is_some() || !is_metered {
        let shown = threshold::of_item(sent, is_metered, "")?;
        doc.insert(threshold::NAME.to_owned(), shown);
    }
    Ok(())
}

/// Gives an item the discounts that were sent for it, for a customer and in a currency; `at` is its path.
pub fn give_discounts(
    txn: &mut Txn<'_>,
    item: &mut Value,
    sent: Option<&Value>,
    (customer, currency): (&str, &str),
    at: &str,
) -> Result<(), Failure> {
    let Some(sent) = sent else { return Ok(()) };
    let (id, known) = (text(item, "id").to_owned(), line::names(item.get("discounts")));
    let holder = Holder { member: "subscription_item", id: &id, customer, currency };
    let given = discount::read(txn, sent, holder, &known).map_err(|failure| {
        let own = failure.param.as_deref().and_then(|param| param.split_once('['));
        let path = own.map(|(name, rest)| format!("{at}[{name}][{rest}"));
        Failure { param: path.or(failure.param.clone()), ..failure }
    })?;
    if let Some(item) = item.as_object_mut() {
        item.insert("discounts".to_owned(), json!(given));
    }
    Ok(())
}

/// What a whole period of an item costs.
pub fn cost(txn: &Txn<'_>, item: &Value, currency: &str) -> i64 {
    let price = item.get("price").cloned().unwrap_or_default();
    plan::cost(txn, &price, currency, int(item, "quantity"))
}

/// What a pending invoice item says.
#[derive(Clone, Debug)]
pub struct Pending<'p> {
    /// Whose it is.
    pub customer: &'p Value,
    /// Minor units.
    pub amount: i64,
    /// Lower-case code.
    pub currency: &'p str,
    /// What it is for.
    pub description: Value,
    /// Which time it is for.
    pub period: Period,
    /// `pricing`.
    pub pricing: Value,
    /// How many.
    pub quantity: i64,
    /// Further members, as they are shown.
    pub more: Doc,
}

/// Writes an invoice item down and tells of it.
pub fn put_pending(txn: &mut Txn<'_>, spec: Pending<'_>) -> Arc<Object> {
    let mut doc = new(
        INVOICE_ITEM,
        json!({
            "id": txn.new_id("ii_1", 23), "amount": spec.amount, "currency": spec.currency,
            "customer": text(spec.customer, "id"), "date": txn.now().0,
            "description": spec.description, "discountable": true, "discounts": [],
            "frozen_fields": [], "invoicing_rules": [], "livemode": false, "metadata": {},
            "period": {"end": spec.period.end.0, "start": spec.period.start.0},
            "pricing": spec.pricing, "proration": false, "quantity": spec.quantity,
            "quantity_decimal": spec.quantity.to_string(), "tax_rates": [],
            "test_clock": spec.customer.get("test_clock"),
        }),
    );
    doc.extend(spec.more);
    let made = txn.put(doc);
    txn.emit("invoiceitem.created", &made);
    // What is owed first settles in which currency a customer is billed.
    let currency = text(&made, "currency").to_owned();
    let changed = txn.edit("customer", text(&made, "customer"), |doc| {
        if doc.get("currency").is_none_or(Value::is_null) {
            doc.insert("currency".to_owned(), json!(currency));
        }
    });
    if let Some((before, after)) = changed {
        txn.emit_change("customer.updated", &before, &after);
    }
    made
}
