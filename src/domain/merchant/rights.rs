//! What a key must be allowed for each page of the shop, so that a restricted key can be as narrow as it may be.

/// A right as the keys of a sandbox are given it, and as Stripe's dashboard lists it: a resource, and reading or
/// writing. It is asked about at an endpoint that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// Its name: `prices:read`.
    pub name: &'static str,
    /// The endpoint's path.
    pub path: &'static str,
}

impl Right {
    /// Whether it is a right to write, which includes reading.
    pub fn writes(self) -> bool {
        self.name.ends_with(":write")
    }
}

const fn right(name: &'static str, path: &'static str) -> Right {
    Right { name, path }
}

/// Every right that some page needs.
pub const RIGHTS: [Right; 12] = [
    right("billing_portal_configurations:read", "/v1/billing_portal/configurations"),
    right("billing_portal_sessions:write", "/v1/billing_portal/sessions"),
    right("checkout_sessions:write", "/v1/checkout/sessions"),
    right("coupons:read", "/v1/coupons"),
    right("customers:write", "/v1/customers"),
    right("invoices:read", "/v1/invoices"),
    right("payment_intents:write", "/v1/payment_intents"),
    right("payment_methods:write", "/v1/payment_methods"),
    right("prices:read", "/v1/prices"),
    right("promotion_codes:read", "/v1/promotion_codes"),
    right("setup_intents:write", "/v1/setup_intents"),
    right("subscriptions:read", "/v1/subscriptions"),
];

/// The pages, each with the names of the rights that it needs.
pub const PAGES: [(&str, &[&str]); 5] = [
    (
        "/pricing",
        &[
            "prices:read",
            "customers:write",
            "checkout_sessions:write",
            "promotion_codes:read",
            "coupons:read",
            "invoices:read",
        ],
    ),
    ("/upgrade", &["prices:read", "checkout_sessions:write", "subscriptions:read"]),
    (
        "/mypage",
        &[
            "billing_portal_sessions:write",
            "billing_portal_configurations:read",
            "subscriptions:read",
        ],
    ),
    ("/cards", &["customers:write", "setup_intents:write", "payment_methods:write"]),
    ("/pay", &["customers:write", "payment_intents:write"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_right_that_a_page_needs_is_known_and_every_known_one_is_needed() {
        let known: BTreeSet<_> = RIGHTS.iter().map(|right| right.name).collect();
        let needed: BTreeSet<_> = PAGES.iter().flat_map(|(_, names)| *names).copied().collect();
        assert_eq!((known.len(), &known), (RIGHTS.len(), &needed));
        let pages: BTreeSet<_> = PAGES.iter().map(|(page, _)| page).collect();
        assert_eq!(pages.len(), PAGES.len());
        assert!(RIGHTS.iter().all(|right| right.writes() || right.name.ends_with(":read")));
    }
}
