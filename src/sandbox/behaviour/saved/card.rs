//! Cards of the old kind: how they look, and the payment method that pays for them.

use crate::domain::card::Card;
use crate::sandbox::behaviour::cards::stored::{checks, put_card};
use crate::sandbox::behaviour::cards::{self, Billing};
use crate::sandbox::behaviour::document::{int, member, new, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// Members of a card that are its owner's and are sent under the same name.
pub const OWNER: &[&str] = &[
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "name",
];

/// A card that a token stands for, before it belongs to anybody.
#[derive(Clone, Debug)]
pub struct Details {
    /// `card_…`, which it keeps for good.
    pub id: String,
    /// The test card.
    pub card: &'static Card,
    /// Month and four-digit year.
    pub expiry: (i64, i64),
    /// Whether a security code came with it.
    pub cvc: bool,
    /// What was said about its owner: [`OWNER`], `currency`.
    pub said: Doc,
}

/// `brand` as cards spell it, unlike payment methods.
pub fn brand(card: &Card) -> &'static str {
    match card.brand {
        "amex" => "American Express",
        "diners" => "Diners Club",
        "discover" => "Discover",
        "jcb" => "JCB",
        "mastercard" => "MasterCard",
        "unionpay" => "UnionPay",
        "visa" => "Visa",
        _ => "Unknown",
    }
}

impl Details {
    /// The card as a token shows it: nothing about it is checked yet.
    pub fn shown(&self) -> Doc {
        let said = |name: &str| self.said.get(name).cloned().unwrap_or(Value::Null);
        let unchecked = |is_there: bool| if is_there { json!("unchecked") } else { Value::Null };
        let mut doc = new(
            "card",
            json!({
                "id": self.id, "brand": brand(self.card), "country": self.card.country,
                "cvc_check": unchecked(self.cvc), "exp_month": self.expiry.0, "exp_year": self.expiry.1,
                "fingerprint": cards::fingerprint(self.card.number), "funding": self.card.funding,
                "last4": self.card.last4(), "networks": {"preferred": null},
                "regulated_status": "unregulated",
                "address_line1_check": unchecked(said("address_line1").is_string()),
                "address_zip_check": unchecked(said("address_zip").is_string()),
            }),
        );
        for name in OWNER {
            doc.insert((*name).to_owned(), said(name));
        }
        if self.said.contains_key("currency") {
            doc.insert("currency".to_owned(), said("currency"));
        }
        doc
    }

    /// Reads a card that [`Details::shown`] wrote.
    pub fn read(doc: &Value) -> Option<Self> {
        let card = cards::by_fingerprint(text(doc, "fingerprint"))?;
        let mut said = Doc::new();
        for name in OWNER.iter().chain(&["currency"]) {
            if let Some(value) = doc.get(*name).filter(|value| value.is_string()) {
                said.insert((*name).to_owned(), value.clone());
            }
        }
        let cvc = doc.get("cvc_check").is_some_and(Value::is_string);
        let expiry = (int(doc, "exp_month"), int(doc, "exp_year"));
        Some(Self { id: text(doc, "id").to_owned(), card, expiry, cvc, said })
    }

    /// The billing details of a payment method for it; what was sent goes before what the card says.
    pub fn billing(&self, sent: &Billing) -> Billing {
        let own = billing(&Value::Object(self.said.clone()));
        Billing {
            email: sent.email.clone(),
            phone: sent.phone.clone(),
            name: sent.name.clone().or(own.name),
            address: sent.address.clone().or(own.address),
        }
    }

    /// The payment method that pays for the card, under the card's id.
    pub fn put_twin(&self, txn: &mut Txn<'_>) -> Option<Arc<Object>> {
        let said = Value::Object(self.said.clone());
        put_card(txn, &self.id, self.card, self.expiry, &billing(&said), self.cvc);
        txn.get("payment_method", &self.id)
    }

    /// The card as a customer or a charge shows it, once its bank was asked.
    pub fn checked(&self, twin: &Object, customer: Option<&str>) -> Doc {
        let mut doc = self.shown();
        let found = checks(twin);
        doc.insert("cvc_check".to_owned(), member(&found, "cvc_check"));
        doc.insert("address_line1_check".to_owned(), member(&found, "address_line1_check"));
        doc.insert("address_zip_check".to_owned(), member(&found, "address_postal_code_check"));
        doc.insert("allow_redisplay".to_owned(), json!("unspecified"));
        doc.remove("networks");
        if let Some(customer) = customer {
            doc.insert("customer".to_owned(), json!(customer));
        }
        doc
    }
}

/// The billing details of a payment method for what a card says of its owner.
pub fn billing(card: &Value) -> Billing {
    let address = json!({
        "city": member(card, "address_city"), "country": member(card, "address_country"),
        "line1": member(card, "address_line1"), "line2": member(card, "address_line2"),
        "postal_code": member(card, "address_zip"), "state": member(card, "address_state"),
    });
    let owner = member(card, "name").as_str().map(str::to_owned);
    Billing { name: owner, address: Some(address), ..Billing::default() }
}
