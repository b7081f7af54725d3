//! Billing credits: granted to a customer, and taken for what is metered once an invoice gets its number. What is left
//! of a grant is the sum of its transactions.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice;
use crate::sandbox::behaviour::document::new;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{InvoicePart, PlannedPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of a grant.
pub const KIND: &str = "billing.credit_grant";

/// The kind of what changes how much is left of one.
pub const TRANSACTION: &str = "billing.credit_balance_transaction";

/// The job at the end of a grant.
pub const LAPSE_JOB: &str = "credit_grant.lapse";

/// The priority of a grant that names none.
const PRIORITY: i64 = 50;

/// The currency of a grant.
pub fn currency(grant: &Value) -> &str {
    monetary(grant).map_or("", |it| text(it, "currency"))
}

fn monetary(of: &Value) -> Option<&Value> {
    of.get("amount")?.get("monetary")
}

/// The signed amount of a transaction.
fn signed(transaction: &Value) -> i64 {
    let of = |name: &str| transaction.get(name).and_then(monetary).map_or(0, |it| int(it, "value"));
    of("credit") - of("debit")
}

/// The transactions of a grant, newest first.
pub fn transactions(txn: &Txn<'_>, grant: &str) -> Vec<Arc<Object>> {
    txn.having(TRANSACTION, "credit_grant", grant)
}

/// What is left of a grant.
pub fn left(txn: &Txn<'_>, grant: &str) -> i64 {
    transactions(txn, grant).iter().map(|it| signed(it)).sum()
}

/// Whether a grant can be used now.
pub fn is_running(txn: &Txn<'_>, grant: &Value) -> bool {
    let (now, at) = (txn.now().0, |name: &str| grant.get(name).and_then(Value::as_i64));
    at("voided_at").is_none()
        && at("effective_at").is_none_or(|start| start <= now)
        && at("expires_at").is_none_or(|end| end > now)
}

/// Writes down what changes a grant, and tells of it; its id.
fn put(
    txn: &mut Txn<'_>,
    grant: &Value,
    amount: i64,
    (side, kind): (&str, &str),
    line: Option<(&str, &str)>,
) -> String {
    let id = txn.new_id("cbtxn_1", 23);
    let mut what = json!({
        "amount": {
            "monetary": {"currency": currency(grant), "value": amount}, "type": "monetary",
        },
        "type": kind,
    });
    let applied =
        line.map(|(invoice, line)| json!({"invoice": invoice, "invoice_line_item": line}));
    let own =
        if side == "debit" { "credits_applied" } else { "credits_application_invoice_voided" };
    if let Some(what) = what.as_object_mut() {
        what.insert(own.to_owned(), json!(applied));
    }
    let now = txn.now().0;
    let starts = grant.get("effective_at").and_then(Value::as_i64).unwrap_or(now);
    let mut doc = new(
        TRANSACTION,
        json!({
            "id": id, "created": now, "credit_grant": text(grant, "id"),
            "effective_at": starts.max(now), "livemode": false,
            "test_clock": grant.get("test_clock"), "type": side,
        }),
    );
    doc.insert(side.to_owned(), what);
    let made = txn.put(doc);
    txn.emit("billing.credit_balance_transaction.created", &made);
    id
}

/// Begins a grant: what it grants is written down, and its end planned.
pub fn begin(txn: &mut Txn<'_>, id: &str) {
    let Some(grant) = txn.get(KIND, id) else { return };
    let amount = monetary(&grant).map_or(0, |it| int(it, "value"));
    put(txn, &grant, amount, ("credit", "credits_granted"), None);
    plan_end(txn, id);
}

/// Plans the end of a grant, or that it has none.
pub fn plan_end(txn: &mut Txn<'_>, id: &str) {
    let Some(grant) = txn.get(KIND, id) else { return };
    for job in &grant.part::<PlannedPart>().jobs {
        txn.unschedule(job);
    }
    let end = grant.get("expires_at").and_then(Value::as_i64).map(Timestamp);
    let now = txn.now();
    let job = end.map(|end| txn.schedule(end.max(now), LAPSE_JOB, &json!({"grant": id})));
    txn.edit_part(KIND, id, |part: &mut PlannedPart| part.jobs = job.into_iter().collect());
}

/// The job behind [`LAPSE_JOB`].
pub fn on_lapse(txn: &mut Txn<'_>, args: &Value) {
    let Some(grant) = txn.get(KIND, text(args, "grant")) else { return };
    if grant.get("voided_at").is_none_or(Value::is_null) {
        take_rest(txn, &grant, "credits_expired");
    }
}

fn take_rest(txn: &mut Txn<'_>, grant: &Value, kind: &str) {
    let rest = left(txn, text(grant, "id"));
    if rest > 0 {
        put(txn, grant, rest, ("debit", kind), None);
    }
}

/// Ends a grant now: it expires, or is void.
///
/// Fails for one that is over already. Believed: the sentences.
pub fn end(txn: &mut Txn<'_>, grant: &Arc<Object>, voids: bool) -> Result<Arc<Object>, Failure> {
    let id = text(grant, "id").to_owned();
    let now = txn.now().0;
    let is_over = grant.get("expires_at").and_then(Value::as_i64).is_some_and(|end| end <= now);
    if !grant.get("voided_at").is_none_or(Value::is_null) || is_over {
        let word = if voids { "voided" } else { "expired" };
        let text = format!("This credit grant cannot be {word} because it is already over.");
        return Err(Failure::invalid(text));
    }
    if voids && transactions(txn, &id).len() > 1 {
        let text = "This credit grant cannot be voided because it has been applied to an invoice.";
        return Err(Failure::invalid(text));
    }
    take_rest(txn, grant, if voids { "credits_voided" } else { "credits_expired" });
    let changed = txn.edit(KIND, &id, |doc| {
        let name = if voids { "voided_at" } else { "expires_at" };
        doc.insert(name.to_owned(), json!(now));
        doc.insert("updated".to_owned(), json!(now));
    });
    for job in &grant.part::<PlannedPart>().jobs {
        txn.unschedule(job);
    }
    let Some((before, after)) = changed else { return Ok(Arc::clone(grant)) };
    txn.emit_change("billing.credit_grant.updated", &before, &after);
    Ok(after)
}

/// The grants of a customer that can be used now, in the order in which they are: by priority, the one that ends
/// first, promotional ones before paid ones, then by age.
fn usable(txn: &Txn<'_>, customer: &str, currency_of: &str) -> Vec<Arc<Object>> {
    let mut all = txn.having(KIND, "customer", customer);
    all.retain(|grant| currency(grant) == currency_of && is_running(txn, grant));
    all.sort_by_key(|grant| {
        let at = |name: &str| grant.get(name).and_then(Value::as_i64);
        (
            at("priority").unwrap_or(PRIORITY),
            at("expires_at").unwrap_or(i64::MAX),
            text(grant, "category") == "paid",
            at("effective_at").unwrap_or(0),
            int(grant, "created"),
        )
    });
    all
}

/// Whether a grant pays for a price.
pub fn covers(grant: &Value, price: &Value) -> bool {
    let scope = grant.get("applicability_config").and_then(|it| it.get("scope"));
    let named = scope.and_then(|it| it.get("prices")?.as_array()).filter(|all| !all.is_empty());
    let is_metered = price.get("recurring").is_some_and(|it| text(it, "usage_type") == "metered");
    named.map_or(is_metered, |all| all.iter().any(|it| text(it, "id") == text(price, "id")))
}

/// Takes what credits there are for the metered lines of a draft that gets its number.
pub fn apply(txn: &mut Txn<'_>, draft: &Arc<Object>) -> Arc<Object> {
    let (id, customer) = (text(draft, "id").to_owned(), text(draft, "customer").to_owned());
    let grants = usable(txn, &customer, text(draft, "currency"));
    if grants.is_empty() {
        return Arc::clone(draft);
    }
    let mut taken = Vec::new();
    for (at, line) in draft.part::<InvoicePart>().lines.iter().enumerate() {
        let details = line.doc.get("pricing").and_then(|it| it.get("price_details"));
        let price = details.and_then(|it| txn.get("price", text(it, "price")));
        let Some(price) = price else { continue };
        let off = line.doc.get("discount_amounts").and_then(Value::as_array);
        let off: i64 = off.into_iter().flatten().map(|it| int(it, "amount")).sum();
        let mut net = int(&line.doc, "subtotal") - off;
        for grant in grants.iter().filter(|grant| covers(grant, &price)) {
            let amount = left(txn, text(grant, "id")).min(net);
            if amount > 0 {
                let of = Some((id.as_str(), text(&line.doc, "id")));
                let made = put(txn, grant, amount, ("debit", "credits_applied"), of);
                taken.push((at, made, amount));
                net -= amount;
            }
        }
    }
    if taken.is_empty() {
        return Arc::clone(draft);
    }
    let changed = invoice::edit(txn, &id, |_, part| {
        for (at, made, amount) in taken {
            if let Some(line) = part.lines.get_mut(at) {
                line.credits.push((made, amount));
            }
        }
    });
    changed.map_or_else(|| Arc::clone(draft), |(_, after)| after)
}

/// Gives back what an invoice had taken that is void now.
pub fn give_back(txn: &mut Txn<'_>, invoice: &Object) {
    let part = invoice.part::<InvoicePart>().into_owned();
    for line in &part.lines {
        for (taken, amount) in &line.credits {
            let grant = txn.get(TRANSACTION, taken);
            let grant = grant.and_then(|it| txn.get(KIND, text(&it, "credit_grant")));
            if let Some(grant) = grant {
                let of = Some((text(invoice, "id"), text(&line.doc, "id")));
                let how = ("credit", "credits_application_invoice_voided");
                put(txn, &grant, *amount, how, of);
            }
        }
    }
}
