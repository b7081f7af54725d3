//! Which API calls make which event happen. Data (`table`) with a small reader; `{customer}` stands for the id of the
//! newest customer of the scenario, `{now}` for the time, `a.b=1` for a nested parameter, `a.0.b=1` for one in a list.

pub mod table;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The calls that lead to one type of event.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The event's type; another way to it has one more word at its end.
    pub kind: &'static str,
    /// What is done, in order.
    pub actions: &'static [Action],
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `POST` to a path below `/v1` with parameters, separated by blanks.
    Post(&'static str, &'static str),
    /// `DELETE` of a path below `/v1`.
    Delete(&'static str),
    /// The newest of a list below `/v1`, with the list's parameters.
    Newest(&'static str, &'static str),
    /// The newest session's hosted page is filled in.
    PayPage {
        /// What [`crate::app::checkout_browser::Means::read`] reads.
        card: &'static str,
        /// The address that is typed.
        email: &'static str,
    },
    /// Time passes until an instant that an object names: on the test clock of its customer, or else in the world.
    Until {
        /// The kind of object.
        of: &'static str,
        /// Where in it the instant stands.
        at: &'static str,
        /// Seconds from there.
        more: i64,
    },
    /// A control of the sandbox, below `/_stripegym`.
    Control(&'static str),
}

use Action::{Control, Delete, Newest, PayPage, Post, Until};

/// More words at the end of a type: other ways to the same event.
const WAYS: [&str; 2] = [".renewal", ".subscription"];

/// Kinds of objects, how the ids of each begin, and where they are made and found.
const KINDS: [(&str, &str, &str); 19] = [
    ("charge", "ch_", "/charges"),
    ("charge", "py_", "/charges"),
    ("checkout.session", "cs_", "/checkout/sessions"),
    ("credit_note", "cn_", "/credit_notes"),
    ("customer", "cus_", "/customers"),
    ("dispute", "dp_", "/disputes"),
    ("dispute", "du_", "/disputes"),
    ("invoice", "in_", "/invoices"),
    ("invoiceitem", "ii_", "/invoiceitems"),
    ("payment_intent", "pi_", "/payment_intents"),
    ("payment_method", "pm_", "/payment_methods"),
    ("payout", "po_", "/payouts"),
    ("price", "price_", "/prices"),
    ("product", "prod_", "/products"),
    ("refund", "re_", "/refunds"),
    ("setup_intent", "seti_", "/setup_intents"),
    ("subscription", "sub_1", "/subscriptions"),
    ("test_helpers.test_clock", "clock_", "/test_helpers/test_clocks"),
    // The ids of coupons begin with nothing of their own.
    ("coupon", "", "/coupons"),
];

/// The kind of object that an id names, and where it is found.
pub fn named(id: &str) -> Option<(&'static str, String)> {
    let (kind, _, path) =
        KINDS.iter().find(|(_, prefix, _)| !prefix.is_empty() && id.starts_with(prefix))?;
    Some((kind, format!("{path}/{id}")))
}

impl Action {
    /// The kind of object that it makes.
    pub fn makes(&self) -> Option<&'static str> {
        let path = match self {
            Post(path, _) | Newest(path, _) => *path,
            _ => return None,
        };
        // Attaching a test card makes a method of it.
        if path.starts_with("/payment_methods/pm_card_") {
            return Some("payment_method");
        }
        KINDS.iter().find(|(_, _, at)| *at == path).map(|(kind, ..)| *kind)
    }

    /// The kind of object that its parameters are about: the one that it makes or changes.
    pub fn about(&self) -> Option<&'static str> {
        let Post(path, _) = self else { return None };
        self.makes().or_else(|| {
            let within = |at: &str| path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'));
            KINDS.iter().find(|(_, _, at)| within(at)).map(|(kind, ..)| *kind)
        })
    }

    /// Whether it names an object of a kind.
    fn refers_to(&self, kind: &str) -> bool {
        let named = format!("{{{kind}}}");
        match self {
            Post(path, params) | Newest(path, params) => {
                path.contains(&named) || params.contains(&named)
            }
            Delete(path) | Control(path) => path.contains(&named),
            Until { of, .. } => *of == kind,
            PayPage { .. } => kind == "checkout.session",
        }
    }
}

impl Scenario {
    /// Whether the sandbox itself must be there: its hosted page, or its controls.
    pub fn needs_sandbox(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, PayPage { .. } | Control(_)))
    }

    /// The type of the event that it is about.
    pub fn event(&self) -> &'static str {
        WAYS.iter().find_map(|way| self.kind.strip_suffix(way)).unwrap_or(self.kind)
    }

    /// What is left to be done where an object is there already: what follows the making of it, and of what comes before
    /// only what makes something that is needed and not there. `None` where the scenario is not about such an object.
    ///
    /// `known` are the object's kind and the kinds that it refers to.
    pub fn left(&self, known: &[&str]) -> Option<(&'static str, Vec<&'static Action>)> {
        let made = |kind: &&str| {
            let at = self.actions.iter().rposition(|it| it.makes() == Some(*kind))?;
            Some((at, self.actions.get(at)?.makes()?))
        };
        let (at, on) = match known.first().and_then(made) {
            Some(own) => own,
            None => known.iter().filter_map(made).max_by_key(|(at, _)| *at)?,
        };
        let mut kept: Vec<&'static Action> = self.actions.iter().skip(at + 1).collect();
        for action in self.actions.iter().take(at).rev() {
            let needed = action.makes().is_some_and(|kind| {
                let mut before = kept.iter().take_while(|it| !it.refers_to(kind));
                let is_made = before.any(|it| it.makes() == Some(kind));
                let is_used = kept.iter().any(|it| it.refers_to(kind));
                !known.contains(&kind) && is_used && !is_made
            });
            if needed {
                kept.insert(0, action);
            }
        }
        (!kept.is_empty()).then_some((on, kept))
    }

    /// How the ids begin of what it can be made to happen to.
    pub fn takes(&self) -> String {
        let kinds: BTreeSet<&str> = self.actions.iter().filter_map(Action::makes).collect();
        let useful = |kind: &&str| self.left(&[*kind]).is_some();
        let prefix = |kind: &str| {
            let found = KINDS.iter().find(|it| it.0 == kind && !it.1.is_empty())?;
            Some(format!("{}…", found.1))
        };
        let all: Vec<String> = kinds.into_iter().filter(useful).filter_map(prefix).collect();
        if all.is_empty() { "–".to_owned() } else { all.join(", ") }
    }
}

/// The scenario of a type.
pub fn find(kind: &str) -> Option<&'static Scenario> {
    table::ALL.iter().find(|scenario| scenario.kind == kind)
}

/// The objects that one refers to, by kind: what its members name by id.
pub fn references(object: &Value) -> Vec<(&'static str, Value)> {
    let members = object.as_object().into_iter().flatten().filter(|(name, _)| *name != "id");
    let ids = members.filter_map(|(_, value)| value.as_str());
    ids.filter_map(|id| Some((named(id)?.0, json!({ "id": id })))).collect()
}

/// What was asked to be otherwise, for the call that it is about: the first about the kind that it begins with, or the
/// last of all.
pub fn wanted_of(
    set: &[(String, String)],
    actions: &[&Action],
) -> BTreeMap<usize, Vec<(String, String)>> {
    let mut wanted: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
    for (path, value) in set {
        let own = actions.iter().enumerate().find_map(|(at, action)| {
            let rest = path.strip_prefix(action.about()?)?.strip_prefix('.')?;
            Some((at, rest.to_owned()))
        });
        let last = || actions.iter().rposition(|it| matches!(it, Post(..)));
        let found = own.or_else(|| Some((last()?, path.clone())));
        if let Some((at, path)) = found {
            wanted.entry(at).or_default().push((path, value.clone()));
        }
    }
    wanted
}

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

/// Writes a value at a path.
pub fn put(node: &mut Value, path: &str, value: &str) {
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

    const TYPES: &str = include_str!("../../../fixtures/api/events.txt");

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
        assert!(table::ALL.windows(2).all(|pair| pair[0].kind < pair[1].kind));
        for scenario in table::ALL {
            let is_type = TYPES.lines().any(|kind| kind == scenario.event());
            assert!(is_type, "{}", scenario.kind);
            for (at, action) in scenario.actions.iter().enumerate() {
                match action {
                    Post(path, _) | Delete(path) | Newest(path, _) => {
                        assert!(path.starts_with('/'));
                    }
                    PayPage { card, email } => {
                        assert!(Means::read(card).is_some() && email.contains('@'));
                    }
                    Until { .. } | Control(_) => {}
                }
                // What it names was made before it.
                for (kind, ..) in KINDS.iter().filter(|it| action.refers_to(it.0)) {
                    let before = &scenario.actions[..at];
                    assert!(
                        before.iter().any(|it| it.makes() == Some(*kind)),
                        "{} {kind}",
                        scenario.kind
                    );
                }
            }
        }
    }

    fn left(kind: &str, known: &[&str]) -> Option<Vec<String>> {
        let (_, left) = find(kind).unwrap().left(known)?;
        Some(
            left.iter()
                .map(|it| match it {
                    Post(path, _) | Delete(path) | Newest(path, _) | Control(path) => {
                        (*path).to_owned()
                    }
                    PayPage { .. } => "page".to_owned(),
                    Until { .. } => "until".to_owned(),
                })
                .collect(),
        )
    }

    #[test]
    fn what_is_there_already_is_not_made_again() {
        let renewal = [
            "/payment_methods/pm_card_chargeCustomerFail/attach",
            "/subscriptions/{subscription}",
            "until",
        ];
        let on_subscription = left("invoice.payment_failed.renewal", &["subscription", "customer"]);
        assert_eq!(on_subscription.unwrap(), renewal);
        let on_charge = left("charge.refunded", &["charge", "payment_intent"]);
        assert_eq!(on_charge.unwrap(), ["/refunds"]);
        let on_invoice = left("invoice.paid", &["invoice", "customer"]);
        assert_eq!(
            on_invoice.unwrap(),
            ["/payment_methods/pm_card_visa/attach", "/invoices/{invoice}/pay"]
        );
        let on_price = left("customer.subscription.created", &["price", "product"]);
        let made: Vec<&str> = vec![
            "/customers",
            "/payment_methods/pm_card_visa/attach",
            "/customers/{customer}",
            "/subscriptions",
        ];
        assert_eq!(on_price.unwrap(), made);
        assert_eq!(left("customer.updated", &["payout"]), None);
        assert_eq!(left("customer.created", &["customer"]), None);
    }

    #[test]
    fn what_is_set_goes_to_the_call_that_it_is_about() {
        let actions: Vec<&Action> =
            find("customer.subscription.updated").unwrap().actions.iter().collect();
        let set = |path: &str| {
            let wanted = wanted_of(&[(path.to_owned(), "x".to_owned())], &actions);
            let (at, paths) = wanted.into_iter().next().unwrap();
            let Post(to, _) = actions[at] else { panic!() };
            (*to, paths[0].0.clone())
        };
        assert_eq!(set("customer.email"), ("/customers", "email".to_owned()));
        assert_eq!(set("price.recurring.interval"), ("/prices", "recurring.interval".to_owned()));
        assert_eq!(
            set("metadata.foo"),
            ("/subscriptions/{subscription}", "metadata.foo".to_owned())
        );
    }
}
