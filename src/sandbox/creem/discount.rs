//! Discounts: codes that take something off, once, for some months or for ever.

use crate::domain::time::Timestamp;
use crate::sandbox::creem::check::{Field, Kind, may, need};
use crate::sandbox::creem::document::{Asked, all, find, int, missing, new, page, refuse, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of discounts.
pub const KIND: &str = "discount";

/// What a discount is made with.
pub const CREATE: &[Field] = &[
    need("name", Kind::Text),
    may("code", Kind::Text),
    need("type", Kind::OneOf(&["percentage", "fixed"])),
    may("amount", Kind::Int(1, 99_999_999)),
    may("currency", Kind::OneOf(&["EUR", "USD"])),
    may("percentage", Kind::Number),
    may("expiry_date", Kind::Date),
    may("max_redemptions", Kind::Int(1, i64::MAX)),
    need("duration", Kind::OneOf(&["forever", "once", "repeating"])),
    may("duration_in_months", Kind::Int(1, 1_200)),
    need("applies_to_products", Kind::Texts),
];

/// How one is asked for.
pub const GET: &[Field] = &[may("discount_id", Kind::Text), may("discount_code", Kind::Text)];

/// `POST /v1/discounts`.
pub fn create(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    ensure_sound(txn, asked)?;
    let code = asked.text("code").map_or_else(|| txn.new_id("", 10).to_uppercase(), str::to_owned);
    if by_code(txn, &code).is_some() {
        return Err(refuse(400, "Discount code already exists"));
    }
    let mut members = asked.params.clone();
    members.insert("code".to_owned(), json!(code));
    members.insert("status".to_owned(), json!("active"));
    members.insert("redeem_count".to_owned(), json!(0));
    let doc = new(txn, (KIND, "dis_"), Value::Object(members));
    let made = txn.put(doc);
    Ok(show(txn, &made))
}

fn ensure_sound(txn: &Txn<'_>, asked: &Asked) -> Result<(), Failure> {
    let has = |name: &str| asked.params.contains_key(name);
    let products = asked.params.get("applies_to_products").and_then(Value::as_array);
    let products: Vec<&str> = products.into_iter().flatten().filter_map(Value::as_str).collect();
    let is_fixed = asked.text("type") == Some("fixed");
    let said = if is_fixed && !(has("amount") && has("currency")) {
        "amount and currency are required when type is fixed"
    } else if !is_fixed && basis_points(asked.params.get("percentage")).is_none() {
        "percentage is required when type is percentage, and is at most 100"
    } else if asked.text("duration") == Some("repeating") && !has("duration_in_months") {
        "duration_in_months is required when duration is repeating"
    } else if products.is_empty() {
        "applies_to_products should not be empty"
    } else {
        for id in products {
            find(txn, super::product::KIND, id)?;
        }
        return Ok(());
    };
    Err(refuse(400, said))
}

/// `GET /v1/discounts`, by `discount_id` or `discount_code`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = match (asked.text("discount_id"), asked.text("discount_code")) {
        (Some(id), _) => txn.get(KIND, id),
        (None, Some(code)) => by_code(txn, code),
        (None, None) => return Err(refuse(400, "discount_id or discount_code is required")),
    };
    found.map(|it| show(txn, &it)).ok_or_else(|| missing(KIND))
}

/// `GET /v1/discounts/search`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn search(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let wanted = |it: &Object| {
        let made = Timestamp::read(text(it, "created_at"));
        let bound = |name: &str| asked.text(name).and_then(Timestamp::read);
        asked.text("product_id").is_none_or(|product| applies_to(it, product))
            && asked.text("status").is_none_or(|status| status_at(it, txn.now()) == status)
            && asked.text("type").is_none_or(|wanted| text(it, "type") == wanted)
            && bound("created_after").is_none_or(|from| made >= Some(from))
            && bound("created_before").is_none_or(|until| made <= Some(until))
    };
    Ok(page(asked, &all(txn, KIND, wanted), |it| show(txn, it)))
}

/// `DELETE /v1/discounts/{id}/delete`.
pub fn delete(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let deleted = txn.edit(KIND, asked.id(), |doc| {
        doc.insert("status".to_owned(), json!("deleted"));
    });
    deleted.map(|(_, after)| show(txn, &after)).ok_or_else(|| missing(KIND))
}

fn show(txn: &Txn<'_>, discount: &Value) -> Value {
    let mut shown = discount.clone();
    if let Value::Object(doc) = &mut shown {
        doc.insert("status".to_owned(), json!(status_at(discount, txn.now())));
    }
    shown
}

/// What a discount is at an instant: one that was redeemed often enough is over, too.
fn status_at(discount: &Value, now: Timestamp) -> &str {
    let most = discount.get("max_redemptions").and_then(Value::as_i64);
    let until = Timestamp::read(text(discount, "expiry_date"));
    let is_over = until.is_some_and(|until| until <= now)
        || most.is_some_and(|most| int(discount, "redeem_count") >= most);
    match text(discount, "status") {
        "active" if is_over => "expired",
        other => other,
    }
}

/// The discount of a code, where it was not deleted.
fn by_code(view: &View, code: &str) -> Option<Arc<Object>> {
    let is_it = |it: &Arc<Object>| {
        text(it, "code").eq_ignore_ascii_case(code) && text(it, "status") != "deleted"
    };
    view.newest(KIND).find(is_it)
}

fn applies_to(discount: &Value, product: &str) -> bool {
    let products = discount.get("applies_to_products").and_then(Value::as_array);
    products.into_iter().flatten().any(|it| it == product)
}

/// The discount of a code that can be taken off a product now.
pub fn redeemable(txn: &Txn<'_>, code: &str, product: &Value) -> Result<Arc<Object>, Failure> {
    let found = by_code(txn, code.trim()).filter(|it| status_at(it, txn.now()) == "active");
    let found = found.ok_or_else(|| refuse(400, "Discount code is invalid or expired"))?;
    let fits = applies_to(&found, text(product, "id"))
        && found.get("currency").is_none_or(|currency| Some(currency) == product.get("currency"));
    if fits { Ok(found) } else { Err(refuse(400, "Discount does not apply to this product")) }
}

/// Counts one redemption.
pub fn redeem(txn: &mut Txn<'_>, id: &str) {
    txn.edit(KIND, id, |doc| {
        let count = doc.get("redeem_count").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("redeem_count".to_owned(), json!(count + 1));
    });
}

/// What a discount takes off an amount.
pub fn taken_off(discount: &Value, amount: i64) -> i64 {
    let off = match basis_points(discount.get("percentage")) {
        Some(points) => {
            let off = i128::from(amount) * i128::from(points) + 5_000;
            i64::try_from(off / 10_000).unwrap_or(amount)
        }
        None => int(discount, "amount"),
    };
    off.clamp(0, amount.max(0))
}

/// Whether a discount still holds for what was begun at one instant and is paid at another.
pub fn holds(discount: &Value, began: Timestamp, at: Timestamp) -> bool {
    match text(discount, "duration") {
        "forever" => true,
        "repeating" => at < began.plus_months(int(discount, "duration_in_months")),
        _ => at <= began,
    }
}

/// As checkouts and subscriptions show the discount that they have.
pub fn shown_within(discount: &Value) -> Value {
    let amount = discount.get("percentage").or_else(|| discount.get("amount"));
    let mut shown = json!({
        "id": text(discount, "id"), "discountCode": text(discount, "code"), "name": text(discount, "name"),
        "type": text(discount, "type"), "amount": amount, "duration": text(discount, "duration"),
    });
    if let (Some(months), Value::Object(shown)) = (discount.get("duration_in_months"), &mut shown) {
        shown.insert("durationInMonths".to_owned(), months.clone());
    }
    shown
}

/// A percentage in hundredths of a percent; `None` for what is none.
fn basis_points(percentage: Option<&Value>) -> Option<i64> {
    let text = percentage.filter(|it| it.is_number())?.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part: String = part.chars().chain("00".chars()).take(2).collect();
    let points = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)?;
    (1..=10_000).contains(&points).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_percentage_is_taken_to_the_hundredth_and_rounded() {
        for (discount, amount, off) in [
            (json!({"percentage": 20}), 1_000, 200),
            (json!({"percentage": 12.5}), 999, 125),
            (json!({"percentage": 100}), 999, 999),
            (json!({"amount": 300}), 1_000, 300),
            (json!({"amount": 300}), 200, 200),
        ] {
            assert_eq!(taken_off(&discount, amount), off, "{discount}");
        }
        for bad in [json!(0), json!(101), json!("20"), json!(null)] {
            assert_eq!(basis_points(Some(&bad)), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_taken_off_that_is_not_there(points in 1_i64..=100, amount in 0_i64..=99_999_999) {
            let off = taken_off(&json!({"percentage": points}), amount);
            prop_assert!((0..=amount).contains(&off));
        }
    }

    #[test]
    fn a_discount_holds_for_as_long_as_it_says() {
        let began = Timestamp(1_800_000_000);
        let later = began.plus_months(2);
        let holds = |discount: Value, at| holds(&discount, began, at);
        assert!(holds(json!({"duration": "forever"}), later));
        assert!(
            holds(json!({"duration": "once"}), began) && !holds(json!({"duration": "once"}), later)
        );
        let months = |count: i64| json!({"duration": "repeating", "duration_in_months": count});
        assert!(holds(months(3), later) && !holds(months(2), later));
    }
}
