//! A trade from its product to its refund, on a clock that is moved.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::cards::CardEntry;
use crate::sandbox::creem::document::Asked;
use crate::sandbox::creem::pay::{self, Payer};
use crate::sandbox::creem::{ACCOUNT, check, subscription, table};
use crate::sandbox::engine::private::{CreemPart, Envelope};
use crate::sandbox::engine::state::{Scope, Table};
use crate::sandbox::engine::txn::View;
use crate::sandbox::jobs::run_some;
use crate::sandbox::testing::Lab;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

const DAY_S: i64 = 86_400;

/// A sandbox in which Creem is called.
struct Desk(Lab);

impl Desk {
    fn new() -> Self {
        Self(Lab::new())
    }

    fn call(&mut self, method: &str, path: &str, sent: Value) -> Result<Value, Failure> {
        let (endpoint, ids) = table::find(method, path).expect("an endpoint");
        let Value::Object(sent) = sent else { panic!("parameters are an object") };
        let params = check::body(endpoint.fields, &sent)
            .unwrap_or_else(|faults| panic!("{path}: {faults:?}"));
        let asked = Asked { ids, params, key: "creem_test_key".to_owned(), idempotency_key: None };
        self.0.change(|txn| txn.in_account(ACCOUNT, |txn| (endpoint.run)(txn, &asked)))
    }

    fn ok(&mut self, method: &str, path: &str, sent: Value) -> Value {
        self.call(method, path, sent).unwrap_or_else(|failure| panic!("{path}: {failure:?}"))
    }

    fn view(&self) -> View {
        self.0.view().at(ACCOUNT)
    }

    /// Moves the clock, and has happen what is due until then.
    fn advance(&mut self, seconds: i64) {
        let until = self.0.now.plus(seconds);
        let own: [Scope; 1] = [self.view().scope().clone()];
        while self.0.change(|txn| Ok(run_some(txn, &own, until))).unwrap().is_some() {}
        self.0.now = until;
    }

    /// The types of the events since the last call, oldest first.
    fn told(&mut self, seen: &mut u64) -> Vec<String> {
        let (view, before) = (self.view(), *seen);
        // Those of a month ago are gone: what is new is told by its place, not by its number.
        let fresh = view.table("event").into_iter().flat_map(Table::all);
        let fresh = fresh.filter(|stored| stored.seq > before);
        fresh
            .map(|stored| {
                *seen = stored.seq;
                stored.part::<Envelope>().unwrap().kind.to_string()
            })
            .collect()
    }

    fn product(&mut self, more: &Value) -> String {
        let mut sent = json!({"name": "Pro", "description": "d", "price": 1_000, "currency": "EUR",
            "billing_type": "recurring", "billing_period": "every-month"});
        for (name, value) in more.as_object().unwrap() {
            sent[name.as_str()] = value.clone();
        }
        let made = self.ok("POST", "products", sent);
        made["id"].as_str().unwrap().to_owned()
    }

    fn checkout(&mut self, product: &str, more: &Value) -> String {
        let mut sent = json!({"product_id": product});
        for (name, value) in more.as_object().unwrap() {
            sent[name.as_str()] = value.clone();
        }
        self.ok("POST", "checkouts", sent)["id"].as_str().unwrap().to_owned()
    }

    fn pay(&mut self, checkout: &str, card: &str) -> Result<Value, Failure> {
        let payer = Payer {
            email: "jenny@example.com".to_owned(),
            card: Some(CardEntry {
                number: card.to_owned(),
                exp_month: 12,
                exp_year: 2050,
                cvc: Some("123".to_owned()),
                ..CardEntry::default()
            }),
            ..Payer::default()
        };
        let paid =
            self.0.change(|txn| txn.in_account(ACCOUNT, |txn| pay::pay(txn, checkout, &payer)));
        paid.map(|paid| paid.document())
    }

    /// A subscription to a product that was paid with a card: its id.
    fn subscribe(&mut self, more: &Value, card: &str) -> String {
        let product = self.product(more);
        let checkout = self.checkout(&product, &json!({}));
        let paid = self.pay(&checkout, card).unwrap();
        paid["subscription"].as_str().unwrap().to_owned()
    }

    fn subscription(&mut self, id: &str) -> Value {
        self.ok("GET", "subscriptions", json!({"subscription_id": id}))
    }

    fn paid_sums(&self) -> Vec<i64> {
        let mut sums: Vec<i64> = self
            .view()
            .newest("transaction")
            .filter(|it| it["status"] == "paid")
            .map(|it| it["amount_paid"].as_i64().unwrap())
            .collect();
        sums.reverse();
        sums
    }
}

const GOOD: &str = "4242424242424242";
const FAILS_LATER: &str = "4000000000000341";

#[test]
fn a_subscription_is_bought_told_of_and_renewed_each_month() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    desk.0.now = Timestamp::read("2027-01-31T10:00:00Z").unwrap();
    let product = desk.product(&json!({}));
    let checkout =
        desk.checkout(&product, &json!({"metadata": {"userId": "u1"}, "request_id": "r1"}));
    desk.pay(&checkout, GOOD).unwrap();
    assert_eq!(
        desk.told(&mut seen),
        ["checkout.completed", "subscription.active", "subscription.paid"]
    );
    let done = desk.ok("GET", "checkouts", json!({"checkout_id": checkout}));
    assert_eq!(
        (&done["status"], &done["order"]["type"]),
        (&json!("completed"), &json!("recurring"))
    );
    assert_eq!(done["subscription"]["metadata"]["userId"], "u1");
    let id = done["subscription"]["id"].as_str().unwrap().to_owned();
    let shown = desk.subscription(&id);
    assert_eq!(shown["current_period_end_date"], "2027-02-28T10:00:00.000Z");
    assert_eq!(shown["last_transaction"]["amount_paid"], 1_000);
    for _ in 0..2 {
        desk.advance(30 * DAY_S);
        assert_eq!(desk.told(&mut seen), ["subscription.paid"]);
    }
    let shown = desk.subscription(&id);
    assert_eq!(shown["current_period_start_date"], "2027-03-31T10:00:00.000Z", "no drift");
    assert_eq!(desk.paid_sums(), [1_000, 1_000, 1_000]);
    assert!(desk.pay(&checkout, GOOD).is_err(), "it is paid once");
}

#[test]
fn a_renewal_that_fails_is_past_due_tried_again_unpaid_and_over() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    let id = desk.subscribe(&json!({}), FAILS_LATER);
    desk.told(&mut seen);
    desk.advance(32 * DAY_S);
    assert_eq!(desk.told(&mut seen), ["subscription.past_due", "subscription.expired"]);
    assert_eq!(desk.subscription(&id)["status"], "past_due");
    // Tried again after 3, 5 and 7 days.
    desk.advance(15 * DAY_S);
    assert_eq!(desk.told(&mut seen), ["subscription.unpaid"]);
    desk.advance(40 * DAY_S);
    assert_eq!(desk.told(&mut seen), ["subscription.canceled"]);
    let shown = desk.subscription(&id);
    assert_eq!((&shown["status"], shown["canceled_at"].is_string()), (&json!("canceled"), true));
    assert_eq!(desk.paid_sums(), [1_000]);
    desk.advance(400 * DAY_S);
    assert!(desk.told(&mut seen).is_empty(), "what is over stays so");
}

#[test]
fn a_renewal_fails_on_demand_and_is_made_good() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    let id = desk.subscribe(&json!({}), GOOD);
    let decide = |desk: &mut Desk, fails: bool| {
        let id = id.clone();
        let edit = |part: &mut CreemPart| part.fails = fails;
        let done = desk.0.change(|txn| {
            txn.in_account(ACCOUNT, |txn| txn.edit_part(subscription::KIND, &id, edit));
            Ok(())
        });
        done.unwrap();
    };
    desk.told(&mut seen);
    decide(&mut desk, true);
    desk.advance(32 * DAY_S);
    assert_eq!(desk.subscription(&id)["status"], "past_due");
    decide(&mut desk, false);
    desk.advance(4 * DAY_S);
    assert_eq!(
        desk.told(&mut seen),
        ["subscription.past_due", "subscription.expired", "subscription.paid"]
    );
    assert_eq!(desk.subscription(&id)["status"], "active");
}

#[test]
fn a_trial_is_charged_when_it_ends() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    let id = desk.subscribe(&json!({"trial_period_days": 7}), GOOD);
    assert_eq!(desk.told(&mut seen), ["checkout.completed", "subscription.trialing"]);
    assert!(desk.paid_sums().is_empty());
    desk.advance(8 * DAY_S);
    assert_eq!(desk.told(&mut seen), ["subscription.active", "subscription.paid"]);
    assert_eq!(
        (desk.paid_sums(), &desk.subscription(&id)["status"]),
        (vec![1_000], &json!("active"))
    );
}

#[test]
fn a_subscription_ends_at_once_or_with_its_period_and_pauses_and_goes_on() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    let id = desk.subscribe(&json!({}), GOOD);
    let path = |act: &str| format!("subscriptions/{id}/{act}");
    desk.told(&mut seen);
    desk.ok("POST", &path("cancel"), json!({"mode": "scheduled"}));
    assert_eq!(desk.subscription(&id)["status"], "scheduled_cancel");
    desk.ok("POST", &path("resume"), json!({}));
    assert_eq!(desk.told(&mut seen), ["subscription.scheduled_cancel", "subscription.update"]);
    desk.ok("POST", &path("cancel"), json!({"mode": "scheduled", "onExecute": "pause"}));
    assert_eq!(desk.told(&mut seen), ["subscription.scheduled_cancel"]);
    desk.advance(32 * DAY_S);
    assert_eq!(desk.told(&mut seen), ["subscription.paused"]);
    desk.advance(100 * DAY_S);
    assert_eq!(desk.paid_sums(), [1_000], "a pause costs nothing");
    desk.ok("POST", &path("resume"), json!({}));
    assert_eq!(desk.told(&mut seen), ["subscription.update", "subscription.paid"]);
    assert_eq!(desk.paid_sums(), [1_000, 1_000]);
    desk.ok("POST", &path("pause"), json!({}));
    desk.ok("POST", &path("resume"), json!({}));
    assert_eq!(desk.paid_sums(), [1_000, 1_000], "what was paid for goes on");
    desk.ok("POST", &path("cancel"), json!({"mode": "immediate"}));
    assert_eq!(desk.subscription(&id)["status"], "canceled");
    assert_eq!(desk.call("POST", &path("cancel"), json!({})).unwrap_err().status, 400);
    desk.advance(100 * DAY_S);
    assert_eq!(desk.paid_sums(), [1_000, 1_000]);
}

#[test]
fn a_change_is_charged_now_or_later_or_not_at_all() {
    for (behaviour, now, next) in [
        ("proration-charge-immediately", vec![1_000, 1_000], 3_000),
        ("proration-charge", vec![1_000], 4_000),
        ("proration-none", vec![1_000], 3_000),
    ] {
        let mut desk = Desk::new();
        let id = desk.subscribe(&json!({"billing_period": "custom", "recurring_interval": "day", "recurring_interval_count": 30}), GOOD);
        desk.advance(15 * DAY_S);
        let more = desk.product(&json!({"price": 3_000, "billing_period": "custom", "recurring_interval": "day", "recurring_interval_count": 30}));
        let sent = json!({"product_id": more, "update_behavior": behaviour});
        let shown = desk.ok("POST", &format!("subscriptions/{id}/upgrade"), sent);
        assert_eq!(shown["product"]["id"], json!(more), "{behaviour}");
        assert_eq!(desk.paid_sums(), now, "{behaviour}");
        desk.advance(16 * DAY_S);
        assert_eq!(desk.paid_sums().last(), Some(&next), "{behaviour}");
    }
}

#[test]
fn units_are_changed_and_what_costs_less_is_taken_off_the_next_payment() {
    let mut desk = Desk::new();
    let product = desk.product(&json!({"billing_period": "custom", "recurring_interval": "day", "recurring_interval_count": 30}));
    let checkout = desk.checkout(&product, &json!({"units": 3}));
    let id = desk.pay(&checkout, GOOD).unwrap()["subscription"].as_str().unwrap().to_owned();
    desk.advance(15 * DAY_S);
    let item = desk.subscription(&id)["items"][0]["id"].clone();
    let sent = json!({"items": [{"id": item, "units": 1}], "update_behavior": "proration-charge-immediately"});
    desk.ok("POST", &format!("subscriptions/{id}"), sent);
    desk.advance(16 * DAY_S);
    assert_eq!(desk.paid_sums(), [3_000], "1,000 are due, and 1,000 were paid too much");
    desk.advance(30 * DAY_S);
    assert_eq!(desk.paid_sums(), [3_000, 1_000]);
    let unknown = json!({"items": [{"id": "sitem_none", "units": 1}]});
    assert_eq!(desk.call("POST", &format!("subscriptions/{id}"), unknown).unwrap_err().status, 404);
}

#[test]
fn an_upgrade_to_another_rhythm_begins_a_period() {
    let mut desk = Desk::new();
    let id = desk.subscribe(&json!({}), GOOD);
    let yearly = desk.product(&json!({"price": 10_000, "billing_period": "every-year"}));
    desk.ok("POST", &format!("subscriptions/{id}/upgrade"), json!({"product_id": yearly}));
    assert_eq!(desk.paid_sums(), [1_000, 9_000], "the unused month is taken off");
    let until = desk.0.now.plus_months(12).rfc3339().replace('Z', ".000Z");
    assert_eq!(desk.subscription(&id)["current_period_end_date"], until);
}

#[test]
fn a_refund_takes_all_back_once_and_a_dispute_too() {
    let (mut desk, mut seen) = (Desk::new(), 0);
    desk.subscribe(&json!({}), GOOD);
    desk.told(&mut seen);
    let id = desk.view().newest("transaction").next().unwrap()["id"].clone();
    let refunded = desk.ok("POST", "refunds", json!({"transaction_id": id}));
    assert_eq!(refunded, json!({"status": "succeeded"}));
    assert_eq!(desk.told(&mut seen), ["refund.created"]);
    let shown = desk.ok("GET", "transactions", json!({"transaction_id": id}));
    assert_eq!((&shown["status"], &shown["refunded_amount"]), (&json!("refunded"), &json!(1_000)));
    assert_eq!(
        desk.call("POST", "refunds", json!({"transaction_id": id})).unwrap_err().status,
        400
    );
    assert_eq!(
        desk.call("POST", "refunds", json!({"transaction_id": "tran_0"})).unwrap_err().status,
        404
    );
}

#[test]
fn a_discount_holds_for_as_long_as_it_says_and_for_so_many() {
    let mut desk = Desk::new();
    let product = desk.product(&json!({}));
    let sent = json!({"name": "Launch", "code": "LAUNCH", "type": "percentage", "percentage": 25,
        "duration": "repeating", "duration_in_months": 2, "max_redemptions": 1, "applies_to_products": [product]});
    let made = desk.ok("POST", "discounts", sent);
    let checkout = desk.checkout(&product, &json!({"discount_code": "launch"}));
    let other = desk.checkout(&product, &json!({"discount_code": "LAUNCH"}));
    desk.pay(&checkout, GOOD).unwrap();
    desk.advance(95 * DAY_S);
    assert_eq!(desk.paid_sums(), [750, 750, 1_000, 1_000]);
    let found = desk.ok("GET", "discounts", json!({"discount_code": "LAUNCH"}));
    assert_eq!((&found["id"], &found["status"]), (&made["id"], &json!("expired")));
    let refused =
        desk.call("POST", "checkouts", json!({"product_id": product, "discount_code": "LAUNCH"}));
    assert_eq!(refused.unwrap_err().status, 400);
    desk.ok("DELETE", &format!("discounts/{}/delete", made["id"].as_str().unwrap()), json!({}));
    assert!(desk.pay(&other, GOOD).is_ok());
}

#[test]
fn a_declined_card_leaves_a_checkout_open_and_a_free_product_needs_none() {
    let mut desk = Desk::new();
    let product = desk.product(&json!({}));
    let checkout = desk.checkout(&product, &json!({}));
    for (card, code) in
        [("4000000000000002", "generic_decline"), ("4000000000009995", "insufficient_funds")]
    {
        let refused = desk.pay(&checkout, card).unwrap_err();
        assert_eq!((refused.status, &refused.more["decline_code"]), (402, &json!(code)));
    }
    let shown = desk.ok("GET", "checkouts", json!({"checkout_id": checkout}));
    assert_eq!(shown["status"], "pending");
    desk.pay(&checkout, GOOD).unwrap();
    let free =
        desk.product(&json!({"price": 0, "billing_type": "onetime", "billing_period": "once"}));
    let checkout = desk.checkout(&free, &json!({}));
    let payer = Payer { email: "jenny@example.com".to_owned(), ..Payer::default() };
    let done = desk.0.change(|txn| txn.in_account(ACCOUNT, |txn| pay::pay(txn, &checkout, &payer)));
    assert_eq!(done.unwrap()["status"], "completed");
    assert_eq!(desk.view().count("customer"), 1, "an address is one customer");
}

#[test]
fn stripes_tables_hold_nothing_of_creems() {
    let mut desk = Desk::new();
    desk.subscribe(&json!({}), GOOD);
    for kind in ["product", "customer", "subscription", "event"] {
        assert_eq!(desk.0.view().count(kind), 0, "{kind}");
        assert!(desk.view().count(kind) > 0, "{kind}");
    }
}

#[test]
fn no_endpoint_falls_over_a_value_that_fits_no_field() {
    let values = [
        json!(null),
        json!(-1),
        json!(i64::MAX),
        json!("\u{0}"),
        json!([[]]),
        json!([{}]),
        json!({"a": 1}),
        json!(true),
    ];
    let mut desk = Desk::new();
    let mut tried = 0;
    for endpoint in table::ENDPOINTS {
        let path = endpoint.path.replace('*', "prod_none");
        for field in endpoint.fields {
            for value in &values {
                tried += 1;
                let sent = Map::from_iter([(field.name.to_owned(), value.clone())]);
                if let Err(faults) = check::body(endpoint.fields, &sent) {
                    assert!(!faults.is_empty(), "{path} {}", field.name);
                } else if let Err(failure) = desk.call(endpoint.method, &path, sent.into()) {
                    assert!(
                        (400..500).contains(&failure.status),
                        "{path} {}: {failure:?}",
                        field.name
                    );
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}
