//! A merchant's own page with Stripe.js, which the sandbox serves: elements, confirmations, 3-D Secure above the page.

use crate::env::{Env, Sandbox};
use crate::webdriver::Browser;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What every page of these stories begins with: the elements, and where their results are written.
const PAGE: &str = r#"<!doctype html>
<html lang="LANG"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Shop</title>
<style>body{font:16px sans-serif;max-width:30rem;margin:1rem auto;padding:0 1rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
.box{border:1px solid #8491a3;border-radius:6px;padding:.7rem;margin:.5rem 0}
.StripeElement--invalid{border-color:#b3151f}.StripeElement--focus{border-color:#0b57c2}</style>
<script src="SANDBOX/endive/stripe.js"></script>
<div id="one" class="box"></div><div id="two" class="box"></div><div id="three" class="box"></div>
<button id="go">Go</button><pre id="said"></pre>
<script>
const stripe = Stripe("pk_test_page1234", { locale: "LANG" });
const say = (text) => { document.getElementById("said").textContent += text + "\n"; };
const told = (it) => say(it.error
  ? [it.error.type, it.error.code, it.error.message].join(" | ")
  : Object.values(it).map((o) => `${o.object} ${o.status ?? o.id} ${o.type ?? ""}`).join());
const go = (act) => { document.getElementById("go").onclick = () => act().then(told, (e) => say(`${e.name}: ${e.message}`)); };
SCRIPT
</script>"#;

struct Page {
    sandbox: Sandbox,
    browser: Browser,
    lang: &'static str,
    _env: Env,
}

impl Page {
    fn set(lang: &'static str) -> Self {
        let env = Env::new();
        let sandbox = env.sandbox(&["--ephemeral"]);
        let browser = Browser::start(&env, lang);
        Self { sandbox, browser, lang, _env: env }
    }

    /// Opens a page of the merchant's with a script of its own; the page's address.
    fn open(&mut self, script: &str) -> String {
        let html = PAGE
            .replace("SCRIPT", script)
            .replace("SANDBOX", &self.sandbox.url)
            .replace("LANG", self.lang);
        let url = format!("http://127.0.0.1:{}/", serve(html));
        self.browser.open(&url);
        url
    }

    fn intent(&self, more: &[(&str, &str)]) -> String {
        let mut form = vec![("amount", "1200"), ("currency", "jpy")];
        form.extend_from_slice(more);
        let intent = self.sandbox.api.make("/v1/payment_intents", &form);
        intent["client_secret"].as_str().unwrap().to_owned()
    }

    fn now(&self, secret: &str) -> Value {
        let id = secret.split("_secret_").next().unwrap();
        self.sandbox.api.read(&format!("/v1/payment_intents/{id}"))
    }

    /// Types into the inputs of the element in a box.
    fn fill(&mut self, place: &str, fields: &[(&str, &str)]) {
        self.browser.enter(&format!("#{place} iframe"));
        for (name, text) in fields {
            self.browser.fill(&format!("[name='{name}']"), text);
        }
        self.browser.leave_frames();
    }

    fn go(&mut self) {
        self.browser.click("#go");
    }
}

/// A merchant's server: `/` is its page, everything else says that one has arrived.
fn serve(page: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A browser that hangs up is no failure.
            drop(answer(&stream, &page));
        }
    });
    port
}

fn answer(mut stream: &TcpStream, page: &str) -> std::io::Result<()> {
    let mut first = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if first.is_empty() {
            first = line;
        }
    }
    let html = if first.starts_with("GET / ") { page } else { "ARRIVED" };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{html}", html.len())
}

const CARD: [(&str, &str); 4] = [
    ("cardnumber", "4242424242424242"),
    ("exp-date", "1234"),
    ("cvc", "123"),
    ("postal", "1000001"),
];

fn with_number(number: &str) -> [(&str, &str); 4] {
    let [(name, _), rest @ ..] = CARD;
    let [a, b, c] = rest;
    [(name, number), a, b, c]
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_card_element_pays_is_declined_and_asks_the_bank() {
    let mut page = Page::set("en");
    let secret = page.intent(&[]);
    let script = format!(
        "const card = stripe.elements().create('card'); card.mount('#one');
         card.on('change', (e) => {{ if (e.error) say(e.error.code); }});
         go(() => stripe.confirmCardPayment('{secret}', {{ payment_method: {{ card }} }}));"
    );
    page.open(&script);
    // What is not whole yet is told before anything is sent.
    page.fill("one", &[("cardnumber", "4242")]);
    page.go();
    page.browser.reads("validation_error | incomplete_number | Your card number is incomplete.");
    page.fill("one", &with_number("4000000000000002"));
    page.go();
    page.browser.reads("card_error | card_declined | Your card was declined.");
    page.fill("one", &with_number("4000000000003220"));
    page.go();
    page.browser.enter("[name=__privateStripeFrameChallenge]");
    page.browser.click("#fail");
    page.browser.leave_frames();
    page.browser.reads("payment_intent_authentication_failure");
    page.go();
    page.browser.enter("[name=__privateStripeFrameChallenge]");
    page.browser.click("#pass");
    page.browser.leave_frames();
    page.browser.reads("payment_intent succeeded");
    let paid = page.now(&secret);
    assert_eq!(paid["status"], "succeeded", "{paid}");
    assert!(!page.browser.has("[role=dialog]"), "the bank's page is gone");
    page.browser.keep_picture("elements-card-en");
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_payment_element_leads_to_the_return_address() {
    for (lang, number) in [("en", "4242424242424242"), ("ja", "4000000000003220")] {
        let mut page = Page::set(lang);
        let secret = page.intent(&[("automatic_payment_methods[enabled]", "true")]);
        let script = format!(
            "const elements = stripe.elements({{ clientSecret: '{secret}' }});
             elements.create('payment').mount('#one');
             elements.create('linkAuthentication').mount('#two');
             elements.create('address', {{ mode: 'billing' }}).mount('#three');
             go(() => stripe.confirmPayment({{ elements, confirmParams: {{ return_url: location.href + 'done?x=1' }} }}));"
        );
        page.open(&script);
        page.fill("two", &[("email", "aki@example.com")]);
        page.fill(
            "three",
            &[("name", "Aki Sato"), ("locality", "Kyoto"), ("addressLine1", "1-2-3")],
        );
        page.go();
        let incomplete = match lang {
            "ja" => "カード番号が最後まで入力されていません。",
            _ => "Your card number is incomplete.",
        };
        page.browser.reads(incomplete);
        page.fill("one", &[("number", number), ("expiry", "12/34"), ("cvc", "123")]);
        if lang == "en" {
            // Cards of the country that is chosen first there are asked for it.
            page.fill("one", &[("postalCode", "94103")]);
        }
        page.browser.keep_picture(&format!("elements-payment-{lang}"));
        assert_eq!(page.browser.too_wide_for_a_phone(), 0);
        page.go();
        if number != "4242424242424242" {
            page.browser.enter("[name=__privateStripeFrameChallenge]");
            page.browser.click("#pass");
            page.browser.leave_frames();
        }
        let url = page.browser.arrive("redirect_status=");
        assert!(url.contains("done?x=1&payment_intent=pi_"), "{url}");
        assert!(url.contains(&format!("payment_intent_client_secret={secret}")), "{url}");
        assert!(url.ends_with("redirect_status=succeeded"), "{url}");
        let paid = page.now(&secret);
        assert_eq!(paid["status"], "succeeded", "{paid}");
        let method = paid["payment_method"].as_str().unwrap();
        let method = page.sandbox.api.read(&format!("/v1/payment_methods/{method}"));
        let billing = &method["billing_details"];
        assert_eq!(billing["email"], "aki@example.com", "{billing}");
        assert_eq!(
            (&billing["name"], &billing["address"]["city"]),
            (&"Aki Sato".into(), &"Kyoto".into())
        );
    }
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn fields_that_stand_apart_make_one_card() {
    let mut page = Page::set("ja");
    page.open(
        "const elements = stripe.elements();
         const number = elements.create('cardNumber'); number.mount('#one');
         elements.create('cardExpiry').mount('#two'); elements.create('cardCvc').mount('#three');
         number.on('change', (e) => say(e.brand));
         go(() => stripe.createPaymentMethod({ type: 'card', card: number, billing_details: { name: 'Aki' } }));",
    );
    page.fill("one", &[("cardnumber", "5555555555554444")]);
    page.browser.reads("mastercard");
    page.fill("two", &[("exp-date", "0135")]);
    page.fill("three", &[("cvc", "123")]);
    page.go();
    let said = page.browser.reads("payment_method pm_");
    let id = said.split_whitespace().find(|it| it.starts_with("pm_")).unwrap();
    let method = page.sandbox.api.read(&format!("/v1/payment_methods/{id}"));
    assert_eq!(
        (&method["card"]["last4"], &method["card"]["exp_year"]),
        (&"4444".into(), &2035.into())
    );
    assert_eq!(method["billing_details"]["name"], "Aki");
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_card_is_kept_a_token_is_made_and_a_konbini_shows_its_voucher() {
    let mut page = Page::set("en");
    let setup = page.sandbox.api.make("/v1/setup_intents", &[("usage", "off_session")]);
    let setup = setup["client_secret"].as_str().unwrap().to_owned();
    page.open(&format!(
        "const card = stripe.elements().create('card', {{ hidePostalCode: true }}); card.mount('#one');
         go(async () => {{
           told(await stripe.createToken(card, {{ name: 'Aki' }}));
           return stripe.confirmCardSetup('{setup}', {{ payment_method: {{ card }} }});
         }});"
    ));
    let [number, expiry, cvc, _] = CARD;
    page.fill("one", &[number, expiry, cvc]);
    page.go();
    page.browser.reads("token tok_");
    page.browser.reads("setup_intent succeeded");

    let secret =
        page.intent(&[("payment_method_types[]", "konbini"), ("payment_method_types[]", "card")]);
    page.open(&format!(
        "const elements = stripe.elements({{ clientSecret: '{secret}' }});
         elements.create('payment').mount('#one');
         go(() => stripe.confirmPayment({{ elements, redirect: 'if_required' }}));"
    ));
    page.browser.enter("#one iframe");
    page.browser.click("[value=konbini]");
    page.browser.leave_frames();
    page.fill("one", &[("name", "Aki Sato"), ("email", "aki@example.com")]);
    page.go();
    page.browser.find_field("[role=dialog] iframe");
    page.browser.click("[role=dialog] button");
    page.browser.reads("payment_intent requires_action");
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn a_page_gathers_what_a_server_confirms_and_asks_the_bank_afterwards() {
    let mut page = Page::set("en");
    page.open(
        "const elements = stripe.elements({ mode: 'payment', amount: 1200, currency: 'jpy' });
         elements.create('payment').mount('#one');
         elements.create('address', { mode: 'shipping' }).mount('#two');
         stripe.createConfirmationToken({ elements }).catch((e) => say(`${e.name}: ${e.message}`));
         go(async () => {
           const { error } = await elements.submit();
           if (error) return { error };
           return stripe.createConfirmationToken({ elements, params: { return_url: location.href + 'done' } });
         });",
    );
    page.browser.reads("IntegrationError: elements.submit()");
    page.go();
    page.browser.reads("incomplete_number");
    page.fill("one", &[("number", "4000000000003220"), ("expiry", "12/34"), ("cvc", "123")]);
    page.fill("one", &[("postalCode", "94103")]);
    let kyoto = [("name", "Aki Sato"), ("locality", "Kyoto"), ("addressLine1", "1-2-3")];
    page.fill("two", &kyoto);
    page.go();
    let said = page.browser.reads("confirmation_token ctoken_");
    let token = said.split_whitespace().find(|it| it.starts_with("ctoken_")).unwrap().to_owned();
    let shown = page.sandbox.api.read(&format!("/v1/confirmation_tokens/{token}"));
    let preview = &shown["payment_method_preview"];
    assert_eq!((&preview["type"], &preview["card"]["last4"]), (&"card".into(), &"3220".into()));
    assert_eq!(shown["shipping"]["name"], "Aki Sato", "{shown}");
    assert!(preview.get("id").is_none() && !shown.to_string().contains("4000000000003220"));

    // The server confirms, and the page shows what the bank asks.
    let paid = page.sandbox.api.make(
        "/v1/payment_intents",
        &[
            ("amount", "1200"),
            ("currency", "jpy"),
            ("automatic_payment_methods[enabled]", "true"),
            ("confirm", "true"),
            ("confirmation_token", &token),
        ],
    );
    assert_eq!(paid["status"], "requires_action", "{paid}");
    assert_eq!(paid["next_action"]["type"], "use_stripe_sdk");
    let secret = paid["client_secret"].as_str().unwrap();
    page.open(&format!("go(() => stripe.handleNextAction({{ clientSecret: '{secret}' }}));"));
    page.go();
    page.browser.enter("[name=__privateStripeFrameChallenge]");
    page.browser.click("#pass");
    page.browser.leave_frames();
    page.browser.reads("payment_intent succeeded");
    let done = page.now(secret);
    assert_eq!(
        (&done["status"], &done["shipping"]["name"]),
        (&"succeeded".into(), &"Aki Sato".into())
    );
    let used = page.sandbox.api.read(&format!("/v1/confirmation_tokens/{token}"));
    assert_eq!(used["payment_intent"], done["id"]);
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn what_a_page_does_wrong_is_told_at_once() {
    let mut page = Page::set("en");
    page.open(
        "const tries = [() => Stripe(''), () => Stripe('sk_test_1234'), () => stripe.confirmPayment({ clientSecret: 'x' }),
           () => stripe.elements().create('nothing'), () => stripe.elements().create('card').mount('#nowhere'),
           () => stripe.verifyIdentity('x'), () => stripe.initCheckoutFormSdk({ clientSecret: 'x' }),
           () => stripe.initCheckoutElementsSdk({ clientSecret: 'x' }).createTaxIdElement()];
         (async () => { for (const it of tries) { try { await it(); say('went well'); } catch (e) { say(`${e.name}: ${e.message}`); } } say('over'); })();",
    );
    let said = page.browser.reads("over");
    assert_eq!(said.matches("IntegrationError: ").count(), 8, "{said}");
    for part in [
        "empty string",
        "secret key",
        "client_secret",
        "`nothing`",
        "#nowhere",
        "verifyIdentity",
        "initCheckoutFormSdk is not offered by the sandbox's Stripe.js. At Stripe it is a beta",
        "createTaxIdElement is not offered by the sandbox's Stripe.js. At Stripe it is a beta",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
}

/// A session that is paid within the merchant's page; its secret.
fn embedded(page: &Page, more: &[(&str, &str)]) -> String {
    let mut form = vec![
        ("mode", "payment"),
        ("ui_mode", "embedded_page"),
        ("line_items[0][price_data][currency]", "jpy"),
        ("line_items[0][price_data][unit_amount]", "1200"),
        ("line_items[0][price_data][product_data][name]", "Uji matcha set"),
        ("line_items[0][quantity]", "1"),
    ];
    form.extend_from_slice(more);
    let session = page.sandbox.api.make("/v1/checkout/sessions", &form);
    session["client_secret"].as_str().unwrap().to_owned()
}

/// Pays in the frame with a card.
fn pay_within(page: &mut Page, number: &str) {
    page.browser.enter("#one iframe");
    let fields =
        [("#email", "aki@example.com"), ("#number", number), ("#expiry", "12/34"), ("#cvc", "123")];
    for (field, text) in fields {
        page.browser.fill(field, text);
    }
    page.browser.fill("#name", "AKI SATO");
    page.browser.click("main button[type=submit]");
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn checkout_within_the_page_leads_to_the_return_address() {
    let mut page = Page::set("en");
    let back = format!("http://127.0.0.1:{}/done?s={{CHECKOUT_SESSION_ID}}", serve(String::new()));
    let secret = embedded(&page, &[("return_url", &back)]);
    page.open(&format!(
        "const fetchClientSecret = async () => '{secret}';
         stripe.createEmbeddedCheckoutPage({{ fetchClientSecret }}).then((it) => it.mount('#one'));"
    ));
    page.browser.enter("#one iframe");
    page.browser.find_field("#number");
    page.browser.leave_frames();
    page.browser.keep_picture("embedded-checkout-en");
    assert_eq!(page.browser.too_wide_for_a_phone(), 0);
    pay_within(&mut page, "4242424242424242");
    page.browser.leave_frames();
    let url = page.browser.arrive("/done?s=");
    let id = secret.split("_secret_").next().unwrap();
    assert!(url.ends_with(&format!("/done?s={id}")), "{url}");
    let session = page.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&"complete".into(), &"paid".into())
    );
}

#[test]
#[ignore = "needs Chromium: ./test"]
fn checkout_within_the_page_asks_the_bank_and_tells_the_page() {
    let mut page = Page::set("ja");
    let secret = embedded(&page, &[("redirect_on_completion", "never")]);
    page.open(&format!(
        "stripe.initEmbeddedCheckout({{ clientSecret: '{secret}', onComplete: () => say('complete') }})
           .then((it) => {{ it.mount('#one'); go(async () => {{ it.destroy(); return {{ o: {{ object: 'destroyed' }} }}; }}); }});"
    ));
    pay_within(&mut page, "4000000000000002");
    page.browser.find_field("#problem");
    page.browser.leave_frames();
    pay_within(&mut page, "4000000000003220");
    page.browser.click("#pass");
    page.browser.leave_frames();
    page.browser.reads("complete");
    page.browser.keep_picture("embedded-checkout-ja");
    let id = secret.split("_secret_").next().unwrap();
    let session = page.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&"complete".into(), &"paid".into())
    );
    page.go();
    page.browser.reads("destroyed");
    assert!(!page.browser.has("#one iframe"));
}

/// What is typed into a payment element.
const fn owns(number: &str) -> [(&str, &str); 4] {
    [("number", number), ("expiry", "12/34"), ("cvc", "123"), ("postalCode", "94103")]
}

/// What the merchant's own page of a session begins with: its elements, its sum, and what becomes of it.
const OWN_CHECKOUT: &str = r##"
const checkout = stripe.initCheckoutElementsSdk({ clientSecret: Promise.resolve("SECRET") });
checkout.createContactDetailsElement().mount("#one");
checkout.createPaymentElement().mount("#two");
checkout.on("change", (it) => { document.title = `${it.total.total.amount} ${it.canConfirm}`; });
checkout.loadActions().then(({ actions }) => {
  const line = actions.getSession().lineItems[0];
  say(`${line.name} ${line.quantity} ${line.total.minorUnitsAmount}`);
  const deed = (it) => say(it.error ? `${it.error.code}: ${it.error.message}` : `${it.session.status.type} ${it.session.total.total.minorUnitsAmount}`);
  window.actions = actions;
  window.deed = (act) => act(actions).then(deed, (e) => say(`${e.name}: ${e.message}`));
  document.getElementById("go").onclick = () => window.deed((it) => it.confirm(CONFIRM));
  say("loaded");
});
"##;

#[test]
#[ignore = "needs Chromium: ./test"]
fn checkout_of_the_page_s_own_is_changed_declined_asked_and_paid() {
    let mut page = Page::set("en");
    let coupon =
        page.sandbox.api.make("/v1/coupons", &[("amount_off", "200"), ("currency", "jpy")]);
    let code = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", coupon["id"].as_str().unwrap()),
        ("code", "SPRING"),
    ];
    page.sandbox.api.make("/v1/promotion_codes", &code);
    let more = [
        ("ui_mode", "elements"),
        ("allow_promotion_codes", "true"),
        ("line_items[0][adjustable_quantity][enabled]", "true"),
    ];
    let secret = embedded(&page, &more);
    let id = secret.split("_secret_").next().unwrap().to_owned();
    let script =
        OWN_CHECKOUT.replace("SECRET", &secret).replace("CONFIRM", "{ redirect: 'if_required' }");
    page.open(&script);
    page.browser.reads("loaded");
    page.browser.reads("Uji matcha set 1 1200");
    for (act, said) in [
        ("it.applyPromotionCode('WINTER')", "invalidCode: This promotion code is invalid."),
        ("it.applyPromotionCode('SPRING')", "open 1000"),
        (
            "it.updateLineItemQuantity({ lineItem: it.getSession().lineItems[0].id, quantity: 2 })",
            "open 2200",
        ),
        ("it.updateEmail('aki')", "incompleteEmail"),
        ("it.removePromotionCode()", "open 2400"),
        ("it.confirm()", "IntegrationError: A returnUrl is required"),
    ] {
        page.browser.script(&format!("window.deed((it) => {act})"));
        page.browser.reads(said);
    }
    page.fill("one", &[("email", "aki@example.com")]);
    page.fill("two", &owns("4000000000000002"));
    page.go();
    page.browser.reads("paymentFailed: Your card was declined.");
    page.fill("two", &owns("4000000000003220"));
    page.browser.keep_picture("own-checkout-en");
    assert_eq!(page.browser.too_wide_for_a_phone(), 0);
    page.go();
    page.browser.enter("[name=__privateStripeFrameChallenge]");
    page.browser.click("#pass");
    page.browser.leave_frames();
    page.browser.reads("complete 2400");
    let session = page.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"));
    assert_eq!(
        (&session["payment_status"], &session["customer_details"]["email"]),
        (&"paid".into(), &"aki@example.com".into())
    );
}
