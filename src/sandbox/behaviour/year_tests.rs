//! A year of a shop from one seed: what is paid, refunded, disputed and paid out. The balance is the sum of its
//! transactions, every automatic payout is the sum of what it pays, and whoever has only the events knows every status.

use crate::sandbox::behaviour::simulated_tests::{Dice, Observer, check_balance};
use crate::sandbox::testing::Lab;
use serde_json::json;
use std::time::{Duration, Instant};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// The cards that are paid with, each with how many of a hundred.
const CARDS: [(&str, u64); 9] = [
    ("visa", 70),
    ("mastercard", 12),
    ("visa_chargeDeclined", 5),
    ("createDispute", 3),
    ("createDisputeInquiry", 2),
    ("riskLevelElevated", 2),
    ("pendingRefund", 2),
    ("refundFail", 2),
    ("createIssuerFraudRecord", 2),
];

struct Shop {
    lab: Lab,
    dice: Dice,
    observer: Observer,
    customers: Vec<String>,
    paid: Vec<String>,
    payments: usize,
    refunds: usize,
}

impl Shop {
    fn open(seed: u64, customers: usize) -> Self {
        let mut lab = Lab::new();
        let daily = json!({"payments": {"payouts": {"schedule": {"interval": "daily"}}}});
        lab.ask("POST /v1/balance_settings", daily).unwrap();
        let mut make = |at: usize| {
            let made = lab.ask("POST /v1/customers", json!({"name": format!("Customer {at}")}));
            made.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let customers = (0..customers).map(&mut make).collect();
        let observer = Observer::default();
        Self {
            lab,
            dice: Dice(seed),
            observer,
            customers,
            paid: Vec::new(),
            payments: 0,
            refunds: 0,
        }
    }

    fn pay(&mut self) {
        let mut sent = json!({
            "amount": 500 + self.dice.below(40_000), "currency": "jpy", "confirm": true,
            "customer": self.dice.pick(&self.customers),
        });
        if self.dice.one_in(12) {
            sent["payment_method_data"] = json!({"type": "konbini",
                "billing_details": {"email": "a@example.com", "name": "Ada"}});
            sent["allowed_payment_method_types"] = json!(["konbini"]);
        } else {
            sent["payment_method"] = json!(format!("pm_card_{}", self.dice.share(&CARDS)));
            sent["automatic_payment_methods"] =
                json!({"enabled": true, "allow_redirects": "never"});
        }
        self.payments += 1;
        match self.lab.ask("POST /v1/payment_intents", sent) {
            Ok(intent) => self.paid.push(intent["id"].as_str().unwrap().to_owned()),
            Err(failure) => assert_eq!(failure.status, 402, "{}", failure.message),
        }
    }

    fn refund(&mut self) {
        if self.paid.is_empty() {
            return;
        }
        let intent = self.dice.pick(&self.paid).clone();
        let mut sent = json!({"payment_intent": intent, "instructions_email": "a@example.com"});
        if self.dice.one_in(2) {
            sent["amount"] = json!(1 + self.dice.below(400));
        }
        match self.lab.ask("POST /v1/refunds", sent) {
            Ok(_) => self.refunds += 1,
            Err(failure) => assert_eq!(failure.status, 400, "{}", failure.message),
        }
    }

    fn answer_disputes(&mut self) {
        let open: Vec<String> = {
            let view = self.lab.view();
            let all = view.newest("dispute").take(6);
            let open = all.filter(|it| it["status"].as_str().unwrap().ends_with("needs_response"));
            open.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
        };
        for id in open {
            let words =
                ["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "sent"];
            let path = format!("POST /v1/disputes/{id}");
            match self.dice.below(8) {
                0 => drop(self.lab.ask(&format!("{path}/close"), json!({})).unwrap()),
                1..5 => {
                    let text = self.dice.pick(&words);
                    let sent = json!({"evidence": {"uncategorized_text": text}});
                    self.lab.ask(&path, sent).unwrap();
                }
                _ => {}
            }
        }
    }

    fn year(&mut self, payments: usize) {
        let step = YEAR / i64::try_from(payments).unwrap();
        for at in 0..payments {
            self.pay();
            if self.dice.one_in(8) {
                self.refund();
            }
            if at % 16 == 0 {
                self.answer_disputes();
            }
            self.lab.advance(step);
            self.observer.listen(&mut self.lab);
        }
        // Until nothing is open: the longest is an inquiry that nobody answers.
        for _ in 0..20 {
            self.lab.advance(10 * DAY);
            self.observer.listen(&mut self.lab);
        }
    }

    fn check(&mut self) {
        let by_payout = check_balance(&mut self.lab);
        for payout in self.lab.view().newest("payout") {
            let id = payout["id"].as_str().unwrap();
            assert_eq!(payout["amount"].as_i64(), by_payout.get(id).copied(), "{id} ties out");
            assert_eq!(
                (&payout["status"], &payout["reconciliation_status"]),
                (&json!("paid"), &json!("completed"))
            );
        }
        let kinds = ["payment_intent", "charge", "refund", "dispute", "payout"];
        self.observer.check(&self.lab, &kinds);
    }

    /// Everything that there is, as it is stored, and was told.
    fn bytes(&self) -> u64 {
        self.observer.fingerprint(&self.lab)
    }
}

fn run(seed: u64, customers: usize, payments: usize) -> Shop {
    let mut shop = Shop::open(seed, customers);
    shop.year(payments);
    shop.check();
    shop
}

#[test]
fn a_small_shop_has_a_year_whose_books_hold_and_the_same_seed_has_the_same_bytes() {
    let (first, again) = (run(7, 12, 240), run(7, 12, 240));
    assert!(first.bytes() == again.bytes(), "the same seed has the same bytes");
    assert!(first.bytes() != run(8, 12, 60).bytes());
    assert!(first.refunds > 5 && first.observer.told > 1_000);
}

/// `cargo test --release --lib a_year_of -- --ignored --nocapture` says how long it takes; `./test long` does.
#[test]
#[ignore = "takes a while without optimisation: ./test long"]
fn a_year_of_a_thousand_customers_and_twenty_thousand_payments() {
    const MOST: Duration = Duration::from_secs(20);
    let begun = Instant::now();
    let shop = run(1, 1_000, 20_000);
    let took = begun.elapsed();
    let view = shop.lab.view();
    let objects: usize =
        view.state().tables(view.scope()).map(|(_, table)| table.all().count()).sum();
    // Events are forgotten after a month; each was an object.
    let made = objects - view.count("event") + shop.observer.told;
    println!(
        "{:.1} s: {} customers, {} payments, {} refunds, {} disputes, {} payouts, {} transactions, {} events; {} objects per second",
        took.as_secs_f64(),
        shop.customers.len(),
        shop.payments,
        shop.refunds,
        view.count("dispute"),
        view.count("payout"),
        view.count("balance_transaction"),
        shop.observer.told,
        made * 1_000 / usize::try_from(took.as_millis()).unwrap().max(1),
    );
    assert_eq!((shop.customers.len(), shop.payments), (1_000, 20_000));
    assert!(shop.refunds > 1_000 && view.count("dispute") > 500 && view.count("payout") > 200);
    assert!(cfg!(debug_assertions) || took < MOST, "{took:?}");
    assert!(shop.bytes() == run(1, 1_000, 20_000).bytes(), "the same seed has the same bytes");
}
