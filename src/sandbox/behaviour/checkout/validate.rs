//! What a session's parameters must satisfy beyond their types. Pure: the call and the time in, a failure out.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::checkout::inline;
use crate::sandbox::call::Call;
use crate::wire::failure::Failure;

/// The shortest and the longest life of a session, in seconds.
pub const LIFE_S: (i64, i64) = (30 * 60, 24 * 60 * 60);

/// Parameters of which a session takes one at most.
const EXCLUSIVE: &[(&str, &str)] = &[
    ("customer", "customer_email"),
    ("customer", "customer_account"),
    ("allow_promotion_codes", "discounts"),
    ("allowed_payment_method_types", "excluded_payment_method_types"),
];

/// Parameters that belong to some modes only.
const OF_MODES: &[(&str, &[&str])] = &[
    ("payment_intent_data", &["payment"]),
    ("subscription_data", &["subscription"]),
    ("setup_intent_data", &["setup"]),
    ("invoice_creation", &["payment"]),
    ("payment_method_collection", &["subscription"]),
    ("shipping_options", &["payment", "subscription"]),
    ("line_items", &["payment", "subscription"]),
];

/// Checks everything that needs no look at stored objects. `now` is when the session would be created.
pub fn parameters(call: &Call, now: Timestamp) -> Result<(), Failure> {
    let mode = mode(call)?;
    for (a, b) in EXCLUSIVE {
        if call.get(a).is_some() && call.get(b).is_some() {
            return Err(inline::exclusive(&format!("{a}, {b}"), a));
        }
    }
    for (name, modes) in OF_MODES {
        if call.get(name).is_some() && !modes.contains(&mode) {
            let text = format!("You can not pass `{name}` in `{mode}` mode.");
            return Err(Failure::invalid(text).param(*name));
        }
    }
    if mode == "subscription" && call.get("customer_creation").is_some() {
        let text = "`customer_creation` can only be used in `payment` mode.";
        return Err(Failure::invalid(text).param("customer_creation"));
    }
    urls(call)?;
    if call.get("customer_update").is_some() && call.get("customer").is_none() {
        let text = "`customer_update` can only be used with `customer`.";
        return Err(Failure::invalid(text).param("customer_update"));
    }
    expiry(call, now)
}

/// The session's mode, which nothing stands in for.
pub fn mode(call: &Call) -> Result<&str, Failure> {
    call.text("mode").ok_or_else(|| inline::missing("mode"))
}

/// The session's UI mode in today's words.
pub fn ui_mode(call: &Call) -> &str {
    match call.text("ui_mode") {
        None | Some("hosted") => "hosted_page",
        Some("embedded") => "embedded_page",
        Some("custom") => "elements",
        Some(other) => other,
    }
}

fn urls(call: &Call) -> Result<(), Failure> {
    let ui_mode = ui_mode(call);
    let shown = call.text("ui_mode").unwrap_or(ui_mode);
    let forbidden: &[&str] = match ui_mode {
        "embedded_page" | "elements" => &["success_url", "cancel_url"],
        _ => &["return_url", "redirect_on_completion"],
    };
    if let Some(name) = forbidden.iter().find(|name| call.get(name).is_some()) {
        let text = format!("`{name}` is not allowed when `ui_mode` is `{shown}`.");
        return Err(Failure::invalid(text).param(*name));
    }
    match ui_mode {
        "hosted_page" | "form" if call.get("success_url").is_none() => {
            return Err(inline::missing("success_url"));
        }
        "embedded_page"
            if call.get("return_url").is_none()
                && call.text("redirect_on_completion") != Some("never") =>
        {
            return Err(inline::missing("return_url"));
        }
        _ => {}
    }
    for name in ["success_url", "cancel_url", "return_url"] {
        if call.text(name).is_some_and(|url| !is_url(url)) {
            return Err(Failure::invalid("Not a valid URL").code("url_invalid").param(name));
        }
    }
    Ok(())
}

/// Whether a text is an absolute http(s) URL with a host, as far as Stripe looks.
pub fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| text.get(scheme.len()..))?
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn expiry(call: &Call, now: Timestamp) -> Result<(), Failure> {
    let Some(expires_at) = call.int("expires_at") else { return Ok(()) };
    let life = Timestamp(expires_at).since(now);
    if life < LIFE_S.0 {
        let text = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
        return Err(Failure::invalid(text));
    }
    if life > LIFE_S.1 {
        let text =
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.";
        return Err(Failure::invalid(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::Version;
    use serde_json::{Value, json};

    fn call(params: &Value) -> Call {
        let mut all = json!({"mode": "payment", "success_url": "https://shop.example/ok"});
        let map = all.as_object_mut().unwrap();
        map.extend(params.as_object().unwrap().clone());
        Call {
            key: "POST /v1/checkout/sessions".to_owned(),
            ids: Vec::new(),
            params: map.clone(),
            version: Version { text: "2026-10-28.endive".to_owned(), named: true },
        }
    }

    fn failure(params: &Value) -> Failure {
        parameters(&call(params), Timestamp(1_000_000)).unwrap_err()
    }

    #[test]
    fn each_fault_is_told_in_stripes_words() {
        for (params, message, param) in [
            (json!({"success_url": null}), "Missing required param: success_url.", "success_url"),
            (json!({"mode": null}), "Missing required param: mode.", "mode"),
            (
                json!({"customer": "cus_1", "customer_email": "a@b.c"}),
                "You may only specify one of these parameters: customer, customer_email.",
                "customer",
            ),
            (
                json!({"subscription_data": {}}),
                "You can not pass `subscription_data` in `payment` mode.",
                "subscription_data",
            ),
            (json!({"success_url": "/done"}), "Not a valid URL", "success_url"),
            (json!({"cancel_url": "https:///x"}), "Not a valid URL", "cancel_url"),
            (
                json!({"allow_promotion_codes": true, "discounts": [{"coupon": "X"}]}),
                "You may only specify one of these parameters: allow_promotion_codes, discounts.",
                "allow_promotion_codes",
            ),
            (
                json!({"ui_mode": "embedded_page"}),
                "`success_url` is not allowed when `ui_mode` is `embedded_page`.",
                "success_url",
            ),
        ] {
            let failure = failure(&params);
            assert_eq!(
                (failure.message.as_str(), failure.param.as_deref()),
                (message, Some(param))
            );
            assert_eq!(failure.status, 400);
        }
    }

    #[test]
    fn a_session_lives_from_half_an_hour_to_a_day() {
        let at = |life: i64| {
            parameters(&call(&json!({"expires_at": 1_000_000 + life})), Timestamp(1_000_000))
        };
        assert!(at(1_799).unwrap_err().message.contains("at least 30 minutes"));
        assert!(at(1_800).is_ok() && at(86_400).is_ok());
        assert!(at(86_401).unwrap_err().message.contains("less than 24 hours"));
    }

    #[test]
    fn urls_need_a_scheme_and_a_host() {
        assert!(is_url("http://localhost:4242/success?session_id={CHECKOUT_SESSION_ID}"));
        assert!(is_url("HTTPS://例え.jp/ok"));
        for bad in ["", "shop.example", "ftp://x", "http://", "https://a b", "http://:80"] {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
