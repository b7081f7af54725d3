use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// A payment whose funds are available at once, or after some days.
fn pay(lab: &mut Lab, amount: i64, card: &str) -> Value {
    lab.ok(
        "POST /v1/payment_intents",
        json!({
            "amount": amount, "currency": "usd", "confirm": true, "capture_method": "automatic",
            "payment_method": format!("pm_card_{card}"),
            "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"},
        }),
    )
}

fn sums(lab: &mut Lab) -> (i64, i64) {
    let balance = lab.ok("GET /v1/balance", json!({}));
    let of = |part: &str| {
        let rows = balance[part].as_array().unwrap();
        let own = rows.iter().find(|row| row["currency"] == "usd");
        own.map_or(0, |row| row["amount"].as_i64().unwrap())
    };
    (of("available"), of("pending"))
}

fn rhythm(lab: &mut Lab, schedule: &Value) {
    lab.ok("POST /v1/balance_settings", json!({"payments": {"payouts": {"schedule": schedule}}}));
}

fn payouts(lab: &Lab) -> Vec<Value> {
    let mut all: Vec<Value> = lab.view().newest("payout").map(|it| it.document()).collect();
    all.reverse();
    all
}

fn told(lab: &Lab, prefix: &str) -> Vec<String> {
    lab.events().into_iter().filter(|it| it.starts_with(prefix)).collect()
}

#[test]
fn a_payout_takes_its_money_at_once_and_is_paid_later() {
    let mut lab = Lab::new();
    pay(&mut lab, 10_000, "bypassPending");
    let (available, _) = sums(&mut lab);
    let made = lab.ok(
        "POST /v1/payouts",
        json!({"amount": 1_100, "currency": "usd", "statement_descriptor": "GYM"}),
    );
    assert_eq!((&made["status"], &made["automatic"]), (&json!("pending"), &json!(false)));
    assert_eq!(made["reconciliation_status"], "not_applicable");
    assert_eq!(made["arrival_date"].as_i64().unwrap(), lab.now.0 - lab.now.0 % DAY);
    assert_eq!(made["trace_id"], json!({"status": "pending", "value": null}));
    assert_eq!(
        (&made["type"], &made["source_type"], &made["method"]),
        (&json!("bank_account"), &json!("card"), &json!("standard"))
    );
    let row = lab.get("balance_transaction", made["balance_transaction"].as_str().unwrap());
    assert_eq!(
        (&row["amount"], &row["type"], &row["source"]),
        (&json!(-1_100), &json!("payout"), &made["id"])
    );
    assert_eq!(sums(&mut lab).0, available - 1_100);
    lab.advance(HOUR);
    assert_eq!(payouts(&lab)[0]["status"], "in_transit");
    lab.advance(DAY);
    assert_eq!(payouts(&lab)[0]["status"], "paid");
    assert_eq!(told(&lab, "payout."), ["payout.created", "payout.updated", "payout.paid"]);
    // The bank account was made for it, and is used again.
    let again = lab.ok("POST /v1/payouts", json!({"amount": 1, "currency": "usd"}));
    assert_eq!(again["destination"], made["destination"]);
}

#[test]
fn what_cannot_be_paid_out_is_refused_in_the_recorded_words() {
    let mut lab = Lab::new();
    pay(&mut lab, 2_000_000, "bypassPending");
    let mut refusal = |sent: Value| lab.call("POST /v1/payouts", sent).unwrap_err();
    let nothing = refusal(json!({"amount": 0, "currency": "usd"}));
    assert_eq!(nothing.code.as_deref(), Some("parameter_invalid_integer"));
    let instant = refusal(json!({"amount": 1_000_000, "currency": "usd", "method": "instant"}));
    assert_eq!((instant.status, instant.code), (400, None));
    assert!(instant.message.ends_with("less than or equal to $9999"));
    let much = refusal(json!({"amount": 9_000_000, "currency": "usd"}));
    assert_eq!(much.code.as_deref(), Some("balance_insufficient"));
    let nowhere = refusal(json!({"amount": 1, "currency": "usd", "destination": "ba_nope"}));
    assert_eq!(nowhere.param.as_deref(), Some("destination"));
    lab.at(lab.now.0, |txn| {
        txn.in_account("acct_1", |txn| {
            let refused = super::bank::destination(txn, "cad", None).unwrap_err();
            assert_eq!(
                refused.message,
                "Sorry, you don't have any external accounts in that currency (cad)."
            );
        });
    });
    let unknown =
        lab.call("GET /v1/balance_transactions", json!({"payout": "po_nope"})).unwrap_err();
    assert_eq!(unknown.message, "No such payout: 'po_nope'");
}

#[test]
fn a_pending_payout_is_taken_back_and_a_paid_one_reversed_once() {
    let mut lab = Lab::new();
    pay(&mut lab, 10_000, "bypassPending");
    let (available, _) = sums(&mut lab);
    let made = lab.ok("POST /v1/payouts", json!({"amount": 500, "currency": "usd"}));
    let path = format!("POST /v1/payouts/{}", made["id"].as_str().unwrap());
    let taken = lab.ok(&format!("{path}/cancel"), json!({}));
    assert_eq!(taken["status"], "canceled");
    assert_eq!(sums(&mut lab).0, available);
    let back =
        lab.get("balance_transaction", taken["failure_balance_transaction"].as_str().unwrap());
    assert_eq!((&back["type"], &back["amount"]), (&json!("payout_cancel"), &json!(500)));
    assert_eq!(lab.call(&format!("{path}/cancel"), json!({})).unwrap_err().status, 400);
    lab.advance(2 * DAY);
    assert_eq!(payouts(&lab)[0]["status"], "canceled");

    let made = lab.ok("POST /v1/payouts", json!({"amount": 500, "currency": "usd"}));
    let bank = made["destination"].as_str().unwrap().to_owned();
    let path = format!("POST /v1/payouts/{}/reverse", made["id"].as_str().unwrap());
    assert_eq!(lab.call(&path, json!({})).unwrap_err().status, 400);
    lab.advance(2 * DAY);
    // The sandbox's own bank account is Japanese.
    assert_eq!(lab.call(&path, json!({})).unwrap_err().status, 400);
    lab.at(lab.now.0, |txn| {
        txn.edit("bank_account", &bank, |doc| drop(doc.insert("country".to_owned(), json!("US"))))
    });
    let reversal = lab.ok(&path, json!({"metadata": {"why": "typo"}}));
    assert_eq!((&reversal["amount"], &reversal["original_payout"]), (&json!(-500), &made["id"]));
    assert_eq!(lab.get("payout", made["id"].as_str().unwrap())["reversed_by"], reversal["id"]);
    assert_eq!(sums(&mut lab).0, available);
    assert_eq!(lab.call(&path, json!({})).unwrap_err().status, 400);
}

#[test]
fn a_payment_that_is_booked_a_moment_later_can_be_paid_out_and_transferred_at_once() {
    let paid = json!({
        "amount": 10_000, "currency": "usd", "confirm": true,
        "payment_method": "pm_card_bypassPending",
        "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"},
    });
    let mut lab = Lab::new();
    let charge = lab.ok("POST /v1/payment_intents", paid.clone());
    assert_eq!(charge["capture_method"], "automatic_async");
    lab.ok("POST /v1/payouts", json!({"amount": 9_000, "currency": "usd"}));
    let told: Vec<String> = lab.events();
    let at = |kind: &str| told.iter().position(|it| it == kind).expect(kind);
    assert!(at("charge.updated") < at("payout.created"), "{told:?}");
    let view = lab.view();
    let updated = view.newest("event").find(|it| it["type"] == "charge.updated").unwrap();
    assert_eq!(updated["request"]["id"], json!(null), "nobody asked for it: {updated:?}");

    let mut lab = Lab::new();
    let account = lab.ok("POST /v1/accounts", json!({"type": "standard", "country": "US"}));
    lab.ok("POST /v1/payment_intents", paid);
    let asked = json!({"amount": 9_000, "currency": "usd", "destination": account["id"]});
    lab.ok("POST /v1/transfers", asked);
}

#[test]
fn test_bank_accounts_send_the_money_back_with_their_reason() {
    for (last4, code) in [
        ("1113", "account_closed"),
        ("1116", "no_account"),
        ("2227", "insufficient_funds"),
        ("3335", "debit_not_authorized"),
        ("4440", "invalid_currency"),
    ] {
        let mut lab = Lab::new();
        pay(&mut lab, 10_000, "bypassPending");
        let (available, _) = sums(&mut lab);
        let bank = lab.at(lab.now.0, |txn| super::bank::usual(txn, "usd").unwrap());
        let id = bank["id"].as_str().unwrap();
        lab.at(lab.now.0, |txn| {
            txn.edit("bank_account", id, |doc| drop(doc.insert("last4".to_owned(), json!(last4))))
        });
        lab.ok("POST /v1/payouts", json!({"amount": 700, "currency": "usd"}));
        lab.advance(2 * DAY);
        let failed = payouts(&lab).remove(0);
        assert_eq!((&failed["status"], &failed["failure_code"]), (&json!("failed"), &json!(code)));
        let back =
            lab.get("balance_transaction", failed["failure_balance_transaction"].as_str().unwrap());
        assert_eq!(
            (&back["type"], &back["reporting_category"]),
            (&json!("payout_failure"), &json!("payout_reversal"))
        );
        assert_eq!(sums(&mut lab).0, available);
        assert_eq!(lab.get("bank_account", id)["status"], "errored");
    }
}

/// The transactions that a payout's filter finds, over all pages.
fn of_payout(lab: &mut Lab, payout: &Value) -> Vec<Value> {
    let mut sent = json!({"payout": payout["id"], "limit": 100});
    let mut all = Vec::new();
    loop {
        let page = lab.ok("GET /v1/balance_transactions", sent.clone());
        let data = page["data"].as_array().unwrap().clone();
        let last = data.last().cloned();
        all.extend(data);
        let Some(last) = last.filter(|_| page["has_more"] == true) else { return all };
        sent["starting_after"] = last["id"].clone();
    }
}

#[test]
fn a_schedule_pays_out_what_became_available_and_says_what_that_was() {
    let mut lab = Lab::new();
    rhythm(&mut lab, &json!({"interval": "weekly", "weekly_payout_days": ["monday"]}));
    for amount in [1_000, 2_000, 3_000] {
        pay(&mut lab, amount, "visa");
        lab.advance(HOUR);
    }
    lab.advance(14 * DAY);
    let made = payouts(&lab);
    assert_eq!(made.len(), 1);
    let payout = &made[0];
    assert_eq!((&payout["automatic"], &payout["status"]), (&json!(true), &json!("paid")));
    assert_eq!(payout["reconciliation_status"], "completed");
    // 1970-01-01 was a Thursday.
    assert_eq!((payout["created"].as_i64().unwrap() / DAY + 3) % 7, 0);
    assert_eq!(sums(&mut lab), (0, 0));
    let rows = of_payout(&mut lab, payout);
    assert_eq!(rows.len(), 4);
    let net = |own: bool| -> i64 {
        let of = rows.iter().filter(|row| (row["source"] == payout["id"]) == own);
        of.map(|row| row["net"].as_i64().unwrap()).sum()
    };
    let amount = payout["amount"].as_i64().unwrap();
    assert_eq!((net(false), net(true)), (amount, -amount));
    assert!(told(&lab, "payout.").contains(&"payout.reconciliation_completed".to_owned()));
    let refused =
        lab.call(&format!("POST /v1/payouts/{}/cancel", payout["id"].as_str().unwrap()), json!({}));
    assert_eq!(refused.unwrap_err().status, 400);
}

#[test]
fn nothing_is_paid_out_by_itself_until_somebody_says_how_often() {
    let mut lab = Lab::new();
    pay(&mut lab, 5_000, "visa");
    lab.advance(40 * DAY);
    assert!(payouts(&lab).is_empty());
    let (available, _) = sums(&mut lab);
    rhythm(&mut lab, &json!({"interval": "daily"}));
    // Changed before it came to that.
    rhythm(&mut lab, &json!({"interval": "monthly", "monthly_payout_days": [31]}));
    lab.advance(45 * DAY);
    let made = payouts(&lab);
    assert_eq!((made.len(), &made[0]["amount"]), (1, &json!(available)));
    let listed = lab.ok("GET /v1/payouts", json!({"status": "paid", "arrival_date": {"gt": 1}}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_topup_arrives_fails_or_is_taken_back() {
    let mut lab = Lab::new();
    let mut make = |more: Value| {
        let mut sent = json!({"amount": 2_000, "currency": "usd"});
        sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = lab.ok("POST /v1/topups", sent);
        assert_eq!(made["status"], "pending");
        made["id"].as_str().unwrap().to_owned()
    };
    let (arrives, fails, taken) = (
        make(json!({"description": "float"})),
        make(json!({"source": "btok_us_verified_noAccount"})),
        make(json!({})),
    );
    let path = format!("POST /v1/topups/{taken}/cancel");
    assert_eq!(lab.ok(&path, json!({}))["status"], "canceled");
    assert_eq!(lab.call(&path, json!({})).unwrap_err().status, 400);
    lab.advance(2 * DAY);
    let status = |id: &str| lab.get("topup", id)["status"].clone();
    assert_eq!(
        [status(&arrives), status(&fails), status(&taken)],
        ["succeeded", "failed", "canceled"]
    );
    assert_eq!(sums(&mut lab), (2_000, 0));
    let listed = lab.ok("GET /v1/topups", json!({"status": "succeeded", "amount": {"lte": 2_000}}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(told(&lab, "topup.").len(), 6);
}

#[test]
fn reports_have_what_the_books_have() {
    let mut lab = Lab::new();
    let begin = lab.now.0;
    rhythm(&mut lab, &json!({"interval": "daily"}));
    let intent = pay(&mut lab, 2_000, "visa");
    lab.advance(DAY);
    lab.ok("POST /v1/refunds", json!({"payment_intent": intent["id"], "amount": 500}));
    pay(&mut lab, 1_000, "createDispute");
    lab.ok("POST /v1/topups", json!({"amount": 9_000, "currency": "usd"}));
    lab.advance(20 * DAY);
    let mut csv = |kind: &str, more: Value| -> Vec<Vec<String>> {
        let mut parameters = json!({"interval_start": begin, "interval_end": begin + 30 * DAY});
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let run = lab.ok(
            "POST /v1/reporting/report_runs",
            json!({"report_type": kind, "parameters": parameters}),
        );
        assert_eq!(run["status"], "pending");
        lab.advance(1);
        let run = lab.get("reporting.report_run", run["id"].as_str().unwrap());
        assert_eq!(run["status"], "succeeded", "{kind}");
        let file = run["result"]["id"].as_str().unwrap();
        let kept = lab.view().get("_more", &format!("file {file}")).unwrap();
        let file = crate::wire::multipart::File::read(kept["_bytes"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(file.bytes).unwrap();
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let columns =
        json!({"columns": ["reporting_category", "gross", "fee", "net", "currency", "created"]});
    let rows = csv("balance_change_from_activity.itemized.3", columns);
    let lines: Vec<String> = rows.iter().map(|row| row[..4].join(" ")).collect();
    assert_eq!(
        lines,
        [
            "reporting_category gross fee net",
            "charge 20.00 0.88 19.12",
            "refund -5.00 0.00 -5.00",
            "charge 10.00 0.59 9.41",
            "dispute -10.00 15.00 -25.00",
            "topup 90.00 0.00 90.00",
        ]
    );
    let paid =
        csv("payout_reconciliation.itemized.5", json!({"columns": ["automatic_payout_id", "net"]}));
    assert_eq!(paid.len(), 6);
    let totals = csv("payouts.summary.1", json!({}));
    assert_eq!(totals[1].last().unwrap(), "-88.53");
    let balance = csv("balance.summary.1", json!({"currency": "usd"}));
    let amounts: Vec<&str> = balance.iter().skip(1).map(|row| row[2].as_str()).collect();
    assert_eq!(amounts, ["0.00", "88.53", "-88.53", "0.00"]);
    let payout = payouts(&lab).remove(0);
    let of_one = json!({"report_type": "payout_reconciliation.by_id.itemized.4", "parameters": {"payout": payout["id"]}});
    lab.ok("POST /v1/reporting/report_runs", of_one);
    for (kind, parameters) in [
        ("nonsense.1", json!({})),
        ("balance.summary.2", json!({})),
        ("balance.summary.1", json!({"interval_start": 5})),
        ("balance.summary.1", json!({"interval_start": 5, "interval_end": 5})),
        ("balance.summary.1", json!({"interval_start": 5, "interval_end": 9, "columns": ["nope"]})),
        ("payout_reconciliation.by_id.summary.1", json!({})),
    ] {
        let sent = json!({"report_type": kind, "parameters": parameters});
        assert_eq!(
            lab.call("POST /v1/reporting/report_runs", sent).unwrap_err().status,
            400,
            "{kind}"
        );
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay(i64),
    PayAtOnce(i64),
    PayOut(i64),
    Cancel,
    Fail,
    Dispute,
    Refund,
    Rhythm(u8),
    Wait(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (100_i64..9_000).prop_map(Act::Pay),
        (100_i64..9_000).prop_map(Act::PayAtOnce),
        (1_i64..9_000).prop_map(Act::PayOut),
        Just(Act::Cancel),
        Just(Act::Fail),
        Just(Act::Dispute),
        Just(Act::Refund),
        (0_u8..4).prop_map(Act::Rhythm),
        (0_i64..12 * DAY).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..16)
}

fn play(lab: &mut Lab, act: Act) {
    match act {
        Act::Pay(amount) => drop(pay(lab, amount, "visa")),
        Act::PayAtOnce(amount) => drop(pay(lab, amount, "bypassPending")),
        Act::Dispute => drop(pay(lab, 3_000, "createDispute")),
        Act::PayOut(amount) => {
            drop(lab.call("POST /v1/payouts", json!({"amount": amount, "currency": "usd"})));
        }
        Act::Cancel => {
            if let Some(last) = payouts(lab).pop() {
                drop(lab.call(
                    &format!("POST /v1/payouts/{}/cancel", last["id"].as_str().unwrap()),
                    json!({}),
                ));
            }
        }
        Act::Fail => lab.at(lab.now.0, |txn| {
            for payout in txn.newest("payout").map(|it| it["id"].clone()).collect::<Vec<_>>() {
                super::send::go(txn, payout.as_str().unwrap(), super::machine::Step::Bounce);
            }
        }),
        Act::Refund => {
            let charge = lab.view().newest("charge").next().map(|it| it["id"].clone());
            if let Some(charge) = charge {
                drop(lab.call("POST /v1/refunds", json!({"charge": charge, "amount": 50})));
            }
        }
        Act::Rhythm(at) => {
            let word = ["manual", "daily", "weekly", "monthly"][usize::from(at)];
            rhythm(lab, &json!({"interval": word}));
        }
        Act::Wait(seconds) => lab.advance(seconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_moves_money_the_balance_is_its_transactions_and_payouts_tie_out(acts in acts()) {
        let mut lab = Lab::new();
        for act in acts {
            play(&mut lab, act);
            lab.advance(0);
        }
        lab.advance(1);
        let rows: Vec<Value> = lab.view().newest("balance_transaction").map(|it| it.document()).collect();
        let of = |status: &str| -> i64 {
            let own = rows.iter().filter(|row| row["status"] == status && row["currency"] == "usd");
            own.map(|row| row["net"].as_i64().unwrap()).sum()
        };
        prop_assert_eq!(sums(&mut lab), (of("available"), of("pending")));
        for payout in payouts(&lab) {
            let found = of_payout(&mut lab, &payout);
            if payout["automatic"] == true {
                let net: i64 = found.iter().map(|row| row["net"].as_i64().unwrap()).sum();
                prop_assert_eq!(net, 0, "{}", payout);
                prop_assert_eq!(payout["reconciliation_status"].as_str(), Some("completed"));
            } else {
                prop_assert!(found.iter().all(|row| row["source"] != payout["id"]) || found.is_empty());
            }
            let own = rows.iter().filter(|row| row["source"] == payout["id"]);
            let moved: i64 = own.map(|row| row["net"].as_i64().unwrap()).sum();
            let came_back = ["failed", "canceled"].contains(&payout["status"].as_str().unwrap());
            prop_assert_eq!(moved, if came_back { 0 } else { -payout["amount"].as_i64().unwrap() });
        }
        lab.events();
    }
}
