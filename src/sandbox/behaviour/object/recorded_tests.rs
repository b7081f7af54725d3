//! What recordings of Stripe show of payments: members, statuses and refusals.

use crate::domain::card::{self, Behaviour};
use crate::sandbox::behaviour::object;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

fn id(doc: &Value) -> String {
    doc["id"].as_str().unwrap().to_owned()
}

fn terms(more: &Value) -> Value {
    let mut all = json!({"amount": 2000, "currency": "usd", "payment_method_types": ["card"]});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn pay(world: &mut Lab, more: &Value) -> Value {
    let mut all = terms(&json!({"confirm": true, "payment_method": "pm_card_visa"}));
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.ok("POST /v1/payment_intents", all)
}

#[test]
fn intents_and_charges_have_what_stripe_shows_and_no_more() {
    let mut world = Lab::new();
    let pi = pay(&mut world, &json!({}));
    assert!(pi.get("hooks").is_none() && pi.get("payment_details").is_none());
    assert_eq!(pi["managed_payments"], json!({"enabled": false}));
    assert_eq!(pi.get("shared_payment_granted_token"), Some(&Value::Null));
    let charge = world.get("charge", pi["latest_charge"].as_str().unwrap());
    for name in ["destination", "dispute", "order", "source_transfer"] {
        assert_eq!(charge.get(name), Some(&Value::Null), "{name}");
    }
    let card = &charge["payment_method_details"]["card"];
    assert!(card.get("capture_before").is_none());
    assert_eq!(card["checks"]["cvc_check"], "pass");
    let held = pay(&mut world, &json!({"capture_method": "manual"}));
    let held = world.get("charge", held["latest_charge"].as_str().unwrap());
    assert!(held["payment_method_details"]["card"]["capture_before"].is_i64());
    let details = json!({"payment_details": {"order_reference": "7"}});
    let set = world.ok("POST /v1/payment_intents", terms(&details));
    assert_eq!(set["payment_details"]["customer_reference"], Value::Null);
    let path = format!("POST /v1/payment_intents/{}", id(&set));
    let cleared = world.ok(&path, json!({"payment_details": null}));
    assert!(cleared.get("payment_details").is_none());
}

#[test]
fn a_mandate_of_a_card_says_null_for_what_was_not_said_of_it() {
    let mandate = json!({
        "amount": 300, "amount_type": "maximum", "interval": "month", "reference": "a",
        "start_date": 1_704_120_441, "supported_types": ["india"],
    });
    let asked = json!({"payment_method_options": {"card": {"mandate_options": mandate}}});
    let mut world = Lab::new();
    let made = world.ok("POST /v1/payment_intents", terms(&asked));
    let shown = &made["payment_method_options"]["card"]["mandate_options"];
    for name in ["description", "end_date", "interval_count"] {
        assert_eq!(shown.get(name), Some(&Value::Null), "{name}");
    }
    for (name, sent) in mandate.as_object().unwrap() {
        assert_eq!(&shown[name], sent, "{name}");
    }
    let asked = json!({"payment_method_types": ["us_bank_account"]});
    let made = world.ok("POST /v1/payment_intents", terms(&asked));
    assert_eq!(made["payment_method_options"]["us_bank_account"]["mandate_options"], json!({}));
}

#[test]
fn a_security_code_is_checked_by_attaching_and_by_charging() {
    let mut world = Lab::new();
    let check = |method: &Value| method["card"]["checks"]["cvc_check"].clone();
    let sent = json!({"type": "card", "card": {"token": "tok_visa"}});
    let fresh = world.ok("POST /v1/payment_methods", sent);
    assert_eq!(check(&fresh), "unchecked");
    assert_eq!(fresh.get("shared_payment_granted_token"), Some(&Value::Null));
    let customer = world.ok("POST /v1/customers", json!({}))["id"].clone();
    let path = format!("POST /v1/payment_methods/{}/attach", id(&fresh));
    assert_eq!(check(&world.ok(&path, json!({"customer": customer}))), "pass");
    let pi = pay(&mut world, &json!({}));
    let used = world.get("payment_method", pi["payment_method"].as_str().unwrap());
    assert_eq!(check(&used), "pass");
    let sent = json!({"confirm": true, "payment_method": "pm_card_chargeDeclined"});
    let failure = world.call("POST /v1/payment_intents", terms(&sent)).unwrap_err();
    assert_eq!(check(&failure.more["payment_method"]), "pass");
}

#[test]
fn a_refund_gets_its_reference_a_moment_later_and_is_counted() {
    let mut world = Lab::new();
    let pi = pay(&mut world, &json!({}));
    let refund = world.ok("POST /v1/refunds", json!({"payment_intent": pi["id"], "amount": 5}));
    let card = |refund: &Value| refund["destination_details"]["card"].clone();
    assert_eq!(card(&refund)["reference_status"], "pending");
    assert!(card(&refund).get("reference").is_none());
    world.advance(0);
    let later = world.ok(&format!("GET /v1/refunds/{}", id(&refund)), json!({}));
    assert_eq!(card(&later)["reference_status"], "available");
    assert_eq!(world.ok("GET /v1/refunds", json!({}))["count"], 1);
    let charge = world.get("charge", pi["latest_charge"].as_str().unwrap());
    let shown = world.look(|txn| super::include(txn, &charge, "refunds")).unwrap();
    assert_eq!(shown["total_count"], 1);
}

/// Every ready-made card: it pays, is refused, asks, or says that the sandbox does not act it out.
#[test]
fn no_ready_made_card_succeeds_silently() {
    for card in card::ALL {
        let Some(name) = card.method else { continue };
        let sent = json!({"confirm": true, "payment_method": format!("pm_card_{name}")});
        let mut world = Lab::new();
        let answer = world.call("POST /v1/payment_intents", terms(&sent));
        let status = answer.as_ref().err().map_or(200, |failure| failure.status);
        let source = json!({"amount": 2000, "currency": "usd", "source": format!("tok_{name}")});
        let charged = world.call("POST /v1/charges", source);
        let charged = charged.as_ref().err().map_or(200, |failure| failure.status);
        let wanted = match card.behaviour {
            Behaviour::Declines { .. }
            | Behaviour::DeclinesAfterAttaching
            | Behaviour::Flagged("riskLevelHighest" | "freeTrialAbuseBlock") => 402,
            Behaviour::Authenticates { .. } => continue,
            _ => 200,
        };
        assert_eq!((status, charged), (wanted, wanted), "{name}");
    }
    let mut world = Lab::new();
    for token in ["tok_visa_chargeCustomerFailLostCard", "tok_visa_triggerPayoutBlock"] {
        let sent = json!({"amount": 2000, "currency": "usd", "source": token});
        assert_eq!(world.call("POST /v1/charges", sent).unwrap_err().status, 501, "{token}");
    }
    for token in ["pm_card_threeDSecureRequired", "pm_card_at", "pm_card_be"] {
        assert!(card::by_token(token).is_some(), "{token}");
    }
    let bank = world.ok("GET /v1/payment_methods/pm_usBankAccount_success", json!({}));
    assert_eq!(bank["us_bank_account"]["last4"], "6789");
    let sent = json!({"confirm": true, "payment_method": "pm_sepaDebit_disputed_de"});
    let mut sent = terms(&sent);
    sent["payment_method_types"] = json!(["sepa_debit"]);
    sent["currency"] = json!("eur");
    assert_eq!(world.ok("POST /v1/payment_intents", sent)["status"], "processing");
}

#[test]
fn a_customer_who_is_not_there_leaves_no_charge() {
    for flag in ["off_session", "error_on_requires_action"] {
        let mut world = Lab::new();
        let card = "pm_card_authenticationRequired";
        let sent = json!({"confirm": true, "payment_method": card, flag: true});
        let failure = world.call("POST /v1/payment_intents", terms(&sent)).unwrap_err();
        assert_eq!(
            (failure.status, failure.code.as_deref()),
            (402, Some("authentication_required"))
        );
        assert!(!failure.more.contains_key("charge"), "{flag}");
        assert_eq!(failure.more["payment_intent"]["status"], "requires_payment_method");
        assert_eq!(world.ok("GET /v1/charges", json!({}))["data"], json!([]));
        assert_eq!(world.events(), ["payment_intent.created", "payment_intent.payment_failed"]);
    }
}

/// What a refusal is: status, code, parameter, and a part of what it says.
type Refusal<'a> = (u16, Option<&'a str>, Option<&'a str>, &'a str);

fn refused(world: &mut Lab, endpoint: &str, params: Value, wanted: Refusal<'_>) {
    let failure = world.call(endpoint, params).unwrap_err();
    let found = (failure.status, failure.code.as_deref(), failure.param.as_deref());
    assert_eq!(found, (wanted.0, wanted.1, wanted.2), "{endpoint}: {}", failure.message);
    assert!(failure.message.contains(wanted.3), "{endpoint}: {}", failure.message);
}

#[test]
fn intents_refuse_as_recorded() {
    let mut world = Lab::new();
    let make = "POST /v1/payment_intents";
    let integer = Some("parameter_invalid_integer");
    for (more, wanted) in [
        (json!({"amount": 0}), (400, integer, Some("amount"), "use a Setup Intent instead")),
        (json!({"amount": -1}), (400, integer, Some("amount"), "greater than or equal to 1.")),
        (json!({"amount": 49}), (400, Some("amount_too_small"), Some("amount"), "$0.50 usd")),
        (
            json!({"amount": 550, "currency": "isk"}),
            (400, None, Some("amount"), "divisible by 100"),
        ),
        (
            json!({"payment_method_types": ["cards"]}),
            (400, None, Some("payment_method_types"), "type \"cards\" is invalid"),
        ),
        (
            json!({"automatic_payment_methods": {"enabled": true}}),
            (400, None, Some("payment_method_types"), "cannot be used together"),
        ),
    ] {
        refused(&mut world, make, terms(&more), wanted);
    }
    let held = pay(&mut world, &json!({"capture_method": "manual"}));
    let capture = format!("POST /v1/payment_intents/{}/capture", id(&held));
    let part = "amount_to_capture";
    refused(&mut world, &capture, json!({part: -1}), (400, None, Some(part), "non-negative"));
    refused(&mut world, &capture, json!({part: 0}), (400, integer, Some("amount"), "equal to 1."));
    let much = (400, Some("amount_too_large"), None, "requested capture amount is greater");
    refused(&mut world, &capture, json!({part: 2001}), much);
    let failure = world.call(&capture, json!({part: 2001})).unwrap_err();
    assert_eq!(failure.more["payment_intent"]["id"], held["id"]);
    let charge = held["latest_charge"].as_str().unwrap();
    let capture = format!("POST /v1/charges/{charge}/capture");
    let owned = (400, None, None, "must capture the PaymentIntent instead");
    refused(&mut world, &capture, json!({}), owned);
    let owned = (400, None, None, "must cancel the PaymentIntent");
    refused(&mut world, "POST /v1/refunds", json!({"charge": charge}), owned);
    let path = format!("POST /v1/charges/{charge}");
    let owned = (400, None, None, "must update the `transfer_group`");
    refused(&mut world, &path, json!({"transfer_group": "g"}), owned);
}

#[test]
fn payment_methods_refuse_as_recorded() {
    let mut world = Lab::new();
    let one = world.ok("POST /v1/customers", json!({"payment_method": "pm_card_visa"}));
    let two = world.ok("POST /v1/customers", json!({}));
    let saved = world.ok("GET /v1/payment_methods", json!({"customer": one["id"]}));
    let saved = id(&saved["data"][0]);
    let attach = format!("POST /v1/payment_methods/{saved}/attach");
    let taken = (400, None, None, "already been attached");
    refused(&mut world, &attach, json!({"customer": two["id"]}), taken);
    let nobody = (400, Some("parameter_missing"), None, "customer or customer_account.");
    refused(&mut world, &attach, json!({}), nobody);
    let declining = "POST /v1/payment_methods/pm_card_chargeDeclined/attach";
    let declined = (402, Some("card_declined"), Some(""), "declined.");
    refused(&mut world, declining, json!({"customer": two["id"]}), declined);
    let expired = "POST /v1/payment_methods/pm_card_chargeDeclinedExpiredCard/attach";
    let declined = (402, Some("expired_card"), Some("exp_month"), "expired.");
    refused(&mut world, expired, json!({"customer": two["id"]}), declined);
    let other = format!("GET /v1/customers/{}/payment_methods/{saved}", id(&two));
    refused(&mut world, &other, json!({}), (404, None, Some("customer"), "Invalid request"));
    let foreign = terms(&json!({"payment_method": saved}));
    let missing = (400, Some("parameter_missing"), Some("source"), "include the Customer");
    refused(&mut world, "POST /v1/payment_intents", foreign.clone(), missing);
    let mut foreign = foreign;
    foreign["customer"] = two["id"].clone();
    let wrong = (400, None, Some("payment_method"), "belongs to instead.");
    refused(&mut world, "POST /v1/payment_intents", foreign, wrong);
    let nowhere =
        world.call("POST /v1/payment_methods/pm_1Nobody/attach", json!({"customer": two["id"]}));
    let told = nowhere.unwrap_err().message;
    assert!(told.contains("'pm_1Nobody'; It's possible this PaymentMethod exists on"), "{told}");
    let loose = world.ok("GET /v1/payment_methods/pm_card_visa", json!({}));
    let detach = format!("POST /v1/payment_methods/{}/detach", id(&loose));
    refused(&mut world, &detach, json!({}), (400, None, None, "detachment is impossible."));
    let make = "POST /v1/payment_methods";
    for (token, wanted) in [
        ("pm_card_visa", (400, None, Some("token"), "Invalid token id: pm_card_visa")),
        ("tok_nope", (400, None, Some("token"), "Invalid token id: tok_nope")),
        ("tok_card_visa", (400, None, None, "not valid: 'card'.")),
    ] {
        refused(&mut world, make, json!({"type": "card", "card": {"token": token}}), wanted);
    }
    let owned = json!({"type": "card", "card": {"token": "tok_visa"}, "customer": one["id"]});
    refused(&mut world, make, owned, (400, None, None, "during PaymentMethod creation."));
}

#[test]
fn a_payment_method_that_was_used_up_is_refused_as_soon_as_it_is_named() {
    let mut world = Lab::new();
    let make = "POST /v1/payment_intents";
    let used = json!({"payment_method": pay(&mut world, &json!({}))["payment_method"]});
    let spent = (400, None, None, "It may not be used again.");
    refused(&mut world, make, terms(&used), spent);
    let open = format!("{make}/{}", id(&world.ok(make, terms(&json!({})))));
    refused(&mut world, &open, used.clone(), spent);
    refused(&mut world, &format!("{open}/confirm"), used, spent);
    let shown = world.get("payment_intent", open.rsplit('/').next().unwrap());
    assert_eq!(shown["payment_method"], Value::Null);
}

#[test]
fn an_account_declines_on_the_checks_that_its_settings_name() {
    for (setting, token, code, param) in [
        ("cvc_failure", "tok_cvcCheckFail", "incorrect_cvc", "cvc"),
        ("avs_failure", "tok_avsZipFail", "incorrect_zip", "address_zip"),
        ("avs_failure", "tok_avsFail", "incorrect_zip", "address_zip"),
    ] {
        let mut world = Lab::new();
        let asked = json!({"type": "custom", "country": "US"});
        let account = id(&world.ok("POST /v1/accounts", asked));
        let card = json!({"type": "card", "card": {"token": token},
            "billing_details": {"address": {"postal_code": "10115"}}});
        let fresh = |world: &mut Lab| world.ok("POST /v1/payment_methods", card.clone());
        let try_to = |world: &mut Lab, method: &Value| {
            let asked = json!({"confirm": true, "payment_method": method["id"]});
            world.call("POST /v1/payment_intents", terms(&asked))
        };
        let attempt = |world: &mut Lab| {
            let method = fresh(world);
            try_to(world, &method).map(|pi| pi["status"].clone())
        };
        assert_eq!(world.within(&account, attempt).unwrap(), "succeeded", "{token}");
        let on = json!({"settings": {"card_payments": {"decline_on": {setting: true}}}});
        world.ok(&format!("POST /v1/accounts/{account}"), on);
        assert_eq!(attempt(&mut world).unwrap(), "succeeded", "the platform has not said so");
        world.within(&account, |world| {
            let wanted = (402, Some(code), Some(param), "Your card");
            let method = fresh(world);
            let failure = try_to(world, &method).unwrap_err();
            assert!(!failure.more.contains_key("decline_code"), "no bank declined it");
            let charge = failure.more["charge"].as_str().unwrap();
            let charge = world.ok(&format!("GET /v1/charges/{charge}"), json!({}));
            assert_eq!(charge["outcome"]["network_status"], "reversed_after_approval");
            let found = (failure.status, failure.code.as_deref(), failure.param.as_deref());
            assert_eq!(found, (wanted.0, wanted.1, wanted.2));
            let again = try_to(world, &method).unwrap_err().message;
            assert!(again.contains("It may not be used again."), "{again}");
            let customer = world.ok("POST /v1/customers", json!({}));
            let attach = format!("POST /v1/payment_methods/{}/attach", id(&fresh(world)));
            refused(world, &attach, json!({"customer": customer["id"]}), wanted);
        });
    }
}

#[test]
fn charges_and_refunds_refuse_as_recorded() {
    let mut world = Lab::new();
    let customer = world.ok("POST /v1/customers", json!({}))["id"].clone();
    let make = "POST /v1/charges";
    let charge = |more: Value| {
        let mut all = json!({"amount": 2000, "currency": "usd"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let both = charge(json!({"customer": customer, "source": "tok_visa"}));
    let none = (404, Some("resource_missing"), Some("card"), "does not have card with ID tok_visa");
    refused(&mut world, make, both, none);
    let bare = charge(json!({"customer": customer}));
    let empty = (402, Some("missing"), Some("card"), "any saved payment details.");
    refused(&mut world, make, bare.clone(), empty);
    let path = "POST /v1/payment_methods/pm_card_visa/attach";
    world.ok(path, json!({"customer": customer}));
    let modern = (402, Some("missing"), Some("card"), "Use a Payment Intent instead");
    refused(&mut world, make, bare, modern);
    let nope = charge(json!({"source": "tok_nope"}));
    let missing = (400, Some("resource_missing"), Some("source"), "No such token");
    refused(&mut world, make, nope, missing);
    let refund = "POST /v1/refunds";
    refused(&mut world, refund, json!({}), (400, None, None, "payment_intent or charge."));
    let missing = (404, Some("resource_missing"), Some("id"), "No such charge: 'ch_x'");
    refused(&mut world, refund, json!({"charge": "ch_x"}), missing);
    let failing = json!({"confirm": true, "payment_method": "pm_card_chargeDeclined"});
    let failure = world.call("POST /v1/payment_intents", terms(&failing)).unwrap_err();
    let intent = failure.more["payment_intent"]["id"].clone();
    let unpaid = (400, None, None, "does not have a successful charge");
    refused(&mut world, refund, json!({"payment_intent": intent}), unpaid);
    let paid = pay(&mut world, &json!({}));
    let done = world.ok(refund, json!({"payment_intent": paid["id"]}));
    let cancel = format!("POST /v1/refunds/{}/cancel", id(&done));
    refused(&mut world, &cancel, json!({}), (400, None, None, "is unsupported."));
}

#[test]
fn a_payment_method_of_the_platform_is_cloned_into_an_account() {
    let mut world = Lab::new();
    let create = object::handler("POST /v1/payment_methods").unwrap();
    let asked = |params: Value| Call {
        key: "POST /v1/payment_methods".to_owned(),
        ids: Vec::new(),
        params: params.as_object().unwrap().clone(),
        version: Version { text: "2026-10-28.endive".to_owned(), named: true },
    };
    let customer = id(&world.ok("POST /v1/customers", json!({})));
    let card = json!({"type": "card", "card": {"token": "tok_visa"}, "metadata": {"shop": "1"}});
    let made = id(&world.ok("POST /v1/payment_methods", card));
    let path = format!("POST /v1/payment_methods/{made}/attach");
    world.ok(&path, json!({"customer": customer}));

    let mut clone = |account: &str, params: Value| {
        let call = asked(params);
        world.change(|txn| {
            txn.in_account(account, |txn| create(txn, &call)).map(Body::into_document)
        })
    };
    let copied = clone("acct_1", json!({"customer": customer, "payment_method": made})).unwrap();
    assert_ne!(id(&copied), made);
    assert_eq!((&copied["customer"], &copied["metadata"]), (&Value::Null, &json!({})));
    assert_eq!((&copied["type"], &copied["card"]["last4"]), (&json!("card"), &json!("4242")));
    let failure = clone("acct_1", json!({"payment_method": made})).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (400, Some("customer")));
    let failure = clone("", json!({"customer": customer, "payment_method": made})).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (400, Some("payment_method")));
    let failure = clone("acct_1", json!({"payment_method": "pm_nope"})).unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (400, Some("resource_missing")));
    assert!(world.view().at("acct_1").get("payment_method", &id(&copied)).is_some());
}
