//! What a restricted key may do: nothing, reading, or reading and writing, resource by resource.

use crate::catalog::Catalog;
use crate::sandbox::engine::private::KeyPart;
use std::collections::BTreeSet;

/// The kind of the records that keep restricted keys, each under the key itself.
pub const KIND: &str = "_key";

/// The first words of paths whose second word belongs to the resource's name.
const SPACES: [&str; 20] = [
    "apps",
    "billing",
    "billing_portal",
    "checkout",
    "climate",
    "crypto",
    "entitlements",
    "financial_connections",
    "forwarding",
    "identity",
    "issuing",
    "radar",
    "reporting",
    "sigma",
    "tax",
    "terminal",
    "test_helpers",
    "treasury",
    "core",
    "commerce",
];

/// The resource of an endpoint or a path: `checkout_sessions` of `POST /v1/checkout/sessions/{session}`.
pub fn resource(path: &str) -> String {
    let path = path.split_once(' ').map_or(path, |(_, path)| path);
    let mut words = path.trim_start_matches('/').split('/').skip(1);
    let first = words.next().unwrap_or_default();
    match words.next().filter(|second| SPACES.contains(&first) && !second.starts_with('{')) {
        Some(second) => format!("{first}_{second}"),
        None => first.to_owned(),
    }
}

/// Every resource that there is.
pub fn resources() -> BTreeSet<String> {
    Catalog::get().routes().all().iter().map(|endpoint| resource(endpoint.key())).collect()
}

/// Reads `products:read,checkout_sessions:write`. Fails with what cannot be read.
pub fn read(text: &str) -> Result<Vec<String>, String> {
    let known = resources();
    let mut allow = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (resource, right) = part.split_once(':').ok_or_else(|| part.to_owned())?;
        if !known.contains(resource) || !matches!(right, "read" | "write") {
            return Err(part.to_owned());
        }
        allow.push(part.to_owned());
    }
    allow.sort();
    allow.dedup();
    if allow.is_empty() { Err(text.to_owned()) } else { Ok(allow) }
}

/// The right that a call needs and the key lacks, as Stripe names it; `None` where the key may.
pub fn lacking(key: &KeyPart, method: &str, path: &str) -> Option<String> {
    let resource = resource(path);
    let writes = method != "GET";
    let has = |right: &str| key.allow.contains(&format!("{resource}:{right}"));
    if has("write") || (!writes && has("read")) {
        return None;
    }
    // Stripe's own names are older than some of its resources.
    let name = match resource.as_str() {
        "prices" => "plan",
        other => other.strip_suffix('s').filter(|it| !it.ends_with('s')).unwrap_or(other),
    };
    Some(format!("rak_{name}_{}", if writes { "write" } else { "read" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_named_by_its_path() {
        for (path, name) in [
            ("POST /v1/checkout/sessions/{session}/expire", "checkout_sessions"),
            ("/v1/checkout/sessions", "checkout_sessions"),
            ("/v1/customers/cus_1/sources", "customers"),
            ("/v1/products/search", "products"),
            ("/v1/billing_portal/sessions", "billing_portal_sessions"),
        ] {
            assert_eq!(resource(path), name, "{path}");
        }
    }

    #[test]
    fn writing_includes_reading_and_nothing_else_does() {
        let allow = read("products:read, checkout_sessions:write").unwrap();
        let key = KeyPart { allow, created: 0 };
        assert_eq!(lacking(&key, "GET", "/v1/products/prod_1"), None);
        assert_eq!(lacking(&key, "GET", "/v1/checkout/sessions"), None);
        assert_eq!(lacking(&key, "POST", "/v1/checkout/sessions"), None);
        let lacks = |method, path| lacking(&key, method, path).unwrap();
        assert_eq!(lacks("POST", "/v1/products"), "rak_product_write");
        assert_eq!(lacks("GET", "/v1/prices"), "rak_plan_read");
        assert_eq!(
            lacks("POST", "/v1/billing_portal/sessions"),
            "rak_billing_portal_session_write"
        );
    }

    #[test]
    fn a_right_that_is_none_is_named() {
        for (text, part) in [
            ("products", "products"),
            ("prodcts:read", "prodcts:read"),
            ("products:all", "products:all"),
            ("", ""),
        ] {
            assert_eq!(read(text), Err(part.to_owned()));
        }
    }
}
