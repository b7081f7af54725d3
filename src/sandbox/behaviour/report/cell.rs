//! What stands in one column of a transaction's row.

use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::report::rows::payout_of;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::Value;
use std::sync::Arc;

/// A time zone without summer time: seconds ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(i64);

impl Zone {
    /// The zone of that name, where it is one of those that are modelled.
    pub fn read(name: &str) -> Option<Self> {
        match name {
            "Etc/UTC" | "UTC" | "Etc/GMT" => Some(Self(0)),
            "Asia/Tokyo" | "Japan" => Some(Self(9 * 3_600)),
            _ => None,
        }
    }
}

/// An amount in the units that people count in: `5.00`, `500`.
pub fn money(minor: i64, currency: &str) -> String {
    currency.parse().map_or_else(|_| minor.to_string(), |it| Money::new(minor, it).plain())
}

fn time(at: i64, zone: Zone) -> String {
    let text = Timestamp(at + zone.0).rfc3339();
    text.trim_end_matches('Z').replace('T', " ")
}

/// The refund or dispute that moved the money, and the charge that it is about.
struct Source {
    own: Option<Arc<Object>>,
    charge: Option<Arc<Object>>,
}

fn source(txn: &Txn<'_>, row: &Value) -> Source {
    let id = text(row, "source");
    if let Some(charge) = txn.get("charge", id) {
        return Source { own: None, charge: Some(charge) };
    }
    let own = ["refund", "dispute", "payout", "topup"].iter().find_map(|kind| txn.get(kind, id));
    let charge = own.as_deref().and_then(|own| txn.get("charge", text(own, "charge")));
    Source { own, charge }
}

/// The value of a column; empty where there is nothing to say.
pub fn of(txn: &Txn<'_>, row: &Object, column: &str, zone: Zone) -> String {
    let plain = |name: &str| text(row, name).to_owned();
    let (bare, zone) = match column.strip_suffix("_utc") {
        Some(bare) => (bare, Zone(0)),
        None => (column, zone),
    };
    let currency = text(row, "currency");
    match bare {
        "balance_transaction_id" => plain("id"),
        "created" | "available_on" => time(int(row, bare), zone),
        "effective_at" => time(int(row, "created"), zone),
        "currency" | "reporting_category" | "description" => plain(bare),
        "source_id" | "payout_id" => plain("source"),
        "gross" => money(int(row, "amount"), currency),
        "fee" | "net" => money(int(row, bare), currency),
        "automatic_payout_id" => {
            payout_of(txn, row).map_or_else(String::new, |it| text(&it, "id").to_owned())
        }
        "automatic_payout_effective_at" => {
            payout_of(txn, row).map_or_else(String::new, |it| time(int(&it, "arrival_date"), zone))
        }
        _ => of_source(txn, row, bare, zone),
    }
}

fn of_source(txn: &Txn<'_>, row: &Value, column: &str, zone: Zone) -> String {
    let Source { own, charge } = source(txn, row);
    let own_text = |name: &str| own.as_deref().map_or("", |it| text(it, name)).to_owned();
    let charged = |name: &str| charge.as_deref().map_or("", |it| text(it, name)).to_owned();
    let card = |name: &str| {
        let details = charge.as_deref().and_then(|it| it.pointer("/payment_method_details/card"));
        details.map_or("", |it| text(it, name)).to_owned()
    };
    let customer = || txn.get("customer", &charged("customer"));
    let of_customer =
        |name: &str| customer().map_or_else(String::new, |it| text(&it, name).to_owned());
    match column {
        "charge_id" => charged("id"),
        "payment_intent_id" => charged("payment_intent"),
        "charge_created" => {
            charge.as_deref().map_or_else(String::new, |it| time(int(it, "created"), zone))
        }
        "customer_facing_amount" => match (&own, &charge) {
            (None, Some(charge)) => money(int(charge, "amount"), text(charge, "currency")),
            (Some(own), Some(_)) => money(-int(own, "amount"), text(own, "currency")),
            _ => String::new(),
        },
        "customer_facing_currency" => charged("currency"),
        "customer_id" => charged("customer"),
        "customer_email" => of_customer("email"),
        "customer_name" => of_customer("name"),
        "customer_description" => of_customer("description"),
        "payment_method_type" => charge
            .as_deref()
            .and_then(|it| it.get("payment_method_details"))
            .map_or("", |it| text(it, "type"))
            .to_owned(),
        "card_brand" => card("brand"),
        "card_funding" => card("funding"),
        "card_country" => card("country"),
        "statement_descriptor" => charged("calculated_statement_descriptor"),
        "dispute_reason" if own_text("object") == "dispute" => own_text("reason"),
        "payout_status" => own_text("status"),
        "payout_type" => own_text("type"),
        "payout_description" => own_text("description"),
        "payout_destination_id" => own_text("destination"),
        "payout_expected_arrival_date" => {
            own.as_deref().map_or_else(String::new, |it| time(int(it, "arrival_date"), zone))
        }
        _ => metadata(own.as_deref(), charge.as_deref(), column),
    }
}

fn metadata(own: Option<&Object>, charge: Option<&Object>, column: &str) -> String {
    let named = column.strip_suffix(']').and_then(|column| column.split_once("_metadata["));
    let Some((of, name)) = named else { return String::new() };
    let object = if of == "payment" { charge } else { own };
    let value = object.and_then(|it| it.get("metadata")).map_or("", |it| text(it, name));
    value.to_owned()
}
