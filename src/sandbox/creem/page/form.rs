//! What was typed into the form of a checkout, as far as it can be checked without trying to pay. Pure.

use crate::catalog::limit::is_email;
use crate::sandbox::behaviour::cards::{Billing, CardEntry};
use crate::sandbox::creem::document::text;
use crate::sandbox::creem::pay::Payer;
use crate::sandbox::page::entry::{FieldError, Form, read_expiry};
use crate::words::page::Words;
use serde_json::Value;
use std::collections::HashMap;

/// What a field of the checkout's own is called in the form.
pub const CUSTOM: &str = "custom_";

/// Reads a form. Fails with every field that cannot be right.
pub fn read(
    form: &Form,
    custom: &[Value],
    needs_card: bool,
    w: &Words,
) -> Result<Payer, Vec<FieldError>> {
    let get = |name: &str| {
        let typed = form.get(name).map(|typed| typed.trim()).filter(|typed| !typed.is_empty())?;
        Some(typed.chars().filter(|c| !c.is_control()).take(255).collect::<String>())
    };
    let mut faults = Vec::new();
    let mut fault = |field: &str, text: &str| {
        faults.push(FieldError { field: field.to_owned(), text: text.to_owned() });
    };
    let email = get("email").unwrap_or_default();
    if email.is_empty() {
        fault("email", w.need_email);
    } else if !is_email(&email) {
        fault("email", w.bad_email);
    }
    let name = get("name");
    let mut card = None;
    if needs_card {
        let typed = get("expiry");
        let date = typed.as_deref().and_then(read_expiry);
        let (month, year) = date.unwrap_or_default();
        let entry = CardEntry {
            number: get("number").unwrap_or_default(),
            exp_month: month,
            exp_year: year,
            cvc: get("cvc"),
            billing: Billing::default(),
        };
        if entry.number.is_empty() {
            fault("number", w.need_number);
        }
        if date.is_none() {
            fault("expiry", if typed.is_some() { w.bad_expiry } else { w.need_expiry });
        }
        if entry.cvc.is_none() {
            fault("cvc", w.need_cvc);
        }
        if name.is_none() {
            fault("name", w.need_name);
        }
        card = Some(entry);
    }
    let mut typed = HashMap::new();
    for field in custom {
        let key = text(field, "key");
        let id = format!("{CUSTOM}{key}");
        let value = get(&id);
        let is_text = text(field, "type") == "text";
        if value.is_none() && field.get("optional").and_then(Value::as_bool) != Some(true) {
            fault(&id, w.need_field);
        } else if let Some(value) = value.as_ref().filter(|_| is_text)
            && !is_within(value, field)
        {
            fault(&id, w.bad_field);
        }
        typed.extend(value.map(|value| (key.to_owned(), value)));
    }
    if faults.is_empty() {
        Ok(Payer { email, name, card, custom: typed, country: None })
    } else {
        Err(faults)
    }
}

fn is_within(value: &str, field: &Value) -> bool {
    let limit = |name: &str| {
        let limit = field.pointer(&format!("/text/{name}")).and_then(Value::as_u64)?;
        usize::try_from(limit).ok()
    };
    let count = value.chars().count();
    limit("max_length").is_none_or(|most| count <= most)
        && limit("min_length").is_none_or(|least| count >= least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use serde_json::json;

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_empty_field_has_its_sentence_and_a_free_product_asks_for_no_card() {
        let w = Words::of(Locale::En);
        let fields = |form: &Form, custom: &[Value], card| {
            let faults = read(form, custom, card, w).err().unwrap_or_default();
            faults.into_iter().map(|it| it.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&Form::new(), &[], true), ["email", "number", "expiry", "cvc", "name"]);
        let known = form(&[("email", "a@b.cd"), ("custom_seat", "abcd")]);
        assert!(fields(&known, &[], false).is_empty());
        let custom =
            [json!({"type": "text", "key": "seat", "label": "Seat", "text": {"max_length": 3}})];
        assert_eq!(fields(&known, &custom, false), ["custom_seat"]);
        let other = [json!({"type": "checkbox", "key": "terms", "label": "Terms"})];
        assert_eq!(fields(&known, &other, false), ["custom_terms"]);
    }
}
