use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// A payment of 1,000 with a ready-made card: the intent.
fn pay(lab: &mut Lab, card: &str, more: &Value) -> Value {
    let mut sent = json!({
        "amount": 1_000, "currency": "usd", "confirm": true, "capture_method": "automatic",
        "payment_method": format!("pm_card_{card}"),
        "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"},
    });
    sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lab.ok("POST /v1/payment_intents", sent)
}

/// The disputes of an intent, oldest first.
fn disputes(lab: &mut Lab, intent: &Value) -> Vec<Value> {
    let listed = lab.ok("GET /v1/disputes", json!({"payment_intent": intent["id"]}));
    let mut found = listed["data"].as_array().unwrap().clone();
    found.reverse();
    found
}

fn disputed(lab: &mut Lab, card: &str) -> Value {
    let intent = pay(lab, card, &json!({}));
    disputes(lab, &intent).remove(0)
}

fn balance(lab: &mut Lab) -> i64 {
    let balance = lab.ok("GET /v1/balance", json!({}));
    let of = |part: &str| {
        let rows = balance[part].as_array().unwrap();
        rows.iter()
            .filter(|row| row["currency"] == "usd")
            .map(|row| row["amount"].as_i64().unwrap())
            .sum::<i64>()
    };
    of("available") + of("pending")
}

fn submit(lab: &mut Lab, dispute: &Value, text: &str) -> Value {
    let path = format!("POST /v1/disputes/{}", dispute["id"].as_str().unwrap());
    lab.ok(&path, json!({"evidence": {"uncategorized_text": text}}))
}

fn stored(lab: &Lab, dispute: &Value) -> Value {
    lab.get("dispute", dispute["id"].as_str().unwrap())
}

fn after<'e>(events: &'e [String], kind: &str) -> &'e [String] {
    let at = events.iter().position(|it| it == kind).unwrap();
    &events[at..]
}

#[test]
fn what_a_dispute_takes_is_pending_for_as_long_as_what_was_paid() {
    for capture in ["automatic", "automatic_async"] {
        let mut lab = Lab::new();
        let intent = pay(&mut lab, "createDispute", &json!({"capture_method": capture}));
        lab.advance(0);
        let charge = lab.get("charge", intent["latest_charge"].as_str().unwrap());
        let paid = lab.get("balance_transaction", charge["balance_transaction"].as_str().unwrap());
        let dispute = disputes(&mut lab, &intent).remove(0);
        let taken = &dispute["balance_transactions"][0];
        assert_eq!((&taken["status"], &paid["status"]), (&json!("pending"), &json!("pending")));
        assert_eq!(taken["available_on"], paid["available_on"], "{capture}");
        lab.advance(8 * DAY);
        let taken = &stored(&lab, &dispute)["balance_transactions"][0];
        assert_eq!(taken["status"], "available");
    }
}

#[test]
fn a_fraudulent_payment_is_disputed_inside_itself_and_takes_amount_and_fee() {
    let mut lab = Lab::new();
    let intent = pay(&mut lab, "createDispute", &json!({}));
    let events = lab.events();
    assert_eq!(
        after(&events, "charge.succeeded"),
        [
            "charge.succeeded",
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.updated",
            "payment_intent.succeeded"
        ]
    );
    let dispute = disputes(&mut lab, &intent).remove(0);
    let charge = lab.get("charge", intent["latest_charge"].as_str().unwrap());
    assert_eq!((&charge["disputed"], &charge["dispute"]), (&json!(true), &dispute["id"]));
    assert_eq!(
        (&dispute["status"], &dispute["reason"]),
        (&json!("needs_response"), &json!("fraudulent"))
    );
    assert_eq!(dispute["is_charge_refundable"], false);
    assert_eq!(dispute["payment_method_details"]["card"]["network_reason_code"], "83");
    let due = dispute["evidence_details"]["due_by"].as_i64().unwrap();
    assert_eq!((due + 1) % DAY, 0);
    assert_eq!(due / DAY - lab.now.0 / DAY, 9);
    let row = &dispute["balance_transactions"][0];
    assert_eq!(
        (&row["amount"], &row["fee"], &row["net"]),
        (&json!(-1_000), &json!(1_500), &json!(-2_500))
    );
    assert_eq!(
        (&row["type"], &row["reporting_category"]),
        (&json!("adjustment"), &json!("dispute"))
    );
    assert_eq!(row["fee_details"][0]["description"], "Dispute fee");
    assert_eq!(dispute["balance_transaction"], row["id"]);
    // 59 is the fee of the payment.
    assert_eq!(balance(&mut lab), 1_000 - 59 - 2_500);
    let refund = lab.call("POST /v1/refunds", json!({"charge": charge["id"]})).unwrap_err();
    assert_eq!(refund.code.as_deref(), Some("charge_disputed"));
    assert!(refund.message.ends_with("has been charged back; cannot issue a refund."));
}

#[test]
fn evidence_goes_to_the_bank_and_its_words_decide_a_moment_later() {
    let mut lab = Lab::new();
    let dispute = disputed(&mut lab, "createDispute");
    let before = balance(&mut lab);
    let answer = submit(&mut lab, &dispute, "winning_evidence");
    assert_eq!(answer["status"], "under_review");
    assert_eq!(answer["evidence_details"]["submission_count"], 1);
    assert_eq!(answer["evidence_details"]["has_evidence"], true);
    lab.advance(1);
    let won = stored(&lab, &dispute);
    assert_eq!((&won["status"], &won["is_charge_refundable"]), (&json!("won"), &json!(true)));
    assert_eq!(won["balance_transactions"][1]["reporting_category"], "dispute_reversal");
    assert_eq!(won["balance_transactions"][1]["amount"], 1_000);
    assert_eq!(balance(&mut lab), before + 1_000);
    let mut events = lab.events();
    events.retain(|it| it.starts_with("charge.dispute."));
    assert_eq!(
        after(&events, "charge.dispute.updated"),
        ["charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated"]
    );
    let path = format!("POST /v1/disputes/{}", dispute["id"].as_str().unwrap());
    for (path, sent) in [
        (path.clone(), json!({"evidence": {"uncategorized_text": "more"}})),
        (format!("{path}/close"), json!({})),
    ] {
        let refusal = lab.call(&path, sent).unwrap_err();
        assert_eq!((refusal.status, &*refusal.message), (400, "This dispute is already closed"));
    }
    // Metadata may still be written.
    assert_eq!(lab.ok(&path, json!({"metadata": {"a": "1"}}))["metadata"]["a"], "1");
    lab.ok("POST /v1/refunds", json!({"charge": won["charge"]}));

    let dispute = disputed(&mut lab, "createDispute");
    submit(&mut lab, &dispute, "losing_evidence");
    lab.advance(1);
    assert_eq!(stored(&lab, &dispute)["status"], "lost");
    let dispute = disputed(&mut lab, "createDispute");
    submit(&mut lab, &dispute, "It was sent on Monday.");
    lab.advance(20 * DAY);
    assert_eq!(stored(&lab, &dispute)["status"], "under_review");
}

#[test]
fn evidence_may_be_kept_and_submitted_later_with_files_that_are_meant_for_it() {
    let mut lab = Lab::new();
    let dispute = disputed(&mut lab, "createDisputeProductNotReceived");
    assert_eq!(dispute["reason"], "product_not_received");
    let path = format!("POST /v1/disputes/{}", dispute["id"].as_str().unwrap());
    lab.at(lab.now.0, |txn| {
        for (id, purpose) in [("file_1", "dispute_evidence"), ("file_2", "business_logo")] {
            txn.put(json!({"object": "file", "id": id, "purpose": purpose}));
        }
    });
    let mut file =
        |id: &str| lab.call(&path, json!({"evidence": {"receipt": id}, "submit": false}));
    let missing = file("file_9").unwrap_err();
    assert_eq!(missing.param.as_deref(), Some("evidence[receipt]"));
    assert_eq!(file("file_2").unwrap_err().status, 400);
    let kept = file("file_1").unwrap();
    assert_eq!(
        (&kept["status"], &kept["evidence"]["receipt"]),
        (&json!("needs_response"), &json!("file_1"))
    );
    assert_eq!(kept["evidence_details"]["has_evidence"], true);
    assert_eq!(kept["evidence_details"]["submission_count"], 0);
    let sent = lab.ok(&path, json!({"submit": true}));
    assert_eq!(
        (&sent["status"], &sent["evidence"]["receipt"]),
        (&json!("under_review"), &json!("file_1"))
    );
    let long = "x".repeat(20_000);
    let evidence = json!({"access_activity_log": long, "cancellation_policy_disclosure": long,
        "cancellation_rebuttal": long, "duplicate_charge_explanation": long, "product_description": long,
        "refund_policy_disclosure": long, "refund_refusal_explanation": long, "uncategorized_text": long});
    assert_eq!(lab.call(&path, json!({"evidence": evidence})).unwrap_err().status, 400);
}

#[test]
fn an_inquiry_takes_nothing_until_it_is_escalated_and_a_refund_ends_it() {
    let mut lab = Lab::new();
    let inquiry = disputed(&mut lab, "createDisputeInquiry");
    assert_eq!(inquiry["status"], "warning_needs_response");
    assert_eq!(
        (&inquiry["is_charge_refundable"], &inquiry["balance_transactions"]),
        (&json!(true), &json!([]))
    );
    let before = balance(&mut lab);
    assert_eq!(
        submit(&mut lab, &inquiry, "escalate_inquiry_evidence")["status"],
        "warning_under_review"
    );
    lab.advance(1);
    let escalated = stored(&lab, &inquiry);
    assert_eq!(
        (&escalated["status"], balance(&mut lab)),
        (&json!("needs_response"), before - 2_500)
    );
    assert!(lab.events().ends_with(&["charge.dispute.funds_withdrawn".to_owned()]));

    let inquiry = disputed(&mut lab, "createDisputeInquiry");
    lab.ok("POST /v1/refunds", json!({"charge": inquiry["charge"]}));
    assert_eq!(stored(&lab, &inquiry)["status"], "warning_closed");
    for word in ["winning_evidence", "losing_evidence"] {
        let inquiry = disputed(&mut lab, "createDisputeInquiry");
        submit(&mut lab, &inquiry, word);
        lab.advance(1);
        assert_eq!(stored(&lab, &inquiry)["status"], "warning_closed", "{word}");
    }
    // Nobody answers: past due first, closed when its time is over.
    let inquiry = disputed(&mut lab, "createDisputeInquiry");
    lab.advance(10 * DAY);
    assert_eq!(stored(&lab, &inquiry)["evidence_details"]["past_due"], true);
    assert_eq!(stored(&lab, &inquiry)["status"], "warning_needs_response");
    lab.advance(111 * DAY);
    assert_eq!(stored(&lab, &inquiry)["status"], "warning_closed");
}

#[test]
fn a_chargeback_is_lost_when_it_is_accepted_or_its_time_is_over() {
    let mut lab = Lab::new();
    let dispute = disputed(&mut lab, "createDispute");
    let path = format!("POST /v1/disputes/{}/close", dispute["id"].as_str().unwrap());
    assert_eq!(lab.ok(&path, json!({}))["status"], "lost");
    let dispute = disputed(&mut lab, "createDispute");
    lab.advance(10 * DAY);
    let lost = stored(&lab, &dispute);
    assert_eq!(
        (&lost["status"], &lost["evidence_details"]["past_due"]),
        (&json!("lost"), &json!(true))
    );
    let nobody = lab.call("GET /v1/disputes/dp_nope", json!({})).unwrap_err();
    assert_eq!((nobody.status, &*nobody.message), (404, "No such dispute: 'dp_nope'"));
}

/// Every card that is disputed, its reason, how many disputes there are and what makes it eligible.
#[test]
fn each_card_is_disputed_in_its_own_way() {
    for (card, reason, count, eligible) in [
        ("createDispute", "fraudulent", 1, None),
        ("createDisputeProductNotReceived", "product_not_received", 1, None),
        ("createDisputeInquiry", "fraudulent", 1, None),
        ("createMultipleDisputes", "fraudulent", 2, None),
        ("createCe3EligibleDispute", "fraudulent", 1, Some("visa_compelling_evidence_3")),
        ("createComplianceDispute", "noncompliant", 1, Some("visa_compliance")),
        ("createMastercardComplianceDispute", "noncompliant", 1, Some("mastercard_compliance")),
        ("createAutoRepresentmentEligibleDispute", "fraudulent", 1, None),
    ] {
        let mut lab = Lab::new();
        let intent = pay(&mut lab, card, &json!({}));
        let found = disputes(&mut lab, &intent);
        assert_eq!(found.len(), count, "{card}");
        let sum: i64 = found.iter().map(|it| it["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, 1_000, "{card}");
        assert_eq!(found[0]["reason"], reason, "{card}");
        assert_eq!(found[0]["enhanced_eligibility_types"].get(0).and_then(Value::as_str), eligible);
        let rated = &found[0]["evidence_details"]["enhanced_eligibility"];
        assert!(eligible.is_none_or(|name| rated[name]["status"].is_string()));
        // Held money is disputed once it is taken.
        let mut lab = Lab::new();
        let held = pay(&mut lab, card, &json!({"capture_method": "manual"}));
        assert!(disputes(&mut lab, &held).is_empty());
        lab.ok(
            &format!("POST /v1/payment_intents/{}/capture", held["id"].as_str().unwrap()),
            json!({"amount_to_capture": 600}),
        );
        let found = disputes(&mut lab, &held);
        assert_eq!(found.iter().map(|it| it["amount"].as_i64().unwrap()).sum::<i64>(), 600);
    }
}

#[test]
fn what_makes_evidence_compelling_is_counted_down() {
    let mut lab = Lab::new();
    let dispute = disputed(&mut lab, "createCe3EligibleDispute");
    let path = format!("POST /v1/disputes/{}", dispute["id"].as_str().unwrap());
    let rated = |doc: &Value| {
        doc["evidence_details"]["enhanced_eligibility"]["visa_compelling_evidence_3"].clone()
    };
    assert_eq!(rated(&dispute)["required_actions"].as_array().unwrap().len(), 4);
    let prior = json!({"charge": "ch_1", "customer_email_address": "a@example.com", "product_description": "tea"});
    let evidence = json!({
        "disputed_transaction": {"customer_email_address": "a@example.com", "merchandise_or_services": "merchandise",
            "product_description": "tea"},
        "prior_undisputed_transactions": [prior, prior],
    });
    let sent = json!({"evidence": {"enhanced_evidence": {"visa_compelling_evidence_3": evidence}}, "submit": false});
    assert_eq!(rated(&lab.ok(&path, sent)), json!({"required_actions": [], "status": "qualified"}));
}

#[test]
fn an_early_warning_is_settled_by_a_refund_and_a_review_closed_by_it() {
    let mut lab = Lab::new();
    let intent = pay(&mut lab, "createIssuerFraudRecord", &json!({}));
    let listed =
        lab.ok("GET /v1/radar/early_fraud_warnings", json!({"payment_intent": intent["id"]}));
    let warning = &listed["data"][0];
    assert_eq!(
        (&warning["actionable"], &warning["charge"]),
        (&json!(true), &intent["latest_charge"])
    );
    lab.ok("POST /v1/refunds", json!({"charge": intent["latest_charge"]}));
    assert_eq!(
        lab.get("radar.early_fraud_warning", warning["id"].as_str().unwrap())["actionable"],
        false
    );
    assert!(lab.events().contains(&"radar.early_fraud_warning.updated".to_owned()));

    let intent = pay(&mut lab, "riskLevelElevated", &json!({}));
    let open = lab.ok("GET /v1/reviews", json!({}))["data"][0].clone();
    assert_eq!((&open["payment_intent"], &open["open"]), (&intent["id"], &json!(true)));
    assert_eq!(intent["review"], open["id"]);
    let path = format!("POST /v1/reviews/{}/approve", open["id"].as_str().unwrap());
    let approved = lab.ok(&path, json!({}));
    assert_eq!(
        (&approved["open"], &approved["closed_reason"]),
        (&json!(false), &json!("approved"))
    );
    assert_eq!(lab.call(&path, json!({})).unwrap_err().status, 400);
    assert_eq!(lab.ok("GET /v1/reviews", json!({}))["data"], json!([]));
    for (reason, closed) in [(None, "refunded"), (Some("fraudulent"), "refunded_as_fraud")] {
        let intent = pay(&mut lab, "riskLevelElevated", &json!({}));
        let mut sent = json!({"payment_intent": intent["id"]});
        if let Some(reason) = reason {
            sent["reason"] = json!(reason);
        }
        lab.ok("POST /v1/refunds", sent);
        assert_eq!(lab.get("review", intent["review"].as_str().unwrap())["closed_reason"], closed);
    }
}

#[test]
fn a_debit_that_its_payer_takes_back_is_lost_at_once() {
    let mut lab = Lab::new();
    let sent = json!({
        "amount": 1_000, "currency": "eur", "confirm": true,
        "allowed_payment_method_types": ["sepa_debit"],
        "payment_method_data": {"type": "sepa_debit", "sepa_debit": {"iban": "AT591904300235473203"},
            "billing_details": {"name": "Ada", "email": "ada@example.com"}},
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
    });
    let intent = lab.ok("POST /v1/payment_intents", sent);
    lab.advance(200);
    let found = disputes(&mut lab, &intent);
    assert_eq!((found.len(), &found[0]["status"]), (1, &json!("lost")));
    assert_eq!(found[0]["balance_transactions"][0]["amount"], -1_000);
    assert_eq!(lab.get("payment_intent", intent["id"].as_str().unwrap())["status"], "succeeded");
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Keep,
    Submit,
    Win,
    Lose,
    Escalate,
    Close,
    Refund,
    Wait(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        Just(Act::Keep),
        Just(Act::Submit),
        Just(Act::Win),
        Just(Act::Lose),
        Just(Act::Escalate),
        Just(Act::Close),
        Just(Act::Refund),
        (0_i64..60 * DAY).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_order_of_acts_leads_astray_and_the_books_hold(acts in acts(), inquiry in any::<bool>()) {
        let mut lab = Lab::new();
        let card = if inquiry { "createDisputeInquiry" } else { "createDispute" };
        let dispute = disputed(&mut lab, card);
        let id = dispute["id"].as_str().unwrap().to_owned();
        let path = format!("POST /v1/disputes/{id}");
        let mut last = stored(&lab, &dispute);
        for act in acts {
            let text = |word: &str| json!({"evidence": {"uncategorized_text": word}});
            let result = match act {
                Act::Keep => lab.call(&path, json!({"evidence": {"customer_name": "Ada"}, "submit": false})),
                Act::Submit => lab.call(&path, text("It was sent.")),
                Act::Win => lab.call(&path, text("winning_evidence")),
                Act::Lose => lab.call(&path, text("losing_evidence")),
                Act::Escalate => lab.call(&path, text("escalate_inquiry_evidence")),
                Act::Close => lab.call(&format!("{path}/close"), json!({})),
                Act::Refund => lab.call("POST /v1/refunds", json!({"charge": dispute["charge"]})),
                Act::Wait(seconds) => {
                    lab.advance(seconds);
                    Ok(Value::Null)
                }
            };
            lab.advance(1);
            let now = stored(&lab, &dispute);
            let closed = |doc: &Value| ["won", "lost", "warning_closed"].contains(&doc["status"].as_str().unwrap());
            prop_assert!(!closed(&last) || now["status"] == last["status"], "{:?}", act);
            prop_assert!(!closed(&last) || matches!(act, Act::Wait(_) | Act::Refund) || result.is_err());
            let rows = now["balance_transactions"].as_array().unwrap();
            let moved: i64 = rows.iter().map(|row| row["amount"].as_i64().unwrap()).sum();
            let taken = !["won"].contains(&now["status"].as_str().unwrap())
                && !now["status"].as_str().unwrap().starts_with("warning");
            prop_assert_eq!(moved, if taken { -1_000 } else { 0 });
            last = now;
        }
        let all = lab.view();
        let net: i64 = all.newest("balance_transaction").map(|row| row["net"].as_i64().unwrap()).sum();
        prop_assert_eq!(balance(&mut lab), net);
        // What the events say last, unless that is long ago, is how the dispute stands.
        let about = |event: &std::sync::Arc<crate::sandbox::engine::object::Object>| {
            event["type"].as_str().unwrap().starts_with("charge.dispute.")
        };
        if let Some(told) = all.newest("event").find(about) {
            prop_assert_eq!(&told["data"]["object"]["status"], &last["status"]);
        }
        lab.events();
    }
}
