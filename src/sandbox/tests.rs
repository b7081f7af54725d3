//! The sandbox as a program sees it: over a socket.

use crate::catalog::Catalog;
use crate::domain::time::Timestamp;
use crate::net::outbound::{Patience, Reach, client};
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::behaviour::object::text;
use crate::sandbox::host::{Options, Running, start};
use crate::sandbox::jobs::run_due;
use serde_json::Value;

const KEY: &str = "sk_test_0123456789abcdef";

async fn host() -> Running {
    let clock = Clock::fixed(Timestamp(1_800_000_000));
    let mut options = Options::new(None, clock, Entropy::seeded(7));
    options.addr.set_port(0);
    start(options).await.unwrap()
}

async fn call(running: &Running, method: &str, path: &str, form: &str) -> (u16, Value) {
    let http = client(Reach::of(running.base_url()), Patience::API).unwrap();
    let url = format!("{}{path}", running.base_url());
    let mut request = http.request(method.parse().unwrap(), url).bearer_auth(KEY);
    if method == "POST" {
        request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    if path.starts_with("/v1/") {
        assert_eq!(Catalog::get().check(&body), Vec::<String>::new(), "{method} {path}");
    }
    (status, body)
}

#[tokio::test]
async fn a_customer_is_created_found_expanded_and_listed() {
    let running = host().await;
    let (status, customer) =
        call(&running, "POST", "/v1/customers", "name=Ada&metadata[k]=v").await;
    assert_eq!((status, customer["metadata"]["k"].as_str()), (200, Some("v")));
    let id = customer["id"].as_str().unwrap();
    let form = format!(
        "amount=500&currency=jpy&customer={id}&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card&expand[]=latest_charge.balance_transaction&expand[]=customer"
    );
    let (status, intent) = call(&running, "POST", "/v1/payment_intents", &form).await;
    assert_eq!((status, intent["status"].as_str()), (200, Some("succeeded")), "{intent}");
    assert_eq!(intent["customer"]["name"], "Ada");
    // With capture_method automatic_async the balance transaction follows the charge.
    running.engine().clock().advance(60);
    run_due(&running.engine().default_world()).await;
    let path = format!(
        "/v1/charges/{}?expand[]=balance_transaction",
        text(&intent["latest_charge"], "id")
    );
    let (_, charge) = call(&running, "GET", &path, "").await;
    assert_eq!(charge["balance_transaction"]["net"], 482);
    let (_, list) = call(&running, "GET", "/v1/customers?limit=1", "").await;
    assert_eq!(list["data"][0]["id"], id);
    running.stop().await;
}

#[tokio::test]
async fn an_answer_is_given_again_for_a_day_and_then_forgotten() {
    let running = host().await;
    let http = client(Reach::of(running.base_url()), Patience::API).unwrap();
    let post = async || {
        let url = format!("{}/v1/customers", running.base_url());
        let request = http.post(url).bearer_auth(KEY).header("idempotency-key", "once");
        let response = request.send().await.unwrap();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        (replayed, text(&body, "id").to_owned())
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.0, second.0, &first.1), (false, true, &second.1));
    running.engine().clock().advance(25 * 3600);
    run_due(&running.engine().default_world()).await;
    assert_eq!(running.engine().default_world().read(|view| view.count("_idempotency")), 0);
    let third = post().await;
    assert!(!third.0 && third.1 != first.1);
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_modelled_says_so() {
    let running = host().await;
    let (status, body) = call(&running, "POST", "/v1/quotes", "").await;
    assert_eq!((status, body["error"]["type"].as_str()), (501, Some("api_error")));
    let (_, endpoints) = call(&running, "GET", "/_stripegym/endpoints", "").await;
    let listed = |list: &str, key: &str| endpoints[list].as_array().unwrap().contains(&key.into());
    assert!(listed("modelled", "POST /v1/customers"));
    assert!(listed("not_modelled_yet", "POST /v1/quotes"));
    let (status, body) = call(&running, "GET", "/v1/nothing", "").await;
    assert_eq!(status, 404);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Unrecognized request URL (GET: /v1/nothing).")
    );
    running.stop().await;
}
