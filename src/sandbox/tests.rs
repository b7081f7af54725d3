//! The sandbox as a program sees it: over a socket.

use crate::catalog::Catalog;
use crate::domain::time::Timestamp;
use crate::net::outbound::{Patience, Reach, client};
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::behaviour::document::text;
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
    if path.starts_with("/v2/") {
        request = request.header("stripe-version", "2026-10-28.endive");
    }
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
async fn a_search_counts_all_when_the_count_is_expanded() {
    let running = host().await;
    for _ in 0..3 {
        call(&running, "POST", "/v1/customers", "email=a@example.com").await;
    }
    let search = "/v1/customers/search?query=email:'a@example.com'&limit=1";
    let (status, plain) = call(&running, "GET", search, "").await;
    assert_eq!((status, plain.get("total_count")), (200, None));
    let (_, counted) = call(&running, "GET", &format!("{search}&expand[]=total_count"), "").await;
    assert_eq!((&counted["total_count"], &counted["has_more"]), (&3.into(), &true.into()));
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_modelled_says_so() {
    let running = host().await;
    let (status, body) =
        call(&running, "POST", "/v1/treasury/financial_accounts", "supported_currencies[]=usd")
            .await;
    assert_eq!((status, body["error"]["type"].as_str()), (501, Some("api_error")));
    let (_, endpoints) = call(&running, "GET", "/_stripegym/endpoints", "").await;
    let listed = |list: &str, key: &str| endpoints[list].as_array().unwrap().contains(&key.into());
    assert!(listed("modelled", "POST /v1/customers"));
    assert!(listed("generic", "POST /v1/entitlements/features"));
    assert!(listed("not_modelled_yet", "POST /v1/treasury/financial_accounts"));
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

#[tokio::test]
async fn a_file_is_uploaded_in_parts_and_its_contents_come_back() {
    let running = host().await;
    let http = client(Reach::of(running.base_url()), Patience::API).unwrap();
    let form = b"--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\x00\xff\r\n--xyz--\r\n";
    let post = http.post(format!("{}/v1/files", running.base_url())).bearer_auth(KEY);
    let post = post.header("content-type", "multipart/form-data; boundary=xyz").body(&form[..]);
    let response = post.send().await.unwrap();
    assert_eq!(response.headers()["stripegym-depth"], "generic");
    let file: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!((file["filename"].as_str(), file["size"].as_i64()), (Some("a.png"), Some(6)));
    let get = http.get(file["url"].as_str().unwrap()).bearer_auth(KEY);
    let contents = get.send().await.unwrap();
    assert_eq!(contents.headers()["content-type"], "image/png");
    assert_eq!(contents.bytes().await.unwrap().as_ref(), b"\x89PNG\x00\xff");
    running.stop().await;
}

#[tokio::test]
async fn the_second_version_lists_with_addresses_in_place_of_cursors() {
    let running = host().await;
    let http = client(Reach::of(running.base_url()), Patience::API).unwrap();
    let url = |path: &str| format!("{}{path}", running.base_url());
    for _ in 0..3 {
        let body = r#"{"account_number": "000123456789", "currency": "usd"}"#;
        let post = http.post(url("/v2/core/vault/us_bank_accounts")).bearer_auth(KEY);
        let post = post.header("stripe-version", "2026-10-28.endive");
        let post = post.header("content-type", "application/json").body(body);
        let made: Value =
            serde_json::from_str(&post.send().await.unwrap().text().await.unwrap()).unwrap();
        assert_eq!((made["last4"].as_str(), made["created"].is_string()), (Some("6789"), true));
    }
    let (_, first) = call(&running, "GET", "/v2/core/vault/us_bank_accounts?limit=2", "").await;
    assert_eq!((first["data"].as_array().unwrap().len(), first.get("object")), (2, None));
    let next = first["next_page_url"].as_str().unwrap();
    let (_, rest) = call(&running, "GET", next, "").await;
    assert_eq!(rest["data"].as_array().map(Vec::len), Some(1), "{rest}");
    assert!(rest["next_page_url"].is_null());
    running.stop().await;
}
