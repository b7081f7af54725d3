//! The official SDKs and the official CLI against the sandbox; `./test` installs them and asks for these.

use crate::env::{Env, KEY, Sandbox, outer_path};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use stripegym::parts::{Catalog, Routed};

const HINT: &str = "run it through ./test, which installs what it needs";

/// Where `./test` has put the pinned packages.
#[expect(clippy::disallowed_methods, reason = "`./test` says here where it has put the packages")]
fn tools() -> PathBuf {
    let tools = std::env::var("STRIPEGYM_TEST_TOOLS");
    PathBuf::from(tools.unwrap_or_else(|_| panic!("STRIPEGYM_TEST_TOOLS is not set: {HINT}")))
}

fn tool(path: &str) -> PathBuf {
    let path = tools().join(path);
    assert!(path.exists(), "{} is missing: {HINT}", path.display());
    path
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name)
}

/// A command in an environment with nothing but the sandbox in it.
fn against(sandbox: &Sandbox, env: &Env, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", outer_path()).env("HOME", env.path()).current_dir(env.path());
    command.env("STRIPEGYM_API", &sandbox.url).env("STRIPEGYM_KEY", KEY);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn succeed(mut command: Command, sandbox: &mut Sandbox) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}\n{out}\n{err}\n{}", sandbox.program.said());
    out.into_owned()
}

/// Runs a program of `tests/conformance` for an official SDK against a fresh sandbox; it says in the end that all is as
/// it is against Stripe. Returns the endpoints that it called, without those that began the sandbox.
fn conforms(name: &str) -> BTreeSet<String> {
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--ephemeral"]);
    let runtime = if Path::new(name).extension().is_some_and(|it| it == "py") {
        tool("venv/bin/python")
    } else {
        PathBuf::from("node")
    };
    let mut command = against(&sandbox, &env, &runtime);
    command.env("STRIPEGYM_NODE_MODULES", tool("node_modules")).arg(script(name));
    assert!(succeed(command, &mut sandbox).contains("conforms"), "{name}");
    let asked = sandbox.api.get("/_stripegym/requests?limit=1000").json();
    let called = asked["requests"].as_array().unwrap().iter().filter(|row| row["status"] == 200);
    let endpoint = |row: &Value| {
        let found = Catalog::get().route(row["method"].as_str()?, row["path"].as_str()?);
        let Routed::Found(route) = found else { return None };
        Some(route.endpoint.key().to_owned())
    };
    called.filter_map(endpoint).filter(|it| !is_plain(it)).collect()
}

/// What a shop calls that has neither cards on file nor disputes, payouts or accounts.
fn is_plain(endpoint: &str) -> bool {
    let path = endpoint.split_once(' ').map_or("", |(_, path)| path);
    let plain = ["events", "invoices", "prices", "products", "subscriptions", "webhook_endpoints"];
    plain.iter().any(|name| path.split('/').nth(2) == Some(*name))
        || ["/v1/customers", "/v1/customers/{customer}"].contains(&path)
}

/// Runs programs for one SDK side by side; that many different calls were answered.
fn conform_in(names: &[&'static str], least: usize) {
    let called: BTreeSet<String> = std::thread::scope(|scope| {
        let running: Vec<_> =
            names.iter().map(|name| scope.spawn(move || conforms(name))).collect();
        running.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert!(called.len() >= least, "{}: {called:#?}", called.len());
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_python_works_as_it_does_against_stripe() {
    conforms("python_sdk.py");
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_node_works_as_it_does_against_stripe() {
    conforms("node_sdk.mjs");
}

/// Cards on file, money until it is paid out, sales, connected accounts, and destinations of thin events.
#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_python_moves_money_in_and_out_by_at_least_120_calls() {
    let names = ["cards.py", "destinations.py", "money.py", "python_connect.py", "selling.py"];
    conform_in(&names, 120);
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_node_moves_money_in_and_out_by_at_least_120_calls() {
    let names = ["cards.mjs", "destinations.mjs", "money.mjs", "node_connect.mjs", "selling.mjs"];
    conform_in(&names, 120);
}

#[test]
#[ignore = "needs the official packages: ./test"]
fn stripe_js_has_the_names_and_types_of_the_official_package() {
    conforms("stripe_js.mjs");
}

/// The second provider: every method that the sandbox has, and the verification of the adapter for Next.js.
#[test]
#[ignore = "needs the official SDK: ./test"]
fn creem_sells_renews_refunds_and_tells_by_41_methods() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--ephemeral"]);
    let mut command = against(&sandbox, &env, Path::new("node"));
    command.env("STRIPEGYM_NODE_MODULES", tool("node_modules")).arg(script("creem.mjs"));
    let said = succeed(command, &mut sandbox);
    assert!(said.contains("conforms: 41 methods"), "{said}");
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_python_bills_by_a_hundred_calls() {
    conforms("billing.py");
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn stripe_node_bills_by_a_hundred_calls() {
    conforms("billing.mjs");
}

#[test]
#[ignore = "needs the official SDK: ./test"]
fn the_catalog_is_what_the_pinned_sdk_says() {
    let env = Env::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = env.path().join("api");
    std::fs::create_dir(&made).unwrap();
    let mut command = Command::new(tool("venv/bin/python"));
    command.arg("-B").arg(root.join("tools/generate_catalog.py")).arg(&made);
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let mut files = 0;
    for entry in std::fs::read_dir(&made).unwrap() {
        let path = entry.unwrap().path();
        let committed = root.join("fixtures/api").join(path.file_name().unwrap());
        let same = std::fs::read(&path).unwrap() == std::fs::read(&committed).unwrap();
        assert!(same, "{} is not what tools/generate_catalog.py makes", committed.display());
        files += 1;
    }
    assert_eq!(files, 8);
}

/// What a command of the official CLI prints, with this key.
fn stripe_cli(sandbox: &mut Sandbox, env: &Env, key: &str, args: &[&str]) -> Value {
    let mut command = against(sandbox, env, &tool("node_modules/.bin/stripe"));
    command.args(args).args(["--api-base", &sandbox.url, "--api-key", key]);
    let out = succeed(command, sandbox);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
#[ignore = "needs the official CLI: ./test"]
fn the_official_cli_reads_and_writes() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--ephemeral"]);
    let mut stripe = |args: &[&str]| stripe_cli(&mut sandbox, &env, KEY, args);
    let made = stripe(&["customers", "create", "--email", "cli@example.com"]);
    assert_eq!(made["email"], "cli@example.com");
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(stripe(&["get", &path])["id"], made["id"]);
    let changed = stripe(&["post", &path, "-d", "name=Aki", "-d", "metadata[k]=v"]);
    assert_eq!((&changed["name"], &changed["metadata"]["k"]), (&"Aki".into(), &"v".into()));
    let paid = stripe(&[
        "post",
        "/v1/payment_intents",
        "-d",
        "amount=2000",
        "-d",
        "currency=usd",
        "-d",
        "confirm=true",
        "-d",
        "payment_method=pm_card_visa",
        "-d",
        "payment_method_types[]=card",
    ]);
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(
        stripe(&["get", "/v1/events", "-d", "type=payment_intent.succeeded"])["object"],
        "list"
    );
}

#[test]
#[ignore = "needs the official CLI: ./test"]
fn the_official_cli_works_within_a_world() {
    const IN_SHOP: &str = "sk_test_w_shop_0123456789abcdef";
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--ephemeral"]);
    let mut stripe = |args: &[&str]| stripe_cli(&mut sandbox, &env, IN_SHOP, args);
    let made = stripe(&["customers", "create", "--name", "Aki"]);
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(stripe(&["get", &path])["name"], "Aki");
    assert_eq!(sandbox.api.read(&format!("/worlds/shop{path}"))["name"], "Aki");
    sandbox.api.get(&path).error(404);
}

/// What a trigger of the official CLI is named after, where that is no type of event.
const NAMED_OTHERWISE: [(&str, &str); 2] = [
    ("subscription.payment_failed", "invoice.payment_failed"),
    ("subscription.payment_succeeded", "invoice.payment_succeeded"),
];

/// Triggers that call a host by its name, whatever `--api-base` says.
const ELSEWHERE: [&str; 2] =
    ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"];

/// What the object of an event says that a trigger made: the member, and what it holds.
const STATES: [(&str, &str, &str); 49] = [
    ("cash_balance.funds_available", "object", "cash_balance"),
    ("charge.captured", "status", "succeeded"),
    ("charge.dispute.closed", "status", "warning_closed"),
    ("charge.dispute.created", "status", "warning_needs_response"),
    ("charge.failed", "status", "failed"),
    ("charge.succeeded", "status", "succeeded"),
    ("checkout.session.async_payment_failed", "payment_status", "unpaid"),
    ("checkout.session.async_payment_succeeded", "payment_status", "paid"),
    ("checkout.session.completed", "status", "complete"),
    ("checkout.session.expired", "status", "expired"),
    ("credit_note.created", "status", "issued"),
    ("credit_note.voided", "status", "void"),
    ("customer.subscription.created", "status", "active"),
    ("customer.subscription.deleted", "status", "canceled"),
    ("customer.subscription.paused", "status", "paused"),
    ("customer.subscription.trial_will_end", "status", "trialing"),
    ("identity.verification_session.canceled", "status", "canceled"),
    ("identity.verification_session.created", "status", "requires_input"),
    ("invoice.created", "status", "draft"),
    ("invoice.finalized", "status", "open"),
    ("invoice.marked_uncollectible", "status", "uncollectible"),
    ("invoice.paid", "status", "paid"),
    ("invoice.payment_action_required", "status", "open"),
    ("invoice.payment_failed", "status", "open"),
    ("invoice.sent", "status", "open"),
    ("invoice.voided", "status", "void"),
    ("issuing_authorization.request", "status", "pending"),
    ("issuing_card.created", "status", "inactive"),
    ("issuing_cardholder.created", "status", "active"),
    ("issuing_transaction.created", "type", "capture"),
    ("payment_intent.amount_capturable_updated", "status", "requires_capture"),
    ("payment_intent.canceled", "status", "canceled"),
    ("payment_intent.partially_funded", "status", "requires_action"),
    ("payment_intent.payment_failed", "status", "requires_payment_method"),
    ("payment_intent.processing", "status", "processing"),
    ("payment_intent.requires_action", "status", "requires_action"),
    ("payment_intent.succeeded", "status", "succeeded"),
    ("reporting.report_run.succeeded", "status", "succeeded"),
    ("setup_intent.canceled", "status", "canceled"),
    ("setup_intent.requires_action", "status", "requires_action"),
    ("setup_intent.setup_failed", "status", "requires_payment_method"),
    ("setup_intent.succeeded", "status", "succeeded"),
    ("subscription_schedule.aborted", "status", "canceled"),
    ("subscription_schedule.canceled", "status", "canceled"),
    ("subscription_schedule.completed", "status", "completed"),
    ("subscription_schedule.expiring", "status", "active"),
    ("subscription_schedule.released", "status", "released"),
    ("test_helpers.test_clock.advancing", "status", "advancing"),
    ("test_helpers.test_clock.ready", "status", "ready"),
];

/// How long an event may take that a trigger makes happen.
const SOON: Duration = Duration::from_secs(2);

/// The triggers that the official CLI lists.
fn triggers(sandbox: &Sandbox, env: &Env, cli: &Path) -> Vec<String> {
    let Output { stdout, .. } =
        against(sandbox, env, cli).args(["trigger", "--help"]).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned();
    let list = text.split("Supported events:").nth(1).unwrap().split("Usage:").next().unwrap();
    list.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// The event type that a trigger is named after.
fn event_of(trigger: &str) -> &str {
    let region = [".eu", ".gb"].iter().find_map(|end| trigger.strip_suffix(end));
    let otherwise = NAMED_OTHERWISE.iter().find(|(name, _)| *name == trigger);
    otherwise.map_or(region.unwrap_or(trigger), |(_, kind)| kind)
}

/// The newest event of a type, wherever in the world: what concerns a connected account is its own.
fn newest_event(sandbox: &Sandbox, kind: &str) -> Option<Value> {
    let newest = |api: &crate::http::Api| {
        let events = api.read(&format!("/v1/events?type={kind}&limit=1"));
        events["data"].as_array().and_then(|all| all.first().cloned())
    };
    if kind == "account.application.deauthorized" {
        // Nobody can ask for the events of an account that is gone: they are on their way to who listens.
        let sent = sandbox.api.with("Stripegym-Control", "1").read("/_stripegym/deliveries");
        let sent = sent["data"].as_array().unwrap().iter().find(|it| it["type"] == kind)?;
        return Some(serde_json::json!({"id": sent["event"]}));
    }
    if kind.starts_with("account.") {
        let account = sandbox.api.read("/v1/accounts?limit=1")["data"][0]["id"].clone();
        return newest(&sandbox.api.with("Stripe-Account", account.as_str()?));
    }
    newest(&sandbox.api)
}

/// What went wrong with a trigger.
fn trigger(sandbox: &Sandbox, env: &Env, cli: &Path, name: &str) -> Result<(), String> {
    let kind = event_of(name);
    let before = newest_event(sandbox, kind).map(|it| it["id"].clone());
    let call = || {
        let mut command = against(sandbox, env, cli);
        command.args(["trigger", name, "--api-base", &sandbox.url, "--api-key", KEY]);
        command.env("STRIPE_CLI_TELEMETRY_OPTOUT", "1");
        let Output { stdout, stderr, .. } = command.output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
    };
    // The CLI's own telemetry can race with its end and crash it, rarely; that says nothing of us.
    let crashed = |said: &String| said.contains("sync: WaitGroup is reused");
    let said = (0..5).map(|_| call()).find(|said| !crashed(said)).unwrap_or_default();
    if !said.contains("Trigger succeeded!") {
        return Err(format!("{name}: {said}"));
    }
    let told = Instant::now();
    let event = loop {
        let now = newest_event(sandbox, kind).filter(|it| Some(&it["id"]) != before.as_ref());
        match now {
            Some(event) => break event,
            None if told.elapsed() > SOON => {
                return Err(format!("{name}: no {kind} within {SOON:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let object = &event["data"]["object"];
    for (_, member, expected) in STATES.iter().filter(|it| it.0 == kind) {
        if name == kind && object[*member] != *expected {
            return Err(format!("{name}: {member} is {} and not {expected}", object[*member]));
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the official CLI: ./test"]
fn every_trigger_of_the_official_cli_succeeds_and_its_event_is_there() {
    every_trigger_succeeds("node_modules", "1.52.");
}

#[test]
#[ignore = "needs the official CLI: ./test"]
fn every_trigger_of_the_line_before_it_succeeds_and_its_event_is_there() {
    every_trigger_succeeds("cli-before/node_modules", "1.50.");
}

fn every_trigger_succeeds(packages: &str, version: &str) {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let cli = &tool(&format!("{packages}/.bin/stripe"));
    let package = std::fs::read(tool(&format!("{packages}/@stripe/cli/package.json"))).unwrap();
    let package: Value = serde_json::from_slice(&package).unwrap();
    assert!(package["version"].as_str().unwrap().starts_with(version), "{}", package["version"]);
    let nobody = "http://127.0.0.1:9/hook";
    sandbox.api.make(
        "/v1/webhook_endpoints",
        &[("url", nobody), ("connect", "true"), ("enabled_events[]", "*")],
    );
    let all = triggers(&sandbox, &env, cli);
    assert_eq!(all.len(), 121 + ELSEWHERE.len());
    for (kind, ..) in STATES {
        assert!(all.iter().any(|name| name == kind), "{kind}");
    }
    let here: Vec<&String> = all.iter().filter(|it| !ELSEWHERE.contains(&it.as_str())).collect();
    let wrong: Vec<String> =
        here.iter().filter_map(|name| trigger(&sandbox, &env, cli, name).err()).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), here.len());
}

#[test]
#[ignore = "needs beancount and hledger: ./test"]
fn beancount_and_hledger_read_the_book() {
    let shop = crate::book::shop();
    let env = &shop.env;
    let checks: [(&str, PathBuf, &[&str]); 2] = [
        ("beancount", tool("venv/bin/bean-check"), &[]),
        ("hledger", PathBuf::from("hledger"), &["check", "--strict", "-f"]),
    ];
    for (format, program, args) in checks {
        let written = env.ok(&["ledger", "export", "--format", format]);
        assert!(written.contains("Income:Revenue  -400 JPY"), "{written}");
        let file = env.path().join(format!("book.{format}"));
        std::fs::write(&file, &written).unwrap();
        let mut command = Command::new(program);
        command.env_clear().env("PATH", outer_path()).env("LANG", "C.UTF-8").args(args).arg(&file);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{format}: {out}{err}\n{written}");
    }
}
