//! The merchant application as a person meets it: an account, a card that is kept, a payment by a form of the shop's
//! own, keys of the API.

use crate::env::Env;
use crate::shopper::Shop;
use crate::webdriver::Browser;

struct Page {
    shop: Shop,
    browser: Browser,
    lang: &'static str,
    _env: Env,
}

impl Page {
    /// Somebody who has just made an account.
    fn set(lang: &'static str) -> Self {
        let shop = Shop::open();
        let env = Env::new();
        let browser = Browser::start(&env, lang);
        let mut page = Self { shop, browser, lang, _env: env };
        page.open("/signup");
        page.browser.fill("#email", "aki@example.com");
        page.browser.fill("#password", "correct horse battery");
        page.browser.click("main button");
        page.browser.arrive("/account");
        page
    }

    fn open(&mut self, path: &str) {
        self.browser.open(&format!("http://127.0.0.1:{}{path}", self.shop.port));
    }

    /// Types a card into the provider's frame and confirms.
    fn card(&mut self, number: &str) {
        self.browser.enter("#card iframe");
        for (name, text) in [("number", number), ("expiry", "12/34"), ("cvc", "123")] {
            self.browser.fill(&format!("[name='{name}']"), text);
        }
        if self.lang == "en" {
            // Cards of the country that is chosen first there are asked for it.
            self.browser.fill("[name='postalCode']", "94103");
        }
        self.browser.leave_frames();
        self.browser.click("#confirm");
    }

    fn keep_picture(&mut self, name: &str) {
        let name = format!("merchant-{name}-{}", self.lang);
        self.browser.keep_picture(&name);
        assert_eq!(self.browser.too_wide_for_a_phone(), 0, "{name}");
    }
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_card_is_kept_and_a_payment_is_declined_authenticated_and_made() {
    for lang in ["en", "ja"] {
        let mut page = Page::set(lang);
        let said = |en: &'static str, ja: &'static str| if lang == "ja" { ja } else { en };
        page.open("/cards");
        page.browser.click("#add");
        page.card("4242424242424242");
        page.browser.arrive("/cards");
        page.browser.reads(said("visa ending in 4242", "visa 末尾 4242"));
        page.keep_picture("cards");
        page.open("/pay");
        page.keep_picture("pay");
        page.browser.click("main button");
        page.browser.find_field("#card iframe");
        page.keep_picture("card-form");
        page.card("4000000000000002");
        page.browser.reads("Your card was declined.");
        page.open("/pay");
        page.browser.click("main button");
        page.card("4000000000003220");
        page.browser.enter("[name=__privateStripeFrameChallenge]");
        page.browser.click("#pass");
        page.browser.leave_frames();
        let url = page.browser.arrive("/pay/done");
        assert!(url.contains("redirect_status=succeeded"), "{url}");
        page.browser.reads(said("¥1,200 is paid", "¥1,200 のお支払いが完了"));
        page.keep_picture("paid");
    }
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_key_is_shown_once_and_read_on_a_phone() {
    for lang in ["en", "ja"] {
        let mut page = Page::set(lang);
        page.open("/upgrade");
        page.keep_picture("upgrade");
        page.browser.click("#upgrade");
        page.browser.arrive("/c/pay/");
        let all = page.shop.sandbox.api.read("/v1/checkout/sessions?limit=1");
        let session = all["data"][0].clone();
        let id = session["id"].as_str().unwrap();
        page.shop.pay(id);
        let back = session["success_url"].as_str().unwrap();
        page.browser.open(&back.replace("{CHECKOUT_SESSION_ID}", id));
        page.browser.arrive("/thanks_upgrade");
        page.keep_picture("thanks");
        page.browser.click("#show");
        page.browser.reads("gymkey_");
        page.keep_picture("key");
        page.open("/thanks_upgrade");
        assert!(!page.browser.has("#key"), "it is shown once");
        assert!(page.browser.has("#replace"));
    }
}
