//! Worlds, keys, accounts and clocks of the sandbox, as programs meet them.

use crate::env::{Env, Sandbox, eventually};
use crate::http::{Api, Reply, send};
use serde_json::{Value, json};

/// A Checkout Session over one tea of ¥500.
const TEA: [(&str, &str); 6] = [
    ("mode", "payment"),
    ("success_url", "http://127.0.0.1:1/done"),
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][currency]", "jpy"),
    ("line_items[0][price_data][unit_amount]", "500"),
    ("line_items[0][price_data][product_data][name]", "Tea"),
];

fn sandbox() -> (Env, Sandbox) {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    (env, sandbox)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

/// Calls a control.
fn control(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("Stripegym-Control", "1"), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(sandbox.api.port, method, path, &headers, body.as_bytes()).unwrap()
}

fn told(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Value {
    control(sandbox, method, path, body).ok()
}

fn bare(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    send(sandbox.api.port, method, path, headers, body.as_bytes()).unwrap()
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn worlds_are_apart_by_path_and_by_key() {
    let (_env, sandbox) = sandbox();
    let one = Api::new(sandbox.api.port, "sk_test_w_one_abc");
    let made = one.make("/v1/customers", &[("name", "One")]);
    let id = text(&made, "id");
    sandbox.api.get(&format!("/v1/customers/{id}")).error(404);
    let by_path = sandbox.api.read(&format!("/worlds/one/v1/customers/{id}"));
    assert_eq!(by_path["name"], "One");
    assert_eq!(one.read(&format!("/worlds/one/v1/customers/{id}"))["id"], made["id"]);
    let form = bare(&sandbox, "POST", "/v1/customers", &[FORM], "name=Two&key=sk_test_w_one_x");
    assert_eq!(form.ok()["name"], "Two");
    // `sk_test_w_one_x:` in Base64.
    let basic = [("Authorization", "Basic c2tfdGVzdF93X29uZV94Og==")];
    let listed = bare(&sandbox, "GET", "/v1/customers", &basic, "").ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    for reply in [
        one.get("/worlds/other/v1/customers"),
        bare(&sandbox, "GET", "/worlds/other/v1/customers?key=sk_test_w_one_x", &[], ""),
    ] {
        let message = text(&reply.error(400), "message").to_owned();
        assert!(message.contains("'other'") && message.contains("'one'"), "{message}");
    }
    sandbox.api.get("/worlds/No_Name/v1/customers").error(400);
}

#[test]
fn a_world_is_made_shown_emptied_and_deleted() {
    let (_env, sandbox) = sandbox();
    let path = "/_stripegym/worlds/shop";
    assert_eq!(control(&sandbox, "GET", path, &Value::Null).status, 404);
    let objects = json!([
        {"object": "customer", "id": "cus_filled", "name": "Aki"},
        {"object": "product", "id": "prod_tea", "name": "Tea", "active": true},
    ]);
    let body = json!({"seed": 7, "now": "2027-01-31T10:00:00Z", "objects": objects});
    let made = told(&sandbox, "POST", path, &body);
    assert_eq!((text(&made, "name"), &made["seed"]), ("shop", &json!(7)));
    assert_eq!(made["now"], 1_801_389_600);
    let filled = sandbox.api.read("/worlds/shop/v1/customers/cus_filled");
    assert_eq!((&filled["name"], &filled["created"]), (&json!("Aki"), &json!(1_801_389_600)));
    assert_eq!(control(&sandbox, "POST", path, &body).status, 409);
    let names = told(&sandbox, "GET", "/_stripegym/worlds", &Value::Null);
    let names: Vec<&str> =
        names["data"].as_array().unwrap().iter().map(|it| text(it, "name")).collect();
    assert_eq!(names, ["default", "shop"]);
    let before = sandbox.api.make("/worlds/shop/v1/customers", &[("name", "x")]);
    told(&sandbox, "POST", &format!("{path}/reset"), &Value::Null);
    sandbox.api.get("/worlds/shop/v1/customers/cus_filled").error(404);
    let after = sandbox.api.make("/worlds/shop/v1/customers", &[("name", "x")]);
    assert_eq!(before["created"], after["created"]);
    told(&sandbox, "DELETE", path, &Value::Null);
    assert_eq!(control(&sandbox, "GET", path, &Value::Null).status, 404);
    assert_eq!(control(&sandbox, "DELETE", "/_stripegym/worlds/default", &Value::Null).status, 400);
}

#[test]
fn what_comes_due_while_a_clock_moves_happens_in_order_and_each_at_its_own_instant() {
    const BEGINS: i64 = 1_796_083_200;
    let (_env, sandbox) = sandbox();
    told(&sandbox, "POST", "/_stripegym/worlds/late", &json!({"now": BEGINS}));
    let api = Api::new(sandbox.api.port, "sk_test_w_late_abc");
    let expire_at = [BEGINS + 7_200, BEGINS + 1_860];
    for at in expire_at {
        let at = at.to_string();
        api.make("/v1/checkout/sessions", &[&TEA[..], &[("expires_at", &at)]].concat());
    }
    // Its funds become available by a job that another job plans.
    let pay = [
        ("amount", "500"),
        ("currency", "jpy"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    api.make("/v1/payment_intents", &pay);
    let advance = "/worlds/late/_stripegym/clock/advance?by=20+days";
    let moved = told(&sandbox, "POST", advance, &Value::Null);
    assert_eq!(moved["now"], BEGINS + 20 * 86_400);
    let events = api.read("/v1/events?limit=100")["data"].as_array().unwrap().clone();
    let created: Vec<i64> = events.iter().map(|it| it["created"].as_i64().unwrap()).collect();
    assert!(created.is_sorted_by(|newer, older| newer >= older), "{created:?}");
    let at = |kind: &str| -> Vec<i64> {
        let of_kind = events.iter().filter(|event| event["type"] == kind);
        of_kind.map(|event| event["created"].as_i64().unwrap()).collect()
    };
    assert_eq!(at("checkout.session.expired"), expire_at);
    let available = at("balance.available")[0];
    let transaction = &api.read("/v1/balance_transactions")["data"][0];
    assert_eq!(transaction["available_on"], available);
    assert!(available > expire_at[0] && available < BEGINS + 20 * 86_400);
}

#[test]
fn a_seeded_world_happens_the_same_way_each_time() {
    let (_env, sandbox) = sandbox();
    let story = |name: &str| {
        let body = json!({"seed": 42, "now": 1_800_000_000});
        told(&sandbox, "POST", &format!("/_stripegym/worlds/{name}"), &body);
        let root = format!("/worlds/{name}");
        let intent = [
            ("amount", "500"),
            ("currency", "jpy"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("payment_method_types[]", "card"),
        ];
        let made = sandbox.api.make(&format!("{root}/v1/payment_intents"), &intent);
        told(
            &sandbox,
            "POST",
            &format!("{root}/_stripegym/clock/advance?by=1+month"),
            &Value::Null,
        );
        let events = sandbox.api.read(&format!("{root}/v1/events?limit=100"));
        let events: Vec<Value> = events["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| json!([event["id"], event["type"], event["created"]]))
            .collect();
        json!([made["id"], made["client_secret"], made["created"], events])
    };
    assert_eq!(story("a"), story("b"));
}

#[test]
fn what_changed_is_told_commit_by_commit() {
    let (_env, sandbox) = sandbox();
    let path = "/_stripegym/worlds/a";
    let since = told(&sandbox, "POST", path, &Value::Null)["commit"].as_u64().unwrap();
    sandbox.api.make("/v1/customers", &[("name", "elsewhere")]);
    let made = sandbox.api.make("/worlds/a/v1/customers", &[("name", "One")]);
    let id = text(&made, "id");
    sandbox.api.make(&format!("/worlds/a/v1/customers/{id}"), &[("name", "Two")]);
    let changes = told(&sandbox, "GET", &format!("{path}/changes?since={since}"), &Value::Null);
    let commits = changes["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 2, "{changes}");
    let of = |at: usize| {
        let all = commits[at]["changes"].as_array().unwrap();
        all.iter().find(|it| it["kind"] == "customer").unwrap().clone()
    };
    assert_eq!((&of(0)["before"], &of(0)["after"]["name"]), (&Value::Null, &json!("One")));
    assert_eq!((&of(1)["before"]["name"], &of(1)["after"]["name"]), (&json!("One"), &json!("Two")));
    assert_eq!(changes["until"], commits[1]["number"]);
    let again =
        told(&sandbox, "GET", &format!("{path}/changes?since={}", changes["until"]), &Value::Null);
    assert_eq!(again["commits"], json!([]));
}

#[test]
fn changes_of_an_earlier_run_are_gone() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&[]);
    sandbox.api.make("/worlds/a/v1/customers", &[("name", "One")]);
    sandbox.program.interrupt();
    let sandbox = env.sandbox(&[]);
    let reply = control(&sandbox, "GET", "/_stripegym/worlds/a/changes?since=0", &Value::Null);
    assert!(text(&reply.error(410), "message").contains("?since="), "{}", reply.text());
}

#[test]
fn pages_stay_in_their_world() {
    let (_env, sandbox) = sandbox();
    let made = sandbox.api.make("/worlds/a/v1/checkout/sessions", &TEA);
    let url = text(&made, "url");
    let path = url.strip_prefix(&sandbox.url).unwrap();
    let path = path.split('#').next().unwrap();
    assert!(path.starts_with("/worlds/a/c/pay/"), "{url}");
    let page = bare(&sandbox, "GET", path, &[], "");
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(html.contains(&format!("action=\"{}", path.split('?').next().unwrap())), "{html}");
    assert!(!html.contains("\"/c/pay/"), "{html}");
    let outside = path.strip_prefix("/worlds/a").unwrap();
    assert_eq!(bare(&sandbox, "GET", outside, &[], "").status, 404);
    let token = html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let typed = format!(
        "token={token}&email=a%40example.com&method=card&number=4000002760003184&expiry=12%2F34&cvc=123&name=Aki"
    );
    let sent = bare(&sandbox, "POST", path, &[FORM], &typed);
    let to = sent.header("location").unwrap_or_else(|| panic!("{}", sent.text())).to_owned();
    assert!(to.starts_with("/worlds/a/3ds/"), "{to}");
    let answer = bare(&sandbox, "GET", &to, &[], "");
    let challenge = answer.text();
    let token =
        challenge.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let failed = bare(&sandbox, "POST", &to, &[FORM], &format!("token={token}&result=fail"));
    assert!(failed.header("location").unwrap().starts_with("/worlds/a/c/pay/"));
}

#[test]
fn links_lead_to_pages_of_their_world() {
    let (_env, sandbox) = sandbox();
    let make =
        |path: &str, form: &[(&str, &str)]| sandbox.api.make(&format!("/worlds/a/v1/{path}"), form);
    let price = make(
        "prices",
        &[("currency", "jpy"), ("unit_amount", "500"), ("product_data[name]", "Tea")],
    );
    let sold = [("line_items[0][price]", text(&price, "id")), ("line_items[0][quantity]", "1")];
    let link = make("payment_links", &sold);
    let account = make("accounts", &[("type", "express"), ("country", "JP")]);
    let onboarding = make(
        "account_links",
        &[
            ("account", text(&account, "id")),
            ("type", "account_onboarding"),
            ("refresh_url", "https://example.com/again"),
            ("return_url", "https://example.com/back"),
        ],
    );
    for (made, status) in [(link, 303), (onboarding, 200)] {
        let path = text(&made, "url").strip_prefix(&sandbox.url).unwrap();
        assert!(path.starts_with("/worlds/a/"), "{path}");
        let reply = bare(&sandbox, "GET", path, &[], "");
        assert_eq!(reply.status, status, "{path}");
        if let Some(to) = reply.header("location") {
            assert!(to.contains("/worlds/a/c/pay/"), "{to}");
        }
        let outside = path.strip_prefix("/worlds/a").unwrap();
        assert_eq!(bare(&sandbox, "GET", outside, &[], "").status, 404, "{outside}");
    }
}

#[test]
fn webhooks_go_out_in_the_time_of_their_world() {
    let (_env, sandbox) = sandbox();
    let body = json!({"seed": 1, "now": "2090-01-01"});
    told(&sandbox, "POST", "/_stripegym/worlds/far", &body);
    let hook = [("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "*")];
    sandbox.api.make("/worlds/far/v1/webhook_endpoints", &hook);
    sandbox.api.make("/worlds/far/v1/customers", &[("name", "One")]);
    let attempts = eventually("an attempt", || {
        let told = told(&sandbox, "GET", "/worlds/far/_stripegym/deliveries", &Value::Null);
        told["data"][0]["attempts"].as_array().filter(|all| !all.is_empty()).cloned()
    });
    assert_eq!(attempts[0]["at"], 3_786_912_000_i64);
}

#[test]
fn a_clock_moves_by_command_and_jobs_run_then() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&[]);
    let body = json!({"now": "2027-01-31T10:00:00Z"});
    told(&sandbox, "POST", "/_stripegym/worlds/a", &body);
    let made = sandbox.api.make("/worlds/a/v1/checkout/sessions", &TEA);
    let moved =
        told(&sandbox, "POST", "/worlds/a/_stripegym/clock/advance?by=1+month", &Value::Null);
    assert_eq!((text(&moved, "at"), text(&moved, "clock")), ("2027-02-28T10:00:00Z", "stands"));
    let session = format!("/worlds/a/v1/checkout/sessions/{}", text(&made, "id"));
    assert_eq!(sandbox.api.read(&session)["status"], "expired");
    let path = "/worlds/a/_stripegym/clock/set?at=2027-03-01";
    assert_eq!(text(&told(&sandbox, "POST", path, &Value::Null), "at"), "2027-03-01T00:00:00Z");
    let back =
        control(&sandbox, "POST", "/worlds/a/_stripegym/clock/set?at=2027-01-01", &Value::Null);
    assert!(text(&back.error(400), "message").contains("forward"));
    let default = told(&sandbox, "GET", "/_stripegym/clock", &Value::Null);
    assert_eq!(text(&default, "clock"), "runs");
    sandbox.program.interrupt();
    let sandbox = env.sandbox(&[]);
    let kept = told(&sandbox, "GET", "/worlds/a/_stripegym/clock", &Value::Null);
    assert_eq!(text(&kept, "at"), "2027-03-01T00:00:00Z");
}

#[test]
fn a_snapshot_is_put_back_in_one_commit_also_after_a_restart() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&[]);
    let hook = [("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "*")];
    sandbox.api.make("/worlds/a/v1/webhook_endpoints", &hook);
    let made = sandbox.api.make("/worlds/a/v1/customers", &[("name", "One")]);
    let customer = format!("/worlds/a/v1/customers/{}", text(&made, "id"));
    let path = "/_stripegym/worlds/a";
    let kept = told(&sandbox, "POST", &format!("{path}/snapshot"), &json!({"label": "one"}));
    assert!(text(&kept, "file").ends_with("one.jsonl"), "{kept}");
    sandbox.api.make(&customer, &[("name", "Two")]);
    let other = sandbox.api.make("/worlds/a/v1/customers", &[("name", "Three")]);
    let before = told(&sandbox, "GET", path, &Value::Null)["commit"].as_u64().unwrap();
    told(&sandbox, "POST", &format!("{path}/restore"), &json!({"label": "one"}));
    let changes = told(&sandbox, "GET", &format!("{path}/changes?since={before}"), &Value::Null);
    let whole = changes["commits"].as_array().unwrap().iter();
    let customers = |commit: &&Value| {
        commit["changes"].as_array().unwrap().iter().any(|it| it["kind"] == "customer")
    };
    assert_eq!(whole.filter(customers).count(), 1);
    let check = |sandbox: &Sandbox| {
        assert_eq!(sandbox.api.read(&customer), made);
        sandbox.api.get(&format!("/worlds/a/v1/customers/{}", text(&other, "id"))).error(404);
        let events = sandbox.api.read("/worlds/a/v1/events");
        assert_eq!(events["data"].as_array().unwrap().len(), 1);
        assert_eq!(events["data"][0]["data"]["object"]["name"], "One");
    };
    check(&sandbox);
    sandbox.program.interrupt();
    let sandbox = env.sandbox(&[]);
    check(&sandbox);
    let reply = control(&sandbox, "POST", &format!("{path}/restore"), &json!({"label": "none"}));
    assert!(text(&reply.error(404), "message").contains("It has: one."));
    told(&sandbox, "DELETE", path, &Value::Null);
    told(&sandbox, "POST", &format!("{path}/restore"), &json!({"label": "one"}));
    check(&sandbox);
}

#[test]
fn any_test_key_opens_it_however_short() {
    let (_env, sandbox) = sandbox();
    for key in ["sk_test_123", "sk_test_foo", "rk_test_1"] {
        assert_eq!(
            Api::new(sandbox.api.port, key).read("/v1/customers")["object"],
            "list",
            "{key}"
        );
    }
}

#[test]
fn a_restricted_key_is_held_to_its_rights() {
    let (_env, sandbox) = sandbox();
    for root in ["", "/worlds/a"] {
        let allow = json!({"allow": "products:read,checkout_sessions:write"});
        let made = told(&sandbox, "POST", &format!("{root}/_stripegym/keys"), &allow);
        let key = Api::new(sandbox.api.port, text(&made, "key"));
        assert_eq!(key.read("/v1/products")["object"], "list");
        assert_eq!(key.read("/v1/checkout/sessions")["object"], "list");
        let error = key.post("/v1/products", &[("name", "Tea")]).error(403);
        let account = told(&sandbox, "GET", &format!("{root}/_stripegym/account"), &Value::Null);
        let hint = format!("rk_test_***{}", &key.key[key.key.len() - 6..]);
        assert_eq!(
            text(&error, "message"),
            format!(
                "The provided key '{hint}' does not have the required permissions for this endpoint on account '{}'. Having the 'rak_product_write' permission would allow this request to continue.",
                text(&account, "id")
            )
        );
        assert_eq!(error["type"], "invalid_request_error");
        key.get("/v1/customers").error(403);
        let path = format!("{root}/_stripegym/keys");
        let listed = told(&sandbox, "GET", &path, &Value::Null);
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        told(&sandbox, "DELETE", &format!("{path}/{}", key.key), &Value::Null);
        // Nobody's key any more: like any other test key.
        assert_eq!(key.read("/v1/customers")["object"], "list");
    }
    let bad = control(&sandbox, "POST", "/_stripegym/keys", &json!({"allow": "prodcts:read"}));
    assert!(text(&bad.error(400), "message").contains("'prodcts:read'"));
}

#[test]
fn a_publishable_key_reaches_what_a_page_needs() {
    let (_env, sandbox) = sandbox();
    let form = [("amount", "500"), ("currency", "jpy"), ("payment_method_types[]", "card")];
    let made = sandbox.api.make("/v1/payment_intents", &form);
    let (path, secret) =
        (format!("/v1/payment_intents/{}", text(&made, "id")), text(&made, "client_secret"));
    let origin = ("Origin", "https://shop.example.com");
    let get = |query: &str| bare(&sandbox, "GET", &format!("{path}?{query}"), &[origin], "");
    let found = get(&format!("key=pk_test_1&client_secret={secret}"));
    assert_eq!(found.header("access-control-allow-origin"), Some("*"));
    assert_eq!(found.ok()["id"], made["id"]);
    get("key=pk_test_1").error(400);
    let wrong = get("key=pk_test_1&client_secret=pi_x_secret_y");
    assert_eq!(text(&wrong.error(400), "param"), "client_secret");
    assert!(!wrong.text().contains(secret));
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123&key=pk_test_1";
    let method = bare(&sandbox, "POST", "/v1/payment_methods", &[FORM, origin], card).ok();
    let confirm =
        format!("key=pk_test_1&client_secret={secret}&payment_method={}", text(&method, "id"));
    let paid = bare(&sandbox, "POST", &format!("{path}/confirm"), &[FORM, origin], &confirm).ok();
    assert_eq!(paid["status"], "succeeded");
    let refused = bare(&sandbox, "GET", "/v1/customers?key=pk_test_1", &[origin], "");
    assert_eq!(text(&refused.error(403), "code"), "secret_key_required");
    let header = Api::new(sandbox.api.port, "pk_test_1").get("/v1/customers");
    assert_eq!(text(&header.error(403), "code"), "secret_key_required");
    let asked = [origin, ("Access-Control-Request-Headers", "authorization")];
    let preflight = bare(&sandbox, "OPTIONS", "/v1/payment_methods", &asked, "");
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization"));
    // A page of somebody else's may not use a secret key, which anybody could make up here.
    bare(&sandbox, "POST", "/v1/customers", &[FORM, origin], "key=sk_test_1").error(403);
}

#[test]
fn a_connected_account_is_reached_by_its_header_and_no_other_is() {
    let (_env, sandbox) = sandbox();
    let made = sandbox.api.make("/v1/accounts", &[("type", "custom"), ("country", "JP")]);
    let id = text(&made, "id");
    let connected = sandbox.api.with("Stripe-Account", id);
    let customer = connected.post("/v1/customers", &[("name", "Aki")]);
    assert_eq!(customer.header("stripe-account"), Some(id));
    let path = format!("/v1/customers/{}", text(&customer.ok(), "id"));
    assert_eq!(connected.read(&path)["name"], "Aki");
    sandbox.api.get(&path).error(404);
    assert_eq!(connected.read("/v1/account")["id"], made["id"]);
    let own = sandbox.api.read("/v1/account");
    assert_eq!(own["id"], told(&sandbox, "GET", "/_stripegym/account", &Value::Null)["id"]);
    let message = "The provided key 'sk_test_***on1234' does not have access to account 'acct_nope' (or that account does not exist). Application access may have been revoked.";
    let stranger = sandbox.api.with("Stripe-Account", "acct_nope").get("/v1/customers");
    for reply in [stranger, sandbox.api.get("/v1/accounts/acct_nope")] {
        let error = reply.error(403);
        assert_eq!((text(&error, "message"), text(&error, "code")), (message, "account_invalid"));
        assert_eq!(error["type"], "invalid_request_error");
    }
    sandbox.api.delete(&format!("/v1/accounts/{id}")).ok();
    connected.get("/v1/customers").error(403);
}

#[test]
fn what_the_owner_has_set_is_what_the_api_follows() {
    let (_env, sandbox) = sandbox();
    let set = json!({"currency": "usd", "country": "US", "api_version": "2025-12-15.clover"});
    told(&sandbox, "POST", "/worlds/a/_stripegym/account", &set);
    assert_eq!(sandbox.api.read("/worlds/a/v1/balance")["available"][0]["currency"], "usd");
    assert_eq!(sandbox.api.read("/v1/balance")["available"][0]["currency"], "jpy");
    let made = sandbox.api.post("/worlds/a/v1/customers", &[("name", "Aki")]);
    assert_eq!(made.header("stripe-version"), Some("2025-12-15.clover"));
    let events = sandbox.api.read("/worlds/a/v1/events");
    assert_eq!(events["data"][0]["api_version"], "2025-12-15.clover");
    assert_eq!(sandbox.api.read("/worlds/a/v1/account")["country"], "US");
    let bad = control(&sandbox, "POST", "/_stripegym/account", &json!({"currency": "xxq"}));
    assert!(text(&bad.error(400), "message").contains("'xxq'"));
}

#[test]
fn our_own_commands_work_in_a_world() {
    let env = Env::new();
    let idle = env.run(&["sandbox", "worlds", "list"]);
    assert_eq!(idle.code, 3, "{}", idle.err);
    assert!(idle.err.contains("stripegym sandbox"), "{}", idle.err);
    let sandbox = env.sandbox(&[]);
    let json = |args: &[&str]| -> Value {
        let mut all = vec!["--json"];
        all.extend_from_slice(args);
        serde_json::from_str(&env.ok(&all)).unwrap()
    };
    std::fs::write(
        env.path().join("tea.json"),
        r#"[{"object":"product","id":"prod_tea","name":"Tea"}]"#,
    )
    .unwrap();
    let made = json(&[
        "sandbox",
        "worlds",
        "create",
        "shop",
        "--seed",
        "7",
        "--now",
        "2027-01-31",
        "--objects",
        "tea.json",
    ]);
    assert_eq!((text(&made, "name"), &made["seed"]), ("shop", &json!(7)));
    assert_eq!(sandbox.api.read("/worlds/shop/v1/products/prod_tea")["name"], "Tea");
    let moved = json(&["--world", "shop", "clock", "advance", "1 month"]);
    assert_eq!(text(&moved, "at"), "2027-02-28T00:00:00Z");
    let set = json(&["--world", "shop", "clock", "set", "2027-03-01"]);
    assert_eq!(text(&set, "at"), "2027-03-01T00:00:00Z");
    assert_eq!(text(&json(&["clock", "show"]), "world"), "default");
    let key = json(&["--world", "shop", "sandbox", "keys", "create", "--allow", "products:read"]);
    assert!(text(&key, "key").starts_with("rk_test_w_shop_"));
    let set = json(&["--world", "shop", "sandbox", "account", "set", "currency=usd"]);
    assert_eq!(text(&set, "currency"), "usd");
    let plain = env.ok(&["checkout", "--world", "shop", "--no-wait", "--json"]);
    let session: Value = serde_json::from_str(&plain).unwrap();
    let path = format!("/worlds/shop/v1/checkout/sessions/{}", text(&session, "session"));
    assert_eq!(sandbox.api.read(&path)["id"], session["session"]);
    json(&["sandbox", "worlds", "snapshot", "shop"]);
    json(&["sandbox", "worlds", "reset", "shop"]);
    sandbox.api.get(&path).error(404);
    json(&["sandbox", "worlds", "restore", "shop"]);
    assert_eq!(sandbox.api.read(&path)["id"], session["session"]);
    let listed = env.ok(&["sandbox", "worlds", "list"]);
    assert!(listed.contains("shop") && listed.contains("sk_test_w_shop_"), "{listed}");
    json(&["sandbox", "worlds", "delete", "shop"]);
    assert_eq!(json(&["sandbox", "worlds", "list"])["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_key_of_a_world_never_leads_to_stripe() {
    let env = Env::new().with("STRIPE_SECRET_KEY", "sk_test_w_shop_0123456789");
    let refused = env.run(&["--mode", "stripe", "events", "list"]);
    assert_ne!(refused.code, 0);
    let listed = env.ok(&["events", "list", "--json"]);
    assert!(listed.contains("\"events\""), "{listed}");
}

#[test]
fn the_default_world_can_be_seeded_from_the_command_line() {
    let made = [(), ()].map(|()| {
        let env = Env::new();
        let sandbox = env.sandbox(&["--seed", "7", "--now", "2027-01-31T00:00:00Z", "--ephemeral"]);
        let made = sandbox.api.make("/v1/customers", &[("name", "Aki")]);
        assert_eq!(made["created"], 1_801_353_600);
        text(&made, "id").to_owned()
    });
    assert_eq!(made[0], made[1]);
}
