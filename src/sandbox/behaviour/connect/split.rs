//! A payment whose money is somebody else's too: transferred on as it is paid, a fee taken of it, and both taken
//! back as it is refunded.

use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{Fee, available_with};
use crate::sandbox::behaviour::connect::fee::{self, Taken};
use crate::sandbox::behaviour::connect::part::Part;
use crate::sandbox::behaviour::connect::transfer::{self, Order};
use crate::sandbox::behaviour::connect::{
    APPLICATION_NAME, application, currency_of, own_id, reversal, scope_of,
};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Where the money of a charge goes on to.
fn destination(charge: &Value) -> Option<&Value> {
    charge.get("transfer_data").filter(|data| data.is_object())
}

/// What the platform takes of a charge, once so much of it was captured.
fn fee_of(charge: &Value, captured: i64) -> i64 {
    int(charge, "application_fee_amount").clamp(0, captured)
}

/// The fees of a charge in a connected account beside that of processing it.
pub fn fees(txn: &Txn<'_>, charge: &Value) -> Vec<Fee> {
    let amount = fee_of(charge, int(charge, "amount_captured"));
    if amount == 0 || txn.scope().account.is_empty() || destination(charge).is_some() {
        return Vec::new();
    }
    vec![Fee::application(amount, &application(txn), APPLICATION_NAME)]
}

/// Does with the money of a charge that was just booked what its terms say.
pub fn paid(txn: &mut Txn<'_>, charge_id: &str) {
    let Some(charge) = txn.get("charge", charge_id) else { return };
    let currency = currency_of(&charge);
    let captured = int(&charge, "amount_captured");
    let available_on = available_with(txn, &charge);
    let fee = fee_of(&charge, captured);
    let Some(data) = destination(&charge) else {
        let account = own_id(txn);
        if fee > 0 && !txn.scope().account.is_empty() {
            let amount = Money::new(fee, currency);
            let taken = Taken {
                account: &account,
                charge: charge_id,
                originating: None,
                amount,
                available_on,
            };
            let fee = fee::take(txn, &taken);
            set(txn, charge_id, "application_fee", json!(fee));
        }
        return;
    };
    let account = text(data, "destination").to_owned();
    let part = data.get("amount").and_then(Value::as_i64).unwrap_or(captured).min(captured);
    let order = Order {
        amount: Money::new(part, currency),
        destination: account.clone(),
        source_transaction: Some(charge_id.to_owned()),
        group: charge.get("transfer_group").cloned().unwrap_or_default(),
        description: None,
        metadata: Doc::new(),
        fee,
    };
    let made = transfer::make(txn, &order);
    set(txn, charge_id, "transfer", json!(text(&made, "id")));
    if fee > 0 {
        let payment = text(&made, "destination_payment").to_owned();
        let taken = Taken {
            account: &account,
            charge: &payment,
            originating: Some(charge_id),
            amount: Money::new(fee, currency),
            available_on,
        };
        let fee = fee::take(txn, &taken);
        set(txn, charge_id, "application_fee", json!(fee));
        let receiver = scope_of(txn, &account);
        txn.in_account(&receiver, |txn| set(txn, &payment, "application_fee", json!(fee)));
    }
}

fn set(txn: &mut Txn<'_>, charge: &str, name: &str, value: Value) {
    txn.edit("charge", charge, |doc| {
        doc.insert(name.to_owned(), value);
    });
}

/// What is to be taken back with a refund.
#[derive(Clone, Copy, Debug, Default)]
pub struct Back {
    /// `reverse_transfer`.
    pub transfer: bool,
    /// `refund_application_fee`.
    pub fee: bool,
}

/// Fails where a transfer is to be reversed and none was made. The words are believed.
pub fn ensure_back(txn: &Txn<'_>, charge: &Value, back: Back) -> Result<(), Failure> {
    if back.transfer && transfer::of_charge(txn, charge).is_none() {
        let text = format!(
            "Cannot reverse transfer on charge {} because it does not have an associated transfer.",
            text(charge, "id")
        );
        return Err(Failure::invalid(text).param("reverse_transfer"));
    }
    Ok(())
}

/// Takes back what belongs to a refund of `amount`, in proportion; the charge is as before it. Returns the
/// transfer's reversal. A fee that was never taken is none to refund, and no mistake.
pub fn refunded(
    txn: &mut Txn<'_>,
    charge: &Value,
    (refund, amount): (&str, i64),
    back: Back,
) -> Option<String> {
    let of = Part { whole: int(charge, "amount_captured"), taken: int(charge, "amount_refunded") };
    if back.fee {
        fee::refund_of(txn, text(charge, "application_fee"), of, amount);
    }
    let made = transfer::of_charge(txn, charge).filter(|_| back.transfer)?;
    let share = reversal::part_of(&made).share(of, amount);
    let done = (share > 0).then(|| reversal::make(txn, &made, share, Some(refund), &json!({})));
    done.map(|reversal| text(&reversal, "id").to_owned())
}
