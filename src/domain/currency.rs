//! Currencies as Stripe counts them: how many decimals the minor unit has, and the smallest charge.

use std::fmt;
use std::str::FromStr;

/// One row of the table: ISO code, decimals of the minor unit, smallest charge in minor units.
struct Row(&'static str, u8, i64);

/// A currency that Stripe supports, in lower case as the API spells it (`jpy`, `usd`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(&'static str);

/// The text was not the code of a currency that Stripe supports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid currency: {0}")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// Japanese yen, without decimals: ¥500 is 500.
    pub const JPY: Self = Self("jpy");
    /// United States dollar: $5.00 is 500.
    pub const USD: Self = Self("usd");
    /// Euro: €5.00 is 500.
    pub const EUR: Self = Self("eur");

    /// The lower-case ISO 4217 code.
    pub const fn code(self) -> &'static str {
        self.0
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by(|row| row.0.cmp(self.0)).ok().and_then(|at| ROWS.get(at))
    }

    /// How many decimals the minor unit stands for: 0 for `jpy`, 2 for `usd`, 3 for `kwd`.
    pub fn decimals(self) -> u8 {
        self.row().map_or(2, |row| row.1)
    }

    /// The smallest amount that can be charged, in minor units (¥50, $0.50).
    pub fn minimum_charge(self) -> i64 {
        self.row().map_or(50, |row| row.2)
    }

    /// The largest amount that can be charged, in minor units: eight digits, more where a unit is worth little.
    pub fn maximum_charge(self) -> i64 {
        match self.0 {
            "idr" => 999_999_999_999,
            "inr" => 999_999_999,
            _ => 99_999_999,
        }
    }

    /// What an amount must be a multiple of, in minor units.
    ///
    /// Krónur and Ugandan shillings have lost their decimals and are still counted with two; of three decimals,
    /// card networks carry two. Forint and Taiwan dollars are whole in payouts alone.
    pub fn step(self) -> i64 {
        match (self.0, self.decimals()) {
            ("isk" | "ugx", _) => 100,
            (_, 3) => 10,
            _ => 1,
        }
    }

    /// The sign that stands before an amount, or the upper-case code with a space.
    pub fn sign(self) -> String {
        match self.0 {
            "jpy" => "¥".to_owned(),
            "usd" => "$".to_owned(),
            "eur" => "€".to_owned(),
            "gbp" => "£".to_owned(),
            "hkd" => "HK$".to_owned(),
            "krw" => "₩".to_owned(),
            other => format!("{} ", other.to_uppercase()),
        }
    }

    /// Every supported currency, in the order of its code.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| Self(row.0))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    /// Accepts either case, as the API does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As numbers, because a comparison of three bytes somewhere in memory is a call each.
        let number = |code: [u8; 3]| code.into_iter().fold(0, |sum, it| sum << 8 | u32::from(it));
        let lower = |code: [u8; 3]| code.map(|byte| byte.to_ascii_lowercase());
        let code = <[u8; 3]>::try_from(text.as_bytes()).map(lower).unwrap_or_default();
        let of_row = |row: &Row| <[u8; 3]>::try_from(row.0.as_bytes()).map_or(0, number);
        ROWS.binary_search_by_key(&number(code), of_row)
            .ok()
            .and_then(|at| ROWS.get(at))
            .map(|row| Self(row.0))
            .ok_or_else(|| UnknownCurrency(text.to_owned()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Sorted by code. The smallest charge is 1 minor unit where Stripe names none.
static ROWS: &[Row] = &[
    Row("aed", 2, 200),
    Row("afn", 2, 1),
    Row("all", 2, 1),
    Row("amd", 2, 1),
    Row("ang", 2, 1),
    Row("aoa", 2, 1),
    Row("ars", 2, 1),
    Row("aud", 2, 50),
    Row("awg", 2, 1),
    Row("azn", 2, 1),
    Row("bam", 2, 1),
    Row("bbd", 2, 1),
    Row("bdt", 2, 1),
    Row("bgn", 2, 100),
    Row("bhd", 3, 1),
    Row("bif", 0, 1),
    Row("bmd", 2, 1),
    Row("bnd", 2, 1),
    Row("bob", 2, 1),
    Row("brl", 2, 50),
    Row("bsd", 2, 1),
    Row("bwp", 2, 1),
    Row("byn", 2, 1),
    Row("bzd", 2, 1),
    Row("cad", 2, 50),
    Row("cdf", 2, 1),
    Row("chf", 2, 50),
    Row("clp", 0, 1),
    Row("cny", 2, 1),
    Row("cop", 2, 1),
    Row("crc", 2, 1),
    Row("cve", 2, 1),
    Row("czk", 2, 1500),
    Row("djf", 0, 1),
    Row("dkk", 2, 250),
    Row("dop", 2, 1),
    Row("dzd", 2, 1),
    Row("egp", 2, 1),
    Row("etb", 2, 1),
    Row("eur", 2, 50),
    Row("fjd", 2, 1),
    Row("fkp", 2, 1),
    Row("gbp", 2, 30),
    Row("gel", 2, 1),
    Row("gip", 2, 1),
    Row("gmd", 2, 1),
    Row("gnf", 0, 1),
    Row("gtq", 2, 1),
    Row("gyd", 2, 1),
    Row("hkd", 2, 400),
    Row("hnl", 2, 1),
    Row("htg", 2, 1),
    Row("huf", 2, 17_500),
    Row("idr", 2, 1),
    Row("ils", 2, 1),
    Row("inr", 2, 50),
    Row("isk", 2, 1),
    Row("jmd", 2, 1),
    Row("jod", 3, 1),
    Row("jpy", 0, 50),
    Row("kes", 2, 1),
    Row("kgs", 2, 1),
    Row("khr", 2, 1),
    Row("kmf", 0, 1),
    Row("krw", 0, 1),
    Row("kwd", 3, 1),
    Row("kyd", 2, 1),
    Row("kzt", 2, 1),
    Row("lak", 2, 1),
    Row("lbp", 2, 1),
    Row("lkr", 2, 1),
    Row("lrd", 2, 1),
    Row("lsl", 2, 1),
    Row("mad", 2, 1),
    Row("mdl", 2, 1),
    Row("mga", 0, 1),
    Row("mkd", 2, 1),
    Row("mmk", 2, 1),
    Row("mnt", 2, 1),
    Row("mop", 2, 1),
    Row("mur", 2, 1),
    Row("mvr", 2, 1),
    Row("mwk", 2, 1),
    Row("mxn", 2, 1000),
    Row("myr", 2, 200),
    Row("mzn", 2, 1),
    Row("nad", 2, 1),
    Row("ngn", 2, 1),
    Row("nio", 2, 1),
    Row("nok", 2, 300),
    Row("npr", 2, 1),
    Row("nzd", 2, 50),
    Row("omr", 3, 1),
    Row("pab", 2, 1),
    Row("pen", 2, 1),
    Row("pgk", 2, 1),
    Row("php", 2, 1),
    Row("pkr", 2, 1),
    Row("pln", 2, 200),
    Row("pyg", 0, 1),
    Row("qar", 2, 1),
    Row("ron", 2, 200),
    Row("rsd", 2, 1),
    Row("rub", 2, 1),
    Row("rwf", 0, 1),
    Row("sar", 2, 1),
    Row("sbd", 2, 1),
    Row("scr", 2, 1),
    Row("sek", 2, 300),
    Row("sgd", 2, 50),
    Row("shp", 2, 1),
    Row("sle", 2, 1),
    Row("sos", 2, 1),
    Row("srd", 2, 1),
    Row("std", 2, 1),
    Row("svc", 2, 1),
    Row("szl", 2, 1),
    Row("thb", 2, 1000),
    Row("tjs", 2, 1),
    Row("tnd", 3, 1),
    Row("top", 2, 1),
    Row("try", 2, 1),
    Row("ttd", 2, 1),
    Row("twd", 2, 1),
    Row("tzs", 2, 1),
    Row("uah", 2, 1),
    Row("ugx", 2, 1),
    Row("usd", 2, 50),
    Row("uyu", 2, 1),
    Row("uzs", 2, 1),
    Row("vnd", 0, 1),
    Row("vuv", 0, 1),
    Row("wst", 2, 1),
    Row("xaf", 0, 1),
    Row("xcd", 2, 1),
    Row("xcg", 2, 1),
    Row("xof", 0, 1),
    Row("xpf", 0, 1),
    Row("yer", 2, 1),
    Row("zar", 2, 1),
    Row("zmw", 2, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(ROWS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn yen_have_no_decimals_and_dinars_have_three() {
        assert_eq!(Currency::JPY.decimals(), 0);
        assert_eq!(Currency::USD.decimals(), 2);
        assert_eq!("KWD".parse::<Currency>().unwrap().decimals(), 3);
        assert_eq!(Currency::JPY.minimum_charge(), 50);
    }

    #[test]
    fn the_limits_of_every_currency_fit_together() {
        let stepped: Vec<_> =
            Currency::all().filter(|c| c.step() > 1).map(Currency::code).collect();
        assert_eq!(stepped, ["bhd", "isk", "jod", "kwd", "omr", "tnd", "ugx"]);
        for currency in Currency::all() {
            let (least, most) = (currency.minimum_charge(), currency.maximum_charge());
            assert!(1 <= least && least < most && most >= 99_999_999, "{currency}");
        }
        assert_eq!("idr".parse::<Currency>().unwrap().maximum_charge(), 999_999_999_999);
    }

    #[test]
    fn unknown_codes_are_refused_with_their_name() {
        assert_eq!("xyz".parse::<Currency>(), Err(UnknownCurrency("xyz".to_owned())));
    }
}
