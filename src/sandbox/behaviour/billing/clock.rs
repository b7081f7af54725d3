//! Test clocks: a time of its own for the customers that are made with one.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::renew::interval_of;
use crate::sandbox::behaviour::billing::{leaving, subscription};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::due;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::timeline::CLOCK_KIND;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Its kind.
pub const KIND: &str = "test_helpers.test_clock";

/// The job that moves a clock.
pub const ADVANCE_JOB: &str = "test_clock.advance";

/// Seconds for which a clock is kept.
const KEPT: i64 = 30 * DAY;

/// Intervals of its shortest subscription that a clock is moved by at most, and years without any.
const INTERVALS: i64 = 2;

/// Customers that a clock has at most.
pub const CUSTOMERS_MAX: usize = 3;

/// Makes a clock that stands at an instant.
pub fn create(txn: &mut Txn<'_>, frozen: i64, name: Option<&str>) -> Arc<Object> {
    let id = txn.new_id("clock_1", 23);
    let now = txn.now().0;
    let made = txn.put(new(
        KIND,
        json!({
            "id": id, "created": now, "deletes_after": now + KEPT, "frozen_time": frozen,
            "livemode": false, "name": name, "status": "ready", "status_details": {},
        }),
    ));
    txn.emit("test_helpers.test_clock.created", &made);
    made
}

/// Refuses one customer more than a clock has. Believed: the sentence.
pub fn ensure_room(txn: &Txn<'_>, clock: &str) -> Result<(), Failure> {
    if txn.having("customer", "test_clock", clock).len() < CUSTOMERS_MAX {
        return Ok(());
    }
    let text = format!(
        "You have reached the maximum number of customers for test clock {clock}. A test clock can have up to {CUSTOMERS_MAX} customers."
    );
    Err(Failure::invalid(text).param("test_clock"))
}

/// What of a customer lives by a clock, and cannot be brought to another one.
const LIVING: [&str; 5] =
    ["subscription", "invoice", "invoiceitem", "subscription_schedule", "quote"];

/// Has a customer that there is live by a clock.
///
/// Believed: all of it but the parameter; and that a customer who is billed already, or has a clock, cannot.
pub fn take_in(txn: &mut Txn<'_>, clock: &str, customer: &str) -> Result<(), Failure> {
    let known = txn.find("customer", customer, "customer")?;
    if !text(&known, "test_clock").is_empty() {
        let text = format!("Customer {customer} is already attached to a test clock.");
        return Err(Failure::invalid(text).param("customer"));
    }
    if LIVING.iter().any(|kind| !txn.having(kind, "customer", customer).is_empty()) {
        let text = format!(
            "Customer {customer} cannot be attached to a test clock because it already has subscriptions, invoices or quotes."
        );
        return Err(Failure::invalid(text).param("customer"));
    }
    let changed = txn.edit("customer", customer, |doc| {
        doc.insert("test_clock".to_owned(), json!(clock));
    });
    if let Some((before, after)) = changed {
        txn.emit_change("customer.updated", &before, &after);
    }
    Ok(())
}

/// Begins to move a clock; it is there a moment later.
///
/// Fails for where it is already or was, for too far, and while it is moving. Believed: the sentences.
pub fn advance(txn: &mut Txn<'_>, id: &str, to: i64) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    if text(&known, "status") == "advancing" {
        let text = "The test clock is currently advancing. Wait until its status is `ready` before advancing it again.";
        return Err(Failure::invalid(text).code("test_clock_advancing"));
    }
    let from = int(&known, "frozen_time");
    if to <= from {
        let text = "Test clocks can only be advanced forward: `frozen_time` must be after the clock's current frozen time.";
        return Err(Failure::invalid(text).param("frozen_time"));
    }
    if to > furthest(txn, id, Timestamp(from)).0 {
        let text = "The requested frozen time is too far ahead: a test clock can be advanced by at most two intervals of its shortest subscription, or two years where it has none.";
        return Err(Failure::invalid(text).param("frozen_time"));
    }
    let changed = txn.edit(KIND, id, |doc| {
        doc.insert("status".to_owned(), json!("advancing"));
        let details = json!({"advancing": {"target_frozen_time": to}});
        doc.insert("status_details".to_owned(), details);
    });
    let Some((_, after)) = changed else { return Ok(known) };
    txn.emit("test_helpers.test_clock.advancing", &after);
    let args = json!({"clock": id, "to": to});
    txn.off_timeline(|txn| txn.schedule(txn.now(), ADVANCE_JOB, &args));
    Ok(after)
}

/// How far a clock may be moved at once.
fn furthest(txn: &Txn<'_>, id: &str, from: Timestamp) -> Timestamp {
    let customers = txn.having("customer", "test_clock", id);
    let mut ends = Vec::new();
    for customer in &customers {
        for it in txn.having(subscription::KIND, "customer", text(customer, "id")) {
            if crate::sandbox::behaviour::billing::lifecycle::is_over(text(&it, "status")) {
                continue;
            }
            let intervals = subscription::items(&it).iter().filter_map(interval_of);
            ends.extend(intervals.map(|interval| interval.boundary(from, INTERVALS)));
        }
    }
    ends.into_iter().min().unwrap_or_else(|| from.plus_months(24))
}

/// The job behind [`ADVANCE_JOB`]: everything that is due on the way happens, each at its own instant.
pub fn on_advance(txn: &mut Txn<'_>, args: &Value) {
    let (id, to) = (text(args, "clock").to_owned(), Timestamp(int(args, "to")));
    if txn.get(KIND, &id).is_none() {
        return;
    }
    let own = [txn.scope().clone()];
    txn.on_clock(Some(&id), |txn| while due::run_some(txn, &own, to).is_some() {});
    let changed = txn.edit(KIND, &id, |doc| {
        doc.insert("frozen_time".to_owned(), json!(to.0));
        doc.insert("status".to_owned(), json!("ready"));
        doc.insert("status_details".to_owned(), json!({}));
    });
    if let Some((_, after)) = changed {
        txn.emit("test_helpers.test_clock.ready", &after);
    }
}

/// Removes a clock with the customers that it has.
pub fn delete(txn: &mut Txn<'_>, id: &str) -> Result<Value, Failure> {
    let known = txn.find(KIND, id, "id")?;
    txn.on_clock(Some(id), |txn| {
        for customer in txn.having("customer", "test_clock", id) {
            leaving::remove(txn, &customer);
        }
    });
    let waiting: Vec<String> = txn.table(CLOCK_KIND).map_or_else(Vec::new, |table| {
        let of = |stored: &&Arc<crate::sandbox::engine::object::Stored>| {
            stored
                .part::<crate::sandbox::engine::private::Job>()
                .is_some_and(|job| job.test_clock.as_deref() == Some(id))
        };
        table.all().filter(of).map(|stored| stored.id.to_string()).collect()
    });
    for job in waiting {
        txn.unschedule(&job);
    }
    let stub = json!({"id": id, "object": KIND, "deleted": true});
    txn.put(stub.clone());
    txn.emit("test_helpers.test_clock.deleted", &known);
    Ok(stub)
}
