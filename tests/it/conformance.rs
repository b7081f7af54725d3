//! The official SDKs and the official CLI against the sandbox; `./test` installs them and asks for these.

use crate::env::{Env, KEY, Sandbox, outer_path};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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

/// The scenarios of `stripe trigger` whose objects are all modelled, each with the event it is named after.
const TRIGGERS: [&str; 41] = [
    "balance.available",
    "cash_balance.funds_available",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.source.created",
    "customer.source.updated",
    "customer.updated",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.partially_funded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payout.created",
    "payout.updated",
    "price.updated",
    "product.updated",
    "reporting.report_run.succeeded",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "topup.created",
];

#[test]
#[ignore = "needs the official CLI: ./test"]
fn the_official_cli_triggers_what_it_names() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let cli = tool("node_modules/.bin/stripe");
    for name in TRIGGERS {
        let trigger = || {
            let mut command = against(&sandbox, &env, &cli);
            command.args(["trigger", name, "--api-base", &sandbox.url, "--api-key", KEY]);
            command.env("STRIPE_CLI_TELEMETRY_OPTOUT", "1");
            let Output { stdout, stderr, .. } = command.output().unwrap();
            format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
        };
        // The CLI's own telemetry can race with its end and crash it, rarely; that says nothing of us.
        let crashed = |said: &String| said.contains("sync: WaitGroup is reused");
        let said = (0..5).map(|_| trigger()).find(|said| !crashed(said)).unwrap_or_default();
        assert!(said.contains("Trigger succeeded!"), "{name}: {said}");
    }
    // What settles or becomes available later does so once its time has come.
    let client = sandbox.api.with("Stripegym-Control", "1");
    client.post("/_stripegym/clock/advance?seconds=864000", &[]);
    for name in TRIGGERS {
        let events = sandbox.api.read(&format!("/v1/events?type={name}&limit=1"));
        let found = events["data"].as_array().map_or(0, Vec::len);
        assert_eq!(found, 1, "{name} happened");
    }
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
