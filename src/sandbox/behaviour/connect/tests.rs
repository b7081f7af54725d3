//! Money between accounts, driven through the API.

use crate::sandbox::behaviour::balance;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A lab with money of the platform's that is there, and an account that it may send money to.
fn lab() -> (Lab, String) {
    let mut lab = Lab::new();
    let made = lab.ok("POST /v1/accounts", json!({"type": "standard", "country": "US"}));
    let account = text(&made, "id").to_owned();
    lab.ok(
        "POST /v1/charges",
        json!({"amount": 50_000, "currency": "usd", "source": "tok_bypassPending"}),
    );
    (lab, account)
}

/// Calls an endpoint for a connected account.
fn ok_in(lab: &mut Lab, account: &str, endpoint: &str, params: Value) -> Value {
    lab.within(account, |lab| lab.ok(endpoint, params))
}

/// What an account's transactions come to, and what its balance says.
fn sums(lab: &Lab, account: &str) -> (i64, i64) {
    let view = lab.view().at(account);
    let net = view.newest("balance_transaction").map(|booked| int(&booked, "net")).sum();
    let shown = balance::balance(&view);
    let of = |part: &str| -> i64 {
        shown[part].as_array().unwrap().iter().map(|row| int(row, "amount")).sum()
    };
    (net, of("available") + of("pending"))
}

fn pay(lab: &mut Lab, more: &Value) -> Value {
    let mut params = json!({
        "amount": 10_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true,
        "payment_method_types": ["card"], "capture_method": "automatic",
    });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lab.ok("POST /v1/payment_intents", params)
}

#[test]
fn a_transfer_is_booked_in_both_accounts_and_becomes_a_payment() {
    let (mut lab, account) = lab();
    let asked =
        json!({"amount": 2_000, "currency": "usd", "destination": account, "description": "Share"});
    let made = lab.ok("POST /v1/transfers", asked);
    assert_eq!((int(&made, "amount"), &made["reversed"]), (2_000, &json!(false)));
    assert_eq!((text(&made, "source_type"), &made["transfer_group"]), ("card", &json!(null)));
    let booked = lab.get("balance_transaction", text(&made, "balance_transaction"));
    assert_eq!((int(&booked, "net"), text(&booked, "type")), (-2_000, "transfer"));
    assert_eq!((text(&booked, "description"), text(&booked, "status")), ("Share", "available"));

    let path = format!("GET /v1/charges/{}", text(&made, "destination_payment"));
    let payment = ok_in(&mut lab, &account, &path, json!({}));
    assert_eq!(payment["source_transfer"], made["id"]);
    assert_eq!(
        payment["payment_method_details"],
        json!({"stripe_account": {}, "type": "stripe_account"})
    );
    assert!(text(&payment, "application").starts_with("ca_"));
    let view = lab.view().at(&account);
    let booked = view.get("balance_transaction", text(&payment, "balance_transaction")).unwrap();
    assert_eq!((text(&booked, "type"), text(&booked, "reporting_category")), ("payment", "charge"));
    assert_eq!((int(&booked, "fee"), &booked["fee_details"]), (0, &json!([])));
    assert!(lab.call(&path, json!({})).is_err(), "the platform does not see it without the header");
    assert_eq!(lab.events().last().unwrap(), "transfer.created");
    assert_eq!(balance::sums(&view, "usd").0, 2_000);
}

#[test]
fn a_transfer_that_cannot_be_made_says_why() {
    let (mut lab, account) = lab();
    let mut refused = |params: Value| {
        let failure = lab.call("POST /v1/transfers", params).unwrap_err();
        (failure.code.unwrap_or_default(), failure.param.unwrap_or_default())
    };
    let told = |code: &str, param: &str| (code.to_owned(), param.to_owned());
    let asked = json!({"amount": 1, "currency": "usd", "destination": "acct_nobody"});
    assert_eq!(refused(asked), told("resource_missing", "destination"));
    let asked = json!({"amount": 60_000, "currency": "usd", "destination": account});
    assert_eq!(refused(asked), told("balance_insufficient", ""));
    let asked = json!({"amount": 0, "currency": "usd", "destination": account});
    assert_eq!(refused(asked), told("parameter_invalid_integer", "amount"));
    let asked = json!({"currency": "usd", "destination": account});
    assert_eq!(refused(asked), told("parameter_missing", "amount"));
    let made = lab.ok("POST /v1/accounts", json!({"type": "express", "country": "US"}));
    let asked = json!({"amount": 1, "currency": "usd", "destination": made["id"]});
    let failure = lab.call("POST /v1/transfers", asked).unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("insufficient_capabilities_for_transfer"));
}

/// An account of one person in the United States of which everything is known.
fn known() -> Value {
    json!({
        "type": "custom", "country": "US", "business_type": "individual",
        "capabilities": {"transfers": {"requested": true}},
        "business_profile": {"url": "https://example.com"},
        "tos_acceptance": {"date": 1, "ip": "127.0.0.1"}, "external_account": "btok_us_verified",
        "individual": {
            "first_name": "Aki", "last_name": "Sato", "email": "a@example.com",
            "phone": "+15555550100", "dob": {"day": 1, "month": 1, "year": 1990},
            "address": {"line1": "1 Main St", "city": "Town", "state": "CA", "postal_code": "94110"},
            "id_number": "000000000",
        },
    })
}

#[test]
fn nobody_is_refused_for_sending_money_while_an_account_is_looked_into() {
    for destination in [false, true] {
        let (mut lab, _) = lab();
        let made = lab.ok("POST /v1/accounts", known());
        assert_eq!(made["capabilities"]["transfers"], "pending", "{}", made["requirements"]);
        if destination {
            let paid = pay(&mut lab, &json!({"transfer_data": {"destination": made["id"]}}));
            assert_eq!(paid["status"], "succeeded");
        } else {
            let asked = json!({"amount": 100, "currency": "usd", "destination": made["id"]});
            lab.ok("POST /v1/transfers", asked);
        }
        let path = format!("GET /v1/accounts/{}", text(&made, "id"));
        assert_eq!(lab.ok(&path, json!({}))["capabilities"]["transfers"], "active");
        let told = |lab: &Lab| lab.events().iter().filter(|it| *it == "account.updated").count();
        let before = told(&lab);
        lab.advance(5);
        assert_eq!(told(&lab), before, "it is told once");
    }
}

#[test]
fn a_payment_that_was_sent_on_names_the_platform_that_sent_it() {
    let (mut lab, account) = lab();
    let paid = pay(&mut lab, &json!({"transfer_data": {"destination": account}}));
    assert_eq!(paid["transfer_data"], json!({"destination": account}));
    let charge = lab.get("charge", text(&paid, "latest_charge"));
    assert_eq!(charge["transfer_data"], json!({"amount": null, "destination": account}));
    let transfer = lab.get("transfer", text(&charge, "transfer"));
    let path = format!("GET /v1/charges/{}", text(&transfer, "destination_payment"));
    let payment = ok_in(&mut lab, &account, &path, json!({}));
    let own = lab.ok("GET /v1/account", json!({}));
    assert_eq!(
        (text(&payment["source"], "object"), &payment["source"]["id"]),
        ("account", &own["id"])
    );
    assert_eq!(payment["transfer_data"], Value::Null);
}

#[test]
fn a_reversal_takes_back_in_both_accounts_what_is_left() {
    let (mut lab, account) = lab();
    let asked = json!({"amount": 2_000, "currency": "usd", "destination": account});
    let made = lab.ok("POST /v1/transfers", asked);
    let path = format!("POST /v1/transfers/{}/reversals", text(&made, "id"));
    let back = lab.ok(&path, json!({"amount": 500}));
    assert_eq!((&back["transfer"], &back["source_refund"]), (&made["id"], &json!(null)));
    let booked = lab.get("balance_transaction", text(&back, "balance_transaction"));
    assert_eq!((text(&booked, "type"), int(&booked, "net")), ("transfer_refund", 500));
    assert_eq!(booked["source"], made["id"]);
    let refund = format!("GET /v1/refunds/{}", text(&back, "destination_payment_refund"));
    let refund = ok_in(&mut lab, &account, &refund, json!({}));
    assert_eq!(
        (&refund["source_transfer_reversal"], &refund["charge"]),
        (&back["id"], &made["destination_payment"])
    );

    let too_much = lab.call(&path, json!({"amount": 1_501})).unwrap_err();
    assert_eq!(too_much.param.as_deref(), Some("amount"));
    lab.ok(&path, json!({}));
    let failure = lab.call(&path, json!({})).unwrap_err();
    assert_eq!(
        failure.message,
        format!("The transfer {} is already fully reversed.", text(&made, "id"))
    );
    let now = lab.get("transfer", text(&made, "id"));
    assert_eq!((int(&now, "amount_reversed"), &now["reversed"]), (2_000, &json!(true)));
    assert_eq!(
        (&now["reversals"]["total_count"], &now["reversals"]["data"][1]["id"]),
        (&json!(2), &back["id"])
    );
    let listed = lab.ok(&path.replace("POST", "GET"), json!({}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let one = format!("/v1/transfers/{}/reversals/{}", text(&made, "id"), text(&back, "id"));
    let changed = lab.ok(&format!("POST {one}"), json!({"metadata": {"why": "less"}}));
    assert_eq!(lab.ok(&format!("GET {one}"), json!({})), changed);
    assert!(lab.events().contains(&"transfer.reversed".to_owned()));
    for account in ["", &account] {
        let (booked, shown) = sums(&lab, account);
        assert_eq!(booked, shown);
    }
}

#[test]
fn a_destination_charge_transfers_what_it_says_once_it_is_paid() {
    let (mut lab, account) = lab();
    let pi = pay(&mut lab, &json!({"transfer_data": {"destination": account, "amount": 9_000}}));
    assert_eq!(text(&pi, "transfer_group"), format!("group_{}", text(&pi, "id")));
    let charge = lab.get("charge", text(&pi, "latest_charge"));
    assert_eq!(
        (&charge["destination"], &charge["application_fee"]),
        (&json!(account), &json!(null))
    );
    let transfer = lab.get("transfer", text(&charge, "transfer"));
    assert_eq!((&transfer["source_transaction"], int(&transfer, "amount")), (&charge["id"], 9_000));
    assert_eq!(transfer["transfer_group"], pi["transfer_group"]);
    let booked = lab.get("balance_transaction", text(&transfer, "balance_transaction"));
    assert_eq!(text(&booked, "status"), "pending", "it is there when the charge's money is");

    let refund = lab.ok(
        "POST /v1/refunds",
        json!({"charge": charge["id"], "amount": 5_000, "reverse_transfer": true, "refund_application_fee": true}),
    );
    let back = lab.get("transfer_reversal", text(&refund, "transfer_reversal"));
    assert_eq!((int(&back, "amount"), &back["source_refund"]), (4_500, &refund["id"]));
    lab.ok("POST /v1/refunds", json!({"charge": charge["id"], "reverse_transfer": true}));
    assert_eq!(lab.get("transfer", text(&transfer, "id"))["reversed"], true);
    assert_eq!(sums(&lab, &account), (0, 0));
}

#[test]
fn a_fee_of_a_destination_charge_is_taken_of_the_payment_it_becomes() {
    let (mut lab, account) = lab();
    let pi = pay(
        &mut lab,
        &json!({"transfer_data": {"destination": account}, "application_fee_amount": 1_230}),
    );
    let charge = lab.get("charge", text(&pi, "latest_charge"));
    let fee = lab.get("application_fee", text(&charge, "application_fee"));
    assert_eq!(
        (&fee["account"], &fee["originating_transaction"]),
        (&json!(account), &charge["id"])
    );
    let transfer = lab.get("transfer", text(&charge, "transfer"));
    assert_eq!(
        (int(&transfer, "amount"), &fee["charge"]),
        (10_000, &transfer["destination_payment"])
    );
    let view = lab.view().at(&account);
    let payment = view.get("charge", text(&transfer, "destination_payment")).unwrap();
    assert_eq!(
        (&payment["application_fee"], int(&payment, "application_fee_amount")),
        (&fee["id"], 1_230)
    );
    let booked = view.get("balance_transaction", text(&payment, "balance_transaction")).unwrap();
    assert_eq!((int(&booked, "fee"), int(&booked, "net")), (1_230, 8_770));
    assert_eq!(booked["fee_details"][0]["type"], "application_fee");
    assert_eq!(booked["fee_details"][0]["application"], fee["application"]);

    let asked =
        json!({"charge": charge["id"], "reverse_transfer": true, "refund_application_fee": true});
    lab.ok("POST /v1/refunds", asked);
    let fee = lab.get("application_fee", text(&fee, "id"));
    assert_eq!((&fee["refunded"], int(&fee, "amount_refunded")), (&json!(true), 1_230));
    assert_eq!(sums(&lab, &account), (0, 0));
    let of_fee: Vec<String> =
        lab.events().into_iter().filter(|it| it.starts_with("application_fee")).collect();
    assert_eq!(of_fee, ["application_fee.created", "application_fee.refunded"]);
}

#[test]
fn a_direct_charge_pays_its_account_and_its_fee_the_platform() {
    let (mut lab, account) = lab();
    let pi = lab.within(&account, |lab| pay(lab, &json!({"application_fee_amount": 700})));
    assert!(text(&pi, "application").starts_with("ca_"));
    let view = lab.view().at(&account);
    let charge = view.get("charge", text(&pi, "latest_charge")).unwrap();
    assert_eq!((&charge["destination"], charge.get("transfer")), (&json!(null), None));
    let booked = view.get("balance_transaction", text(&charge, "balance_transaction")).unwrap();
    let kinds: Vec<&str> =
        booked["fee_details"].as_array().unwrap().iter().map(|fee| text(fee, "type")).collect();
    assert_eq!((kinds, int(&booked, "fee")), (vec!["stripe_fee", "application_fee"], 320 + 700));
    let fee = format!("GET /v1/application_fees/{}", text(&charge, "application_fee"));
    let fee = lab.ok(&fee, json!({}));
    assert_eq!((&fee["charge"], &fee["originating_transaction"]), (&charge["id"], &json!(null)));
    let listed = lab.ok("GET /v1/application_fees", json!({"charge": charge["id"]}));
    assert_eq!(listed["data"][0], fee);

    let path = format!("/v1/application_fees/{}/refunds", text(&fee, "id"));
    let back = lab.ok(&format!("POST {path}"), json!({"amount": 300}));
    let booked = lab.get("balance_transaction", text(&back, "balance_transaction"));
    assert_eq!((int(&booked, "net"), text(&booked, "type")), (-300, "application_fee_refund"));
    assert_eq!(
        (&booked["source"], text(&booked, "reporting_category")),
        (&fee["id"], "platform_earning_refund")
    );
    assert!(lab.call(&format!("POST {path}"), json!({"amount": 401})).is_err());
    assert_eq!(lab.ok(&format!("GET {path}"), json!({}))["data"][0], back);
    let one = format!("{path}/{}", text(&back, "id"));
    let changed = lab.ok(&format!("POST {one}"), json!({"metadata": {"why": "kind"}}));
    assert_eq!(lab.ok(&format!("GET {one}"), json!({})), changed);
    let asked = json!({"charge": charge["id"], "refund_application_fee": true});
    lab.within(&account, |lab| lab.ok("POST /v1/refunds", asked));
    assert_eq!(lab.get("application_fee", text(&fee, "id"))["amount_refunded"], 700);
}

#[test]
fn what_a_payment_may_not_ask_for_others_is_refused() {
    let (mut lab, account) = lab();
    let mut param = |more: Value| {
        let mut params = json!({"amount": 1_000, "currency": "usd"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lab.call("POST /v1/payment_intents", params).unwrap_err().param.unwrap()
    };
    assert_eq!(param(json!({"application_fee_amount": 10})), "application_fee_amount");
    assert_eq!(param(json!({"on_behalf_of": "acct_nobody"})), "on_behalf_of");
    let nobody = json!({"transfer_data": {"destination": "acct_nobody"}});
    assert_eq!(param(nobody), "transfer_data[destination]");
    let data = json!({"destination": account, "amount": 1_001});
    assert_eq!(param(json!({"transfer_data": data})), "transfer_data[amount]");
    let both = json!({"application_fee_amount": 1, "transfer_data": {"destination": account, "amount": 9}});
    assert_eq!(param(both), "application_fee_amount");
    let whole = json!({"application_fee_amount": 1_001, "transfer_data": {"destination": account}});
    assert_eq!(param(whole), "application_fee_amount");
}

#[test]
fn a_payment_method_of_another_account_is_told_from_none() {
    let (mut lab, account) = lab();
    let own =
        lab.ok("POST /v1/payment_methods", json!({"type": "card", "card": {"token": "tok_visa"}}));
    let asked = json!({"amount": 1_000, "currency": "usd", "payment_method": own["id"]});
    let failure =
        lab.within(&account, |lab| lab.call("POST /v1/payment_intents", asked)).unwrap_err();
    assert!(failure.message.contains("a platform-owned payment method ID"), "{}", failure.message);
    let asked = json!({"amount": 1_000, "currency": "usd", "payment_method": "pm_1Nobody"});
    let failure = lab.call("POST /v1/payment_intents", asked).unwrap_err();
    assert!(
        failure.message.contains("exists on one of your connected accounts"),
        "{}",
        failure.message
    );
}

#[test]
fn a_capture_says_anew_what_goes_to_whom() {
    let (mut lab, account) = lab();
    let held = json!({"capture_method": "manual", "transfer_data": {"destination": account}, "application_fee_amount": 900});
    let pi = pay(&mut lab, &held);
    assert_eq!(lab.view().count("transfer"), 0, "nothing goes on before the money is taken");
    let path = format!("POST /v1/payment_intents/{}/capture", text(&pi, "id"));
    let done = lab.ok(&path, json!({"amount_to_capture": 4_000, "application_fee_amount": 100}));
    let charge = lab.get("charge", text(&done, "latest_charge"));
    assert_eq!(int(&lab.get("transfer", text(&charge, "transfer")), "amount"), 4_000);
    assert_eq!(int(&lab.get("application_fee", text(&charge, "application_fee")), "amount"), 100);
}

#[test]
fn charges_of_the_old_kind_name_their_destination_too() {
    let (mut lab, account) = lab();
    let asked = json!({"amount": 1_000, "currency": "usd", "source": "tok_visa", "destination": {"account": account, "amount": 800}});
    let charge = lab.ok("POST /v1/charges", asked);
    assert_eq!(text(&charge, "transfer_group"), format!("group_{}", text(&charge, "id")));
    assert_eq!(int(&lab.get("transfer", text(&charge, "transfer")), "amount"), 800);
    let asked =
        json!({"amount": 1_000, "currency": "usd", "source": "tok_visa", "application_fee": 70});
    let charge = ok_in(&mut lab, &account, "POST /v1/charges", asked);
    assert_eq!(int(&lab.get("application_fee", text(&charge, "application_fee")), "amount"), 70);
}

/// One step of a generated story.
#[derive(Clone, Debug)]
enum Step {
    Pay { direct: bool, transfer: bool, part: Option<i64>, fee: Option<i64> },
    Transfer(i64, Option<usize>),
    Reverse(usize, Option<i64>, bool),
    Refund(usize, Option<i64>, bool, bool),
    RefundFee(usize, Option<i64>),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || proptest::option::of(1_i64..6_000);
    prop_oneof![
        (any::<bool>(), any::<bool>(), amount(), amount())
            .prop_map(|(direct, transfer, part, fee)| Step::Pay { direct, transfer, part, fee }),
        (1_i64..9_000, proptest::option::of(0_usize..9))
            .prop_map(|(amount, of)| Step::Transfer(amount, of)),
        (0_usize..9, amount(), any::<bool>())
            .prop_map(|(of, amount, fee)| Step::Reverse(of, amount, fee)),
        (0_usize..9, amount(), any::<bool>(), any::<bool>())
            .prop_map(|(of, amount, back, fee)| Step::Refund(of, amount, back, fee)),
        (0_usize..9, amount()).prop_map(|(of, amount)| Step::RefundFee(of, amount)),
        Just(Step::Wait),
    ]
}

fn nth(lab: &Lab, account: &str, kind: &str, at: usize) -> Option<Value> {
    lab.view().at(account).newest(kind).nth(at).map(|it| it.document())
}

fn perform(lab: &mut Lab, account: &str, step: &Step) {
    // A refusal is as good an answer as any here; what counts is the state that is left.
    match step {
        Step::Pay { direct, transfer, part, fee } => {
            let mut params = json!({"amount": 5_000, "currency": "usd", "payment_method": "pm_card_visa",
                "confirm": true, "payment_method_types": ["card"], "capture_method": "automatic"});
            if *transfer && !direct {
                params["transfer_data"] = json!({"destination": account});
                if let Some(part) = part {
                    params["transfer_data"]["amount"] = json!(part);
                }
            }
            if let Some(fee) = fee {
                params["application_fee_amount"] = json!(fee);
            }
            let within = if *direct { account } else { "" };
            drop(lab.within(within, |lab| lab.call("POST /v1/payment_intents", params)));
        }
        Step::Transfer(amount, of) => {
            let mut params = json!({"amount": amount, "currency": "usd", "destination": account});
            if let Some(charge) = of.and_then(|at| nth(lab, "", "charge", at)) {
                params["source_transaction"] = charge["id"].clone();
            }
            drop(lab.call("POST /v1/transfers", params));
        }
        Step::Reverse(at, amount, fee) => {
            let Some(transfer) = nth(lab, "", "transfer", *at) else { return };
            let mut params = json!({"refund_application_fee": fee});
            if let Some(amount) = amount {
                params["amount"] = json!(amount);
            }
            let path = format!("POST /v1/transfers/{}/reversals", text(&transfer, "id"));
            drop(lab.call(&path, params));
        }
        Step::Refund(at, amount, back, fee) => {
            let Some(charge) = nth(lab, "", "charge", *at) else { return };
            let mut params = json!({"charge": charge["id"], "reverse_transfer": back, "refund_application_fee": fee});
            if let Some(amount) = amount {
                params["amount"] = json!(amount);
            }
            drop(lab.call("POST /v1/refunds", params));
        }
        Step::RefundFee(at, amount) => {
            let Some(fee) = nth(lab, "", "application_fee", *at) else { return };
            let params = amount.map_or_else(|| json!({}), |amount| json!({"amount": amount}));
            let path = format!("POST /v1/application_fees/{}/refunds", text(&fee, "id"));
            drop(lab.call(&path, params));
        }
        Step::Wait => lab.advance(3 * 86_400),
    }
}

/// Fails where an object was taken back of more than there was, or does not say what its parts say.
fn check_parts(lab: &Lab) {
    let view = lab.view();
    for (whole, taken, all, part, link) in [
        ("transfer", "amount_reversed", "reversed", "transfer_reversal", "transfer"),
        ("application_fee", "amount_refunded", "refunded", "fee_refund", "fee"),
    ] {
        for object in view.newest(whole) {
            let parts = view.having(part, link, text(&object, "id"));
            let sum: i64 = parts.iter().map(|part| int(part, "amount")).sum();
            assert_eq!(int(&object, taken), sum);
            assert!(sum <= int(&object, "amount"));
            assert_eq!(object[all], json!(sum >= int(&object, "amount")));
        }
    }
}

/// Rebuilds what was reversed and refunded from events alone.
fn check_events(lab: &Lab) {
    let mut events: Vec<_> = lab.view().newest("event").collect();
    events.reverse();
    for (kind, taken) in [("transfer", "amount_reversed"), ("application_fee", "amount_refunded")] {
        let mut known = std::collections::HashMap::new();
        for event in events.iter().filter(|event| text(&event["data"]["object"], "object") == kind)
        {
            let (object, previous) =
                (&event["data"]["object"], &event["data"]["previous_attributes"]);
            let id = text(object, "id").to_owned();
            if text(event, "type").ends_with("created") {
                assert_eq!(int(object, taken), 0);
            } else if previous.get(taken).is_some() {
                assert_eq!(int(previous, taken), known[&id], "events are in order");
            }
            known.insert(id, int(object, taken));
        }
        for object in lab.view().newest(kind) {
            assert_eq!(known[text(&object, "id")], int(&object, taken));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_between_accounts_the_books_of_both_agree(
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let (mut lab, account) = lab();
        for step in &steps {
            perform(&mut lab, &account, step);
            for account in ["", account.as_str()] {
                let (booked, shown) = sums(&lab, account);
                assert_eq!(booked, shown, "{step:?}");
            }
            check_parts(&lab);
        }
        check_events(&lab);
        // What one account lost to the other, the other got.
        let of = |account: &str, kinds: &[&str]| -> i64 {
            let view = lab.view().at(account);
            let booked = view.newest("balance_transaction");
            booked.filter(|it| kinds.contains(&text(it, "type"))).map(|it| int(&it, "amount")).sum()
        };
        let sent = of("", &["transfer", "transfer_refund"]);
        let got = of(&account, &["payment", "payment_refund"]);
        assert_eq!(sent, -got);
        let taken = of("", &["application_fee"]);
        let paid: i64 = lab.view().at(&account).newest("balance_transaction")
            .flat_map(|it| it["fee_details"].as_array().unwrap().clone())
            .filter(|fee| fee["type"] == "application_fee").map(|fee| int(&fee, "amount")).sum();
        assert_eq!(taken, paid);
        assert_eq!(of("", &["application_fee_refund"]), -of(&account, &["application_fee_refund"]));
    }
}
