//! What subscribers meet: a subscription bought in Checkout, its renewal refused and paid on the invoice's own page, the
//! bank's question at renewal, and every page of the customer portal.

use super::Stage;
use crate::env::eventually;
use serde_json::Value;

const ENTER: &str = "\u{E007}";

impl Stage {
    fn says<'w>(&self, english: &'w str, japanese: &'w str) -> &'w str {
        if self.lang == "ja" { japanese } else { english }
    }

    fn price(&self, product: &str, amount: &str, interval: &str) -> String {
        let form = [
            ("product", product),
            ("currency", "jpy"),
            ("unit_amount", amount),
            ("recurring[interval]", interval),
        ];
        self.sandbox.api.make("/v1/prices", &form)["id"].as_str().unwrap().to_owned()
    }

    /// A customer who pays with a test card, and has a subscription of ¥980 a month; both ids, and the product's.
    fn subscriber(&self, card: &str) -> [String; 3] {
        let api = &self.sandbox.api;
        let id = |of: &Value| of["id"].as_str().unwrap().to_owned();
        let name = self.says("Tea club", "お茶の会");
        let product = id(&api.make("/v1/products", &[("name", name)]));
        let price = self.price(&product, "980", "month");
        let form = [("email", "aki@example.com"), ("name", self.says("Aki Sato", "佐藤 亜紀"))];
        let customer = id(&api.make("/v1/customers", &form));
        let attach = format!("/v1/payment_methods/{card}/attach");
        let method = id(&api.make(&attach, &[("customer", &customer)]));
        let default = [("invoice_settings[default_payment_method]", method.as_str())];
        api.make(&format!("/v1/customers/{customer}"), &default);
        let form = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
        let subscription = id(&api.make("/v1/subscriptions", &form));
        [customer, subscription, product]
    }

    fn advance(&self, by: &str) {
        let control = self.sandbox.api.with("Stripegym-Control", "1");
        control.post(&format!("/_stripegym/clock/advance?by={by}"), &[]).ok();
    }

    /// The newest invoice of a subscription, once it is in a status.
    fn invoice(&self, subscription: &str, status: &str) -> Value {
        eventually("the newest invoice", || {
            let now = self.sandbox.api.read(&format!("/v1/subscriptions/{subscription}"));
            let invoice = now["latest_invoice"].as_str()?;
            let invoice = self.sandbox.api.read(&format!("/v1/invoices/{invoice}"));
            (invoice["status"] == status).then_some(invoice)
        })
    }

    fn type_card(&mut self, number: &str) {
        self.browser.fill("#number", number);
        self.browser.fill("#expiry", "12 / 34");
        self.browser.fill("#cvc", "123");
        // The keyboard alone sends the form.
        self.browser.fill("#name", &format!("AKI SATO{ENTER}"));
    }
}

/// Subscribes in Checkout, and finds the invoice of it.
pub(super) fn subscribes(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let product = stage.sandbox.api.make("/v1/products", &[("name", "Club")]);
    let price = stage.price(product["id"].as_str().unwrap(), "980", "month");
    let success = stage.shop.url("success?session_id={CHECKOUT_SESSION_ID}");
    let form = [
        ("mode", "subscription"),
        ("success_url", success.as_str()),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
    ];
    let session = stage.sandbox.api.make("/v1/checkout/sessions", &form);
    stage.browser.open(session["url"].as_str().unwrap());
    stage.picture("subscription-checkout");
    stage.fill_card("4242 4242 4242 4242");
    stage.pay();
    stage.arrive_paid(&session);
    let now = stage.now(&session);
    let invoice = stage.invoice(now["subscription"].as_str().unwrap(), "paid");
    stage.browser.open(invoice["hosted_invoice_url"].as_str().unwrap());
    stage.browser.reads(stage.says("Invoice paid", "お支払い済みです"));
    stage.picture("invoice-paid");
}

/// A renewal is declined, and paid on the invoice's page after one more card that is refused.
pub(super) fn pays_a_renewal(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let [customer, subscription, _] = stage.subscriber("pm_card_visa");
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let method = stage.sandbox.api.make(attach, &[("customer", &customer)]);
    let default = [("invoice_settings[default_payment_method]", method["id"].as_str().unwrap())];
    stage.sandbox.api.make(&format!("/v1/customers/{customer}"), &default);
    stage.advance("1+month+2+hours");
    let invoice = stage.invoice(&subscription, "open");
    let path = format!("/v1/subscriptions/{subscription}");
    assert_eq!(stage.sandbox.api.read(&path)["status"], "past_due");
    stage.browser.open(invoice["hosted_invoice_url"].as_str().unwrap());
    stage.browser.reads("980");
    stage.picture("invoice");
    stage.type_card("4000 0000 0000 0002");
    stage.browser.reads(stage.says("declined", "拒否"));
    stage.picture("invoice-declined");
    stage.type_card("4242 4242 4242 4242");
    stage.browser.reads(stage.says("Invoice paid", "お支払い済みです"));
    assert_eq!(stage.sandbox.api.read(&path)["status"], "active");
}

/// The bank asks at renewal: the invoice's page leads there, and back.
pub(super) fn confirms_a_renewal(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let [customer, subscription, _] = stage.subscriber("pm_card_visa");
    let attach = "/v1/payment_methods/pm_card_authenticationRequired/attach";
    let method = stage.sandbox.api.make(attach, &[("customer", &customer)]);
    let default = [("invoice_settings[default_payment_method]", method["id"].as_str().unwrap())];
    stage.sandbox.api.make(&format!("/v1/customers/{customer}"), &default);
    stage.advance("1+month+2+hours");
    let invoice = stage.invoice(&subscription, "open");
    stage.browser.open(invoice["hosted_invoice_url"].as_str().unwrap());
    stage.browser.reads(stage.says("Your bank asks", "本人認証"));
    stage.picture("invoice-challenge");
    stage.browser.click("#challenge");
    stage.browser.click("button[value=pass]");
    stage.browser.reads(stage.says("Invoice paid", "お支払い済みです"));
    let now = stage.sandbox.api.read(&format!("/v1/subscriptions/{subscription}"));
    assert_eq!(now["status"], "active");
}

/// A configuration of the portal in which everything is switched on.
fn configure(stage: &Stage, product: &str, [monthly, yearly]: [&str; 2]) -> Value {
    let at = "features[subscription_update]";
    let products = [
        (format!("{at}[enabled]"), "true"),
        (format!("{at}[default_allowed_updates][0]"), "price"),
        (format!("{at}[default_allowed_updates][1]"), "quantity"),
        (format!("{at}[proration_behavior]"), "always_invoice"),
        (format!("{at}[products][0][product]"), product),
        (format!("{at}[products][0][prices][0]"), monthly),
        (format!("{at}[products][0][prices][1]"), yearly),
    ];
    let mut form = vec![
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][0]", "name"),
        ("features[customer_update][allowed_updates][1]", "address"),
        ("features[invoice_history][enabled]", "true"),
        ("features[payment_method_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        ("features[subscription_cancel][cancellation_reason][enabled]", "true"),
        ("features[subscription_cancel][cancellation_reason][options][0]", "too_expensive"),
        ("features[subscription_cancel][cancellation_reason][options][1]", "unused"),
        ("login_page[enabled]", "true"),
    ];
    form.extend(products.iter().map(|(name, value)| (name.as_str(), *value)));
    stage.sandbox.api.make("/v1/billing_portal/configurations", &form)
}

/// Goes through the portal, page by page.
pub(super) fn manages(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let [customer, subscription, product] = stage.subscriber("pm_card_visa");
    let yearly = stage.price(&product, "9800", "year");
    let path = format!("/v1/subscriptions/{subscription}");
    let current = stage.sandbox.api.read(&path);
    let monthly = current["items"]["data"][0]["price"]["id"].as_str().unwrap().to_owned();
    let configuration = configure(&stage, &product, [&monthly, &yearly]);
    let back = stage.shop.url("account");
    let form = [
        ("customer", customer.as_str()),
        ("configuration", configuration["id"].as_str().unwrap()),
        ("return_url", back.as_str()),
    ];
    let session = stage.sandbox.api.make("/v1/billing_portal/sessions", &form);
    stage.browser.open(session["url"].as_str().unwrap());
    stage.browser.reads(stage.says("Tea club", "お茶の会"));
    stage.picture("portal");
    stage.browser.click("a[href*='/update?']");
    stage.browser.click(&format!("label[for='price-{yearly}']"));
    stage.browser.fill("#quantity", "2");
    stage.picture("portal-update");
    stage.browser.click("#submit");
    stage.browser.reads("19,600");
    stage.picture("portal-confirm");
    stage.browser.click("#submit");
    stage.browser.reads(stage.says("Your subscription is updated", "プランを変更しました"));
    stage.browser.click("#add-card");
    stage.picture("portal-card");
    stage.type_card("4000 0027 6000 3184");
    stage.browser.click("button[value=pass]");
    stage.browser.reads("3184");
    stage.browser.click("#edit-details");
    stage.browser.fill("#billing_city", stage.says("Kyoto", "京都市"));
    stage.picture("portal-details");
    stage.browser.click("#submit");
    stage.browser.reads(stage.says("Kyoto", "京都市"));
    stage.browser.click("a[href*='/cancel?']");
    stage.browser.click("label[for=feedback-unused]");
    stage.picture("portal-cancel");
    stage.browser.click("#submit");
    stage.browser.reads(stage.says("Ends on", "に終了します"));
    stage.picture("portal-cancelled");
    let now = stage.sandbox.api.read(&path);
    assert_eq!(
        (&now["cancel_at_period_end"], &now["cancellation_details"]["feedback"]),
        (&true.into(), &"unused".into())
    );
    assert_eq!(now["items"]["data"][0]["quantity"], 2);
    stage.browser.click("a[href*='/keep?']");
    stage.browser.click("#submit");
    stage.browser.reads(stage.says("Renews on", "に更新されます"));
    stage.browser.click("#invoices a");
    stage.browser.reads(stage.says("Invoice paid", "お支払い済みです"));
    signs_in(&mut stage, &configuration);
    stage.browser.open(session["url"].as_str().unwrap());
    stage.browser.click("#back");
    stage.browser.arrive("/account");
    // An hour later the link is of no use.
    stage.advance("2+hours");
    stage.browser.open(session["url"].as_str().unwrap());
    stage.browser.reads(stage.says("This page has ended", "このページは終了しました"));
    stage.picture("portal-ended");
}

/// Signs in by e-mail, and opens what the mail would hold.
fn signs_in(stage: &mut Stage, configuration: &Value) {
    stage.browser.open(configuration["login_page"]["url"].as_str().unwrap());
    stage.browser.fill("#email", &format!("aki@example.com{ENTER}"));
    stage.browser.find_field("#open");
    stage.picture("portal-login");
    stage.browser.click("#open");
    stage.browser.reads(stage.says("Tea club", "お茶の会"));
}
