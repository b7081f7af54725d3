//! What connected accounts get and give over HTTP: their part of what a payment link sells, and what v2's tokens say of
//! accounts and of people.

use crate::env::{Env, Sandbox};
use crate::http::{Reply, send};
use serde_json::{Value, json};

const CARD: &str = "4242424242424242";

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

/// An account of one person of which everything is known, so that money may be sent to it.
fn known(sandbox: &Sandbox) -> String {
    let made = sandbox.api.make(
        "/v1/accounts",
        &[
            ("type", "custom"),
            ("country", "US"),
            ("business_type", "individual"),
            ("capabilities[transfers][requested]", "true"),
            ("business_profile[url]", "https://example.com"),
            ("tos_acceptance[date]", "1"),
            ("tos_acceptance[ip]", "127.0.0.1"),
            ("external_account", "btok_us_verified"),
            ("individual[first_name]", "Aki"),
            ("individual[last_name]", "Sato"),
            ("individual[email]", "a@example.com"),
            ("individual[phone]", "+15555550100"),
            ("individual[dob][day]", "1"),
            ("individual[dob][month]", "1"),
            ("individual[dob][year]", "1990"),
            ("individual[address][line1]", "1 Main St"),
            ("individual[address][city]", "Town"),
            ("individual[address][state]", "CA"),
            ("individual[address][postal_code]", "94110"),
            ("individual[id_number]", "000000000"),
        ],
    );
    text(&made, "id").to_owned()
}

/// Opens a link as a buyer does, and pays what it leads to; the session.
fn bought(env: &Env, sandbox: &Sandbox, link: &Value) -> Value {
    let path = text(link, "url").strip_prefix(&sandbox.url).unwrap();
    let reply = send(sandbox.api.port, "GET", path, &[], b"").unwrap();
    assert_eq!(reply.status, 303, "{}", reply.text());
    let listed = format!("/v1/checkout/sessions?payment_link={}", text(link, "id"));
    let session = sandbox.api.read(&listed)["data"][0]["id"].as_str().unwrap().to_owned();
    env.ok(&["pay", &session, "--with", CARD]);
    sandbox.api.read(&format!("/v1/checkout/sessions/{session}"))
}

#[test]
fn each_payment_of_a_link_gives_its_account_what_is_left_of_the_fee() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let account = known(&sandbox);
    let sold = [
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "2000"),
        ("line_items[0][price_data][product_data][name]", "Tea"),
        ("line_items[0][quantity]", "1"),
    ];
    let whole = [("application_fee_amount", "300"), ("transfer_data[destination]", &account)];
    let part = [("transfer_data[destination]", account.as_str()), ("transfer_data[amount]", "500")];
    for (sent, fee, got) in [(&whole[..], Some(300), 2_000), (&part[..], None, 500)] {
        let link = sandbox.api.make("/v1/payment_links", &[&sold[..], sent].concat());
        let session = bought(&env, &sandbox, &link);
        assert_eq!(session["payment_status"], "paid");
        let intent =
            sandbox.api.read(&format!("/v1/payment_intents/{}", text(&session, "payment_intent")));
        assert_eq!(intent["transfer_data"]["destination"], account.as_str());
        let charge = sandbox.api.read(&format!("/v1/charges/{}", text(&intent, "latest_charge")));
        let transfer = sandbox.api.read(&format!("/v1/transfers/{}", text(&charge, "transfer")));
        assert_eq!(
            (&transfer["amount"], &transfer["destination"]),
            (&json!(got), &json!(account)),
            "{transfer}"
        );
        assert_eq!(charge["application_fee_amount"].as_i64(), fee);
        if let Some(fee) = fee {
            let listed = sandbox.api.read("/v1/application_fees");
            let own = listed["data"].as_array().unwrap();
            assert_eq!((own.len(), &own[0]["amount"]), (1, &json!(fee)), "{listed}");
            assert_eq!(own[0]["account"], account.as_str());
        }
    }
    let unknown = [("transfer_data[destination]", "acct_nope")];
    let error = sandbox.api.post("/v1/payment_links", &[&sold[..], &unknown].concat()).error(400);
    assert_eq!(error["param"], "transfer_data[destination]", "{error}");
}

/// A request of v2, which takes and gives JSON.
fn second(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Reply {
    let key = format!("Bearer {}", crate::env::KEY);
    let headers = [
        ("Authorization", key.as_str()),
        ("Content-Type", "application/json"),
        ("Stripe-Version", "2026-10-28.endive"),
    ];
    let body = if method == "POST" { body.to_string() } else { String::new() };
    send(sandbox.api.port, method, path, &headers, body.as_bytes()).unwrap()
}

#[test]
fn what_is_said_in_tokens_of_v2_makes_an_account_and_its_people_once() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let post = |path: &str, body: &Value| second(&sandbox, "POST", path, body);
    let read = |path: &str| second(&sandbox, "GET", path, &Value::Null).ok();
    let said = json!({"contact_email": "jenny@example.com", "display_name": "Jenny's",
        "identity": {"entity_type": "individual",
            "individual": {"given_name": "Jenny", "surname": "Rosen"}}});
    // Where it is cannot be said in a token.
    let abroad = json!({"identity": {"country": "us"}});
    post("/v2/core/account_tokens", &abroad).error(400);
    let token = post("/v2/core/account_tokens", &said).ok();
    let own = format!("/v2/core/account_tokens/{}", text(&token, "id"));
    assert_eq!(read(&own)["used"], false);
    let asked = json!({"account_token": token["id"], "include": ["identity"]});
    let account = post("/v2/core/accounts", &asked).ok();
    assert_eq!(account["contact_email"], "jenny@example.com");
    assert_eq!(account["identity"]["individual"]["given_name"], "Jenny");
    assert_eq!(read(&own)["used"], true);
    let again = post("/v2/core/accounts", &asked).error(400);
    assert!(text(&again, "message").contains("token"), "{again}");
    // v1 has the same account.
    let id = text(&account, "id");
    assert_eq!(sandbox.api.read(&format!("/v1/accounts/{id}"))["email"], "jenny@example.com");

    let people = format!("/v2/core/accounts/{id}/person_tokens");
    let said = json!({"given_name": "Ada", "surname": "Lovelace", "email": "ada@example.com"});
    let token = post(&people, &said).ok();
    let own = format!("{people}/{}", text(&token, "id"));
    let people = format!("/v2/core/accounts/{id}/persons");
    let asked = json!({"person_token": token["id"]});
    let person = post(&people, &asked).ok();
    assert_eq!((&person["given_name"], &person["email"]), (&json!("Ada"), &said["email"]));
    assert_eq!(read(&own)["used"], true);
    assert_eq!(read(&format!("{people}/{}", text(&person, "id")))["surname"], "Lovelace");
    post(&people, &asked).error(400);
    // A token is whose it was made for.
    let other = json!({"contact_email": "b@example.com", "display_name": "B"});
    let other = post("/v2/core/accounts", &other).ok();
    let token = post(&format!("/v2/core/accounts/{id}/person_tokens"), &said).ok();
    let foreign = format!("/v2/core/accounts/{}/persons", text(&other, "id"));
    post(&foreign, &json!({"person_token": token["id"]})).error(400);
}
