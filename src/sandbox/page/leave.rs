//! Where a page sends its visitor: the shop's addresses, with what belongs in them.

use crate::sandbox::behaviour::document::text;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

/// The shop's success page. Only the literal `{CHECKOUT_SESSION_ID}` becomes the session's id.
pub fn success(session: &Value) -> Option<String> {
    let url = session.get("success_url").and_then(Value::as_str)?;
    Some(url.replace("{CHECKOUT_SESSION_ID}", text(session, "id")))
}

/// Where a payment outside Checkout comes back to after its challenge, with how it went.
pub fn returned(return_url: &str, intent: &Value) -> String {
    let succeeded = matches!(
        text(intent, "status"),
        "succeeded" | "processing" | "requires_capture" | "requires_confirmation"
    );
    let status = if succeeded { "succeeded" } else { "failed" };
    let (front, fragment) = match return_url.split_once('#') {
        Some((front, fragment)) => (front, format!("#{fragment}")),
        None => (return_url, String::new()),
    };
    let joint = if front.contains('?') { '&' } else { '?' };
    let (id, secret) = (text(intent, "id"), text(intent, "client_secret"));
    let name = if id.starts_with("seti_") { "setup_intent" } else { "payment_intent" };
    format!(
        "{front}{joint}{name}={id}&{name}_client_secret={secret}&redirect_status={status}{fragment}"
    )
}

/// An address as a `Location` header may carry it: everything but printable ASCII is percent-encoded.
pub fn location(url: &str) -> String {
    const ESCAPED: &AsciiSet = &CONTROLS.add(b' ');
    utf8_percent_encode(url, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_literal_braces_are_replaced() {
        let at = |url: &str| success(&json!({"id": "cs_1", "success_url": url})).unwrap();
        assert_eq!(at("https://a.b/?s={CHECKOUT_SESSION_ID}"), "https://a.b/?s=cs_1");
        assert_eq!(
            at("https://a.b/?s=%7BCHECKOUT_SESSION_ID%7D"),
            "https://a.b/?s=%7BCHECKOUT_SESSION_ID%7D"
        );
        assert_eq!(success(&json!({"id": "cs_1", "success_url": null})), None);
    }

    #[test]
    fn a_return_url_keeps_its_query_and_fragment() {
        let intent = json!({"id": "pi_1", "client_secret": "pi_1_secret_2", "status": "succeeded"});
        assert_eq!(
            returned("https://a.b/x?y=1#z", &intent),
            "https://a.b/x?y=1&payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2&redirect_status=succeeded#z"
        );
        let setup =
            json!({"id": "seti_1", "client_secret": "seti_1_secret_2", "status": "succeeded"});
        assert_eq!(
            returned("https://a.b/x", &setup),
            "https://a.b/x?setup_intent=seti_1&setup_intent_client_secret=seti_1_secret_2&redirect_status=succeeded"
        );
        assert!(
            returned("https://a.b", &json!({"status": "requires_payment_method"}))
                .ends_with("redirect_status=failed")
        );
    }

    #[test]
    fn a_location_is_printable_ascii() {
        assert_eq!(
            location("https://a.b/完了\r\nX: y"),
            "https://a.b/%E5%AE%8C%E4%BA%86%0D%0AX:%20y"
        );
    }
}
