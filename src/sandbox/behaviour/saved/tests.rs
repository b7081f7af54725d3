//! Tokens, cards and bank accounts of customers, saved and charged the old way.

use crate::catalog::Catalog;
use crate::catalog::route::Routed;
use crate::sandbox::call::Version;
use crate::sandbox::testing::Lab;
use crate::wire::form;
use proptest::prelude::*;
use serde_json::{Value, json};

fn id(doc: &Value) -> String {
    doc["id"].as_str().unwrap().to_owned()
}

fn setting(lab: &mut Lab, name: &str, value: &str) {
    use crate::sandbox::engine::settings::{RECORD, Settings};
    lab.change(|txn| {
        let part = Settings::of(txn).with(name, value).unwrap();
        txn.put_record(RECORD.0, RECORD.1, "".into(), part);
        Ok(())
    })
    .unwrap();
}

fn sources(lab: &mut Lab, customer: &str) -> Vec<Value> {
    let list = lab.ok(&format!("GET /v1/customers/{customer}/sources"), json!({"object": "card"}));
    list["data"].as_array().unwrap().clone()
}

#[test]
fn a_token_saves_a_card_that_pays_by_default_and_as_a_payment_method() {
    let mut lab = Lab::new();
    let made = lab.ok("POST /v1/customers", json!({"source": "tok_visa_debit"}));
    let customer = id(&made);
    let card = sources(&mut lab, &customer).remove(0);
    assert_eq!(made["default_source"], card["id"]);
    assert_eq!(
        (&card["brand"], &card["funding"], &card["cvc_check"]),
        (&json!("Visa"), &json!("debit"), &json!("pass"))
    );
    assert_eq!(lab.events(), ["customer.created", "customer.source.created"]);
    let terms = json!({"amount": 500, "currency": "usd", "customer": customer});
    let charge = lab.ok("POST /v1/charges", terms);
    assert_eq!((&charge["source"]["id"], &charge["payment_method"]), (&card["id"], &card["id"]));
    assert!(charge["balance_transaction"].is_string() && charge["payment_intent"].is_null());
    let paid = lab.ok(
        "POST /v1/payment_intents",
        json!({"amount": 500, "currency": "usd", "customer": customer, "payment_method": card["id"],
            "confirm": true, "off_session": true}),
    );
    assert_eq!(paid["status"], "succeeded");
    let listed = lab.ok("GET /v1/payment_methods", json!({"customer": customer, "type": "card"}));
    assert_eq!(listed["data"][0]["id"], card["id"]);
    let path = format!("POST /v1/charges/{}/refunds", id(&charge));
    assert_eq!(lab.ok(&path, json!({"amount": 100}))["amount"], 100);
    let listed = lab.ok(&format!("GET /v1/charges/{}/refunds", id(&charge)), json!({}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[test]
fn another_source_takes_the_place_of_the_default_and_a_removed_one_pays_no_more() {
    let mut lab = Lab::new();
    let customer = id(&lab.ok("POST /v1/customers", json!({"source": "tok_visa"})));
    let first = sources(&mut lab, &customer).remove(0);
    let path = format!("POST /v1/customers/{customer}");
    let second = lab.ok(
        &format!("{path}/sources"),
        json!({"source": "tok_mastercard", "metadata": {"k": "v"}}),
    );
    assert_eq!((&second["brand"], &second["metadata"]["k"]), (&json!("MasterCard"), &json!("v")));
    assert_eq!(
        lab.get("customer", &customer)["default_source"],
        first["id"],
        "the first stays the default"
    );
    let after = lab.ok(&path, json!({"source": "tok_amex"}));
    let left = sources(&mut lab, &customer);
    assert_eq!(left.len(), 2);
    assert_eq!(
        (&after["default_source"], &left[0]["brand"]),
        (&left[0]["id"], &json!("American Express"))
    );
    let after = lab.ok(&path, json!({"default_source": second["id"]}));
    assert_eq!(after["default_source"], second["id"]);
    let gone =
        lab.ok(&format!("DELETE /v1/customers/{customer}/sources/{}", id(&second)), json!({}));
    assert_eq!(gone, json!({"id": second["id"], "object": "card", "deleted": true}));
    assert_eq!(lab.get("customer", &customer)["default_source"], left[0]["id"]);
    let charge =
        json!({"amount": 500, "currency": "usd", "customer": customer, "source": second["id"]});
    let failure = lab.call("POST /v1/charges", charge).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (404, Some("card")));
    let missing =
        lab.call(&format!("GET /v1/customers/{customer}/sources/card_x"), json!({})).unwrap_err();
    assert_eq!((missing.status, missing.message.as_str()), (404, "No such source: 'card_x'"));
    lab.ok(&format!("POST /v1/payment_methods/{}/detach", id(&left[0])), json!({}));
    assert!(
        sources(&mut lab, &customer).is_empty()
            && lab.get("customer", &customer)["default_source"].is_null()
    );
}

#[test]
fn a_refused_card_leaves_no_customer_and_a_token_is_used_once() {
    let mut lab = Lab::new();
    for (token, code, param) in [
        ("tok_chargeDeclined", "card_declined", ""),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc", "cvc"),
        ("tok_chargeDeclinedExpiredCard", "expired_card", "exp_month"),
    ] {
        let failure = lab.call("POST /v1/customers", json!({"source": token})).unwrap_err();
        assert_eq!(
            (failure.status, failure.code.as_deref(), failure.param.as_deref()),
            (402, Some(code), Some(param))
        );
    }
    assert_eq!(lab.view().count("customer"), 0);
    let raw = json!({"card": {"number": "4242424242424242", "exp_month": "12", "exp_year": "2034", "cvc": "123",
        "address_zip": "1000001", "name": "Aki"}});
    let refused = lab.call("POST /v1/tokens", raw.clone()).unwrap_err();
    assert!(refused.message.starts_with("Sending credit card numbers directly"));
    setting(&mut lab, "raw_cards", "on");
    let token = lab.ok("POST /v1/tokens", raw);
    assert_eq!((&token["used"], &token["card"]["cvc_check"]), (&json!(false), &json!("unchecked")));
    let saved = lab.ok("POST /v1/customers", json!({"source": token["id"]}));
    assert_eq!(saved["default_source"], token["card"]["id"]);
    let card = sources(&mut lab, &id(&saved)).remove(0);
    assert_eq!((&card["address_zip_check"], &card["name"]), (&json!("pass"), &json!("Aki")));
    assert_eq!(lab.ok(&format!("GET /v1/tokens/{}", id(&token)), json!({}))["used"], true);
    let copy = lab.ok("GET /v1/tokens/tok_amex", json!({}));
    assert_eq!(
        (&copy["card"]["brand"], &copy["used"]),
        (&json!("American Express"), &json!(false))
    );
    let again = lab.call("POST /v1/customers", json!({"source": token["id"]})).unwrap_err();
    assert_eq!(again.code.as_deref(), Some("token_already_used"));
    let pm = lab
        .call("POST /v1/payment_methods", json!({"type": "card", "card": {"token": token["id"]}}));
    assert_eq!(pm.unwrap_err().code.as_deref(), Some("token_already_used"));
}

#[test]
fn a_bank_account_is_verified_by_its_two_sums() {
    let mut lab = Lab::new();
    let customer = id(&lab.ok("POST /v1/customers", json!({})));
    let account = json!({"bank_account": {"country": "US", "currency": "usd", "account_number": "000123456789",
        "routing_number": "110000000", "account_holder_name": "Aki", "account_holder_type": "individual"}});
    let token = lab.ok("POST /v1/tokens", account);
    assert!(id(&token).starts_with("btok_") && !token.to_string().contains("000123456789"));
    let saved =
        lab.ok(&format!("POST /v1/customers/{customer}/sources"), json!({"source": token["id"]}));
    assert_eq!((&saved["status"], &saved["last4"]), (&json!("new"), &json!("6789")));
    let path = format!("POST /v1/customers/{customer}/sources/{}/verify", id(&saved));
    let wrong = lab.call(&path, json!({"amounts": [1, 2]})).unwrap_err();
    assert_eq!(wrong.code.as_deref(), Some("bank_account_verification_failed"));
    assert_eq!(lab.ok(&path, json!({"amounts": [32, 45]}))["status"], "verified");
}

#[test]
fn a_source_is_made_of_the_account_of_a_debit() {
    let mut lab = Lab::new();
    let takes = |params: &Value| {
        let Routed::Found(route) = Catalog::get().route("POST", "/v1/sources") else {
            panic!("sources are made");
        };
        let sent = form::decode(form::encode(params).as_bytes()).unwrap();
        let version = Version { text: "2026-10-28.endive".to_owned(), named: true };
        Catalog::get().validate(route.endpoint, &sent.tree, &version).map(Value::from)
    };
    let of = |iban: &str| json!({"type": "sepa_debit", "owner": {"name": "Aki"}, "sepa_debit": {"iban": iban}});
    let sent = takes(&of("DE89 3704 0044 0532 0130 00")).unwrap();
    let made = lab.ok("POST /v1/sources", sent);
    let shown = &made["sepa_debit"];
    assert_eq!((&made["status"], &made["currency"]), (&json!("chargeable"), &json!("eur")));
    assert_eq!((&shown["country"], &shown["last4"]), (&json!("DE"), &json!("3000")));
    assert_eq!(shown["bank_code"], "37040044");
    assert!(!made.to_string().contains("0532013000"), "the whole account is shown");
    let customer = id(&lab.ok("POST /v1/customers", json!({"source": made["id"]})));
    let charge = json!({"amount": 500, "currency": "eur", "customer": customer});
    assert_eq!(lab.ok("POST /v1/charges", charge)["source"]["id"], made["id"]);
    let wrong = lab.call("POST /v1/sources", takes(&of("DE00370400440532013000")).unwrap());
    assert_eq!(wrong.unwrap_err().param.as_deref(), Some("sepa_debit[iban]"));
    for (kind, details) in [
        ("bancontact", json!({"preferred_language": "en"})),
        ("ideal", json!({"bank": "ing"})),
        ("sofort", json!({"country": "DE"})),
        ("three_d_secure", json!({"card": "src_1"})),
    ] {
        let sent = takes(&json!({"type": kind, kind: details})).unwrap();
        assert_eq!(lab.call("POST /v1/sources", sent).unwrap_err().status, 501, "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is added and removed: the default is one of what is there, and there is one where anything is.
    #[test]
    fn the_default_is_always_one_of_the_sources(steps in proptest::collection::vec((0_u8..4, 0_usize..4), 1..14)) {
        const TOKENS: [&str; 4] = ["tok_visa", "tok_mastercard", "tok_chargeDeclined", "tok_amex"];
        let mut lab = Lab::new();
        let customer = id(&lab.ok("POST /v1/customers", json!({})));
        let path = format!("/v1/customers/{customer}");
        for (deed, at) in steps {
            let known = sources(&mut lab, &customer);
            let some = known.get(at).map(id);
            drop(match (deed, some) {
                (0, _) => lab.call(&format!("POST {path}/sources"), json!({"source": TOKENS[at]})),
                (1, _) => lab.call(&format!("POST {path}"), json!({"source": TOKENS[at]})),
                (2, Some(some)) => lab.call(&format!("POST {path}"), json!({"default_source": some})),
                (3, Some(some)) => lab.call(&format!("DELETE {path}/sources/{some}"), json!({})),
                _ => continue,
            });
            let now = sources(&mut lab, &customer);
            let default = lab.get("customer", &customer)["default_source"].clone();
            prop_assert_eq!(default.is_null(), now.is_empty());
            prop_assert!(default.is_null() || now.iter().any(|card| card["id"] == default));
            let twins = lab.ok("GET /v1/payment_methods", json!({"customer": customer}));
            prop_assert_eq!(twins["data"].as_array().unwrap().len(), now.len());
        }
    }
}
