//! Invoices as a browser without JavaScript meets them, and their PDFs.

use super::tests::{Browser, card};
use crate::catalog::Catalog;
use crate::catalog::route::Routed;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::paper::pdf::reading::text_of;
use crate::sandbox::registry;
use serde_json::{Value, json};

const BASE: &str = "http://127.0.0.1:12111";

impl Browser {
    /// Calls an endpoint of the API with checked parameters.
    pub(super) async fn api(&self, endpoint: &str, params: Value) -> Value {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let Routed::Found(found) = Catalog::get().route(method, path) else {
            panic!("no endpoint {endpoint}");
        };
        let call = Call {
            key: found.endpoint.key().to_owned(),
            ids: (0..found.ids.len()).map(|at| found.id(at).to_owned()).collect(),
            params: params.as_object().unwrap().clone(),
            version: Version { text: "2026-10-28.endive".to_owned(), named: true },
        };
        let answerer = registry::find(found.endpoint);
        let made = self.world.change(Origin::default(), |txn| answerer.answer(txn, &call)).await;
        let made = made.unwrap_or_else(|failure| panic!("{endpoint}: {failure:?}"));
        let document = made.into_document();
        assert_eq!(Catalog::get().check(&document), Vec::<String>::new(), "{endpoint}");
        document
    }

    /// The path that an address of the sandbox's leads to, in a language.
    pub(super) fn path_of(url: &Value, lang: &str) -> String {
        let path = url.as_str().unwrap().strip_prefix(BASE).unwrap();
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joint}lang={lang}")
    }

    /// The types of all events so far, oldest first.
    pub(super) fn told(&self) -> Vec<String> {
        let mut types: Vec<String> = self.world.read(|view| {
            view.newest("event").map(|it| it["type"].as_str().unwrap().to_owned()).collect()
        });
        types.reverse();
        types
    }

    async fn bill(&self, more: Value) -> Value {
        let customer = self
            .api(
                "POST /v1/customers",
                json!({
                    "name": "株式会社さくら", "email": "keiri@example.com",
                    "address": {"line1": "丸の内1-1", "city": "千代田区", "state": "東京都",
                        "postal_code": "100-0005", "country": "JP"},
                }),
            )
            .await;
        let mut params = json!({"customer": customer["id"]});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let draft = self.api("POST /v1/invoices", params).await;
        let item = json!({
            "customer": customer["id"], "invoice": draft["id"], "amount": 5_000, "currency": "jpy",
            "description": "Support <b>",
        });
        self.api("POST /v1/invoiceitems", item).await;
        let id = draft["id"].as_str().unwrap();
        self.api(&format!("POST /v1/invoices/{id}/finalize"), json!({})).await
    }
}

#[tokio::test]
async fn an_invoice_is_seen_and_paid_where_it_says() {
    let browser = Browser::new();
    let invoice = browser.bill(json!({"footer": "Thank you"})).await;
    let path = Browser::path_of(&invoice["hosted_invoice_url"], "en");
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200);
    for said in [
        invoice["number"].as_str().unwrap(),
        "Support &#60;b&#62;",
        "株式会社さくら",
        "¥5,000",
        "Thank you",
        "丸の内1-1",
    ] {
        assert!(page.html.contains(said), "{said} is not on {}", page.html);
    }
    let paid = browser.post(&path, &card("4242 4242 4242 4242")).await;
    assert_eq!(paid.status, 303, "{}", paid.html);
    let id = invoice["id"].as_str().unwrap();
    assert_eq!(browser.object("invoice", id)["status"], "paid");
    let told = browser.told();
    for kind in ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded"] {
        assert_eq!(told.iter().filter(|it| *it == kind).count(), 1, "{kind} of {told:?}");
    }
    let after = browser.get(&path).await;
    assert!(after.html.contains("Nothing is left to pay") && !after.html.contains("id=\"number\""));
    let again = browser.post(&path, &card("4242424242424242")).await;
    assert_eq!(again.status, 303, "a second press pays nothing");
}

#[tokio::test]
async fn a_declined_card_is_told_and_the_invoice_stays_open() {
    let browser = Browser::new();
    let invoice = browser.bill(json!({})).await;
    let path = Browser::path_of(&invoice["hosted_invoice_url"], "en");
    let declined = browser.post(&path, &card("4000000000009995")).await;
    assert_eq!(declined.status, 402);
    assert!(declined.html.contains("insufficient funds"), "{}", declined.html);
    assert!(!declined.html.contains("4000000000009995"), "the number is not sent back");
    let id = invoice["id"].as_str().unwrap();
    assert_eq!(browser.object("invoice", id)["status"], "open");
    let empty = browser.post(&path, &[]).await;
    assert_eq!((empty.status, empty.html.matches("aria-invalid").count()), (402, 4));
    let foreign = browser.post_with(&path, "0", &card("4242424242424242")).await;
    assert_eq!(foreign.status, 402);
    assert_eq!(browser.object("invoice", id)["status"], "open", "a foreign form pays nothing");
    assert!(browser.told().contains(&"invoice.payment_failed".to_owned()));
}

#[tokio::test]
async fn a_challenge_leads_back_to_the_invoice_whether_it_is_passed_or_not() {
    let browser = Browser::new();
    let invoice = browser.bill(json!({})).await;
    let path = Browser::path_of(&invoice["hosted_invoice_url"], "en");
    let asked = browser.post(&path, &card("4000002760003184")).await;
    assert!(asked.location.starts_with("/3ds/pi_"), "{}", asked.location);
    // Who turns back finds the way on.
    let waiting = browser.get(&path).await;
    assert!(waiting.html.contains("id=\"challenge\""), "{}", waiting.html);
    let failed = browser.post(&asked.location, &[("result", "fail")]).await;
    assert!(failed.location.contains("refused=1"), "{}", failed.location);
    let back = browser.get(failed.location.strip_prefix(BASE).unwrap()).await;
    assert!(back.html.contains("could not confirm"), "{}", back.html);
    let asked = browser.post(&path, &card("4000002760003184")).await;
    let passed = browser.post(&asked.location, &[("result", "pass")]).await;
    let back = browser.get(passed.location.strip_prefix(BASE).unwrap()).await;
    assert!(back.html.contains("Nothing is left to pay"), "{}", back.html);
}

#[tokio::test]
async fn an_invoice_says_what_became_of_it() {
    let browser = Browser::new();
    for (act, said, payable) in
        [("void", "This invoice is void", false), ("mark_uncollectible", "written off", true)]
    {
        let invoice = browser.bill(json!({})).await;
        let id = invoice["id"].as_str().unwrap();
        browser.api(&format!("POST /v1/invoices/{id}/{act}"), json!({})).await;
        let page = browser.get(&Browser::path_of(&invoice["hosted_invoice_url"], "en")).await;
        assert!(page.html.contains(said), "{}", page.html);
        assert_eq!(page.html.contains("id=\"number\""), payable, "{act}");
    }
    let invoice = browser.bill(json!({})).await;
    let path = Browser::path_of(&invoice["hosted_invoice_url"], "en");
    for path in [path.replace("test_", "test_x"), path.replace("/i/acct_1", "/i/acct_x")] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
}

/// What Japan's law asks of an invoice, at two rates, one of them reduced and within its price.
async fn qualified(browser: &Browser) -> Value {
    let rate = |percentage: u64, inclusive: bool| json!({"display_name": "消費税", "percentage": percentage, "inclusive": inclusive, "country": "JP"});
    let whole = browser.api("POST /v1/tax_rates", rate(10, false)).await;
    let reduced = browser.api("POST /v1/tax_rates", rate(8, true)).await;
    let own = json!({"type": "jp_trn", "value": "T1234567890123"});
    let own = browser.api("POST /v1/tax_ids", own).await;
    let customer = browser.api("POST /v1/customers", json!({"name": "山田 花子"})).await;
    let params = json!({"customer": customer["id"], "account_tax_ids": [own["id"]]});
    let draft = browser.api("POST /v1/invoices", params).await;
    for (name, amount, rate) in [("配送サービス", 1_000, &whole), ("お弁当", 1_080, &reduced)]
    {
        let item = json!({
            "customer": customer["id"], "invoice": draft["id"], "amount": amount, "currency": "jpy",
            "description": name, "tax_rates": [rate["id"]],
        });
        browser.api("POST /v1/invoiceitems", item).await;
    }
    let id = draft["id"].as_str().unwrap();
    browser.api(&format!("POST /v1/invoices/{id}/finalize"), json!({})).await
}

#[tokio::test]
async fn a_japanese_invoice_has_its_registration_number_and_its_sums_by_rate() {
    let browser = Browser::new();
    let invoice = qualified(&browser).await;
    assert_eq!(invoice["total"], 2_180);
    let page = browser.get(&Browser::path_of(&invoice["hosted_invoice_url"], "ja")).await;
    let pdf = browser.get(&Browser::path_of(&invoice["invoice_pdf"], "ja")).await;
    let pdf = text_of(pdf.html.as_bytes());
    for said in [
        "T1234567890123",
        "登録番号",
        "山田 花子",
        "※ お弁当",
        "配送サービス",
        "※ 軽減税率の対象",
        "¥1,000",
        "¥100",
        "¥80",
        "¥2,180",
        "10%",
        "8%",
        "税率ごとの合計",
    ] {
        assert!(page.html.contains(said), "the page lacks {said}: {}", page.html);
        assert!(pdf.contains(said), "the PDF lacks {said}: {pdf}");
    }
    assert!(!pdf.contains("※ 配送"), "only the reduced rate has the mark: {pdf}");
}

#[tokio::test]
async fn a_pdf_can_be_read_in_both_languages_and_over_many_pages() {
    let browser = Browser::new();
    let invoice = browser.bill(json!({"description": "Net 30 — 月末締め翌月払い"})).await;
    for (lang, words) in
        [("en", ["Invoice number", "Amount due"]), ("ja", ["請求書番号", "ご請求額"])]
    {
        let seen = browser.get(&Browser::path_of(&invoice["invoice_pdf"], lang)).await;
        assert_eq!(seen.status, 200);
        let text = text_of(seen.html.as_bytes());
        for said in words.into_iter().chain([
            invoice["number"].as_str().unwrap(),
            "株式会社さくら",
            "Net 30 — 月末締め翌月払い",
            "¥5,000",
        ]) {
            assert!(text.contains(said), "{lang} lacks {said}: {text}");
        }
    }
    let customer = browser.api("POST /v1/customers", json!({})).await;
    let draft = browser.api("POST /v1/invoices", json!({"customer": customer["id"]})).await;
    for at in 0..60 {
        let item = json!({
            "customer": customer["id"], "invoice": draft["id"], "amount": 1 + at, "currency": "usd",
            "description": format!("Item number {at}"),
        });
        browser.api("POST /v1/invoiceitems", item).await;
    }
    let id = draft["id"].as_str().unwrap();
    let invoice = browser.api(&format!("POST /v1/invoices/{id}/finalize"), json!({})).await;
    let seen = browser.get(&Browser::path_of(&invoice["invoice_pdf"], "en")).await;
    let text = text_of(seen.html.as_bytes());
    for at in 0..60 {
        assert!(text.contains(&format!("Item number {at}\n")), "{at}: {text}");
    }
    assert!(seen.html.matches("/Type /Page ").count() >= 2, "one page is too short for it");
}
