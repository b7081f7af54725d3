//! Shipping options: the rates that a session offers, and the one that is chosen until the buyer says otherwise.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::checkout::inline;
use crate::sandbox::behaviour::object::{shipping_rate, text};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The most options that a session offers.
const OPTIONS_MAX: usize = 5;

/// Resolves `shipping_options`: finds or makes the rates, each with its amount in `currency`.
pub fn resolve(
    txn: &mut Txn<'_>,
    sent: &[Value],
    currency: Currency,
) -> Result<Vec<Value>, Failure> {
    if sent.len() > OPTIONS_MAX {
        let text = format!("You can pass up to {OPTIONS_MAX} shipping options.");
        return Err(Failure::invalid(text).param("shipping_options"));
    }
    let mut options = Vec::with_capacity(sent.len());
    for (at, option) in sent.iter().enumerate() {
        let path = format!("shipping_options[{at}]");
        let rate = match (option.get("shipping_rate"), option.get("shipping_rate_data")) {
            (Some(_), Some(_)) => {
                let names = "shipping_rate, shipping_rate_data";
                return Err(inline::exclusive(names, &format!("{path}[shipping_rate]")));
            }
            (None, None) => return Err(inline::missing(&format!("{path}[shipping_rate]"))),
            (Some(id), None) => {
                let param = format!("{path}[shipping_rate]");
                let rate = txn.find("shipping_rate", id.as_str().unwrap_or_default(), &param)?;
                if rate.get("active") == Some(&json!(false)) {
                    // Believed: no recording has it.
                    let text = "The shipping rate specified is inactive. This field only accepts active shipping rates.";
                    return Err(Failure::invalid(text).param(param));
                }
                rate
            }
            (None, Some(data)) => {
                let data = data.as_object().cloned().unwrap_or_default();
                shipping_rate::put(txn, &data, &format!("{path}[shipping_rate_data]"))?
            }
        };
        let amount = amount_in(&rate, currency).ok_or_else(|| {
            let text =
                format!("The shipping rate `{}` has no amount in `{currency}`.", text(&rate, "id"));
            Failure::invalid(text).param(path)
        })?;
        options.push(json!({"shipping_amount": amount, "shipping_rate": text(&rate, "id")}));
    }
    Ok(options)
}

/// `shipping_cost` of a session whose buyer takes that option.
pub fn cost(option: &Value) -> Value {
    let amount = option.get("shipping_amount");
    json!({
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": option.get("shipping_rate"),
    })
}

fn amount_in(rate: &Value, currency: Currency) -> Option<i64> {
    let fixed = rate.get("fixed_amount")?;
    if text(fixed, "currency").eq_ignore_ascii_case(currency.code()) {
        return fixed.get("amount")?.as_i64();
    }
    fixed.get("currency_options")?.get(currency.code())?.get("amount")?.as_i64()
}
