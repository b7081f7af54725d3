//! Parameters of older API versions that requests without a version, or with an older one, may use.
//!
//! The official CLI's `trigger` sends no version and relies on them.

use crate::catalog::path::Path;

/// The code with which current versions refuse `payment_method_types`.
pub const NO_LONGER_SUPPORTED: &str = "payment_method_types_no_longer_supported";

/// Its message.
pub const NO_LONGER_SUPPORTED_MESSAGE: &str = "The `payment_method_types` parameter is no longer supported as of API version 2026-09-30.endive. Use `allowed_payment_method_types` instead, or leave it out to offer every payment method enabled in your settings.";

/// The parameter that current versions refuse with a code of its own.
pub const PAYMENT_METHOD_TYPES: &str = "payment_method_types";

/// Endpoints that took `payment_method_types` before 2026-09-30.endive.
const PAYMENT_METHOD_TYPES_ENDPOINTS: [&str; 6] = [
    "POST /v1/checkout/sessions",
    "POST /v1/payment_intents",
    "POST /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm",
    "POST /v1/setup_intents",
    "POST /v1/setup_intents/{intent}",
];

/// Endpoints that took `coupon` before discounts and promotions became lists and hashes.
const COUPON_ENDPOINTS: [&str; 5] = [
    "POST /v1/promotion_codes",
    "POST /v1/customers",
    "POST /v1/customers/{customer}",
    "POST /v1/subscriptions",
    "POST /v1/subscriptions/{subscription_exposed_id}",
];

/// Endpoints that took `requested_capabilities` before `capabilities`, and `bank_account` before `external_account`.
const ACCOUNT_ENDPOINTS: [&str; 2] = ["POST /v1/accounts", "POST /v1/accounts/{account}"];

/// The type, in the catalog's grammar, of a parameter that an endpoint took in older versions.
pub fn parameter(endpoint: &str, name: &str) -> Option<&'static str> {
    match name {
        PAYMENT_METHOD_TYPES if PAYMENT_METHOD_TYPES_ENDPOINTS.contains(&endpoint) => Some("[s]"),
        "requested_capabilities" if ACCOUNT_ENDPOINTS.contains(&endpoint) => Some("[s]"),
        "bank_account" if ACCOUNT_ENDPOINTS.contains(&endpoint) => Some("s/{s}"),
        "coupon" if COUPON_ENDPOINTS.contains(&endpoint) => Some("s~"),
        _ => None,
    }
}

/// The required parameter of today that an older one stands for.
pub fn stands_for(endpoint: &str, name: &str) -> Option<&'static str> {
    match (endpoint, name) {
        ("POST /v1/promotion_codes", "coupon") => Some("promotion"),
        _ => None,
    }
}

/// A word that was renamed: endpoint, parameter, the old word, today's word.
type Word = (&'static str, &'static str, &'static str, &'static str);

const WORDS: [Word; 4] = [
    (
        "POST /v1/payment_intents",
        "payment_method_options[customer_balance][bank_transfer][type]",
        "jp_bank_account",
        "jp_bank_transfer",
    ),
    ("POST /v1/checkout/sessions", "ui_mode", "hosted", "hosted_page"),
    ("POST /v1/checkout/sessions", "ui_mode", "embedded", "embedded_page"),
    ("POST /v1/checkout/sessions", "ui_mode", "custom", "elements"),
];

/// Today's word for one of an older version.
pub(crate) fn word(endpoint: &str, path: Path<'_>, old: &str) -> Option<&'static str> {
    let mut words = WORDS.iter();
    let is = |entry: &&Word| entry.2 == old && entry.0 == endpoint && path.to_string() == entry.1;
    words.find(is).map(|entry| entry.3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, grammar};

    #[test]
    fn every_entry_names_an_endpoint_and_is_not_in_the_current_version() {
        let catalog = Catalog::get();
        let older = [("payment_method_types", PAYMENT_METHOD_TYPES_ENDPOINTS.as_slice())];
        for (name, keys) in older.into_iter().chain([("coupon", COUPON_ENDPOINTS.as_slice())]) {
            for key in keys {
                let mut all = catalog.routes().all().iter();
                let endpoint = all.find(|e| e.key() == *key).unwrap_or_else(|| panic!("{key}"));
                let shape = catalog.params(endpoint.params.unwrap()).unwrap();
                assert!(grammar::field(&shape.fields, name).is_none(), "{key} {name}");
                assert!(grammar::read(parameter(key, name).unwrap()).is_some());
            }
        }
    }
}
