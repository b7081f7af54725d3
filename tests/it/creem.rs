//! Creem beside Stripe on the same port, as a program in any language meets it.

use crate::delivery::{Delivery, Endpoint};
use crate::env::{Env, Sandbox, eventually};
use crate::http::{Reply, encode, send};
use serde_json::{Value, json};

const KEY: &str = "creem_test_0123456789abcdef";

pub(crate) fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("x-api-key", KEY), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(sandbox.api.port, method, path, &headers, body.as_bytes()).unwrap()
}

pub(crate) fn get(sandbox: &Sandbox, path: &str) -> Value {
    call(sandbox, "GET", path, &Value::Null).ok()
}

pub(crate) fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    call(sandbox, "POST", path, body).ok()
}

/// A control of the sandbox.
pub(crate) fn control(sandbox: &Sandbox, path: &str, form: &[(&str, &str)]) -> Value {
    let headers =
        [("Stripegym-Control", "1"), ("Content-Type", "application/x-www-form-urlencoded")];
    let path = format!("/_stripegym/{path}");
    send(sandbox.api.port, "POST", &path, &headers, encode(form).as_bytes()).unwrap().ok()
}

fn product(sandbox: &Sandbox) -> String {
    let sent = json!({"name": "Pro", "description": "d", "price": 1000, "currency": "EUR",
        "billing_type": "recurring", "billing_period": "every-month"});
    id(&post(sandbox, "/v1/products", &sent))
}

pub(crate) fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page.split(&start).nth(1).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Fills in the page of a checkout.
fn pay(sandbox: &Sandbox, checkout: &str, more: &[(&str, &str)]) -> Reply {
    let path = format!("/creem/checkout/{checkout}");
    let page = send(sandbox.api.port, "GET", &path, &[], b"").unwrap().text();
    let (token, due) = (hidden(&page, "token"), hidden(&page, "due"));
    let mut form = vec![
        ("token", token.as_str()),
        ("due", due.as_str()),
        ("email", "jenny@example.com"),
        ("number", "4242424242424242"),
        ("expiry", "12 / 40"),
        ("cvc", "123"),
        ("name", "Jenny"),
    ];
    for (name, value) in more {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    send(sandbox.api.port, "POST", &path, &headers, encode(&form).as_bytes()).unwrap()
}

fn header(delivery: &Delivery, name: &str) -> String {
    let found = delivery.headers.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}

pub(crate) fn hmac(key: &[u8], text: &[u8]) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize()
        .into_bytes()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_request_is_creems_by_its_key_or_its_path_and_stripes_otherwise() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let made = product(&sandbox);
    assert!(made.starts_with("prod_") && made.len() == "prod_".len() + 22, "{made}");
    assert_eq!(id(&get(&sandbox, &format!("/creem/v1/products/{made}"))), made);
    assert_eq!(id(&get(&sandbox, &format!("/v1/products?product_id={made}"))), made);
    assert_eq!(sandbox.api.read("/v1/products")["data"], json!([]), "Stripe has none");
    assert_eq!(sandbox.api.read("/v1/events")["data"], json!([]));
    let world = format!("/worlds/other/creem/v1/products/{made}");
    assert_eq!(call(&sandbox, "GET", &world, &Value::Null).status, 404);
}

#[test]
fn a_refusal_has_the_shape_of_creems() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let bare = send(sandbox.api.port, "GET", "/creem/v1/products/search", &[], b"").unwrap();
    let live = [("x-api-key", "creem_0123456789abcdef")];
    let live = send(sandbox.api.port, "GET", "/v1/products/search", &live, b"").unwrap();
    for (reply, status, error) in [
        (bare, 401, "Unauthorized"),
        (live, 403, "Forbidden"),
        (call(&sandbox, "GET", "/v1/products/prod_none", &Value::Null), 404, "Not Found"),
        (call(&sandbox, "GET", "/v1/nothing", &Value::Null), 404, "Not Found"),
        (call(&sandbox, "GET", "/v1/meters", &Value::Null), 501, "Not Implemented"),
        (call(&sandbox, "POST", "/v1/products", &json!({"name": 1})), 400, "Bad Request"),
    ] {
        assert_eq!(reply.status, status, "{}", reply.text());
        let body = reply.json();
        assert_eq!((&body["status"], &body["error"]), (&json!(status), &json!(error)), "{body}");
        assert!(body["message"].is_array() && body["timestamp"].is_i64(), "{body}");
        assert_eq!(body["trace_id"].as_str().unwrap().len(), 36);
    }
    let wrong =
        call(&sandbox, "POST", "/v1/products", &json!({"name": "x", "currency": "JPY"})).json();
    let said: Vec<&str> =
        wrong["message"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(said.contains(&"currency must be one of the following values: EUR, USD"), "{said:?}");
    let faults = [("on", "GET /creem/v1/products/search"), ("answer", "429")];
    control(&sandbox, "faults", &faults);
    assert_eq!(call(&sandbox, "GET", "/v1/products/search", &Value::Null).status, 429);
    assert_eq!(call(&sandbox, "GET", "/v1/products/search", &Value::Null).status, 200);
}

#[test]
fn a_checkout_is_paid_on_its_page_told_of_and_led_back_with_a_signature() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral", "--retry-schedule", "instant"]);
    // The first delivery fails, and is made again.
    let endpoint = Endpoint::start(0, 1);
    let url = format!("http://127.0.0.1:{}/hook", endpoint.port);
    let secret = "whsec_bXkgb3duIHNlY3JldCBrZXk=";
    control(
        &sandbox,
        "creem/webhooks",
        &[("url", &url), ("secret", secret), ("signature", "both")],
    );
    let sent = json!({"product_id": product(&sandbox), "request_id": "order-1", "metadata": {"userId": "u1"},
        "success_url": "http://127.0.0.1:9/done?provider=creem"});
    let checkout = id(&post(&sandbox, "/v1/checkouts", &sent));
    let refused = pay(&sandbox, &checkout, &[("number", "4000000000000002")]);
    assert_eq!(refused.status, 402);
    assert!(refused.text().contains("role=\"alert\""), "{}", refused.text());
    let japanese =
        send(sandbox.api.port, "GET", &format!("/creem/checkout/{checkout}?lang=ja"), &[], b"");
    assert!(japanese.unwrap().text().contains("<html lang=\"ja\">"));
    let paid = pay(&sandbox, &checkout, &[]);
    assert_eq!(paid.status, 303, "{}", paid.text());
    let to = paid.header("location").unwrap().to_owned();
    let names: Vec<&str> =
        to.split_once('?').unwrap().1.split('&').map(|it| it.split('=').next().unwrap()).collect();
    let wanted = [
        "provider",
        "request_id",
        "checkout_id",
        "order_id",
        "customer_id",
        "subscription_id",
        "product_id",
        "signature",
    ];
    assert_eq!(names, wanted);
    let again = pay_again(&sandbox, &checkout);
    assert_eq!(
        again.header("location"),
        Some(to.as_str()),
        "a second press leads where the first did"
    );

    let mut kinds = Vec::new();
    for _ in 0..4 {
        let delivery = endpoint.next();
        assert_eq!(header(&delivery, "creem-signature"), hmac(secret.as_bytes(), &delivery.body));
        let event: Value = serde_json::from_slice(&delivery.body).unwrap();
        let signed = format!(
            "{}.{}.{}",
            event["id"].as_str().unwrap(),
            header(&delivery, "webhook-timestamp"),
            String::from_utf8_lossy(&delivery.body)
        );
        assert_eq!(header(&delivery, "webhook-id"), event["id"]);
        assert!(header(&delivery, "webhook-signature").starts_with("v1,"), "{signed}");
        assert!(header(&delivery, "stripe-signature").is_empty());
        assert_eq!(event["created_at"].as_i64().unwrap() % 1_000, 0);
        assert_eq!(event["object"]["metadata"]["userId"], "u1");
        kinds.push(event["eventType"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    let wanted =
        ["checkout.completed", "checkout.completed", "subscription.active", "subscription.paid"];
    assert_eq!(kinds, wanted);
    eventually("all deliveries succeed", || {
        let found = sandbox.api.read("/_stripegym/creem/deliveries")["data"].clone();
        let all = found.as_array().unwrap().clone();
        all.iter().all(|it| it["status"] == "succeeded").then_some(())
    });
}

/// A second press of the button.
fn pay_again(sandbox: &Sandbox, checkout: &str) -> Reply {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let path = format!("/creem/checkout/{checkout}");
    send(sandbox.api.port, "POST", &path, &headers, b"email=x").unwrap()
}

#[test]
fn a_subscription_outlives_a_restart_and_is_renewed_by_the_clock() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--creem-webhook", "http://127.0.0.1:9/hook"]);
    let checkout = id(&post(&sandbox, "/v1/checkouts", &json!({"product_id": product(&sandbox)})));
    let paid = control(&sandbox, &format!("creem/checkouts/{checkout}/pay"), &[]);
    let subscription = id(&paid["subscription"]);
    sandbox.program.interrupt();
    let hook = "http://127.0.0.1:9/hook";
    let sandbox = env.sandbox(&["--creem-webhook", hook, "--creem-secret", "whsec_mine"]);
    let registered = sandbox.api.read("/_stripegym/creem/webhooks")["webhooks"].clone();
    assert_eq!(registered.as_array().unwrap().len(), 1, "once, however often it is started");
    assert_eq!(
        (&registered[0]["url"], &registered[0]["secret"]),
        (&json!(hook), &json!("whsec_mine"))
    );
    let path = format!("/v1/subscriptions?subscription_id={subscription}");
    let before = get(&sandbox, &path);
    assert_eq!(before["status"], "active");
    control(&sandbox, "clock/advance", &[("by", "1 month")]);
    let after = get(&sandbox, &path);
    assert_eq!(after["current_period_start_date"], before["current_period_end_date"]);
    let failing = format!("creem/subscriptions/{subscription}/renew");
    assert_eq!(control(&sandbox, &failing, &[("ok", "false")])["status"], "past_due");
    assert_eq!(control(&sandbox, &failing, &[])["status"], "active");
    let found = get(&sandbox, "/v1/transactions/search?page_size=2");
    assert_eq!(found["pagination"]["total_records"], 4, "{found}");
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_portal_link_lets_its_customer_cancel_and_nobody_else() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let bought = |email: &str| {
        let sent = json!({"product_id": product(&sandbox), "customer": {"email": email}});
        let checkout = id(&post(&sandbox, "/v1/checkouts", &sent));
        control(&sandbox, &format!("creem/checkouts/{checkout}/pay"), &[])
    };
    let (own, other) = (bought("jenny@example.com"), bought("aki@example.com"));
    let link =
        post(&sandbox, "/v1/customers/billing", &json!({"customer_id": own["customer"]["id"]}));
    let link = link["customer_portal_link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&sandbox.url).unwrap().to_owned();
    let page = send(sandbox.api.port, "GET", &path, &[], b"").unwrap().text();
    let (mine, theirs) = (id(&own["subscription"]), id(&other["subscription"]));
    assert!(page.contains(&mine) && !page.contains(&theirs), "{page}");
    let press = |subscription: &str, act: &str| {
        let token = hidden(&page, "token");
        let form = encode(&[("token", &token), ("subscription", subscription), ("act", act)]);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        send(sandbox.api.port, "POST", &path, &headers, form.as_bytes()).unwrap()
    };
    let status = |subscription: &str| {
        get(&sandbox, &format!("/v1/subscriptions?subscription_id={subscription}"))["status"]
            .clone()
    };
    press(&theirs, "cancel");
    assert_eq!(status(&theirs), "active");
    assert_eq!(press(&mine, "cancel").status, 303);
    assert_eq!(status(&mine), "scheduled_cancel");
    press(&mine, "resume");
    assert_eq!(status(&mine), "active");
    let nobody = send(sandbox.api.port, "GET", "/creem/portal/portal_none", &[], b"").unwrap();
    assert_eq!(nobody.status, 404);
}
