//! What a price costs for a quantity, in the minor unit, and the totals that may be charged. Pure.

use crate::domain::money::Money;
use crate::sandbox::call::step;
use crate::wire::failure::Failure;
use serde_json::Value;

/// Decimals that `unit_amount_decimal` may have.
const SCALE_DIGITS: usize = 12;

/// A decimal number as an integer count of 10⁻¹²; `None` where it is not one or has more than twelve decimals.
pub fn decimal(text: &str) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 14 || !digits(whole) || !digits(part) {
        return None;
    }
    let padded = format!("{whole}{part:0<SCALE_DIGITS$}");
    (part.len() <= SCALE_DIGITS).then(|| padded.parse().ok()).flatten()
}

/// What `quantity` of a price cost in `currency`, in its minor unit, rounded half up;
/// `None` where the price has no amount in that currency or the sum is beyond all bounds.
///
/// `options` are the price's `currency_options`, which it does not show by itself.
pub fn line_total(
    price: &Value,
    options: Option<&Value>,
    currency: &str,
    quantity: i64,
) -> Option<i64> {
    let at = if price.get("currency").and_then(Value::as_str) == Some(currency) {
        price
    } else {
        options?.get(currency)?
    };
    let quantity = transformed(price.get("transform_quantity"), quantity);
    if let Some(unit) = at.get("unit_amount").and_then(Value::as_i64) {
        return unit.checked_mul(quantity);
    }
    if let Some(unit) = at.get("unit_amount_decimal").and_then(Value::as_str).and_then(decimal) {
        let scale = 10_i128.pow(12);
        let total = unit.checked_mul(i128::from(quantity))?.checked_add(scale / 2)? / scale;
        return i64::try_from(total).ok();
    }
    let custom = at.get("custom_unit_amount").filter(|custom| custom.is_object())?;
    let amount = ["preset", "minimum"].iter().find_map(|name| custom.get(*name)?.as_i64());
    amount.unwrap_or(0).checked_mul(quantity)
}

/// The quantity that is charged for where a price sells packages.
fn transformed(transform: Option<&Value>, quantity: i64) -> i64 {
    let divide_by = transform.and_then(|t| t.get("divide_by")).and_then(Value::as_i64);
    match (divide_by, transform.and_then(|t| t.get("round")).and_then(Value::as_str)) {
        (Some(size), Some("up")) if size > 0 => quantity.saturating_add(size - 1) / size,
        (Some(size), _) if size > 0 => quantity / size,
        _ => quantity,
    }
}

/// Whether a total may be charged: nothing at all, or between the currency's bounds.
pub fn chargeable(total: Money) -> Result<(), Failure> {
    let currency = total.currency;
    let code = currency.code().to_uppercase();
    let shown = |minor| format!("{} {code}", Money::new(minor, currency));
    let minimum = currency.minimum_charge();
    if total.minor > 0 && total.minor < minimum {
        let text = format!(
            "The Checkout Session's total amount due must add up to at least {}",
            shown(minimum)
        );
        return Err(Failure::invalid(text).code("amount_too_small"));
    }
    let maximum = currency.maximum_charge();
    if total.minor > maximum {
        let text = format!(
            "The Checkout Session's total amount due must add up to no more than {}",
            shown(maximum)
        );
        return Err(Failure::invalid(text).code("amount_too_large"));
    }
    step::ensure(total.minor, currency, "line_items")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_line_costs_unit_amount_times_quantity() {
        let price = json!({"currency": "jpy", "unit_amount": 500});
        assert_eq!(line_total(&price, price.get("currency_options"), "jpy", 3), Some(1_500));
        assert_eq!(line_total(&price, price.get("currency_options"), "usd", 3), None);
        assert_eq!(line_total(&price, price.get("currency_options"), "jpy", i64::MAX), None);
    }

    #[test]
    fn decimals_are_rounded_after_multiplying() {
        let price = json!({"currency": "usd", "unit_amount": null, "unit_amount_decimal": "0.5"});
        assert_eq!(line_total(&price, price.get("currency_options"), "usd", 1), Some(1));
        assert_eq!(line_total(&price, price.get("currency_options"), "usd", 4), Some(2));
        assert_eq!(decimal("1.0000000000001"), None);
        assert_eq!(decimal(""), None);
    }

    #[test]
    fn packages_and_other_currencies_are_counted() {
        let packed = json!({"currency": "jpy", "unit_amount": 100, "transform_quantity": {"divide_by": 10, "round": "up"}});
        assert_eq!(line_total(&packed, packed.get("currency_options"), "jpy", 11), Some(200));
        let both = json!({"currency": "jpy", "unit_amount": 100, "currency_options": {"usd": {"unit_amount": 99}}});
        assert_eq!(line_total(&both, both.get("currency_options"), "usd", 2), Some(198));
    }

    #[test]
    fn the_minimum_is_told_in_the_currencys_own_form() {
        let text = |minor, code: &str| {
            chargeable(Money::new(minor, code.parse().unwrap())).unwrap_err().message
        };
        let start = "The Checkout Session's total amount due must add up to at least";
        assert_eq!(text(49, "jpy"), format!("{start} ¥50 JPY"));
        assert_eq!(text(49, "usd"), format!("{start} $0.50 USD"));
        assert!(chargeable(Money::new(0, Currency::JPY)).is_ok());
        assert!(chargeable(Money::new(50, Currency::JPY)).is_ok());
    }

    proptest! {
        #[test]
        fn a_whole_decimal_costs_what_the_integer_costs(unit in 0_i64..10_000_000, quantity in 1_i64..1_000) {
            let whole = json!({"currency": "usd", "unit_amount": unit});
            let dotted = json!({"currency": "usd", "unit_amount": null, "unit_amount_decimal": format!("{unit}.0")});
            prop_assert_eq!(line_total(&whole, whole.get("currency_options"), "usd", quantity), line_total(&dotted, dotted.get("currency_options"), "usd", quantity));
        }

        #[test]
        fn reading_a_decimal_never_panics(text in "\\PC*") {
            let _ = decimal(&text);
        }
    }
}
