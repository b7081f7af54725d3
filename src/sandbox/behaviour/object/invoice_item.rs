//! Invoice items: what is to be on the next invoice of a customer, or on a draft.

use crate::sandbox::behaviour::billing::invoice::{self, KIND as INVOICE};
use crate::sandbox::behaviour::billing::items::{self, INVOICE_ITEM as KIND};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice};
use crate::sandbox::behaviour::billing::{added, line, on_clock_of};
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/invoiceitems`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/invoiceitems" => list_all,
        "POST /v1/invoiceitems" => create,
        "GET /v1/invoiceitems/{invoiceitem}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/invoiceitems/{invoiceitem}" => update,
        "DELETE /v1/invoiceitems/{invoiceitem}" => delete,
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let id = call.id(0);
    txn.get(KIND, id).filter(|it| !it.stored().is_deleted()).ok_or_else(|| {
        let text = format!("No such Invoice Item: '{id}'(livemode=false)");
        let failure = Failure::invalid(text).code("resource_missing").param("id");
        Failure { status: 404, ..failure }
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of invoice items", &["customer_account"])?;
    let invoice = match call.text("invoice") {
        Some(id) => Some(txn.find(INVOICE, id, "invoice")?),
        None => None,
    };
    if let Some(invoice) = &invoice {
        Invoice::read(text(invoice, "status")).allows(Act::EditLines)?;
    }
    let of_invoice = invoice.as_ref().map(|it| text(it, "customer").to_owned());
    let Some(id) = call.owned("customer").or(of_invoice) else {
        return Err(items::required("customer"));
    };
    let customer = txn.find("customer", &id, "customer")?;
    on_clock_of(txn, &id, |txn| {
        let item = added::make(txn, call, &customer)?;
        if let Some(invoice) = &invoice {
            added::add_to(txn, text(invoice, "id"), &item);
            let item = txn.get(KIND, text(&item, "id"));
            return Ok(item.map_or_else(|| json!({}).into(), Body::from));
        }
        Ok(item.into())
    })
}

/// Refuses to change what stands on an invoice that is no draft any more.
fn ensure_loose(txn: &Txn<'_>, item: &Value, message: &str) -> Result<(), Failure> {
    let id = text(item, "invoice");
    if id.is_empty() {
        return Ok(());
    }
    match txn.get(INVOICE, id) {
        Some(it) if it.stored().is_deleted() => {
            Err(Failure::invalid("This invoice item has been deleted."))
        }
        Some(it) if text(&it, "status") != "draft" => Err(Failure::invalid(message)),
        _ => Ok(()),
    }
}

const ATTACHED: &str =
    "Can't delete an invoice item that is attached to an invoice that is no longer editable";
const FIXED: &str =
    "Can't update an invoice item that is attached to an invoice that is no longer editable";

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of invoice items", &["invoicing_rules"])?;
    let known = found(txn, call)?;
    ensure_loose(txn, &known, FIXED)?;
    added::change(txn, call, &known).map(Body::from)
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    ensure_loose(txn, &known, ATTACHED)?;
    let id = text(&known, "id").to_owned();
    let invoice = text(&known, "invoice").to_owned();
    if !invoice.is_empty() {
        invoice::edit(txn, &invoice, |_, part| {
            part.lines.retain(|it| line::invoice_item(&it.doc) != Some(&*id));
        });
    }
    let stub = json!({"id": id, "object": KIND, "deleted": true});
    txn.put(stub.clone());
    txn.emit("invoiceitem.deleted", &known);
    Ok(stub.into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["customer", "invoice"]);
    if let Some(pending) = call.flag("pending") {
        filters.push(Filter::test(move |stored| {
            list::plain(stored, "invoice", |id| !id.is_empty()) != pending
        }));
    }
    list::page(txn, call, KIND, &filters)
}
