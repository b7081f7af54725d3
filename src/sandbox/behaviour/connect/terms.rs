//! What a payment may ask for on behalf of other accounts: checked and written as it is opened and changed.

use crate::sandbox::behaviour::connect::transfer;
use crate::sandbox::behaviour::document::{copy, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// Fails where a payment of `amount` cannot be split as it was asked; `known` is the payment as it is so far.
///
/// Only the first refusal's words and the capability's were recorded; the others are believed.
pub fn check(
    txn: &mut Txn<'_>,
    params: &Map<String, Value>,
    amount: i64,
    known: &Value,
) -> Result<(), Failure> {
    let sent = |name: &str| params.get(name).filter(|value| !value.is_null());
    if let Some(account) = sent("on_behalf_of").and_then(Value::as_str) {
        let found = txn.at("").get("account", account);
        if found.is_none() && account != txn.platform_id() {
            return Err(Failure::missing("account", account, "on_behalf_of"));
        }
    }
    let split = |data: Option<&Value>, name: &str| {
        data.and_then(|data| data.get(name)).filter(|value| !value.is_null()).cloned()
    };
    let data = sent("transfer_data");
    let destination = split(data, "destination");
    if let Some(account) = destination.as_ref().and_then(Value::as_str) {
        transfer::ensure_destination(txn, account, "transfer_data[destination]")?;
    }
    let old = known.get("transfer_data").filter(|data| data.is_object());
    let goes_on = destination.is_some() || old.is_some();
    let part = split(data, "amount").or_else(|| split(old, "amount")).and_then(|it| it.as_i64());
    let fee = sent("application_fee_amount").or_else(|| known.get("application_fee_amount"));
    let fee = fee.and_then(Value::as_i64);
    if part.is_some() && !goes_on {
        let text = "You must provide `transfer_data[destination]` to use `transfer_data[amount]`.";
        return Err(Failure::invalid(text).param("transfer_data[amount]"));
    }
    if part.is_some_and(|part| part < 1 || part > amount) {
        let text = "The amount in transfer_data must be at least 1 and no more than the amount of the payment.";
        return Err(Failure::invalid(text).param("transfer_data[amount]"));
    }
    let Some(fee) = fee else { return Ok(()) };
    if txn.scope().account.is_empty() && !goes_on {
        let text = "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).";
        return Err(Failure::invalid(text)
            .code("parameter_missing")
            .param("application_fee_amount"));
    }
    if part.is_some() {
        let text = "You may only specify one of these parameters: application_fee_amount, transfer_data[amount].";
        return Err(Failure::invalid(text).param("application_fee_amount"));
    }
    if fee < 0 || fee > amount {
        let text =
            "The application fee must be at least 0 and no more than the amount of the payment.";
        return Err(Failure::invalid(text).param("application_fee_amount"));
    }
    Ok(())
}

/// Writes what was sent into a payment.
pub fn write(doc: &mut Doc, call: &Call) {
    copy(doc, call, &["application_fee_amount", "on_behalf_of"]);
    let Some(sent) = call.hash("transfer_data") else {
        // An emptied hash is left as it is; a destination cannot be taken back.
        return;
    };
    let data = doc.entry("transfer_data").or_insert(Value::Null);
    if !data.is_object() {
        *data = json!({});
    }
    if let Value::Object(data) = data {
        let named = sent.iter().filter(|(_, value)| !value.is_null());
        data.extend(named.map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// `transfer_data` as a charge shows it: an amount that was not named is null there, and absent in its intent.
pub fn charged(payment: &Value) -> Value {
    let mut data = payment.get("transfer_data").cloned().unwrap_or_default();
    if let Value::Object(data) = &mut data {
        data.entry("amount").or_insert(Value::Null);
    }
    data
}

/// Gives a payment that is transferred on a group of its own, where it was given none: `group_pi_…`.
pub fn group(doc: &mut Doc) {
    let goes_on = doc.get("transfer_data").is_some_and(Value::is_object);
    let is_grouped = doc.get("transfer_group").is_some_and(Value::is_string);
    if let (true, false, Some(id)) = (goes_on, is_grouped, doc.get("id").and_then(Value::as_str)) {
        let group = format!("group_{id}");
        doc.insert("transfer_group".to_owned(), json!(group));
    }
}

/// Has the held charge of an intent follow what was said at its capture.
pub fn carry(txn: &mut Txn<'_>, intent: &str) {
    let Some(intent) = txn.get("payment_intent", intent) else { return };
    txn.edit("charge", text(&intent, "latest_charge"), |doc| {
        let fee = intent.get("application_fee_amount").cloned().unwrap_or_default();
        doc.insert("application_fee_amount".to_owned(), fee);
        doc.insert("transfer_data".to_owned(), charged(&intent));
    });
}

/// What charges call by older names: `application_fee` and `destination`, a name or a hash.
pub fn modernise(params: &mut Map<String, Value>) {
    if let Some(fee) = params.remove("application_fee") {
        params.insert("application_fee_amount".to_owned(), fee);
    }
    let data = match params.remove("destination") {
        Some(Value::String(account)) => json!({"destination": account}),
        Some(Value::Object(sent)) => {
            let mut data = Map::new();
            data.extend(sent.get("account").map(|it| ("destination".to_owned(), it.clone())));
            data.extend(sent.get("amount").map(|it| ("amount".to_owned(), it.clone())));
            Value::Object(data)
        }
        _ => return,
    };
    params.insert("transfer_data".to_owned(), data);
}

/// The amount that a payment is about, once what was sent is written.
pub fn amount(call: &Call, name: &str, known: &Value) -> i64 {
    call.int(name).unwrap_or_else(|| int(known, "amount"))
}
