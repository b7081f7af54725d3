//! The machines under generated sequences: no state that cannot be, sums that hold, events that tell it all.

use crate::domain::card;
use crate::sandbox::behaviour::billing::lifecycle::STATUSES;
use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, price};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is done to a subscription.
#[derive(Clone, Copy, Debug)]
enum Step {
    Quantity(i64, &'static str),
    Switch(bool, &'static str),
    Wait(i64),
    Held(i64),
    EndLater(bool),
    PauseCollecting(bool),
    Pause(&'static str),
    Resume(&'static str),
    Pay,
    PayWith(bool),
    Plan(i64),
    LetGo,
    Add(i64),
    Use(i64),
    Threshold(Option<i64>, bool),
    ThresholdOfUse(Option<i64>),
}

fn a_step() -> impl Strategy<Value = Step> {
    let how = || prop::sample::select(vec!["create_prorations", "always_invoice", "none"]);
    prop_oneof![
        (1_i64..9, how()).prop_map(|(n, how)| Step::Quantity(n, how)),
        (any::<bool>(), how()).prop_map(|(other, how)| Step::Switch(other, how)),
        (1_i64..20).prop_map(Step::Wait),
        (25_i64..70).prop_map(Step::Wait),
        (1_i64..9).prop_map(Step::Held),
        any::<bool>().prop_map(Step::EndLater),
        any::<bool>().prop_map(Step::PauseCollecting),
        prop::sample::select(vec!["invoice", "pending_invoice_item"]).prop_map(Step::Pause),
        prop::sample::select(vec!["now", "unchanged"]).prop_map(Step::Resume),
        Just(Step::Pay),
        any::<bool>().prop_map(Step::PayWith),
        (1_i64..9).prop_map(Step::Plan),
        Just(Step::LetGo),
        (-3_000_i64..3_000).prop_map(Step::Add),
        (1_i64..400).prop_map(Step::Use),
        (prop::option::of(50_i64..4_000), any::<bool>())
            .prop_map(|(amount, anew)| Step::Threshold(amount, anew)),
        prop::option::of(1_i64..500).prop_map(Step::ThresholdOfUse),
    ]
}

struct Life {
    shop: Shop,
    sub: String,
    other: String,
    /// It was paused, or its anchor was set anew by a threshold: what was paid for and given back then is billed again
    /// afterwards.
    was_paused: bool,
    /// How much was used.
    used: i64,
    /// What the events said last of each object.
    heard: BTreeMap<String, Value>,
}

impl Life {
    fn new() -> Self {
        let mut shop = Shop::new("pm_card_visa");
        let other = price(&mut shop.lab, 3_333, "month");
        let metered = shop.metered_price();
        let sub = id(&shop.subscribe(json!({
            "items": [{"price": shop.price}, {"price": metered}],
            "payment_settings": {"save_default_payment_method": "off"},
        })));
        Self { shop, sub, other, was_paused: false, used: 0, heard: BTreeMap::new() }
    }

    /// Calls, and holds that a refusal is one of Stripe's.
    fn call(&mut self, endpoint: &str, params: Value) {
        if let Err(failure) = self.shop.lab.ask(endpoint, params) {
            assert!(failure.status < 500, "{endpoint}: {failure:?}");
        }
    }

    fn known(&self) -> Value {
        self.shop.lab.get("subscription", &self.sub)
    }

    fn take(&mut self, step: Step) {
        let path = format!("POST /v1/subscriptions/{}", self.sub);
        let known = self.known();
        let item = known["items"]["data"][0]["id"].clone();
        let latest = known["latest_invoice"].as_str().unwrap_or_default().to_owned();
        let schedule = known["schedule"].as_str().unwrap_or_default().to_owned();
        match step {
            Step::Quantity(n, how) => self.call(
                &path,
                json!({"items": [{"id": item, "quantity": n}], "proration_behavior": how}),
            ),
            Step::Switch(other, how) => {
                let to = if other { self.other.clone() } else { self.shop.price.clone() };
                let items = json!([{"id": item, "price": to}]);
                self.call(&path, json!({"items": items, "proration_behavior": how}));
            }
            Step::Held(n) => self.call(
                &path,
                json!({"items": [{"id": item, "quantity": n}],
                    "proration_behavior": "always_invoice",
                    "payment_behavior": "pending_if_incomplete"}),
            ),
            Step::Wait(days) => {
                // Events are forgotten after a while: whoever listens does so before.
                for _ in 0..days / 20 {
                    self.shop.lab.advance(20 * DAY);
                    self.listen();
                }
                self.shop.lab.advance(days % 20 * DAY + HOUR);
            }
            Step::EndLater(ends) => self.call(&path, json!({"cancel_at_period_end": ends})),
            Step::PauseCollecting(on) => {
                let pause = if on { json!({"behavior": "void"}) } else { Value::Null };
                self.call(&path, json!({"pause_collection": pause}));
            }
            Step::Pause(how) => {
                self.was_paused = true;
                let pause = format!("{path}/pause");
                self.call(&pause, json!({"invoicing_behavior": how}));
            }
            Step::Resume(anchor) => {
                let resume = format!("{path}/resume");
                self.call(&resume, json!({"billing_cycle_anchor": {"type": anchor}}));
            }
            Step::Pay => self.call(&format!("POST /v1/invoices/{latest}/pay"), json!({})),
            Step::PayWith(good) => {
                let cards = ["pm_card_chargeCustomerFail", "pm_card_visa"];
                self.shop.pay_with(cards[usize::from(good)]);
            }
            Step::Plan(n) => self.plan(n),
            Step::LetGo => {
                if schedule.is_empty() {
                    return;
                }
                let path = format!("POST /v1/subscription_schedules/{schedule}/release");
                self.call(&path, json!({}));
            }
            Step::Use(_) | Step::Threshold(..) | Step::ThresholdOfUse(_) => {
                self.count(step, &path, &known);
            }
            Step::Add(amount) => {
                let item =
                    json!({"customer": self.shop.customer, "amount": amount, "currency": "usd"});
                self.call("POST /v1/invoiceitems", item);
            }
        }
    }

    /// What is used, and what of it is billed before its period ends.
    fn count(&mut self, step: Step, path: &str, known: &Value) {
        match step {
            Step::Use(value) => {
                self.used += value;
                let event = json!({"event_name": "calls", "payload":
                    {"stripe_customer_id": self.shop.customer, "value": value.to_string()}});
                self.call("POST /v1/billing/meter_events", event);
            }
            Step::Threshold(amount, anew) => {
                self.was_paused |= anew && amount.is_some();
                let asked = amount.map(
                    |amount| json!({"amount_gte": amount, "reset_billing_cycle_anchor": anew}),
                );
                self.call(path, json!({"billing_thresholds": asked}));
            }
            Step::ThresholdOfUse(most) => {
                let of = known["items"]["data"].as_array().unwrap();
                let metered = |it: &&Value| it["price"]["recurring"]["usage_type"] == "metered";
                let Some(metered) = of.iter().find(metered) else { return };
                let path = format!("POST /v1/subscription_items/{}", id(metered));
                let asked = most.map(|most| json!({ "usage_gte": most }));
                self.call(&path, json!({"billing_thresholds": asked}));
            }
            _ => {}
        }
    }

    /// A schedule whose next phase is another price.
    fn plan(&mut self, quantity: i64) {
        let adopt = json!({"from_subscription": self.sub});
        self.call("POST /v1/subscription_schedules", adopt);
        let known = self.known();
        let Some(schedule) = known["schedule"].as_str() else { return };
        let made = self.shop.lab.get("subscription_schedule", schedule);
        let next = json!({"items": [{"price": self.other, "quantity": quantity}]});
        let mut now = made["phases"][0].clone();
        let items: Vec<Value> = now["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| json!({"price": it["price"], "quantity": it["quantity"]}))
            .collect();
        now = json!({"items": items, "start_date": now["start_date"], "end_date": now["end_date"]});
        let path = format!("POST /v1/subscription_schedules/{schedule}");
        self.call(&path, json!({"phases": [now, next]}));
    }

    fn check(&self) {
        let view = self.shop.lab.view();
        let known = self.known();
        let status = known["status"].as_str().unwrap();
        assert!(STATUSES.contains(&status), "{status}");
        let over = status == "canceled";
        assert_eq!(known["ended_at"].is_i64(), over, "{known}");
        assert!(!over || known["pending_update"].is_null(), "{known}");
        for item in known["items"]["data"].as_array().unwrap() {
            let at = |name: &str| item[name].as_i64().unwrap();
            assert!(at("current_period_start") < at("current_period_end"), "{item}");
            let now = self.shop.lab.now.0;
            let stands = over || status == "paused";
            assert!(stands || now < at("current_period_end"), "it was not renewed: {item}");
        }
        if let Some(schedule) = known["schedule"].as_str().filter(|_| !over) {
            let schedule = self.shop.lab.get("subscription_schedule", schedule);
            assert_eq!(schedule["status"], "active");
            assert_eq!(schedule["subscription"], known["id"]);
        }
        let mut counted = 0;
        let mut billed: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for invoice in view.newest("invoice") {
            sums_hold(&invoice);
            if matches!(invoice["status"].as_str(), Some("void" | "draft")) {
                continue;
            }
            for line in invoice["lines"]["data"].as_array().unwrap() {
                let of = &line["parent"]["subscription_item_details"];
                if line["description"].as_str().unwrap_or_default().contains("Calls") {
                    counted += line["quantity"].as_i64().unwrap_or(0);
                } else if of["proration"] == false {
                    let at = |name: &str| line["period"][name].as_i64().unwrap();
                    let item = of["subscription_item"].as_str().unwrap().to_owned();
                    billed.entry(item).or_default().push((at("start"), at("end")));
                }
            }
        }
        assert!(counted <= self.used, "{counted} were billed of {}", self.used);
        for periods in billed.values_mut() {
            periods.sort_unstable();
            let once = periods.windows(2).all(|two| two[0].1 <= two[1].0);
            assert!(once || self.was_paused, "twice: {periods:?}");
        }
        let customer = self.shop.lab.get("customer", &self.shop.customer);
        let moved: i64 = view
            .newest("customer_balance_transaction")
            .map(|it| it["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(customer["balance"].as_i64().unwrap(), moved);
    }

    /// Hears what the events say; none is older than the one before it.
    fn listen(&mut self) {
        let view = self.shop.lab.view();
        let mut events: Vec<_> = view.newest("event").collect();
        events.reverse();
        let times: Vec<i64> = events.iter().map(|it| it["created"].as_i64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        for event in &events {
            let object = &event["data"]["object"];
            let kind = object["object"].as_str().unwrap_or_default();
            if matches!(kind, "subscription" | "invoice" | "subscription_schedule") {
                self.heard.insert(id(object), object.clone());
            }
        }
    }

    /// The events alone say how everything stands.
    fn told(&self) {
        let view = self.shop.lab.view();
        for kind in ["subscription", "invoice", "subscription_schedule"] {
            for it in view.newest(kind) {
                let told = self.heard.get(it["id"].as_str().unwrap());
                let told = told.unwrap_or_else(|| panic!("{} was never told of", it["id"]));
                assert_eq!(told["status"], it["status"], "{kind}");
                assert_eq!(told["items"], it["items"], "{kind}");
            }
        }
    }
}

fn sums_hold(invoice: &Value) {
    let of = |name: &str| invoice[name].as_i64().unwrap_or(0);
    let lines = invoice["lines"]["data"].as_array().unwrap();
    if invoice["lines"]["has_more"] == false {
        let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, of("subtotal"), "{invoice}");
    }
    assert_eq!(of("total"), of("subtotal"), "there is neither tax nor discount");
    assert!(of("amount_due") >= 0 && of("amount_remaining") >= 0, "{invoice}");
    match invoice["status"].as_str().unwrap() {
        "paid" => assert_eq!((of("amount_remaining"), of("amount_paid")), (0, of("amount_due"))),
        _ => assert_eq!((of("amount_remaining"), of("amount_paid")), (of("amount_due"), 0)),
    }
    if invoice["status"] != "draft" {
        assert_eq!(of("amount_due") + of("ending_balance"), of("total") + of("starting_balance"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_the_books_and_the_states_hold(
        steps in prop::collection::vec(a_step(), 1..14),
    ) {
        let mut life = Life::new();
        for step in &steps {
            life.take(*step);
            life.listen();
            life.check();
            life.told();
        }
    }
}

#[test]
fn every_test_card_pays_at_a_renewal_or_leaves_it_past_due() {
    for card in card::ALL.iter().filter_map(|card| card.method) {
        let mut shop = Shop::new("pm_card_visa");
        let sub = shop.subscribe(json!({}));
        let attach = format!("POST /v1/payment_methods/pm_card_{card}/attach");
        let attached = shop.lab.ask(&attach, json!({"customer": shop.customer}));
        let Ok(method) = attached else {
            // A card that cannot be kept never comes to a renewal.
            continue;
        };
        let settings = json!({"invoice_settings": {"default_payment_method": method["id"]}});
        shop.lab.ok(&format!("POST /v1/customers/{}", shop.customer), settings);
        shop.lab.advance(31 * DAY + 2 * HOUR);
        let (now, invoice) = (shop.again(&sub), shop.latest(&sub));
        assert_eq!(invoice["billing_reason"], "subscription_cycle", "{card}");
        assert_eq!(invoice["attempted"], true, "{card}");
        let expected = match invoice["status"].as_str().unwrap() {
            "paid" => "active",
            "open" => "past_due",
            other => panic!("{card}: {other}"),
        };
        assert_eq!(now["status"], expected, "{card}");
        let told = shop.lab.events();
        let word = if expected == "active" { "invoice.paid" } else { "invoice.payment_failed" };
        let gated = told.iter().any(|it| it == "invoice.payment_action_required");
        assert!(told.iter().any(|it| it == word) || gated, "{card}: {told:?}");
    }
}
