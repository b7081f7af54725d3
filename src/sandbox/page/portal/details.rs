//! Who the customer is, as far as the configuration lets it be changed.

use crate::catalog::limit::is_email;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::tax_id;
use crate::sandbox::page::entry::{Asks, FieldError, Form};
use crate::sandbox::page::field::{Field, Maker};
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::portal::step::Step;
use crate::sandbox::page::portal::{Guest, Shown};
use serde_json::{Map, Value, json};

/// The members of an address, as its fields end.
const ADDRESS: [&str; 6] = ["country", "postal_code", "state", "city", "line1", "line2"];
/// The most characters that are kept of what is typed.
const MOST: usize = 150;

/// What is read of the form: the parameters of the customer, and a tax id that is added.
pub type Described = (Value, Option<(String, String)>);

fn allowed(guest: &Guest) -> Vec<&str> {
    let path = "/features/customer_update/allowed_updates";
    let listed = guest.visited.configuration.pointer(path).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What is known, as the form's fields show it.
fn known(guest: &Guest) -> Form {
    let customer = &guest.visited.customer;
    let mut form = Form::new();
    for name in ["name", "email", "phone"] {
        form.insert(name.to_owned(), text(customer, name).to_owned());
    }
    for (prefix, path) in [("billing", "/address"), ("shipping", "/shipping/address")] {
        for member in ADDRESS {
            let value = customer.pointer(&format!("{path}/{member}")).and_then(Value::as_str);
            form.insert(format!("{prefix}_{member}"), value.unwrap_or_default().to_owned());
        }
    }
    let to = customer.pointer("/shipping/name").and_then(Value::as_str).unwrap_or_default();
    form.insert("shipping_name".to_owned(), to.to_owned());
    form
}

/// The form.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the portal")]
pub fn step(guest: &Guest, sent: &Form, told: &Told) -> Shown {
    let (b, w) = (guest.b(), guest.w());
    let mut form = known(guest);
    form.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
    let maker = Maker { form: &form, faults: &told.faults, locale: guest.locale };
    let optional = |field: Field| Field { optional: true, ..field };
    let mut fields = Vec::new();
    for name in allowed(guest) {
        match name {
            "name" => fields.push(optional(maker.field("name", w.full_name, "name"))),
            "email" => {
                let field = maker.field("email", w.email, "email");
                fields.push(Field { kind: "email", inputmode: "email", ..field });
            }
            "phone" => {
                let field = optional(maker.field("phone", w.phone, "tel"));
                fields.push(Field { kind: "tel", inputmode: "tel", ..field });
            }
            "address" => fields.extend(maker.address("billing", &[]).into_iter().map(optional)),
            "shipping" => {
                fields.push(optional(maker.field("shipping_name", w.full_name, "shipping name")));
                fields.extend(maker.address("shipping", &[]).into_iter().map(optional));
            }
            "tax_id" => {
                fields.extend(maker.names(&Asks { tax_id: Some(true), ..Asks::default() }));
            }
            _ => {}
        }
    }
    Some(Step {
        heading: b.details_title.to_owned(),
        fields,
        buttons: vec![("", b.save.to_owned(), "")],
        ..Step::default()
    })
}

/// Reads the form. Fails with every field that cannot be right.
pub fn read(guest: &Guest, sent: &Form) -> Result<Described, Told> {
    let w = guest.w();
    let mut faults = Vec::new();
    let mut fault = |field: &str, text: &str| {
        faults.push(FieldError { field: field.to_owned(), text: text.to_owned() });
    };
    let get = |name: &str| {
        let typed = sent.get(name).map(|it| it.trim()).filter(|it| !it.is_empty())?;
        Some(typed.chars().filter(|c| !c.is_control()).take(MOST).collect::<String>())
    };
    let address = |prefix: &str| {
        let member = |name: &&str| ((*name).to_owned(), json!(get(&format!("{prefix}_{name}"))));
        Value::Object(ADDRESS.iter().map(member).collect())
    };
    let mut params = Map::new();
    let mut added = None;
    for name in allowed(guest) {
        match name {
            "email" => {
                let typed = get("email");
                if !typed.as_deref().is_some_and(is_email) {
                    fault("email", if typed.is_some() { w.bad_email } else { w.need_email });
                }
                params.insert(name.to_owned(), json!(typed));
            }
            "name" | "phone" => drop(params.insert(name.to_owned(), json!(get(name)))),
            "address" => drop(params.insert(name.to_owned(), address("billing"))),
            "shipping" => {
                // Nothing is shipped to nobody.
                let to = get("shipping_name");
                let shipping = to.map(|to| json!({"name": to, "address": address("shipping")}));
                params.insert(name.to_owned(), json!(shipping));
            }
            "tax_id" => {
                let (kind, value) = (get("tax_id_kind"), get("tax_id"));
                match (kind, value) {
                    (Some(kind), Some(value)) if tax_id::is_well_formed(&kind, &value) => {
                        added = Some((kind, value));
                    }
                    (Some(_), Some(_)) => fault("tax_id", w.bad_tax_id),
                    (None, Some(_)) => fault("tax_id_kind", w.need_field),
                    (_, None) => {}
                }
            }
            _ => {}
        }
    }
    if faults.is_empty() {
        return Ok((Value::Object(params), added));
    }
    Err(Told { faults, ..Told::problem(w.problem) })
}
