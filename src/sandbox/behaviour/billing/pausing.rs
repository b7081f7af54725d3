//! Going on with a subscription that was paused at the end of its trial.

use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::renew::{EXPIRES_AFTER, interval_of};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{items, lifecycle, on_clock_of};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::LinePart;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::json;
use std::sync::Arc;

/// Asks for the payment with which a paused subscription goes on; where its method works, it does so at once.
///
/// Fails for one that is not paused.
pub fn resume(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let status = text(&known, "status");
    if lifecycle::is_over(status) {
        return Err(Failure { status: 404, ..missing(KIND, id, "id") });
    }
    if status != "paused" {
        let text = "You can only resume a subscription if it is `paused`.";
        return Err(Failure::invalid(text));
    }
    call.ensure_modelled(" of resuming", &["billing_cycle_anchor", "proration_date"])?;
    on_clock_of(txn, text(&known, "customer"), |txn| ask(txn, &known))
}

fn ask(txn: &mut Txn<'_>, known: &Arc<Object>) -> Result<Arc<Object>, Failure> {
    let (id, now) = (text(known, "id").to_owned(), txn.now());
    let customer = txn.find("customer", text(known, "customer"), "customer")?;
    let currency = text(known, "currency").to_owned();
    let mut lines: Vec<LinePart> =
        invoice::pending(txn, text(&customer, "id"), &currency, Some(&id));
    for item in subscription::items(known) {
        let Some(interval) = interval_of(item) else { continue };
        let cost = items::cost(txn, item, &currency);
        let how = (interval.around(now, now), cost, How::Whole);
        lines.push(line::regular(txn, known, item, how));
    }
    let made = invoice::draft(
        txn,
        Draft {
            id: None,
            customer: &customer,
            subscription: Some(known),
            reason: "subscription_cycle",
            period: Period::at(now),
            currency: &currency,
            lines,
            more: Doc::new(),
        },
    );
    let invoice = text(&made, "id").to_owned();
    let changed = subscription::edit(txn, &id, |doc, _| {
        doc.insert("latest_invoice".to_owned(), json!(invoice));
        doc.insert(
            "pending_update".to_owned(),
            json!({
                "billing_cycle_anchor": null, "cancel_at_period_end": null, "discount": null,
                "discounts": null, "expires_at": now.0 + EXPIRES_AFTER, "metadata": null,
                "subscription_items": null, "trial_end": null, "trial_from_plan": null,
            }),
        );
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
    let finalized = invoice::finalize(txn, &invoice)?;
    if text(&finalized, "status") == "paid" {
        money::follow_paid(txn, &finalized);
    } else if money::method(txn, &finalized).is_some()
        && let Err(failure) = money::attempt(txn, &invoice, &Try::default())
        && !failure.keeps_changes
    {
        return Err(failure);
    }
    txn.find(KIND, &id, "id")
}
