//! The parts that pages are built of: fields with their labels, addresses, lines of an order. Pure.

use crate::domain::locale::Locale;
use crate::domain::member;

use crate::sandbox::behaviour::tax_id;
use crate::sandbox::engine::line_look::LineLook;
use crate::sandbox::page::countries;
use crate::sandbox::page::entry::{Asks, FieldError, Form};

pub use crate::sandbox::paper::bill::shown;
use crate::words::page::Words;
use serde_json::Value;

/// One field of a form.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Its `id` and `name`.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What it shows: what was typed before, or what is known.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The HTML `type`.
    pub kind: &'static str,
    /// `autocomplete`, for browsers that know who types.
    pub autocomplete: &'static str,
    /// `inputmode`, for keyboards on glass.
    pub inputmode: &'static str,
    /// What stands below the label.
    pub hint: String,
    /// What stands in the empty field.
    pub placeholder: &'static str,
    /// Whether it may be left empty.
    pub optional: bool,
    /// The choices of a list; empty for a field to type in.
    pub choices: Vec<Choice>,
    /// A share of the line: `half` or nothing.
    pub width: &'static str,
}

/// One of several values.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// What it costs, where it costs something.
    pub amount: String,
    /// Whether it is the one.
    pub chosen: bool,
}

/// One line of the order.
#[derive(Clone, Debug)]
pub struct Line {
    /// The product's name.
    pub name: String,
    /// The product's description.
    pub details: String,
    /// An image of it.
    pub image: Option<String>,
    /// `Qty 2 · ¥500 each`.
    pub quantity: String,
    /// What the line costs.
    pub amount: String,
    /// The line item's id.
    pub id: String,
    /// How many may be bought, where the buyer may change it: least, most, and how many now.
    pub range: Option<(i64, i64, i64)>,
    /// Whether it can be taken back.
    pub droppable: bool,
}

/// Makes fields that show what was typed and what was wrong with it.
#[derive(Debug)]
pub struct Maker<'f> {
    /// What was typed before.
    pub form: &'f Form,
    /// What was wrong.
    pub faults: &'f [FieldError],
    /// The page's language.
    pub locale: Locale,
}

impl Maker<'_> {
    /// The page's words.
    pub fn words(&self) -> &'static Words {
        Words::of(self.locale)
    }

    /// A text field.
    pub fn field(&self, id: &str, label: &str, autocomplete: &'static str) -> Field {
        let fault = self.faults.iter().find(|fault| fault.field == id);
        Field {
            id: id.to_owned(),
            label: label.to_owned(),
            value: self.form.get(id).cloned().unwrap_or_default(),
            error: fault.map(|fault| fault.text.clone()),
            kind: "text",
            autocomplete,
            ..Field::default()
        }
    }

    /// The fields of the card. The number and the security code are never shown again.
    pub fn card(&self) -> Vec<Field> {
        let w = self.words();
        let digits = |field: Field| Field { inputmode: "numeric", ..field };
        let number = self.field("number", w.number, "cc-number");
        let expiry = self.field("expiry", w.expiry, "cc-exp");
        let cvc = self.field("cvc", w.cvc, "cc-csc");
        vec![
            digits(Field { value: String::new(), placeholder: "1234 1234 1234 1234", ..number }),
            digits(Field { placeholder: w.expiry_hint, width: "half", ..expiry }),
            digits(Field {
                value: String::new(),
                placeholder: "123",
                width: "half",
                hint: w.cvc_hint.to_owned(),
                ..cvc
            }),
            self.field("name", w.name_on_card, "cc-name"),
        ]
    }

    /// The fields of konbini.
    pub fn konbini(&self) -> Vec<Field> {
        let w = self.words();
        let phone = self.field("konbini_phone", w.phone, "tel");
        vec![
            self.field("konbini_name", w.full_name, "name"),
            Field { kind: "tel", inputmode: "tel", optional: true, ..phone },
        ]
    }

    /// The fields of a bank debit.
    pub fn sepa_debit(&self) -> Vec<Field> {
        let w = self.words();
        vec![self.field("iban", w.iban, "off"), self.field("iban_name", w.full_name, "name")]
    }

    /// The fields of an address; `countries` are those to choose from, all where it is empty.
    pub fn address(&self, prefix: &'static str, allowed: &[String]) -> Vec<Field> {
        let w = self.words();
        let id = |member: &str| format!("{prefix}_{member}");
        let sections: [&'static str; 6] = match prefix {
            "shipping" => [
                "shipping country",
                "shipping postal-code",
                "shipping address-level1",
                "shipping address-level2",
                "shipping address-line1",
                "shipping address-line2",
            ],
            _ => [
                "billing country",
                "billing postal-code",
                "billing address-level1",
                "billing address-level2",
                "billing address-line1",
                "billing address-line2",
            ],
        };
        let [country, postal, state, city, line1, line2] = sections;
        let mut select = self.field(&id("country"), w.country, country);
        let only = allowed.len() == 1;
        select.choices = countries::choices(allowed, self.locale)
            .map(|(code, label)| Choice {
                chosen: only || code == select.value,
                value: code,
                label,
                amount: String::new(),
            })
            .collect();
        let optional = |field: Field| Field { optional: true, ..field };
        let half = |field: Field| Field { width: "half", ..field };
        vec![
            select,
            half(optional(self.field(&id("postal_code"), w.postal_code, postal))),
            half(optional(self.field(&id("state"), w.state, state))),
            self.field(&id("city"), w.city, city),
            self.field(&id("line1"), w.line1, line1),
            optional(self.field(&id("line2"), w.line2, line2)),
        ]
    }

    /// The fields of a business and its tax id, and of the buyer's own name.
    pub fn names(&self, asks: &Asks) -> Vec<Field> {
        let w = self.words();
        let mut fields = Vec::new();
        let asked = |field: Field, optional: bool| Field { optional, ..field };
        if let Some(optional) = asks.individual_name {
            fields.push(asked(self.field("individual_name", w.full_name, "name"), optional));
        }
        if let Some(optional) = asks.business_name {
            fields.push(asked(
                self.field("business_name", w.business_name, "organization"),
                optional,
            ));
        }
        if let Some(optional) = asks.tax_id {
            let mut kind = self.field("tax_id_kind", w.tax_id_kind, "off");
            kind.choices = tax_id::kinds()
                .map(|it| Choice {
                    value: it.to_owned(),
                    label: it.to_uppercase().replace('_', " "),
                    amount: String::new(),
                    chosen: kind.value == it,
                })
                .collect();
            fields.push(asked(kind, optional));
            fields.push(asked(self.field("tax_id", w.tax_id, "off"), optional));
        }
        fields
    }

    /// The merchant's own fields.
    pub fn custom(&self, fields: &[Value]) -> Vec<Field> {
        fields.iter().enumerate().map(|(at, custom)| self.custom_field(at, custom)).collect()
    }

    fn custom_field(&self, at: usize, custom: &Value) -> Field {
        let kind = custom.get("type").and_then(Value::as_str).unwrap_or("text");
        let label = custom.get("label").and_then(|l| l.get("custom")?.as_str()).unwrap_or_default();
        let mut field = self.field(&format!("custom_{at}"), label, "off");
        field.optional = custom.get("optional") == Some(&Value::Bool(true));
        if kind == "numeric" {
            field.inputmode = "numeric";
        }
        let rules = custom.get(kind);
        if field.value.is_empty() {
            let default = rules.and_then(|r| r.get("default_value")?.as_str());
            default.unwrap_or_default().clone_into(&mut field.value);
        }
        let options = rules.and_then(|r| r.get("options")?.as_array());
        field.choices = options
            .into_iter()
            .flatten()
            .map(|option| Choice {
                chosen: member::string(option, "value") == field.value,
                value: member::string(option, "value"),
                label: member::string(option, "label"),
                amount: String::new(),
            })
            .collect();
        field
    }
}

/// The lines of an order.
pub fn lines(items: &[Value], looks: &[LineLook], words: &Words) -> Vec<Line> {
    let none = LineLook::default();
    items
        .iter()
        .zip(looks.iter().chain(std::iter::repeat(&none)))
        .map(|(item, look)| {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let int = |name: &str| item.get(name).and_then(Value::as_i64).unwrap_or(0);
            let quantity = int("quantity");
            let unit = item.get("price").and_then(|p| p.get("unit_amount")?.as_i64());
            let mut counted = words.quantity(&quantity.to_string());
            if let Some(unit) = unit.filter(|_| quantity > 1) {
                let each = words.each(&shown(unit, text("currency")));
                counted = format!("{counted} · {each}");
            }
            let range = item.get("adjustable_quantity").filter(|range| range["enabled"] == true);
            let bound = |range: &Value, name: &str| range.get(name).and_then(Value::as_i64);
            let range = range.map(|range| {
                let least = bound(range, "minimum").unwrap_or(0);
                let least = if items.len() > 1 { least } else { least.max(1) };
                (least, bound(range, "maximum").unwrap_or(99), quantity)
            });
            Line {
                id: text("id").to_owned(),
                range,
                droppable: look.optional,
                name: text("description").to_owned(),
                details: look.details.clone().unwrap_or_default(),
                image: look.image.clone(),
                quantity: counted,
                amount: shown(int("amount_subtotal"), text("currency")),
            }
        })
        .collect()
}
