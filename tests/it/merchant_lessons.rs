//! The merchant's application before the course's own judge, through a door that speaks the contract's words: what every
//! lesson asks of a learner's server, the shop does as well, but for what is named here with its reason.

use crate::door::Door;
use crate::env::{Env, rounds};
use crate::shopper::{PLANS, Shop};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// What the lessons buy: ten credits once at either provider, a month, keys of the API.
const SOLD: &str = r#"
[[plan]]
id = "tea"
lookup_key = "tea"
amount = 500
currency = "jpy"
credits = 10
en = { title = "Tea", about = "A box of tea.", features = ["Ten credits"] }
ja = { title = "お茶", about = "お茶一箱です。", features = ["10クレジット"] }

[[plan]]
id = "tea-monthly"
lookup_key = "tea_monthly"
amount = 1200
currency = "jpy"
interval = "month"
en = { title = "Tea monthly", about = "A box of tea a month.", features = ["A box"] }
ja = { title = "お茶の定期便", about = "毎月お茶一箱です。", features = ["一箱"] }

[[plan]]
id = "creem-tea"
provider = "creem"
lookup_key = "creem_tea"
amount = 500
currency = "eur"
credits = 10
en = { title = "Tea", about = "A box of tea.", features = ["Ten credits"] }
ja = { title = "お茶", about = "お茶一箱です。", features = ["10クレジット"] }

[[plan]]
id = "api-pro"
lookup_key = "api_pro_monthly"
amount = 980
currency = "jpy"
interval = "month"
page = "own"
en = { title = "API PRO", about = "Calls of the API.", features = ["Calls"] }
ja = { title = "API PRO", about = "APIの呼び出しです。", features = ["呼び出し"] }
"#;

/// A lesson, and which of its checks the shop does not pass: how each stands, and why that is meant.
struct Graded {
    lesson: &'static str,
    otherwise: &'static [(&'static str, &'static str, &'static str)],
}

const BY_ADDRESS: &str =
    "a server that is known by its address alone has neither key nor log nor files to be looked at";
const CARDS: &str = "cards are typed into a form of the shop's own (SetupIntent, Stripe.js) and not into Checkout, and nobody \
    is charged who is away";

/// The first three are graded in every run, all of them in the long one.
const LESSONS: &[Graded] = &[
    Graded { lesson: "orders-and-credits", otherwise: &[] },
    Graded {
        lesson: "api-keys",
        otherwise: &[
            (
                "D17.6",
                "fail",
                "100,000 calls a calendar month are sold, and not three a paid period",
            ),
            ("D17.8", "skip", BY_ADDRESS),
        ],
    },
    Graded {
        lesson: "two-providers",
        otherwise: &[("D18.4", "fail", "there is no cart: each plan is an order of its own")],
    },
    Graded {
        lesson: "customers",
        otherwise: &[("D13.2", "fail", "an account keeps the address that it was made with")],
    },
    Graded {
        lesson: "payment-intents",
        otherwise: &[("D12.2", "fail", "at /pay the payer names the amount, within bounds")],
    },
    Graded { lesson: "subscriptions", otherwise: &[] },
    Graded { lesson: "customer-portal", otherwise: &[] },
    Graded {
        lesson: "saved-cards",
        otherwise: &[
            ("D7.1", "fail", CARDS),
            ("D7.3", "blocked", CARDS),
            ("D7.4", "blocked", CARDS),
            ("D7.5", "blocked", CARDS),
            ("D7.6", "blocked", CARDS),
        ],
    },
    Graded { lesson: "refunds", otherwise: &[] },
    Graded { lesson: "disputes", otherwise: &[] },
    Graded { lesson: "going-live", otherwise: &[] },
    Graded {
        lesson: "restricted-keys",
        otherwise: &[
            ("D14.1", "skip", BY_ADDRESS),
            ("D14.2", "skip", BY_ADDRESS),
            ("D14.3", "skip", BY_ADDRESS),
            ("D14.4", "skip", BY_ADDRESS),
            ("D14.5", "skip", BY_ADDRESS),
        ],
    },
    Graded {
        lesson: "day3",
        otherwise: &[("D3.4", "skip", BY_ADDRESS), ("X25", "skip", BY_ADDRESS)],
    },
    Graded {
        lesson: "day4",
        otherwise: &[(
            "X26",
            "warn",
            "the first page leads to the prices, whose buttons need an account",
        )],
    },
    Graded { lesson: "day5", otherwise: &[("D5.4", "attest", "a person says that")] },
];

const CREEM_SECRET: &str = "whsec_lessonsOfTheShopAtCreem01234";

/// A shop that hears what comes through its door and nothing else.
fn shop() -> Shop {
    let env = Env::new()
        .with("STRIPEGYM_LANG", "en")
        .with("STRIPEGYM_SANDBOX_PORT", "0")
        .with("CREEM_WEBHOOK_SECRET", CREEM_SECRET);
    std::fs::write(env.path().join(PLANS), SOLD).unwrap();
    let shop = Shop::with(env);
    let endpoints = shop.sandbox.api.read("/v1/webhook_endpoints");
    let own = endpoints["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{endpoints}"));
    shop.sandbox.api.make(&format!("/v1/webhook_endpoints/{own}"), &[("disabled", "true")]);
    for webhook in crate::creem::get(&shop.sandbox, "/v1/webhooks")["items"].as_array().unwrap() {
        let path = format!("/v1/webhooks/{}", crate::creem::id(webhook));
        let gone = crate::creem::call(&shop.sandbox, "DELETE", &path, &Value::Null);
        assert!(gone.status < 300, "{}", gone.text());
    }
    shop
}

/// How a lesson is graded otherwise than is meant; nothing where all is as meant.
fn surprise(Graded { lesson, otherwise }: &Graded) -> Option<String> {
    let shop = shop();
    let door = Door::before(&shop);
    let mut args = vec!["check", lesson, "--app", &door.url, "--json"];
    // What locks the ledger for a moment has to know its file.
    if *lesson == "going-live" {
        args.extend(["--ledger", "sqlite:.stripegym/ledger.db?table=ledger"]);
    }
    let ran = shop.env.run(&args);
    let all = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let checks: Vec<Value> = all.filter(|it| it.get("id").is_some()).collect();
    assert!(!checks.is_empty(), "{lesson}: {ran:?}");
    let text = |it: &Value, name: &str| it[name].as_str().unwrap_or("–").to_owned();
    let others = checks.iter().filter(|it| it["state"] != "pass");
    let found: BTreeSet<_> = others.clone().map(|it| (text(it, "id"), text(it, "state"))).collect();
    let meant: BTreeSet<_> =
        otherwise.iter().map(|(id, state, _)| ((*id).to_owned(), (*state).to_owned())).collect();
    for key in door.keys() {
        assert!(!shop.sees(&key), "{lesson}: a key stands in a file of the shop");
    }
    let told = others.map(|it| {
        let [id, state, code, expected, got] =
            ["id", "state", "code", "expected", "got"].map(|name| text(it, name));
        format!("  {id} {state} {code}: expected {expected}, found {got}")
    });
    (found != meant).then(|| format!("{lesson}\n{}", told.collect::<Vec<_>>().join("\n")))
}

#[test]
fn the_shop_passes_the_lessons_but_for_what_it_does_otherwise_on_purpose() {
    let lessons = Mutex::new(LESSONS[..rounds(3, LESSONS.len())].iter());
    let next = || lessons.lock().unwrap().next();
    let work = || {
        let mut found = Vec::new();
        while let Some(graded) = next() {
            found.extend(surprise(graded));
        }
        found
    };
    // What is waited for in one lesson is time for another.
    let found: Vec<_> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
