//! Revisions: a draft made of an invoice that has its number, which takes its place once it gets a number of its own.
//!
//! Believed, not proven, as no recording has one: that the original is void at the moment at which its revision is
//! finalized, that nothing tells of copied invoice items, and the sentences of refusals.

use crate::sandbox::behaviour::billing::invoice::{self, Draft, KIND};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{items, line};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, LinePart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Members that a revision has of its original. Whose it is is as its customer is now.
const TAKEN_OVER: &[&str] = &[
    "account_tax_ids",
    "automatic_tax",
    "collection_method",
    "custom_fields",
    "default_payment_method",
    "default_source",
    "default_tax_rates",
    "description",
    "discounts",
    "due_date",
    "footer",
    "issuer",
    "metadata",
    "on_behalf_of",
    "payment_settings",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
];

/// Parameters that say what the original says already.
const SETTLED: [&str; 3] = ["currency", "pending_invoice_items_behavior", "subscription"];

/// Where an invoice names what holds its place.
const LATEST: &str = "latest_revision";

/// The invoice that a call asks to revise.
///
/// Fails where it cannot be revised, and for what a revision cannot say anew.
pub fn asked(txn: &Txn<'_>, call: &Call) -> Result<Option<Arc<Object>>, Failure> {
    let Some(from) = call.hash("from_invoice") else { return Ok(None) };
    let id = from.get("invoice").and_then(Value::as_str).unwrap_or_default();
    let original = txn.find(KIND, id, "from_invoice[invoice]")?;
    ensure_revisable(&original)?;
    if let Some(name) = SETTLED.iter().find(|name| call.sent(name)) {
        let text = format!("You cannot set `{name}` when revising an invoice.");
        return Err(Failure::invalid(text).param(*name));
    }
    if call.text("customer").is_some_and(|customer| customer != text(&original, "customer")) {
        let text = "You cannot change the customer of an invoice when revising it.";
        return Err(Failure::invalid(text).param("customer"));
    }
    Ok(Some(original))
}

fn ensure_revisable(original: &Object) -> Result<(), Failure> {
    let refuse = |text: &str| Err(Failure::invalid(text).param("from_invoice[invoice]"));
    if invoice::subscription_of(original).is_some() {
        return refuse("You cannot revise an invoice of a subscription.");
    }
    if !matches!(Invoice::read(text(original, "status")), Invoice::Open | Invoice::Uncollectible) {
        return refuse("You can only revise invoices that are open or uncollectible.");
    }
    Ok(())
}

/// The members of a revision.
pub fn members(txn: &Txn<'_>, original: &Object) -> Doc {
    let mut more = Doc::new();
    for name in TAKEN_OVER {
        if let Some(value) = original.get(*name) {
            more.insert((*name).to_owned(), value.clone());
        }
    }
    let from = json!({"action": "revision", "invoice": text(original, "id")});
    more.insert("created".to_owned(), json!(txn.now().0));
    more.insert("currency".to_owned(), json!(text(original, "currency")));
    more.insert("from_invoice".to_owned(), from);
    more
}

/// Writes the revision down, with the lines of its original.
pub fn draft(txn: &mut Txn<'_>, original: &Object, more: Doc) -> Result<Arc<Object>, Failure> {
    let customer = txn.find("customer", text(original, "customer"), "customer")?;
    let of = original.part::<InvoicePart>().into_owned().lines;
    let lines = of.into_iter().map(|line| copied(txn, line)).collect();
    let period = Period::at(txn.now());
    let currency = text(original, "currency");
    let spec = Draft {
        id: None,
        customer: &customer,
        subscription: None,
        reason: "manual",
        period,
        currency,
        lines,
        more,
    };
    Ok(invoice::draft(txn, spec))
}

/// A line for another invoice; the invoice item behind it is copied with it.
fn copied(txn: &mut Txn<'_>, mut line: LinePart) -> LinePart {
    let id = txn.new_id("il_1", 23);
    line::set(&mut line, "id", json!(id));
    let known = line::invoice_item(&line.doc).and_then(|id| txn.get(items::INVOICE_ITEM, id));
    if let Some(known) = known {
        let item = txn.new_id("ii_1", 23);
        let mut doc = known.as_object().cloned().unwrap_or_default();
        doc.insert("id".to_owned(), json!(item));
        doc.insert("invoice".to_owned(), Value::Null);
        txn.put(doc);
        for of in ["invoice_item_details", "subscription_item_details"] {
            let at = format!("/parent/{of}/invoice_item");
            if let Some(named) = line.doc.pointer_mut(&at).filter(|it| it.is_string()) {
                *named = json!(item);
            }
        }
    }
    line.credits = Vec::new();
    line
}

/// Before a revision gets its number: the place of its original is free from now on.
///
/// Fails where the original was paid or given up meanwhile.
pub fn take_place(txn: &mut Txn<'_>, revision: &Object) -> Result<(), Failure> {
    let of = |invoice: &Object| {
        let from = invoice.get("from_invoice")?;
        from.get("invoice")?.as_str().map(str::to_owned)
    };
    let Some(id) = of(revision) else { return Ok(()) };
    ensure_revisable(&*txn.find(KIND, &id, "from_invoice[invoice]")?)?;
    let mut next = Some(id.clone());
    while let Some(before) = next {
        let named = json!(text(revision, "id"));
        let changed = invoice::edit_closed(txn, &before, |doc| {
            drop(doc.insert(LATEST.to_owned(), named));
        });
        next = changed.and_then(|(_, after)| of(&after));
    }
    invoice::close(txn, &id, Act::Void).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::sandbox::behaviour::billing::tests::{Shop, id, since};
    use serde_json::{Value, json};

    fn open(shop: &mut Shop) -> Value {
        for amount in [1_000, 500] {
            let item = json!({"customer": shop.customer, "amount": amount, "currency": "usd",
                "description": format!("Tea for {amount}")});
            shop.lab.ok("POST /v1/invoiceitems", item);
        }
        let made = json!({"customer": shop.customer, "pending_invoice_items_behavior": "include",
            "description": "First", "metadata": {"order": "7"}, "footer": "Thanks"});
        let made = shop.lab.ok("POST /v1/invoices", made);
        shop.lab.ok(&format!("POST /v1/invoices/{}/finalize", id(&made)), json!({}))
    }

    fn revise(original: &Value) -> Value {
        json!({"from_invoice": {"action": "revision", "invoice": original["id"]}})
    }

    #[test]
    fn a_revision_takes_the_place_of_an_open_invoice_once_it_has_its_number() {
        let mut shop = Shop::new("pm_card_visa");
        let original = open(&mut shop);
        // What is pending meanwhile does not get onto it.
        let late = json!({"customer": shop.customer, "amount": 9, "currency": "usd"});
        shop.lab.ok("POST /v1/invoiceitems", late);
        let mut asked = revise(&original);
        asked["description"] = json!("Second");
        let draft = shop.lab.ok("POST /v1/invoices", asked);
        assert_eq!(draft["status"], "draft");
        assert_eq!(draft["from_invoice"], json!({"action": "revision", "invoice": original["id"]}));
        for name in ["total", "customer", "currency", "metadata", "footer"] {
            assert_eq!(draft[name], original[name], "{name}");
        }
        assert_eq!((&draft["description"], &draft["number"]), (&json!("Second"), &Value::Null));
        let named = |invoice: &Value| -> Vec<Value> {
            let lines = invoice["lines"]["data"].as_array().unwrap();
            lines.iter().map(|it| it["description"].clone()).collect()
        };
        assert_eq!(named(&draft), named(&original));
        let line = &draft["lines"]["data"][0];
        assert_ne!(line["id"], original["lines"]["data"][0]["id"]);
        // The lines are its own: the original keeps what it bills.
        let item = line["parent"]["invoice_item_details"]["invoice_item"].as_str().unwrap();
        shop.lab.ok(&format!("POST /v1/invoiceitems/{item}"), json!({"amount": 2_000}));
        let known = shop.lab.get("invoice", &id(&original));
        assert_eq!((&known["status"], &known["total"]), (&json!("open"), &json!(1_500)));
        assert_eq!(known["latest_revision"], Value::Null);
        let mark = shop.lab.events().len();
        let path = format!("POST /v1/invoices/{}/finalize", id(&draft));
        let revision = shop.lab.ok(&path, json!({}));
        assert_eq!(revision["status"], "open");
        assert_ne!(revision["number"], original["number"]);
        let known = shop.lab.get("invoice", &id(&original));
        assert_eq!(known["status"], "void");
        assert_eq!(known["latest_revision"], draft["id"]);
        let told = since(&shop.lab, mark);
        for word in ["invoice.voided", "invoice.finalized"] {
            assert!(told.iter().any(|it| it == word), "{word}: {told:?}");
        }
    }

    #[test]
    fn the_first_of_several_names_the_last() {
        let mut shop = Shop::new("pm_card_visa");
        let first = open(&mut shop);
        let mut last = first.clone();
        for _ in 0..2 {
            let draft = shop.lab.ok("POST /v1/invoices", revise(&last));
            let path = format!("POST /v1/invoices/{}/finalize", id(&draft));
            last = shop.lab.ok(&path, json!({}));
        }
        assert_eq!(shop.lab.get("invoice", &id(&first))["latest_revision"], last["id"]);
        assert_eq!(last["latest_revision"], Value::Null);
    }

    #[test]
    fn credit_that_paid_for_the_original_pays_for_its_revision() {
        let mut shop = Shop::new("pm_card_visa");
        let path = format!("POST /v1/customers/{}/balance_transactions", shop.customer);
        shop.lab.ok(&path, json!({"amount": -600, "currency": "usd"}));
        let original = open(&mut shop);
        assert_eq!(original["amount_due"], 900);
        let draft = shop.lab.ok("POST /v1/invoices", revise(&original));
        let path = format!("POST /v1/invoices/{}/finalize", id(&draft));
        assert_eq!(shop.lab.ok(&path, json!({}))["amount_due"], 900);
        assert_eq!(shop.lab.get("customer", &shop.customer)["balance"], 0);
    }

    #[test]
    fn what_is_paid_or_void_or_of_a_subscription_is_not_revised() {
        let mut shop = Shop::new("pm_card_visa");
        let original = open(&mut shop);
        let draft = shop.lab.ok("POST /v1/invoices", revise(&original));
        for (name, value) in [("currency", json!("usd")), ("customer", json!("cus_other"))] {
            let mut asked = revise(&original);
            asked[name] = value;
            let failure = shop.lab.call("POST /v1/invoices", asked).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some(name)));
        }
        shop.lab.ok(&format!("POST /v1/invoices/{}/pay", id(&original)), json!({}));
        let refused = |shop: &mut Shop, of: &Value| {
            let failure = shop.lab.call("POST /v1/invoices", revise(of)).unwrap_err();
            assert_eq!(failure.param.as_deref(), Some("from_invoice[invoice]"), "{failure:?}");
        };
        refused(&mut shop, &original);
        // The one that was begun before comes too late.
        let path = format!("POST /v1/invoices/{}/finalize", id(&draft));
        assert_eq!(shop.lab.call(&path, json!({})).unwrap_err().status, 400);
        assert_eq!(shop.lab.get("invoice", &id(&draft))["status"], "draft");
        refused(&mut shop, &draft);
        let sub = shop.subscribe(json!({}));
        let latest = shop.latest(&sub);
        refused(&mut shop, &latest);
    }
}
