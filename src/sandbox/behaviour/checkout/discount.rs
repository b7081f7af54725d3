//! The discount of a session: named by the merchant, or by a code that the buyer types.

use crate::sandbox::behaviour::checkout::sums::word;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::offer::{self, Offer, Purchase};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Gives a session that is being made the discount that `discounts` names.
///
/// Fails for more than one, and for what this purchase may not have.
pub fn from_call(
    txn: &mut Txn<'_>,
    call: &Call,
    doc: &mut Doc,
    part: &mut SessionPart,
    subtotal: i64,
) -> Result<(), Failure> {
    let sent = call.list("discounts");
    if sent.len() > 1 {
        // Believed: the text is in no recording.
        let text = "You can only pass one discount to a Checkout Session.";
        return Err(Failure::invalid(text).param("discounts"));
    }
    let Some(sent) = sent.first() else { return Ok(()) };
    let (offer, param) = Offer::named(txn, sent, "discounts[0]")?;
    let currency = word(doc, "currency").to_owned();
    let purchase = Purchase { customer: call.text("customer"), currency: &currency, subtotal };
    offer.ensure_usable(txn, &purchase, &param)?;
    apply(txn, &offer, doc, part);
    Ok(())
}

/// Gives a session the discount of an offer, in place of another.
pub fn apply(txn: &mut Txn<'_>, offer: &Offer, doc: &mut Doc, part: &mut SessionPart) {
    take(txn, doc, part);
    let customer = doc.get("customer").and_then(Value::as_str).map(str::to_owned);
    let of = ("checkout_session", word(doc, "id"));
    let given = offer.give(txn, of, customer.as_deref());
    let snapshot = offer::snapshot(txn, &offer.coupon);
    part.discount = Some((text(&given, "id").to_owned(), snapshot));
    // Believed: with a promotion code, the coupon behind it is not named.
    let shown = match &offer.code {
        Some(code) => json!({"coupon": null, "promotion_code": text(code, "id")}),
        None => json!({"coupon": text(&offer.coupon, "id"), "promotion_code": null}),
    };
    doc.insert("discounts".to_owned(), json!([shown]));
}

/// Takes a session's discount away.
pub fn take(txn: &mut Txn<'_>, doc: &mut Doc, part: &mut SessionPart) {
    if let Some((id, _)) = part.discount.take() {
        txn.remove("discount", &id);
    }
    doc.insert("discounts".to_owned(), json!([]));
}
