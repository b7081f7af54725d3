//! What a key must be allowed for each page of the shop, so that a restricted key can be as narrow as it may be.

/// A call that a page makes with the shop's own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The page.
    pub page: &'static str,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The endpoint's path.
    pub path: &'static str,
    /// The right as the keys of a sandbox are given it, and as Stripe's dashboard lists it: resource and right.
    pub right: &'static str,
}

const fn need(
    page: &'static str,
    method: &'static str,
    path: &'static str,
    right: &'static str,
) -> Need {
    Need { page, method, path, right }
}

/// Every call, page by page. Each right stands once with the page that it is first needed for.
pub const NEEDS: [Need; 9] = [
    need("/upgrade", "GET", "/v1/prices", "prices:read"),
    need("/upgrade", "POST", "/v1/checkout/sessions", "checkout_sessions:write"),
    need("/upgrade", "GET", "/v1/subscriptions", "subscriptions:read"),
    need("/mypage", "POST", "/v1/billing_portal/sessions", "billing_portal_sessions:write"),
    need(
        "/mypage",
        "GET",
        "/v1/billing_portal/configurations",
        "billing_portal_configurations:read",
    ),
    need("/cards", "POST", "/v1/customers", "customers:write"),
    need("/cards", "POST", "/v1/setup_intents", "setup_intents:write"),
    need("/cards", "POST", "/v1/payment_methods", "payment_methods:write"),
    need("/pay", "POST", "/v1/payment_intents", "payment_intents:write"),
];

/// The pages, each once.
pub fn pages() -> Vec<&'static str> {
    let mut pages: Vec<_> = NEEDS.iter().map(|need| need.page).collect();
    pages.dedup();
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_page_stands_in_one_place_and_no_right_twice() {
        let pages = pages();
        assert_eq!(pages, ["/upgrade", "/mypage", "/cards", "/pay"]);
        assert_eq!(pages.iter().collect::<BTreeSet<_>>().len(), pages.len());
        let rights: BTreeSet<_> = NEEDS.iter().map(|need| need.right).collect();
        assert_eq!(rights.len(), NEEDS.len());
        assert!(NEEDS.iter().all(|need| need.right.ends_with(match need.method {
            "GET" => ":read",
            _ => ":write",
        })));
    }
}
