//! Plans: recurring prices in their older form, under the same id.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::total::amount;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::PricePart;
use crate::sandbox::engine::txn::View;
use serde_json::{Value, json};

/// The plan that a price is; `None` for one that is paid once.
pub fn of(price: &Value) -> Option<Doc> {
    let recurring = price.get("recurring").filter(|it| it.is_object())?;
    let member = |of: &Value, name: &str| of.get(name).cloned().unwrap_or(Value::Null);
    let mut members = Doc::new();
    let own = [
        "id",
        "active",
        "billing_scheme",
        "created",
        "currency",
        "metadata",
        "nickname",
        "product",
        "tiers_mode",
    ];
    for name in own {
        members.insert(name.to_owned(), member(price, name));
    }
    for name in ["interval", "interval_count", "meter", "trial_period_days", "usage_type"] {
        members.insert(name.to_owned(), member(recurring, name));
    }
    members.insert("amount".to_owned(), member(price, "unit_amount"));
    members.insert("amount_decimal".to_owned(), member(price, "unit_amount_decimal"));
    members.insert("transform_usage".to_owned(), member(price, "transform_quantity"));
    Some(new("plan", Value::Object(members)))
}

/// What a whole period of so many of a price costs.
pub fn cost(view: &View, price: &Value, currency: &str, quantity: i64) -> i64 {
    let part = view.record::<PricePart>("price", text(price, "id"));
    let tiers = part.and_then(|part| part.tiers.as_ref()).and_then(Value::as_array);
    if let Some(tiers) = tiers.filter(|_| text(price, "billing_scheme") == "tiered") {
        return tiered(tiers, text(price, "tiers_mode") == "volume", quantity);
    }
    let options = part.and_then(|part| part.currency_options.as_ref());
    amount::line_total(price, options, currency, quantity).unwrap_or(0)
}

/// What so many cost by tiers: all of them by the tier that they reach, or each by its own.
fn tiered(tiers: &[Value], volume: bool, quantity: i64) -> i64 {
    let (mut total, mut from) = (0_i64, 0_i64);
    for tier in tiers {
        let up_to = tier.get("up_to").and_then(Value::as_i64).unwrap_or(i64::MAX);
        let is_last = quantity <= up_to;
        let within = if volume { quantity } else { quantity.min(up_to) - from };
        if (is_last || !volume) && (within > 0 || quantity == 0) {
            total = total.saturating_add(of_tier(tier, within));
        }
        if is_last {
            break;
        }
        from = up_to;
    }
    total
}

fn of_tier(tier: &Value, quantity: i64) -> i64 {
    let flat = tier.get("flat_amount").and_then(Value::as_i64).unwrap_or(0);
    let price = json!({
        "currency": "", "unit_amount": tier.get("unit_amount"),
        "unit_amount_decimal": tier.get("unit_amount_decimal"),
    });
    amount::line_total(&price, None, "", quantity).unwrap_or(0).saturating_add(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_what_its_price_says_and_a_single_price_is_none() {
        let recurring = json!({"interval": "month", "interval_count": 1, "meter": null,
            "trial_period_days": null, "usage_type": "licensed"});
        let price = json!({"id": "small", "unit_amount": 2_500, "unit_amount_decimal": "2500",
            "currency": "usd", "recurring": recurring, "created": 1, "billing_scheme": "per_unit"});
        let plan = of(&price).unwrap();
        assert_eq!((&plan["id"], &plan["amount"]), (&json!("small"), &json!(2_500)));
        assert_eq!(plan["interval"], "month");
        assert!(of(&json!({"id": "p", "recurring": null})).is_none());
    }

    #[test]
    fn tiers_count_each_by_its_own_or_all_by_the_last() {
        let tiers = [
            json!({"up_to": 5, "unit_amount": 500}),
            json!({"up_to": 10, "unit_amount": 400, "flat_amount": 100}),
            json!({"up_to": "inf", "unit_amount": 300}),
        ];
        let by = |volume, quantity| tiered(&tiers, volume, quantity);
        assert_eq!((by(false, 5), by(false, 7), by(false, 12)), (2_500, 3_400, 5_200));
        assert_eq!((by(true, 5), by(true, 7), by(true, 12)), (2_500, 2_900, 3_600));
        assert_eq!(by(false, 0), 0);
    }
}
