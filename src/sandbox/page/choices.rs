//! What a form says of the order itself: quantities, items to add, shipping, a promotion code, an address. Pure.

use crate::sandbox::behaviour::checkout::choose::Choices;
use crate::sandbox::behaviour::document::int;
use crate::sandbox::page::entry::{Asks, Form};
use serde_json::{Map, Value, json};

/// How the fields of quantities begin; the line item's id follows.
pub const QUANTITY: &str = "quantity_";

/// Which button was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The one that pays.
    Pay,
    /// One that changes the order.
    Update,
}

/// Reads the choices of a form, and what its button asks for.
pub fn read(form: &Form, asks: &Asks) -> (Choices, Step) {
    let get = |name: &str| form.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let step = form.get("step").map_or("", String::as_str);
    let counted = form.iter().filter_map(|(name, value)| {
        let id = name.strip_prefix(QUANTITY)?;
        Some((id.to_owned(), value.trim().parse().ok()?))
    });
    let mut quantities: Vec<(String, i64)> = counted.collect();
    quantities.sort();
    for (name, count) in [("add", 1), ("drop", 0)] {
        quantities.extend(get(name).map(|id| (id.to_owned(), count)));
    }
    let code = match step {
        "remove_code" => Some(String::new()),
        _ => get("code").filter(|_| asks.code).map(str::to_owned),
    };
    let choices = Choices {
        quantities,
        shipping: get("shipping_option").and_then(|at| at.parse().ok()),
        code,
        address: asks.taxed.then(|| address(form, asks)),
    };
    let presses = ["add", "drop"].iter().any(|name| get(name).is_some());
    (choices, if step.is_empty() && !presses { Step::Pay } else { Step::Update })
}

/// Whether there is anything to choose.
pub fn is_empty(choices: &Choices) -> bool {
    choices.quantities.is_empty()
        && choices.shipping.is_none()
        && choices.code.is_none()
        && choices.address.is_none()
}

/// Where taxes are: where it is shipped to, else where the bill goes.
fn address(form: &Form, asks: &Asks) -> Value {
    let prefix = if asks.ships_to.is_empty() { "billing" } else { "shipping" };
    let members = ["country", "postal_code", "state", "city", "line1", "line2"];
    let members = members.iter().filter_map(|name| {
        let value = form.get(&format!("{prefix}_{name}"))?.trim();
        (!value.is_empty()).then(|| ((*name).to_owned(), json!(value)))
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// What the page showed to be due, without shipping: that stands beside its own choice.
pub fn due(session: &Value) -> i64 {
    let shipping = session.get("shipping_cost").map_or(0, |cost| int(cost, "amount_total"));
    int(session, "amount_total") - shipping
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buttons_of_an_order_do_not_pay() {
        let read_from = |fields: &[(&str, &str)]| {
            let form = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            read(&form, &Asks { code: true, ..Asks::default() })
        };
        let (choices, step) = read_from(&[("quantity_li_1", " 3 "), ("code", " SPRING ")]);
        assert_eq!(
            (choices.quantities, choices.code.as_deref()),
            (vec![("li_1".to_owned(), 3)], Some("SPRING"))
        );
        assert_eq!(step, Step::Pay);
        let (choices, step) = read_from(&[("add", "li_2"), ("quantity_li_1", "x")]);
        assert_eq!((choices.quantities, step), (vec![("li_2".to_owned(), 1)], Step::Update));
        let (choices, step) = read_from(&[("step", "remove_code"), ("code", "X")]);
        assert_eq!((choices.code.as_deref(), step), (Some(""), Step::Update));
        assert!(is_empty(&read_from(&[]).0));
    }
}
