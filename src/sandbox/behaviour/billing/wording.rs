//! What lines of invoices say, in Stripe's English. Pure.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use serde_json::Value;

/// What is sold in a line.
#[derive(Clone, Copy, Debug)]
pub struct Sold<'s> {
    /// The product's name.
    pub product: &'s str,
    /// What the product is counted in.
    pub unit_label: Option<&'s str>,
    /// How many.
    pub quantity: i64,
}

impl Sold<'_> {
    fn counted(&self) -> String {
        let label = self.unit_label.map(|label| format!(" {label}")).unwrap_or_default();
        format!("{}{label} × {}", self.quantity, self.product)
    }
}

/// Dollars that lines show by the bare sign: Canada's as recorded, the others believed.
const DOLLARS: [&str; 6] = ["aud", "cad", "hkd", "nzd", "sgd", "twd"];

/// `10 user × Plan (at $25.00 / month)`.
pub fn regular(sold: Sold<'_>, price: &Value, currency: &str) -> String {
    let recurring = price.get("recurring").unwrap_or(&Value::Null);
    let unit = recurring.get("interval").and_then(Value::as_str).unwrap_or("month");
    let count = recurring.get("interval_count").and_then(Value::as_i64).unwrap_or(1);
    let every = if count == 1 { unit.to_owned() } else { format!("every {count} {unit}s") };
    let amount = price.get("unit_amount").and_then(Value::as_i64);
    let known: Option<Currency> = currency.parse().ok();
    match (amount, known) {
        (Some(amount), Some(known)) => {
            let mut cost = Money::new(amount, known).to_string();
            if DOLLARS.contains(&currency) {
                cost = cost.replacen(&known.sign(), "$", 1);
            }
            format!("{} (at {cost} / {every})", sold.counted())
        }
        _ => format!("{} (/ {every})", sold.counted()),
    }
}

/// `Free trial for 1 user × Plan`.
pub fn trial(sold: Sold<'_>) -> String {
    format!("Free trial for {}", sold.counted())
}

/// `Unused time on Plan after 07 Apr 2026`.
pub fn unused(sold: Sold<'_>, at: Timestamp) -> String {
    format!("Unused time on {} after {}", several(sold), day(at))
}

/// `Remaining time on 3 × Plan after 07 Apr 2026`.
pub fn remaining(sold: Sold<'_>, at: Timestamp) -> String {
    format!("Remaining time on {} after {}", several(sold), day(at))
}

fn several(sold: Sold<'_>) -> String {
    match sold.quantity {
        1 => sold.product.to_owned(),
        many => format!("{many} × {}", sold.product),
    }
}

/// `07 Apr 2026`, in UTC.
fn day(at: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.rfc3339();
    let mut parts = text.get(..10).unwrap_or_default().split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    format!("{} {} {}", day.unwrap_or_default(), month.unwrap_or(&""), year.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_say_what_recordings_say() {
        let sold = Sold { product: "Test Plan", unit_label: Some("user"), quantity: 10 };
        let price = |unit: &str, count: i64| json!({"unit_amount": 2_500, "recurring": {"interval": unit, "interval_count": count}});
        let said = regular(sold, &price("month", 1), "usd");
        assert_eq!(said, "10 user × Test Plan (at $25.00 / month)");
        let said = regular(Sold { unit_label: None, ..sold }, &price("month", 3), "jpy");
        assert_eq!(said, "10 × Test Plan (at ¥2,500 / every 3 months)");
        for currency in DOLLARS {
            let said = regular(sold, &price("month", 1), currency);
            assert_eq!(said, "10 user × Test Plan (at $25.00 / month)", "{currency}");
        }
        let said = regular(sold, &price("month", 1), "chf");
        assert_eq!(said, "10 user × Test Plan (at CHF 25.00 / month)");
        assert_eq!(trial(Sold { quantity: 1, ..sold }), "Free trial for 1 user × Test Plan");
        let at = Timestamp::read("2026-04-07T23:59:59Z").unwrap();
        assert_eq!(unused(sold, at), "Unused time on 10 × Test Plan after 07 Apr 2026");
        let one = Sold { quantity: 1, ..sold };
        assert_eq!(remaining(one, at), "Remaining time on Test Plan after 07 Apr 2026");
    }
}
