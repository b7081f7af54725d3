//! Subscriptions and invoices from end to end: made, paid or not, renewed, tried again, ended.

use crate::sandbox::engine::settings::{RECORD, Settings};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::testing::Lab;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

pub(super) const DAY: i64 = 86_400;
pub(super) const HOUR: i64 = 3_600;

/// A shop with one monthly price and a customer who pays with a card.
pub(super) struct Shop {
    pub(super) lab: Lab,
    pub(super) customer: String,
    pub(super) price: String,
}

impl Shop {
    pub(super) fn new(card: &str) -> Self {
        let mut shop = Self::without_card();
        shop.pay_with(card);
        shop
    }

    pub(super) fn without_card() -> Self {
        let mut lab = Lab::new();
        let price = price(&mut lab, 2_000, "month");
        let customer = lab.ok("POST /v1/customers", json!({"email": "ada@example.com"}));
        let customer = id(&customer);
        Self { lab, customer, price }
    }

    /// A monthly price of what is used (`calls`), at 5 each.
    pub(super) fn metered_price(&mut self) -> String {
        let meter = json!({"display_name": "Calls", "event_name": "calls",
            "default_aggregation": {"formula": "sum"}});
        let meter = id(&self.lab.ok("POST /v1/billing/meters", meter));
        let recurring = json!({"interval": "month", "usage_type": "metered", "meter": meter});
        let price = json!({"currency": "usd", "unit_amount": 5, "recurring": recurring,
            "product_data": {"name": "Calls"}});
        id(&self.lab.ok("POST /v1/prices", price))
    }

    /// Makes a card the customer's default.
    pub(super) fn pay_with(&mut self, card: &str) {
        let attach = format!("POST /v1/payment_methods/{card}/attach");
        let method = self.lab.ok(&attach, json!({"customer": self.customer}));
        let settings = json!({"invoice_settings": {"default_payment_method": method["id"]}});
        self.lab.ok(&format!("POST /v1/customers/{}", self.customer), settings);
    }

    pub(super) fn try_subscribe(&mut self, more: Value) -> Result<Value, Failure> {
        let mut params = json!({"customer": self.customer, "items": [{"price": self.price}]});
        if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
            params.extend(more);
        }
        self.lab.call("POST /v1/subscriptions", params)
    }

    pub(super) fn subscribe(&mut self, more: Value) -> Value {
        self.try_subscribe(more).unwrap()
    }

    pub(super) fn change(&mut self, subscription: &Value, params: Value) -> Value {
        self.lab.ok(&format!("POST /v1/subscriptions/{}", id(subscription)), params)
    }

    pub(super) fn again(&mut self, subscription: &Value) -> Value {
        self.lab.get("subscription", &id(subscription))
    }

    pub(super) fn latest(&mut self, subscription: &Value) -> Value {
        let known = self.again(subscription);
        self.lab.get("invoice", known["latest_invoice"].as_str().unwrap())
    }

    pub(super) fn intent(&mut self, invoice: &Value) -> Value {
        let payments = self.lab.ok("GET /v1/invoice_payments", json!({"invoice": invoice["id"]}));
        let pi = payments["data"][0]["payment"]["payment_intent"].as_str().unwrap().to_owned();
        self.lab.get("payment_intent", &pi)
    }
}

pub(super) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

pub(super) fn price(lab: &mut Lab, amount: i64, interval: &str) -> String {
    let price = json!({"currency": "usd", "unit_amount": amount,
        "recurring": {"interval": interval, "interval_count": 1}, "product_data": {"name": "Plan"}});
    id(&lab.ok("POST /v1/prices", price))
}

/// The types of the events since a mark, without those of balances.
pub(super) fn since(lab: &Lab, mark: usize) -> Vec<String> {
    let mut events = lab.events().split_off(mark);
    events.retain(|kind| !kind.starts_with("balance") && kind != "charge.updated");
    events
}

#[test]
fn a_subscription_is_paid_with_the_default_card_and_tells_in_order() {
    let mut shop = Shop::new("pm_card_visa");
    let mark = shop.lab.events().len();
    let made = shop.subscribe(json!({}));
    let now = shop.lab.now.0;
    assert_eq!((&made["status"], &made["start_date"]), (&json!("active"), &json!(now)));
    assert_eq!(made["default_payment_method"], Value::Null, "the customer's is not copied");
    assert_eq!((&made["plan"]["id"], &made["quantity"]), (&json!(shop.price), &json!(1)));
    assert_eq!(made["billing_mode"]["type"], "flexible");
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(2_000)));
    assert_eq!((&invoice["attempt_count"], &invoice["attempted"]), (&json!(1), &json!(true)));
    assert_eq!((&invoice["period_start"], &invoice["period_end"]), (&json!(now), &json!(now)));
    assert!(invoice["number"].as_str().unwrap().ends_with("-0001"), "{}", invoice["number"]);
    let line = &invoice["lines"]["data"][0];
    assert_eq!(line["description"], "1 × Plan (at $20.00 / month)");
    assert_eq!(line["period"]["end"], made["items"]["data"][0]["current_period_end"]);
    let pi = shop.intent(&invoice);
    assert_eq!(
        (&pi["status"], &pi["description"]),
        (&json!("succeeded"), &json!("Subscription creation"))
    );
    assert_eq!(
        (&pi["capture_method"], &pi["setup_future_usage"]),
        (&json!("automatic"), &json!("off_session"))
    );
    assert_eq!(
        since(&shop.lab, mark),
        [
            "customer.subscription.created",
            "invoice.created",
            "payment_intent.created",
            "invoice.finalized",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.updated",
            "invoice_payment.paid",
            "invoice.paid",
            "invoice.payment_succeeded",
            "customer.updated",
        ]
    );
    let event = shop.lab.view().having("event", "type", "customer.subscription.created");
    assert_eq!(event[0]["data"]["object"]["status"], "active", "it tells what became of it");
    assert_eq!(shop.lab.get("customer", &shop.customer)["currency"], "usd");
}

#[test]
fn nobody_to_charge_is_refused_and_nothing_is_kept() {
    let mut shop = Shop::without_card();
    shop.lab.ok("POST /v1/payment_methods/pm_card_visa/attach", json!({"customer": shop.customer}));
    let failure = shop.try_subscribe(json!({})).unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (400, Some("resource_missing")));
    assert!(failure.message.starts_with("This customer has no attached payment source"));
    assert_eq!((shop.lab.view().count("subscription"), shop.lab.view().count("invoice")), (0, 0));
    let unknown = json!({"customer": "cus_nope", "items": [{"price": shop.price}]});
    let failure = shop.lab.call("POST /v1/subscriptions", unknown).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (404, Some("customer")));
}

#[test]
fn each_payment_behavior_does_its_own_with_a_card_that_authenticates() {
    let mut shop = Shop::new("pm_card_authenticationRequired");
    let made = shop.subscribe(json!({}));
    assert_eq!(made["status"], "incomplete");
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["status"], &invoice["attempted"]), (&json!("open"), &json!(true)));
    assert_eq!((&invoice["attempt_count"], &invoice["auto_advance"]), (&json!(0), &json!(true)));
    let pi = shop.intent(&invoice);
    assert_eq!(pi["status"], "requires_action");
    assert!(shop.lab.events().contains(&"invoice.payment_action_required".to_owned()));
    // Once its owner has authenticated, the subscription runs.
    shop.lab
        .change(|txn| {
            crate::sandbox::behaviour::payment::confirm::authenticate(txn, &id(&pi), true)
                .map(|_| ())
        })
        .unwrap();
    assert_eq!(shop.again(&made)["status"], "active");
    assert_eq!(shop.latest(&made)["status"], "paid");

    let failure =
        shop.try_subscribe(json!({"payment_behavior": "error_if_incomplete"})).unwrap_err();
    assert_eq!(failure.status, 402);
    assert_eq!(failure.code.as_deref(), Some("subscription_payment_intent_requires_action"));
    assert_eq!(shop.lab.view().count("subscription"), 1, "nothing is kept");

    let waiting = shop.subscribe(json!({"payment_behavior": "default_incomplete"}));
    assert_eq!(waiting["status"], "incomplete");
    let invoice = shop.latest(&waiting);
    assert_eq!((&invoice["attempted"], &invoice["attempt_count"]), (&json!(false), &json!(0)));

    let failure =
        shop.try_subscribe(json!({"payment_behavior": "pending_if_incomplete"})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("payment_behavior"));
}

#[test]
fn a_first_payment_that_is_declined_leaves_it_incomplete_until_it_expires() {
    let mut shop = Shop::new("pm_card_chargeCustomerFail");
    let made = shop.subscribe(json!({}));
    assert_eq!(made["status"], "incomplete");
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
    assert_eq!(shop.intent(&invoice)["status"], "requires_payment_method");
    assert!(shop.lab.events().contains(&"invoice.payment_failed".to_owned()));
    let failure =
        shop.try_subscribe(json!({"payment_behavior": "error_if_incomplete"})).unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (402, Some("card_declined")));
    assert_eq!(shop.lab.view().count("subscription"), 1);
    shop.lab.advance(23 * HOUR - 1);
    assert_eq!(shop.again(&made)["status"], "incomplete");
    shop.lab.advance(1);
    assert_eq!(shop.again(&made)["status"], "incomplete_expired");
    assert_eq!(shop.latest(&made)["status"], "void");
    // Another card would have saved it.
    let made = shop.subscribe(json!({}));
    shop.pay_with("pm_card_visa");
    let invoice = id(&shop.latest(&made));
    shop.lab.ok(&format!("POST /v1/invoices/{invoice}/pay"), json!({}));
    assert_eq!(shop.again(&made)["status"], "active");
}

#[test]
fn a_year_of_renewals_bills_each_month_once() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    shop.lab.advance(366 * DAY);
    let list = shop.lab.ok("GET /v1/invoices", json!({"subscription": made["id"], "limit": 100}));
    let invoices = list["data"].as_array().unwrap();
    assert_eq!(invoices.len(), 13);
    let mut periods: Vec<(i64, i64)> = invoices
        .iter()
        .map(|it| {
            assert_eq!(it["status"], "paid");
            let line = &it["lines"]["data"][0]["period"];
            (line["start"].as_i64().unwrap(), line["end"].as_i64().unwrap())
        })
        .collect();
    periods.sort_unstable();
    assert!(periods.windows(2).all(|pair| pair[0].1 == pair[1].0), "{periods:?}");
    let renewal = &invoices[0];
    assert_eq!(renewal["billing_reason"], "subscription_cycle");
    assert_eq!(
        renewal["period_end"], renewal["lines"]["data"][0]["period"]["start"],
        "it looks back"
    );
    let finalized = renewal["status_transitions"]["finalized_at"].as_i64().unwrap();
    assert_eq!(finalized - renewal["created"].as_i64().unwrap(), HOUR);
    assert!(renewal["number"].as_str().unwrap().ends_with("-0013"));
}

#[test]
fn a_renewal_that_fails_is_tried_again_and_ends_the_subscription_in_the_end() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    shop.pay_with("pm_card_chargeCustomerFail");
    shop.lab.advance(30 * DAY);
    let draft = shop.latest(&made);
    assert_eq!(draft["status"], "draft");
    assert_eq!(shop.again(&made)["status"], "active", "its hour is not over");
    shop.lab.advance(HOUR);
    assert_eq!(shop.again(&made)["status"], "past_due");
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
    let next = invoice["next_payment_attempt"].as_i64().unwrap();
    assert_eq!(next, shop.lab.now.0 + 3 * DAY);
    shop.lab.advance(3 * DAY);
    assert_eq!(shop.latest(&made)["attempt_count"], 2);
    // A card that works brings it back.
    shop.pay_with("pm_card_visa");
    shop.lab.advance(5 * DAY);
    assert_eq!(
        (&shop.again(&made)["status"], &shop.latest(&made)["status"]),
        (&json!("active"), &json!("paid"))
    );
    shop.pay_with("pm_card_chargeCustomerFail");
    shop.lab.advance(60 * DAY);
    let ended = shop.again(&made);
    assert_eq!(ended["status"], "canceled");
    assert_eq!(ended["cancellation_details"]["reason"], "payment_failed");
    assert_eq!(shop.latest(&made)["attempt_count"], 4);
}

#[test]
fn a_renewal_is_tried_again_when_the_account_says() {
    let mut shop = Shop::new("pm_card_visa");
    let set = |txn: &mut Txn<'_>| {
        let part = Settings::of(txn).with("dunning_retries", "1").unwrap();
        txn.put_record(RECORD.0, RECORD.1, "".into(), part);
        Ok(())
    };
    shop.lab.change(set).unwrap();
    let made = shop.subscribe(json!({}));
    shop.pay_with("pm_card_chargeCustomerFail");
    shop.lab.advance(30 * DAY + HOUR);
    assert_eq!(shop.latest(&made)["next_payment_attempt"], shop.lab.now.0 + DAY);
    shop.lab.advance(DAY);
    assert_eq!(shop.again(&made)["status"], "canceled", "the one attempt more was the last");
}

#[test]
fn a_trial_is_free_and_then_billed_or_paused_or_ended() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({"trial_period_days": 14}));
    let now = shop.lab.now.0;
    assert_eq!((&made["status"], &made["trial_end"]), (&json!("trialing"), &json!(now + 14 * DAY)));
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("paid"), &json!(0)));
    assert_eq!(invoice["lines"]["data"][0]["description"], "Free trial for 1 × Plan");
    shop.lab.advance(11 * DAY);
    assert!(shop.lab.events().contains(&"customer.subscription.trial_will_end".to_owned()));
    shop.lab.advance(3 * DAY + HOUR);
    assert_eq!(shop.again(&made)["status"], "active");
    let invoice = shop.latest(&made);
    assert_eq!(
        (&invoice["billing_reason"], &invoice["amount_paid"]),
        (&json!("subscription_cycle"), &json!(2_000))
    );

    for (behaviour, status) in
        [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")]
    {
        let mut shop = Shop::without_card();
        let made = shop.subscribe(json!({"trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": behaviour}}}));
        assert!(made["pending_setup_intent"].is_string());
        shop.lab.advance(7 * DAY + HOUR);
        assert_eq!(shop.again(&made)["status"], status, "{behaviour}");
    }
}

#[test]
fn a_paused_subscription_goes_on_once_it_is_paid() {
    let mut shop = Shop::without_card();
    let made = shop.subscribe(json!({"trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}));
    let resume = format!("POST /v1/subscriptions/{}/resume", id(&made));
    let failure = shop.lab.call(&resume, json!({})).unwrap_err();
    assert_eq!(failure.message, "You can only resume a subscription if it is `paused`.");
    shop.lab.advance(7 * DAY);
    let parked = shop.lab.ok(&resume, json!({}));
    assert_eq!(
        (&parked["status"], shop.latest(&made)["status"].clone()),
        (&json!("paused"), json!("open"))
    );
    assert_eq!(parked["pending_update"]["expires_at"], shop.lab.now.0 + 23 * HOUR);
    shop.pay_with("pm_card_visa");
    let invoice = id(&shop.latest(&made));
    shop.lab.ok(&format!("POST /v1/invoices/{invoice}/pay"), json!({}));
    assert_eq!(shop.again(&made)["status"], "active");
}

#[test]
fn a_change_of_price_is_prorated_and_billed_when_it_is_asked_for() {
    let mut shop = Shop::new("pm_card_visa");
    let dear = price(&mut shop.lab, 60_000, "month");
    let made = shop.subscribe(json!({}));
    let item = &made["items"]["data"][0];
    let length = item["current_period_end"].as_i64().unwrap() - shop.lab.now.0;
    shop.lab.advance(length * 2 / 3);
    let items = json!([{"id": item["id"], "price": dear}]);
    let mark = shop.lab.events().len();
    let after = shop.change(&made, json!({"items": items}));
    assert_eq!(after["latest_invoice"], made["latest_invoice"], "it waits for the next invoice");
    let pending =
        shop.lab.ok("GET /v1/invoiceitems", json!({"customer": shop.customer, "pending": true}));
    let amounts: Vec<i64> = pending["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(amounts, [-667, 20_000]);
    assert_eq!(
        since(&shop.lab, mark),
        ["invoiceitem.created", "invoiceitem.created", "customer.subscription.updated"]
    );
    let credit = &pending["data"][0];
    assert_eq!(credit["proration_details"]["credited_items"]["type"], "invoice_line_items");
    assert!(credit["description"].as_str().unwrap().starts_with("Unused time on Plan after "));

    let mut shop = Shop::new("pm_card_visa");
    let dear = price(&mut shop.lab, 60_000, "month");
    let made = shop.subscribe(json!({}));
    shop.lab.advance(length * 2 / 3);
    let items = json!([{"id": made["items"]["data"][0]["id"], "price": dear}]);
    shop.change(&made, json!({"items": items, "proration_behavior": "always_invoice"}));
    let invoice = shop.latest(&made);
    assert_eq!(
        (&invoice["billing_reason"], &invoice["total"]),
        (&json!("subscription_update"), &json!(19_333))
    );
    assert_eq!(
        (&invoice["status"], &invoice["period_start"]),
        (&json!("paid"), &made["start_date"])
    );
    let line = &invoice["lines"]["data"][0];
    assert_eq!(line["parent"]["subscription_item_details"]["proration"], true);
    assert_eq!(
        line["parent"]["subscription_item_details"]["proration_details"]["credited_items"]["invoice"],
        made["latest_invoice"]
    );
}

#[test]
fn what_is_given_back_waits_in_the_balance() {
    let mut shop = Shop::new("pm_card_visa");
    let cheap = price(&mut shop.lab, 1_000, "month");
    let made = shop.subscribe(json!({}));
    let item = &made["items"]["data"][0];
    let length = item["current_period_end"].as_i64().unwrap() - shop.lab.now.0;
    shop.lab.advance(length * 2 / 3);
    let items = json!([{"id": item["id"], "price": cheap}]);
    shop.change(&made, json!({"items": items, "proration_behavior": "always_invoice"}));
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["total"], &invoice["amount_due"]), (&json!(-334), &json!(0)));
    assert_eq!((&invoice["status"], &invoice["ending_balance"]), (&json!("paid"), &json!(-334)));
    assert_eq!(shop.lab.get("customer", &shop.customer)["balance"], -334);
    shop.lab.advance(length / 3 + HOUR);
    let renewal = shop.latest(&made);
    assert_eq!((&renewal["total"], &renewal["amount_paid"]), (&json!(1_000), &json!(666)));
    assert_eq!(
        (&renewal["starting_balance"], &renewal["ending_balance"]),
        (&json!(-334), &json!(0))
    );
}

#[test]
fn another_interval_keeps_the_anchor_or_begins_anew() {
    for (mode, anew) in [("flexible", false), ("classic", true)] {
        let mut shop = Shop::new("pm_card_visa");
        let yearly = price(&mut shop.lab, 25_000, "year");
        let made = shop.subscribe(json!({"billing_mode": {"type": mode}}));
        let start = shop.lab.now.0;
        shop.lab.advance(4);
        let items = json!([{"id": made["items"]["data"][0]["id"], "price": yearly}]);
        let after =
            shop.change(&made, json!({"items": items, "proration_behavior": "always_invoice"}));
        let invoice = shop.latest(&made);
        assert_eq!(
            (&invoice["total"], &invoice["status"]),
            (&json!(23_000), &json!("paid")),
            "{mode}"
        );
        let anchor = if anew { start + 4 } else { start };
        assert_eq!(after["billing_cycle_anchor"], anchor, "{mode}");
        assert_eq!(after["items"]["data"][0]["current_period_start"], anchor, "{mode}");
        let said: Vec<&str> = invoice["lines"]["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["description"].as_str().unwrap())
            .collect();
        assert!(said[0].starts_with("Unused time on Plan after"), "{said:?}");
        let second =
            if anew { "1 × Plan (at $250.00 / year)" } else { "Remaining time on Plan after" };
        assert!(said[1].starts_with(second), "{said:?}");
        assert_eq!(invoice["period_start"], anchor, "{mode}");
    }
}

#[test]
fn an_end_is_planned_taken_back_and_comes() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    let end = made["items"]["data"][0]["current_period_end"].clone();
    let ending = shop.change(&made, json!({"cancel_at_period_end": true}));
    assert_eq!((&ending["cancel_at"], &ending["canceled_at"]), (&end, &json!(shop.lab.now.0)));
    assert_eq!(ending["cancellation_details"]["reason"], "cancellation_requested");
    let back = shop.change(&made, json!({"cancel_at_period_end": false}));
    assert_eq!((&back["cancel_at"], &back["canceled_at"]), (&Value::Null, &Value::Null));
    let asked = shop.lab.now.0;
    shop.change(&made, json!({"cancel_at_period_end": true}));
    shop.lab.advance(40 * DAY);
    let ended = shop.again(&made);
    assert_eq!((&ended["status"], &ended["canceled_at"]), (&json!("canceled"), &json!(asked)));
    assert_eq!((&ended["ended_at"], &ended["latest_invoice"]), (&end, &made["latest_invoice"]));
    let path = format!("/v1/subscriptions/{}", id(&made));
    let failure = shop.lab.call(&format!("DELETE {path}"), json!({})).unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (404, Some("resource_missing")));
    let failure =
        shop.lab.call(&format!("POST {path}"), json!({"cancel_at_period_end": true})).unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("invalid_canceled_subscription_fields"));
    let list = shop.lab.ok("GET /v1/subscriptions", json!({"customer": shop.customer}));
    assert!(list["data"].as_array().unwrap().is_empty());
    let list =
        shop.lab.ok("GET /v1/subscriptions", json!({"customer": shop.customer, "status": "all"}));
    assert_eq!(list["data"][0]["id"], made["id"]);
}

#[test]
fn canceling_now_gives_back_only_when_it_is_asked_to() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    let path = format!("DELETE /v1/subscriptions/{}", id(&made));
    shop.lab.advance(10 * DAY);
    let ended = shop.lab.ok(&path, json!({"prorate": true}));
    assert_eq!(
        (&ended["status"], &ended["ended_at"]),
        (&json!("canceled"), &json!(shop.lab.now.0))
    );
    let pending =
        shop.lab.ok("GET /v1/invoiceitems", json!({"customer": shop.customer, "pending": true}));
    assert_eq!(pending["data"].as_array().unwrap().len(), 1);
    assert!(pending["data"][0]["amount"].as_i64().unwrap() < 0);
    let types = shop.lab.events();
    assert!(types.contains(&"customer.subscription.deleted".to_owned()));
    shop.lab.advance(60 * DAY);
    assert_eq!(shop.lab.view().count("invoice"), 1, "nothing is billed any more");
}

#[test]
fn invoices_go_from_draft_to_their_ends_and_refuse_the_rest() {
    let mut shop = Shop::new("pm_card_visa");
    let item = json!({"customer": shop.customer, "amount": 1_500, "currency": "usd", "description": "Set-up"});
    shop.lab.ok("POST /v1/invoiceitems", item);
    let empty =
        shop.lab.ok("POST /v1/invoices", json!({"customer": shop.customer, "currency": "usd"}));
    assert_eq!(
        (&empty["total"], &empty["auto_advance"]),
        (&json!(0), &json!(false)),
        "pending items stay"
    );
    let include = json!({"customer": shop.customer, "currency": "usd", "pending_invoice_items_behavior": "include"});
    let draft = shop.lab.ok("POST /v1/invoices", include);
    assert_eq!((&draft["amount_due"], &draft["number"]), (&json!(1_500), &Value::Null));
    let path = format!("/v1/invoices/{}", id(&draft));
    let open = shop.lab.ok(&format!("POST {path}/finalize"), json!({}));
    assert_eq!((&open["status"], &open["attempted"]), (&json!("open"), &json!(false)));
    let again = shop.lab.call(&format!("POST {path}/finalize"), json!({})).unwrap_err();
    assert_eq!(
        again.message,
        "This invoice is already finalized, you can't re-finalize a non-draft invoice."
    );
    let paid = shop.lab.ok(&format!("POST {path}/pay"), json!({}));
    assert_eq!((&paid["status"], &paid["attempt_count"]), (&json!("paid"), &json!(1)));
    assert_eq!(shop.intent(&paid)["description"], "Payment for Invoice");
    let void = shop.lab.call(&format!("POST {path}/void"), json!({})).unwrap_err();
    assert_eq!(void.message, "Invoices with `paid` payments cannot be voided.");
    let gone = shop.lab.call(&format!("DELETE {path}"), json!({})).unwrap_err();
    assert_eq!(gone.message, "You can only delete draft invoices.");
    let stub = shop.lab.ok(&format!("DELETE /v1/invoices/{}", id(&empty)), json!({}));
    assert_eq!(stub["deleted"], true);
}

#[test]
fn an_invoice_is_voided_given_up_or_paid_elsewhere() {
    let mut shop = Shop::new("pm_card_visa");
    let open = |lab: &mut Lab| {
        let draft =
            lab.ok("POST /v1/invoices", json!({"customer": shop.customer, "currency": "usd"}));
        let add = json!({"lines": [{"description": "Work", "amount": 3_000}]});
        lab.ok(&format!("POST /v1/invoices/{}/add_lines", id(&draft)), add);
        id(&lab.ok(&format!("POST /v1/invoices/{}/finalize", id(&draft)), json!({})))
    };
    let lab = &mut shop.lab;
    let void = open(lab);
    let after = lab.ok(&format!("POST /v1/invoices/{void}/void"), json!({}));
    assert_eq!((&after["status"], &after["amount_remaining"]), (&json!("void"), &json!(3_000)));
    let payments = lab.ok("GET /v1/invoice_payments", json!({"invoice": void}));
    assert_eq!(payments["data"][0]["status"], "canceled");
    let bad = open(lab);
    lab.ok(&format!("POST /v1/invoices/{bad}/mark_uncollectible"), json!({}));
    let twice =
        lab.call(&format!("POST /v1/invoices/{bad}/mark_uncollectible"), json!({})).unwrap_err();
    assert_eq!(twice.message, "This invoice has already been marked uncollectible.");
    let elsewhere = open(lab);
    let paid =
        lab.ok(&format!("POST /v1/invoices/{elsewhere}/pay"), json!({"paid_out_of_band": true}));
    assert_eq!((&paid["status"], &paid["attempted"]), (&json!("paid"), &json!(false)));
    let lines = format!("POST /v1/invoices/{elsewhere}/add_lines");
    let late = lab.call(&lines, json!({"lines": [{"amount": 1}]})).unwrap_err();
    assert_eq!(late.code.as_deref(), Some("invoice_not_editable"));
}

#[test]
fn coupons_and_taxes_come_off_and_on_in_that_order() {
    let mut shop = Shop::new("pm_card_visa");
    let coupon = shop.lab.ok("POST /v1/coupons", json!({"percent_off": 10, "duration": "once"}));
    let rate = json!({"display_name": "GST", "percentage": 5, "inclusive": false});
    let rate = shop.lab.ok("POST /v1/tax_rates", rate);
    let made = shop.subscribe(
        json!({"discounts": [{"coupon": coupon["id"]}], "default_tax_rates": [rate["id"]]}),
    );
    assert_eq!(made["discounts"], json!([]), "once is used up");
    let invoice = shop.latest(&made);
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(2_000), &json!(1_890)));
    assert_eq!(invoice["total_discount_amounts"][0]["amount"], 200);
    assert_eq!(
        (&invoice["total_taxes"][0]["amount"], &invoice["total_taxes"][0]["taxable_amount"]),
        (&json!(90), &json!(1_800))
    );
    assert_eq!(invoice["lines"]["data"][0]["amount"], 2_000);
    shop.lab.advance(32 * DAY);
    assert_eq!(shop.latest(&made)["total"], 2_100);
}

#[test]
fn a_paused_collection_keeps_the_status_and_voids_the_invoices() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    let paused = shop.change(&made, json!({"pause_collection": {"behavior": "void"}}));
    assert_eq!(paused["pause_collection"], json!({"behavior": "void", "resumes_at": null}));
    shop.lab.advance(31 * DAY + HOUR);
    assert_eq!(
        (&shop.again(&made)["status"], &shop.latest(&made)["status"]),
        (&json!("active"), &json!("void"))
    );
    let on = shop.change(&made, json!({"pause_collection": null}));
    assert_eq!(on["pause_collection"], Value::Null);
}

#[test]
fn items_are_endpoints_of_their_own() {
    let mut shop = Shop::new("pm_card_visa");
    let extra = price(&mut shop.lab, 500, "month");
    let made = shop.subscribe(json!({}));
    let first = made["items"]["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/subscription_items/{first}");
    let changed =
        shop.lab.ok(&format!("POST {path}"), json!({"quantity": 3, "proration_behavior": "none"}));
    assert_eq!(changed["quantity"], 3);
    assert_eq!(shop.again(&made)["quantity"], 3);
    let added = shop
        .lab
        .ok("POST /v1/subscription_items", json!({"subscription": made["id"], "price": extra}));
    let list = shop.lab.ok("GET /v1/subscription_items", json!({"subscription": made["id"]}));
    assert_eq!(
        (&list["data"][0]["id"], &list["data"][1]["id"]),
        (&json!(first), &added["id"]),
        "oldest first"
    );
    assert_eq!(shop.again(&made)["plan"], Value::Null, "there are two");
    let gone = shop.lab.ok(&format!("DELETE {path}"), json!({}));
    assert_eq!(gone, json!({"id": first, "object": "subscription_item", "deleted": true}));
    let failure = shop.lab.call("GET /v1/subscription_items/si_nope", json!({})).unwrap_err();
    assert_eq!(
        (failure.status, failure.message.as_str()),
        (404, "Invalid subscription_item id: si_nope")
    );
}

#[test]
fn a_preview_keeps_nothing() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    let before = (shop.lab.view().count("invoice"), shop.lab.events().len());
    let next = shop.lab.ok("POST /v1/invoices/create_preview", json!({"subscription": made["id"]}));
    assert!(next["id"].as_str().unwrap().starts_with("upcoming_in_"));
    assert_eq!(
        (&next["total"], &next["status"], &next["number"]),
        (&json!(2_000), &json!("draft"), &Value::Null)
    );
    let dear = price(&mut shop.lab, 60_000, "month");
    let items = json!([{"id": made["items"]["data"][0]["id"], "price": dear}]);
    let details = json!({"items": items, "proration_behavior": "always_invoice"});
    let now = shop.lab.ok(
        "POST /v1/invoices/create_preview",
        json!({"subscription": made["id"], "subscription_details": details}),
    );
    assert_eq!(now["total"], 58_000);
    assert_eq!(
        (shop.lab.view().count("invoice"), shop.lab.events().len() - 2),
        before,
        "but the price's events"
    );
    let nobody = shop.lab.call("POST /v1/invoices/create_preview", json!({})).unwrap_err();
    assert!(nobody.message.starts_with("You must either provide a `customer`"));
}

#[test]
fn checkout_sells_what_comes_again() {
    use crate::sandbox::behaviour::checkout::attempt::{self, Means, Payer};
    let mut shop = Shop::without_card();
    let params = json!({"mode": "subscription", "success_url": "https://shop.example/ok",
        "line_items": [{"price": shop.price, "quantity": 2}],
        "subscription_data": {"metadata": {"plan": "gold"}}});
    let open = |shop: &mut Shop| id(&shop.lab.ok("POST /v1/checkout/sessions", params.clone()));
    let pay = |shop: &mut Shop, session: &str, card: &str| {
        let means = Means::Method(card.to_owned());
        shop.lab.change(|txn| attempt::pay(txn, session, &means, &Payer::default()))
    };
    let session = open(&mut shop);
    let refused = pay(&mut shop, &session, "pm_card_chargeCustomerFail").unwrap_err();
    assert_eq!((refused.status, refused.code.as_deref()), (402, Some("card_declined")));
    assert_eq!(shop.lab.get("checkout.session", &session)["status"], "open");
    pay(&mut shop, &session, "pm_card_visa").unwrap();
    let done = shop.lab.get("checkout.session", &session);
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(done["payment_intent"], Value::Null);
    let made = shop.lab.get("subscription", done["subscription"].as_str().unwrap());
    assert_eq!((&made["status"], &made["quantity"]), (&json!("active"), &json!(2)));
    assert_eq!((&made["customer"], &made["metadata"]["plan"]), (&done["customer"], &json!("gold")));
    assert_eq!(done["invoice"], made["latest_invoice"]);
    assert_eq!(shop.lab.view().count("subscription"), 1, "both tries are about one");
    shop.lab.advance(32 * DAY);
    assert_eq!(shop.latest(&made)["amount_paid"], 4_000, "its card pays the next one too");
}

#[test]
fn credit_notes_take_off_what_is_due_and_give_back_what_was_paid() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    let paid = shop.latest(&made);
    let line = json!([{"type": "custom_line_item", "description": "Late", "quantity": 1, "unit_amount": 500}]);
    let wrong = json!({"invoice": paid["id"], "lines": line});
    assert_eq!(shop.lab.call("POST /v1/credit_notes", wrong).unwrap_err().status, 400);
    let note =
        json!({"invoice": paid["id"], "lines": line, "refund_amount": 300, "credit_amount": 200});
    let seen = shop.lab.view().count("credit_note");
    shop.lab.ok("GET /v1/credit_notes/preview", note.clone());
    assert_eq!(shop.lab.view().count("credit_note"), seen, "a preview keeps nothing");
    let note = shop.lab.ok("POST /v1/credit_notes", note);
    assert_eq!(
        (&note["type"], &note["total"], &note["post_payment_amount"]),
        (&json!("post_payment"), &json!(500), &json!(500))
    );
    assert_eq!(note["number"], format!("{}-CN-01", paid["number"].as_str().unwrap()));
    let refund = shop.lab.get("refund", note["refunds"][0]["refund"].as_str().unwrap());
    assert_eq!(refund["amount"], 300);
    assert_eq!(shop.lab.get("customer", &shop.customer)["balance"], -200);
    let after = shop.latest(&made);
    assert_eq!(
        (&after["status"], &after["post_payment_credit_notes_amount"]),
        (&json!("paid"), &json!(500))
    );

    let draft =
        shop.lab.ok("POST /v1/invoices", json!({"customer": shop.customer, "currency": "usd"}));
    let path = format!("POST /v1/invoices/{}", id(&draft));
    shop.lab.ok(&format!("{path}/add_lines"), json!({"lines": [{"amount": 3_000}]}));
    let open = shop.lab.ok(&format!("{path}/finalize"), json!({}));
    assert_eq!((&open["amount_due"], &open["starting_balance"]), (&json!(2_800), &json!(-200)));
    let note = shop.lab.ok("POST /v1/credit_notes", json!({"invoice": open["id"], "amount": 800}));
    assert_eq!((&note["type"], &note["pre_payment_amount"]), (&json!("pre_payment"), &json!(800)));
    assert_eq!(shop.lab.get("invoice", &id(&open))["amount_due"], 2_000);
    shop.lab.ok(&format!("POST /v1/credit_notes/{}/void", id(&note)), json!({}));
    assert_eq!(shop.intent(&open)["amount"], 2_800);
}

#[test]
fn a_balance_is_changed_by_hand() {
    let mut shop = Shop::new("pm_card_visa");
    let path = format!("/v1/customers/{}/balance_transactions", shop.customer);
    let made = json!({"amount": -500, "currency": "usd", "description": "Sorry"});
    let made = shop.lab.ok(&format!("POST {path}"), made);
    assert_eq!((&made["type"], &made["ending_balance"]), (&json!("adjustment"), &json!(-500)));
    let subscription = shop.subscribe(json!({}));
    assert_eq!(shop.latest(&subscription)["amount_paid"], 1_500);
    let list = shop.lab.ok(&format!("GET {path}"), json!({}));
    let types: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["applied_to_invoice", "adjustment"]);
}

#[test]
fn plans_are_recurring_prices() {
    let mut shop = Shop::new("pm_card_visa");
    let plan = json!({"id": "small", "currency": "usd", "amount": 900, "interval": "week", "product": {"name": "Small"}});
    let plan = shop.lab.ok("POST /v1/plans", plan);
    assert_eq!(
        (&plan["id"], &plan["amount"], &plan["interval_count"]),
        (&json!("small"), &json!(900), &json!(1))
    );
    assert_eq!(shop.lab.ok("GET /v1/prices/small", json!({}))["recurring"]["interval"], "week");
    let made = shop.lab.ok(
        "POST /v1/subscriptions",
        json!({"customer": shop.customer, "items": [{"plan": "small"}]}),
    );
    assert_eq!(made["plan"]["id"], "small");
    let unknown = json!({"customer": shop.customer, "items": [{"plan": "large"}]});
    let failure = shop.lab.call("POST /v1/subscriptions", unknown).unwrap_err();
    assert_eq!(failure.message, "No such plan: 'large'");
}

#[test]
fn a_clock_takes_its_customers_through_time_and_no_others() {
    let mut lab = Lab::new();
    let start = lab.now.0;
    let clock =
        lab.ok("POST /v1/test_helpers/test_clocks", json!({"frozen_time": start, "name": "Year"}));
    let path = format!("/v1/test_helpers/test_clocks/{}", id(&clock));
    let customer =
        lab.ok("POST /v1/customers", json!({"email": "a@example.com", "test_clock": clock["id"]}));
    let mut shop = Shop { price: price(&mut lab, 2_000, "month"), customer: id(&customer), lab };
    shop.pay_with("pm_card_visa");
    let made = shop.subscribe(json!({}));
    assert_eq!(made["test_clock"], clock["id"]);
    let moving =
        shop.lab.ok(&format!("POST {path}/advance"), json!({"frozen_time": start + 32 * DAY}));
    assert_eq!((&moving["status"], &moving["frozen_time"]), (&json!("advancing"), &json!(start)));
    let twice =
        shop.lab.call(&format!("POST {path}/advance"), json!({"frozen_time": start + 33 * DAY}));
    assert_eq!(twice.unwrap_err().status, 400);
    shop.lab.advance(1);
    let ready = shop.lab.ok(&format!("GET {path}"), json!({}));
    assert_eq!(
        (&ready["status"], &ready["frozen_time"]),
        (&json!("ready"), &json!(start + 32 * DAY))
    );
    let invoice = shop.latest(&made);
    assert_eq!(
        (&invoice["billing_reason"], &invoice["status"]),
        (&json!("subscription_cycle"), &json!("paid"))
    );
    assert_eq!(invoice["test_clock"], clock["id"]);
    assert_eq!(invoice["created"], made["items"]["data"][0]["current_period_end"]);
    let far = shop
        .lab
        .call(&format!("POST {path}/advance"), json!({"frozen_time": start + 300 * DAY}))
        .unwrap_err();
    assert_eq!(far.param.as_deref(), Some("frozen_time"));
    for _ in 0..2 {
        shop.lab.ok("POST /v1/customers", json!({"test_clock": clock["id"]}));
    }
    let fourth =
        shop.lab.call("POST /v1/customers", json!({"test_clock": clock["id"]})).unwrap_err();
    assert_eq!(fourth.param.as_deref(), Some("test_clock"));
    let gone = shop.lab.ok(&format!("DELETE {path}"), json!({}));
    assert_eq!(gone["deleted"], true);
    assert_eq!(shop.again(&made)["status"], "canceled");
    assert_eq!(shop.lab.get("customer", &shop.customer)["deleted"], true);
}
