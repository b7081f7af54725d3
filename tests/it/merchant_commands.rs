//! The merchant's commands: each against the sandbox, as a table and as JSON, and all that they need of a server is
//! what Stripe has.

use crate::env::{Env, KEY, Sandbox, eventually};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const PLANS: &str = r#"
[[product]]
id = "api"
name = "API"

[[product.price]]
lookup_key = "api_monthly"
unit_amount = 980
currency = "jpy"
interval = "month"

[[product.price]]
lookup_key = "api_yearly"
unit_amount = 9800
currency = "jpy"
interval = "year"

[[product]]
id = "credits"
name = "Credits"
description = "A hundred calls"

[[product.price]]
lookup_key = "credits_100"
unit_amount = 500
currency = "jpy"
"#;

fn world() -> (Env, Sandbox) {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    let sandbox = env.sandbox(&[]);
    fs::write(env.path().join("plans.toml"), PLANS).unwrap();
    (env, sandbox)
}

/// What a command answers: its JSON, after its text was looked at, which says the same words.
fn asked(env: &Env, words: &str) -> Value {
    let mut args: Vec<&str> = words.split(' ').collect();
    args.push("--json");
    serde_json::from_str(&env.ok(&args)).unwrap()
}

fn text(env: &Env, words: &str) -> String {
    let out = env.ok(&words.split(' ').collect::<Vec<_>>());
    for line in out.lines() {
        let wide = unicode_width::UnicodeWidthStr::width(line);
        assert!(wide <= 80 || line.contains("://") || line.contains("_secret_"), "{wide}: {line}");
    }
    out
}

/// What a command that is refused says, and that the exit code says so too.
fn refused(env: &Env, words: &str) -> String {
    let ran = env.run(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.code, 3, "{words}: {}\n{}", ran.out, ran.err);
    ran.err
}

fn id<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

#[test]
fn customers_are_made_shown_changed_and_deleted() {
    let (env, _sandbox) = world();
    let none = refused(&env, "customer show");
    assert!(
        none.contains("There is no customer") && none.contains("next: stripegym customer create"),
        "{none}"
    );
    assert_eq!(text(&env, "customer list").trim(), "There is none.");
    let made = asked(
        &env,
        "customer create --email aki@example.com --name Aki --metadata plan=gold --card 4242424242424242",
    );
    let aki = id(&made, "customer");
    assert!(id(&made, "default_payment_method").starts_with("pm_"), "{made}");
    assert_eq!((&made["metadata"], &made["currency"]), (&json!({"plan": "gold"}), &Value::Null));
    asked(&env, "customer create --email ben@example.com");
    let first = asked(&env, "customer list --limit 1");
    assert_eq!(
        (&first["data"][0]["email"], &first["has_more"]),
        (&json!("ben@example.com"), &json!(true))
    );
    let ben = id(&first["data"][0], "customer");
    assert!(text(&env, "customer list --limit 1").contains(&format!("--after {ben}")));
    let rest = asked(&env, &format!("customer list --after {ben}"));
    assert_eq!(
        (&rest["data"][0]["customer"], rest["data"].as_array().unwrap().len()),
        (&json!(aki), 1)
    );
    assert_eq!(asked(&env, "customer list --email aki@example.com")["data"][0]["name"], "Aki");
    let table = text(&env, "customer list");
    assert!(table.contains("ben@example.com") && table.contains(aki), "{table}");
    assert_eq!(asked(&env, "customer show")["customer"], ben, "the newest");
    let changed =
        asked(&env, &format!("customer update {aki} --name Akiko --metadata plan=silver"));
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Akiko"), &json!("aki@example.com")));
    assert!(text(&env, &format!("customer show {aki}")).contains("plan=silver"));
    assert_eq!(
        asked(&env, &format!("customer delete {ben}")),
        json!({"customer": ben, "deleted": true})
    );
    let gone = refused(&env, "customer show cus_nobody");
    assert!(
        gone.contains("No such customer: 'cus_nobody'")
            && gone.contains("next: stripegym customer list"),
        "{gone}"
    );
    let spoken = env.run(&["customer", "show", "cus_nobody", "--lang", "ja", "--json"]);
    let error: Value = serde_json::from_str(&spoken.err).unwrap();
    assert_eq!(error["error"]["next"][0], "stripegym customer list", "{error}");
}

#[test]
fn plans_become_those_of_a_file_and_a_second_run_changes_nothing() {
    let (env, sandbox) = world();
    let changes = |env: &Env| {
        let rows = asked(env, "plan sync plans.toml");
        let rows = rows["data"].as_array().unwrap().clone();
        rows.iter().map(|row| id(row, "change").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(changes(&env), ["created", "created", "created"]);
    let events = |sandbox: &Sandbox| {
        sandbox.api.read("/v1/events?limit=100")["data"].as_array().unwrap().len()
    };
    let before = events(&sandbox);
    assert_eq!(changes(&env), ["unchanged", "unchanged", "unchanged"]);
    assert_eq!(events(&sandbox), before, "nothing was written");
    let listed = asked(&env, "plan list");
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    let old = asked(&env, "plan list --lookup-key api_monthly")["data"][0].clone();
    assert_eq!(
        (&old["name"], &old["amount"], &old["interval"]),
        (&json!("API"), &json!(980), &json!("month"))
    );
    let dearer = PLANS.replace("= 980\n", "= 1280\n").replace("\"Credits\"", "\"Call credits\"");
    fs::write(env.path().join("plans.toml"), dearer).unwrap();
    let table = text(&env, "plan sync plans.toml");
    assert!(table.contains("changed") && table.contains("¥1,280"), "{table}");
    assert_eq!(changes(&env), ["unchanged", "unchanged", "unchanged"]);
    let new = asked(&env, "plan list --lookup-key api_monthly")["data"][0].clone();
    assert!(new["price"] != old["price"] && new["amount"] == 1280, "{new}");
    assert_eq!(sandbox.api.read(&format!("/v1/prices/{}", id(&old, "price")))["active"], false);
    let credits = asked(&env, "plan list --lookup-key credits_100")["data"][0].clone();
    assert_eq!(credits["name"], "Call credits");
    for (wrong, says) in [
        ("[[product]]\nid = 1\n", "string"),
        (&PLANS.replace("\"api_yearly\"", "\"api_monthly\""), "twice"),
        (&PLANS.replace("\"jpy\"", "\"yen\""), "yen"),
        (&PLANS.replace("interval =", "intervall ="), "intervall"),
    ] {
        fs::write(env.path().join("wrong.toml"), wrong).unwrap();
        let ran = env.run(&["plan", "sync", "wrong.toml"]);
        assert!(ran.code == 4 && ran.err.contains(says), "{}", ran.err);
        assert!(ran.err.contains("next: stripegym plan sync --help"), "{}", ran.err);
    }
    assert!(refused(&env, "plan sync nowhere.toml").contains("nowhere.toml"));
}

#[test]
fn a_subscription_is_begun_changed_paused_resumed_and_cancelled() {
    let (env, sandbox) = world();
    asked(&env, "plan sync plans.toml");
    let made = asked(&env, "customer create --email aki@example.com --card pm_card_visa");
    let aki = id(&made, "customer").to_owned();
    let begun = asked(&env, "subscribe --lookup-key api_monthly");
    assert_eq!(
        (&begun["status"], &begun["amount"], &begun["customer"]),
        (&json!("active"), &json!(980), &json!(aki))
    );
    let sub = id(&begun, "subscription").to_owned();
    assert!(text(&env, "subscription list").contains(&sub));
    let price = asked(&env, "plan list --lookup-key api_yearly")["data"][0]["price"].clone();
    let changed = asked(
        &env,
        &format!(
            "subscription change {sub} --price {} --quantity 2 --proration-behavior none",
            price.as_str().unwrap()
        ),
    );
    assert_eq!(
        (&changed["price"], &changed["quantity"], &changed["interval"]),
        (&price, &json!(2), &json!("year"))
    );
    let paused = asked(&env, &format!("subscription pause {sub} --resumes-at 30d"));
    assert_eq!(paused["paused"], "void");
    assert!(paused["resumes_at"].is_i64(), "{paused}");
    let resumed = asked(&env, &format!("subscription resume {sub}"));
    assert_eq!((&resumed["paused"], &resumed["status"]), (&Value::Null, &json!("active")));
    let ending = asked(&env, &format!("subscription cancel {sub}"));
    assert_eq!(
        (&ending["cancel_at_period_end"], &ending["status"]),
        (&json!(true), &json!("active"))
    );
    assert_eq!(asked(&env, &format!("subscription resume {sub}"))["cancel_at_period_end"], false);
    let nothing = refused(&env, &format!("subscription resume {sub}"));
    assert!(nothing.contains(&format!("next: stripegym subscription show {sub}")), "{nothing}");
    assert_eq!(asked(&env, &format!("subscription cancel {sub} --now"))["status"], "canceled");
    assert_eq!(asked(&env, "subscription list")["data"], json!([]));
    assert_eq!(
        asked(&env, &format!("subscription list --status all --customer {aki}"))["data"][0]["subscription"],
        sub
    );
    assert!(text(&env, "subscription show").contains("canceled"));
    sandbox.api.make("/v1/coupons", &[("id", "HALF"), ("percent_off", "50"), ("duration", "once")]);
    let half = asked(&env, "subscribe --lookup-key api_monthly --coupon HALF --quantity 3");
    let invoice = asked(&env, &format!("invoice show {}", id(&half, "latest_invoice")));
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&json!(1470), &json!("paid")),
        "{invoice}"
    );
    let trial = asked(&env, "subscribe --lookup-key api_monthly --trial 14");
    assert_eq!(trial["status"], "trialing");
    assert!(trial["trial_end"].is_i64());
}

#[test]
fn a_first_invoice_is_left_to_be_paid_or_paid_at_once_or_not_at_all() {
    let (env, _sandbox) = world();
    asked(&env, "plan sync plans.toml");
    asked(&env, "customer create --email aki@example.com");
    let open =
        asked(&env, "subscribe --lookup-key api_monthly --payment-behavior default_incomplete");
    assert_eq!(open["status"], "incomplete");
    assert!(id(&open, "client_secret").contains("_secret_"), "{open}");
    let invoice = id(&open, "latest_invoice").to_owned();
    let listed = asked(
        &env,
        &format!("invoice list --subscription {} --status open", id(&open, "subscription")),
    );
    assert_eq!(
        (&listed["data"][0]["invoice"], &listed["data"][0]["total"]),
        (&json!(invoice), &json!(980))
    );
    assert!(text(&env, "invoice list").contains("¥980"));
    let no = refused(&env, &format!("invoice pay {invoice} --card decline"));
    assert!(no.contains("(402)") && no.contains("next: stripegym cards"), "{no}");
    let paid = asked(&env, &format!("invoice pay {invoice} --card 5555555555554444"));
    assert_eq!((&paid["status"], &paid["amount_remaining"]), (&json!("paid"), &json!(0)));
    assert_eq!(asked(&env, "subscription show")["status"], "active");
    let twice = refused(&env, &format!("invoice pay {invoice}"));
    assert!(
        twice.contains("already paid")
            && twice.contains(&format!("next: stripegym invoice show {invoice}")),
        "{twice}"
    );
    let declined = refused(&env, "subscribe --lookup-key api_monthly --card 4000000000000341");
    assert!(declined.contains("next: stripegym cards"), "{declined}");
    let unknown = refused(&env, "subscribe --lookup-key nothing");
    assert!(
        unknown.contains("lookup_key=nothing") && unknown.contains("next: stripegym plan list"),
        "{unknown}"
    );
    let wrong = refused(&env, "subscribe --price price_nothing");
    assert!(
        wrong.contains("No such price") && wrong.contains("next: stripegym plan list"),
        "{wrong}"
    );
    assert!(refused(&env, "invoice show in_nothing").contains("next: stripegym invoice list"));
}

#[test]
fn a_payment_is_made_confirmed_captured_and_cancelled() {
    let (env, _sandbox) = world();
    let held = asked(&env, "pay create --amount 1200 --capture-method manual");
    assert_eq!(held["status"], "requires_payment_method");
    let payment = id(&held, "payment_intent").to_owned();
    let no = refused(&env, &format!("pay confirm {payment} --card 4000000000009995"));
    assert!(no.contains("insufficient funds") && no.contains("next: stripegym cards"), "{no}");
    let held = asked(&env, &format!("pay confirm {payment} --card 4242424242424242"));
    assert_eq!(
        (&held["status"], &held["amount_capturable"]),
        (&json!("requires_capture"), &json!(1200))
    );
    let taken = asked(&env, &format!("pay capture {payment} --amount 700"));
    assert_eq!((&taken["status"], &taken["amount_received"]), (&json!("succeeded"), &json!(700)));
    let late = refused(&env, &format!("pay cancel {payment}"));
    assert!(
        late.contains("succeeded") && late.contains(&format!("next: stripegym pay show {payment}")),
        "{late}"
    );
    let asks = asked(&env, "pay create --card 3ds --confirm");
    assert_eq!(
        (&asks["status"], &asks["next_action"]),
        (&json!("requires_action"), &json!("use_stripe_sdk"))
    );
    let left =
        asked(&env, &format!("pay cancel {} --reason abandoned", id(&asks, "payment_intent")));
    assert_eq!(
        (&left["status"], &left["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    assert!(text(&env, "pay show").contains("canceled"));
    let table = text(&env, "pay list");
    assert!(table.contains(&payment) && table.contains("¥1,200"), "{table}");
    assert_eq!(asked(&env, "pay list --limit 1")["has_more"], true);
    let dollars = text(&env, "pay create --amount 1999 --currency USD");
    assert!(dollars.contains("$19.99"), "{dollars}");
    let raw = env.run(&["pay", "create", "--card", "4111111111111111"]);
    assert!(
        raw.code == 2 && !format!("{}{}", raw.out, raw.err).contains("41111111"),
        "{}",
        raw.err
    );
}

#[test]
fn cards_are_kept_without_a_charge_chosen_and_removed_one_by_one() {
    let (env, _sandbox) = world();
    let made = asked(&env, "customer create --email aki@example.com");
    let aki = id(&made, "customer");
    let first = asked(&env, "card add");
    assert_eq!((&first["status"], &first["customer"]), (&json!("succeeded"), &json!(aki)));
    let second = asked(&env, &format!("card add {aki} --card pm_card_mastercard"));
    let method = id(&second, "payment_method");
    assert_eq!(asked(&env, "card list")["data"].as_array().unwrap().len(), 2);
    assert!(text(&env, "card list").contains("mastercard"));
    assert_eq!(
        asked(&env, &format!("card default {aki} {method}"))["default_payment_method"],
        method
    );
    let no = refused(&env, "card add --card decline");
    assert!(no.contains("declined") && no.contains("next: stripegym cards"), "{no}");
    let gone = asked(&env, &format!("card remove {}", id(&first, "payment_method")));
    assert_eq!((&gone["last4"], &gone["customer"]), (&json!("4242"), &Value::Null));
    assert_eq!(asked(&env, "card list")["data"].as_array().unwrap().len(), 1);
    let paid = asked(&env, "card charge --amount 700 --card pm_card_jcb");
    assert_eq!((&paid["status"], &paid["amount"]), (&json!("succeeded"), &json!(700)));
    assert!(
        asked(&env, "pay list")["data"].as_array().unwrap().len() == 1,
        "keeping charges nothing"
    );
}

#[test]
fn a_portal_is_opened_for_one_customer_at_the_page_that_is_wanted() {
    let (env, sandbox) = world();
    asked(&env, "plan sync plans.toml");
    let made = asked(&env, "customer create --card pm_card_visa");
    let aki = id(&made, "customer").to_owned();
    let sub = asked(&env, "subscribe --lookup-key api_monthly");
    let sub = id(&sub, "subscription");
    sandbox.api.make(
        "/v1/billing_portal/configurations",
        &[
            ("features[payment_method_update][enabled]", "true"),
            ("features[subscription_cancel][enabled]", "true"),
        ],
    );
    let whole =
        asked(&env, &format!("portal --customer {aki} --return-url http://127.0.0.1:4242/mypage"));
    assert_eq!((&whole["customer"], &whole["flow"]), (&json!(aki), &Value::Null));
    assert_eq!(whole["return_url"], "http://127.0.0.1:4242/mypage");
    let cancel = asked(
        &env,
        &format!("portal --customer {aki} --flow subscription_cancel --subscription {sub}"),
    );
    assert_eq!(cancel["flow"], "subscription_cancel");
    assert!(
        text(&env, &format!("portal --customer {aki} --flow payment_method_update"))
            .contains("http://")
    );
    assert_eq!(env.run(&["portal"]).code, 2, "a portal is somebody's");
    assert_eq!(env.run(&["portal", "--customer", &aki, "--flow", "buy"]).code, 2);
    assert!(
        refused(&env, "portal --customer cus_nobody").contains("next: stripegym customer list")
    );
}

#[test]
fn refunds_name_their_reason_and_disputes_are_listed() {
    let (env, _sandbox) = world();
    assert_eq!(text(&env, "dispute list").trim(), "There is none.");
    let paid = asked(&env, "pay create --amount 900 --card 4242424242424242 --confirm");
    let payment = id(&paid, "payment_intent");
    let part = asked(
        &env,
        &format!("refund --payment {payment} --amount 200 --reason requested_by_customer"),
    );
    assert_eq!((&part["amount"], &part["reason"]), (&json!(200), &json!("requested_by_customer")));
    assert_eq!(part["payment_intent"], payment);
    // Typed twice under one key it is one refund.
    let once = format!("refund {payment} --amount 100 --idempotency order-7");
    let first = asked(&env, &once);
    assert_eq!(id(&asked(&env, &once), "refund"), id(&first, "refund"));
    assert_eq!(asked(&env, &format!("refund {payment}"))["amount"], 600);
    let twice = refused(&env, &format!("refund {payment}"));
    assert!(twice.contains("already been refunded"), "{twice}");
    assert_eq!(env.run(&["refund"]).code, 2);
    assert_eq!(env.run(&["refund", payment, "--payment", payment]).code, 2);
    assert!(refused(&env, "refund pi_nothing").contains("next: stripegym pay list"));
    let paid = asked(&env, "pay create --amount 800 --card 4000000000000259 --confirm");
    let listed =
        asked(&env, &format!("dispute list --payment-intent {}", id(&paid, "payment_intent")));
    assert_eq!(
        (&listed["data"][0]["amount"], &listed["data"][0]["status"]),
        (&json!(800), &json!("needs_response"))
    );
    assert!(text(&env, "dispute list").contains("¥800"));
    assert!(text(&env, "dispute evidence winning_evidence").contains("has_evidence"));
}

#[test]
fn a_price_that_a_run_left_on_sale_is_archived_by_the_next() {
    let (env, sandbox) = world();
    asked(&env, "plan sync plans.toml");
    let api = &sandbox.api;
    let old = api.read("/v1/prices?lookup_keys[]=api_monthly")["data"][0].clone();
    // As far as a run comes that replaces a price and is ended before it archives the old one.
    let path = format!("/v1/prices/{}", id(&old, "id"));
    api.make(&path, &[("metadata[stripegym_replaced]", "api_monthly")]);
    let product = id(&old, "product");
    let form = [
        ("product", product),
        ("currency", "jpy"),
        ("unit_amount", "1280"),
        ("recurring[interval]", "month"),
        ("lookup_key", "api_monthly"),
        ("transfer_lookup_key", "true"),
    ];
    let new = api.make("/v1/prices", &form);
    fs::write(env.path().join("plans.toml"), PLANS.replace("= 980", "= 1280")).unwrap();
    let rows = asked(&env, "plan sync plans.toml");
    let row = rows["data"].as_array().unwrap().iter().find(|it| it["lookup_key"] == "api_monthly");
    assert_eq!(row.unwrap()["price"], new["id"], "{rows}");
    assert_eq!(api.read(&path)["active"], false, "what was left on sale is not any more");
    let again = asked(&env, "plan sync plans.toml");
    let all = again["data"].as_array().unwrap();
    assert!(all.iter().all(|it| it["change"] == "unchanged"), "{again}");
    // A run that is not ended marks and archives by itself.
    fs::write(env.path().join("plans.toml"), PLANS.replace("= 980", "= 1480")).unwrap();
    asked(&env, "plan sync plans.toml");
    let active = api.read(&format!("/v1/prices?product={product}&active=true"));
    assert_eq!(active["data"].as_array().unwrap().len(), 2, "one a key: {active}");
}

#[test]
fn every_command_explains_itself_in_both_languages_within_eighty_columns() {
    let env = Env::new();
    for words in
        ["customer create", "pay", "pay create", "subscribe", "subscription", "plan sync", "portal"]
    {
        for lang in ["en", "ja"] {
            let mut args: Vec<&str> = words.split(' ').collect();
            args.extend(["--help", "--lang", lang]);
            let help = env.ok(&args);
            assert_eq!(help.contains("使い方"), lang == "ja", "{help}");
            for line in help.lines() {
                let wide = unicode_width::UnicodeWidthStr::width(line);
                assert!(wide <= 80, "{words} {lang} {wide}: {line}");
            }
        }
    }
}

/// Hands every byte to the server behind it, and keeps what clients say.
fn overheard(port: u16) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let said = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&said);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let all = Arc::clone(&all);
            thread::spawn(move || pour(from, to, Some(&all)));
            thread::spawn(move || pour(server, client, None));
        }
    });
    (url, said)
}

fn pour(mut from: TcpStream, mut to: TcpStream, kept: Option<&Mutex<Vec<u8>>>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if let Some(kept) = kept {
            kept.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    // The other side may be gone already.
    drop(to.shutdown(Shutdown::Write));
}

#[test]
fn a_server_that_speaks_only_stripe_is_all_that_they_need() {
    let theirs = Env::new();
    let sandbox = theirs.sandbox(&["--ephemeral"]);
    let (url, said) = overheard(sandbox.api.port);
    let env = Env::new()
        .with("STRIPEGYM_LANG", "en")
        .with("STRIPEGYM_MODE", "stripe")
        .with("STRIPE_SECRET_KEY", KEY)
        .with("STRIPE_API_BASE", &url);
    fs::write(env.path().join("plans.toml"), PLANS).unwrap();
    let control = sandbox.api.with("Stripegym-Control", "1");
    let rule = [("on", "POST /v1/customers"), ("answer", "500"), ("times", "2")];
    control.make("/_stripegym/faults", &rule);
    let made = asked(&env, "customer create --email aki@example.com --card pm_card_visa");
    let aki = id(&made, "customer").to_owned();
    assert_eq!(
        asked(&env, "customer list")["data"].as_array().unwrap().len(),
        1,
        "tried again under one key"
    );
    asked(&env, "plan sync plans.toml");
    let sub = asked(&env, "subscribe --lookup-key api_monthly");
    let sub = id(&sub, "subscription").to_owned();
    asked(&env, "card add");
    let page = asked(&env, "setup");
    assert!(page["status"] == "open" && id(&page, "url").starts_with("http"), "{page}");
    let paid = asked(&env, "pay create --card pm_card_visa --confirm");
    asked(&env, "pay create --amount 800 --card pm_card_createDispute --confirm");
    let payment = id(&paid, "payment_intent");
    for words in [
        format!("refund --payment {payment} --reason duplicate"),
        format!("customer update {aki} --name Aki"),
        format!("subscription pause {sub}"),
        format!("subscription resume {sub}"),
        format!("subscription change {sub} --quantity 2"),
        format!("portal --customer {aki}"),
        format!("subscription cancel {sub} --now"),
        format!("customer delete {aki}"),
    ] {
        asked(&env, &words);
    }
    for words in [
        "pay list",
        "pay show",
        "subscription list",
        "invoice list",
        "invoice show",
        "dispute list",
        "dispute show",
        "dispute submit",
        "plan list",
    ] {
        asked(&env, words);
    }
    let said = String::from_utf8_lossy(&said.lock().unwrap()).into_owned();
    assert!(
        said.contains("POST /v1/subscriptions ") && said.contains("/v1/disputes/"),
        "the ear hears"
    );
    let own = said.find("/_stripegym").map(|at| said.split_at(at.saturating_sub(200)).1);
    let own = own.map(|text| text.chars().take(400).collect::<String>());
    assert_eq!(own, None, "nothing but Stripe's own paths is called");
    assert!(!said.contains("4242424242424242"), "no number of a card is sent");
}

/// What was sold by command is in the books: two periods, what went back, what is disputed, what it cost.
#[test]
fn ledger_and_comparison_know_subscriptions_refunds_disputes_and_fees() {
    let (env, sandbox) = world();
    asked(&env, "plan sync plans.toml");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let at = |days_ago: u64| (now - days_ago * 86_400).to_string();
    let clock = sandbox.api.make("/v1/test_helpers/test_clocks", &[("frozen_time", &at(40))]);
    let clock = id(&clock, "id");
    let made = asked(&env, &format!("customer create --test-clock {clock} --card pm_card_visa"));
    asked(&env, &format!("subscribe {} --lookup-key api_monthly", id(&made, "customer")));
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    sandbox.api.make(&format!("{path}/advance"), &[("frozen_time", &at(5))]);
    eventually("the clock stands where it was put", || {
        (sandbox.api.read(&path)["status"] == "ready").then_some(())
    });
    let paid = asked(&env, "invoice list --status paid");
    assert_eq!(paid["data"].as_array().unwrap().len(), 2, "the second period: {paid}");
    asked(&env, "customer create --card pm_card_visa");
    let paid = asked(&env, "card charge --amount 1000");
    asked(&env, &format!("refund {} --amount 300", id(&paid, "payment_intent")));
    asked(&env, "pay create --amount 800 --card pm_card_createDispute --confirm");
    env.ok(&["catch-up", "--since", "60d"]);
    let compared = asked(&env, "reconcile");
    for row in compared["money"].as_array().unwrap() {
        assert_eq!(row["ledger"], row["provider"], "{compared}");
    }
    for (kind, count) in compared["counts"].as_object().unwrap() {
        assert_eq!(count == 0, kind != "MATCH", "{kind}: {compared}");
    }
    // Two periods and two payments, one of them with its refund, and a dispute.
    assert_eq!(compared["rows"].as_array().unwrap().len(), 5, "{compared}");
    let balance = asked(&env, "ledger balance");
    let of = |account: &str| {
        let mut rows = balance["rows"].as_array().unwrap().iter();
        rows.find(|row| row["account"] == account).map(|row| row["amount"].as_i64().unwrap())
    };
    assert_eq!(of("revenue"), Some(-(2 * 980 + 1000 + 800)), "{balance}");
    assert_eq!((of("refunds"), of("disputes")), (Some(300), Some(800)), "{balance}");
    assert!(of("fees").is_some_and(|fees| fees > 0), "{balance}");
}

#[test]
fn a_row_of_the_ledger_says_what_a_dispute_holds_of_it() {
    let (env, _sandbox) = world();
    for (amount, card) in [("800", "4000000000000259"), ("900", "4242424242424242")] {
        env.ok(&["checkout", "--amount", amount, "--pay", card]);
    }
    env.ok(&["catch-up", "--since", "1d"]);
    let shown = asked(&env, "ledger show");
    let row = |amount: i64| {
        let rows = shown["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["amount"] == amount);
        row.unwrap_or_else(|| panic!("{amount}: {shown}"))
    };
    assert_eq!((&row(800)["disputed"], &row(800)["goods"]), (&json!(800), &json!("hold")));
    assert_eq!((&row(900)["disputed"], &row(900)["goods"]), (&json!(0), &json!("send")));
}
