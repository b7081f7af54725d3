use super::*;
use crate::sandbox::testing::Lab;
use serde_json::json;

#[test]
fn a_record_is_made_changed_listed_and_removed() {
    let mut lab = Lab::new();
    let asked = json!({"alias": "a", "name": "A", "metadata": {"a": "1"}});
    let made = lab.ok("POST /v1/radar/value_lists", asked);
    assert_eq!((&made["item_type"], &made["created_by"]), (&json!("string"), &json!("api")));
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/radar/value_lists/{id}");
    let changed = lab.ok(&format!("POST {path}"), json!({"name": "B", "metadata": {"b": "2"}}));
    assert_eq!(
        (&changed["name"], &changed["metadata"]),
        (&json!("B"), &json!({"a": "1", "b": "2"}))
    );
    assert_eq!(lab.ok(&format!("GET {path}"), json!({})), changed);
    assert_eq!(lab.ok("GET /v1/radar/value_lists", json!({}))["data"], json!([changed]));
    let stub = json!({"id": id, "object": "radar.value_list", "deleted": true});
    assert_eq!(lab.ok(&format!("DELETE {path}"), json!({})), stub);
    let failure = lab.call(&format!("GET {path}"), json!({})).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (404, Some("value_list")));
    assert_eq!(failure.message, format!("No such value list: '{id}'"));
}

#[test]
fn what_refers_to_nothing_is_refused() {
    let mut lab = Lab::new();
    let item = json!({"value_list": "NONE", "value": "x"});
    let failure = lab.call("POST /v1/radar/value_list_items", item).unwrap_err();
    assert_eq!(failure.message, "No such value list: 'NONE'");
    assert_eq!((failure.status, failure.param.as_deref()), (400, Some("value_list")));
    let asked = json!({"first_name": "Jenny"});
    let failure = lab.call("POST /v1/accounts/acct_none/persons", asked).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (404, Some("account")));
}

#[test]
fn what_stands_within_something_is_found_there_alone() {
    let mut lab = Lab::new();
    let one = lab.ok("POST /v1/customers", json!({}))["id"].clone();
    let two = lab.ok("POST /v1/customers", json!({}))["id"].clone();
    let (one, two) = (one.as_str().unwrap(), two.as_str().unwrap());
    let asked = json!({"type": "eu_vat", "value": "DE123456789"});
    let made = lab.ok(&format!("POST /v1/customers/{one}/tax_ids"), asked);
    assert_eq!((&made["country"], &made["customer"]), (&json!("DE"), &json!(one)));
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        lab.ok(&format!("GET /v1/customers/{one}/tax_ids"), json!({}))["data"],
        json!([made])
    );
    assert_eq!(lab.ok(&format!("GET /v1/customers/{two}/tax_ids"), json!({}))["data"], json!([]));
    assert!(lab.call(&format!("GET /v1/customers/{two}/tax_ids/{id}"), json!({})).is_err());
    assert_eq!(lab.events().last().unwrap(), "customer.tax_id.created");

    let product = lab.ok("POST /v1/products", json!({"name": "Tea"}))["id"].clone();
    let product = product.as_str().unwrap();
    let feature = lab.ok("POST /v1/entitlements/features", json!({"lookup_key": "a", "name": "A"}));
    let asked = json!({"entitlement_feature": feature["id"]});
    let made = lab.ok(&format!("POST /v1/products/{product}/features"), asked);
    assert_eq!(made["entitlement_feature"], feature);
    let listed = lab.ok(&format!("GET /v1/products/{product}/features"), json!({}));
    assert_eq!(listed["data"], json!([made]));
}

#[test]
fn persons_and_external_accounts_stand_in_their_account() {
    let mut lab = Lab::new();
    let account = lab.ok("POST /v1/accounts", json!({"type": "custom", "country": "US"}));
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let asked = json!({"first_name": "Jenny", "relationship": {"owner": true}, "id_number": "1"});
    let person = lab.ok(&format!("POST {path}/persons"), asked);
    assert_eq!((&person["account"], &person["id_number_provided"]), (&account["id"], &json!(true)));
    assert_eq!(lab.ok(&format!("GET {path}/persons"), json!({}))["data"], json!([person]));
    let asked = json!({"external_account": {"object": "bank_account", "country": "US",
        "currency": "usd", "account_number": "000123456789", "routing_number": "110000000"}});
    let bank = lab.ok(&format!("POST {path}/external_accounts"), asked);
    assert_eq!((&bank["last4"], &bank["default_for_currency"]), (&json!("6789"), &json!(true)));
    let capability = format!("{path}/capabilities/card_payments");
    let shown = lab.ok(&format!("POST {capability}"), json!({"requested": true}));
    assert_eq!((&shown["id"], &shown["status"]), (&json!("card_payments"), &json!("inactive")));
    assert_eq!(lab.ok(&format!("GET {capability}"), json!({})), shown);
}

#[test]
fn lists_within_an_object_follow_what_stands_in_them() {
    let mut lab = Lab::new();
    let list = lab.ok("POST /v1/radar/value_lists", json!({"alias": "a", "name": "A"}));
    let item = json!({"value_list": list["id"], "value": "x"});
    let item = lab.ok("POST /v1/radar/value_list_items", item);
    let path = format!("/v1/radar/value_lists/{}", list["id"].as_str().unwrap());
    let shown = lab.ok(&format!("GET {path}"), json!({}));
    assert_eq!(shown["list_items"]["data"], json!([item]));
}

#[test]
fn what_plainly_sets_a_flag_does_so() {
    let mut lab = Lab::new();
    let asked = json!({"display_name": "Calls", "event_name": "calls",
        "default_aggregation": {"formula": "sum"}});
    let meter = lab.ok("POST /v1/billing/meters", asked);
    let path = format!("POST /v1/billing/meters/{}/deactivate", meter["id"].as_str().unwrap());
    let off = lab.ok(&path, json!({}));
    assert_eq!(off["status"], "inactive");
    assert_eq!(off["status_transitions"]["deactivated_at"], lab.now.0);
    assert_eq!(lab.events(), ["billing.meter.created", "billing.meter.deactivated"]);
}

#[test]
fn a_file_is_uploaded_and_read_again_with_its_bytes() {
    let mut lab = Lab::new();
    let sent = crate::wire::multipart::File { name: "a.PNG".to_owned(), bytes: vec![0, 10, 255] };
    let asked = json!({"purpose": "dispute_evidence", "file": sent.written(),
        "file_link_data": {"create": true}});
    let file = lab.ok("POST /v1/files", asked);
    assert_eq!((&file["size"], &file["type"]), (&json!(3), &json!("png")));
    assert_eq!(file["links"]["data"][0]["file"], file["id"]);
    let path = format!("/v1/files/{}/contents", file["id"].as_str().unwrap());
    let found = lab.look(|txn| record::more(txn, "file", file["id"].as_str().unwrap())).unwrap();
    let (bytes, kind) =
        upload::opened(&path, 200, &Body::Text(found["_bytes"].as_str().unwrap().into())).unwrap();
    assert_eq!((bytes, kind), (sent.bytes, "image/png"));
    assert_eq!(upload::opened(&path, 404, &Body::Text("{}".into())), None);
    let failure = lab.call("POST /v1/files", json!({"purpose": "dispute_evidence", "file": "x"}));
    assert_eq!(failure.unwrap_err().param.as_deref(), Some("file"));
}

#[test]
fn the_tax_ids_of_a_customer_are_shown_when_expanded() {
    let mut lab = Lab::new();
    let customer = lab.ok("POST /v1/customers", json!({}));
    let path = format!("POST /v1/customers/{}/tax_ids", customer["id"].as_str().unwrap());
    let made = lab.ok(&path, json!({"type": "gb_vat", "value": "GB123456789"}));
    let shown = lab.look(|txn| include(txn, &customer, "tax_ids")).unwrap();
    assert_eq!(shown["data"], json!([made]));
}

#[test]
fn settings_and_reference_data_are_there_from_the_beginning() {
    let mut lab = Lab::new();
    assert_eq!(lab.ok("GET /v1/tax/settings", json!({}))["status"], "pending");
    let asked = json!({"head_office": {"address": {"country": "JP"}}});
    assert_eq!(lab.ok("POST /v1/tax/settings", asked)["status"], "active");
    assert_eq!(lab.ok("GET /v1/tax/settings", json!({}))["status"], "active");
    assert_eq!(lab.events(), ["tax.settings.updated"]);
    assert_eq!(lab.ok("GET /v1/country_specs/JP", json!({}))["default_currency"], "jpy");
    let failure = lab.call("GET /v1/tax_codes/txcd_1", json!({})).unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (404, Some("id")));
}
