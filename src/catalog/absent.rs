//! Which fields an answer may lack, and the empty form of an object.

use std::iter::once;

use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Field, Kind, Shape};

/// Fields that are there only when asked for with `expand[]`.
const INCLUDABLE: &[(&str, &[&str])] = &[
    ("apps.secret", &["payload"]),
    ("charge", &["refunds"]),
    ("checkout.session", &["line_items"]),
    ("coupon", &["applies_to", "currency_options"]),
    (
        "customer",
        &["cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"],
    ),
    ("invoice", &["confirmation_secret", "payments", "total_pretax_credit_amounts"]),
    ("item", &["discounts", "taxes"]),
    ("payment_link", &["line_items"]),
    ("plan", &["tiers"]),
    ("price", &["currency_options", "tiers"]),
    ("quote", &["line_items"]),
    ("tax.calculation", &["line_items"]),
    ("tax.transaction", &["line_items"]),
];

/// Fields that are there only when there is something to say.
const OCCASIONAL: &[(&str, &[&str])] = &[
    ("account", &["groups", "individual", "company", "future_requirements"]),
    // One of an account's shows no customer.
    ("bank_account", &["customer"]),
    (
        "balance",
        &["connect_reserved", "instant_available", "issuing", "refund_and_dispute_prefunding"],
    ),
    (
        "bank_account",
        &[
            "account",
            "available_payout_methods",
            "customer",
            "default_for_currency",
            "future_requirements",
            "metadata",
            "requirements",
        ],
    ),
    (
        "card",
        &[
            "account",
            "allow_redisplay",
            "available_payout_methods",
            "currency",
            "customer",
            "default_for_currency",
            "description",
            "iin",
            "issuer",
            "networks",
            "status",
        ],
    ),
    (
        "charge",
        &["authorization_code", "level3", "presentment_details", "radar_options", "transfer"],
    ),
    (
        "checkout.session",
        &[
            "allowed_payment_method_types",
            "excluded_payment_method_types",
            "name_collection",
            "optional_items",
            "presentment_details",
            "redirect_on_completion",
            "return_url",
            "tax_id_collection",
        ],
    ),
    ("customer", &["business_name", "individual_name"]),
    ("ephemeral_key", &["secret"]),
    ("event", &["account", "context"]),
    ("invoice", &["amount_paid_off_stripe"]),
    ("invoiceitem", &["net_amount", "proration_details"]),
    ("line_item", &["subscription"]),
    ("mandate", &["on_behalf_of"]),
    (
        "person",
        &[
            "additional_tos_acceptances",
            "address_kana",
            "address_kanji",
            "first_name_kana",
            "first_name_kanji",
            "full_name_aliases",
            "gender",
            "id_number_secondary_provided",
            "last_name_kana",
            "last_name_kanji",
            "maiden_name",
            "nationality",
            "political_exposure",
            "registered_address",
            "us_cfpb_data",
        ],
    ),
    ("payment_intent", &["hooks", "payment_details", "presentment_details"]),
    ("payment_method", &["radar_options"]),
    (
        "refund",
        &[
            "description",
            "failure_balance_transaction",
            "failure_reason",
            "instructions_email",
            "next_action",
            "pending_reason",
            "presentment_details",
        ],
    ),
    ("setup_intent", &["attach_to_self"]),
    ("source", &["customer", "redirect", "receiver", "code_verification", "source_order"]),
    ("subscription", &["presentment_details", "status_details"]),
    ("subscription_item", &["billed_until"]),
    ("token", &["bank_account", "card"]),
    // What only some types have.
    ("v2.core.event", &["data"]),
    ("webhook_endpoint", &["secret"]),
];

fn listed(table: &[(&str, &[&str])], object: &str, field: &str) -> bool {
    table.iter().any(|(name, fields)| *name == object && fields.contains(&field))
}

/// Whether a field is there only when it was asked for with `expand[]`.
pub fn is_includable(object: &str, field: &str) -> bool {
    listed(INCLUDABLE, object, field)
}

/// Whether an answer may be without a field.
pub(crate) fn may_lack(shape: &Shape, field: &Field) -> bool {
    field.name == "deleted"
        || is_includable(shape.name, field.name)
        || listed(OCCASIONAL, shape.name, field.name)
        || is_variant(&shape.fields, field)
}

/// Whether a field belongs to one value of `type` only, as `card` does in a payment method.
fn is_variant(fields: &[Field], field: &Field) -> bool {
    let Some(Kind::Enum { words, .. }) = grammar::field(fields, "type").map(|of| &of.of.kind)
    else {
        return false;
    };
    field.of.nullable && matches!(field.of.kind, Kind::Hash(_)) && words.contains(&field.name)
}

impl Catalog {
    /// An object with every field that an answer always has and that has an obvious empty value:
    /// `null`, `[]`, `{}` or `false`; the other fields are the caller's to fill.
    pub fn blank(&self, object: &str) -> Map<String, Value> {
        match self.object(object) {
            Some(shape) => shape.blank.get_or_init(|| blank(shape)).clone(),
            None => once(("object".to_owned(), Value::from(object))).collect(),
        }
    }
}

fn blank(shape: &Shape) -> Map<String, Value> {
    let mut blank = Map::new();
    blank.insert("object".to_owned(), Value::from(shape.name));
    for field in &shape.fields {
        if may_lack(shape, field) || field.name == "object" {
            continue;
        }
        let value = match &field.of.kind {
            Kind::Page(_) => continue,
            _ if field.name == "metadata" => Value::Object(Map::new()),
            _ if field.of.nullable => Value::Null,
            Kind::List(_) => Value::Array(Vec::new()),
            Kind::Map(_) => Value::Object(Map::new()),
            Kind::Boolean => Value::Bool(false),
            _ => continue,
        };
        blank.insert(field.name.to_owned(), value);
    }
    blank
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_entry_of_the_tables_is_a_field() {
        let catalog = Catalog::get();
        for (object, fields) in INCLUDABLE.iter().chain(OCCASIONAL) {
            let shape = catalog.object(object).unwrap_or_else(|| panic!("{object}"));
            for name in *fields {
                assert!(grammar::field(&shape.fields, name).is_some(), "{object}.{name}");
            }
        }
    }

    #[test]
    fn a_blank_object_has_what_is_obvious_and_no_more() {
        let blank = Catalog::get().blank("checkout.session");
        assert_eq!(blank["object"], "checkout.session");
        assert_eq!(blank["customer"], Value::Null);
        assert_eq!(blank["metadata"], json!({}));
        assert_eq!(blank["payment_method_types"], json!([]));
        assert_eq!(blank["livemode"], false);
        for absent in ["line_items", "id", "mode", "created", "deleted"] {
            assert!(!blank.contains_key(absent), "{absent}");
        }
    }

    #[test]
    fn a_payment_method_is_not_of_every_type_at_once() {
        let blank = Catalog::get().blank("payment_method");
        assert!(!blank.contains_key("card") && !blank.contains_key("konbini"));
        assert_eq!(blank["customer"], Value::Null);
    }
}
