//! What a payment costs the merchant, by currency and payment method.

use crate::domain::currency::Currency;
use crate::domain::money::Money;

/// One row: currency, rate in hundredths of a percent, fixed part in minor units.
struct Row(&'static str, i64, i64);

/// Card fees by currency; every other currency is charged at the Japanese account's rate.
const CARD: &[Row] = &[
    Row("aud", 170, 30),
    Row("cad", 290, 30),
    Row("eur", 150, 25),
    Row("gbp", 150, 20),
    Row("jpy", 360, 0),
    Row("usd", 290, 30),
];

const OTHERWISE: Row = Row("", 360, 0);

/// The smallest fee of a konbini payment, in yen.
const KONBINI_MINIMUM: i64 = 120;

/// The fee of a SEPA direct debit, in euro cents.
const SEPA_FEE: i64 = 35;

/// The processing fee of a payment, in the payment's own currency; never more than the payment.
pub fn processing_fee(amount: Money, method: &str) -> Money {
    let of = |row: &Row| amount.share(row.1).minor + row.2;
    let fee = match method {
        "konbini" => amount.share(360).minor.max(KONBINI_MINIMUM),
        "sepa_debit" => SEPA_FEE,
        "customer_balance" => amount.share(150).minor,
        _ => of(CARD.iter().find(|row| row.0 == amount.currency.code()).unwrap_or(&OTHERWISE)),
    };
    Money::new(fee.min(amount.minor), amount.currency)
}

/// Seconds until the funds of a payment become available: four days for yen, two otherwise.
pub fn availability_delay(currency: Currency) -> i64 {
    const DAY: i64 = 86_400;
    if currency == Currency::JPY { 4 * DAY } else { 2 * DAY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_follow_the_published_schedule() {
        let fee = |minor, currency: &str, method| {
            processing_fee(Money::new(minor, currency.parse().unwrap()), method).minor
        };
        assert_eq!(fee(980, "jpy", "card"), 35);
        assert_eq!(fee(500, "jpy", "card"), 18);
        assert_eq!(fee(50, "jpy", "card"), 2);
        assert_eq!(fee(2_000, "usd", "card"), 88);
        assert_eq!(fee(1_000, "jpy", "konbini"), 120);
        assert_eq!(fee(10_000, "jpy", "konbini"), 360);
        assert_eq!(fee(20, "usd", "card"), 20);
    }
}
