//! Delivery of events to a stranger's endpoint: signed, retried, and not forgotten over a restart.

use crate::env::{Env, Sandbox, eventually};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use stripegym::parts::{SigningSecret, Timestamp, verify};

/// One delivery as it arrived.
pub(crate) struct Delivery {
    signature: String,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

/// An endpoint that answers the first `failures` deliveries with 500 and the others with 200.
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    arrived: Receiver<Delivery>,
}

impl Endpoint {
    pub(crate) fn start(port: u16, failures: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, arrived) = channel();
        thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut headers = String::new();
                while !headers.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut headers).unwrap() == 0 {
                        break;
                    }
                }
                let field = |name: &str| {
                    let found = headers.lines().find_map(|line| {
                        let (key, value) = line.split_once(':')?;
                        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                    });
                    found.unwrap_or_default()
                };
                let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
                stream.read_exact(&mut body).unwrap();
                let signature = field("stripe-signature");
                let status = if at < failures { "500 Broken" } else { "200 OK" };
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
                if sender.send(Delivery { signature, headers: headers.clone(), body }).is_err() {
                    return;
                }
            }
        });
        Self { port, arrived }
    }

    pub(crate) fn next(&self) -> Delivery {
        self.arrived.recv_timeout(crate::env::PATIENCE).expect("a delivery arrives")
    }

    fn register(&self, sandbox: &Sandbox) -> SigningSecret {
        self.register_for(sandbox, &[("enabled_events[]", "customer.created")])
    }

    fn register_for(&self, sandbox: &Sandbox, form: &[(&str, &str)]) -> SigningSecret {
        let url = format!("http://127.0.0.1:{}/hook", self.port);
        let form = [&[("url", url.as_str())], form].concat();
        let made = sandbox.api.make("/v1/webhook_endpoints", &form);
        SigningSecret::read(made["secret"].as_str().unwrap()).unwrap()
    }
}

fn event(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn assert_signed(delivery: &Delivery, secret: &SigningSecret) {
    let now = Timestamp(crate::shop::now());
    let secrets = [secret.clone()];
    verify(&delivery.body, Some(&delivery.signature), &secrets, now, 300).unwrap();
}

#[test]
fn an_event_arrives_signed_and_as_the_api_shows_it() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let endpoint = Endpoint::start(0, 0);
    let secret = endpoint.register(&sandbox);
    let made = sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    let delivery = endpoint.next();
    assert_signed(&delivery, &secret);
    let arrived = event(&delivery);
    assert_eq!(arrived["data"]["object"], made);
    assert_eq!(arrived["type"], "customer.created");
    let headers = delivery.headers.to_ascii_lowercase();
    assert!(headers.contains("user-agent: stripe/1.0"), "{headers}");
    assert!(headers.contains("content-type: application/json; charset=utf-8"), "{headers}");
    let path = format!("/v1/events/{}", arrived["id"].as_str().unwrap());
    let kept = eventually("the delivery is booked", || {
        let kept = sandbox.api.read(&path);
        (kept["pending_webhooks"] == 0).then_some(kept)
    });
    assert_eq!(kept["data"], arrived["data"]);
    assert_eq!(kept["request"], arrived["request"]);
}

#[test]
fn an_event_has_the_form_of_its_endpoints_version_and_an_answer_that_of_its_request() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let of = |event: &Value| event["data"]["object"].get("invoice").cloned();
    let wanted = ("enabled_events[]", "payment_intent.created");
    let old = Endpoint::start(0, 0);
    let secret = old.register_for(&sandbox, &[wanted, ("api_version", "2025-02-24.acacia")]);
    let form = [("amount", "500"), ("currency", "jpy")];
    let made = sandbox.api.make("/v1/payment_intents", &form);
    assert_eq!(made.get("invoice"), None);
    let delivery = old.next();
    assert_signed(&delivery, &secret);
    let arrived = event(&delivery);
    assert_eq!(arrived["api_version"], "2025-02-24.acacia");
    assert_eq!(of(&arrived), Some(Value::Null));
    assert_eq!(arrived["data"]["object"]["id"], made["id"]);

    // The event itself has the version of the account, whoever asks for it.
    let path = format!("/v1/events/{}", arrived["id"].as_str().unwrap());
    let acacia = sandbox.api.with("Stripe-Version", "2025-02-24.acacia");
    for kept in [sandbox.api.read(&path), acacia.read(&path)] {
        assert_eq!((of(&kept), &kept["api_version"]), (None, &"2026-10-28.endive".into()));
    }
    let path = format!("/v1/payment_intents/{}", made["id"].as_str().unwrap());
    assert_eq!(acacia.read(&path)["invoice"], Value::Null);
    assert_eq!(acacia.read(&path).get("invoice"), Some(&Value::Null));
    assert_eq!(sandbox.api.read(&path).get("invoice"), None);
    let page = acacia.read("/v1/payment_intents?limit=1");
    assert_eq!(page["data"][0].get("invoice"), Some(&Value::Null));

    // So has an object that an error carries.
    let card =
        [("payment_method", "pm_card_chargeDeclined"), ("return_url", "https://shop.example")];
    let declined = acacia.post(&format!("{path}/confirm"), &card).error(402);
    assert_eq!(declined["payment_intent"].get("invoice"), Some(&Value::Null), "{declined}");

    let basil = sandbox.api.with("Stripe-Version", "2025-03-31.basil").get(&path);
    assert_eq!(basil.header("stripegym-shape"), None);
    let ancient = sandbox.api.with("Stripe-Version", "2016-07-06").get(&path);
    assert_eq!(ancient.header("stripegym-shape"), Some("2022-11-15"));
    assert_eq!(ancient.header("stripe-version"), Some("2016-07-06"));
}

#[test]
fn an_answer_that_is_given_again_keeps_its_form() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let form = [("amount", "500"), ("currency", "jpy"), ("capture_method", "automatic")];
    let ask = |version: &str| {
        let api = sandbox.api.with("Stripe-Version", version).with("Idempotency-Key", "k");
        api.post("/v1/payment_intents", &form).ok()
    };
    let first = ask("2022-11-15");
    assert_eq!(first.get("invoice"), Some(&Value::Null));
    assert_eq!(first["payment_method_types"], serde_json::json!(["card"]));
    assert_eq!(ask("2026-10-28.endive"), first);
}

#[test]
fn a_failed_delivery_is_tried_again_under_a_new_signature() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral", "--retry-schedule", "instant"]);
    let endpoint = Endpoint::start(0, 2);
    let secret = endpoint.register(&sandbox);
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    let attempts = [endpoint.next(), endpoint.next(), endpoint.next()];
    for attempt in &attempts {
        assert_signed(attempt, &secret);
        assert_eq!(event(attempt)["id"], event(&attempts[0])["id"]);
    }
}

#[test]
fn what_was_not_delivered_is_delivered_after_a_restart() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&["--retry-schedule", "2s,2s,2s,2s"]);
    // A port that nobody answers: taken once, then given back.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/hook");
    let form = [("url", url.as_str()), ("enabled_events[]", "customer.created")];
    let made = sandbox.api.make("/v1/webhook_endpoints", &form);
    let secret = SigningSecret::read(made["secret"].as_str().unwrap()).unwrap();
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    sandbox.program.kill();
    let endpoint = Endpoint::start(port, 0);
    let _again = env.sandbox(&["--retry-schedule", "2s,2s,2s,2s"]);
    let delivery = endpoint.next();
    assert_signed(&delivery, &secret);
    assert_eq!(event(&delivery)["data"]["object"]["name"], "Aki");
}

#[test]
fn an_event_can_be_sent_again() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let endpoint = Endpoint::start(0, 0);
    endpoint.register(&sandbox);
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    let first = event(&endpoint.next());
    let id = first["id"].as_str().unwrap();
    env.ok(&["events", "resend", id]);
    assert_eq!(event(&endpoint.next())["id"], id);
    sandbox.api.make(&format!("/v1/events/{id}/retry"), &[]);
    assert_eq!(event(&endpoint.next())["id"], id);
}

#[test]
fn a_host_of_the_network_is_delivered_to_where_the_sandbox_was_told_of_it() {
    let form = |url: &'static str| [("url", url), ("enabled_events[]", "customer.created")];
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let refused = sandbox.api.post("/v1/webhook_endpoints", &form("http://app:3000/hook"));
    let error = refused.error(400);
    assert_eq!(error["param"], "url", "{error}");
    assert!(error["message"].as_str().unwrap().contains("--deliver-to app:3000"), "{error}");
    // What programs register in production is taken; its deliveries say what became of them.
    sandbox.api.make("/v1/webhook_endpoints", &form("https://shop.example/hook"));
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    eventually("the delivery says why it was not sent", || {
        let list = sandbox.api.read("/_stripegym/deliveries");
        let error = list["data"][0]["attempts"][0]["error"].as_str()?.to_owned();
        error.contains("--deliver-to shop.example:443").then_some(())
    });
    let env = Env::new().with("STRIPEGYM_DELIVER_TO", "mail:8025");
    let told = env.sandbox(&["--ephemeral"]);
    told.api.make("/v1/webhook_endpoints", &form("http://mail:8025/hook"));
    let flagged = Env::new();
    let flagged = flagged.sandbox(&["--ephemeral", "--deliver-to", "app:3000"]);
    flagged.api.make("/v1/webhook_endpoints", &form("http://app:3000/hook"));
}

#[test]
fn every_name_of_this_machine_is_delivered_to() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let endpoint = Endpoint::start(0, 0);
    let hosts = ["localhost", "shop.localhost", "127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"];
    for host in hosts {
        let url = format!("http://{host}:{}/hook", endpoint.port);
        let form = [("url", url.as_str()), ("enabled_events[]", "customer.created")];
        sandbox.api.make("/v1/webhook_endpoints", &form);
    }
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    let ids: Vec<_> = hosts.iter().map(|_| event(&endpoint.next())["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
