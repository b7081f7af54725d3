//! Card entry: what a person or a token says about a card, checked as Stripe checks it.
//!
//! `stored` is a card as its payment method keeps it, `decline` why its bank refuses it.

pub mod decline;
pub mod stored;

use crate::domain::card::{self, Behaviour, Card};
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::member;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::OnceLock;

const RAW_NUMBER: &str = "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that map to the test card you are using, see https://stripe.com/docs/testing. To enable testing raw card data APIs, see https://support.stripe.com/questions/enabling-access-to-raw-card-data-apis.";

/// A card as it is typed in.
#[derive(Clone, Debug, Default)]
pub struct CardEntry {
    /// The digits; blanks between them are ignored.
    pub number: String,
    /// 1 to 12.
    pub exp_month: i64,
    /// Two or four digits.
    pub exp_year: i64,
    /// The security code, where it was asked for.
    pub cvc: Option<String>,
    /// Whom the card belongs to.
    pub billing: Billing,
}

/// `billing_details` of a payment method.
#[derive(Clone, Debug, Default)]
pub struct Billing {
    /// E-mail address; it decides what a konbini payment does.
    pub email: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// `address`, with any of its six members.
    pub address: Option<Value>,
}

impl Billing {
    /// Reads the `billing_details` parameter.
    pub fn read(value: Option<&Value>) -> Self {
        let text =
            |name| value.and_then(|v| v.get(name)).and_then(Value::as_str).map(str::to_owned);
        Self {
            email: text("email"),
            name: text("name"),
            phone: text("phone"),
            address: value.and_then(|v| v.get("address")).filter(|a| a.is_object()).cloned(),
        }
    }

    /// The hash that payment methods and charges show.
    pub fn shown(&self) -> Value {
        json!({
            "address": address(self.address.as_ref()),
            "email": self.email,
            "name": self.name,
            "phone": self.phone,
            "tax_id": null,
        })
    }
}

/// An address with all six members; those that were not sent are null.
pub fn address(sent: Option<&Value>) -> Value {
    json!({
        "city": member(sent, "city"), "country": member(sent, "country"), "line1": member(sent, "line1"),
        "line2": member(sent, "line2"), "postal_code": member(sent, "postal_code"), "state": member(sent, "state"),
    })
}

/// The test card of an entry whose digits, date and security code hold.
///
/// Fails with the `card_error` that Stripe gives for the field at fault, and refuses real cards.
pub fn check(entry: &CardEntry, now: Timestamp) -> Result<&'static Card, Failure> {
    let digits: String =
        entry.number.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
    if digits.len() < 12 || digits.len() > 19 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused(
            "invalid_number",
            "number",
            "The card number is not a valid credit card number.",
        ));
    }
    if !card::passes_luhn(&digits) {
        return Err(refused("incorrect_number", "number", "Your card number is incorrect."));
    }
    check_expiry(entry, now)?;
    let known = card::by_number(&digits).filter(|card| card.behaviour != Behaviour::BadNumber);
    let Some(card) = known else {
        let text = "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.";
        return Err(
            refused("card_declined", "number", text).with("decline_code", "test_mode_live_card")
        );
    };
    if let Some(cvc) = &entry.cvc {
        let fits = cvc.len() == 3 || (cvc.len() == 4 && card.brand == "amex");
        if !fits || !cvc.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused("invalid_cvc", "cvc", "Your card's security code is invalid."));
        }
    }
    Ok(card)
}

/// Fails where a card's number comes from a server: a page takes it where its owner types it, and the settings may
/// allow it (`raw_cards`).
pub fn ensure_may_type(txn: &Txn<'_>, param: &str) -> Result<(), Failure> {
    if txn.origin().browser || Settings::of(txn).get("raw_cards") == "on" {
        return Ok(());
    }
    Err(Failure::invalid(RAW_NUMBER).param(param))
}

/// A card as the parameters of a page have it.
pub fn typed(details: &Value, billing: Billing) -> CardEntry {
    let text = |name: &str| details.get(name).and_then(Value::as_str);
    // Tokens have texts where payment methods have numbers.
    let number = |name: &str| {
        let sent = details.get(name);
        let read = sent.and_then(|it| it.as_i64().or_else(|| it.as_str()?.trim().parse().ok()));
        read.unwrap_or(0)
    };
    CardEntry {
        number: text("number").unwrap_or_default().chars().filter(|c| *c != ' ').collect(),
        exp_month: number("exp_month"),
        exp_year: number("exp_year"),
        cvc: text("cvc").map(str::to_owned),
        billing,
    }
}

/// Fails for a ready-made token that Stripe has and the sandbox does not act out.
pub fn refuse_unmodelled(token: &str) -> Result<(), Failure> {
    if card::is_unmodelled(token) {
        let message = format!("`{token}` is not modelled by this sandbox yet.");
        return Err(Failure::of(501, FailureKind::Api, message));
    }
    Ok(())
}

/// The four-digit year that an entry means.
pub const fn full_year(year: i64) -> i64 {
    if year >= 0 && year < 100 { year + 2000 } else { year }
}

fn check_expiry(entry: &CardEntry, now: Timestamp) -> Result<(), Failure> {
    let month_wrong =
        || refused("invalid_expiry_month", "exp_month", "Your card's expiration month is invalid.");
    if !(1..=12).contains(&entry.exp_month) {
        return Err(month_wrong());
    }
    let today = now.rfc3339();
    let part = |range| today.get(range).and_then(|t: &str| t.parse::<i64>().ok()).unwrap_or(0);
    let (this_year, this_month) = (part(0..4), part(5..7));
    let year = full_year(entry.exp_year);
    if year < this_year || year > this_year + 50 {
        let text = "Your card's expiration year is invalid.";
        return Err(refused("invalid_expiry_year", "exp_year", text));
    }
    if year == this_year && entry.exp_month < this_month {
        return Err(month_wrong());
    }
    Ok(())
}

fn refused(code: &str, param: &str, message: &str) -> Failure {
    Failure::of(402, FailureKind::Card, message).code(code).param(param)
}

/// The test card that has this fingerprint.
pub fn by_fingerprint(sought: &str) -> Option<&'static Card> {
    static KNOWN: OnceLock<HashMap<String, &'static Card>> = OnceLock::new();
    let known = KNOWN
        .get_or_init(|| card::ALL.iter().map(|card| (fingerprint(card.number), card)).collect());
    known.get(sought).copied()
}

/// The fingerprint of a number: the same card gives the same sixteen characters.
pub fn fingerprint(number: &str) -> String {
    let mut hash = number
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    crate::domain::id::new_id("", 16, || {
        hash ^= hash << 13;
        hash ^= hash >> 7;
        hash ^= hash << 17;
        hash
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_000_000);

    fn entry(number: &str, month: i64, year: i64, cvc: &str) -> CardEntry {
        CardEntry {
            number: number.to_owned(),
            exp_month: month,
            exp_year: year,
            cvc: Some(cvc.to_owned()),
            billing: Billing::default(),
        }
    }

    fn code(entry: &CardEntry) -> (String, String) {
        let failure = check(entry, NOW).unwrap_err();
        assert_eq!(failure.status, 402);
        (failure.code.unwrap(), failure.param.unwrap())
    }

    #[test]
    fn each_field_at_fault_has_its_own_code() {
        let visa = "4242 4242 4242 4242";
        assert!(check(&entry(visa, 12, 34, "123"), NOW).is_ok());
        let cases = [
            (entry("4242424242424241", 12, 34, "123"), "incorrect_number", "number"),
            (entry("42", 12, 34, "123"), "invalid_number", "number"),
            (entry(visa, 13, 34, "123"), "invalid_expiry_month", "exp_month"),
            (entry(visa, 12, 95, "123"), "invalid_expiry_year", "exp_year"),
            (entry(visa, 12, 2020, "123"), "invalid_expiry_year", "exp_year"),
            (entry(visa, 12, 34, "99"), "invalid_cvc", "cvc"),
            (entry("4111111111111111", 12, 34, "123"), "card_declined", "number"),
        ];
        for (entry, code_wanted, param) in cases {
            assert_eq!(code(&entry), (code_wanted.to_owned(), param.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_checked_without_a_panic(number in ".{0,24}", month in any::<i64>(), year in any::<i64>(), cvc in ".{0,6}") {
            prop_assert!(check(&entry(&number, month, year, &cvc), NOW).is_err() || month <= 12);
        }
    }
}
