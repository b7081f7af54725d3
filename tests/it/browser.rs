//! The hosted pages as a person meets them: headless Chromium pays, fails, turns back, in both languages.
//! Each page is kept as a picture under `test-artefacts/`.

mod billing;
mod creem;
mod elements;
mod merchant;
mod pages;
mod wallet;

use crate::env::{Env, Sandbox};
use crate::shop::listen;
use crate::webdriver::Browser;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// A shop's server that says `SHOP` to everything, so that redirects arrive somewhere.
struct Shop(u16);

impl Shop {
    fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                // Whatever is asked, the answer is the same; a browser that hangs up is no failure.
                drop(stream.read(&mut [0; 4096]));
                let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\
                    Content-Length: 4\r\n\r\nSHOP";
                drop(stream.write_all(answer));
            }
        });
        Self(port)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.0)
    }
}

/// Everything that one story needs.
struct Stage {
    sandbox: Sandbox,
    shop: Shop,
    browser: Browser,
    lang: &'static str,
    _env: Env,
}

impl Stage {
    fn set(lang: &'static str) -> Self {
        let env = Env::new();
        let sandbox = env.sandbox(&["--ephemeral"]);
        let browser = Browser::start(&env, lang);
        Self { sandbox, shop: Shop::open(), browser, lang, _env: env }
    }

    fn session(&self, more: &[(&str, &str)]) -> Value {
        let success = self.shop.url("success?session_id={CHECKOUT_SESSION_ID}");
        let cancel = self.shop.url("cancel");
        let name = if self.lang == "ja" { "宇治抹茶セット" } else { "Uji matcha set" };
        let mut form = vec![
            ("mode", "payment"),
            ("success_url", success.as_str()),
            ("cancel_url", cancel.as_str()),
            ("line_items[0][price_data][currency]", "jpy"),
            ("line_items[0][price_data][unit_amount]", "1200"),
            ("line_items[0][price_data][product_data][name]", name),
            ("line_items[0][quantity]", "2"),
        ];
        form.extend_from_slice(more);
        self.sandbox.api.make("/v1/checkout/sessions", &form)
    }

    fn open(&mut self, more: &[(&str, &str)]) -> Value {
        let session = self.session(more);
        self.browser.open(session["url"].as_str().unwrap());
        session
    }

    fn fill_card(&mut self, number: &str) {
        self.browser.fill("#email", "aki@example.com");
        if self.browser.has("#method-card") {
            self.browser.click("#method-card");
        }
        self.browser.fill("#number", number);
        self.browser.fill("#expiry", "12 / 34");
        self.browser.fill("#cvc", "123");
        self.browser.fill("#name", "AKI SATO");
    }

    fn pay(&mut self) {
        self.browser.click("main button[type=submit]");
    }

    fn picture(&mut self, page: &str) {
        let name = format!("{page}-{}", self.lang);
        self.browser.keep_picture(&name);
        assert_eq!(self.browser.too_wide_for_a_phone(), 0, "{page} is wider than a phone");
    }

    fn now(&self, session: &Value) -> Value {
        let id = session["id"].as_str().unwrap();
        self.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"))
    }

    fn arrive_paid(&mut self, session: &Value) {
        let url = self.browser.arrive("/success?session_id=");
        assert!(url.ends_with(session["id"].as_str().unwrap()), "{url}");
        let now = self.now(session);
        assert_eq!((&now["status"], &now["payment_status"]), (&"complete".into(), &"paid".into()));
    }
}

/// Pays with a card that works.
fn pays(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let session = stage.open(&[]);
    let text = stage.browser.reads("2,400");
    let word = if lang == "ja" { "カード番号" } else { "Card number" };
    assert!(text.contains(word), "{text}");
    assert_eq!(stage.browser.script("return document.documentElement.lang"), lang);
    stage.picture("checkout");
    stage.fill_card("4242 4242 4242 4242");
    stage.picture("checkout-filled");
    stage.pay();
    stage.arrive_paid(&session);
    // The page of a session that is over.
    stage.browser.open(session["url"].as_str().unwrap());
    stage.picture("complete");
    assert!(!stage.browser.has("#number"), "a paid session cannot be paid again");
}

/// Is declined, is told why, and pays with another card on the same page.
fn is_declined(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let session = stage.open(&[]);
    stage.fill_card("4000000000009995");
    stage.pay();
    stage.browser.reads(if lang == "ja" { "利用可能額" } else { "insufficient funds" });
    stage.picture("declined");
    let open = stage.now(&session);
    assert_eq!((&open["status"], &open["payment_status"]), (&"open".into(), &"unpaid".into()));
    let page = stage.browser.script("return document.documentElement.outerHTML");
    assert!(!page.as_str().unwrap().contains("4000000000009995"), "the number is not sent back");
    stage.fill_card("4242424242424242");
    stage.pay();
    stage.arrive_paid(&session);
}

/// Leaves fields empty and is told at each of them.
fn forgets(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let session = stage.open(&[]);
    // As a browser without the checks of its own would send it.
    stage.browser.script("for (const form of document.forms) form.noValidate = true");
    stage.pay();
    stage.browser.reads(if lang == "ja" { "メール" } else { "mail" });
    let wrong =
        stage.browser.script("return document.querySelectorAll('[aria-invalid=true]').length");
    assert!(wrong.as_u64().unwrap() >= 4, "{wrong} fields are marked");
    stage.picture("incomplete");
    assert_eq!(stage.now(&session)["status"], "open");
}

/// Passes the bank's challenge, having failed it once.
fn is_challenged(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let session = stage.open(&[]);
    stage.fill_card("4000002760003184");
    stage.pay();
    stage.browser.reads("3-D Secure");
    stage.picture("challenge");
    stage.browser.click("button[value=fail]");
    stage.browser.find_field("#number");
    stage.picture("challenge-failed");
    assert_eq!(stage.now(&session)["payment_status"], "unpaid");
    stage.fill_card("4000002760003184");
    stage.pay();
    stage.browser.click("button[value=pass]");
    stage.arrive_paid(&session);
}

/// Chooses to pay at a convenience store, later.
fn pays_by_konbini(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let types = [
        ("allowed_payment_method_types[0]", "card"),
        ("allowed_payment_method_types[1]", "konbini"),
    ];
    let session = stage.open(&types);
    stage.browser.fill("#email", "succeed_immediately@example.com");
    stage.browser.click("#method-konbini");
    stage.browser.fill("#konbini_name", "佐藤 亜紀");
    stage.picture("konbini");
    stage.pay();
    let now = crate::env::eventually("the session completes", || {
        let now = stage.now(&session);
        (now["status"] == "complete").then_some(now)
    });
    stage.picture("konbini-voucher");
    let reference = now["payment_intent"].as_str().unwrap();
    let intent = format!("/v1/payment_intents/{reference}");
    crate::env::eventually("the store reports the payment", || {
        (stage.sandbox.api.read(&intent)["status"] == "succeeded").then_some(())
    });
    assert_eq!(stage.now(&session)["payment_status"], "paid");
}

/// Turns back, and later finds the session expired.
fn turns_back(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let session = stage.open(&[]);
    let cancel = stage.shop.url("cancel");
    stage.browser.click(&format!("a[href='{cancel}']"));
    stage.browser.arrive("/cancel");
    assert_eq!(stage.now(&session)["status"], "open");
    let path = format!("/v1/checkout/sessions/{}/expire", session["id"].as_str().unwrap());
    stage.sandbox.api.make(&path, &[]);
    stage.browser.open(session["url"].as_str().unwrap());
    stage.picture("expired");
    assert!(!stage.browser.has("#number"), "an expired session cannot be paid");
    let unknown = session["url"].as_str().unwrap().replace("cs_test_", "cs_test_x");
    stage.browser.open(&unknown);
    stage.picture("unknown");
}

/// Uses a phone, and the keyboard alone.
fn fits_a_phone(lang: &'static str) {
    let mut stage = Stage::set(lang);
    stage.open(&[]);
    stage.browser.narrow();
    stage.picture("checkout-phone");
    let nameless = stage.browser.script(
        "return [...document.querySelectorAll('input:not([type=hidden]), select')]\
         .filter(it => it.labels.length === 0 && !it.getAttribute('aria-label')).map(it => it.id)",
    );
    assert_eq!(nameless, Value::Array(Vec::new()), "every field has a label");
    let scripts = stage.browser.script("return document.scripts.length");
    assert_eq!(scripts, 0, "the page works without scripts");
}

/// Types a code, takes an extra, and pays what the page then says; on a phone nothing is too wide.
fn changes_the_order(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let api = &stage.sandbox.api;
    api.make("/v1/coupons", &[("id", "TEN"), ("percent_off", "10"), ("name", "SPRING −10%")]);
    let code = [("promotion[type]", "coupon"), ("promotion[coupon]", "TEN"), ("code", "SPRING")];
    api.make("/v1/promotion_codes", &code);
    let cup = [("currency", "jpy"), ("unit_amount", "300"), ("product_data[name]", "Cup")];
    let cup = api.make("/v1/prices", &cup);
    let session = stage.open(&[
        ("allow_promotion_codes", "true"),
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("optional_items[0][price]", cup["id"].as_str().unwrap()),
        ("optional_items[0][quantity]", "1"),
        ("shipping_options[0][shipping_rate_data][display_name]", "Post"),
        ("shipping_options[0][shipping_rate_data][type]", "fixed_amount"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][amount]", "500"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][currency]", "jpy"),
        ("tax_id_collection[enabled]", "true"),
    ]);
    stage.browser.reads("2,900");
    stage.browser.fill("#code", "nope");
    stage.browser.click("button[value=apply_code]");
    stage.browser.reads(if lang == "ja" { "使えません" } else { "invalid" });
    stage.picture("order-code-refused");
    stage.browser.fill("#code", "spring");
    stage.browser.click("button[value=apply_code]");
    stage.browser.reads("2,660");
    stage.browser.click("button[name=add]");
    stage.browser.reads("2,930");
    stage.picture("order");
    stage.browser.narrow();
    stage.picture("order-phone");
    stage.fill_card("4242 4242 4242 4242");
    stage.pay();
    stage.arrive_paid(&session);
    assert_eq!(stage.now(&session)["amount_total"], 2_930);
}

/// Saves a card that asks for its owner, and comes to a link that is closed.
fn saves_a_card(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let success = stage.shop.url("success?session_id={CHECKOUT_SESSION_ID}");
    let form = [("mode", "setup"), ("currency", "jpy"), ("success_url", success.as_str())];
    let session = stage.sandbox.api.make("/v1/checkout/sessions", &form);
    stage.browser.open(session["url"].as_str().unwrap());
    stage.picture("setup");
    stage.fill_card("4000 0027 6000 3184");
    stage.pay();
    stage.browser.arrive("/3ds/seti_");
    stage.browser.click("button[value=pass]");
    stage.browser.arrive("/success?session_id=");
    assert_eq!(stage.now(&session)["status"], "complete");
    let cup = [("currency", "jpy"), ("unit_amount", "300"), ("product_data[name]", "Cup")];
    let cup = stage.sandbox.api.make("/v1/prices", &cup);
    let form =
        [("line_items[0][price]", cup["id"].as_str().unwrap()), ("line_items[0][quantity]", "1")];
    let link = stage.sandbox.api.make("/v1/payment_links", &form);
    stage.browser.open(link["url"].as_str().unwrap());
    stage.browser.reads("300");
    let path = format!("/v1/payment_links/{}", link["id"].as_str().unwrap());
    stage.sandbox.api.make(&path, &[("active", "false")]);
    stage.browser.open(link["url"].as_str().unwrap());
    stage.picture("link-closed");
}

/// Looks at what is no payment: the sandbox's own page, the shop's, an account that is set up, a report.
fn looks_around(lang: &'static str) {
    let env = Env::new().with("STRIPEGYM_LANG", lang);
    let sandbox = env.sandbox(&[]);
    let (_listener, port) = listen(&env);
    let mut browser = Browser::start(&env, lang);
    let account = sandbox.api.make("/v1/accounts", &[("type", "express"), ("country", "JP")]);
    let link = sandbox.api.make(
        "/v1/account_links",
        &[
            ("account", account["id"].as_str().unwrap()),
            ("type", "account_onboarding"),
            ("refresh_url", "https://example.com/again"),
            ("return_url", "https://example.com/back"),
        ],
    );
    let report = env.path().join("report.html");
    env.ok(&["report", "--format", "html", "--out", report.to_str().unwrap()]);
    let shop = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for (name, url) in [
        ("home", format!("{}/", sandbox.url)),
        ("onboarding", link["url"].as_str().unwrap().to_owned()),
        ("shop", shop("/")),
        ("shop-success", shop("/success?session_id=cs_test_a1b2c3d4e5f6g7h8i9j0")),
        ("shop-cancel", shop("/cancel")),
        ("shop-ledger", shop("/ledger")),
        ("report", format!("file://{}", report.display())),
    ] {
        browser.open(&url);
        browser.keep_picture(&format!("{name}-{lang}"));
        assert_eq!(browser.too_wide_for_a_phone(), 0, "{name} is wider than a phone");
    }
}

macro_rules! stories {
    ($($english:ident, $japanese:ident, $story:path;)*) => {$(
        #[test]
        #[ignore = "needs Chromium: ./test"]
        fn $english() {
            $story("en");
        }

        #[test]
        #[ignore = "needs Chromium: ./test"]
        fn $japanese() {
            $story("ja");
        }
    )*};
}

stories! {
    pays_in_english, pays_in_japanese, pays;
    is_declined_in_english, is_declined_in_japanese, is_declined;
    forgets_in_english, forgets_in_japanese, forgets;
    is_challenged_in_english, is_challenged_in_japanese, is_challenged;
    pays_by_konbini_in_english, pays_by_konbini_in_japanese, pays_by_konbini;
    turns_back_in_english, turns_back_in_japanese, turns_back;
    changes_the_order_in_english, changes_the_order_in_japanese, changes_the_order;
    buys_at_creem_in_english, buys_at_creem_in_japanese, creem::buys_and_cancels;
    confirms_a_renewal_in_english, confirms_a_renewal_in_japanese, billing::confirms_a_renewal;
    manages_in_english, manages_in_japanese, billing::manages;
    pays_a_renewal_in_english, pays_a_renewal_in_japanese, billing::pays_a_renewal;
    saves_a_card_in_english, saves_a_card_in_japanese, saves_a_card;
    subscribes_in_english, subscribes_in_japanese, billing::subscribes;
    looks_around_in_english, looks_around_in_japanese, looks_around;
    fits_a_phone_in_english, fits_a_phone_in_japanese, fits_a_phone;
}
