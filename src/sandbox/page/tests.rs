//! The pages as a browser without JavaScript meets them, without a server.

use super::*;
use crate::domain::time::Timestamp;
use crate::net::outbound::Beyond;
use crate::os::clock::Clock;
use crate::sandbox::behaviour::checkout::{SESSION, create};
use crate::sandbox::behaviour::object::BEHAVIOUR;
use crate::sandbox::behaviour::payment::intent::{self, IntentSpec};
use crate::sandbox::behaviour::payment::{confirm, method};
use crate::sandbox::call::{Call, Version};
use crate::sandbox::control;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::txn::{Origin, Site};
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

pub(super) struct Browser {
    pub(super) world: Arc<World>,
    pages: TowerToHyperService<Router>,
}

pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) html: String,
}

impl Browser {
    pub(super) fn new() -> Self {
        let site = Site {
            base_url: "http://127.0.0.1:12111".to_owned(),
            api_version: "2026-10-28.endive".to_owned(),
            beyond: Beyond::Nobody,
            behaviour: BEHAVIOUR,
        };
        let clock = Clock::fixed(Timestamp(1_795_000_000));
        let engine = Arc::new(Engine::ephemeral(clock, Entropy::seeded(7), site));
        let world = engine.default_world();
        let routes = router().merge(control::payment::control_router());
        let pages = routes.layer(axum::Extension(Within(Arc::clone(&world))));
        Self { world, pages: TowerToHyperService::new(pages) }
    }

    /// A session of ¥1,500 with more parameters; its id.
    pub(super) async fn session(&self, more: Value) -> String {
        let mut params = json!({
            "mode": "payment",
            "success_url": "https://shop.example/ok?id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/cart",
            "line_items": [{
                "price_data": {
                    "currency": "jpy", "unit_amount": 500,
                    "product_data": {"name": "Tea <b>&"},
                },
                "quantity": 3,
            }],
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let call = Call {
            key: "POST /v1/checkout/sessions".to_owned(),
            ids: Vec::new(),
            params: params.as_object().unwrap().clone(),
            version: Version { text: "2026-10-28.endive".to_owned(), named: true },
        };
        let made = self.world.change(Origin::default(), |txn| create::create(txn, &call)).await;
        made.unwrap()["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Seen {
        let asked = request.uri().path().to_owned();
        let response: Response<Body> = self.pages.call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let html = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        if parts.status.as_u16() != 303 && html.starts_with("<!doctype") {
            let header = |name| parts.headers.get(name).map(|it| it.to_str().unwrap());
            let policy = header(header::CONTENT_SECURITY_POLICY).unwrap();
            assert!(policy.starts_with("default-src 'none'"));
            // What Stripe.js shows above a merchant's page may be framed, and nothing else.
            let alone = policy.contains("frame-ancestors 'none'");
            assert_eq!(header(header::X_FRAME_OPTIONS), alone.then_some("DENY"));
            assert!(
                alone || ["/3ds/", "/konbini/"].iter().any(|it| asked.starts_with(it)),
                "{asked}"
            );
            assert_eq!(header(header::CACHE_CONTROL), Some("no-store"));
            assert!(!html.contains("<script"));
        }
        let location = parts.headers.get(header::LOCATION);
        Seen {
            status: parts.status.as_u16(),
            location: location.map_or("", |l| l.to_str().unwrap()).to_owned(),
            html,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Seen {
        self.send(Request::get(path).header("accept-language", "en").body(Body::empty()).unwrap())
            .await
    }

    /// Sends the form that stands at `path`, with its token.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let page = self.get(path).await;
        let token = page.html.split("name=\"token\" value=\"").nth(1).unwrap_or_default();
        let token = token.split('"').next().unwrap();
        self.post_with(path, token, fields).await
    }

    pub(super) async fn post_with(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Seen {
        let mut body = format!("token={token}");
        for (name, value) in fields {
            body.extend(["&", name, "="]);
            body.extend(value.bytes().flat_map(|byte| {
                let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
                ['%', digit(byte >> 4), digit(byte & 15)]
            }));
        }
        let request = Request::post(path)
            .header("accept-language", "en")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(super) fn object(&self, kind: &str, id: &str) -> Value {
        self.world.read(|view| view.get(kind, id).map_or(json!(null), |doc| doc.document()))
    }
}

pub(super) fn card(number: &str) -> Vec<(&str, &str)> {
    vec![
        ("method", "card"),
        ("email", "aki@example.com"),
        ("number", number),
        ("expiry", "12 / 34"),
        ("cvc", "123"),
        ("name", "Aki <i>Tanaka"),
    ]
}

#[tokio::test]
async fn a_card_pays_and_the_payer_goes_to_the_shop_with_the_session() {
    let browser = Browser::new();
    let id = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200);
    for shown in [
        "¥1,500",
        "Qty 3 · ¥500 each",
        "Tea &#60;b&#62;&#38;",
        "https://shop.example/cart",
        "Pay ¥1,500",
    ] {
        assert!(page.html.contains(shown), "{shown} is not on {}", page.html);
    }
    let paid = browser.post(&path, &card("4242 4242 4242 4242")).await;
    assert_eq!((paid.status, paid.location), (303, format!("https://shop.example/ok?id={id}")));
    assert_eq!(browser.object(SESSION, &id)["payment_status"], "paid");
    // The button pressed twice, and the page opened again.
    let twice = browser.post(&path, &card("4242 4242 4242 4242")).await;
    assert_eq!((twice.status, twice.location), (303, format!("https://shop.example/ok?id={id}")));
    let again = browser.get(&path).await;
    assert!(again.html.contains("All done") && again.html.contains(&format!("ok?id={id}")));
}

#[tokio::test]
async fn a_trial_asks_for_a_card_unless_its_session_does_so_only_where_something_is_due() {
    let browser = Browser::new();
    for (collection, has_card) in [("always", true), ("if_required", false)] {
        let plan = json!({"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Tea"},
            "recurring": {"interval": "month", "interval_count": 1}});
        let id = browser
            .session(json!({"mode": "subscription", "payment_method_collection": collection,
                "subscription_data": {"trial_period_days": 7},
                "line_items": [{"quantity": 1, "price_data": plan}]}))
            .await;
        let path = format!("/c/pay/{id}");
        let page = browser.get(&path).await;
        assert_eq!(page.html.contains("name=\"number\""), has_card, "{collection}");
        if has_card {
            let bare = browser.post(&path, &[("email", "aki@example.com")]).await;
            assert_eq!(bare.status, 402, "a card is missing");
        }
        let fields =
            if has_card { card("4242424242424242") } else { vec![("email", "aki@example.com")] };
        let done = browser.post(&path, &fields).await;
        assert_eq!(done.location, format!("https://shop.example/ok?id={id}"), "{}", done.html);
        let session = browser.object(SESSION, &id);
        assert_eq!(
            (&session["status"], &session["payment_status"]),
            (&json!("complete"), &json!("no_payment_required"))
        );
        let made = browser.object("subscription", session["subscription"].as_str().unwrap());
        assert_eq!(made["status"], "trialing");
        assert_eq!(made["default_payment_method"].is_string(), has_card);
        assert_eq!(made["pending_setup_intent"].is_string(), !has_card);
        assert_eq!(made["customer"], session["customer"]);
    }
}

#[tokio::test]
async fn a_button_pressed_many_times_at_once_pays_once() {
    let browser = Browser::new();
    let id = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let form = card("4242424242424242");
    let press = || browser.post(&path, &form);
    let (a, b, c, d) = tokio::join!(press(), press(), press(), press());
    for seen in [a, b, c, d] {
        assert_eq!((seen.status, seen.location), (303, format!("https://shop.example/ok?id={id}")));
    }
    assert_eq!(browser.world.read(|view| view.count("charge")), 1);
    let completed = browser.world.read(|view| {
        view.newest("event").filter(|e| e["type"] == "checkout.session.completed").count()
    });
    assert_eq!(completed, 1);
}

#[tokio::test]
async fn a_refused_card_keeps_what_was_typed_but_never_its_number_or_code() {
    let browser = Browser::new();
    let id = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let refused = browser.post(&path, &card("4000000000009995")).await;
    assert_eq!(refused.status, 402);
    assert!(refused.html.contains("role=\"alert\""));
    assert!(refused.html.contains("Your card has insufficient funds."));
    assert!(
        refused.html.contains("value=\"aki@example.com\"")
            && refused.html.contains("value=\"12 / 34\"")
    );
    assert!(refused.html.contains("Aki &#60;i&#62;Tanaka"));
    assert!(!refused.html.contains("4000000000009995") && !refused.html.contains("value=\"123\""));
    let japanese = browser.post(&format!("{path}?lang=ja"), &card("4000000000009995")).await;
    assert!(japanese.html.contains("カードの利用可能額が不足しています。"));
    let real = browser.post(&path, &card("4111111111111111")).await;
    assert!(real.html.contains("used a non test card"), "{}", real.html);
    assert_eq!(browser.object(SESSION, &id)["status"], "open");
}

#[tokio::test]
async fn an_empty_form_tells_each_field() {
    let browser = Browser::new();
    let path = format!("/c/pay/{}", browser.session(json!({"locale": "ja"})).await);
    let refused = browser.post(&path, &[]).await;
    assert_eq!(refused.status, 402);
    assert!(refused.html.contains("<html lang=\"ja\">"));
    for field in ["email", "number", "expiry", "cvc", "name"] {
        assert!(refused.html.contains(&format!("id=\"{field}-error\"")), "{field}");
        assert!(refused.html.contains(&format!("href=\"#{field}\"")), "{field}");
    }
}

#[tokio::test]
async fn a_form_without_its_token_pays_nothing() {
    let browser = Browser::new();
    let id = browser.session(json!({})).await;
    let other = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let refused = browser.post_with(&path, "", &card("4242424242424242")).await;
    assert_eq!(refused.status, 402);
    let page = browser.get(&format!("/c/pay/{other}")).await;
    let stolen =
        page.html.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let refused = browser.post_with(&path, stolen, &card("4242424242424242")).await;
    assert_eq!(refused.status, 402);
    assert_eq!(browser.object(SESSION, &id)["status"], "open");
}

#[tokio::test]
async fn a_challenge_is_failed_then_passed() {
    let browser = Browser::new();
    let id = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let asked = browser.post(&path, &card("4000002760003184")).await;
    assert!(asked.location.starts_with("/3ds/pi_"), "{}", asked.location);
    let page = browser.get(&asked.location).await;
    assert!(page.html.contains("Card ending in 3184"));
    let failed = browser.post(&asked.location, &[("result", "fail")]).await;
    assert_eq!(failed.location, format!("{path}?refused=1&lang=en"));
    let page = browser.get(&failed.location).await;
    assert!(page.html.contains("We could not confirm that it is you."), "{}", page.html);
    assert!(page.html.contains("aki@example.com") && page.html.contains("Tanaka"));
    assert!(!page.html.contains("4000002760003184") && !page.html.contains("value=\"123\""));
    let asked = browser.post(&path, &card("4000002760003184")).await;
    let forged = browser.post_with(&asked.location, "00", &[("result", "pass")]).await;
    assert_eq!(forged.status, 403);
    let passed = browser.post(&asked.location, &[("result", "pass")]).await;
    assert_eq!(passed.location, format!("https://shop.example/ok?id={id}"));
    assert_eq!(browser.object(SESSION, &id)["payment_status"], "paid");
}

#[tokio::test]
async fn a_challenge_of_a_plain_intent_returns_to_its_own_address() {
    let browser = Browser::new();
    let made = browser.world.change(Origin::default(), |txn| {
        let spec = IntentSpec {
            amount: 2_000,
            currency: "usd".to_owned(),
            types: vec!["card".to_owned()],
            ..IntentSpec::default()
        };
        let id = intent::open_intent(txn, spec);
        let pm = method::instantiate_test_method(
            txn,
            "pm_card_authenticationRequired",
            "payment_method",
        )?;
        let options = confirm::ConfirmOptions {
            return_url: Some("https://shop.example/back?a=1".to_owned()),
            ..confirm::ConfirmOptions::default()
        };
        confirm::confirm(txn, &id, pm["id"].as_str().unwrap(), &options)?;
        Ok(id)
    });
    let id = made.await.unwrap();
    let passed = browser.post(&format!("/3ds/{id}"), &[("result", "pass")]).await;
    let secret = browser.object("payment_intent", &id)["client_secret"].clone();
    assert_eq!(
        passed.location,
        format!(
            "https://shop.example/back?a=1&payment_intent={id}&payment_intent_client_secret={}&redirect_status=succeeded",
            secret.as_str().unwrap()
        )
    );
    assert!(browser.get(&format!("/3ds/{id}")).await.html.contains("You approved the payment."));
}

#[tokio::test]
async fn konbini_shows_a_voucher_and_settles_by_its_buttons_or_the_control() {
    let browser = Browser::new();
    let konbini = [("method", "konbini"), ("email", "aki@example.com"), ("konbini_name", "Aki")];
    let id = browser.session(json!({})).await;
    let path = format!("/c/pay/{id}");
    let taken = browser.post(&path, &konbini).await;
    assert!(taken.location.starts_with("/konbini/pi_"), "{}", taken.location);
    let voucher = browser.get(&taken.location).await;
    for shown in ["FamilyMart", "Seicomart", "Pay by 20", &format!("ok?id={id}")] {
        assert!(voucher.html.contains(shown), "{shown}");
    }
    assert!(browser.get(&path).await.location.starts_with("/konbini/pi_"));
    browser.post(&taken.location, &[("outcome", "succeeded")]).await;
    assert_eq!(browser.object(SESSION, &id)["payment_status"], "paid");
    let over = browser.get(&taken.location).await;
    assert!(over.html.contains("The store has reported your payment."));

    let id = browser.session(json!({})).await;
    browser.post(&format!("/c/pay/{id}"), &konbini).await;
    let control = format!("/_stripegym/checkout/{id}/settle");
    let wrong = browser.post_with(&control, "", &[("outcome", "maybe")]).await;
    assert_eq!(wrong.status, 400);
    let settled = browser.post_with(&control, "", &[("outcome", "failed")]).await;
    assert_eq!(settled.status, 200);
    assert!(settled.html.contains("\"payment_status\": \"unpaid\""));
    let again = browser.post_with(&control, "", &[("outcome", "failed")]).await;
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn an_account_link_is_clicked_through_once() {
    let browser = Browser::new();
    let call = |key: &str, params: Value| Call {
        key: key.to_owned(),
        ids: Vec::new(),
        params: params.as_object().unwrap().clone(),
        version: Version { text: "2026-10-28.endive".to_owned(), named: true },
    };
    let make = |key: &'static str, params: Value| {
        let call = call(key, params);
        let endpoint = crate::catalog::Catalog::get().routes().all().iter();
        let endpoint = endpoint.clone().find(|it| it.key() == key).unwrap();
        browser.world.change(Origin::default(), move |txn| {
            let answerer = crate::sandbox::registry::find(endpoint);
            answerer.answer(txn, &call).map(crate::sandbox::call::body::Body::into_document)
        })
    };
    let asked = json!({"type": "express", "country": "JP"});
    let account =
        make("POST /v1/accounts", asked).await.unwrap()["id"].as_str().unwrap().to_owned();
    let link = json!({"account": account, "type": "account_onboarding",
        "refresh_url": "https://shop.example/again", "return_url": "https://shop.example/back"});
    let path = |link: &Value| {
        let url = link["url"].as_str().unwrap();
        url.strip_prefix("http://127.0.0.1:12111").unwrap().to_owned()
    };
    let first = path(&make("POST /v1/account_links", link.clone()).await.unwrap());
    let page = browser.get(&first).await;
    assert!(page.html.contains("Still asked for") && page.html.contains("external_account"));
    assert!(browser.get(&format!("{first}?lang=ja")).await.html.contains("未提出の項目"));
    let left = browser.post(&first, &[("outcome", "left")]).await;
    assert_eq!(left.location, "https://shop.example/back");
    assert_eq!(browser.object("account", &account)["details_submitted"], false);
    assert_eq!(browser.get(&first).await.location, "https://shop.example/again");

    let second = path(&make("POST /v1/account_links", link).await.unwrap());
    let done = browser.post(&second, &[("outcome", "submitted")]).await;
    assert_eq!(done.location, "https://shop.example/back");
    let now = browser.object("account", &account);
    assert_eq!((&now["details_submitted"], &now["payouts_enabled"]), (&json!(true), &json!(true)));
    assert_eq!(browser.get("/setup/c/acct_nobody/x").await.status, 404);
    let dashboard = browser.get(&format!("/express/{account}/x")).await;
    assert!(dashboard.html.contains("is paid out"));
}

#[tokio::test]
async fn expired_and_unknown_sessions_say_so() {
    let browser = Browser::new();
    let id = browser.session(json!({"after_expiration": {"recovery": {"enabled": true}}})).await;
    let ended = browser
        .world
        .change(Origin::default(), |txn| {
            crate::sandbox::behaviour::checkout::expire::expire(txn, &id)
        })
        .await
        .unwrap();
    let page = browser.get(&format!("/c/pay/{id}")).await;
    assert!(page.html.contains("This page has expired"));
    assert!(page.html.contains("https://shop.example/cart"));
    let url = ended["after_expiration"]["recovery"]["url"].as_str().unwrap();
    let recovered = browser.get(url.strip_prefix("http://127.0.0.1:12111").unwrap()).await;
    assert!(recovered.location.starts_with("/c/pay/cs_test_b1"), "{}", recovered.location);
    let paid = browser.post(&recovered.location, &card("4242424242424242")).await;
    assert_eq!(paid.status, 303);
    assert_eq!(browser.get("/c/pay/cs_test_nope").await.status, 404);
    assert_eq!(browser.get("/3ds/pi_nope").await.status, 404);
    assert_eq!(browser.get("/konbini/pi_nope").await.status, 404);
}

#[tokio::test]
async fn what_a_session_collects_is_asked_for_and_kept() {
    let browser = Browser::new();
    let rate = |name: &str, amount: i64| {
        json!({"shipping_rate_data": {
            "display_name": name, "type": "fixed_amount",
            "fixed_amount": {"amount": amount, "currency": "jpy"},
        }})
    };
    let id = browser
        .session(json!({
            "shipping_address_collection": {"allowed_countries": ["JP"]},
            "shipping_options": [rate("Post", 300), rate("Express", 900)],
            "phone_number_collection": {"enabled": true},
            "consent_collection": {"terms_of_service": "required"},
            "custom_fields": [{"key": "size", "label": {"custom": "Size", "type": "custom"}, "type": "text"}],
        }))
        .await;
    let path = format!("/c/pay/{id}");
    let lacking = browser.post(&path, &card("4242424242424242")).await;
    for field in ["shipping_name", "shipping_country", "phone", "custom_0"] {
        assert!(lacking.html.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    assert!(lacking.html.contains("href=\"#terms\""));
    let mut fields = card("4242424242424242");
    fields.extend([
        ("shipping_name", "Aki"),
        ("shipping_country", "JP"),
        ("shipping_city", "Chiyoda"),
        ("shipping_line1", "1-1"),
        ("shipping_option", "1"),
        ("phone", "0312345678"),
        ("custom_0", "M"),
        ("terms", "1"),
    ]);
    assert_eq!(browser.post(&path, &fields).await.status, 303);
    let session = browser.object(SESSION, &id);
    assert_eq!(session["amount_total"], 2_400);
    assert_eq!(session["custom_fields"][0]["text"]["value"], "M");
    assert_eq!(session["collected_information"]["shipping_details"]["address"]["city"], "Chiyoda");
    assert_eq!(session["customer_details"]["phone"], "0312345678");
    assert_eq!(session["consent"]["terms_of_service"], "accepted");
    let intent = browser.object("payment_intent", session["payment_intent"].as_str().unwrap());
    assert_eq!(intent["amount"], 2_400);
}

#[tokio::test]
async fn the_address_of_the_sandbox_is_a_page_in_both_languages_and_asks_for_no_key() {
    let browser = Browser::new();
    for (accepted, title) in [("en", "sandbox is running"), ("ja,en;q=0.5", "動いています")] {
        let request = Request::get("/").header("accept-language", accepted);
        let home = browser.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(home.status, 200);
        let links = ["status", "endpoints", "deliveries", "requests"];
        let links = links.map(|name| format!("href=\"/_stripegym/{name}\""));
        let shown = ["http://127.0.0.1:12111", "2026-10-28.endive", "port: 12111", title];
        for part in links.iter().map(String::as_str).chain(shown) {
            assert!(home.html.contains(part), "{accepted}: `{part}` is not in\n{}", home.html);
        }
    }
}
