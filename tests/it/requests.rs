//! What a client meets around its requests: faults on demand, the log of requests, idempotency, v2's JSON.

use crate::env::{Env, KEY, Sandbox, eventually};
use crate::http::{Api, Reply, send};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

fn sandbox() -> (Env, Sandbox, Api) {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let control = sandbox.api.with("Stripegym-Control", "1");
    (env, sandbox, control)
}

fn customers(sandbox: &Sandbox) -> usize {
    sandbox.api.read("/v1/customers?limit=100")["data"].as_array().unwrap().len()
}

/// A POST whose bytes the test decides.
fn raw(sandbox: &Sandbox, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let key = format!("Bearer {KEY}");
    let mut all = vec![("Authorization", key.as_str())];
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        all.push(("Content-Type", "application/x-www-form-urlencoded"));
    }
    all.extend_from_slice(headers);
    send(sandbox.api.port, "POST", path, &all, body.as_bytes()).unwrap()
}

#[test]
fn a_rule_fails_as_many_requests_as_it_says_and_no_more() {
    let (_env, sandbox, control) = sandbox();
    let rule = [("on", "POST /v1/customers"), ("answer", "429"), ("times", "2")];
    assert_eq!(sandbox.api.post("/_stripegym/faults", &rule).status, 403, "a control");
    let added = control.make("/_stripegym/faults", &rule);
    assert_eq!(added, json!({"on": "POST /v1/customers", "answer": "429", "times": 2, "used": 0}));
    assert_eq!(customers(&sandbox), 0, "a GET is not meant");
    for _ in 0..2 {
        let limited = sandbox.api.post("/v1/customers", &[]);
        let error = limited.error(429);
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!("rate_limit"), &json!("invalid_request_error"))
        );
        assert!(error["message"].as_str().unwrap().starts_with("Testmode request rate limit"));
        assert_eq!(limited.header("stripe-should-retry"), Some("true"));
    }
    sandbox.api.make("/v1/customers", &[]);
    assert_eq!(customers(&sandbox), 1);
    let rules = sandbox.api.read("/_stripegym/faults");
    assert_eq!(rules["faults"][0]["used"], 2);
    assert_eq!(control.delete("/_stripegym/faults").ok(), json!({"cleared": 1}));
    assert_eq!(sandbox.api.read("/_stripegym/faults"), json!({"faults": []}));
    let wrong = control.post("/_stripegym/faults", &[("on", "POST /v1/x"), ("answer", "418")]);
    assert!(wrong.error(400)["message"].as_str().unwrap().contains("cut-before"));
}

#[test]
fn a_request_may_ask_for_its_own_fault() {
    let (_env, sandbox, _) = sandbox();
    let with = |fault: &str| sandbox.api.with("Stripegym-Fault", fault).post("/v1/customers", &[]);
    let busy = with("409-lock");
    assert_eq!(busy.error(409)["code"], "lock_timeout");
    assert_eq!(busy.header("stripe-should-retry"), Some("true"));
    assert_eq!(with("429-lock").error(429)["code"], "lock_timeout");
    let broken = with("500");
    assert_eq!(broken.error(500)["type"], "api_error");
    assert!(broken.error(500).get("code").is_none());
    assert!(with("teapot").error(400)["message"].as_str().unwrap().contains("409-lock"));
    assert_eq!(customers(&sandbox), 0);
    let bare = [("Stripegym-Fault", "500")];
    let stranger = send(sandbox.api.port, "GET", "/v1/customers", &bare, b"").unwrap();
    assert_eq!(stranger.status, 401, "a key is asked for first");
}

#[test]
fn a_connection_is_cut_after_the_work_or_before_it() {
    let (_env, sandbox, control) = sandbox();
    let form: &[(&str, &str)] = &[("name", "Aki")];
    for (answer, key, made) in [("cut", "k1", 1), ("cut-before", "k2", 0)] {
        let before = customers(&sandbox);
        let rule = [("on", "POST /v1/*"), ("answer", answer)];
        control.make("/_stripegym/faults", &rule);
        let keyed = sandbox.api.with("Idempotency-Key", key);
        let cut = keyed.try_call("POST", "/v1/customers", form);
        assert!(cut.is_err(), "{answer}: {cut:?}");
        assert_eq!(customers(&sandbox), before + made, "{answer}");
        let again = keyed.post("/v1/customers", form);
        assert_eq!(again.ok()["name"], "Aki");
        let replayed = again.header("idempotent-replayed") == Some("true");
        assert_eq!(replayed, answer == "cut", "{answer}");
        assert_eq!(customers(&sandbox), before + 1, "{answer}: one object all the same");
    }
    let log = sandbox.api.read("/_stripegym/requests?method=post");
    let rows: Vec<_> = log["requests"].as_array().unwrap().iter().collect();
    let seen: Vec<_> = rows.iter().map(|row| (&row["fault"], &row["status"])).collect();
    let none = Value::Null;
    assert_eq!(
        seen,
        [
            (&none, &json!(200)),
            (&json!("cut-before"), &none),
            (&none, &json!(200)),
            (&json!("cut"), &json!(200))
        ]
    );
}

#[test]
fn a_request_that_is_never_answered_is_logged_and_makes_nothing() {
    let (_env, sandbox, _) = sandbox();
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.api.port)).unwrap();
    let head = format!(
        "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nStripegym-Fault: timeout\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let log = sandbox.api.read("/_stripegym/requests?after=&wait=60");
    assert_eq!(log["requests"][0]["fault"], "timeout");
    assert_eq!(log["requests"][0]["status"], Value::Null);
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let waited = stream.read(&mut [0; 16]);
    assert!(waited.is_err(), "neither an answer nor an end: {waited:?}");
    assert_eq!(customers(&sandbox), 0);
}

#[test]
fn the_log_is_filtered_and_paged() {
    let (_env, sandbox, _) = sandbox();
    sandbox.api.make("/v1/customers", &[("name", "Aki"), ("email", "aki@example.com")]);
    sandbox.api.get("/v1/customers/cus_nope");
    sandbox.api.post("/v1/customers", &[("nmae", "Aki")]);
    sandbox.api.get("/v1/treasury/financial_accounts/fa_1/features");
    let seen = |query: &str| -> Vec<String> {
        let log = sandbox.api.read(&format!("/_stripegym/requests?{query}"));
        let rows = log["requests"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| format!("{} {} {}", row["status"], row["method"], row["path"]))
            .collect()
    };
    let made = "200 \"POST\" \"/v1/customers\"";
    let missing = "404 \"GET\" \"/v1/customers/cus_nope\"";
    let unknown = "400 \"POST\" \"/v1/customers\"";
    let later = "501 \"GET\" \"/v1/treasury/financial_accounts/fa_1/features\"";
    assert_eq!(seen(""), [later, unknown, missing, made]);
    assert_eq!(seen("status=4xx"), [unknown, missing]);
    assert_eq!(seen("status=404,5xx"), [later, missing]);
    assert_eq!(seen("path=/v1/customers"), [unknown, made]);
    assert_eq!(seen("path=/v1/customers/*"), [missing]);
    assert_eq!(seen("method=GET&limit=1"), [later]);
    // Behind a row, oldest first.
    let whole = sandbox.api.read("/_stripegym/requests");
    assert_eq!(whole["last"], whole["requests"][0]["id"]);
    let first = whole["requests"][3]["id"].as_str().unwrap();
    assert_eq!(seen(&format!("after={first}")), [missing, unknown, later]);
    let page = sandbox.api.read(&format!("/_stripegym/requests?after={first}&limit=1"));
    assert_eq!(page["last"], page["requests"][0]["id"], "to go on from");
    assert_eq!(seen("after=&limit=2"), [made, missing]);
    assert_eq!(sandbox.api.get("/_stripegym/requests?after=req_nope").status, 404);
    assert_eq!(sandbox.api.get("/_stripegym/requests?status=abc").status, 400);
    let one = sandbox.api.read(&format!("/_stripegym/requests/{first}"));
    assert_eq!(one["path"], "/v1/customers");
    let text = whole.to_string();
    for secret in [KEY, "aki@example.com", "Aki\""] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn whoever_waits_for_the_log_is_woken_by_the_row_that_fits() {
    let (_env, sandbox, _) = sandbox();
    sandbox.api.get("/v1/customers/cus_nope");
    let api = sandbox.api.clone();
    let last = api.read("/_stripegym/requests")["last"].as_str().unwrap().to_owned();
    let path = format!("/_stripegym/requests?status=4xx&after={last}&wait=60");
    let tail = thread::spawn(move || api.read(&path));
    sandbox.api.make("/v1/customers", &[]);
    sandbox.api.post("/v1/customers", &[("nmae", "Aki")]);
    let log = tail.join().unwrap();
    assert_eq!(log["requests"].as_array().unwrap().len(), 1);
    assert_eq!(log["requests"][0]["status"], 400);
    let nothing = sandbox.api.read("/_stripegym/requests?wait=1&status=5xx");
    assert_eq!(nothing["requests"], json!([]), "the wait has an end");
}

#[test]
fn a_key_stands_for_parameters_and_not_for_bytes() {
    let (_env, sandbox, _) = sandbox();
    let keyed = |path: &str, body: &str| raw(&sandbox, path, &[("Idempotency-Key", "same")], body);
    let first = keyed("/v1/customers", "name=Aki+Mori&email=a%40example.com&metadata[a]=1").ok();
    for (path, body) in [
        ("/v1/customers", "metadata[a]=1&email=a%40example.com&name=Aki+Mori"),
        ("/v1/customers", "name=Aki%20Mori&email=a@example.com&metadata%5Ba%5D=1"),
        ("/v1/customers?name=Aki%20Mori", "email=a%40example.com&metadata[a]=1"),
        ("/v1/customers?email=a@example.com&metadata[a]=1&name=Aki+Mori", ""),
    ] {
        let again = keyed(path, body);
        assert_eq!(again.ok()["id"], first["id"], "{path} {body}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path} {body}");
    }
    for (path, body) in [
        ("/v1/customers", "name=Aki+Mori&email=a%40example.com&metadata[a]=2"),
        ("/v1/customers", "name=Aki+Mori&email=a%40example.com"),
        ("/v1/customers", "name=Aki%2BMori&email=a%40example.com&metadata[a]=1"),
        ("/v1/customers?expand[]=tax", "name=Aki+Mori&email=a%40example.com&metadata[a]=1"),
    ] {
        let error = keyed(path, body).error(400);
        assert_eq!(error["type"], "idempotency_error", "{path} {body}");
        assert_eq!(
            error["message"],
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'same' if you meant to execute a different request."
        );
    }
    let error = keyed("/v1/products", "name=Aki").error(400);
    assert_eq!(
        error["message"],
        "Keys for idempotent requests can only be used for the same endpoint they were first used for ('/v1/products' vs '/v1/customers'). Try using a key other than 'same' if you meant to execute a different request."
    );
    assert_eq!(customers(&sandbox), 1);
}

#[test]
fn a_page_has_one_to_a_hundred_objects_and_one_cursor() {
    let (_env, sandbox, _) = sandbox();
    let ids: Vec<String> = (0..102)
        .map(|_| sandbox.api.make("/v1/customers", &[])["id"].as_str().unwrap().to_owned())
        .collect();
    let count = |limit: &str| {
        let list = sandbox.api.read(&format!("/v1/customers?limit={limit}"));
        assert_eq!(list["has_more"], true);
        list["data"].as_array().unwrap().len()
    };
    assert_eq!([count("0"), count("-3"), count("101"), count("9999")], [1, 1, 100, 100]);
    let error = sandbox.api.get("/v1/customers?limit=abc").error(400);
    assert_eq!(
        (&error["message"], &error["code"], &error["param"]),
        (&json!("Invalid integer: abc"), &json!("parameter_invalid_integer"), &json!("limit"))
    );
    for cursor in ["starting_after", "ending_before"] {
        let error = sandbox.api.get(&format!("/v1/customers?{cursor}=cus_nope")).error(400);
        assert_eq!(
            (&error["message"], &error["code"], &error["param"]),
            (&json!("No such customer: 'cus_nope'"), &json!("resource_missing"), &json!(cursor))
        );
    }
    let both = |after: &str, before: &str| {
        let path = format!("/v1/customers?starting_after={after}&ending_before={before}");
        sandbox.api.get(&path).error(400)
    };
    let error = both(&ids[0], &ids[1]);
    assert_eq!(
        error["message"],
        "Received both starting_after and ending_before parameters. Please pass in only one."
    );
    assert!(error.get("code").is_none() && error.get("param").is_none(), "{error}");
    assert_eq!(both(&ids[0], "cus_nope")["param"], "ending_before", "a wrong cursor is told first");
}

#[test]
fn v2_takes_json_and_v1_takes_forms() {
    let (_env, sandbox, _) = sandbox();
    let path = "/v2/billing/meter_events";
    let version = ("Stripe-Version", "2026-10-28.endive");
    let json = [("Content-Type", "application/json"), version];
    let good = r#"{"event_name": "tea", "payload": {"value": "1"}}"#;
    let error = raw(&sandbox, path, &json, good).error(400);
    assert!(error["message"].as_str().unwrap().contains("event name `tea`"), "{error}");
    let error = raw(&sandbox, path, &json, r#"{"event_name": "tea"}"#).error(400);
    assert_eq!(error["code"], "parameter_missing");
    let error = raw(&sandbox, path, &json, r#"{"event_nmae": "tea"}"#).error(400);
    assert_eq!(error["code"], "parameter_unknown");
    let error = raw(&sandbox, path, &json, r#"{"event_name": "#).error(400);
    assert!(error["message"].as_str().unwrap().contains("not valid JSON"), "{error}");
    let error = raw(&sandbox, path, &[version], "event_name=tea&payload[value]=1").error(400);
    assert!(error["message"].as_str().unwrap().contains("application/json"), "{error}");
    let error = raw(&sandbox, path, &json[..1], good).error(400);
    assert!(error["message"].as_str().unwrap().contains("Stripe-Version"), "{error}");
    let error = raw(&sandbox, "/v1/customers", &json, r#"{"name": "Aki"}"#).error(400);
    assert!(error["message"].as_str().unwrap().contains("x-www-form-urlencoded"), "{error}");
    assert_eq!(customers(&sandbox), 0);
}

#[test]
fn the_commands_add_faults_and_show_what_came_of_them() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let add = ["sandbox", "fault", "add", "--on", "POST /v1/customers", "--answer", "cut"];
    let said = env.ok(&add);
    assert!(said.contains("The next request `POST /v1/customers` gets `cut`."), "{said}");
    assert!(sandbox.api.try_call("POST", "/v1/customers", &[]).is_err());
    sandbox.api.get("/v1/customers/cus_nope");
    let list = env.ok(&["sandbox", "fault", "list"]);
    assert!(list.contains("POST /v1/customers") && list.contains("1/1"), "{list}");
    let json: Value =
        serde_json::from_str(&env.ok(&["sandbox", "fault", "list", "--json"])).unwrap();
    assert_eq!(json["faults"][0]["answer"], "cut");
    let log = env.ok(&["logs"]);
    assert!(log.contains("404") && log.contains("(fault cut)"), "{log}");
    let log = env.ok(&["logs", "--lang", "ja", "--filter-http-status", "2xx"]);
    assert!(!log.contains("404") && log.contains("障害 cut"), "{log}");
    let json: Value =
        serde_json::from_str(&env.ok(&["logs", "--status", "4xx", "--limit", "5", "--json"]))
            .unwrap();
    assert_eq!(json["requests"].as_array().unwrap().len(), 1);
    assert_eq!(json["requests"][0]["path"], "/v1/customers/cus_nope");
    assert!(env.ok(&["logs", "--path", "/v1/prices"]).contains("no such request"));
    assert!(env.ok(&["sandbox", "fault", "clear"]).contains("One rule"));
    for wrong in [
        vec!["logs", "--status", "9xx"],
        vec!["logs", "--path", "v1/customers"],
        vec!["sandbox", "fault", "add", "--on", "/v1/customers", "--answer", "500"],
        vec!["sandbox", "fault", "add", "--on", "GET /v1/x", "--answer", "418"],
        vec!["sandbox", "--ephemeral", "fault", "list"],
    ] {
        assert_eq!(env.run(&wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn the_log_is_followed_as_requests_are_answered() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    sandbox.api.get("/v1/treasury/financial_accounts/fa_1/features");
    let mut tail = env.start(&["logs", "tail", "--status", "4xx", "--limit", "2"]);
    eventually("the log is followed", || tail.stderr().contains("Following").then_some(()));
    sandbox.api.make("/v1/customers", &[]);
    sandbox.api.get("/v1/customers/cus_nope");
    let line = tail.line_with("/v1/customers/cus_nope");
    assert!(line.contains("404") && line.contains("GET") && line.contains("req_"), "{line}");
    tail.line_with("No such customer: 'cus_nope'");
    sandbox.api.post("/v1/customers", &[("nmae", "Aki")]);
    let (code, said) = tail.finish();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("501") && !said.contains(" 200 "), "{said}");
}

#[test]
fn what_needs_a_running_sandbox_says_so() {
    let env = Env::new();
    for command in [vec!["logs"], vec!["sandbox", "fault", "list"]] {
        let ran = env.run(&command);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("stripegym sandbox"), "{}", ran.err);
    }
}
