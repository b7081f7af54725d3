//! Where the second version of the API differs from the first whatever is called: it wants to be told its version, and
//! calls what is not there `not_found`.
//!
//! The words of its refusals are believed to be those of v1: nobody recorded v2.

use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Whether a path is one of v2.
pub fn is_its(path: &str) -> bool {
    path.starts_with("/v2/")
}

/// Refuses a call of v2 that does not say by `Stripe-Version` how it is to be understood.
pub fn ensure_version(path: &str, version: Option<&str>) -> Result<(), Failure> {
    let is_said = version.is_some_and(|version| !version.trim().is_empty());
    if is_said || !is_its(path) {
        return Ok(());
    }
    Err(Failure::invalid("Please provide a `Stripe-Version` header: requests to /v2 need one."))
}

/// The body of a refusal as v2 has it: its own code, and no page of v1 that explains it.
pub fn error(mut body: Value) -> Value {
    if let Some(Value::Object(error)) = body.get_mut("error") {
        error.remove("doc_url");
        let is_missing = error.get("code") == Some(&json!("resource_missing"));
        if is_missing && error.get("param") == Some(&json!("id")) {
            error.insert("code".to_owned(), json!("not_found"));
            error.remove("param");
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found_and_what_names_it_is_missing() {
        let missing = |param: &str| error(Failure::missing("v2.core.event", "evt_1", param).body());
        let of =
            |body: &Value| (body["error"]["code"].clone(), body["error"].get("param").cloned());
        assert_eq!(of(&missing("id")), (json!("not_found"), None));
        assert_eq!(of(&missing("account")), (json!("resource_missing"), Some(json!("account"))));
        assert_eq!(missing("id")["error"].get("doc_url"), None);
    }

    #[test]
    fn only_v2_needs_to_be_told_its_version() {
        assert!(ensure_version("/v1/customers", None).is_ok());
        assert!(ensure_version("/v2/core/events", Some("2026-10-28.endive")).is_ok());
        for none in [None, Some(" ")] {
            assert_eq!(ensure_version("/v2/core/events", none).unwrap_err().status, 400);
        }
    }
}
