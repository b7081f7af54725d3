//! What other accounts get of a subscription's payments: a part of each that is transferred on, or a fee of each.

use crate::sandbox::behaviour::connect::transfer;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::total::percent::Percent;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Fails where payments cannot be split as a call asks; `known` is the subscription as it is so far.
///
/// Believed: the sentences but that of a destination which does not exist.
pub fn ensure(txn: &mut Txn<'_>, call: &Call, known: &Value) -> Result<(), Failure> {
    let data = call.hash("transfer_data");
    let sent = data.and_then(|it| it.get("destination")?.as_str());
    if let Some(account) = sent {
        transfer::ensure_destination(txn, account, "transfer_data[destination]")?;
    }
    let old = known.get("transfer_data").filter(|it| it.is_object() && !call.sent("transfer_data"));
    let goes_on = sent.is_some() || old.is_some();
    let fee = if call.sent("application_fee_percent") {
        call.get("application_fee_percent")
    } else {
        known.get("application_fee_percent")
    };
    if fee.is_none_or(Value::is_null) {
        return Ok(());
    }
    if txn.scope().account.is_empty() && !goes_on {
        let text = "Can only apply an application_fee_percent when the request is made on behalf of another account (using an OAuth key or the Stripe-Account header), or when `transfer_data[destination]` is set.";
        return Err(Failure::invalid(text).param("application_fee_percent"));
    }
    let part = data.and_then(|it| it.get("amount_percent"));
    let part = part.or_else(|| old.and_then(|it| it.get("amount_percent")));
    if part.is_some_and(|it| !it.is_null()) {
        let text = "You may only specify one of these parameters: application_fee_percent, transfer_data[amount_percent].";
        return Err(Failure::invalid(text).param("application_fee_percent"));
    }
    Ok(())
}

/// Gives `transfer_data` every member that it has.
pub fn shape(doc: &mut Doc) {
    if let Some(Value::Object(data)) = doc.get_mut("transfer_data") {
        data.entry("amount_percent").or_insert(Value::Null);
    }
}

/// What another account gets of the payment of an invoice that is made by hand, after what a call sends of it.
///
/// Believed: the sentences but that of a destination which does not exist.
pub fn of_invoice(txn: &mut Txn<'_>, call: &Call, known: &Doc) -> Result<Doc, Failure> {
    let mut terms = known.clone();
    for name in ["application_fee_amount", "transfer_data"] {
        match call.params.get(name) {
            Some(Value::Null) => drop(terms.remove(name)),
            Some(sent) => drop(terms.insert(name.to_owned(), sent.clone())),
            None => {}
        }
    }
    let to = terms.get("transfer_data");
    if let Some(account) = to.and_then(|it| it.get("destination")?.as_str()) {
        transfer::ensure_destination(txn, account, "transfer_data[destination]")?;
    }
    let Some(fee) = terms.get("application_fee_amount") else { return Ok(terms) };
    let refuse = |text: &str| Err(Failure::invalid(text).param("application_fee_amount"));
    if fee.as_i64().is_some_and(|fee| fee < 0) {
        return refuse("Invalid non-negative integer");
    }
    if txn.scope().account.is_empty() && to.is_none() {
        return refuse(
            "Can only apply an application_fee_amount when the request is made on behalf of another account (using an OAuth key or the Stripe-Account header), or when `transfer_data[destination]` is set.",
        );
    }
    if to.is_some_and(|it| it.get("amount").is_some_and(|it| !it.is_null())) {
        return refuse(
            "You may only specify one of these parameters: application_fee_amount, transfer_data[amount].",
        );
    }
    Ok(terms)
}

/// The members of an intent that asks for so much of what a subscription owes.
pub fn terms(subscription: &Value, amount: i64) -> Doc {
    let share =
        |of: &Value, name: &str| of.get(name).and_then(Percent::read).map(|it| it.of(amount));
    let mut terms = Doc::new();
    if let Some(fee) = share(subscription, "application_fee_percent") {
        terms.insert("application_fee_amount".to_owned(), json!(fee));
    }
    if let Some(account) = subscription.get("on_behalf_of").filter(|it| it.is_string()) {
        terms.insert("on_behalf_of".to_owned(), account.clone());
    }
    if let Some(data) = subscription.get("transfer_data").filter(|it| it.is_object()) {
        let mut goes_on = Doc::new();
        goes_on.insert("destination".to_owned(), json!(text(data, "destination")));
        if let Some(part) = share(data, "amount_percent") {
            goes_on.insert("amount".to_owned(), json!(part));
        }
        terms.insert("transfer_data".to_owned(), Value::Object(goes_on));
    }
    terms
}

#[cfg(test)]
mod tests {
    use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id};
    use serde_json::{Value, json};

    /// What was sent on to an account, and what was taken as a fee, the newest first.
    fn split(shop: &Shop) -> (Vec<i64>, Vec<i64>) {
        let view = shop.lab.view();
        let amounts = |kind: &str| -> Vec<i64> {
            view.newest(kind).map(|it| it["amount"].as_i64().unwrap()).collect()
        };
        (amounts("transfer"), amounts("application_fee"))
    }

    #[test]
    fn each_payment_is_split_as_the_subscription_says() {
        let mut shop = Shop::new("pm_card_visa");
        let account = id(&shop.lab.ok("POST /v1/accounts", json!({"type": "standard"})));
        let to = |more: Value| {
            let mut data = json!({"destination": account});
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "transfer_data": data })
        };
        let made = shop.subscribe(to(json!({"amount_percent": 25})));
        assert_eq!(made["transfer_data"], json!({"amount_percent": 25, "destination": account}));
        assert_eq!(split(&shop), (vec![500], vec![]));
        shop.lab.advance(31 * DAY + 2 * HOUR);
        assert_eq!(split(&shop), (vec![500, 500], vec![]), "its renewal too");

        let mut asked = to(json!({}));
        asked["application_fee_percent"] = json!(12.5);
        let made = shop.subscribe(asked);
        assert_eq!(made["transfer_data"]["amount_percent"], Value::Null);
        assert_eq!(split(&shop), (vec![2_000, 500, 500], vec![250]));
    }

    #[test]
    fn a_platform_takes_its_fee_of_what_an_account_is_paid() {
        let mut lab = Shop::without_card().lab;
        let account = id(&lab.ok("POST /v1/accounts", json!({"type": "standard"})));
        let made = lab.within(&account, |lab| {
            let price = json!({"currency": "usd", "unit_amount": 2_000,
                "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}});
            let price = lab.ok("POST /v1/prices", price);
            let customer = lab.ok(
                "POST /v1/customers",
                json!({"payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"}}),
            );
            let asked = json!({"customer": customer["id"], "items": [{"price": price["id"]}],
                "application_fee_percent": 10});
            lab.ok("POST /v1/subscriptions", asked)
        });
        assert_eq!(
            (&made["status"], &made["application_fee_percent"]),
            (&json!("active"), &json!(10))
        );
        let fees: Vec<i64> =
            lab.view().newest("application_fee").map(|it| it["amount"].as_i64().unwrap()).collect();
        assert_eq!(fees, [200]);
    }

    #[test]
    fn what_cannot_be_split_or_follows_nothing_is_refused() {
        let mut shop = Shop::new("pm_card_visa");
        let account = id(&shop.lab.ok("POST /v1/accounts", json!({"type": "standard"})));
        let both = json!({"application_fee_percent": 10,
            "transfer_data": {"destination": account, "amount_percent": 5}});
        for (params, status, param) in [
            (json!({"application_fee_percent": 10}), 400, "application_fee_percent"),
            (both, 400, "application_fee_percent"),
            (
                json!({"transfer_data": {"destination": "acct_nope"}}),
                400,
                "transfer_data[destination]",
            ),
            (json!({"billing_schedules": []}), 501, "billing_schedules"),
        ] {
            let failure = shop.try_subscribe(params.clone()).unwrap_err();
            assert_eq!(
                (failure.status, failure.param.as_deref()),
                (status, Some(param)),
                "{params}"
            );
            let made = shop.subscribe(json!({}));
            let path = format!("POST /v1/subscriptions/{}", id(&made));
            let failure = shop.lab.call(&path, params.clone()).unwrap_err();
            assert_eq!(
                (failure.status, failure.param.as_deref()),
                (status, Some(param)),
                "{params}"
            );
        }
    }
}
