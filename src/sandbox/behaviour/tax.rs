//! Automatic tax: which rate applies where. A small table of our own stands for Stripe's: standard rates of some
//! countries, and of some states of the United States, as they were at the end of 2026. Where it has no row,
//! nothing is collected.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// Country, state, percentage, `tax_type`, name.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const TABLE: &[Row] = &[
    ("AT", "", "20.0", "vat", "VAT"),
    ("AU", "", "10.0", "gst", "GST"),
    ("BE", "", "21.0", "vat", "VAT"),
    ("CA", "", "5.0", "gst", "GST"),
    ("CH", "", "8.1", "vat", "VAT"),
    ("DE", "", "19.0", "vat", "VAT"),
    ("ES", "", "21.0", "vat", "VAT"),
    ("FR", "", "20.0", "vat", "VAT"),
    ("GB", "", "20.0", "vat", "VAT"),
    ("IE", "", "23.0", "vat", "VAT"),
    ("IT", "", "22.0", "vat", "VAT"),
    ("JP", "", "10.0", "jct", "JCT"),
    ("NL", "", "21.0", "vat", "VAT"),
    ("NZ", "", "15.0", "gst", "GST"),
    ("SE", "", "25.0", "vat", "VAT"),
    ("SG", "", "9.0", "gst", "GST"),
    ("US", "CA", "7.25", "sales_tax", "Sales Tax"),
    ("US", "NY", "4.0", "sales_tax", "Sales Tax"),
    ("US", "TX", "6.25", "sales_tax", "Sales Tax"),
    ("US", "WA", "6.5", "sales_tax", "Sales Tax"),
];

/// The kind of the record that names the tax rate of a row.
const MADE: &str = "_automatic_rate";

/// Whether a tax is within a price: what the price says, else by currency. That prices in dollars of the United
/// States and Canada are without tax and all others with it is Stripe's own default.
pub fn is_inclusive(behaviour: &str, currency: &str) -> bool {
    match behaviour {
        "inclusive" => true,
        "exclusive" => false,
        _ => !matches!(currency, "usd" | "cad"),
    }
}

/// Whether an address says enough: a country, and in the United States a state or a postal code.
pub fn is_location(address: &Value) -> bool {
    match text(address, "country") {
        "" => false,
        "US" => !text(address, "state").is_empty() || !text(address, "postal_code").is_empty(),
        _ => true,
    }
}

/// The rate that applies at an address; made at its first use, and found by later ones.
pub fn rate_at(txn: &mut Txn<'_>, address: &Value, inclusive: bool) -> Option<Arc<Object>> {
    let (country, state) = (text(address, "country"), text(address, "state"));
    let row = TABLE.iter().find(|row| row.0 == country && (row.1.is_empty() || row.1 == state))?;
    let (country, state, percentage, kind, name) = *row;
    let within = if inclusive { "inclusive" } else { "exclusive" };
    let key = format!("{country} {state} {within}");
    let known = txn.get(MADE, &key).and_then(|made| txn.get("tax_rate", text(&made, "rate")));
    if known.is_some() {
        return known;
    }
    let percentage: Value = serde_json::from_str(percentage).unwrap_or_default();
    let place = if state.is_empty() { country } else { state };
    let level = if state.is_empty() { "country" } else { "state" };
    let doc = new(
        "tax_rate",
        json!({
            "id": txn.new_id("txr_1", 23), "active": true, "country": country,
            "created": txn.now().0, "display_name": name, "effective_percentage": percentage,
            "inclusive": inclusive, "jurisdiction": place, "jurisdiction_level": level,
            "livemode": false, "percentage": percentage, "rate_type": "percentage",
            "state": (!state.is_empty()).then_some(state), "tax_type": kind,
        }),
    );
    let made = txn.put(doc);
    txn.put(json!({"object": MADE, "id": key, "rate": text(&made, "id")}));
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;

    #[test]
    fn a_rate_is_made_once_for_each_place_and_side() {
        let mut lab = Lab::new();
        let address = |country: &str, state: &str| json!({"country": country, "state": state});
        let mut rate = |address: &Value, inclusive| {
            lab.at(1, |txn| rate_at(txn, address, inclusive)).map(|it| it.document())
        };
        let japan = rate(&address("JP", "13"), true).unwrap();
        assert_eq!((&japan["percentage"], &japan["tax_type"]), (&json!(10.0), &json!("jct")));
        assert_eq!(rate(&address("JP", ""), true).unwrap()["id"], japan["id"]);
        assert_ne!(rate(&address("JP", ""), false).unwrap()["id"], japan["id"]);
        assert_eq!(rate(&address("US", "CA"), false).unwrap()["state"], "CA");
        assert_eq!(rate(&address("US", "OR"), false), None);
        assert_eq!(rate(&address("AQ", ""), false), None);
    }

    #[test]
    fn a_location_is_a_country_and_in_one_a_state_too() {
        assert!(is_location(&json!({"country": "JP"})));
        assert!(!is_location(&json!({"country": "US"})) && !is_location(&json!({})));
        assert!(is_location(&json!({"country": "US", "state": "CA"})));
        assert!(is_inclusive("unspecified", "jpy") && !is_inclusive("unspecified", "usd"));
        assert!(!is_inclusive("exclusive", "jpy") && is_inclusive("inclusive", "usd"));
    }
}
