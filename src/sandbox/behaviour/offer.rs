//! Giving a discount: whether a coupon or a promotion code may be used for a purchase, the discount that it gives,
//! and what is counted when it is used.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::total::discount::{Discount, Off};
use crate::sandbox::behaviour::total::percent::Percent;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CouponPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The job that ends a coupon or a promotion code at its time.
pub const LAPSE_JOB: &str = "offer.lapse";

/// A coupon, and the promotion code by which it was named.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The coupon.
    pub coupon: Arc<Object>,
    /// The code.
    pub code: Option<Arc<Object>>,
}

/// What is bought, as far as an offer cares.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'p> {
    /// Who buys, where that is known.
    pub customer: Option<&'p str>,
    /// The currency's code.
    pub currency: &'p str,
    /// What it costs before any discount.
    pub subtotal: i64,
}

impl Offer {
    /// The offer that a parameter `{coupon}` or `{promotion_code}` at a path names.
    ///
    /// Fails for none, for both, and for what is not there.
    pub fn named(txn: &Txn<'_>, sent: &Value, at: &str) -> Result<(Self, String), Failure> {
        let find = |kind: &str, noun: &str| {
            let id = sent.get(noun).and_then(Value::as_str)?;
            let param = if at.is_empty() { noun.to_owned() } else { format!("{at}[{noun}]") };
            Some(txn.find(kind, id, &param).map(|found| (found, param)))
        };
        match (find("coupon", "coupon"), find("promotion_code", "promotion_code")) {
            (Some(_), Some(_)) => {
                let text = "You may only specify one of these parameters: coupon, promotion_code.";
                Err(Failure::invalid(text).param(at))
            }
            (Some(coupon), None) => {
                coupon.map(|(coupon, param)| (Self { coupon, code: None }, param))
            }
            (None, Some(code)) => {
                let (code, param) = code?;
                let coupon = Self::coupon_of(txn, &code, &param)?;
                Ok((Self { coupon, code: Some(code) }, param))
            }
            (None, None) => {
                let param = format!("{at}[coupon]");
                let text = format!("Missing required param: {param}.");
                Err(Failure::invalid(text).code("parameter_missing").param(param))
            }
        }
    }

    /// The offer behind a code that somebody typed.
    pub fn typed(txn: &Txn<'_>, code: &str) -> Option<Self> {
        let code = with_code(txn, code)?;
        let coupon = Self::coupon_of(txn, &code, "code").ok()?;
        Some(Self { coupon, code: Some(code) })
    }

    fn coupon_of(txn: &Txn<'_>, code: &Value, param: &str) -> Result<Arc<Object>, Failure> {
        let id = code.get("promotion").map(|it| text(it, "coupon")).unwrap_or_default();
        txn.find("coupon", id, param)
    }

    /// Refuses an offer that this purchase may not have. The texts about promotion codes are believed.
    pub fn ensure_usable(
        &self,
        txn: &Txn<'_>,
        purchase: &Purchase<'_>,
        param: &str,
    ) -> Result<(), Failure> {
        ensure_redeemable(txn, &self.coupon, param)?;
        let refuse = |text: &str| Err(Failure::invalid(text).param(param));
        if amount_in(&snapshot(txn, &self.coupon), purchase.currency).is_none() {
            let text = format!(
                "The coupon `{}` cannot be applied because it has no amount in `{}`.",
                text(&self.coupon, "id"),
                purchase.currency
            );
            return refuse(&text);
        }
        let Some(code) = &self.code else { return Ok(()) };
        if code["active"] != true || is_over(txn, code, "expires_at") || is_used_up(code) {
            return refuse("This promotion code is no longer active.");
        }
        let owner = text(code, "customer");
        if !owner.is_empty() && purchase.customer != Some(owner) {
            return refuse("This promotion code cannot be redeemed by this customer.");
        }
        let rules = code.get("restrictions").cloned().unwrap_or_default();
        if rules.get("first_time_transaction") == Some(&json!(true))
            && purchase.customer.is_some_and(|customer| has_paid(txn, customer))
        {
            return refuse(
                "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            );
        }
        match minimum(&rules, purchase.currency) {
            Some(least) if purchase.subtotal < least => refuse(
                "This promotion code cannot be redeemed because the minimum amount has not been met.",
            ),
            _ => Ok(()),
        }
    }

    /// Makes the discount that this gives. `of` is whose it is: a member of the discount, and an id.
    pub fn give(&self, txn: &mut Txn<'_>, of: (&str, &str), customer: Option<&str>) -> Arc<Object> {
        let now = txn.now();
        let end = (text(&self.coupon, "duration") == "repeating")
            .then(|| now.plus_months(int(&self.coupon, "duration_in_months")).0);
        let code = self.code.as_ref().map(|code| text(code, "id").to_owned());
        let mut doc = new(
            "discount",
            json!({
                "id": txn.new_id("di_1", 23), "customer": customer, "end": end,
                "promotion_code": code,
                "source": {"coupon": text(&self.coupon, "id"), "type": "coupon"}, "start": now.0,
            }),
        );
        doc.insert(of.0.to_owned(), json!(of.1));
        txn.put(doc)
    }
}

/// Amounts by currency: those that are named come in place of the old, the others stay.
pub fn merge_options(known: &mut Option<Value>, sent: &Map<String, Value>) {
    let mut all = known.take().and_then(|it| it.as_object().cloned()).unwrap_or_default();
    all.extend(sent.iter().map(|(currency, amount)| (currency.clone(), amount.clone())));
    *known = Some(Value::Object(all));
}

/// The active code that is the same whatever the case of its letters.
pub fn with_code(txn: &Txn<'_>, code: &str) -> Option<Arc<Object>> {
    let fits = |it: &Object| it["active"] == true && text(it, "code").eq_ignore_ascii_case(code);
    txn.newest("promotion_code").find(|it| fits(it))
}

/// Refuses a coupon that is used up or over. Status, code and parameter are believed.
pub fn ensure_redeemable(txn: &Txn<'_>, coupon: &Value, param: &str) -> Result<(), Failure> {
    let why = if is_used_up(coupon) {
        "used up"
    } else if is_over(txn, coupon, "redeem_by") {
        "expired"
    } else {
        return Ok(());
    };
    let text = format!("Coupon {} is {why} and cannot be applied.", text(coupon, "id"));
    Err(Failure::invalid(text).code("coupon_expired").param(param))
}

/// Refuses to make a promotion code active that could not be used. The texts are believed.
pub fn ensure_revivable(txn: &Txn<'_>, code: &Value) -> Result<(), Failure> {
    if is_over(txn, code, "expires_at") || is_used_up(code) {
        let text = "This promotion code is expired or used up and cannot be made active.";
        return Err(Failure::invalid(text).param("active"));
    }
    Offer::coupon_of(txn, code, "active").and_then(|it| ensure_redeemable(txn, &it, "active"))
}

/// Refuses a time that is over.
pub fn ensure_future(txn: &Txn<'_>, call: &Call, name: &str) -> Result<(), Failure> {
    match call.int(name) {
        Some(at) if at <= txn.now().0 => Err(Failure::invalid(format!(
            "The parameter `{name}` expects a unix timestamp representing a date and time in the future. You specified the value `{at}` which is in the past."
        ))
        .param(name)),
        _ => Ok(()),
    }
}

fn is_used_up(it: &Value) -> bool {
    let most = it.get("max_redemptions").and_then(Value::as_i64);
    most.is_some_and(|most| int(it, "times_redeemed") >= most)
}

fn is_over(txn: &Txn<'_>, it: &Value, name: &str) -> bool {
    it.get(name).and_then(Value::as_i64).is_some_and(|end| end <= txn.now().0)
}

/// Whether a customer has paid before.
fn has_paid(txn: &Txn<'_>, customer: &str) -> bool {
    txn.having("charge", "customer", customer).iter().any(|charge| charge["paid"] == true)
}

/// The least that a code asks for in a currency.
fn minimum(rules: &Value, currency: &str) -> Option<i64> {
    if text(rules, "minimum_amount_currency").eq_ignore_ascii_case(currency) {
        return rules.get("minimum_amount")?.as_i64();
    }
    rules.get("currency_options")?.get(currency)?.get("minimum_amount")?.as_i64()
}

/// A coupon as it is now, with what it shows only when it is expanded: discounts outlive their coupon.
pub fn snapshot(txn: &Txn<'_>, coupon: &Object) -> Value {
    let mut whole = coupon.document();
    let part = txn.record::<CouponPart>("coupon", text(coupon, "id"));
    if let (Some(part), Some(whole)) = (part, whole.as_object_mut()) {
        whole.insert("applies_to".to_owned(), json!(part.applies_to));
        whole.insert("currency_options".to_owned(), json!(part.currency_options));
    }
    whole
}

/// What a coupon takes off in a currency.
pub fn amount_in(coupon: &Value, currency: &str) -> Option<Off> {
    if let Some(percent) = coupon.get("percent_off").and_then(Percent::read) {
        return Some(Off::Percent(percent));
    }
    let own = text(coupon, "currency").eq_ignore_ascii_case(currency);
    let at = if own { coupon } else { coupon.get("currency_options")?.get(currency)? };
    at.get("amount_off")?.as_i64().map(Off::Amount)
}

/// A coupon over lines of these products.
pub fn over(coupon: &Value, currency: &str, products: &[&str]) -> Option<Discount> {
    let to = coupon.get("applies_to").and_then(|to| to.get("products")?.as_array());
    let is_for = |product: &&str| to.is_none_or(|to| to.iter().any(|it| it == product));
    let off = amount_in(coupon, currency)?;
    Some(Discount { off, on: products.iter().map(is_for).collect() })
}

/// Counts that a discount was used. What has none left is not active any more.
pub fn redeem(txn: &mut Txn<'_>, discount: &Value) {
    let source = discount.get("source").map(|it| text(it, "coupon")).unwrap_or_default();
    count(txn, "coupon", source);
    count(txn, "promotion_code", text(discount, "promotion_code"));
}

fn count(txn: &mut Txn<'_>, kind: &str, id: &str) {
    let changed = txn.edit(kind, id, |doc| {
        let times = doc.get("times_redeemed").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("times_redeemed".to_owned(), json!(times + 1));
    });
    if changed.is_some_and(|(_, after)| is_used_up(&after)) {
        end(txn, kind, id);
    }
}

/// Ends a coupon, and the codes that stand for it, or one code.
fn end(txn: &mut Txn<'_>, kind: &str, id: &str) {
    if kind == "promotion_code" {
        txn.edit(kind, id, |doc| drop(doc.insert("active".to_owned(), json!(false))));
        return;
    }
    txn.edit(kind, id, |doc| drop(doc.insert("valid".to_owned(), json!(false))));
    for code in txn.having("promotion_code", "promotion.coupon", id) {
        end(txn, "promotion_code", text(&code, "id"));
    }
}

/// Plans the end of a coupon or a code.
pub fn lapse_at(txn: &mut Txn<'_>, kind: &str, id: &str, at: i64) {
    txn.schedule(Timestamp(at), LAPSE_JOB, &json!({"kind": kind, "id": id}));
}

/// The job behind [`LAPSE_JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    end(txn, text(args, "kind"), text(args, "id"));
}
