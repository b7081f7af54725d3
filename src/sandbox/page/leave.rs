//! Where a page sends its visitor: the shop's addresses, with what belongs in them.

use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::confirm;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

/// What a merchant's page is told of the session in its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Whether it is complete.
    pub complete: bool,
    /// Where the page goes then, if anywhere.
    pub leave: Option<String>,
}

/// Whether a session is paid in a frame of the merchant's page.
pub fn is_framed(session: &Value) -> bool {
    text(session, "ui_mode") == "embedded_page"
}

/// Whether a session is paid on a page of the merchant's own, with elements.
pub fn is_merchants(session: &Value) -> bool {
    text(session, "ui_mode") == "elements"
}

/// The path of the page that pays a session, within its world. In a frame it is named by the secret, which only the
/// merchant's page has.
pub fn pay_path(session: &Value) -> String {
    if is_framed(session) {
        format!("/c/embed/{}", text(session, "client_secret"))
    } else {
        format!("/c/pay/{}", text(session, "id"))
    }
}

/// The shop's success page.
pub fn success(session: &Value) -> Option<String> {
    named(session, "success_url")
}

/// Where the page around a frame is sent once its session is complete; `None` where it stays. `kind` is the type of
/// the payment method.
pub fn from_frame(session: &Value, kind: &str) -> Option<String> {
    let elsewhere = kind != "card" && confirm::is_asked(kind);
    let leaves = match text(session, "redirect_on_completion") {
        "never" => false,
        "if_required" => elsewhere,
        _ => true,
    };
    named(session, "return_url").filter(|_| leaves)
}

/// Where a voucher leads on to: the shop, or the end of the frame that it is shown in.
pub fn from_voucher(session: &Value) -> Option<String> {
    let framed = || is_framed(session).then(|| format!("..{}?noted=1", pay_path(session)));
    success(session).or_else(framed)
}

/// An address of the shop's. Only the literal `{CHECKOUT_SESSION_ID}` becomes the session's id.
fn named(session: &Value, member: &str) -> Option<String> {
    let url = session.get(member).and_then(Value::as_str)?;
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
    fn a_page_around_a_frame_is_left_as_the_session_says() {
        let left = |redirect: &str, kind: &str| {
            let session = json!({
                "id": "cs_1", "ui_mode": "embedded_page", "redirect_on_completion": redirect,
                "return_url": "https://a.b/?s={CHECKOUT_SESSION_ID}", "client_secret": "cs_1_secret_2",
            });
            assert_eq!(pay_path(&session), "/c/embed/cs_1_secret_2");
            from_frame(&session, kind)
        };
        let there = Some("https://a.b/?s=cs_1".to_owned());
        assert_eq!(
            (left("always", "card"), left("always", "paypay")),
            (there.clone(), there.clone())
        );
        assert_eq!((left("if_required", "card"), left("if_required", "paypay")), (None, there));
        assert_eq!((left("never", "card"), left("never", "paypay")), (None, None));
        assert_eq!(pay_path(&json!({"id": "cs_1", "ui_mode": "hosted_page"})), "/c/pay/cs_1");
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
