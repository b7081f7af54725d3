//! What each flag of the four commands promises.

use crate::env::{Env, Running, eventually};
use crate::http::Api;
use crate::shop::{SECRET, completed, deliver, ledger, listen, listen_with};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_listener_ends_by_type_by_number_and_by_time() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut by_type, port) = listen_with(&env, &["--until", "checkout.session.completed"]);
    assert_eq!(deliver(port, &completed("evt_a", "cs_test_a", 500)).unwrap().status, 200);
    assert_eq!(by_type.end(), 0);
    let (mut by_number, port) = listen_with(&env, &["--count", "2"]);
    for id in ["b", "c"] {
        let body = completed(&format!("evt_{id}"), &format!("cs_test_{id}"), 500);
        assert_eq!(deliver(port, &body).unwrap().status, 200);
    }
    assert_eq!(by_number.end(), 0);
    let (mut by_time, _) = listen_with(&env, &["--for", "1s"]);
    assert_eq!(by_time.end(), 0);
    let kept: i64 =
        ledger(&env).query_row("SELECT count(*) FROM ledger", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 3);
}

#[test]
fn a_type_of_event_that_there_is_not_is_refused_with_the_nearest() {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    for (words, meant) in [
        ("listen --for 1s --until checkout.sesion.completed", "checkout.session.completed"),
        ("listen --for 1s --until zz", "invoice.paid"),
        ("events list --type invoice.payed", "invoice.paid"),
        ("events list --type zz", "checkout.session.completed"),
        ("trigger invoice.payed", "Perhaps you meant `invoice.paid`"),
    ] {
        let ran = env.run(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{words}: {}", ran.err);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(meant), "{words}: {}", ran.err);
        assert!(!said.contains("Listening"), "{words}: {}", ran.err);
    }
    env.ok(&["events", "list", "--type", "invoice.*"]);
}

#[test]
fn a_name_that_leads_to_nothing_comes_with_the_command_that_lists_what_there_is() {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    let _sandbox = env.sandbox(&[]);
    for (words, next) in [
        ("pay zzz", "stripegym checkout --no-wait"),
        ("pay capture zzz", "stripegym pay list"),
        ("refund zzz", "stripegym pay list"),
        ("checkout --price zzz --no-wait", "stripegym plan list"),
        ("checkout --lookup-key zzz --no-wait", "stripegym plan list"),
        ("reconcile explain zzz", "stripegym ledger show"),
        ("events show zzz", "stripegym events list"),
        ("deliver zzz", "stripegym events list"),
        ("sign zzz", "stripegym events list"),
        ("customer show zzz", "stripegym customer list"),
        ("subscription cancel zzz", "stripegym subscription list"),
        ("portal --customer zzz", "stripegym customer list"),
    ] {
        let ran = env.run(&words.split(' ').collect::<Vec<_>>());
        assert_ne!(ran.code, 0, "{words}: {}", ran.out);
        assert!(ran.err.contains(&format!("next: {next}")), "{words}: {}", ran.err);
        // What is named can be typed.
        env.ok(&next.split(' ').skip(1).collect::<Vec<_>>());
    }
    let unfit = env.run(&["setup", "--with", "konbini"]);
    assert!(unfit.code == 2 && !unfit.err.contains("konbini"), "{}", unfit.err);
}

#[test]
fn a_dotenv_that_cannot_be_read_is_told_and_never_its_values() {
    for (lang, passed) in [("en", "is not a file"), ("ja", "ファイルではない")] {
        let env = Env::new().with("STRIPEGYM_LANG", lang);
        let path = env.path().join(".env");
        let wide = "STRIPE_SECRET_KEY=sk_test_hidden\n".encode_utf16().flat_map(u16::to_le_bytes);
        std::fs::write(&path, [0xff, 0xfe].into_iter().chain(wide).collect::<Vec<u8>>()).unwrap();
        let ran = env.run(&["status"]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(".env:1") && ran.err.contains("UTF-16"), "{}", ran.err);
        assert!(!ran.err.contains("hidden"), "{}", ran.err);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let ran = env.run(&["status"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains(".env") && ran.err.contains(passed), "{}", ran.err);
    }
}

#[test]
fn a_listener_hands_on_exactly_what_it_received() {
    let (front, back) = (Env::new(), Env::new());
    let (front, back) =
        (front.with("STRIPE_WEBHOOK_SECRET", SECRET), back.with("STRIPE_WEBHOOK_SECRET", SECRET));
    let (_one, _two) = (front.sandbox(&[]), back.sandbox(&[]));
    let (mut behind, behind_port) = listen(&back);
    let to = format!("http://127.0.0.1:{behind_port}/webhook");
    let (_before, port) = listen_with(&front, &["--forward-to", &to]);
    assert_eq!(deliver(port, &completed("evt_on", "cs_test_on", 700)).unwrap().status, 200);
    // The one behind verifies the signature over the raw bytes, so that it books only what is unchanged.
    behind.line_with("evt_on");
    let body: Vec<u8> = ledger(&back)
        .query_row("SELECT body FROM events WHERE id = 'evt_on'", [], |row| row.get(0))
        .unwrap();
    let original: Vec<u8> = ledger(&front)
        .query_row("SELECT body FROM events WHERE id = 'evt_on'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(body, original);
}

#[test]
fn a_listener_tells_the_secret_that_it_was_given() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    let out = env.ok(&["listen", "--port", "0", "--for", "1s", "--print-secret"]);
    let secret = out.lines().find(|line| line.starts_with("whsec_")).unwrap();
    assert!(secret.len() >= 38, "a prefix and 32 characters at least");
}

#[test]
fn a_checkout_carries_what_it_was_told() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let product = sandbox.api.make("/v1/products", &[("name", "Matcha")]);
    let form = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "jpy"),
        ("unit_amount", "1200"),
        ("lookup_key", "matcha"),
    ];
    let price = sandbox.api.make("/v1/prices", &form);
    for by in [["--price", price["id"].as_str().unwrap()], ["--lookup-key", "matcha"]] {
        let made = json(&env.ok(&[
            "checkout",
            by[0],
            by[1],
            "--quantity",
            "3",
            "--metadata",
            "order=42",
            "--email",
            "aki@example.com",
            "--success-url",
            "https://shop.example/ok?id={CHECKOUT_SESSION_ID}",
            "--cancel-url",
            "https://shop.example/back",
            "--no-wait",
            "--json",
        ]));
        let id = made["session"].as_str().unwrap();
        let session = sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
        assert_eq!(session["amount_total"], 3600);
        assert_eq!(session["metadata"]["order"], "42");
        assert_eq!(session["customer_email"], "aki@example.com");
        assert_eq!(session["success_url"], "https://shop.example/ok?id={CHECKOUT_SESSION_ID}");
        assert_eq!(session["cancel_url"], "https://shop.example/back");
    }
}

/// A checkout that waits for its customer, and the id of its session.
fn waiting(env: &Env, api: &Api) -> (Running, String) {
    let checkout = env.start(&["checkout", "--amount", "500", "--json"]);
    let id = eventually("a session is open", || {
        let sessions = api.read("/v1/checkout/sessions?status=open");
        sessions["data"][0]["id"].as_str().map(str::to_owned)
    });
    (checkout, id)
}

#[test]
fn a_checkout_waits_until_it_is_paid_expires_or_is_interrupted() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (mut paid, id) = waiting(&env, &sandbox.api);
    let method =
        sandbox.api.make("/v1/payment_methods", &[("type", "card"), ("card[token]", "tok_visa")]);
    let form = [("payment_method", method["id"].as_str().unwrap()), ("expected_amount", "500")];
    sandbox.api.post(&format!("/v1/payment_pages/{id}/confirm"), &form);
    assert_eq!(paid.end(), 0, "{}", paid.said());
    let (mut expired, id) = waiting(&env, &sandbox.api);
    sandbox.api.make(&format!("/v1/checkout/sessions/{id}/expire"), &[]);
    assert_eq!(expired.end(), 1, "{}", expired.said());
    let (mut interrupted, id) = waiting(&env, &sandbox.api);
    assert_eq!(interrupted.interrupt(), 130, "{}", interrupted.said());
    let session = sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
    assert_eq!(session["status"], "open", "the page can still be paid");
}

#[test]
fn the_ledger_is_shown_by_status_by_session_and_in_three_forms() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut listener, port) = listen(&env);
    for (id, amount) in [("a", 500), ("b", 700)] {
        let body = completed(&format!("evt_{id}"), &format!("cs_test_{id}"), amount);
        assert_eq!(deliver(port, &body).unwrap().status, 200);
    }
    listener.interrupt();
    let rows = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["ledger", "show", "--format", "json"].iter().chain(more).copied().collect();
        json(&env.ok(&arguments))["rows"].as_array().unwrap().len()
    };
    assert_eq!((rows(&[]), rows(&["--limit", "1"])), (2, 1));
    assert_eq!((rows(&["--status", "paid"]), rows(&["--status", "refunded"])), (2, 0));
    assert_eq!(rows(&["--session", "cs_test_b"]), 1);
    assert_eq!((rows(&["--since", "1h"]), rows(&["--since", "2099-01-01"])), (2, 0));
    let csv = env.ok(&["ledger", "show", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let table = env.ok(&["ledger", "show"]);
    assert!(table.contains("¥1,200"), "the total of its currency: {table}");
}
