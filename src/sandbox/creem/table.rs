//! What there is to call of Creem's API: each endpoint with what it takes and what answers it.

use crate::sandbox::creem::check::{Field, Kind, may};
use crate::sandbox::creem::document::Handler;
use crate::sandbox::creem::{
    change, checkout, customer, discount, licence, product, subscription, transaction, webhook,
};

/// One endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path after `/v1/`; a `*` stands for an id.
    pub path: &'static str,
    /// What it takes, in its query or its body.
    pub fields: &'static [Field],
    /// What answers it.
    pub run: Handler,
}

const NONE: &[Field] = &[];

const NUMBER: Field = may("page_number", Kind::Int(1, i64::MAX));
const SIZE: Field = may("page_size", Kind::Int(1, 100));
const PAGE: &[Field] = &[NUMBER, SIZE];
const PRODUCTS: &[Field] = &[NUMBER, SIZE, may("status", Kind::OneOf(&["active", "archived"]))];
const DISCOUNTS: &[Field] = &[
    NUMBER,
    SIZE,
    may("product_id", Kind::Text),
    may("status", Kind::OneOf(&["deleted", "active", "draft", "expired", "scheduled"])),
    may("type", Kind::OneOf(&["percentage", "fixed"])),
    may("created_after", Kind::Date),
    may("created_before", Kind::Date),
];
const OLD_PRODUCT: &[Field] = &[may("product_id", Kind::Text)];

const fn at(
    method: &'static str,
    path: &'static str,
    fields: &'static [Field],
    run: Handler,
) -> Endpoint {
    Endpoint { method, path, fields, run }
}

/// Every endpoint; what stands first is found first.
pub const ENDPOINTS: &[Endpoint] = &[
    at("POST", "products", product::CREATE, product::create),
    at("GET", "products", OLD_PRODUCT, product::get),
    at("GET", "products/search", PRODUCTS, product::search),
    at("GET", "products/*", NONE, product::get),
    at("PATCH", "products/*", product::UPDATE, product::update),
    at("DELETE", "products/*", NONE, product::archive),
    at("POST", "customers", customer::CREATE, customer::create),
    at("GET", "customers", customer::GET, customer::get),
    at("PATCH", "customers", customer::UPDATE, customer::update),
    at("GET", "customers/list", PAGE, customer::list),
    at("POST", "customers/billing", customer::LINK, customer::link),
    at("GET", "customers/*/orders", PAGE, customer::orders),
    at("GET", "customers/*/subscriptions", PAGE, customer::subscriptions),
    at("GET", "customers/*/licenses", PAGE, licence::of_customer),
    at("POST", "checkouts", checkout::CREATE, checkout::create),
    at("GET", "checkouts", checkout::GET, checkout::get),
    at("GET", "subscriptions", subscription::GET, subscription::get),
    at("GET", "subscriptions/search", PAGE, subscription::search),
    at("POST", "subscriptions/*", change::UPDATE, change::update),
    at("POST", "subscriptions/*/upgrade", change::UPGRADE, change::upgrade),
    at("POST", "subscriptions/*/cancel", subscription::CANCEL, subscription::cancel),
    at("POST", "subscriptions/*/pause", NONE, subscription::pause),
    at("POST", "subscriptions/*/resume", NONE, subscription::resume),
    at("GET", "transactions", transaction::GET, transaction::get),
    at("GET", "transactions/search", transaction::SEARCH, transaction::search),
    at("POST", "refunds", transaction::GET, transaction::refund),
    at("POST", "discounts", discount::CREATE, discount::create),
    at("GET", "discounts", discount::GET, discount::get),
    at("GET", "discounts/search", DISCOUNTS, discount::search),
    at("DELETE", "discounts/*/delete", NONE, discount::delete),
    at("POST", "licenses/activate", licence::ACTIVATE, licence::activate),
    at("POST", "licenses/deactivate", licence::NAMED, licence::deactivate),
    at("POST", "licenses/validate", licence::NAMED, licence::validate),
    at("GET", "licenses/*/instances", PAGE, licence::instances),
    at("POST", "webhooks", webhook::CREATE, webhook::create),
    at("GET", "webhooks", PAGE, webhook::list),
    at("GET", "webhooks/*", NONE, webhook::get),
    at("PATCH", "webhooks/*", webhook::UPDATE, webhook::update),
    at("DELETE", "webhooks/*", NONE, webhook::delete),
    at("GET", "webhooks/*/secret", NONE, webhook::secret),
    at("GET", "webhooks/*/events/pending", webhook::PENDING, webhook::pending),
    at("POST", "webhooks/*/events/*/ack", webhook::ACKNOWLEDGE, webhook::acknowledge),
];

/// What Creem has and the sandbox has not: what the paths begin with.
const NOT_MODELLED: [&str; 7] =
    ["affiliates", "customer-credits", "events", "meters", "moderation", "splits", "stats"];

/// The endpoint of a path after `/v1/`, and the ids in it.
pub fn find(method: &str, path: &str) -> Option<(&'static Endpoint, Vec<String>)> {
    let words: Vec<&str> = path.split('/').collect();
    ENDPOINTS.iter().filter(|it| it.method == method).find_map(|endpoint| {
        let wanted: Vec<&str> = endpoint.path.split('/').collect();
        let fits = wanted.len() == words.len()
            && wanted.iter().zip(&words).all(|(wanted, word)| {
                if *wanted == "*" { !word.is_empty() } else { wanted == word }
            });
        let ids = wanted.iter().zip(&words).filter(|(wanted, _)| **wanted == "*");
        fits.then(|| (endpoint, ids.map(|(_, word)| (*word).to_owned()).collect()))
    })
}

/// Whether Creem has something there that the sandbox has not.
pub fn is_unmodelled(path: &str) -> bool {
    path.split('/').next().is_some_and(|first| NOT_MODELLED.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_endpoint_and_a_fixed_word_is_no_id() {
        let path = |method, path| find(method, path).map(|(it, ids)| (it.path, ids));
        let id = |text: &str| vec![text.to_owned()];
        assert_eq!(path("GET", "products/search"), Some(("products/search", vec![])));
        assert_eq!(path("GET", "products/prod_1"), Some(("products/*", id("prod_1"))));
        assert_eq!(
            path("POST", "webhooks/wh_1/events/evt_1/ack").map(|(_, ids)| ids),
            Some(vec!["wh_1".to_owned(), "evt_1".to_owned()])
        );
        for nothing in ["", "products/", "products/a/b", "nothing"] {
            assert_eq!(path("GET", nothing), None, "{nothing}");
        }
        assert!(is_unmodelled("meters/mtr_1") && !is_unmodelled("products"));
    }

    #[test]
    fn no_endpoint_stands_twice() {
        let mut all: Vec<_> = ENDPOINTS.iter().map(|it| (it.method, it.path)).collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
