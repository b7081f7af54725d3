//! Quotes as PDFs, which Stripe serves at `files.stripe.com` and the sandbox at its own address.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::paper::{preferred, print, quote};
use crate::wire::failure::Failure;
use crate::wire::multipart::File;

/// The behaviour of `GET /v1/quotes/{quote}/pdf`.
pub fn handler(key: &str) -> Option<Handler> {
    (key == "GET /v1/quotes/{quote}/pdf").then_some(print as Handler)
}

/// The sheet, in the language that its customer prefers, else in English. Believed: the refusal of a draft, which has
/// no number yet.
fn print(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("quote", call.id(0), "id")?;
    if text(&found, "number").is_empty() {
        let text = "You can only download the PDF of a quote that has been finalized.";
        return Err(Failure::invalid(text).param("quote"));
    }
    let wanted = preferred(txn, text(&found, "customer"));
    let locale = wanted.and_then(|it| Locale::read(&it)).unwrap_or(Locale::En);
    let bill = quote::bill(txn, &found, &quote::country(txn), locale);
    let name = format!("{}.pdf", bill.number);
    let file = File { name, bytes: print::print(&bill, locale) };
    Ok(Body::Text(file.written().into()))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::call::body::Body;
    use crate::sandbox::paper::pdf::reading::text_of;
    use crate::sandbox::registry::upload;
    use crate::sandbox::testing::Lab;
    use serde_json::{Value, json};

    fn opened(lab: &mut Lab, id: &str) -> String {
        let written = lab.ask(&format!("GET /v1/quotes/{id}/pdf"), json!({})).unwrap();
        let body = Body::Text(written.to_string().into());
        let path = format!("/v1/quotes/{id}/pdf");
        let (bytes, kind) = upload::opened(&path, 200, &body).unwrap();
        assert_eq!(kind, "application/pdf");
        text_of(&bytes)
    }

    fn quoted(lab: &mut Lab, customer: Value, finalize: bool) -> String {
        let price = lab.ok(
            "POST /v1/prices",
            json!({"currency": "jpy", "unit_amount": 1_200, "recurring": {"interval": "month"},
                "product_data": {"name": "ライト"}}),
        );
        let rate = json!({"display_name": "消費税", "percentage": 10, "inclusive": false});
        let rate = lab.ok("POST /v1/tax_rates", rate);
        let customer = lab.ok("POST /v1/customers", customer);
        let quote = lab.ok(
            "POST /v1/quotes",
            json!({"customer": customer["id"], "header": "Welcome", "footer": "Thank you",
                "default_tax_rates": [rate["id"]],
                "line_items": [{"price": price["id"], "quantity": 3}]}),
        );
        let id = quote["id"].as_str().unwrap().to_owned();
        if finalize {
            lab.ok(&format!("POST /v1/quotes/{id}/finalize"), json!({}));
        }
        id
    }

    #[test]
    fn a_quote_can_be_read_in_both_languages() {
        let mut lab = Lab::new();
        let english = json!({"name": "Ada", "email": "ada@example.com"});
        let id = quoted(&mut lab, english, true);
        let text = opened(&mut lab, &id);
        let number = lab.get("quote", &id)["number"].as_str().unwrap().to_owned();
        for said in [
            "Quote",
            &number,
            "Ada",
            "ライト",
            "¥1,200 per month",
            "¥3,600",
            "10%",
            "¥360",
            "¥3,960",
            "Welcome",
            "Thank you",
            "Valid until",
        ] {
            assert!(text.contains(said), "{said} is not in {text}");
        }
        let japanese = json!({"name": "株式会社さくら", "preferred_locales": ["ja"]});
        let id = quoted(&mut lab, japanese, true);
        let text = opened(&mut lab, &id);
        for said in ["見積書", "見積番号", "有効期限", "株式会社さくら", "1 か月ごとに ¥1,200"]
        {
            assert!(text.contains(said), "{said} is not in {text}");
        }
    }

    #[test]
    fn a_draft_has_no_pdf() {
        let mut lab = Lab::new();
        let id = quoted(&mut lab, json!({"name": "Ada"}), false);
        let path = format!("GET /v1/quotes/{id}/pdf");
        assert_eq!(lab.ask(&path, json!({})).unwrap_err().status, 400);
        let unknown = lab.ask("GET /v1/quotes/qt_nope/pdf", json!({})).unwrap_err();
        assert_eq!(unknown.status, 404);
    }
}
