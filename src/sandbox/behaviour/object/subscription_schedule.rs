//! Subscription schedules, as the API makes, changes, ends and shows them.

use crate::sandbox::behaviour::billing::phase::KIND;
use crate::sandbox::behaviour::billing::scheduled;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/subscription_schedules`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/subscription_schedules" => {
            |txn, call| scheduled::create(txn, call).map(Body::from)
        }
        "GET /v1/subscription_schedules" => list_all,
        "GET /v1/subscription_schedules/{schedule}" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from)
        }
        "POST /v1/subscription_schedules/{schedule}" => {
            |txn, call| scheduled::update(txn, call, call.id(0)).map(Body::from)
        }
        "POST /v1/subscription_schedules/{schedule}/cancel" => {
            |txn, call| scheduled::cancel(txn, call, call.id(0)).map(Body::from)
        }
        "POST /v1/subscription_schedules/{schedule}/release" => {
            |txn, call| scheduled::release(txn, call, call.id(0)).map(Body::from)
        }
        _ => return None,
    })
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["customer", "customer_account"]);
    for name in ["canceled_at", "completed_at", "released_at"] {
        filters.extend(list::within(call, name));
    }
    if let Some(scheduled) = call.flag("scheduled") {
        filters.push(Filter::test(move |stored| {
            list::plain(stored, "status", |status| (status == "not_started") == scheduled)
        }));
    }
    list::page(txn, call, KIND, &filters)
}
