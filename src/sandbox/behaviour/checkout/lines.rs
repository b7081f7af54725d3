//! Line items: from what was sent to what is sold, and what it costs.

use crate::catalog::Catalog;
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::sandbox::behaviour::checkout::create::Seller;
use crate::sandbox::behaviour::checkout::inline;
use crate::sandbox::behaviour::document::{int, merge_metadata, text};
use crate::sandbox::behaviour::total::amount;
use crate::sandbox::engine::line_look::LineLook;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PricePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The most lines that a session in payment mode takes.
const LINES_MAX: usize = 100;

/// The most items that a buyer may add.
const OPTIONAL_MAX: usize = 10;

/// The lines of a session and what they share.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The `item` objects, in the order in which they were sent.
    pub items: Vec<Value>,
    /// What the page shows of each beyond that.
    pub looks: Vec<LineLook>,
    /// The sum of the lines.
    pub total: Money,
}

/// Line items as they were sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'s> {
    /// The parameter.
    pub lines: &'s [Value],
    /// The session's mode.
    pub mode: &'s str,
    /// Who sells.
    pub seller: Seller<'s>,
}

/// Resolves `line_items`: finds or makes the prices, and prices the lines.
///
/// Fails as Stripe does for what a line lacks, for prices of the wrong mode, and for mixed currencies.
pub fn resolve(
    txn: &mut Txn<'_>,
    sent: &Sent<'_>,
    currency: Option<&str>,
) -> Result<Lines, Failure> {
    let Sent { lines: sent, mode, seller } = *sent;
    if sent.is_empty() {
        return Err(inline::missing("line_items"));
    }
    if sent.len() > LINES_MAX {
        let text = format!("You can pass up to {LINES_MAX} line items.");
        return Err(Failure::invalid(text).param("line_items"));
    }
    let mut prices = Vec::with_capacity(sent.len());
    for (at, line) in sent.iter().enumerate() {
        let line = line.as_object().cloned().unwrap_or_default();
        let quantity = quantity(&line, at)?;
        tax_rates(txn, &line, at)?;
        prices.push((price(txn, &line, at, seller)?, quantity, line));
    }
    fits_mode(&prices, mode)?;
    let first = prices.first().map_or("", |(price, ..)| text(price, "currency"));
    let currency = inline::currency(&currency.unwrap_or(first).to_ascii_lowercase(), "currency")?;
    let (mut items, mut looks) = (Vec::new(), Vec::new());
    let mut sum: i64 = 0;
    for (at, (price, quantity, line)) in prices.iter().enumerate() {
        let part = price.part::<PricePart>();
        let total = |quantity| {
            let options = part.currency_options.as_ref();
            amount::line_total(price, options, currency.code(), quantity)
        };
        let Some(total) = total(*quantity) else {
            return Err(match total(1) {
                Some(_) => too_many(*quantity, at),
                None => other_currency(price, currency.code()),
            });
        };
        sum = sum.checked_add(total).ok_or_else(|| Failure::invalid("Invalid amount"))?;
        let (item, look) = item(txn, price, *quantity, line, Money::new(total, currency));
        bounded(&item, at)?;
        items.push(item);
        looks.push(look);
    }
    Ok(Lines { items, looks, total: Money::new(sum, currency) })
}

/// One line's quantity: demanded, and at least one.
fn quantity(line: &Map<String, Value>, at: usize) -> Result<i64, Failure> {
    let param = format!("line_items[{at}][quantity]");
    let Some(quantity) = line.get("quantity").and_then(Value::as_i64) else {
        let text = format!("Quantity is required. Add `quantity` to `line_items[{at}]`.");
        return Err(Failure::invalid(text).code("parameter_missing").param(param));
    };
    if quantity < 1 {
        return Err(Failure::below_one(param));
    }
    Ok(quantity)
}

/// Every tax rate that a line names is there.
fn tax_rates(txn: &Txn<'_>, line: &Map<String, Value>, at: usize) -> Result<(), Failure> {
    for (n, rate) in named(line).iter().enumerate() {
        txn.find("tax_rate", rate, &format!("line_items[{at}][tax_rates][{n}]"))?;
    }
    Ok(())
}

/// The tax rates that a line names.
fn named(line: &Map<String, Value>) -> Vec<String> {
    let sent = line.get("tax_rates").and_then(Value::as_array).into_iter().flatten();
    sent.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A quantity that the buyer may change lies where they may change it to. The text is believed.
fn bounded(item: &Value, at: usize) -> Result<(), Failure> {
    let Some(range) = item.get("adjustable_quantity").filter(|it| it["enabled"] == true) else {
        return Ok(());
    };
    let (least, most, quantity) =
        (int(range, "minimum"), int(range, "maximum"), int(item, "quantity"));
    if (least..=most).contains(&quantity) {
        return Ok(());
    }
    let text = format!(
        "The `quantity` of a line item must be between its `adjustable_quantity` minimum ({least}) and maximum ({most})."
    );
    Err(Failure::invalid(text).param(format!("line_items[{at}][quantity]")))
}

/// The items that a buyer may add, as line items that are not taken yet.
///
/// Fails for a price that is not there or not for sale, and for one without an amount in the currency.
pub fn optional(
    txn: &mut Txn<'_>,
    sent: &[Value],
    currency: Currency,
) -> Result<Vec<(Value, LineLook)>, Failure> {
    if sent.len() > OPTIONAL_MAX {
        let text = format!("You can pass up to {OPTIONAL_MAX} optional items.");
        return Err(Failure::invalid(text).param("optional_items"));
    }
    let mut found = Vec::with_capacity(sent.len());
    for (at, line) in sent.iter().enumerate() {
        let param = format!("optional_items[{at}][price]");
        let line = line.as_object().cloned().unwrap_or_default();
        let id = line.get("price").and_then(Value::as_str).unwrap_or_default();
        let price = txn.find("price", id, &param)?;
        if price.get("active") == Some(&json!(false)) {
            return Err(inactive(param));
        }
        let quantity = line.get("quantity").and_then(Value::as_i64).unwrap_or(1);
        let options = price.part::<PricePart>().currency_options.clone();
        let total = amount::line_total(&price, options.as_ref(), currency.code(), quantity);
        let total = total.ok_or_else(|| other_currency(&price, currency.code()))?;
        let (item, look) = item(txn, &price, quantity, &line, Money::new(total, currency));
        found.push((item, LineLook { optional: true, ..look }));
    }
    Ok(found)
}

fn inactive(param: String) -> Failure {
    let text = "The price specified is inactive. This field only accepts active prices.";
    Failure::invalid(text).code("price_inactive").param(param)
}

fn price(
    txn: &mut Txn<'_>,
    line: &Map<String, Value>,
    at: usize,
    seller: Seller<'_>,
) -> Result<Arc<Object>, Failure> {
    let param = format!("line_items[{at}][price]");
    match (line.get("price"), line.get("price_data").and_then(Value::as_object)) {
        (Some(_), Some(_)) => Err(inline::exclusive("price, price_data", &param)),
        (None, None) => Err(inline::missing(&param)),
        (None, Some(data)) => {
            let data = data.clone();
            inline::price(txn, &data, &format!("line_items[{at}][price_data]"))
        }
        (Some(id), None) => {
            let price = txn.find("price", id.as_str().unwrap_or_default(), &param)?;
            if price.get("active") == Some(&json!(false)) && seller == Seller::Api {
                return Err(inactive(param));
            }
            Ok(price)
        }
    }
}

/// Payment mode sells one-time prices; subscription mode needs one that recurs, and one interval. Believed: that links
/// are refused in the same words.
fn fits_mode(prices: &[(Arc<Object>, i64, Map<String, Value>)], mode: &str) -> Result<(), Failure> {
    let recurring = |price: &Value| text(price, "type") == "recurring";
    let at = prices.iter().position(|(price, ..)| recurring(price));
    let mut intervals = prices.iter().filter_map(|(price, ..)| {
        let of = price.get("recurring").filter(|it| it.is_object())?;
        Some((text(of, "interval"), int(of, "interval_count")))
    });
    let first = intervals.next();
    if mode != "payment" && intervals.any(|it| Some(it) != first) {
        let text = "Checkout does not support multiple prices with different billing intervals.";
        return Err(Failure::invalid(text));
    }
    match (mode, at) {
        ("payment", Some(at)) => {
            let text = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.";
            Err(Failure::invalid(text).param(format!("line_items[{at}]")))
        }
        ("subscription", None) => {
            let text = "You must provide at least one recurring price in `subscription` mode when using prices.";
            Err(Failure::invalid(text))
        }
        _ => Ok(()),
    }
}

fn too_many(quantity: i64, at: usize) -> Failure {
    let param = format!("line_items[{at}][quantity]");
    let text = format!(
        "Invalid integer: {quantity}. So many of this price cost more than any amount can be."
    );
    Failure::invalid(text).code("parameter_invalid_integer").param(param)
}

fn other_currency(price: &Value, currency: &str) -> Failure {
    let text = format!(
        "All prices on a Checkout session must be in the same currency, or have it among their `currency_options`: price `{}` has no amount in `{currency}`.",
        text(price, "id")
    );
    Failure::invalid(text).param("line_items")
}

fn item(
    txn: &Txn<'_>,
    price: &Object,
    quantity: i64,
    line: &Map<String, Value>,
    total: Money,
) -> (Value, LineLook) {
    let product = txn.get("product", text(price, "product"));
    let name = product.as_ref().map(|product| text(product, "name").to_owned());
    let image = product.as_ref().and_then(|p| Some(p.get("images")?.get(0)?.as_str()?.to_owned()));
    let details = product.as_ref().and_then(|p| Some(p.get("description")?.as_str()?.to_owned()));
    let mut item = Catalog::get().blank("item");
    let mut set = |name: &str, value: Value| drop(item.insert(name.to_owned(), value));
    set("object", json!("item"));
    set("id", json!(txn.new_id("li_1", 23)));
    set("adjustable_quantity", adjustable(line.get("adjustable_quantity")));
    set("amount_discount", json!(0));
    set("amount_subtotal", json!(total.minor));
    set("amount_tax", json!(0));
    set("amount_total", json!(total.minor));
    set("currency", json!(total.currency.code()));
    set("description", json!(name));
    set("price", price.document());
    set("quantity", json!(quantity));
    merge_metadata(&mut item, line);
    (Value::Object(item), LineLook { image, details, tax_rates: named(line), optional: false })
}

/// `adjustable_quantity` with its bounds.
pub fn adjustable(sent: Option<&Value>) -> Value {
    let Some(sent) = sent.filter(|sent| sent.is_object()) else { return Value::Null };
    let or = |name: &str, default: i64| sent.get(name).cloned().unwrap_or(json!(default));
    json!({
        "enabled": sent.get("enabled"),
        "maximum": or("maximum", 99),
        "minimum": or("minimum", 0),
    })
}
