//! Which API calls make which event happen. Data with a small reader; `{customer}` stands for the id of the
//! newest customer of the scenario, `a.b=1` for a nested parameter, `a.0.b=1` for one in a list.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The calls that lead to one type of event.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The event's type.
    pub kind: &'static str,
    /// What is done, in order.
    pub actions: &'static [Action],
}

/// One thing that is done.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// `POST` to a path below `/v1` with parameters, separated by blanks.
    Post(&'static str, &'static str),
    /// `DELETE` of a path below `/v1`.
    Delete(&'static str),
    /// The newest session's hosted page is filled in.
    PayPage {
        /// What [`crate::app::checkout_browser::Means::read`] reads.
        card: &'static str,
        /// The address that is typed.
        email: &'static str,
    },
}

impl Scenario {
    /// Whether a hosted page of the sandbox must be filled in.
    pub fn needs_page(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, PayPage { .. }))
    }
}

/// The scenario of a type.
pub fn find(kind: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.kind == kind)
}

use Action::{Delete, PayPage, Post};

const CUSTOMER: Action = Post("/customers", "name=Trigger email=trigger@example.com");
const PRODUCT: Action = Post("/products", "name=Tea");
const PRICE: Action = Post("/prices", "currency=jpy unit_amount=500 product={product}");
const SESSION: Action = Post(
    "/checkout/sessions",
    "mode=payment success_url=https://example.com/success cancel_url=https://example.com/cancel \
     line_items.0.quantity=1 line_items.0.price_data.currency=jpy \
     line_items.0.price_data.unit_amount=500 line_items.0.price_data.product_data.name=Tea",
);
const PAID: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_visa return_url=https://example.com",
);
const AUTHORIZED: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true capture_method=manual payment_method=pm_card_visa \
     return_url=https://example.com",
);
const DECLINED: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_chargeDeclined \
     return_url=https://example.com",
);
const REFUND: Action = Post("/refunds", "payment_intent={payment_intent}");
const CAPTURE: Action = Post("/payment_intents/{payment_intent}/capture", "");

/// Every scenario, by type.
pub const ALL: &[Scenario] = &[
    Scenario { kind: "charge.captured", actions: &[AUTHORIZED, CAPTURE] },
    Scenario { kind: "charge.failed", actions: &[DECLINED] },
    Scenario { kind: "charge.refunded", actions: &[PAID, REFUND] },
    Scenario { kind: "charge.succeeded", actions: &[PAID] },
    Scenario {
        kind: "checkout.session.async_payment_failed",
        actions: &[SESSION, PayPage { card: "konbini", email: "expire_immediately@example.com" }],
    },
    Scenario {
        kind: "checkout.session.async_payment_succeeded",
        actions: &[SESSION, PayPage { card: "konbini", email: "succeed_immediately@example.com" }],
    },
    Scenario {
        kind: "checkout.session.completed",
        actions: &[SESSION, PayPage { card: "4242424242424242", email: "trigger@example.com" }],
    },
    Scenario {
        kind: "checkout.session.expired",
        actions: &[SESSION, Post("/checkout/sessions/{checkout.session}/expire", "")],
    },
    Scenario { kind: "customer.created", actions: &[CUSTOMER] },
    Scenario { kind: "customer.deleted", actions: &[CUSTOMER, Delete("/customers/{customer}")] },
    Scenario {
        kind: "customer.updated",
        actions: &[CUSTOMER, Post("/customers/{customer}", "metadata.foo=bar")],
    },
    Scenario { kind: "payment_intent.amount_capturable_updated", actions: &[AUTHORIZED] },
    Scenario {
        kind: "payment_intent.canceled",
        actions: &[
            Post("/payment_intents", "amount=2000 currency=usd"),
            Post(
                "/payment_intents/{payment_intent}/cancel",
                "cancellation_reason=requested_by_customer",
            ),
        ],
    },
    Scenario {
        kind: "payment_intent.created",
        actions: &[Post("/payment_intents", "amount=2000 currency=usd")],
    },
    Scenario { kind: "payment_intent.payment_failed", actions: &[DECLINED] },
    Scenario {
        kind: "payment_intent.requires_action",
        actions: &[Post(
            "/payment_intents",
            "amount=2000 currency=usd confirm=true payment_method=pm_card_authenticationRequired \
             return_url=https://example.com",
        )],
    },
    Scenario { kind: "payment_intent.succeeded", actions: &[PAID] },
    Scenario {
        kind: "payment_method.attached",
        actions: &[CUSTOMER, Post("/payment_methods/pm_card_visa/attach", "customer={customer}")],
    },
    Scenario {
        kind: "payment_method.detached",
        actions: &[
            CUSTOMER,
            Post("/payment_methods/pm_card_visa/attach", "customer={customer}"),
            Post("/payment_methods/{payment_method}/detach", ""),
        ],
    },
    Scenario { kind: "price.created", actions: &[PRODUCT, PRICE] },
    Scenario {
        kind: "price.updated",
        actions: &[PRODUCT, PRICE, Post("/prices/{price}", "metadata.foo=bar")],
    },
    Scenario { kind: "product.created", actions: &[PRODUCT] },
    Scenario { kind: "product.deleted", actions: &[PRODUCT, Delete("/products/{product}")] },
    Scenario {
        kind: "product.updated",
        actions: &[PRODUCT, Post("/products/{product}", "metadata.foo=bar")],
    },
    Scenario { kind: "refund.created", actions: &[PAID, REFUND] },
];

/// `text` with `{customer}` and its like replaced by ids.
pub fn fill(text: &str, known: &BTreeMap<String, Value>) -> String {
    let mut out = text.to_owned();
    for (kind, object) in known {
        if let Some(id) = object.get("id").and_then(Value::as_str) {
            out = out.replace(&format!("{{{kind}}}"), id);
        }
    }
    out
}

/// The parameters that a line like `a=1 b.c=2 d.0.e=3` stands for.
pub fn params(line: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for pair in line.split_whitespace() {
        let (path, value) = pair.split_once('=').unwrap_or((pair, ""));
        put(&mut root, path, value);
    }
    root
}

fn put(node: &mut Value, path: &str, value: &str) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let child = match (node, head.parse::<usize>()) {
        (Value::Array(items), Ok(at)) => {
            while items.len() <= at {
                items.push(Value::Null);
            }
            items.get_mut(at)
        }
        (Value::Object(map), _) => Some(map.entry(head).or_insert(Value::Null)),
        _ => None,
    };
    let Some(child) = child else { return };
    let Some(rest) = rest else {
        *child = Value::String(value.to_owned());
        return;
    };
    if child.is_null() {
        let next = rest.split('.').next().unwrap_or_default();
        let in_list = next.parse::<usize>().is_ok();
        *child = if in_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    put(child, rest, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::checkout_browser::Means;
    use serde_json::json;

    #[test]
    fn dots_nest_and_numbers_make_lists() {
        let expected = json!({"a": "1", "b": {"c": "2"}, "d": [{"e": "3", "f": {"g": "4"}}]});
        assert_eq!(params("a=1 b.c=2 d.0.e=3 d.0.f.g=4"), expected);
        assert_eq!(params(""), json!({}));
    }

    #[test]
    fn ids_of_earlier_answers_are_filled_in() {
        let mut known = BTreeMap::new();
        known.insert("customer".to_owned(), json!({"id": "cus_1"}));
        known.insert("checkout.session".to_owned(), json!({"id": "cs_1"}));
        assert_eq!(fill("/a/{customer}/{checkout.session}", &known), "/a/cus_1/cs_1");
    }

    #[test]
    fn every_scenario_stands_once_in_order_and_can_be_read() {
        assert!(ALL.windows(2).all(|pair| pair[0].kind < pair[1].kind));
        for scenario in ALL {
            for action in scenario.actions {
                match action {
                    Post(path, _) | Delete(path) => assert!(path.starts_with('/')),
                    PayPage { card, email } => {
                        assert!(Means::read(card).is_some() && email.contains('@'));
                    }
                }
            }
        }
    }
}
