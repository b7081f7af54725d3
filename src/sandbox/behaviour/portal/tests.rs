//! Configurations and sessions of the portal, as the API makes and refuses them.

use super::*;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

const CONFIGURATIONS: &str = "POST /v1/billing_portal/configurations";
const SESSIONS: &str = "POST /v1/billing_portal/sessions";

struct Shop {
    lab: Lab,
    customer: Value,
    subscription: Value,
    product: Value,
    price: Value,
}

fn shop() -> Shop {
    let mut lab = Lab::new();
    let product = lab.ok("POST /v1/products", json!({"name": "Club"}));
    let recurring = json!({"interval": "month"});
    let price = lab.ok(
        "POST /v1/prices",
        json!({"product": product["id"], "currency": "jpy", "unit_amount": 980, "recurring": recurring}),
    );
    let customer = lab.ok(
        "POST /v1/customers",
        json!({"payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"}}),
    );
    let items = json!([{"price": price["id"]}]);
    let subscription =
        lab.ok("POST /v1/subscriptions", json!({"customer": customer["id"], "items": items}));
    Shop { lab, customer, subscription, product, price }
}

#[test]
fn a_configuration_shows_every_feature_and_what_was_not_sent_is_off() {
    let Shop { mut lab, product, price, .. } = shop();
    let sent = json!({"features": {
        "invoice_history": {"enabled": true},
        "subscription_update": {
            "enabled": true, "default_allowed_updates": ["quantity"],
            "products": [{"product": product["id"], "prices": [price["id"]]}],
        },
    }, "business_profile": {"headline": "Club"}, "metadata": {"a": "b"}});
    let made = lab.ok(CONFIGURATIONS, sent);
    let features = &made["features"];
    assert_eq!(features["customer_update"], json!({"allowed_updates": [], "enabled": false}));
    assert_eq!(features["subscription_cancel"]["mode"], "at_period_end");
    assert_eq!(
        features["subscription_update"]["products"][0]["adjustable_quantity"],
        json!({"enabled": true, "maximum": null, "minimum": 1})
    );
    assert_eq!(made["business_profile"]["privacy_policy_url"], Value::Null);
    assert_eq!((&made["is_default"], &made["active"]), (&json!(false), &json!(true)));
    let id = made["id"].as_str().unwrap();
    let path = format!("{CONFIGURATIONS}/{id}");
    let changed = lab.ok(
        &path,
        json!({"features": {"invoice_history": {"enabled": false}}, "login_page": {"enabled": true}}),
    );
    assert_eq!(changed["features"]["invoice_history"]["enabled"], false);
    assert_eq!(changed["features"]["subscription_update"], features["subscription_update"]);
    assert!(changed["login_page"]["url"].as_str().unwrap().contains("/p/login/test_"));
    assert_eq!(
        lab.events()[lab.events().len() - 2..],
        ["billing_portal.configuration.created", "billing_portal.configuration.updated"]
    );
    let listed = lab.ok("GET /v1/billing_portal/configurations", json!({"is_default": false}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[test]
fn features_that_cannot_be_offered_are_refused() {
    let Shop { mut lab, product, price, .. } = shop();
    let other = lab.ok("POST /v1/products", json!({"name": "Other"}));
    let once = json!({"product": product["id"], "currency": "jpy", "unit_amount": 5});
    let once = lab.ok("POST /v1/prices", once);
    let update = |product: &Value, prices: &[&Value]| {
        let prices: Vec<&Value> = prices.iter().map(|price| &price["id"]).collect();
        json!({"subscription_update": {
            "enabled": true, "default_allowed_updates": ["price"],
            "products": [{"product": product["id"], "prices": prices}],
        }})
    };
    let nothing = json!({"id": "none"});
    let at = "features[subscription_update][products]";
    for (features, param) in [
        (json!({"subscription_update": {"enabled": true}}), at.to_owned()),
        (update(&nothing, &[&price]), format!("{at}[0][product]")),
        (update(&product, &[&nothing]), format!("{at}[0][prices][0]")),
        (update(&other, &[&price]), format!("{at}[0][prices][0]")),
        (update(&product, &[&once]), format!("{at}[0][prices][0]")),
        (update(&product, &[&price, &price]), format!("{at}[0][prices][1]")),
        (
            json!({"customer_update": {"enabled": true}}),
            "features[customer_update][allowed_updates]".to_owned(),
        ),
    ] {
        let failure = lab.call(CONFIGURATIONS, json!({"features": features})).unwrap_err();
        assert_eq!((failure.status, failure.param), (400, Some(param)), "{features}");
    }
}

#[test]
fn a_session_needs_only_a_customer() {
    let Shop { mut lab, customer, .. } = shop();
    let made = lab
        .ok(SESSIONS, json!({"customer": customer["id"], "return_url": "http://localhost:3000/"}));
    assert_eq!(made["return_url"], "http://localhost:3000/");
    for name in ["flow", "locale", "on_behalf_of", "customer_account"] {
        assert_eq!(made[name], Value::Null, "{name}");
    }
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:12111/p/session/test_"), "{url}");
    let default = lab.get(CONFIGURATION, made["configuration"].as_str().unwrap());
    assert_eq!(default["is_default"], true);
    let again = lab.ok(SESSIONS, json!({"customer": customer["id"]}));
    assert_eq!(again["configuration"], made["configuration"], "one is enough");
    assert_ne!(again["url"], made["url"]);
    assert_eq!(lab.events().last().unwrap(), "billing_portal.session.created");
    let off = format!("{CONFIGURATIONS}/{}", made["configuration"].as_str().unwrap());
    assert_eq!(lab.call(&off, json!({"active": false})).unwrap_err().status, 400);
    let unknown = lab.call(SESSIONS, json!({"customer": "cus_x"})).unwrap_err();
    assert_eq!(
        (unknown.status, unknown.code.as_deref(), unknown.param.as_deref(), &*unknown.message),
        (400, Some("resource_missing"), Some("customer"), "No such customer: 'cus_x'")
    );
}

#[test]
fn a_flow_is_shown_whole_and_refused_where_it_cannot_be_gone_through() {
    let Shop { mut lab, customer, subscription, .. } = shop();
    let of = json!({"subscription": subscription["id"]});
    let mut open =
        |flow: Value| lab.call(SESSIONS, json!({"customer": customer["id"], "flow_data": flow}));
    let made = open(json!({"type": "subscription_cancel", "subscription_cancel": of})).unwrap();
    assert_eq!(
        made["flow"]["after_completion"],
        json!({"hosted_confirmation": null, "redirect": null, "type": "portal_homepage"})
    );
    assert_eq!(
        made["flow"]["subscription_cancel"],
        json!({"retention": null, "subscription": subscription["id"]})
    );
    assert_eq!(made["flow"]["subscription_update"], Value::Null);
    assert!(open(json!({"type": "payment_method_update"})).is_ok());
    let disabled =
        open(json!({"type": "subscription_update", "subscription_update": of})).unwrap_err();
    assert_eq!(
        disabled.message,
        "This subscription cannot be updated because the subscription update feature in the portal configuration is disabled."
    );
    let nobody = json!({"subscription": "sub_x"});
    for (flow, param) in [
        (json!({"type": "subscription_cancel"}), "flow_data[subscription_cancel]"),
        (
            json!({"type": "subscription_cancel", "subscription_cancel": nobody}),
            "flow_data[subscription_cancel][subscription]",
        ),
        (
            json!({"type": "payment_method_update", "subscription_cancel": of}),
            "flow_data[subscription_cancel]",
        ),
        (
            json!({"type": "payment_method_update", "after_completion": {"type": "redirect"}}),
            "flow_data[after_completion][redirect]",
        ),
    ] {
        let failure = open(flow.clone()).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)), "{flow}");
    }
    let id = subscription["id"].as_str().unwrap();
    lab.ok(&format!("POST /v1/subscriptions/{id}"), json!({"cancel_at_period_end": true}));
    let flow = json!({"type": "subscription_cancel", "subscription_cancel": of});
    let late = lab.call(SESSIONS, json!({"customer": customer["id"], "flow_data": flow}));
    assert!(late.unwrap_err().message.contains("already set to be canceled"));
}

#[test]
fn a_session_ends_unused_after_minutes_and_used_after_an_hour_of_rest() {
    let Shop { mut lab, customer, .. } = shop();
    let made = lab.ok(SESSIONS, json!({"customer": customer["id"]}));
    let (url, now) = (made["url"].as_str().unwrap().to_owned(), lab.now.0);
    let over = |lab: &Lab, after: i64| {
        let visited = visit::find(&lab.view(), &url).unwrap();
        visit::is_over(&visited, now + after)
    };
    assert_eq!((over(&lab, 299), over(&lab, 300)), (false, true));
    let id = made["id"].as_str().unwrap().to_owned();
    lab.at(now + 200, |txn: &mut Txn<'_>| visit::note(txn, &id));
    assert_eq!((over(&lab, 200 + 3_599), over(&lab, 200 + 3_600)), (false, true));
    lab.ok(&format!("DELETE /v1/customers/{}", customer["id"].as_str().unwrap()), json!({}));
    assert!(over(&lab, 201), "who is gone visits nothing");
}
