//! Subscriptions, as the API makes, changes, ends and shows them; also under their customer, where old clients look.

use crate::sandbox::behaviour::billing::subscription::{self as kept, KIND};
use crate::sandbox::behaviour::billing::{
    change, create, discount, ending, items, line, on_clock_of, pausing,
};
use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::engine::object::{Object, Stored};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

const INDEX: Index = Index {
    kind: KIND,
    noun: "subscriptions",
    fields: &["canceled_at", "created", "metadata", "status"],
};

/// The behaviour of `/v1/subscriptions` and `/v1/customers/{customer}/subscriptions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/subscriptions" => make,
        "GET /v1/subscriptions" => list_all,
        "GET /v1/subscriptions/search" => |txn, call| search::page(txn, call, &INDEX),
        "GET /v1/subscriptions/{subscription_exposed_id}" => retrieve,
        "POST /v1/subscriptions/{subscription_exposed_id}" => {
            |txn, call| change::update(txn, call, call.id(0)).map(Body::from)
        }
        "DELETE /v1/subscriptions/{subscription_exposed_id}" => {
            |txn, call| ending::cancel(txn, call, call.id(0)).map(Body::from)
        }
        "DELETE /v1/subscriptions/{subscription_exposed_id}/discount" => take_discount,
        "POST /v1/subscriptions/{subscription}/migrate" => migrate,
        "POST /v1/subscriptions/{subscription}/pause" => {
            |txn, call| pausing::pause(txn, call, call.id(0)).map(Body::from)
        }
        "POST /v1/subscriptions/{subscription}/resume" => {
            |txn, call| pausing::resume(txn, call, call.id(0)).map(Body::from)
        }
        "POST /v1/customers/{customer}/subscriptions" => {
            |txn, call| create::create(txn, call, call.id(0)).map(Body::from)
        }
        "GET /v1/customers/{customer}/subscriptions" => list_of_customer,
        "GET /v1/customers/{customer}/subscriptions/{subscription_exposed_id}" => {
            |txn, call| own(txn, call).map(Body::from)
        }
        "POST /v1/customers/{customer}/subscriptions/{subscription_exposed_id}" => |txn, call| {
            own(txn, call)?;
            change::update(txn, call, call.id(1)).map(Body::from)
        },
        "DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}" => |txn, call| {
            own(txn, call)?;
            if call.flag("at_period_end") == Some(true) {
                return Ok(end_later(txn, call.id(1)));
            }
            ending::cancel(txn, call, call.id(1)).map(Body::from)
        },
        _ => return None,
    })
}

fn make(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let Some(customer) = call.text("customer") else { return Err(items::required("customer")) };
    create::create(txn, call, customer).map(Body::from)
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find(KIND, call.id(0), "id").map(Body::from)
}

/// A subscription that a customer has.
fn own(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let (customer, id) = (call.id(0), call.id(1));
    txn.find("customer", customer, "id")?;
    let found = txn.get(KIND, id).filter(|it| text(it, "customer") == customer);
    found.ok_or_else(|| {
        let text = format!("Customer {customer} does not have a subscription with ID {id}");
        let failure = Failure::invalid(text).code("resource_missing").param("subscription");
        Failure { status: 404, ..failure }
    })
}

/// Has a subscription end with its period, as only older versions say it when they delete.
fn end_later(txn: &mut Txn<'_>, id: &str) -> Body {
    let now = txn.now().0;
    let changed = kept::edit(txn, id, |doc, _| {
        let end = kept::period_end(&Value::Object(doc.clone()));
        doc.insert("cancel_at_period_end".to_owned(), json!(true));
        doc.insert("cancel_at".to_owned(), json!(end));
        doc.insert("canceled_at".to_owned(), json!(now));
    });
    changed.map_or_else(
        || json!({}).into(),
        |(before, after)| {
            kept::tell(txn, &before, &after);
            after.into()
        },
    )
}

/// Whether a list that asks for a status shows a subscription of another; without one it shows what is not canceled.
fn of_status(asked: Option<&str>) -> Filter<'_> {
    Filter::test(move |stored: &Stored| {
        list::plain(stored, "status", |status| match asked {
            None => status != "canceled",
            Some("all") => true,
            Some("ended") => matches!(status, "canceled" | "incomplete_expired"),
            Some(asked) => status == asked,
        })
    })
}

fn filters<'c>(txn: &Txn<'_>, call: &'c Call) -> Vec<Filter<'c>> {
    let mut filters = list::same(call, &["customer", "collection_method", "test_clock"]);
    filters.push(of_status(call.text("status")));
    filters.extend(list::off_clocks(txn, call, &["customer"]));
    for name in ["price", "plan"] {
        if let Some(wanted) = call.text(name) {
            filters.push(Filter::test(move |stored: &Stored| {
                let doc = Object::read(&Arc::new(stored.clone()));
                kept::items(&doc).iter().any(|item| text(&item["price"], "id") == wanted)
            }));
        }
    }
    for name in ["current_period_end", "current_period_start"] {
        if call.sent(name) {
            filters.push(Filter::test(move |stored: &Stored| {
                let doc = Object::read(&Arc::new(stored.clone()));
                kept::items(&doc).iter().any(|item| list::is_asked(call, name, int(item, name)))
            }));
        }
    }
    if let Some(enabled) = call.hash("automatic_tax").and_then(|it| it.get("enabled")?.as_bool()) {
        filters.push(Filter::Is("automatic_tax.enabled", enabled.to_string()));
    }
    filters
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    list::page(txn, call, KIND, &filters(txn, call))
}

fn list_of_customer(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = call.id(0).to_owned();
    txn.find("customer", &customer, "id")?;
    let mut filters = filters(txn, call);
    filters.push(Filter::Is("customer", customer));
    list::page(txn, call, KIND, &filters)
}

/// Takes the first discount away.
fn take_discount(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let known = txn.find(KIND, id, "id")?;
    let mut held = line::names(known.get("discounts"));
    if held.is_empty() {
        // Believed: no recording has it.
        let text = format!("No active discount for subscription: {id}");
        return Err(Failure { status: 404, ..Failure::invalid(text).code("resource_missing") });
    }
    let first = held.remove(0);
    let changed =
        kept::edit(txn, id, |doc, _| drop(doc.insert("discounts".to_owned(), json!(held))));
    let stub = discount::remove(txn, &first).unwrap_or_default();
    if let Some((before, after)) = changed {
        kept::tell(txn, &before, &after);
    }
    Ok(stub.into())
}

fn migrate(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let known = txn.find(KIND, id, "id")?;
    let discounts = call.hash("billing_mode").and_then(|it| it.get("flexible"));
    let discounts = discounts.and_then(|it| it.get("proration_discounts")).cloned();
    let discounts = discounts.unwrap_or_else(|| json!("included"));
    on_clock_of(txn, text(&known, "customer"), |txn| {
        let now = txn.now().0;
        let changed = kept::edit(txn, id, |doc, _| {
            let mode = json!({
                "flexible": {"proration_discounts": discounts}, "type": "flexible", "updated_at": now,
            });
            doc.insert("billing_mode".to_owned(), mode);
        });
        let Some((before, after)) = changed else { return Ok(Body::from(&*known)) };
        kept::tell(txn, &before, &after);
        Ok(after.into())
    })
}
