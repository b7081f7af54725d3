use crate::sandbox::behaviour::connect::onboarding;
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

const PATH: &str = "/v2/core/accounts";

/// An account that takes cards and is sent money, of one person who has told everything but a bank account.
fn asked() -> Value {
    json!({
        "contact_email": "shop@example.com", "dashboard": "none", "display_name": "Tea",
        "configuration": {
            "merchant": {"capabilities": {"card_payments": {"requested": true}}, "mcc": "5734"},
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": true}}}},
        },
        "defaults": {
            "profile": {"business_url": "https://example.com", "product_description": "Tea"},
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
        },
        "identity": {
            "country": "us", "entity_type": "individual",
            "attestations": {"terms_of_service": {"account":
                {"date": "2026-11-21T00:00:00Z", "ip": "127.0.0.1"}}},
            "individual": {
                "given_name": "Jenny", "surname": "Rosen", "email": "jenny@example.com",
                "phone": "0000000000", "date_of_birth": {"day": 1, "month": 1, "year": 1901},
                "address": {"line1": "address_full_match", "city": "Schenectady", "state": "NY",
                    "postal_code": "12345", "country": "us"},
                "id_numbers": [{"type": "us_ssn", "value": "000000000"}],
            },
        },
        "metadata": {"shop": "1"},
    })
}

fn all() -> Value {
    json!([
        "configuration.customer",
        "configuration.merchant",
        "configuration.recipient",
        "defaults",
        "future_requirements",
        "identity",
        "requirements"
    ])
}

fn made(lab: &mut Lab) -> (String, Value) {
    let mut params = asked();
    params["include"] = all();
    let made = lab.ok(&format!("POST {PATH}"), params);
    (made["id"].as_str().unwrap().to_owned(), made)
}

fn told(lab: &mut Lab, kind: &str) -> Vec<Value> {
    let listed = lab.ok("GET /v2/core/events", json!({"types": [kind], "limit": 100}));
    listed["data"].as_array().unwrap().clone()
}

#[test]
fn an_account_is_shown_in_the_parts_that_are_asked_for() {
    let mut lab = Lab::new();
    let (id, whole) = made(&mut lab);
    assert_eq!(whole["applied_configurations"], json!(["merchant", "recipient"]));
    assert_eq!(
        (&whole["contact_email"], &whole["display_name"], &whole["metadata"]["shop"]),
        (&json!("shop@example.com"), &json!("Tea"), &json!("1"))
    );
    let merchant = &whole["configuration"]["merchant"];
    assert_eq!((&merchant["mcc"], &merchant["applied"]), (&json!("5734"), &json!(true)));
    assert_ne!(merchant["capabilities"]["card_payments"]["status"], "active");
    assert_eq!(whole["configuration"]["customer"], Value::Null);
    assert_eq!(whole["defaults"]["responsibilities"]["requirements_collector"], "application");
    assert_eq!(whole["defaults"]["currency"], "usd");
    let person = &whole["identity"]["individual"];
    assert_eq!((&person["given_name"], &person["account"]), (&json!("Jenny"), &json!(id)));
    assert_eq!(person["id_numbers"], json!([{"type": "us_ssn"}]), "the number is not shown");
    let plain = lab.ok(&format!("GET {PATH}/{id}"), json!({}));
    for part in ["configuration", "defaults", "future_requirements", "identity", "requirements"] {
        assert_eq!(plain[part], Value::Null, "{part}");
    }
    let one = json!({"include": ["configuration.recipient"]});
    let part = lab.ok(&format!("GET {PATH}/{id}"), one);
    assert_eq!(part["configuration"]["merchant"], Value::Null);
    let balance = &part["configuration"]["recipient"]["capabilities"]["stripe_balance"];
    assert_ne!(balance["stripe_transfers"]["status"], "active");
}

#[test]
fn an_account_of_v2_is_one_of_v1_and_opens_as_one() {
    let mut lab = Lab::new();
    let (id, whole) = made(&mut lab);
    let first = lab.ok(&format!("GET /v1/accounts/{id}"), json!({}));
    assert_eq!(
        (&first["individual"]["first_name"], &first["business_type"], &first["country"]),
        (&json!("Jenny"), &json!("individual"), &json!("US"))
    );
    assert_eq!(first["controller"]["stripe_dashboard"]["type"], "none");
    let due: Vec<_> = whole["requirements"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["description"])
        .collect();
    assert!(due.contains(&&json!("defaults.payout_methods")), "{due:?}");
    assert_eq!(whole["requirements"]["entries"][0]["awaiting_action_from"], "user");
    lab.ok(
        &format!("POST /v1/accounts/{id}/external_accounts"),
        json!({"external_account": "btok_us_verified"}),
    );
    lab.advance(60);
    let open = lab.ok(&format!("GET {PATH}/{id}"), json!({"include": all()}));
    assert_eq!(open["requirements"]["entries"], json!([]));
    let merchant = &open["configuration"]["merchant"]["capabilities"]["card_payments"];
    assert_eq!(*merchant, json!({"status": "active", "status_details": []}));
    let changed = "v2.core.account[configuration.recipient].capability_status_updated";
    let events = told(&mut lab, changed);
    assert_eq!(events[0]["data"], json!({"updated_capability": "stripe_balance.stripe_transfers"}));
    assert_eq!(events[0]["related_object"]["url"], format!("{PATH}/{id}"));
    assert!(!told(&mut lab, "v2.core.account[requirements].updated").is_empty());
    // v1 tells of it as ever; an account that v2 never was told of has no events of v2.
    assert!(!lab.within(&id, |lab| told(lab, "v1.account.updated")).is_empty());
    let plain = lab.ok("POST /v1/accounts", json!({"type": "custom", "country": "US"}));
    let plain = plain["id"].as_str().unwrap();
    let shown = lab.ok(&format!("GET {PATH}/{plain}"), json!({"include": all()}));
    assert_eq!(shown["applied_configurations"], json!([]));
    assert_eq!(told(&mut lab, "v2.core.account.created").len(), 1);
}

#[test]
fn an_update_changes_what_it_names_and_tells_of_each_part() {
    let mut lab = Lab::new();
    let (id, _) = made(&mut lab);
    let sent = json!({
        "display_name": "Coffee", "identity": {"individual": {"surname": "Smith"}},
        "configuration": {"customer": {"shipping": {"name": "Jenny"}}}, "include": all(),
    });
    let changed = lab.ok(&format!("POST {PATH}/{id}"), sent);
    let person = &changed["identity"]["individual"];
    assert_eq!((&person["given_name"], &person["surname"]), (&json!("Jenny"), &json!("Smith")));
    assert_eq!(changed["applied_configurations"], json!(["customer", "merchant", "recipient"]));
    assert_eq!(changed["configuration"]["customer"]["shipping"]["name"], "Jenny");
    for kind in [
        "v2.core.account.updated",
        "v2.core.account[identity].updated",
        "v2.core.account[configuration.customer].updated",
    ] {
        assert_eq!(told(&mut lab, kind).len(), 1, "{kind}");
    }
    assert_eq!(told(&mut lab, "v2.core.account[defaults].updated").len(), 0);
    for (sent, param) in [
        (json!({"identity": {"individual": {"documents": {}}}}), "identity[individual][documents]"),
        (
            json!({"configuration": {"recipient": {"capabilities": {"cards": {"requested": true}}}}}),
            "configuration[recipient][capabilities][cards]",
        ),
    ] {
        let failure = lab.call(&format!("POST {PATH}/{id}"), sent).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (501, Some(param)));
    }
    let failure = lab.call(&format!("GET {PATH}/acct_none"), json!({})).unwrap_err();
    assert_eq!(failure.status, 404);
}

#[test]
fn accounts_are_listed_by_what_they_are_until_they_are_closed() {
    let mut lab = Lab::new();
    let (id, _) = made(&mut lab);
    lab.ok("POST /v1/accounts", json!({"type": "standard", "country": "US"}));
    let count = |lab: &mut Lab, params: Value| {
        lab.ok(&format!("GET {PATH}"), params)["data"].as_array().unwrap().len()
    };
    assert_eq!(count(&mut lab, json!({})), 2);
    assert_eq!(count(&mut lab, json!({"applied_configurations": ["merchant"]})), 1);
    let wrong = json!({"applied_configurations": ["customer"]});
    assert_eq!(lab.call(&format!("POST {PATH}/{id}/close"), wrong).unwrap_err().status, 400);
    let named = json!({"applied_configurations": ["recipient", "merchant"]});
    assert_eq!(lab.ok(&format!("POST {PATH}/{id}/close"), named)["closed"], true);
    assert_eq!(count(&mut lab, json!({})), 1);
    assert_eq!(count(&mut lab, json!({"closed": true})), 1);
    assert_eq!(told(&mut lab, "v2.core.account.closed").len(), 1);
    assert_eq!(lab.ok(&format!("GET /v1/accounts/{id}"), json!({}))["charges_enabled"], false);
}

#[test]
fn people_are_made_changed_listed_and_deleted_as_those_of_v1() {
    let mut lab = Lab::new();
    let company = json!({"identity": {"country": "US", "entity_type": "company"}});
    let account = lab.ok(&format!("POST {PATH}"), company);
    let account = account["id"].as_str().unwrap();
    let path = format!("{PATH}/{account}/persons");
    let sent = json!({
        "given_name": "Jenny", "surname": "Rosen", "nationalities": ["US"],
        "id_numbers": [{"type": "us_ssn_last_4", "value": "0000"}],
        "relationship": {"representative": true, "percent_ownership": "25.0"}, "metadata": {"a": "1"},
    });
    let made = lab.ok(&format!("POST {path}"), sent);
    assert_eq!((&made["account"], &made["metadata"]["a"]), (&json!(account), &json!("1")));
    assert_eq!(made["relationship"]["percent_ownership"], "25.0");
    let id = made["id"].as_str().unwrap();
    let first = lab.ok(&format!("GET /v1/accounts/{account}/persons/{id}"), json!({}));
    assert_eq!(
        (&first["last_name"], &first["ssn_last_4_provided"]),
        (&json!("Rosen"), &json!(true))
    );
    let changed = lab.ok(&format!("POST {path}/{id}"), json!({"surname": "Smith"}));
    assert_eq!((&changed["given_name"], &changed["surname"]), (&json!("Jenny"), &json!("Smith")));
    assert_eq!(lab.ok(&format!("GET {path}/{id}"), json!({})), changed);
    // One that v1 made is shown as well.
    let other =
        lab.ok(&format!("POST /v1/accounts/{account}/persons"), json!({"first_name": "Aki"}));
    let listed = lab.ok(&format!("GET {path}"), json!({}));
    assert_eq!(listed["data"][0]["given_name"], "Aki");
    assert_eq!((&listed["data"][1], &listed["next_page_url"]), (&changed, &Value::Null));
    assert_eq!(
        lab.ok(&format!("DELETE {path}/{id}"), json!({})),
        json!({"id": id, "object": "v2.core.account_person"})
    );
    let gone = told(&mut lab, "v2.core.account_person.deleted");
    assert_eq!(gone[0]["related_object"]["url"], format!("{path}/{id}"));
    assert_eq!(lab.call(&format!("GET {path}/{id}"), json!({})).unwrap_err().status, 404);
    assert!(
        lab.ok(&format!("GET {path}/{}", other["id"].as_str().unwrap()), json!({}))["id"]
            .is_string()
    );
}

#[test]
fn a_link_leads_to_the_page_of_v1_and_tells_of_who_came_back() {
    let mut lab = Lab::new();
    let (id, _) = made(&mut lab);
    let case = json!({"type": "account_onboarding",
        "account_onboarding": {"refresh_url": "https://example.com/again"}});
    let link = lab.ok("POST /v2/core/account_links", json!({"account": id, "use_case": case}));
    assert_eq!(link["use_case"]["account_onboarding"]["refresh_url"], "https://example.com/again");
    let url = link["url"].as_str().unwrap();
    let token = url.rsplit('/').next().unwrap().to_owned();
    assert!(url.contains(&format!("/setup/c/{id}/")));
    lab.change(|txn| onboarding::submit(txn, &id, &token, true)).unwrap();
    let events = told(&mut lab, "v2.core.account_link.returned");
    let data = json!({"account_id": id, "configurations": ["merchant", "recipient"],
        "use_case": "account_onboarding"});
    assert_eq!((&events[0]["data"], &events[0]["related_object"]), (&data, &Value::Null));
    let none = json!({"account": id, "use_case": {"type": "account_update"}});
    let failure = lab.call("POST /v2/core/account_links", none).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("use_case[account_update]"));
    let nobody = json!({"account": "acct_none", "use_case": case});
    assert_eq!(lab.call("POST /v2/core/account_links", nobody).unwrap_err().status, 400);
}
