//! Every page of the merchant's application on the smallest phone, without a script, in both languages: nothing is wider
//! than the screen, every control is reached and every form filled in by keyboard, and the console stays silent.

use crate::env::Env;
use crate::merchant_keys::{return_path, upgrade};
use crate::merchant_routes::pages;
use crate::shopper::{PASSWORD, Shop, Shopper, within};
use crate::webdriver::{Browser, ENTER, TAB};
use serde_json::json;
use std::collections::BTreeSet;

/// What a keyboard can reach of a page; a number each, in the page's order.
const CONTROLS: &str = "
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea')];
    const isShown = (it) => it.checkVisibility() && it.getClientRects().length > 0;
    const controls = all.filter(isShown);";

/// Somebody before the shop with a phone that runs no scripts.
struct Visitor {
    shop: Shop,
    browser: Browser,
    lang: &'static str,
    /// The paths whose pages were looked at.
    seen: BTreeSet<String>,
    _env: Env,
}

impl Visitor {
    fn before(shop: Shop, lang: &'static str) -> Self {
        let env = Env::new();
        let mut browser = Browser::start(&env, lang);
        browser.without_scripts();
        browser.narrow();
        Self { shop, browser, lang, seen: BTreeSet::new(), _env: env }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.shop.port)
    }

    /// Opens a page and holds it to what every page keeps; `name` is that of its picture.
    fn look(&mut self, path: &str, name: &str) {
        self.browser.open(&self.url(path));
        self.seen.insert(path.split('?').next().unwrap().to_owned());
        self.hold(name);
    }

    /// Holds the page that is shown.
    fn hold(&mut self, name: &str) {
        let here = within(&self.browser.url());
        self.seen.insert(here.split('?').next().unwrap().to_owned());
        assert_eq!(
            self.browser.script("return document.documentElement.lang"),
            self.lang,
            "{name}"
        );
        let wide = "const root = document.documentElement; return [innerWidth, root.scrollWidth, root.clientWidth]";
        assert_eq!(
            self.browser.script(wide),
            json!([360, 360, 360]),
            "{name} is wider than a phone"
        );
        let headings = self.browser.script("return document.querySelectorAll('h1').length");
        assert_eq!(headings, 1, "{name} says once what it is");
        self.rows(name);
        self.walk(name);
        self.browser.keep_picture(&format!("phone-{name}-{}", self.lang));
        let url = self.browser.url();
        for said in self.browser.console() {
            // That a page is not there, or not yours, is what its status says.
            let is_status =
                said.contains(&url) && said.contains("the server responded with a status of 4");
            assert!(is_status, "{name}: {said}");
        }
    }

    /// Words of tables stand on one line: a column that is too narrow would break them anywhere.
    fn rows(&mut self, name: &str) {
        let broken = "
            const lines = (cell) => {
                const range = document.createRange();
                range.selectNodeContents(cell);
                return new Set([...range.getClientRects()].map((it) => Math.round(it.top))).size;
            };
            const cells = [...document.querySelectorAll('td:not(.drawn), th')].filter((it) => it.checkVisibility());
            const short = cells.filter((it) => !/\\s/.test(it.textContent.trim()) && it.textContent.length < 25);
            return short.filter((it) => lines(it) > 1).map((it) => it.textContent)";
        assert_eq!(self.browser.script(broken), json!([]), "{name}: words that are broken");
        let outside = "
            const inner = [...document.querySelectorAll('main .card *, main td')];
            return inner.filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > 361 - 8).map((it) => it.outerHTML.slice(0, 90))";
        assert_eq!(self.browser.script(outside), json!([]), "{name}: what stands out of the page");
    }

    /// Goes through the page with the Tab key: each control comes once, is seen, and shows that it has the focus.
    fn walk(&mut self, name: &str) {
        let begin = format!(
            "{CONTROLS} document.activeElement?.blur(); window.scrollTo(0, 0);
             getSelection().removeAllRanges(); return controls.length"
        );
        let count = self.browser.script(&begin).as_u64().unwrap();
        let here = format!(
            "{CONTROLS} const it = document.activeElement; const box = it.getBoundingClientRect();
             const inView = box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth + 1;
             const style = getComputedStyle(it);
             return [controls.indexOf(it), inView, style.outlineStyle !== 'none', it.outerHTML.slice(0, 200)]"
        );
        let mut reached = BTreeSet::new();
        // A date or a number field may take a stop or two more; a field that cannot be left would take them all.
        for _ in 0..count * 2 + 2 {
            self.browser.press(TAB);
            let now = self.browser.script(&here);
            let Some(at) = now[0].as_u64() else { continue };
            assert_eq!((&now[1], &now[2]), (&json!(true), &json!(true)), "{name}: {now}");
            reached.insert(at);
            if reached.len() as u64 == count {
                break;
            }
        }
        assert_eq!(reached.len() as u64, count, "{name}: reached {reached:?}");
    }

    /// Fills in the form whose first field is this one and sends it, by keyboard alone.
    fn type_form(&mut self, first: &str, texts: &[&str]) {
        self.browser.script(&format!("document.querySelector('{first}').focus()"));
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.browser.press(TAB);
            }
            for letter in text.chars() {
                self.browser.press(letter);
            }
        }
        self.browser.press(ENTER);
    }

    /// Presses the button of a page by keyboard.
    fn press(&mut self, button: &str) {
        self.browser.find_field(button);
        self.browser.script(&format!("document.querySelector('{button}').focus()"));
        self.browser.press(ENTER);
    }
}

/// What a buyer has who was here before: orders, a subscription, two cards.
fn furnish(shop: &Shop) -> Shopper {
    let mut aki = shop.shopper("aki.sato.with.a.rather.long.address");
    for plan in ["shop_credits_small", "shop_credits_large", "shop_monthly"] {
        let session = aki.begin(&shop.price(plan));
        shop.pay(&session);
        aki.verify(&session).ok();
    }
    let user: String = shop.asked("SELECT id FROM users");
    shop.env.ok(&["kv", "set", "shop", "owner", &user]);
    let sql = "SELECT value FROM kv WHERE namespace = 'stripe_customer'";
    let customer: String = shop.asked(sql);
    for card in ["pm_card_visa", "pm_card_mastercard"] {
        let path = format!("/v1/payment_methods/{card}/attach");
        shop.sandbox.api.make(&path, &[("customer", &customer)]);
    }
    aki
}

fn visits(lang: &'static str) {
    let shop = Shop::open();
    let mut aki = furnish(&shop);
    let paid = aki.begin(&shop.price("shop_credits_small"));
    shop.pay(&paid);
    let mut it = Visitor::before(shop, lang);
    // Nobody yet.
    for (path, name) in [
        ("/", "home"),
        ("/pricing", "prices-nobody"),
        ("/login", "login"),
        ("/signup", "signup"),
        ("/canceled_upgrade", "cancelled"),
        ("/nowhere", "nowhere"),
    ] {
        it.look(path, name);
    }
    // Refused, then let in, by keyboard.
    it.look("/signup?next=/account", "signup-next");
    it.type_form("#email", &["not an address", PASSWORD]);
    let odd = it.browser.script("return document.querySelector('#email').matches(':invalid')");
    assert_eq!(odd, true, "the browser itself refuses the address");
    it.look("/login?next=/account", "login-next");
    it.type_form(
        "#email",
        &["aki.sato.with.a.rather.long.address@example.com", "not the password"],
    );
    it.browser.find_field("#said");
    it.hold("login-refused");
    it.type_form("#email", &["", PASSWORD]);
    it.browser.arrive("/account");
    it.hold("account");
    let landing = format!("/payment/success?provider=stripe&session_id={paid}");
    for (path, name) in [
        ("/pricing", "prices"),
        (landing.as_str(), "success"),
        ("/payment/success?provider=stripe&session_id=cs_test_none", "success-unknown"),
        ("/cards", "cards"),
        ("/cards/added?setup_intent=seti_none", "card-unknown"),
        ("/pay", "pay"),
        ("/pay/done?payment_intent=pi_none", "pay-unknown"),
        ("/upgrade", "upgrade"),
        ("/thanks_upgrade", "thanks-waiting"),
        ("/create-api-key", "key-unknown"),
        ("/charts", "charts"),
    ] {
        it.look(path, name);
    }
    buys_a_key(&mut it, &mut aki);
    pays_and_keeps_cards(&mut it);
    of_a_newcomer(&mut it);
    // Every page of the shop's own table was among them.
    let unseen: Vec<_> = pages().into_iter().filter(|page| !it.seen.contains(page)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

/// The pages around a key of the API.
fn buys_a_key(it: &mut Visitor, aki: &mut Shopper) {
    let session = upgrade(&it.shop, aki);
    it.shop.pay(&session);
    it.look(&return_path(&it.shop, &session), "key-landed");
    it.browser.arrive("/thanks_upgrade");
    it.press("#show");
    it.browser.reads("gymkey_");
    it.hold("key");
    it.look("/upgrade", "upgraded");
}

/// The forms whose subject is Stripe.js: without a script they say so.
fn pays_and_keeps_cards(it: &mut Visitor) {
    it.browser.open(&it.url("/pay"));
    it.type_form("#amount", &["0"]);
    it.browser.find_field("main noscript");
    it.hold("pay-form");
    it.browser.open(&it.url("/cards"));
    it.press("#add");
    it.browser.find_field("main noscript");
    it.hold("card-form");
    let button = "return document.querySelector('#confirm').checkVisibility()";
    assert_eq!(it.browser.script(button), false, "no button that does nothing");
    // The language of a page that a form led to is changed as on any other.
    let other = if it.lang == "ja" { "en" } else { "ja" };
    it.press(&format!("footer a[lang={other}]"));
    it.browser.find_field(&format!("html[lang={other}] #add"));
    it.press(&format!("footer a[lang={}]", it.lang));
    it.browser.find_field(&format!("html[lang={}] #add", it.lang));
    it.browser.open(&it.url("/pricing"));
    it.type_form("#code-credits-small", &["NOPE"]);
    it.browser.find_field("main .card.narrow");
    it.hold("code-refused");
}

/// The same pages where there is nothing yet.
fn of_a_newcomer(it: &mut Visitor) {
    it.browser.open(&it.url("/account"));
    it.press("header button");
    it.browser.find_field("header a[href='/login']");
    it.look("/signup?next=/cards", "signup-again");
    it.type_form("#email", &["new@example.com", PASSWORD]);
    it.browser.arrive("/cards");
    it.hold("cards-none");
    for (path, name) in [
        ("/account", "account-empty"),
        ("/mypage", "my-page-none"),
        ("/mypage?flow=subscription_cancel", "my-page-flow"),
        ("/upgrade", "upgrade-new"),
        ("/thanks_upgrade", "thanks-none"),
        ("/charts", "charts-closed"),
    ] {
        it.look(path, name);
    }
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn every_page_of_the_shop_fits_a_phone_and_a_keyboard_without_scripts() {
    for lang in ["en", "ja"] {
        visits(lang);
    }
}
