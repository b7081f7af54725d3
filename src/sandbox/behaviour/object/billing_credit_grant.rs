//! Billing credit grants, what changed them, and what a customer has left of them.

use crate::sandbox::behaviour::billing::grant::{self, KIND, TRANSACTION};
use crate::sandbox::behaviour::billing::on_clock_of;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::document::{Handler, merge_metadata, new};
use crate::sandbox::behaviour::offer;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PlannedPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Parameters that say whose credits are listed.
const OWNERS: [&str; 2] = ["customer", "customer_account"];

/// The behaviour of `/v1/billing/credit_*`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/billing/credit_grants" => create,
        "GET /v1/billing/credit_grants" => {
            |txn, call| list::page(txn, call, KIND, &list::same(call, &OWNERS))
        }
        "GET /v1/billing/credit_grants/{id}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/billing/credit_grants/{id}" => update,
        "POST /v1/billing/credit_grants/{id}/expire" => |txn, call| end(txn, call, false),
        "POST /v1/billing/credit_grants/{id}/void" => |txn, call| end(txn, call, true),
        "GET /v1/billing/credit_balance_summary" => summary,
        "GET /v1/billing/credit_balance_transactions" => list_transactions,
        "GET /v1/billing/credit_balance_transactions/{id}" => {
            |txn, call| txn.find(TRANSACTION, call.id(0), "id").map(Body::from)
        }
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find(KIND, call.id(0), "id")
}

fn required(name: &str) -> Failure {
    let text = format!("Missing required param: {name}.");
    Failure::invalid(text).code("parameter_missing").param(name)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of credit grants", &["customer_account"])?;
    let Some(customer) = call.text("customer") else { return Err(required("customer")) };
    let owner = txn.find("customer", customer, "customer")?;
    let amount = call.get("amount").and_then(|it| it.get("monetary"));
    let Some(amount) = amount.filter(|it| it.is_object()) else {
        return Err(required("amount[monetary]"));
    };
    if amount.get("value").and_then(Value::as_i64).unwrap_or(0) < 1 {
        return Err(Failure::below_one("amount[monetary][value]".to_owned()));
    }
    let scope = call.get("applicability_config").and_then(|it| it.get("scope")).cloned();
    let scope = scope.unwrap_or_default();
    let prices = scope.get("prices").and_then(Value::as_array).cloned().unwrap_or_default();
    for (at, price) in prices.iter().enumerate() {
        let param = format!("applicability_config[scope][prices][{at}][id]");
        txn.find("price", text(price, "id"), &param)?;
    }
    if prices.is_empty() && scope.get("price_type").is_none() {
        return Err(required("applicability_config[scope][price_type]"));
    }
    on_clock_of(txn, customer, |txn| {
        offer::ensure_future(txn, call, "expires_at")?;
        let (id, now) = (txn.new_id("credgr_1", 23), txn.now().0);
        let mut doc = new(
            KIND,
            json!({
                "id": id, "amount": {"monetary": amount, "type": "monetary"},
                "applicability_config": {"scope": scope},
                "category": call.text("category").unwrap_or("paid"), "created": now,
                "customer": customer, "effective_at": call.int("effective_at").unwrap_or(now),
                "expires_at": call.get("expires_at"), "livemode": false, "metadata": {},
                "name": call.get("name"), "priority": call.int("priority").unwrap_or(50),
                "test_clock": owner.get("test_clock"), "updated": now,
            }),
        );
        merge_metadata(&mut doc, &call.params);
        let made = txn.put_with(doc, PlannedPart::default());
        txn.emit("billing.credit_grant.created", &made);
        grant::begin(txn, &id);
        found_again(txn, &id)
    })
}

fn found_again(txn: &Txn<'_>, id: &str) -> Result<Body, Failure> {
    txn.find(KIND, id, "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    on_clock_of(txn, text(&known, "customer"), |txn| {
        offer::ensure_future(txn, call, "expires_at")?;
        let now = txn.now().0;
        let changed = txn.edit(KIND, text(&known, "id"), |doc| {
            if let Some(end) = call.params.get("expires_at") {
                doc.insert("expires_at".to_owned(), end.clone());
            }
            doc.insert("updated".to_owned(), json!(now));
            merge_metadata(doc, &call.params);
        });
        if let Some((before, after)) = changed {
            txn.emit_change("billing.credit_grant.updated", &before, &after);
        }
        grant::plan_end(txn, text(&known, "id"));
        found_again(txn, text(&known, "id"))
    })
}

fn end(txn: &mut Txn<'_>, call: &Call, voids: bool) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    on_clock_of(txn, text(&known, "customer"), |txn| grant::end(txn, &known, voids).map(Body::from))
}

fn list_transactions(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["credit_grant"]);
    for name in OWNERS {
        let Some(owner) = call.text(name) else { continue };
        let own: Vec<String> = txn
            .having(KIND, name, owner)
            .iter()
            .map(|grant| text(grant, "id").to_owned())
            .collect();
        filters.push(Filter::test(move |stored| {
            list::plain(stored, "credit_grant", |id| own.iter().any(|own| own == id))
        }));
    }
    list::page(txn, call, TRANSACTION, &filters)
}

/// What a customer has left, by currency: of one grant, or of all that pay for what is asked for.
fn summary(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let Some(customer) = call.text("customer") else { return Err(required("customer")) };
    txn.find("customer", customer, "customer")?;
    let filter = call.get("filter").cloned().unwrap_or_default();
    let one = text(&filter, "credit_grant");
    if !one.is_empty() {
        txn.find(KIND, one, "filter[credit_grant]")?;
    }
    let scope = filter.get("applicability_scope").cloned().unwrap_or_default();
    let named = scope.get("prices").and_then(Value::as_array).cloned().unwrap_or_default();
    let balances = on_clock_of(txn, customer, |txn| {
        let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for grant in txn.having(KIND, "customer", customer) {
            let fits = if one.is_empty() {
                named.is_empty()
                    || named.iter().any(|price| {
                        let price = txn.get("price", text(price, "id"));
                        price.is_some_and(|price| grant::covers(&grant, &price))
                    })
            } else {
                text(&grant, "id") == one
            };
            if !fits {
                continue;
            }
            let left = grant::left(txn, text(&grant, "id"));
            let sum = sums.entry(grant::currency(&grant).to_owned()).or_default();
            sum.1 += left;
            if grant::is_running(txn, &grant) {
                sum.0 += left;
            }
        }
        let balance = |currency: &str, value: i64| json!({"monetary": {"currency": currency, "value": value}, "type": "monetary"});
        let shown = sums.iter().map(|(currency, (available, ledger))| {
            json!({
                "available_balance": balance(currency, *available),
                "ledger_balance": balance(currency, *ledger),
            })
        });
        shown.collect::<Vec<Value>>()
    });
    let doc = new(
        "billing.credit_balance_summary",
        json!({"balances": balances, "customer": customer, "livemode": false}),
    );
    Ok(Value::Object(doc).into())
}
