//! The merchant's application as a person meets it: on a phone, without a script, in both languages.

use crate::env::Env;
use crate::shop::port_of;
use crate::webdriver::Browser;

/// Makes an account, buys credits with a code on the provider's page, and finds them.
fn buys(lang: &'static str) {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let coupon = [("id", "HALF"), ("percent_off", "50"), ("duration", "once")];
    sandbox.api.make("/v1/coupons", &coupon);
    let mut shop = env.start(&["shop", "--port", "0", "--json"]);
    let url = format!("http://127.0.0.1:{}", port_of(&mut shop));
    let mut browser = Browser::start(&env, lang);
    let picture = |browser: &mut Browser, page: &str| {
        browser.keep_picture(&format!("shop-{page}-{lang}"));
        assert_eq!(browser.too_wide_for_a_phone(), 0, "{page} is wider than a phone");
    };
    let ja = lang == "ja";
    browser.open(&format!("{url}/account"));
    browser.arrive("/login?next=");
    assert_eq!(browser.script("return document.documentElement.lang"), lang);
    picture(&mut browser, "login");
    browser.open(&format!("{url}/signup?next=/pricing"));
    picture(&mut browser, "signup");
    browser.fill("#email", "aki@example.com");
    browser.fill("#password", "a long enough one");
    browser.click("main button");
    browser.arrive("/pricing");
    let prices = browser.reads("¥1,200");
    assert!(prices.contains(if ja { "月額プラン" } else { "Monthly" }), "{prices}");
    picture(&mut browser, "pricing");
    browser.fill("#code-credits-small", "NOPE");
    browser.click("[aria-labelledby=plan-credits-small] button");
    browser.reads(if ja { "このコードは利用できません" } else { "not valid" });
    picture(&mut browser, "refused");
    browser.open(&format!("{url}/pricing"));
    browser.fill("#code-credits-small", "HALF");
    browser.click("[aria-labelledby=plan-credits-small] button");
    browser.reads("250");
    browser.fill("#number", "4242424242424242");
    browser.fill("#expiry", "12 / 34");
    browser.fill("#cvc", "123");
    if browser.has("#name") {
        browser.fill("#name", "AKI SATO");
    }
    browser.click("main button[type=submit]");
    browser.arrive("/payment/success?session_id=");
    let landed = browser.reads(if ja { "お支払いが完了しました" } else { "Thank you" });
    assert!(landed.contains("¥250") && landed.contains("order_"), "{landed}");
    picture(&mut browser, "success");
    browser.open(&format!("{url}/account"));
    let account = browser.reads("¥250");
    assert!(account.contains("+100"), "{account}");
    picture(&mut browser, "account");
    buys_through_creem(&env, &mut browser, &url, ja);
    picture(&mut browser, "charts");
    // The other language, and back out.
    browser.click(if ja { "footer a[lang=en]" } else { "footer a[lang=ja]" });
    browser.reads(if ja { "My account" } else { "マイアカウント" });
    browser.click("header button");
    browser.find_field("header a[href='/login']");
    browser.open(&format!("{url}/account"));
    browser.arrive("/login?next=");
}

/// Buys from the second provider on its own page, and looks at the charts, which are for the owner alone.
fn buys_through_creem(env: &Env, browser: &mut Browser, url: &str, ja: bool) {
    browser.open(&format!("{url}/pricing"));
    browser.click("[aria-labelledby=plan-creem-credits] button");
    browser.arrive("/creem/checkout/");
    browser.fill("#email", "aki@example.com");
    browser.fill("#number", "4242424242424242");
    browser.fill("#expiry", "12 / 34");
    browser.fill("#cvc", "123");
    browser.fill("#name", "AKI SATO");
    browser.click("#pay");
    browser.arrive("/payment/success?provider=creem");
    let landed = browser.reads(if ja { "お支払いが完了しました" } else { "Thank you" });
    assert!(landed.contains("$9.00") && landed.contains("order_"), "{landed}");
    browser.keep_picture(&format!("shop-success-creem-{}", if ja { "ja" } else { "en" }));
    browser.open(&format!("{url}/charts"));
    let told = browser.reads("kv set shop owner user_");
    let user = told.split_whitespace().find(|word| word.starts_with("user_")).unwrap().to_owned();
    env.ok(&["kv", "set", "shop", "owner", &user]);
    browser.open(&format!("{url}/charts"));
    browser.reads(if ja { "支払いの成功率" } else { "Payments that succeeded" });
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_buyer_without_scripts_buys_credits_in_both_languages() {
    buys("en");
    buys("ja");
}
