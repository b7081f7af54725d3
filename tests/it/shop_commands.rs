//! What the shop keeps, by command: orders, credits, keys, its key-value table; as a table and as JSON.

use crate::env::Env;
use crate::shopper::Shop;
use serde_json::{Value, json};

fn asked(shop: &Shop, words: &str) -> Value {
    let mut args: Vec<&str> = words.split(' ').collect();
    args.push("--json");
    serde_json::from_str(&shop.env.ok(&args)).unwrap()
}

fn text(shop: &Shop, words: &str) -> String {
    let out = shop.env.ok(&words.split(' ').collect::<Vec<_>>());
    for line in out.lines() {
        let wide = unicode_width::UnicodeWidthStr::width(line);
        assert!(wide <= 80, "{wide}: {line}");
    }
    out
}

/// What a command that is refused says, and which exit code says so.
fn refused(env: &Env, words: &str, code: i32) -> String {
    let ran = env.run(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.code, code, "{words}: {}\n{}", ran.out, ran.err);
    ran.err
}

#[test]
fn orders_and_credits_are_looked_up_beside_the_shop_and_given_by_hand() {
    let shop = Shop::open();
    let mut ann = shop.shopper("ann");
    shop.shopper("bob");
    assert!(refused(&shop.env, "order show", 3).contains("next: stripegym shop"));
    let price = shop.price("shop_credits_small");
    for _ in 0..3 {
        let session = ann.begin(&price);
        shop.pay(&session);
        ann.verify(&session).ok();
    }
    shop.has(300, 3);
    let all = asked(&shop, "order list");
    assert_eq!((all["data"].as_array().unwrap().len(), &all["has_more"]), (3, &json!(false)));
    let first = asked(&shop, "order list --limit 1 --user ann@example.com --status succeeded");
    assert_eq!(first["has_more"], true);
    let id = first["data"][0]["order"].as_str().unwrap().to_owned();
    let rest = asked(&shop, &format!("order list --after {id}"));
    assert_eq!(rest["data"].as_array().unwrap().len(), 2, "{rest}");
    for none in ["--user bob@example.com", "--provider creem", "--status refunded"] {
        assert_eq!(asked(&shop, &format!("order list {none}"))["data"], json!([]), "{none}");
    }
    let one = asked(&shop, &format!("order show {id}"));
    assert_eq!((&one["email"], &one["amount"]), (&json!("ann@example.com"), &json!(500)));
    let sale = one["sale"].as_str().unwrap();
    assert_eq!(asked(&shop, &format!("order show {sale}"))["order"], id.as_str());
    assert!(text(&shop, "order list").contains("¥500"));
    assert!(refused(&shop.env, "order show order_none", 3).contains("next: stripegym order list"));

    let given = asked(&shop, "credit grant ann@example.com 50");
    assert_eq!((&given["credits"], &given["grant"]), (&json!(350), &json!(50)));
    let user = given["user"].as_str().unwrap();
    let shown = asked(&shop, &format!("credit show {user}"));
    assert_eq!((&shown["purchase"], &shown["entries"]), (&json!(300), &json!(4)));
    assert!(ann.get("/account").text().contains("data-credits=\"350\""));
    assert!(text(&shop, "credit show bob@example.com").contains("bob@example.com"));
    assert!(refused(&shop.env, "credit show eve@example.com", 3).contains("eve@example.com"));
    refused(&shop.env, "credit grant ann@example.com 0", 2);
    assert_eq!(shop.credits(), 350);
}

#[test]
fn a_key_is_issued_to_whom_has_paid_shown_once_and_revoked() {
    let shop = Shop::open();
    let mut ann = shop.shopper("ann");
    let unpaid = refused(&shop.env, "api-key issue ann@example.com", 3);
    assert!(unpaid.contains("api-pro") && unpaid.contains("next: stripegym shop"), "{unpaid}");
    let started = ann.send_form("/upgrade", "/upgrade", &[]);
    assert_eq!(started.status, 303);
    let session = shop.sandbox.api.read("/v1/checkout/sessions?limit=1")["data"][0]["id"].clone();
    shop.pay(session.as_str().unwrap());
    crate::env::eventually("it is paid", || {
        (shop.number("SELECT COUNT(*) FROM api_keys") == 1).then_some(())
    });
    let issued = asked(&shop, "api-key issue ann@example.com");
    let key = issued["key"].as_str().unwrap().to_owned();
    let call = |key: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", authorization.as_str())];
        crate::http::send(shop.port, "GET", "/api/v1/usage", &headers, b"").unwrap().status
    };
    assert_eq!(call(&key), 200);
    let again = asked(&shop, "api-key issue ann@example.com");
    assert_eq!(
        (&again["key"], &again["api_key"]),
        (&Value::Null, &issued["api_key"]),
        "shown once"
    );
    let listed = text(&shop, "api-key list");
    assert!(listed.contains("everything") && !listed.contains(&key), "{listed}");
    let other = asked(&shop, "api-key issue ann@example.com --replace")["key"].clone();
    let other = other.as_str().unwrap();
    assert_eq!((call(&key), call(other)), (401, 200));
    let id = issued["api_key"].as_str().unwrap();
    let gone = asked(&shop, &format!("api-key revoke {id}"));
    assert_eq!((&gone["opens"], call(other)), (&json!("nothing"), 401));
    assert!(gone["revoked"].is_i64());
    assert!(refused(&shop.env, "api-key revoke 77", 3).contains("next: stripegym api-key list"));
}

#[test]
fn values_stand_under_a_key_in_a_namespace() {
    let shop = Shop::open();
    let set = asked(&shop, "kv set settings greeting hello");
    assert_eq!(set, json!({"namespace": "settings", "key": "greeting", "value": "hello"}));
    asked(&shop, "kv set settings greeting welcome");
    assert_eq!(asked(&shop, "kv get settings greeting")["value"], "welcome");
    asked(&shop, "kv set settings other x");
    let listed = asked(&shop, "kv list settings");
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");
    assert!(text(&shop, "kv list settings").contains("welcome"));
    let none = refused(&shop.env, "kv get settings none", 3);
    assert!(none.contains("settings/none") && none.contains("kv list settings"), "{none}");
    assert!(refused(&shop.env, "kv set Settings a b", 2).contains("namespace"));
}

#[test]
fn where_no_shop_was_there_is_nothing_to_show() {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    for words in ["order list", "credit show a@b.c", "api-key list", "kv list a"] {
        let said = refused(&env, words, 3);
        assert!(said.contains("shop.db") && said.contains("next: stripegym shop"), "{said}");
        assert!(!env.path().join(".stripegym/shop.db").exists());
    }
}

#[test]
fn a_file_that_is_no_database_of_a_shop_is_not_taken_for_the_ledger() {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    std::fs::create_dir_all(env.path().join(".stripegym")).unwrap();
    std::fs::write(env.path().join(".stripegym/shop.db"), [7; 8_192]).unwrap();
    let said = refused(&env, "order list", 3);
    assert!(
        said.contains("The shop's database")
            && said.contains("damaged")
            && said.contains("shop.db"),
        "{said}"
    );
    assert!(said.contains("stripegym shop begins a new one") && !said.contains("ledger"), "{said}");
}
