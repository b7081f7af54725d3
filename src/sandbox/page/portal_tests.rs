//! The customer portal as a browser without JavaScript meets it: each thing that is done there is done by the API's
//! behaviour, and told by its events.

use super::tests::{Browser, Seen, card};
use serde_json::{Value, json};

/// A customer with a subscription, and what the portal lets them do.
struct Portal {
    browser: Browser,
    customer: Value,
    subscription: String,
    prices: [String; 2],
    configuration: String,
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

impl Portal {
    async fn open() -> Self {
        Self::with(json!({})).await
    }

    /// With more features, or others.
    async fn with(more: Value) -> Self {
        let browser = Browser::new();
        let product = browser.api("POST /v1/products", json!({"name": "Tea club"})).await;
        let mut prices = Vec::new();
        for (amount, interval) in [(980, "month"), (9_800, "year")] {
            let price = json!({
                "product": product["id"], "currency": "jpy", "unit_amount": amount,
                "recurring": {"interval": interval},
            });
            prices.push(id(&browser.api("POST /v1/prices", price).await));
        }
        let customer = json!({
            "email": "aki@example.com", "name": "Aki", "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        });
        let customer = browser.api("POST /v1/customers", customer).await;
        let subscription = json!({"customer": customer["id"], "items": [{"price": prices[0]}]});
        let subscription = browser.api("POST /v1/subscriptions", subscription).await;
        let mut features = json!({
            "customer_update": {"enabled": true, "allowed_updates": ["email", "name", "address", "tax_id"]},
            "invoice_history": {"enabled": true},
            "payment_method_update": {"enabled": true},
            "subscription_cancel": {
                "enabled": true,
                "cancellation_reason": {"enabled": true, "options": ["too_expensive", "other"]},
            },
            "subscription_pause": {"enabled": true},
            "subscription_update": {
                "enabled": true, "default_allowed_updates": ["price", "quantity"],
                "proration_behavior": "always_invoice",
                "products": [{"product": product["id"], "prices": prices}],
            },
        });
        features.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let configuration = json!({"features": features, "login_page": {"enabled": true}});
        let configuration =
            browser.api("POST /v1/billing_portal/configurations", configuration).await;
        let prices = [prices[0].clone(), prices[1].clone()];
        let (subscription, configuration) = (id(&subscription), id(&configuration));
        Self { browser, customer, subscription, prices, configuration }
    }

    async fn session(&self, more: Value) -> Value {
        let mut params = json!({
            "customer": self.customer["id"], "configuration": self.configuration,
            "return_url": "https://shop.example/account",
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.browser.api("POST /v1/billing_portal/sessions", params).await
    }

    /// The path of a place in a new session.
    async fn at(&self, place: &str) -> String {
        let session = self.session(json!({})).await;
        Self::below(&session, place)
    }

    fn below(session: &Value, place: &str) -> String {
        Browser::path_of(&session["url"], "en").replace("?lang", &format!("{place}?lang"))
    }

    fn place(&self, what: &str) -> String {
        format!("/subscriptions/{}/{what}", self.subscription)
    }

    fn now(&self) -> Value {
        self.browser.object("subscription", &self.subscription)
    }

    async fn follow(&self, seen: &Seen) -> Seen {
        assert_eq!(seen.status, 303, "{}", seen.html);
        let path = seen.location.strip_prefix("http://127.0.0.1:12111").unwrap_or(&seen.location);
        self.browser.get(path).await
    }
}

#[tokio::test]
async fn the_first_page_says_what_there_is() {
    let portal = Portal::open().await;
    let home = portal.browser.get(&portal.at("").await).await;
    for said in [
        "Tea club",
        "¥980 per month",
        "Renews on",
        "4242",
        "aki@example.com",
        "Invoice history",
        "Paid",
    ] {
        assert!(home.html.contains(said), "{said} is not in {}", home.html);
    }
    assert!(home.html.contains("href=\"https://shop.example/account\""));
    let japanese = portal.at("").await.replace("lang=en", "lang=ja");
    let japanese = portal.browser.get(&japanese).await;
    assert!(japanese.html.contains("1 か月ごとに ¥980") && japanese.html.contains("請求履歴"));
}

#[tokio::test]
async fn a_subscription_is_cancelled_with_a_reason_and_taken_up_again() {
    let portal = Portal::open().await;
    let path = portal.at(&portal.place("cancel")).await;
    let page = portal.browser.get(&path).await;
    assert!(page.html.contains("It is too expensive") && !page.html.contains("hard to use"));
    let fields = [("feedback", "too_expensive"), ("comment", "next year, perhaps")];
    let done = portal.browser.post(&path, &fields).await;
    let home = portal.follow(&done).await;
    assert!(home.html.contains("will end with its period") && home.html.contains("Ends on"));
    let now = portal.now();
    assert_eq!((&now["cancel_at_period_end"], &now["status"]), (&json!(true), &json!("active")));
    let why = &now["cancellation_details"];
    assert_eq!(why["comment"], "next year, perhaps");
    assert_eq!(
        (&why["feedback"], &why["reason"]),
        (&json!("too_expensive"), &json!("cancellation_requested"))
    );
    assert_eq!(portal.browser.told().last().unwrap(), "customer.subscription.updated");
    let path = portal.at(&portal.place("keep")).await;
    portal.follow(&portal.browser.post(&path, &[]).await).await;
    assert_eq!(portal.now()["cancel_at_period_end"], false);
}

#[tokio::test]
async fn where_the_configuration_says_so_a_subscription_ends_at_once() {
    let feature =
        json!({"enabled": true, "mode": "immediately", "proration_behavior": "create_prorations"});
    let portal = Portal::with(json!({"subscription_cancel": feature})).await;
    let path = portal.at(&portal.place("cancel")).await;
    let home = portal.follow(&portal.browser.post(&path, &[]).await).await;
    assert!(home.html.contains("has ended") && home.html.contains("no subscription"));
    assert_eq!(portal.now()["status"], "canceled");
    assert_eq!(portal.browser.told().last().unwrap(), "customer.subscription.deleted");
    assert_eq!(portal.browser.get(&path).await.status, 404, "what is over cannot be ended again");
}

#[tokio::test]
async fn a_plan_and_a_quantity_are_changed_after_what_they_come_to_was_seen() {
    let portal = Portal::open().await;
    let path = portal.at(&portal.place("update")).await;
    let page = portal.browser.get(&path).await;
    assert!(page.html.contains("Tea club — ¥9,800 per year"), "{}", page.html);
    let none = portal.browser.post(&path, &[("price", &portal.prices[0]), ("quantity", "1")]).await;
    assert_eq!(none.status, 402);
    assert!(none.html.contains("Choose another plan"));
    let chosen =
        portal.browser.post(&path, &[("price", &portal.prices[1]), ("quantity", "2")]).await;
    let seen = portal.follow(&chosen).await;
    // Two years at ¥9,800, less the month that was paid.
    assert!(
        seen.html.contains("¥18,620") && seen.html.contains("¥19,600 per year"),
        "{}",
        seen.html
    );
    assert_eq!(portal.now()["items"]["data"][0]["quantity"], 1, "looking changes nothing");
    let fields = [("price", &*portal.prices[1]), ("quantity", "2"), ("promotion_code", "")];
    let done = portal.browser.post(&chosen.location, &fields).await;
    portal.follow(&done).await;
    let now = portal.now();
    let item = &now["items"]["data"][0];
    assert_eq!((&item["price"]["id"], &item["quantity"]), (&json!(portal.prices[1]), &json!(2)));
    let invoice = portal.browser.object("invoice", now["latest_invoice"].as_str().unwrap());
    assert_eq!(
        (&invoice["amount_paid"], &invoice["billing_reason"]),
        (&json!(18_620), &json!("subscription_update"))
    );
    let foreign = portal.browser.post(&path, &[("price", "price_none"), ("quantity", "2")]).await;
    assert_eq!(foreign.status, 402, "what is not offered cannot be chosen");
}

#[tokio::test]
async fn a_change_to_less_waits_for_the_end_of_the_period_and_can_be_taken_back() {
    let portal = Portal::open().await;
    let three = json!({"items": [{"id": portal.now()["items"]["data"][0]["id"], "quantity": 3}],
        "proration_behavior": "none"});
    portal.browser.api(&format!("POST /v1/subscriptions/{}", portal.subscription), three).await;
    let waits = json!({"features": {"subscription_update": {
        "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]}}}});
    let path = format!("POST /v1/billing_portal/configurations/{}", portal.configuration);
    portal.browser.api(&path, waits).await;

    let path = portal.at(&portal.place("update")).await;
    let home = path.replace(&portal.place("update"), "");
    let one = [("price", &*portal.prices[0]), ("quantity", "1"), ("promotion_code", "")];
    let chosen = portal.browser.post(&path, &one).await;
    let seen = portal.follow(&chosen).await;
    assert!(seen.html.contains("The change takes effect on "), "{}", seen.html);
    let done = portal.browser.post(&chosen.location, &one).await;
    let told = portal.follow(&done).await;
    assert!(told.html.contains("Your plan changes when the current period ends."), "{}", told.html);
    assert!(told.html.contains("Changes to Tea club — ¥980 per month on "), "{}", told.html);
    let now = portal.now();
    assert_eq!(now["items"]["data"][0]["quantity"], 3, "until then it is as it was");
    let planned = portal.browser.object("subscription_schedule", now["schedule"].as_str().unwrap());
    assert_eq!(planned["phases"][1]["items"][0]["quantity"], 1);
    assert_eq!(planned["phases"][1]["start_date"], now["items"]["data"][0]["current_period_end"]);
    assert_eq!(portal.browser.get(&path).await.status, 404, "one change waits already");

    let stay = path.replace("/update", "/stay");
    let page = portal.browser.get(&stay).await;
    assert!(page.html.contains("Keep your current plan"), "{}", page.html);
    let kept = portal.browser.post(&stay, &[]).await;
    assert!(portal.follow(&kept).await.html.contains("Your plan stays as it is."));
    assert_eq!(portal.now()["schedule"], Value::Null);
    assert!(!portal.browser.get(&home).await.html.contains("Changes to "));

    // What costs more begins at once, and who leaves takes what waits along.
    portal.browser.post(&chosen.location, &one).await;
    assert!(portal.now()["schedule"].is_string());
    let leave = path.replace("/update", "/cancel");
    portal.browser.post(&leave, &[("feedback", "other"), ("comment", "")]).await;
    let now = portal.now();
    assert_eq!((&now["schedule"], &now["cancel_at_period_end"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn a_change_that_is_declined_changes_nothing_and_one_that_asks_leads_to_the_bank() {
    let portal = Portal::open().await;
    let customer = format!("POST /v1/customers/{}", id(&portal.customer));
    let pays_with = |method: Value| json!({"invoice_settings": {"default_payment_method": method}});
    for (token, status) in
        [("pm_card_chargeCustomerFail", 402), ("pm_card_authenticationRequired", 303)]
    {
        let attach = format!("POST /v1/payment_methods/{token}/attach");
        let method = portal.browser.api(&attach, json!({"customer": portal.customer["id"]})).await;
        portal.browser.api(&customer, pays_with(method["id"].clone())).await;
        let before = portal.now();
        let path = portal.at(&portal.place("confirm")).await;
        let path = format!("{path}&price={}&quantity=1", portal.prices[1]);
        let done = portal.browser.post(&path, &[]).await;
        assert_eq!(done.status, status, "{token}: {}", done.html);
        if status == 402 {
            assert!(done.html.contains("declined"), "{}", done.html);
            assert_eq!(portal.now(), before);
            continue;
        }
        assert!(done.location.starts_with("/3ds/pi_"), "{}", done.location);
        let passed = portal.browser.post(&done.location, &[("result", "pass")]).await;
        assert!(portal.follow(&passed).await.html.contains("Nothing is left to pay"));
        assert_eq!(portal.now()["items"]["data"][0]["price"]["id"], json!(portal.prices[1]));
        assert_eq!(portal.now()["status"], "active");
    }
}

#[tokio::test]
async fn a_new_card_pays_from_then_on_also_where_its_owner_is_asked() {
    let portal = Portal::open().await;
    let default = |portal: &Portal| {
        let customer = portal.browser.object("customer", &id(&portal.customer));
        let method =
            customer["invoice_settings"]["default_payment_method"].as_str().unwrap().to_owned();
        portal.browser.object("payment_method", &method)["card"]["last4"].clone()
    };
    let path = portal.at("/card").await;
    let declined = portal.browser.post(&path, &card("4000000000000002")).await;
    assert_eq!((declined.status, default(&portal)), (402, json!("4242")));
    let done = portal.browser.post(&path, &card("5555555555554444")).await;
    assert!(portal.follow(&done).await.html.contains("Your card is saved"));
    assert_eq!(default(&portal), "4444");
    let told = portal.browser.told();
    let told = &told[told.len() - 4..];
    assert_eq!(told.last().unwrap(), "customer.updated", "{told:?}");
    for kind in ["setup_intent.succeeded", "payment_method.attached"] {
        assert!(told.iter().any(|it| it == kind), "{kind} is not in {told:?}");
    }
    let asked = portal.browser.post(&path, &card("4000002760003184")).await;
    assert!(asked.location.starts_with("/3ds/seti_"), "{}", asked.location);
    let passed = portal.browser.post(&asked.location, &[("result", "pass")]).await;
    let kept = portal.follow(&passed).await;
    assert!(portal.follow(&kept).await.html.contains("Your card is saved"));
    assert_eq!(default(&portal), "3184");
    // Others can be made the default again, or removed; never somebody else's.
    let home = portal.browser.get(&portal.at("").await).await;
    let first =
        home.html.split("/cards/").skip(1).map(|it| it.split('?').next().unwrap().to_owned());
    let old = first.last().unwrap();
    let path = portal.at(&format!("/cards/{old}")).await;
    portal.follow(&portal.browser.post(&path, &[("act", "default")]).await).await;
    assert_eq!(default(&portal), "4242");
    let other =
        portal.browser.api("POST /v1/customers", json!({"payment_method": "pm_card_visa"})).await;
    let others = portal
        .browser
        .api(&format!("GET /v1/customers/{}/payment_methods", id(&other)), json!({}))
        .await;
    let theirs = others["data"][0]["id"].as_str().unwrap();
    let path = portal.at(&format!("/cards/{theirs}")).await;
    assert_eq!(portal.browser.post(&path, &[("act", "remove")]).await.status, 402);
    assert_eq!(portal.browser.object("payment_method", theirs)["customer"], other["id"]);
}

#[tokio::test]
async fn payments_are_paused_and_go_on() {
    let portal = Portal::open().await;
    let path = portal.at(&portal.place("pause")).await;
    let home = portal.follow(&portal.browser.post(&path, &[]).await).await;
    assert!(home.html.contains("Payments are paused"));
    assert_eq!(portal.now()["pause_collection"], json!({"behavior": "void", "resumes_at": null}));
    let path = portal.at(&portal.place("resume")).await;
    portal.follow(&portal.browser.post(&path, &[]).await).await;
    assert_eq!(portal.now()["pause_collection"], Value::Null);
}

#[tokio::test]
async fn details_are_changed_as_far_as_they_may_be() {
    let portal = Portal::open().await;
    let path = portal.at("/details").await;
    let page = portal.browser.get(&path).await;
    assert!(page.html.contains("value=\"aki@example.com\"") && !page.html.contains("id=\"phone\""));
    let wrong = portal.browser.post(&path, &[("email", "aki"), ("tax_id", "x")]).await;
    assert_eq!(
        (wrong.status, wrong.html.matches("aria-invalid").count()),
        (402, 2),
        "{}",
        wrong.html
    );
    let fields = [
        ("name", "Aki Sato"),
        ("email", "aki@example.org"),
        ("phone", "0312345678"),
        ("billing_country", "JP"),
        ("billing_city", "Kyoto"),
        ("tax_id_kind", "jp_trn"),
        ("tax_id", "T1234567890123"),
    ];
    let home = portal.follow(&portal.browser.post(&path, &fields).await).await;
    assert!(
        home.html.contains("JP TRN T1234567890123") && home.html.contains("Kyoto"),
        "{}",
        home.html
    );
    let now = portal.browser.object("customer", &id(&portal.customer));
    assert_eq!((&now["name"], &now["email"]), (&json!("Aki Sato"), &json!("aki@example.org")));
    assert_eq!((&now["address"]["city"], &now["phone"]), (&json!("Kyoto"), &Value::Null));
}

#[tokio::test]
async fn a_session_for_one_thing_shows_that_alone_and_leads_where_it_was_told() {
    let portal = Portal::open().await;
    let flow = json!({"flow_data": {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": "https://shop.example/done"}},
    }});
    let session = portal.session(flow).await;
    let home = portal.browser.get(&Portal::below(&session, "")).await;
    assert!(home.location.contains("/card?"), "{}", home.location);
    let elsewhere = portal.browser.get(&Portal::below(&session, &portal.place("cancel"))).await;
    assert!(elsewhere.location.contains("/card?"));
    let path = Portal::below(&session, "/card");
    let done = portal.browser.post(&path, &card("4242424242424242")).await;
    assert_eq!(done.location, "https://shop.example/done");
    let again = portal.browser.get(&path).await;
    assert_eq!(again.status, 303, "what is done is not done again");
    assert!(portal.follow(&again).await.html.contains("https://shop.example/done"));

    let of = json!({"subscription": portal.subscription});
    let confirmation = json!({"custom_message": "We will miss you"});
    let flow = json!({"flow_data": {
        "type": "subscription_cancel", "subscription_cancel": of,
        "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": confirmation},
    }});
    let session = portal.session(flow).await;
    let path = Portal::below(&session, &portal.place("cancel"));
    let done = portal.browser.post(&path, &[("feedback", "other")]).await;
    assert!(portal.follow(&done).await.html.contains("We will miss you"));
    assert_eq!(portal.now()["cancellation_details"]["feedback"], "other");
}

#[tokio::test]
async fn a_session_to_confirm_a_change_makes_that_change_and_then_opens_the_portal() {
    let portal = Portal::open().await;
    let item = portal.now()["items"]["data"][0]["id"].clone();
    let flow = json!({"flow_data": {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": portal.subscription,
            "items": [{"id": item, "price": portal.prices[1], "quantity": 1}],
        },
    }});
    let session = portal.session(flow).await;
    let path = Portal::below(&session, &portal.place("confirm"));
    let page = portal.browser.get(&path).await;
    assert!(page.html.contains("¥9,800 per year") && page.html.contains("¥8,820"), "{}", page.html);
    let done = portal.browser.post(&path, &[("price", "price_of_mine"), ("quantity", "9")]).await;
    let home = portal.follow(&done).await;
    assert!(
        home.html.contains("Your subscription is updated") && home.html.contains("id=\"add-card\"")
    );
    assert_eq!(portal.now()["items"]["data"][0]["quantity"], 1, "the form cannot ask for another");
}

#[tokio::test]
async fn who_wants_to_leave_may_be_offered_a_coupon() {
    let portal = Portal::open().await;
    portal
        .browser
        .api("POST /v1/coupons", json!({"id": "STAY", "percent_off": 20, "duration": "once"}))
        .await;
    let flow = json!({"flow_data": {
        "type": "subscription_cancel",
        "subscription_cancel": {
            "subscription": portal.subscription,
            "retention": {"type": "coupon_offer", "coupon_offer": {"coupon": "STAY"}},
        },
    }});
    let session = portal.session(flow).await;
    let path = Portal::below(&session, &portal.place("cancel"));
    assert!(portal.browser.get(&path).await.html.contains("20% off"));
    let done = portal.browser.post(&path, &[("act", "accept")]).await;
    assert!(portal.follow(&done).await.html.contains("Your discount is applied"));
    let now = portal.now();
    assert_eq!(now["discounts"].as_array().unwrap().len(), 1);
    assert_eq!(now["cancel_at_period_end"], false);
}

#[tokio::test]
async fn nothing_is_done_for_a_foreign_form_a_foreign_subscription_or_what_is_turned_off() {
    let portal = Portal::with(json!({"subscription_pause": {"enabled": false}})).await;
    let path = portal.at(&portal.place("cancel")).await;
    let foreign = portal.browser.post_with(&path, "0", &[]).await;
    assert_eq!(foreign.status, 403);
    // The token of another session's form.
    let other = portal.browser.get(&portal.at("/card").await).await;
    let token =
        other.html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(portal.browser.post_with(&path, token, &[]).await.status, 403);
    assert_eq!(portal.now()["cancel_at_period_end"], false);
    assert_eq!(portal.browser.get(&portal.at(&portal.place("pause")).await).await.status, 404);
    let customer = json!({"payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"}});
    let customer = portal.browser.api("POST /v1/customers", customer).await;
    let theirs = json!({"customer": customer["id"], "items": [{"price": portal.prices[0]}]});
    let theirs = id(&portal.browser.api("POST /v1/subscriptions", theirs).await);
    let path = portal.at(&format!("/subscriptions/{theirs}/cancel")).await;
    assert_eq!(portal.browser.get(&path).await.status, 404);
    for path in ["/p/session/test_nothing", "/p/session/x", "/p/login/test_nothing"] {
        assert_eq!(portal.browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_address_signs_in_by_the_link_that_its_mail_would_hold() {
    let portal = Portal::open().await;
    let configuration =
        portal.browser.object("billing_portal.configuration", &portal.configuration);
    let path = Browser::path_of(&configuration["login_page"]["url"], "en");
    let page = portal.browser.get(&format!("{path}&prefilled_email=aki%40example.com")).await;
    assert!(page.html.contains("value=\"aki@example.com\""));
    let unknown = portal.browser.post(&path, &[("email", "nobody@example.com")]).await;
    assert!(
        unknown.html.contains("no customer has this address")
            && !unknown.html.contains("id=\"open\"")
    );
    let known = portal.browser.post(&path, &[("email", "aki@example.com")]).await;
    let link = known.html.split("id=\"open\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let home = portal.browser.get(link.strip_prefix("http://127.0.0.1:12111").unwrap()).await;
    assert!(home.html.contains("Tea club"), "{}", home.html);
    let off = format!("POST /v1/billing_portal/configurations/{}", portal.configuration);
    portal.browser.api(&off, json!({"login_page": {"enabled": false}})).await;
    assert_eq!(portal.browser.get(&path).await.status, 410);
}
