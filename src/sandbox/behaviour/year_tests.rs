//! A year of a shop from one seed: what is paid, refunded, disputed and paid out. The balance is the sum of its
//! transactions, every automatic payout is the sum of what it pays, and whoever has only the events knows every status.

use crate::sandbox::engine::private::{Envelope, TransactionPart};
use crate::sandbox::testing::Lab;
use crate::wire::peek;
use serde_json::json;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
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

/// Numbers that follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        let at = self.below(u64::try_from(items.len()).unwrap());
        &items[usize::try_from(at).unwrap()]
    }

    fn card(&mut self) -> &'static str {
        let mut left = self.below(100);
        for (card, share) in CARDS {
            if left < share {
                return card;
            }
            left -= share;
        }
        "visa"
    }
}

/// Somebody who has nothing but the events: what each object's status is, by its id.
#[derive(Default)]
struct Observer {
    seen: u64,
    known: HashMap<String, String>,
    told: usize,
}

impl Observer {
    fn listen(&mut self, lab: &Lab) {
        let view = lab.view();
        let Some(table) = view.table("event") else { return };
        for event in table.after(self.seen) {
            self.seen = event.seq;
            self.told += 1;
            let word = |name: &str| {
                let found = peek::member(&event.text, &[name]).and_then(peek::Raw::string);
                found.map(Cow::into_owned)
            };
            let (Some(id), Some(status)) = (word("id"), word("status")) else { continue };
            let envelope = event.part::<Envelope>().unwrap();
            let before = envelope.previous.as_deref().and_then(|previous| {
                Some(peek::member(previous, &["status"])?.string()?.into_owned())
            });
            // What an update says that it changed is what was told last; a refund's is told twice, by two names.
            let again = &*envelope.kind == "charge.refund.updated";
            if let (Some(before), Some(known), false) = (before, self.known.get(&id), again) {
                assert_eq!(*known, before, "{}: {}", &*envelope.kind, event.text);
            }
            self.known.insert(id, status);
        }
    }
}

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
            sent["payment_method"] = json!(format!("pm_card_{}", self.dice.card()));
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
            self.observer.listen(&self.lab);
        }
        // Until nothing is open: the longest is an inquiry that nobody answers.
        for _ in 0..20 {
            self.lab.advance(10 * DAY);
            self.observer.listen(&self.lab);
        }
    }

    fn check(&mut self) {
        let view = self.lab.view();
        let (mut available, mut pending) = (0, 0);
        let mut by_payout: HashMap<String, i64> = HashMap::new();
        for row in view.newest("balance_transaction") {
            let net = row["net"].as_i64().unwrap();
            assert_eq!(net, row["amount"].as_i64().unwrap() - row["fee"].as_i64().unwrap());
            *if row["status"] == "pending" { &mut pending } else { &mut available } += net;
            let part = row.part::<TransactionPart>();
            if let Some(payout) = part.payout.as_deref()
                && row["type"] != "payout"
            {
                *by_payout.entry(payout.to_owned()).or_default() += net;
            }
        }
        let balance = self.lab.ask("GET /v1/balance", json!({})).unwrap();
        assert_eq!(balance["available"][0]["amount"], available);
        assert_eq!(balance["pending"][0]["amount"], pending);
        for payout in view.newest("payout") {
            let id = payout["id"].as_str().unwrap();
            assert_eq!(payout["amount"].as_i64(), by_payout.get(id).copied(), "{id} ties out");
            assert_eq!(
                (&payout["status"], &payout["reconciliation_status"]),
                (&json!("paid"), &json!("completed"))
            );
        }
        for kind in ["payment_intent", "charge", "refund", "dispute", "payout"] {
            assert!(view.count(kind) > 0, "{kind}");
            for object in view.newest(kind) {
                let known = self.observer.known.get(object["id"].as_str().unwrap());
                assert_eq!(
                    known.map(String::as_str),
                    object["status"].as_str(),
                    "{kind} {}",
                    object["id"]
                );
            }
        }
    }

    /// Everything that there is, as it is stored.
    fn bytes(&self) -> String {
        let mut out = String::new();
        let view = self.lab.view();
        for (kind, table) in view.state().tables(view.scope()) {
            for it in table.all() {
                let private = serde_json::to_string(&it.private.as_deref()).unwrap();
                writeln!(out, "{kind} {} {} {private}", it.id, it.text).unwrap();
            }
        }
        out
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
