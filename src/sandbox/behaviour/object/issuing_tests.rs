//! Issued cards, what they are asked for and what is taken from them; verifications of somebody's identity.

use crate::sandbox::testing::Lab;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn holder(lab: &mut Lab) -> Value {
    let address = json!({"line1": "1 Main Street", "city": "San Francisco", "state": "CA",
        "postal_code": "94111", "country": "US"});
    let asked = json!({"name": "Ada", "type": "individual", "billing": {"address": address}});
    lab.ok("POST /v1/issuing/cardholders", asked)
}

#[expect(clippy::needless_pass_by_value, reason = "as it is written where it is called")]
fn card(lab: &mut Lab, more: Value) -> Value {
    let holder = holder(lab);
    let mut asked = json!({"currency": "usd", "type": "virtual", "cardholder": holder["id"],
        "status": "active"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lab.ok("POST /v1/issuing/cards", asked)
}

fn ask(lab: &mut Lab, card: &Value, amount: i64) -> Value {
    let asked = json!({"card": card["id"], "amount": amount});
    lab.ok("POST /v1/test_helpers/issuing/authorizations", asked)
}

fn act(lab: &mut Lab, authorization: &Value, verb: &str, asked: Value) -> Result<Value, Failure> {
    let path = format!("POST /v1/test_helpers/issuing/authorizations/{}/{verb}", id(authorization));
    lab.call(&path, asked)
}

#[test]
fn an_active_card_is_asked_and_money_is_taken_from_it() {
    let mut lab = Lab::new();
    let card = card(&mut lab, json!({}));
    assert_eq!(card["last4"].as_str().unwrap().len(), 4);
    let asked = ask(&mut lab, &card, 1_000);
    assert_eq!((&asked["approved"], &asked["status"]), (&json!(true), &json!("pending")));
    assert_eq!(asked["request_history"][0]["reason"], "card_active");
    let more = act(&mut lab, &asked, "increment", json!({"increment_amount": 500})).unwrap();
    assert_eq!(more["amount"], 1_500);
    let part = json!({"capture_amount": 600, "close_authorization": false});
    let part = act(&mut lab, &asked, "capture", part).unwrap();
    assert_eq!((&part["amount"], &part["status"]), (&json!(900), &json!("pending")));
    assert_eq!(part["transactions"][0]["amount"], -600);
    let rest = act(&mut lab, &asked, "capture", json!({})).unwrap();
    assert_eq!((&rest["amount"], &rest["status"]), (&json!(0), &json!("closed")));
    let taken = rest["transactions"][1].clone();
    assert_eq!(taken["authorization"], asked["id"]);
    let back = format!("POST /v1/test_helpers/issuing/transactions/{}/refund", id(&taken));
    let given = lab.ok(&back, json!({"refund_amount": 100}));
    assert_eq!((&given["amount"], &given["type"]), (&json!(100), &json!("refund")));
    assert_eq!(lab.call(&back, json!({"refund_amount": 901})).unwrap_err().status, 400);
    let mut told = lab.events();
    told.retain(|it| it.starts_with("issuing_"));
    assert_eq!(
        told,
        [
            "issuing_cardholder.created",
            "issuing_card.created",
            "issuing_authorization.request",
            "issuing_authorization.created",
            "issuing_authorization.updated",
            "issuing_transaction.created",
            "issuing_authorization.updated",
            "issuing_transaction.created",
            "issuing_authorization.updated",
            "issuing_transaction.created",
        ]
    );
}

#[test]
fn what_an_authorization_allows_follows_its_status() {
    let verbs = ["capture", "increment", "reverse", "expire"];
    let params = |verb: &str| match verb {
        "increment" => json!({"increment_amount": 1}),
        _ => json!({}),
    };
    for first in ["capture", "reverse", "expire"] {
        let mut lab = Lab::new();
        let card = card(&mut lab, json!({}));
        let asked = ask(&mut lab, &card, 1_000);
        let ended = act(&mut lab, &asked, first, json!({})).unwrap();
        let expected = match first {
            "capture" => "closed",
            "reverse" => "reversed",
            _ => "expired",
        };
        assert_eq!((&ended["status"], &ended["amount"]), (&json!(expected), &json!(0)), "{first}");
        let told = lab.events().len();
        for verb in verbs {
            let refused = act(&mut lab, &asked, verb, params(verb)).unwrap_err();
            assert_eq!(refused.status, 400, "{first}, {verb}");
            assert!(refused.message.contains(expected), "{}", refused.message);
        }
        assert_eq!(lab.events().len(), told, "what is refused leaves no trace");
    }
}

#[test]
fn a_card_that_is_not_active_says_no_and_nobody_is_asked() {
    for (status, whose, reason) in [
        ("inactive", "card", "card_inactive"),
        ("canceled", "card", "card_canceled"),
        ("inactive", "cardholder", "cardholder_inactive"),
    ] {
        let mut lab = Lab::new();
        let card = card(&mut lab, json!({}));
        let holder = card["cardholder"]["id"].as_str().unwrap().to_owned();
        let path = match whose {
            "card" => format!("POST /v1/issuing/cards/{}", id(&card)),
            _ => format!("POST /v1/issuing/cardholders/{holder}"),
        };
        lab.ok(&path, json!({"status": status}));
        let asked = ask(&mut lab, &card, 1_000);
        assert_eq!((&asked["approved"], &asked["status"]), (&json!(false), &json!("closed")));
        assert_eq!(asked["request_history"][0]["reason"], reason);
        assert!(!lab.events().contains(&"issuing_authorization.request".to_owned()));
    }
}

#[test]
fn the_official_cli_asks_at_the_card_and_a_receipt_is_told_of() {
    let mut lab = Lab::new();
    let card = card(&mut lab, json!({}));
    let path = format!("POST /v1/issuing/cards/{}/test/authorizations", id(&card));
    let asked =
        json!({"held_amount": 100, "held_currency": "usd", "authorization_method": "online"});
    assert_eq!(lab.ok(&path, asked)["amount"], 100);
    let foreign = json!({"held_amount": 100, "held_currency": "eur"});
    assert_eq!(lab.call(&path, foreign).unwrap_err().param.as_deref(), Some("held_currency"));
    let receipt = json!([{"description": "Ride", "quantity": "1", "unit_cost": 100}]);
    let taken = json!({"card": card["id"], "amount": 100, "currency": "usd",
        "merchant_data": {"category": "taxicabs_limousines"}, "purchase_details": {"receipt": receipt}});
    let path = "POST /v1/test_helpers/issuing/transactions/create_force_capture";
    let taken = lab.ok(path, taken);
    assert_eq!(taken["merchant_data"]["category_code"], "4121");
    assert_eq!(taken["purchase_details"]["receipt"][0]["quantity"], 1.0);
    let told = lab.events();
    assert_eq!(told.last().unwrap(), "issuing_transaction.purchase_details_receipt_updated");
    let odd =
        json!({"card": card["id"], "amount": 1, "merchant_data": {"category": "boat_dealers"}});
    assert_eq!(lab.call(path, odd).unwrap_err().status, 501);
    let changed = format!("POST /v1/issuing/transactions/{}", id(&taken));
    lab.ok(&changed, json!({"metadata": {"a": "1"}}));
    assert_eq!(lab.events().last().unwrap(), "issuing_transaction.updated");
}

#[test]
fn a_parcel_goes_its_way_and_no_other() {
    let mut lab = Lab::new();
    let address = json!({"line1": "1 Main Street", "city": "San Francisco", "state": "CA",
        "postal_code": "94111", "country": "US"});
    let shipping = json!({"shipping": {"name": "Ada", "address": address}, "type": "physical"});
    let made = card(&mut lab, shipping);
    assert_eq!(made["shipping"]["status"], "pending");
    let path =
        |verb: &str| format!("POST /v1/test_helpers/issuing/cards/{}/shipping/{verb}", id(&made));
    let refused = lab.call(&path("deliver"), json!({})).unwrap_err();
    assert_eq!(
        refused.message,
        "You can only deliver an issuing card whose `shipping.status` is `shipped`; this one is `pending`."
    );
    for (verb, status) in [("submit", "submitted"), ("ship", "shipped"), ("deliver", "delivered")] {
        assert_eq!(lab.ok(&path(verb), json!({}))["shipping"]["status"], status);
        assert_eq!(lab.events().last().unwrap(), "issuing_card.updated");
    }
    assert!(lab.call(&path("return"), json!({})).is_err());
    let plain = card(&mut lab, json!({}));
    let path = format!("POST /v1/test_helpers/issuing/cards/{}/shipping/ship", id(&plain));
    assert!(lab.call(&path, json!({})).unwrap_err().message.ends_with("it has none."));
}

#[test]
fn a_verification_is_canceled_once_and_redacted() {
    let mut lab = Lab::new();
    let asked = json!({"type": "document", "return_url": "https://example.com",
        "options": {"document": {"require_matching_selfie": true}}});
    let made = lab.ok("POST /v1/identity/verification_sessions", asked);
    assert_eq!(made["status"], "requires_input");
    assert!(made["client_secret"].as_str().unwrap().starts_with(&format!("{}_secret_", id(&made))));
    let path = |verb: &str| format!("POST /v1/identity/verification_sessions/{}/{verb}", id(&made));
    assert_eq!(lab.ok(&path("cancel"), json!({}))["status"], "canceled");
    assert_eq!(lab.call(&path("cancel"), json!({})).unwrap_err().status, 400);
    assert_eq!(lab.ok(&path("redact"), json!({}))["redaction"]["status"], "redacted");
    let told = ["created", "canceled", "redacted"];
    assert_eq!(lab.events(), told.map(|it| format!("identity.verification_session.{it}")));
}
