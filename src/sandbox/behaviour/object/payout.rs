//! Payouts, as the API makes and shows them.

use crate::domain::money::Money;
use crate::sandbox::behaviour::document::{Handler, copy, int, merge_metadata, text};
use crate::sandbox::behaviour::payout::bank;
use crate::sandbox::behaviour::payout::machine::Step;
use crate::sandbox::behaviour::payout::send::{self, Terms};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::step;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::json;

/// The behaviour of `/v1/payouts`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payouts" => create,
        "GET /v1/payouts/{payout}" => retrieve,
        "POST /v1/payouts/{payout}" => update,
        "POST /v1/payouts/{payout}/cancel" => cancel,
        "POST /v1/payouts/{payout}/reverse" => reverse,
        "GET /v1/payouts" => list_all,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled("", &["payout_method"])?;
    let amount = call.int("amount").unwrap_or(0);
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    let currency = step::known_currency(call.text("currency").unwrap_or_default())?;
    let bank = bank::destination(txn, currency.code(), call.text("destination"))?;
    let mut said = Doc::new();
    copy(&mut said, call, &["description", "source_type", "statement_descriptor"]);
    merge_metadata(&mut said, &call.params);
    let terms = Terms {
        amount: Money::new(amount, currency),
        bank,
        automatic: false,
        instant: call.text("method") == Some("instant"),
        said,
    };
    send::check(txn, &terms)?;
    Ok(send::make(txn, terms).into())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("payout", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("payout", call.id(0), "id")?;
    let changed = txn.edit("payout", call.id(0), |doc| merge_metadata(doc, &call.params));
    let Some((before, after)) = changed else {
        return Err(Failure::missing("payout", call.id(0), "id"));
    };
    txn.emit_change("payout.updated", &before, &after);
    Ok(after.into())
}

/// Believed, not proven: the words of this refusal and of the next.
fn cancel(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("payout", call.id(0), "id")?;
    let is_automatic = found.get("automatic") == Some(&json!(true));
    let ended = if is_automatic { None } else { send::go(txn, call.id(0), Step::Cancel) };
    ended.map(Body::from).ok_or_else(|| {
        let text = "Payouts can only be canceled while they are pending, and automatic payouts cannot be canceled.";
        Failure::invalid(text)
    })
}

fn reverse(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("payout", call.id(0), "id")?;
    let bank = txn.get("bank_account", text(&found, "destination"));
    let country = bank.as_deref().map_or("", |bank| text(bank, "country"));
    let refusal = match text(&found, "status") {
        _ if !text(&found, "reversed_by").is_empty() || int(&found, "amount") < 0 => {
            "This payout has already been reversed, or is a reversal itself."
        }
        "paid" if matches!(country, "US" | "CA") => "",
        "paid" => "Only payouts to bank accounts in the United States and Canada can be reversed.",
        _ => "Only payouts that have been paid can be reversed.",
    };
    if !refusal.is_empty() {
        return Err(Failure::invalid(refusal));
    }
    let mut said = Doc::new();
    merge_metadata(&mut said, &call.params);
    let metadata = said.remove("metadata").unwrap_or_default();
    let made = send::reverse(txn, &found, &metadata);
    made.map(Body::from).ok_or_else(|| Failure::missing("payout", call.id(0), "id"))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["destination", "status"]);
    filters.extend(list::within(call, "arrival_date"));
    list::page(txn, call, "payout", &filters)
}
