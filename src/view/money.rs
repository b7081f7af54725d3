//! Amounts as a reader of each language writes them.

use crate::domain::currency::Currency;
use crate::domain::locale::Locale;
use crate::domain::money::Money;

/// `¥1,000` and `$10.00`; in Japanese yen are `1,000 円`.
pub fn show(money: Money, locale: Locale) -> String {
    match locale {
        Locale::Ja if money.currency == Currency::JPY => {
            format!("{}円", money.to_string().replace('¥', ""))
        }
        Locale::Ja | Locale::En => money.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yen_are_written_as_each_language_does() {
        assert_eq!(show(Money::new(1_500, Currency::JPY), Locale::En), "¥1,500");
        assert_eq!(show(Money::new(-1_500, Currency::JPY), Locale::Ja), "-1,500円");
        assert_eq!(show(Money::new(1_500, Currency::USD), Locale::Ja), "$15.00");
    }
}
