//! The sandbox's API as a program in any language meets it: keys, forms, errors, idempotency, lists.

use crate::env::{Env, KEY, Sandbox, eventually};
use crate::http::{Api, Reply, percent, send};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

const VERSION: &str = "2026-10-28.endive";

fn sandbox() -> (Env, Sandbox) {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    (env, sandbox)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|it| text(it, "id").to_owned()).collect()
}

#[test]
fn a_request_without_a_key_or_with_a_broken_one_is_401() {
    let (_env, sandbox) = sandbox();
    let bare = send(sandbox.api.port, "GET", "/v1/customers", &[], b"").unwrap();
    let error = bare.error(401);
    assert!(text(&error, "message").starts_with("You did not provide an API key."), "{error}");
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(bare.header("www-authenticate"), Some("Basic realm=\"Stripe\""));

    let wrong = Api::new(sandbox.api.port, "not_a_key_at_all_here").get("/v1/customers");
    let error = wrong.error(401);
    assert!(text(&error, "message").starts_with("Invalid API Key provided: "), "{error}");
    assert!(!wrong.text().contains("not_a_key_at_all_here"), "the key must be masked: {error}");
    assert!(text(&error, "message").ends_with("here"), "the last four letters stay: {error}");
}

#[test]
fn a_page_s_key_gathers_what_a_secret_key_confirms_once() {
    let (_env, sandbox) = sandbox();
    let page = Api::new(sandbox.api.port, "pk_test_stripegymPage1234");
    let method = page.make("/v1/payment_methods", &[("type", "card"), ("card[token]", "tok_visa")]);
    let form = [("payment_method", text(&method, "id")), ("return_url", "https://example.com/x")];
    let token = page.make("/v1/confirmation_tokens", &form);
    let path = format!("/v1/confirmation_tokens/{}", text(&token, "id"));
    assert_eq!(page.get(&path).status, 403, "a page cannot read it back");
    let shown = sandbox.api.read(&path);
    assert_eq!(shown["payment_method_preview"]["card"]["last4"], "4242");
    let pay = [
        ("amount", "500"),
        ("currency", "jpy"),
        ("automatic_payment_methods[enabled]", "true"),
        ("confirm", "true"),
        ("confirmation_token", text(&token, "id")),
    ];
    let paid = sandbox.api.make("/v1/payment_intents", &pay);
    assert_eq!((&paid["status"], &paid["payment_method"]), (&"succeeded".into(), &method["id"]));
    assert_eq!(sandbox.api.read(&path)["payment_intent"], paid["id"]);
    let error = sandbox.api.post("/v1/payment_intents", &pay).error(400);
    assert_eq!(error["param"], "confirmation_token", "{error}");
}

#[test]
fn a_live_key_is_never_served() {
    let (_env, sandbox) = sandbox();
    let reply = Api::new(sandbox.api.port, "sk_live_51abcdefghijklmnop").get("/v1/customers");
    assert_eq!(reply.status, 401, "{}", reply.text());
}

#[test]
fn basic_authentication_takes_the_key_as_the_user_name() {
    let (_env, sandbox) = sandbox();
    // `sk_test_abcdefgh:` in Base64.
    let headers = [("Authorization", "Basic c2tfdGVzdF9hYmNkZWZnaDo=")];
    let reply = send(sandbox.api.port, "GET", "/v1/customers", &headers, b"").unwrap();
    assert_eq!(reply.ok()["object"], "list");
}

#[test]
fn an_answer_carries_stripes_headers() {
    let (_env, sandbox) = sandbox();
    let reply = sandbox.api.with("Stripe-Version", VERSION).get("/v1/customers");
    assert!(reply.header("request-id").unwrap().starts_with("req_"));
    assert_eq!(reply.header("stripe-version"), Some(VERSION));
    assert!(reply.header("content-type").unwrap().starts_with("application/json"));
    assert!(reply.text().starts_with("{\n  \"object\": \"list\""), "pretty: {}", reply.text());
    let reply = sandbox.api.with("Stripe-Version", "foo").get("/v1/customers");
    assert!(text(&reply.error(400), "message").contains("foo"));
}

#[test]
fn what_a_request_leaves_unsaid_goes_by_its_version() {
    let (_env, sandbox) = sandbox();
    let form = [
        ("amount", "500"),
        ("currency", "usd"),
        ("confirm", "true"),
        ("payment_method", "pm_card_visa"),
    ];
    let ask = |version: &str, more: &[(&str, &str)]| {
        let form = [form.as_slice(), more].concat();
        sandbox.api.with("Stripe-Version", version).post("/v1/payment_intents", &form)
    };
    let back = [("return_url", "https://shop.example")];
    // Only card was offered, and it does not lead away from the page.
    let made = ask("2022-11-15", &[]).ok();
    assert_eq!(made["automatic_payment_methods"], Value::Null);
    let refused = ask("2023-08-16", &[]).error(400);
    assert_eq!(text(&refused, "param"), "return_url");
    for (version, mode) in [
        ("2022-11-15", "automatic"),
        ("2023-10-16", "automatic"),
        ("2024-04-10", "automatic_async"),
        (VERSION, "automatic_async"),
    ] {
        assert_eq!(text(&ask(version, &back).ok(), "capture_method"), mode, "{version}");
    }
    // The charge of before basil has an invoice, and can be asked for it.
    let charge = format!("/v1/charges/{}?expand[]=invoice", text(&made, "latest_charge"));
    let acacia = sandbox.api.with("Stripe-Version", "2025-02-24.acacia").get(&charge);
    assert_eq!(acacia.ok().get("invoice"), Some(&Value::Null));
    sandbox.api.with("Stripe-Version", VERSION).get(&charge).error(400);
}

#[test]
fn a_missing_object_is_404_with_its_documentation() {
    let (_env, sandbox) = sandbox();
    let reply = sandbox.api.get("/v1/customers/cus_nope");
    let error = reply.error(404);
    assert_eq!(text(&error, "message"), "No such customer: 'cus_nope'");
    assert_eq!(text(&error, "code"), "resource_missing");
    assert_eq!(text(&error, "doc_url"), "https://stripe.com/docs/error-codes/resource-missing");
    let request = reply.header("request-id").unwrap();
    assert!(text(&error, "request_log_url").contains(request), "{error}");
}

#[test]
fn an_unknown_path_is_404_and_what_is_not_modelled_says_so() {
    let (_env, sandbox) = sandbox();
    let error = sandbox.api.get("/v1/foo").error(404);
    assert!(text(&error, "message").starts_with("Unrecognized request URL (GET: /v1/foo)."));
    let order = [("amount", "1"), ("product", "climsku_stripegym")];
    let error = sandbox.api.post("/v1/climate/orders", &order).error(501);
    assert!(text(&error, "message").contains("POST /v1/climate/orders"), "{error}");
    assert!(text(&error, "message").contains("(money)"), "{error}");
    assert_eq!(sandbox.api.read("/v1/climate/orders")["data"], json!([]), "there are none");
}

#[test]
fn forms_are_held_against_the_catalog() {
    // Path, form, message, code, param.
    type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c str, &'c str, &'c str);
    let (_env, sandbox) = sandbox();
    let cases: [Case<'_>; 4] = [
        (
            "/v1/customers",
            &[("emial", "a@example.com")],
            "Received unknown parameter: emial",
            "parameter_unknown",
            "emial",
        ),
        (
            "/v1/prices",
            &[("unit_amount", "500"), ("product", "prod_x")],
            "Missing required param: currency.",
            "parameter_missing",
            "currency",
        ),
        (
            "/v1/payment_intents",
            &[("amount", "five"), ("currency", "jpy")],
            "Invalid integer: five",
            "parameter_invalid_integer",
            "amount",
        ),
        (
            "/v1/checkout/sessions",
            &[
                ("mode", "payment"),
                ("success_url", "https://example.com/s"),
                ("line_items[0][price_data][unit_amount]", "500"),
                ("line_items[0][price_data][product_data][name]", "T"),
                ("line_items[0][quantity]", "1"),
            ],
            "Missing required param: line_items[0][price_data][currency].",
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
    ];
    for (path, form, message, code, param) in cases {
        let error = sandbox.api.post(path, form).error(400);
        assert!(text(&error, "message").starts_with(message), "{error}");
        assert_eq!((text(&error, "code"), text(&error, "param")), (code, param), "{error}");
        assert_eq!(text(&error, "type"), "invalid_request_error");
    }
    let error = sandbox.api.post("/v1/checkout/sessions", &[("mode", "gift")]).error(400);
    assert!(text(&error, "message").starts_with("Invalid mode: must be one of "), "{error}");
}

#[test]
fn an_empty_string_clears_and_a_missing_parameter_keeps() {
    let (_env, sandbox) = sandbox();
    let form =
        [("name", "Aki"), ("description", "old"), ("metadata[a]", "1"), ("metadata[b]", "2")];
    let made = sandbox.api.make("/v1/customers", &form);
    let path = format!("/v1/customers/{}", text(&made, "id"));
    let changed = sandbox.api.make(&path, &[("description", ""), ("metadata[a]", "")]);
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(changed["name"], "Aki");
    assert_eq!(changed["metadata"], json!({"b": "2"}));
    let changed = sandbox.api.make(&path, &[("metadata", "")]);
    assert_eq!(changed["metadata"], json!({}));
}

#[test]
fn a_json_body_is_told_what_the_api_takes() {
    let (_env, sandbox) = sandbox();
    let key = format!("Bearer {KEY}");
    let headers = [("Authorization", key.as_str()), ("Content-Type", "application/json")];
    let body = br#"{"email":"a@example.com"}"#;
    let reply = send(sandbox.api.port, "POST", "/v1/customers", &headers, body).unwrap();
    let message = text(&reply.error(400), "message").to_owned();
    assert!(message.contains("application/x-www-form-urlencoded"), "{message}");
}

#[test]
fn metadata_has_limits() {
    let (_env, sandbox) = sandbox();
    let long = "v".repeat(501);
    let error = sandbox.api.post("/v1/customers", &[("metadata[k]", &long)]).error(400);
    let message = text(&error, "message");
    assert!(message.contains("up to 500 characters") && message.contains("501"), "{message}");
    let long = format!("metadata[{}]", "k".repeat(41));
    let error = sandbox.api.post("/v1/customers", &[(&long, "v")]).error(400);
    assert!(text(&error, "message").contains("up to 40 characters"), "{error}");
    let names: Vec<String> = (0..51).map(|number| format!("metadata[k{number}]")).collect();
    let form: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    let error = sandbox.api.post("/v1/customers", &form).error(400);
    assert!(text(&error, "message").contains("50"), "{error}");
    assert_eq!(sandbox.api.make("/v1/customers", &form[..50])["metadata"]["k49"], "v");
}

#[test]
fn amounts_are_whole_minor_units_of_each_currency() {
    let (_env, sandbox) = sandbox();
    let intent = |amount: &str, currency: &str| {
        sandbox.api.post("/v1/payment_intents", &[("amount", amount), ("currency", currency)])
    };
    let error = intent("49", "jpy").error(400);
    assert_eq!(text(&error, "code"), "amount_too_small");
    assert!(text(&error, "message").contains("¥50"), "{error}");
    assert_eq!(intent("50", "jpy").ok()["amount"], 50);
    let error = intent("49", "usd").error(400);
    assert!(text(&error, "message").contains("$0.50"), "{error}");
    assert_eq!(intent("50", "usd").ok()["currency"], "usd");
    assert_eq!(intent("5000", "kwd").ok()["amount"], 5000);
    assert_eq!(intent("5001", "kwd").status, 400, "the last digit of a three-decimal amount is 0");
    let error = intent("500", "xyz").error(400);
    assert!(text(&error, "message").starts_with("Invalid currency: xyz"), "{error}");
}

#[test]
fn the_same_idempotency_key_answers_the_same() {
    let (_env, sandbox) = sandbox();
    let keyed = sandbox.api.with("Idempotency-Key", "order-1");
    let first = keyed.post("/v1/customers", &[("name", "Aki")]);
    let again = keyed.post("/v1/customers", &[("name", "Aki")]);
    assert_eq!(first.ok(), again.ok());
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!(again.header("idempotency-key"), Some("order-1"));
    let error = keyed.post("/v1/customers", &[("name", "Ben")]).error(400);
    assert_eq!(text(&error, "type"), "idempotency_error");
    assert!(text(&error, "message").contains("same parameters"), "{error}");
    let error = keyed.post("/v1/products", &[("name", "Aki")]).error(400);
    assert!(text(&error, "message").contains("same endpoint"), "{error}");
    assert_eq!(ids(&sandbox.api.read("/v1/customers")).len(), 1);
}

#[test]
fn an_answer_that_was_never_worked_on_is_not_kept() {
    let (_env, sandbox) = sandbox();
    let keyed = sandbox.api.with("Idempotency-Key", "order-2");
    assert_eq!(keyed.post("/v1/customers", &[("nmae", "Aki")]).status, 400);
    assert_eq!(keyed.post("/v1/customers", &[("name", "Aki")]).ok()["name"], "Aki");
}

#[test]
fn eight_requests_at_once_with_one_key_make_one_object() {
    let (_env, sandbox) = sandbox();
    let keyed = sandbox.api.with("Idempotency-Key", "order-3");
    let start = Barrier::new(8);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let one = || {
            start.wait();
            keyed.post("/v1/customers", &[("name", "Aki")])
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut made = BTreeSet::new();
    for reply in &replies {
        match reply.status {
            200 => drop(made.insert(text(&reply.json(), "id").to_owned())),
            _ => assert_eq!(text(&reply.error(409), "code"), "idempotency_key_in_use"),
        }
    }
    assert_eq!(made.len(), 1, "{replies:?}");
    assert_eq!(ids(&sandbox.api.read("/v1/customers")).len(), 1);
}

#[test]
fn lists_page_with_cursors_and_filters() {
    let (_env, sandbox) = sandbox();
    let made: Vec<String> = (0..12)
        .map(|number| {
            let name = format!("c{number}");
            text(&sandbox.api.make("/v1/customers", &[("name", &name)]), "id").to_owned()
        })
        .collect();
    let newest: Vec<String> = made.iter().rev().cloned().collect();
    let page = sandbox.api.read("/v1/customers");
    assert_eq!(ids(&page), newest[..10]);
    assert_eq!((&page["has_more"], &page["url"]), (&true.into(), &"/v1/customers".into()));
    let next = sandbox.api.read(&format!("/v1/customers?limit=5&starting_after={}", newest[9]));
    assert_eq!(ids(&next), newest[10..]);
    assert_eq!(next["has_more"], false);
    let back = sandbox.api.read(&format!("/v1/customers?limit=3&ending_before={}", newest[5]));
    assert_eq!(ids(&back), newest[2..5]);
    assert_eq!(back["has_more"], true);
    assert_eq!(ids(&sandbox.api.read("/v1/customers?created[gt]=4000000000")).len(), 0);
    assert_eq!(ids(&sandbox.api.read("/v1/customers?created[gte]=1&limit=100")).len(), 12);
    assert_eq!(ids(&sandbox.api.read("/v1/customers?limit=101")).len(), 12);
    let error = sandbox.api.get("/v1/customers?starting_after=cus_nope").json()["error"].clone();
    assert_eq!(text(&error, "param"), "starting_after");
}

#[test]
fn references_expand_four_deep_and_no_deeper() {
    let (_env, sandbox) = sandbox();
    let paid = sandbox.api.make(
        "/v1/payment_intents",
        &[
            ("amount", "500"),
            ("currency", "jpy"),
            ("confirm", "true"),
            ("payment_method", "pm_card_visa"),
            ("payment_method_types[]", "card"),
            ("expand[]", "latest_charge"),
        ],
    );
    assert_eq!(paid["status"], "succeeded", "{paid}");
    assert_eq!(paid["latest_charge"]["object"], "charge");
    // Capture is asynchronous: the money is booked a moment after the answer.
    let path =
        format!("/v1/charges/{}?expand[]=balance_transaction", text(&paid["latest_charge"], "id"));
    let booked = eventually("the charge is booked", || {
        let charge = sandbox.api.read(&path);
        charge["balance_transaction"].is_object().then_some(charge)
    });
    assert_eq!(booked["balance_transaction"]["fee"], 18, "3.6 % of ¥500");
    let path = "/v1/payment_intents?expand[]=data.latest_charge.payment_intent.payment_method";
    let list = sandbox.api.read(path);
    let inner = &list["data"][0]["latest_charge"]["payment_intent"];
    assert_eq!(inner["payment_method"]["card"]["last4"], "4242");
    let path =
        "/v1/payment_intents?expand[]=data.latest_charge.payment_intent.latest_charge.customer";
    assert_eq!(sandbox.api.get(path).status, 400, "five levels are one too many");
    let path = format!("/v1/payment_intents/{}?expand[]=custmer", text(&paid, "id"));
    let error = sandbox.api.get(&path).error(400);
    assert_eq!(text(&error, "message"), "This property cannot be expanded (custmer).");
}

#[test]
fn a_host_that_is_not_this_machine_is_refused() {
    let (_env, sandbox) = sandbox();
    let key = format!("Bearer {KEY}");
    for host in ["evil.example", "127.0.0.1.evil.example", "api.stripe.com"] {
        let headers = [("Authorization", key.as_str()), ("Host", host)];
        let reply = send(sandbox.api.port, "GET", "/v1/customers", &headers, b"").unwrap();
        assert!((400..500).contains(&reply.status), "{host}: {}", reply.status);
    }
    let host = format!("localhost:{}", sandbox.api.port);
    let headers = [("Authorization", key.as_str()), ("Host", host.as_str())];
    assert_eq!(send(sandbox.api.port, "GET", "/v1/customers", &headers, b"").unwrap().status, 200);
}

#[test]
fn a_body_over_one_mebibyte_is_refused() {
    let (_env, sandbox) = sandbox();
    let long = "x".repeat(1024 * 1024 + 1);
    let reply = sandbox.api.post("/v1/customers", &[("description", &long)]);
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert_eq!(ids(&sandbox.api.read("/v1/customers")).len(), 0);
}

#[test]
fn a_deleted_customer_leaves_a_stub() {
    let (_env, sandbox) = sandbox();
    let made = sandbox.api.make("/v1/customers", &[("email", "aki@example.com")]);
    let id = text(&made, "id");
    let found = |mail: &str| {
        let query = percent(&format!("email:'{mail}'"), b"");
        sandbox.api.read(&format!("/v1/customers/search?query={query}"))["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((found("aki@example.com"), found("ben@example.com")), (1, 0));
    let gone = sandbox.api.delete(&format!("/v1/customers/{id}")).ok();
    assert_eq!(gone, json!({"id": id, "object": "customer", "deleted": true}));
    assert_eq!(sandbox.api.read(&format!("/v1/customers/{id}"))["deleted"], true);
    assert_eq!(found("aki@example.com"), 0);
    assert_eq!(ids(&sandbox.api.read("/v1/customers")).len(), 0);
}

#[test]
fn a_lookup_key_moves_only_when_asked() {
    let (_env, sandbox) = sandbox();
    let product = sandbox.api.make("/v1/products", &[("name", "Tea")]);
    let price = |more: &[(&str, &str)]| {
        let mut form = vec![
            ("currency", "jpy"),
            ("unit_amount", "500"),
            ("product", text(&product, "id")),
            ("lookup_key", "tea"),
        ];
        form.extend_from_slice(more);
        sandbox.api.post("/v1/prices", &form)
    };
    let first = price(&[]).ok();
    let error = price(&[]).error(400);
    assert_eq!(text(&error, "param"), "lookup_key");
    let second = price(&[("transfer_lookup_key", "true")]).ok();
    let list = sandbox.api.read("/v1/prices?lookup_keys[]=tea");
    assert_eq!(ids(&list), [text(&second, "id")]);
    let first = sandbox.api.read(&format!("/v1/prices/{}", text(&first, "id")));
    assert_eq!(first["lookup_key"], Value::Null);
}

#[test]
fn a_parameter_sent_twice_counts_once_and_says_so() {
    let (_env, sandbox) = sandbox();
    let key = format!("Bearer {KEY}");
    let headers =
        [("Authorization", key.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let reply =
        send(sandbox.api.port, "POST", "/v1/customers", &headers, b"name=Aki&name=Ben").unwrap();
    assert_eq!(reply.ok()["name"], "Ben");
    assert!(reply.header("stripe-notice").is_some_and(|it| it.contains("name")), "{reply:?}");
}

#[test]
fn a_browser_at_the_printed_address_meets_a_page_and_no_login_box() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let port = sandbox.url.rsplit(':').next().unwrap().parse().unwrap();
    let home = send(port, "GET", "/", &[("Accept-Language", "ja")], b"").unwrap();
    assert_eq!(home.status, 200, "{}", home.text());
    assert_eq!(home.header("www-authenticate"), None);
    assert!(home.text().contains(&sandbox.url), "{}", home.text());
    let stranger = send(port, "GET", "/v1/charges", &[], b"").unwrap();
    assert_eq!(stranger.status, 401, "the API asks for a key all the same");
}

/// Whoever has no secret of the session is refused, and told nothing that was sent but an id.
fn stays_closed(sandbox: &Sandbox, id: &str, secret: &str) {
    let path = format!("/c/session/{secret}");
    let foreign = [("Origin", "https://shop.example.com")];
    for (path, headers) in [
        (format!("/c/session/{id}"), &[][..]),
        (format!("/c/session/{id}_secret_guess"), &[][..]),
        ("/c/session/sk_test_somebodys0123456789".to_owned(), &[][..]),
        (path.clone(), &foreign[..]),
    ] {
        let refused = send(sandbox.api.port, "GET", &path, headers, b"").unwrap();
        assert_eq!(refused.status, 400, "{path}");
        // The answer repeats an id at most, and no secret that was sent.
        let said = refused.text();
        assert!(!["_secret_", "guess", "sk_test"].iter().any(|it| said.contains(it)), "{said}");
        assert_eq!(said.contains(id), path.contains("_secret_"), "{said}");
    }
    let pay = json!({"pay": {"payment_method": "pm_card_visa", "email": "a@example.com"}});
    let (path, plain) = (format!("{path}x"), [("Content-Type", "text/plain")]);
    let refused =
        send(sandbox.api.port, "POST", &path, &plain, pay.to_string().as_bytes()).unwrap();
    assert!(refused.status == 400 && !refused.text().contains(secret), "{}", refused.text());
}

#[test]
fn a_session_of_the_page_s_own_is_told_to_who_has_its_secret_alone() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let form = [
        ("mode", "payment"),
        ("ui_mode", "elements"),
        ("line_items[0][price_data][currency]", "jpy"),
        ("line_items[0][price_data][unit_amount]", "1200"),
        ("line_items[0][price_data][product_data][name]", "Tea"),
        ("line_items[0][quantity]", "1"),
    ];
    let session = sandbox.api.make("/v1/checkout/sessions", &form);
    let (id, secret) =
        (session["id"].as_str().unwrap(), session["client_secret"].as_str().unwrap());
    let path = format!("/c/session/{secret}");
    let post = |path: &str, body: &Value| {
        send(
            sandbox.api.port,
            "POST",
            path,
            &[("Content-Type", "text/plain")],
            body.to_string().as_bytes(),
        )
        .unwrap()
    };
    let shown = send(sandbox.api.port, "GET", &path, &[], b"").unwrap();
    assert_eq!(shown.header("access-control-allow-origin"), Some("*"));
    let shown = shown.ok();
    assert_eq!(
        (&shown["session"]["amount_total"], &shown["session"]["metadata"]),
        (&1200.into(), &Value::Null)
    );
    stays_closed(&sandbox, id, secret);
    for (odd, status) in [
        (json!({"pay": {"payment_method": "pm_card_visa", "due": 1200}}), 400),
        (
            json!({"pay": {"payment_method": "pm_card_visa", "due": 1, "email": "a@example.com"}}),
            400,
        ),
        (
            json!({"pay": {"payment_method": "pm_card_chargeDeclined", "email": "a@example.com"}}),
            402,
        ),
        (json!({"change": {"quantities": [["li_none", 2]]}}), 400),
        (json!({"change": {"shipping": "shr_none"}}), 400),
        (json!({"change": {"code": "NONE"}}), 400),
        (json!({"steal": {}}), 400),
    ] {
        assert_eq!(post(&path, &odd).status, status, "{odd}");
    }
    let paid =
        json!({"pay": {"payment_method": "pm_card_visa", "due": 1200, "email": "a@example.com"}});
    assert_eq!(post(&path, &paid).ok()["session"]["status"], "complete");
    assert_eq!(post(&path, &paid).status, 400, "what is paid is not paid again");
    let now = sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
    assert_eq!(
        (&now["payment_status"], &now["customer_details"]["email"]),
        (&"paid".into(), &"a@example.com".into())
    );
}

#[test]
fn a_session_of_the_page_s_own_shows_the_cards_that_it_lets_be_shown() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let api = &sandbox.api;
    let customer = api.make("/v1/customers", &[("email", "ann@example.com")]);
    let customer = customer["id"].as_str().unwrap();
    for shown in ["always", "limited", "unspecified"] {
        let card = [("type", "card"), ("card[token]", "tok_visa"), ("allow_redisplay", shown)];
        let card = api.make("/v1/payment_methods", &card);
        let path = format!("/v1/payment_methods/{}/attach", card["id"].as_str().unwrap());
        api.make(&path, &[("customer", customer)]);
    }
    let saved = |filters: &[&str]| {
        let names: Vec<String> = (0..filters.len())
            .map(|at| format!("saved_payment_method_options[allow_redisplay_filters][{at}]"))
            .collect();
        let mut form = vec![
            ("mode", "payment"),
            ("ui_mode", "elements"),
            ("customer", customer),
            ("line_items[0][price_data][currency]", "jpy"),
            ("line_items[0][price_data][unit_amount]", "1200"),
            ("line_items[0][price_data][product_data][name]", "Tea"),
            ("line_items[0][quantity]", "1"),
        ];
        form.extend(names.iter().map(String::as_str).zip(filters.iter().copied()));
        let session = api.make("/v1/checkout/sessions", &form);
        let path = format!("/c/session/{}", session["client_secret"].as_str().unwrap());
        let shown = send(api.port, "GET", &path, &[], b"").unwrap().ok();
        shown["saved"].as_array().unwrap().len()
    };
    assert_eq!([saved(&[]), saved(&["limited"]), saved(&["always", "unspecified"])], [1, 1, 2]);
}
