//! What belongs to one buyer at the provider: the portal, cards that are kept, payments by a form of the shop's own.

use crate::env::{Env, eventually};
use crate::http::{Reply, send};
use crate::shopper::{Shop, Shopper, hidden, within};
use serde_json::json;
use std::collections::BTreeSet;

/// The value of an attribute of the form that Stripe.js confirms.
fn data(page: &Reply, name: &str) -> String {
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    let rest = text.split(&format!("data-{name}=\"")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no data-{name}: {text}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Begins to keep a card and confirms as Stripe.js does; the address that the browser comes back to.
fn keep(shop: &Shop, shopper: &mut Shopper, method: &str) -> String {
    let page = shopper.send_form("/cards", "/cards/add", &[]);
    let secret = data(&page, "secret");
    let id = secret.split("_secret_").next().unwrap();
    let back = data(&page, "back");
    let form = [("payment_method", method), ("return_url", back.as_str())];
    let done = shop.sandbox.api.make(&format!("/v1/setup_intents/{id}/confirm"), &form);
    assert_eq!(done["status"], "succeeded", "{done}");
    format!("{}?setup_intent={id}&redirect_status=succeeded", within(&back))
}

fn customer(shop: &Shop, user: &str) -> Option<String> {
    let sql = "SELECT COALESCE(MAX(value), '') FROM kv WHERE namespace = 'stripe_customer'";
    let found: String = shop.asked(&format!("{sql} AND key = '{user}'"));
    Some(found).filter(|it| !it.is_empty())
}

fn user(shop: &Shop, name: &str) -> String {
    shop.asked(&format!("SELECT id FROM users WHERE email = '{name}@example.com'"))
}

#[test]
fn a_card_is_kept_without_a_charge_made_the_default_and_removed_by_its_owner_alone() {
    Shop::on_both(|shop| {
        let (mut ann, mut bob) = (shop.shopper("ann"), shop.shopper("bob"));
        assert!(ann.get("/cards").text().contains("No card is kept"));
        let back = keep(&shop, &mut ann, "pm_card_visa");
        assert_eq!(bob.get(&back).status, 404, "what is kept for her is not shown to him");
        let landed = ann.get(&back);
        let page = ann.follow(&landed).text();
        assert!(page.contains("visa ending in 4242"), "{page}");
        assert!(page.contains("Used for what renews"), "the first card pays renewals: {page}");
        let second = keep(&shop, &mut ann, "pm_card_mastercard");
        assert_eq!(ann.get(&second).status, 303);
        let page = ann.get("/cards").text();
        assert!(page.contains("mastercard ending in 4444"), "{page}");
        let other = hidden(page.split("/cards/default").nth(1).unwrap(), "card");
        for form in ["/cards/default", "/cards/remove"] {
            let refused = bob.send_form("/cards", form, &[("card", &other)]);
            assert_eq!(refused.status, 404, "{form}: {}", refused.text());
        }
        for odd in ["", ".", "..", "pm_none"] {
            let refused = ann.send_form("/cards", "/cards/default", &[("card", odd)]);
            assert_eq!(refused.status, 404, "{odd}");
        }
        assert_eq!(ann.send_form("/cards", "/cards/default", &[("card", &other)]).status, 303);
        let kept = customer(&shop, &user(&shop, "ann")).unwrap();
        let at_provider = shop.sandbox.api.read(&format!("/v1/customers/{kept}"));
        assert_eq!(at_provider["invoice_settings"]["default_payment_method"], other.as_str());
        assert_eq!(ann.send_form("/cards", "/cards/remove", &[("card", &other)]).status, 303);
        let page = ann.get("/cards").text();
        assert!(!page.contains("4444") && page.contains("4242"), "{page}");
        assert_eq!(shop.sandbox.api.read("/v1/charges")["data"], json!([]), "nothing was charged");
    });
}

#[test]
fn a_form_of_the_shop_s_own_takes_a_payment_and_tells_its_payer_alone() {
    Shop::on_each(|shop| {
        let (mut ann, mut bob) = (shop.shopper("ann"), shop.shopper("bob"));
        for wrong in ["49", "1000001", "12.5", "-100", "", "ten"] {
            let refused = ann.send_form("/pay", "/pay", &[("amount", wrong), ("order", "1")]);
            assert_eq!(refused.status, 400, "{wrong}");
        }
        let form = [("amount", "1200"), ("order", "one")];
        let page = ann.send_form("/pay", "/pay", &form);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("script-src 'self' {}", shop.sandbox.url)), "{policy}");
        assert!(page.text().contains(&format!("{}/v3/", shop.sandbox.url)), "{}", page.text());
        let secret = data(&page, "secret");
        assert_eq!(data(&ann.send_form("/pay", "/pay", &form), "secret"), secret, "a double click");
        assert_ne!(data(&bob.send_form("/pay", "/pay", &form), "secret"), secret);
        let id = secret.split("_secret_").next().unwrap();
        let back = format!("/pay/done?payment_intent={id}");
        assert!(ann.get(&back).text().contains("Nothing was charged"));
        let form = [("payment_method", "pm_card_visa"), ("return_url", "http://127.0.0.1/")];
        shop.sandbox.api.make(&format!("/v1/payment_intents/{id}/confirm"), &form);
        let page = ann.get(&back).text();
        assert!(page.contains("¥1,200 is paid"), "{page}");
        assert_eq!(bob.get(&back).status, 404);
        assert_eq!(ann.get("/pay/done?payment_intent=pi_none").status, 404);
        for odd in ["", "?payment_intent=", "?payment_intent=..", "?payment_intent=../customers"] {
            assert_eq!(ann.get(&format!("/pay/done{odd}")).status, 404, "{odd}");
        }
    });
}

/// Subscribes a customer to the plan that is sold for an API, and lets the portal change the quantity of it; the path of the
/// portal's default settings.
fn subscribe(shop: &Shop, customer: &str) -> String {
    let price = shop.sandbox.api.read("/v1/prices?lookup_keys[]=api_pro_monthly");
    let (price, product) = (price["data"][0]["id"].clone(), price["data"][0]["product"].clone());
    let (price, product) = (price.as_str().unwrap(), product.as_str().unwrap());
    let subscribe = [
        ("customer", customer),
        ("items[0][price]", price),
        ("collection_method", "send_invoice"),
        ("days_until_due", "30"),
    ];
    shop.sandbox.api.make("/v1/subscriptions", &subscribe);
    let default = shop.sandbox.api.read("/v1/billing_portal/configurations?is_default=true");
    let default =
        format!("/v1/billing_portal/configurations/{}", default["data"][0]["id"].as_str().unwrap());
    let update = "features[subscription_update]";
    let names =
        ["enabled", "default_allowed_updates[0]", "products[0][product]", "products[0][prices][0]"];
    let names = names.map(|name| match name.split_once('[') {
        Some((first, rest)) => format!("{update}[{first}][{rest}"),
        None => format!("{update}[{name}]"),
    });
    let values = ["true", "quantity", product, price];
    let allow: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
    shop.sandbox.api.make(&default, &allow);
    default
}

#[test]
fn my_page_is_the_portal_of_the_user_s_own_customer_with_deep_links() {
    Shop::on_each(|shop| {
        let (mut ann, mut bob) = (shop.shopper("ann"), shop.shopper("bob"));
        let sent = shop.browser().get("/mypage?flow=payment_method_update");
        assert_eq!(
            sent.header("location"),
            Some("/login?next=%2Fmypage%3Fflow%3Dpayment_method_update")
        );
        assert!(bob.get("/mypage").text().contains("not bought anything"));
        // An event says whose customer somebody is, in what we wrote there; nothing else does.
        let (anns, bobs) = (user(&shop, "ann"), user(&shop, "bob"));
        let make = |form: &[(&str, &str)]| {
            shop.sandbox.api.make("/v1/customers", form)["id"].as_str().unwrap().to_owned()
        };
        let heard = |customer: &str| {
            let sql = format!("SELECT count(*) FROM facts WHERE subject = '{customer}'");
            eventually("the shop hears of a customer", || {
                (shop.asked::<i64>(&sql) == 1).then_some(())
            });
        };
        make(&[("email", "bob@example.com")]);
        heard(&make(&[("metadata[userId]", "user_of_another_shop")]));
        let first = make(&[("metadata[userId]", &anns), ("email", "first@example.com")]);
        heard(&first);
        heard(&make(&[("metadata[userId]", &anns)]));
        assert_eq!(
            customer(&shop, &anns).as_ref(),
            Some(&first),
            "what comes second changes nothing"
        );
        assert_eq!(customer(&shop, &bobs), None, "an address of e-mail proves nothing");
        let portal = ann.get("/mypage");
        let url = portal.header("location").unwrap().to_owned();
        assert!(url.starts_with(&format!("{}/p/session/", shop.sandbox.url)), "{url}");
        let shown =
            send(shop.sandbox.api.port, "GET", &within(&url), &[("Accept", "text/html")], b"");
        assert!(shown.unwrap().text().contains("first@example.com"), "her own customer's portal");
        assert!(bob.get("/mypage").text().contains("not bought anything"));
        assert!(ann.get("/mypage?flow=subscription_cancel").text().contains("no subscription"));
        assert_eq!(ann.get("/mypage?flow=everything").status, 404);
        let default = subscribe(&shop, &first);
        let mut opened = BTreeSet::new();
        for flow in ["payment_method_update", "subscription_cancel", "subscription_update"] {
            let sent = ann.get(&format!("/mypage?flow={flow}"));
            let url = sent.header("location").unwrap_or_else(|| panic!("{flow}: {}", sent.text()));
            assert!(url.starts_with(&format!("{}/p/session/", shop.sandbox.url)), "{url}");
            opened.insert(url.to_owned());
        }
        assert_eq!(opened.len(), 3, "each opens a session of its own: {opened:?}");
        // Who has no customer signs in at the portal itself, where the account has that.
        shop.sandbox.api.make(&default, &[("login_page[enabled]", "true")]);
        let sent = bob.get("/mypage");
        assert!(sent.header("location").unwrap().contains("/p/login/"), "{sent:?}");
    });
}

#[test]
fn a_restricted_key_is_enough_and_a_right_that_it_lacks_is_told() {
    let wide = Shop::open();
    let own = "prices:read,webhook_endpoints:write,checkout_sessions:write,subscriptions:read";
    let key = |allow: &str| {
        let made = wide
            .sandbox
            .api
            .with("Stripegym-Control", "1")
            .make("/_stripegym/keys", &[("allow", allow)]);
        made["key"].as_str().unwrap().to_owned()
    };
    let portal = "billing_portal_sessions:write,billing_portal_configurations:read";
    let (enough, narrow) = (key(&format!("{own},{portal}")), key(own));
    for (key, is_enough) in [(enough, true), (narrow, false)] {
        let env = Env::new()
            .with("STRIPEGYM_MODE", "sandbox")
            .with("STRIPE_API_BASE", &wide.sandbox.url)
            .with("STRIPE_SECRET_KEY", &key);
        let shop = Shop::at(env, &wide.sandbox);
        let mut ann = shop.shopper("ann");
        assert_eq!(ann.send_form("/upgrade", "/upgrade", &[]).status, 303);
        let page = ann.get("/mypage");
        let said = page.text();
        if is_enough {
            assert!(said.contains("not bought anything"), "{said}");
        } else {
            assert!(said.contains("stripegym doctor"), "{said}");
            assert!(said.contains("rak_billing_portal_configuration_read"), "{said}");
        }
    }
}
