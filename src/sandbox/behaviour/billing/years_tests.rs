//! Years of subscriptions from one seed: cards that are refused and replaced, plans that are changed, money that goes
//! back. Every invoice is the sum of its lines, nobody pays for a time twice, the balance is the sum of its
//! transactions, and whoever has only the events knows every status.

use crate::sandbox::behaviour::simulated_tests::{Dice, Observer, check_balance};
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

const DAY: i64 = 86_400;
const YEARS: i64 = 2 * 365;

/// Intervals of the plans: how many months one has, and how many of the twenty plans have it.
const INTERVALS: [(&str, i64, usize); 5] =
    [("month", 1, 8), ("month", 3, 5), ("month", 6, 2), ("year", 1, 3), ("week", 6, 2)];

/// What members pay with first, each with how many of a hundred. Those that are refused come later.
const GOOD: [(&str, u64); 4] =
    [("visa", 80), ("mastercard", 14), ("createDispute", 3), ("createDisputeInquiry", 3)];

/// What is refused: for the moment, and for good.
const REFUSED: [(&str, u64); 2] = [("chargeCustomerFail", 70), ("authenticationRequired", 30)];

/// A plan: its price and the number of the interval that it has.
struct Plan {
    price: String,
    interval: usize,
}

struct Member {
    customer: String,
    subscription: String,
    plan: usize,
    /// Whether what it pays with is refused.
    refused: bool,
}

#[derive(Default)]
struct Counted {
    changes: usize,
    refunds: usize,
    ended: usize,
    replaced: usize,
}

struct Club {
    lab: Lab,
    dice: Dice,
    observer: Observer,
    plans: Vec<Plan>,
    members: Vec<Member>,
    counted: Counted,
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

impl Club {
    fn open(seed: u64) -> Self {
        let mut lab = Lab::new();
        let mut dice = Dice(seed);
        let mut plans = Vec::new();
        for (interval, (unit, count, share)) in INTERVALS.iter().enumerate() {
            for _ in 0..*share {
                let price = json!({
                    "currency": "jpy", "unit_amount": 500 + dice.below(9_500),
                    "recurring": {"interval": unit, "interval_count": count},
                    "product_data": {"name": format!("Plan {}", plans.len() + 1)},
                });
                let price = id(&lab.ask("POST /v1/prices", price).unwrap());
                plans.push(Plan { price, interval });
            }
        }
        let observer = Observer::default();
        Self { lab, dice, observer, plans, members: Vec::new(), counted: Counted::default() }
    }

    /// Makes a card the one that a customer pays with.
    fn pay_with(&mut self, customer: &str, card: &str) {
        let attach = format!("POST /v1/payment_methods/pm_card_{card}/attach");
        let method = self.lab.ask(&attach, json!({"customer": customer})).unwrap();
        let settings = json!({"invoice_settings": {"default_payment_method": method["id"]}});
        self.lab.ask(&format!("POST /v1/customers/{customer}"), settings).unwrap();
    }

    fn join(&mut self) {
        let name = format!("Member {}", self.members.len() + 1);
        let customer = id(&self.lab.ask("POST /v1/customers", json!({"name": name})).unwrap());
        let card = self.dice.share(&GOOD);
        self.pay_with(&customer, card);
        let plan = usize::try_from(self.dice.below(20)).unwrap();
        let mut asked = json!({"customer": customer, "items": [{"price": self.plans[plan].price}]});
        if self.dice.one_in(6) {
            asked["trial_period_days"] = json!(1 + self.dice.below(20));
        }
        let made = self.lab.ask("POST /v1/subscriptions", asked).unwrap();
        let subscription = id(&made);
        self.members.push(Member { customer, subscription, plan, refused: false });
    }

    fn is_running(&self, at: usize) -> bool {
        let found = self.lab.get("subscription", &self.members[at].subscription);
        ["active", "trialing", "past_due"].contains(&found["status"].as_str().unwrap_or_default())
    }

    /// Something that a member does.
    fn act(&mut self) {
        let at =
            usize::try_from(self.dice.below(u64::try_from(self.members.len()).unwrap())).unwrap();
        if !self.is_running(at) {
            return;
        }
        match self.dice.below(10) {
            0..3 => self.change_plan(at),
            3..6 => self.change_card(at),
            6..9 => self.refund(at),
            _ if self.dice.one_in(4) => self.leave(at),
            _ => {}
        }
    }

    /// Another plan of the same interval: what is left of the old one is given back.
    fn change_plan(&mut self, at: usize) {
        let interval = self.plans[self.members[at].plan].interval;
        let same = |it: &usize| self.plans[*it].interval == interval;
        let others: Vec<usize> = (0..self.plans.len()).filter(same).collect();
        let plan = *self.dice.pick(&others);
        let member = &self.members[at];
        let known = self.lab.get("subscription", &member.subscription);
        let mut asked = json!({"items": [{"id": known["items"]["data"][0]["id"],
            "price": self.plans[plan].price, "quantity": 1 + self.dice.below(3)}]});
        if self.dice.one_in(3) {
            asked["proration_behavior"] = json!("always_invoice");
        }
        let path = format!("POST /v1/subscriptions/{}", member.subscription);
        match self.lab.ask(&path, asked) {
            Ok(_) => {
                self.counted.changes += 1;
                self.members[at].plan = plan;
            }
            Err(failure) => assert!(matches!(failure.status, 400 | 402), "{}", failure.message),
        }
    }

    fn change_card(&mut self, at: usize) {
        let refused = !self.members[at].refused && self.dice.one_in(2);
        let card = self.dice.share(if refused { &REFUSED } else { &GOOD });
        let customer = self.members[at].customer.clone();
        self.pay_with(&customer, card);
        self.members[at].refused = refused;
        self.counted.replaced += 1;
    }

    /// A part of what was paid last goes back, where there is anything.
    fn refund(&mut self, at: usize) {
        let known = self.lab.get("subscription", &self.members[at].subscription);
        let Some(invoice) = known["latest_invoice"].as_str() else { return };
        let asked = json!({"invoice": invoice});
        let payments = self.lab.ask("GET /v1/invoice_payments", asked).unwrap();
        let Some(intent) = payments["data"][0]["payment"]["payment_intent"].as_str() else {
            return;
        };
        let mut asked = json!({"payment_intent": intent});
        if self.dice.one_in(2) {
            asked["amount"] = json!(1 + self.dice.below(400));
        }
        match self.lab.ask("POST /v1/refunds", asked) {
            Ok(_) => self.counted.refunds += 1,
            Err(failure) => assert_eq!(failure.status, 400, "{}", failure.message),
        }
    }

    fn leave(&mut self, at: usize) {
        let path = format!("/v1/subscriptions/{}", self.members[at].subscription);
        let left = if self.dice.one_in(2) {
            self.lab.ask(&format!("POST {path}"), json!({"cancel_at_period_end": true}))
        } else {
            self.lab.ask(&format!("DELETE {path}"), json!({}))
        };
        left.unwrap();
        self.counted.ended += 1;
    }

    /// So many days: members join on the first sixty of them, and do something on every day.
    fn live(&mut self, members: usize, days: i64) {
        for day in 1..=days {
            let joined = members * usize::try_from(day.min(60)).unwrap() / 60;
            while self.members.len() < joined {
                self.join();
            }
            let acts = (self.members.len() / 150).max(usize::from(self.dice.one_in(5)));
            for _ in 0..acts.min(self.members.len() * 2) {
                self.act();
            }
            self.lab.advance(DAY);
            self.observer.listen(&mut self.lab);
        }
        // Until what is under way has arrived: the longest is an inquiry that nobody answers.
        for _ in 0..20 {
            self.lab.advance(10 * DAY);
            self.observer.listen(&mut self.lab);
        }
    }

    fn check(&mut self) {
        check_balance(&mut self.lab);
        let paid = self.check_invoices();
        self.check_charges(&paid);
        let kinds = ["subscription", "invoice", "payment_intent", "charge"];
        self.observer.check(&self.lab, &kinds);
    }

    /// Each is the sum of its lines, and no time of an item is paid for twice. What was paid, by invoice.
    fn check_invoices(&self) -> HashMap<String, i64> {
        let view = self.lab.view();
        let mut paid = HashMap::new();
        let mut times: HashMap<String, Vec<(i64, i64)>> = HashMap::new();
        for invoice in view.newest("invoice") {
            let number = |name: &str| invoice[name].as_i64().unwrap();
            assert_eq!(invoice["lines"]["has_more"], false, "{}", invoice["id"]);
            let lines = invoice["lines"]["data"].as_array().unwrap();
            let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
            assert_eq!((sum, sum), (number("subtotal"), number("total")), "{}", invoice["id"]);
            let due = (number("total") + number("starting_balance")).max(0);
            if invoice["status"] == "paid" {
                assert!(number("amount_paid") <= due, "{}", invoice["id"]);
                paid.insert(id(&invoice), number("amount_paid"));
            }
            for line in lines.iter().filter(|_| invoice["status"] == "paid") {
                let details = &line["parent"]["subscription_item_details"];
                let is_whole = details["proration"] == false && line["amount"].as_i64() > Some(0);
                if let (true, Some(item)) = (is_whole, details["subscription_item"].as_str()) {
                    let at = |name: &str| line["period"][name].as_i64().unwrap();
                    times.entry(item.to_owned()).or_default().push((at("start"), at("end")));
                }
            }
        }
        for (item, mut periods) in times {
            periods.sort_unstable();
            let apart = periods.windows(2).all(|pair| pair[0].1 <= pair[1].0);
            assert!(apart, "{item} is paid for twice: {periods:?}");
        }
        paid
    }

    /// Each invoice is paid by one charge at most, of as much as it says.
    fn check_charges(&self, paid: &HashMap<String, i64>) {
        let view = self.lab.view();
        let mut taken: HashMap<String, i64> = HashMap::new();
        let charges: HashMap<String, i64> = view
            .newest("charge")
            .filter(|it| it["status"] == "succeeded")
            .map(|it| {
                (it["payment_intent"].as_str().unwrap().to_owned(), it["amount"].as_i64().unwrap())
            })
            .fold(HashMap::new(), |mut all, (intent, amount)| {
                assert!(all.insert(intent, amount).is_none(), "an intent is charged twice");
                all
            });
        for payment in view.newest("invoice_payment") {
            let intent = payment["payment"]["payment_intent"].as_str().unwrap();
            if let Some(amount) = charges.get(intent) {
                let invoice = payment["invoice"].as_str().unwrap().to_owned();
                assert!(taken.insert(invoice, *amount).is_none(), "an invoice is paid twice");
            }
        }
        for (invoice, amount) in paid {
            assert_eq!(taken.get(invoice).copied().unwrap_or(0), *amount, "{invoice}");
        }
        assert_eq!(taken.len(), charges.len(), "every charge pays an invoice");
    }

    /// How many objects there are, with those that were only told.
    fn objects(&self) -> usize {
        let view = self.lab.view();
        let stored: usize = view.state().tables(view.scope()).map(|(_, it)| it.all().count()).sum();
        stored + self.observer.told
    }
}

fn run(seed: u64, members: usize, days: i64) -> Club {
    let mut club = Club::open(seed);
    club.live(members, days);
    club.check();
    club
}

#[test]
fn a_small_club_has_half_a_year_whose_books_hold_and_the_same_seed_has_the_same_bytes() {
    let (first, again) = (run(7, 12, 180), run(7, 12, 180));
    let bytes = |club: &Club| club.observer.fingerprint(&club.lab);
    assert_eq!(bytes(&first), bytes(&again), "the same seed has the same bytes");
    assert_ne!(bytes(&first), bytes(&run(8, 12, 90)));
    assert!(first.observer.told > 500 && first.members.len() == 12);
    assert!(first.counted.changes > 0 && first.counted.replaced > 0);
}

/// `cargo test --release --lib two_years_of -- --ignored --nocapture` says how long it takes.
#[test]
#[ignore = "takes a while without optimisation"]
fn two_years_of_a_thousand_members_on_twenty_plans() {
    let begun = Instant::now();
    let club = run(1, 1_000, YEARS);
    let (ms, view) = (begun.elapsed().as_millis(), club.lab.view());
    let objects = club.objects();
    let rate = u128::try_from(objects).unwrap() * 1_000 / ms;
    println!(
        "{ms} ms, {rate} objects a second: {objects} objects, {} invoices, {} charges, {} refunds, {} disputes, {} changes of plan, {} cards replaced, {} left, {} events",
        view.count("invoice"),
        view.count("charge"),
        club.counted.refunds,
        view.count("dispute"),
        club.counted.changes,
        club.counted.replaced,
        club.counted.ended,
        club.observer.told,
    );
    assert_eq!((club.members.len(), club.plans.len()), (1_000, 20));
    assert!(view.count("dispute") > 0 && club.counted.refunds > 100);
}

/// A month of a subscription whose card is refused every third time, and another one is named then. What it comes to:
/// everything that is kept and was told.
fn month(lab: &mut Lab, customer: &str, at: usize) -> usize {
    let pay_with = |lab: &mut Lab, card: &str| {
        let attach = format!("POST /v1/payment_methods/pm_card_{card}/attach");
        let method = lab.ask(&attach, json!({"customer": customer})).unwrap();
        let settings = json!({"invoice_settings": {"default_payment_method": method["id"]}});
        lab.ask(&format!("POST /v1/customers/{customer}"), settings).unwrap();
    };
    if at % 3 == 2 {
        pay_with(lab, "chargeCustomerFail");
    }
    let month = lab.now.plus_months(1).since(lab.now);
    lab.advance(8 * DAY);
    if at % 3 == 2 {
        pay_with(lab, "visa");
    }
    lab.advance(month - 8 * DAY);
    let view = lab.view();
    view.state().tables(view.scope()).map(|(_, it)| it.all().count()).sum()
}

#[test]
fn each_year_of_a_monthly_subscription_with_dunning_takes_the_same_work() {
    let mut lab = Lab::new();
    let price = json!({"currency": "usd", "unit_amount": 2_000, "recurring": {"interval": "month"},
        "product_data": {"name": "Plan"}});
    let price = id(&lab.ask("POST /v1/prices", price).unwrap());
    let customer = id(&lab.ask("POST /v1/customers", json!({})).unwrap());
    let attach = "POST /v1/payment_methods/pm_card_visa/attach";
    let method = lab.ask(attach, json!({"customer": customer})).unwrap();
    let settings = json!({"invoice_settings": {"default_payment_method": method["id"]}});
    lab.ask(&format!("POST /v1/customers/{customer}"), settings).unwrap();
    let asked = json!({"customer": customer, "items": [{"price": price}]});
    let made = lab.ask("POST /v1/subscriptions", asked).unwrap();
    let mut kept = vec![month(&mut lab, &customer, 0)];
    let mut took = Vec::new();
    for year in 0..3 {
        let begun = Instant::now();
        for at in 0..12 {
            kept.push(month(&mut lab, &customer, 1 + year * 12 + at));
        }
        took.push(begun.elapsed().as_millis());
    }
    println!("a year of a monthly subscription with dunning: {took:?} ms");
    let grew: Vec<usize> = (0..3).map(|year| kept[12 * (year + 1)] - kept[12 * year]).collect();
    // The first year has what the subscription begins with.
    let alike = grew[1..].iter().all(|it| it.abs_diff(grew[1]) * 50 <= grew[1]);
    assert!(grew[0] > grew[1] && grew[1] > 50 && alike, "{grew:?}");
    assert_eq!(lab.get("subscription", &id(&made))["status"], "active");
    // Events are forgotten after a month, charges are not.
    let view = lab.view();
    let failed = view.newest("charge").filter(|it| it["status"] == "failed").count();
    assert!(failed >= 12, "{failed}");
    if !cfg!(debug_assertions) {
        assert!(took.iter().all(|ms| *ms < 100), "{took:?}");
    }
}
