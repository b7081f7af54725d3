//! Tables of others as rows: columns by the names that files of Stripe's, of banks and of spreadsheets give them,
//! amounts and dates as people write them.

use crate::domain::currency::Currency;
use crate::domain::entry::{AMOUNT_MAX, EntryStatus};
use crate::domain::money::Money;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::time::Timestamp;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization as _;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Intent,
    Charge,
    Session,
    Reference,
    Amount,
    Currency,
    Status,
    Refunded,
    Disputed,
    Fee,
    Net,
    Created,
    Livemode,
    Payout,
    Category,
}

/// Each field with its name in `--map` and the names of columns that say it, the surest first.
const FIELDS: [(Field, &str, &[&str]); 16] = [
    (Field::Id, "id", &["id", "source_id", "source", "refund_id", "dispute_id"]),
    (
        Field::Intent,
        "payment_intent",
        &["payment_intent", "payment_intent_id", "paymentintent_id", "intent"],
    ),
    (Field::Charge, "charge", &["charge", "charge_id", "latest_charge"]),
    (
        Field::Session,
        "session",
        &["session_id", "session", "checkout_session_id", "checkout_session"],
    ),
    (
        Field::Reference,
        "reference",
        &[
            "client_reference_id",
            "reference",
            "order_id",
            "order",
            "metadata_order_id",
            "payment_metadata_order_id",
            "注文番号",
            "取引番号",
            "管理番号",
            "照会番号",
        ],
    ),
    (
        Field::Amount,
        "amount",
        &[
            "amount",
            "gross",
            "amount_total",
            "金額",
            "入金額",
            "お預り金額",
            "お預かり金額",
            "預入金額",
            "取引金額",
            "売上金額",
            "決済金額",
        ],
    ),
    (Field::Currency, "currency", &["currency", "通貨"]),
    (Field::Status, "status", &["status", "payment_status", "payout_status", "状態", "ステータス"]),
    (Field::Refunded, "refunded", &["amount_refunded", "refunded_amount", "refunded", "返金額"]),
    (Field::Disputed, "disputed", &["disputed_amount", "amount_disputed"]),
    (Field::Fee, "fee", &["fee", "fees", "手数料", "決済手数料"]),
    (Field::Net, "net", &["net", "net_amount"]),
    (
        Field::Created,
        "created",
        &[
            "created",
            "created_utc",
            "created_date_utc",
            "created_at",
            "effective_at_utc",
            "effective_at",
            "date",
            "日付",
            "取引日",
            "年月日",
            "入金日",
            "お取引日",
            "決済日時",
        ],
    ),
    (Field::Livemode, "livemode", &["livemode"]),
    (Field::Payout, "payout", &["automatic_payout_id", "payout_id", "payout"]),
    (Field::Category, "category", &["reporting_category", "category"]),
];

/// Whether amounts are counted in minor units or written as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// ¥500 is 500, $5.00 is 500.
    Minor,
    /// $5.00 is 5.00.
    Major,
}

/// What is said of a table by whoever has it compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    columns: Vec<(String, String)>,
    /// How amounts are written.
    pub units: Option<Units>,
    /// The currency where no column says it.
    pub currency: Option<Currency>,
    /// The encoding of the file.
    pub encoding: Option<String>,
}

impl Map {
    /// Reads one more `name=value`; `false` where there is no such name or value.
    pub fn add(&mut self, name: &str, value: &str) -> bool {
        match name {
            "units" => {
                self.units = match value {
                    "minor" => Some(Units::Minor),
                    "major" => Some(Units::Major),
                    _ => return false,
                };
            }
            "currency" if value.parse::<Currency>().is_ok() => self.currency = value.parse().ok(),
            "encoding" => self.encoding = Some(value.to_owned()),
            name if FIELDS.iter().any(|(_, field, _)| *field == name) => {
                self.columns.push((name.to_owned(), value.to_owned()));
            }
            _ => return false,
        }
        true
    }

    /// Every name that it knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|(_, name, _)| *name).chain(["units", "encoding"])
    }
}

/// Why a row of a table cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Odd {
    /// No column says it.
    #[error("no column is `{0}`")]
    Lacks(&'static str),
    /// A cell that cannot be read.
    #[error("`{value}` is no {field}")]
    Cell {
        /// What it should say.
        field: &'static str,
        /// What it says.
        value: String,
    },
}

/// The columns of a table, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    at: [Option<usize>; FIELDS.len()],
    units: Units,
    currency: Option<Currency>,
    /// Whether rows are movements of the balance, with their signs.
    movements: bool,
}

/// A name of a column as it is compared: small letters, one form of every character, one sign for all that is none.
pub fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in name.nfkc().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

impl Columns {
    /// Finds the columns by their names.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>, map: &Map) -> Result<Self, Odd> {
        let names: Vec<String> = names.into_iter().map(plain).collect();
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let at = FIELDS.map(|(_, field, aliases)| {
            let named = map.columns.iter().rev().find(|(name, _)| name == field);
            match named {
                Some((_, column)) => place(&plain(column)),
                None => aliases.iter().find_map(|alias| place(alias)),
            }
        });
        for (name, column) in &map.columns {
            if place(&plain(column)).is_none() {
                return Err(Odd::Cell { field: "column", value: format!("{name}={column}") });
            }
        }
        let of_stripe = ["reporting_category", "converted_amount", "created_date_utc", "gross"];
        let written = of_stripe.iter().any(|name| place(name).is_some());
        let japanese = names.iter().any(|name| !name.is_ascii());
        let units = if written || japanese { Units::Major } else { Units::Minor };
        let movements = place("reporting_category").is_some();
        let yen = japanese.then_some(Currency::JPY);
        let columns = Self {
            at,
            units: map.units.unwrap_or(units),
            currency: map.currency.or(yen),
            movements,
        };
        if columns.place(Field::Amount).is_none() {
            return Err(Odd::Lacks("amount"));
        }
        if columns.place(Field::Currency).is_none() && columns.currency.is_none() {
            return Err(Odd::Lacks("currency"));
        }
        Ok(columns)
    }

    fn place(&self, field: Field) -> Option<usize> {
        self.at.get(field as usize).copied().flatten()
    }

    /// The row of the cells that `cell` gives by their place; `None` for one that says nothing of money.
    pub fn row<'c>(&self, cell: impl Fn(usize) -> Cow<'c, str>) -> Result<Option<Row>, Odd> {
        let text = |field: Field| self.place(field).map(&cell).unwrap_or_default();
        let written = text(Field::Amount);
        let category = text(Field::Category);
        if written.trim().is_empty() && category.is_empty() {
            return Ok(None);
        }
        let currency = self.money_of(&text(Field::Currency))?;
        let number = |field: Field, name: &'static str| -> Result<Option<i64>, Odd> {
            let text = text(field);
            if text.trim().is_empty() {
                return Ok(None);
            }
            let bad = || Odd::Cell { field: name, value: text.clone().into_owned() };
            amount(&text, currency, self.units).map(Some).ok_or_else(bad)
        };
        let gross = number(Field::Amount, "amount")?.unwrap_or(0);
        let id = text(Field::Id);
        let what = what(&category, &id);
        let amount = match what {
            What::Refund | What::Dispute if self.movements => gross.saturating_neg(),
            What::Payout => gross.saturating_abs(),
            _ => gross,
        };
        let mut row = Row::new(what, id.trim(), Money::new(amount, currency), Timestamp(0));
        category.trim().clone_into(&mut row.category);
        let keys = [Field::Intent, Field::Charge, Field::Session, Field::Reference];
        for (key, field) in Key::ALL.into_iter().zip(keys) {
            row = row.with_key(key, text(field).trim());
        }
        text(Field::Payout).trim().clone_into(&mut row.payout);
        name(&mut row);
        let status = text(Field::Status);
        row.refunded = number(Field::Refunded, "refunded")?;
        if !self.movements && !status.is_empty() && what != What::Payout {
            stand(&mut row, status.trim())?;
        }
        row.disputed = number(Field::Disputed, "disputed")?;
        row.fee = number(Field::Fee, "fee")?;
        row.net = number(Field::Net, "net")?;
        row.livemode = truth(&text(Field::Livemode))?;
        let created = text(Field::Created);
        if !created.trim().is_empty() {
            let bad = || Odd::Cell { field: "created", value: created.clone().into_owned() };
            row.created = instant(&created).ok_or_else(bad)?;
        }
        Ok(Some(row))
    }

    fn money_of(&self, code: &str) -> Result<Currency, Odd> {
        match (code.trim(), self.currency) {
            ("", Some(currency)) => Ok(currency),
            (code, _) => {
                let bad = || Odd::Cell { field: "currency", value: code.to_owned() };
                if let Ok(currency) = code.parse() {
                    Ok(currency)
                } else {
                    plain(code).parse().map_err(|_| bad())
                }
            }
        }
    }
}

fn what(category: &str, id: &str) -> What {
    if !category.is_empty() {
        return What::of_category(category);
    }
    match id.get(..3) {
        Some("re_" | "pyr") => What::Refund,
        Some("dp_" | "du_") => What::Dispute,
        Some("po_") => What::Payout,
        _ => What::Payment,
    }
}

/// Finds an id among the keys and keys in the id, where a table has only one of them.
fn name(row: &mut Row) {
    let own = match row.id.get(..3) {
        Some("pi_") => Some(Key::Intent),
        Some("ch_" | "py_") => Some(Key::Charge),
        Some("cs_") => Some(Key::Session),
        _ => None,
    };
    if let Some(slot) = own.and_then(|key| row.keys.get_mut(key as usize))
        && slot.is_empty()
    {
        slot.clone_from(&row.id);
    }
    if row.what == What::Payout {
        if row.id.is_empty() || !row.payout.is_empty() {
            row.id.clone_from(&row.payout);
        }
        row.payout.clear();
    }
    if row.id.is_empty() {
        let order = [Key::Session, Key::Intent, Key::Charge, Key::Reference];
        let found = order
            .into_iter()
            .filter_map(|key| row.keys.get(key as usize))
            .find(|it| !it.is_empty());
        row.id = found.cloned().unwrap_or_default();
    }
}

/// Where money stands, as files call it.
fn stand(row: &mut Row, word: &str) -> Result<(), Odd> {
    const WORDS: [(EntryStatus, &[&str]); 6] = [
        (
            EntryStatus::Paid,
            &[
                "succeeded",
                "paid",
                "complete",
                "completed",
                "available",
                "入金済",
                "決済完了",
                "売上確定",
            ],
        ),
        (EntryStatus::Refunded, &["refunded", "refund", "返金済"]),
        (EntryStatus::PartiallyRefunded, &["partially_refunded", "partial_refund", "一部返金"]),
        (EntryStatus::Failed, &["failed", "declined", "blocked", "canceled", "cancelled", "失敗"]),
        (
            EntryStatus::Unpaid,
            &[
                "unpaid",
                "pending",
                "processing",
                "uncaptured",
                "requires_capture",
                "requires_action",
                "未入金",
            ],
        ),
        (EntryStatus::Expired, &["expired", "期限切れ"]),
    ];
    let listed = |word: &str| WORDS.iter().find(|(_, words)| words.contains(&word));
    let read = |word: &str| listed(word).map(|(it, _)| *it).or_else(|| EntryStatus::read(word));
    // As programs write it, and then as people do.
    let status = read(word).or_else(|| read(&plain(word)));
    let status = status.ok_or_else(|| Odd::Cell { field: "status", value: word.to_owned() })?;
    if status == EntryStatus::Refunded {
        row.refunded = row.refunded.or(Some(row.amount));
    }
    let settled = status == EntryStatus::Refunded || row.refunded.is_some() && status.was_paid();
    row.status = Some(if settled { EntryStatus::Paid } else { status });
    Ok(())
}

fn truth(text: &str) -> Result<Option<bool>, Odd> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" | "1" | "live" => Ok(Some(true)),
        "false" | "0" | "test" => Ok(Some(false)),
        _ => Err(Odd::Cell { field: "livemode", value: text.to_owned() }),
    }
}

/// An amount as it is written: digits of any width, signs of money, thousands apart, a minus in any form, or in
/// brackets. A decimal point in a table that counts minor units is no amount: one of the two is a mistake.
pub fn amount(text: &str, currency: Currency, units: Units) -> Option<i64> {
    if units == Units::Minor
        && let Ok(plain) = text.parse::<i64>()
    {
        return bounded(plain);
    }
    let shown: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
    let (mut negative, mut digits, mut decimals): (bool, i64, Option<u32>) = (false, 0, None);
    let bracketed = shown.starts_with('(') && shown.ends_with(')');
    let mut any = false;
    for c in shown.chars() {
        match c {
            '0'..='9' => {
                any = true;
                let digit = i64::from(c.to_digit(10)?);
                if let Some(places) = &mut decimals {
                    *places += 1;
                }
                digits = digits.checked_mul(10)?.checked_add(digit)?;
            }
            '.' if decimals.is_none() && any => decimals = Some(0),
            ',' | '、' | '\'' | '_' if decimals.is_none() => {}
            '-' | '\u{2212}' | '\u{2010}' | '\u{30fc}' | '△' | '▲' if !any => negative = true,
            '+' | '¥' | '\\' | '$' | '€' | '£' | '円' | '(' | ')' => {}
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    let wanted = match units {
        Units::Minor if decimals.is_some() => return None,
        Units::Minor => 0,
        Units::Major => u32::from(currency.decimals()),
    };
    let have = decimals.unwrap_or(0);
    let scaled = if have <= wanted {
        digits.checked_mul(10_i64.checked_pow(wanted - have)?)?
    } else {
        // 500.00 yen is 500; 500.5 yen is nothing.
        let by = 10_i64.checked_pow(have - wanted)?;
        (digits % by == 0).then_some(digits / by)?
    };
    bounded(if negative || bracketed { scaled.checked_neg()? } else { scaled })
}

fn bounded(amount: i64) -> Option<i64> {
    (amount.unsigned_abs() <= AMOUNT_MAX.unsigned_abs()).then_some(amount)
}

/// An instant as it is written: seconds or milliseconds of the epoch, a date with or without a time (of UTC), the
/// Japanese calendar.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>()
        && text.len() != 8
    {
        return Some(Timestamp(if number > 99_999_999_999 { number / 1_000 } else { number }));
    }
    if let Some(at) = Timestamp::read(text) {
        return Some(at);
    }
    let shown: String = text.nfkc().collect();
    let eras = [("令和", 2018), ("平成", 1988), ("R", 2018), ("H", 1988)];
    let era = eras.iter().find_map(|(name, before)| Some((shown.strip_prefix(name)?, *before)));
    let (rest, before) = era.unwrap_or((&shown, 0));
    let rest = rest.replace('元', "1");
    let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let first = numbers.next()?;
    let (year, month, day) = if first.len() == 8 {
        let part = |from: usize, to: usize| first.get(from..to)?.parse::<i64>().ok();
        (part(0, 4)?, part(4, 6)?, part(6, 8)?)
    } else {
        let mut next = || numbers.next()?.parse::<i64>().ok();
        (first.parse::<i64>().ok()?, next()?, next()?)
    };
    let mut clock = || numbers.next().map_or(Some(0), |part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock()?, clock()?, clock()?);
    let year = year + before;
    let valid = (1970..=9999).contains(&year) && hour < 24 && minute < 60 && second <= 60;
    let read = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    if valid { Timestamp::read(&read) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(head: &[&str], lines: &[&[&str]]) -> Vec<Row> {
        let columns = Columns::of(head.iter().copied(), &Map::default()).unwrap();
        let cells = lines.iter().map(|line| columns.row(|at| Cow::Borrowed(line[at])).unwrap());
        cells.flatten().collect()
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let (yen, dollar) = (Currency::JPY, Currency::USD);
        for (text, currency, units, expected) in [
            ("500", yen, Units::Minor, Some(500)),
            ("-500", dollar, Units::Minor, Some(-500)),
            ("5.00", dollar, Units::Minor, None),
            ("¥1,234", yen, Units::Major, Some(1_234)),
            ("１２，３４５円", yen, Units::Major, Some(12_345)),
            ("△３００", yen, Units::Major, Some(-300)),
            ("(12.50)", dollar, Units::Major, Some(-1_250)),
            ("12.5", dollar, Units::Major, Some(1_250)),
            ("500.00", yen, Units::Major, Some(500)),
            ("500.5", yen, Units::Major, None),
            ("￥\u{2212}80", yen, Units::Major, Some(-80)),
            ("9223372036854775807", yen, Units::Minor, None),
            ("about 5", yen, Units::Major, None),
            ("", yen, Units::Major, None),
        ] {
            assert_eq!(amount(text, currency, units), expected, "{text}");
        }
    }

    #[test]
    fn instants_are_read_as_files_write_them() {
        let day = Timestamp(1_767_225_600);
        for text in [
            "1767225600",
            "1767225600000",
            "2026-01-01",
            "2026/1/1",
            "2026-01-01 00:00:00",
            "2026-01-01T00:00:00Z",
            "2026年1月1日",
            "令和8年1月1日",
            "R8.1.1",
            "20260101",
            "２０２６/０１/０１",
        ] {
            assert_eq!(instant(text), Some(day), "{text}");
        }
        assert_eq!(instant("2026-13-01"), None);
        assert_eq!(instant("soon"), None);
    }

    #[test]
    fn a_balance_report_is_read_with_its_signs_and_categories() {
        let head = [
            "balance_transaction_id",
            "created_utc",
            "currency",
            "gross",
            "fee",
            "net",
            "reporting_category",
            "source_id",
            "automatic_payout_id",
            "charge_id",
            "payment_intent_id",
        ];
        let found = rows(
            &head,
            &[
                &[
                    "txn_1",
                    "2026-01-01 00:00:00",
                    "usd",
                    "12.50",
                    "0.66",
                    "11.84",
                    "charge",
                    "ch_1",
                    "po_1",
                    "ch_1",
                    "pi_1",
                ],
                &[
                    "txn_2",
                    "2026-01-01 00:00:00",
                    "usd",
                    "-2.50",
                    "0",
                    "-2.50",
                    "refund",
                    "re_1",
                    "po_1",
                    "ch_1",
                    "pi_1",
                ],
                &[
                    "txn_3",
                    "2026-01-01 00:00:00",
                    "usd",
                    "-9.34",
                    "0",
                    "-9.34",
                    "payout",
                    "po_1",
                    "",
                    "",
                    "",
                ],
            ],
        );
        let said: Vec<_> =
            found.iter().map(|it| (it.what, it.id.as_str(), it.amount, it.moved())).collect();
        assert_eq!(
            said,
            [
                (What::Payment, "ch_1", 1_250, 1_184),
                (What::Refund, "re_1", 250, -250),
                (What::Payout, "po_1", 934, -934)
            ]
        );
        assert_eq!(found[1].key(Key::Intent), Some("pi_1"));
        assert_eq!(found[2].key(Key::Intent), Some("po_1"));
    }

    #[test]
    fn a_payments_report_and_a_japanese_table_are_read() {
        let head = [
            "id",
            "Created date (UTC)",
            "Amount",
            "Amount Refunded",
            "Currency",
            "Status",
            "PaymentIntent ID",
        ];
        let found =
            rows(&head, &[&["ch_1", "2026-01-01 00:00:00", "1,000", "200", "jpy", "Paid", "pi_1"]]);
        assert_eq!(
            (found[0].amount, found[0].refunded, found[0].word()),
            (1_000, Some(200), "partially_refunded")
        );
        let found = rows(
            &["日付", "お預り金額", "注文番号"],
            &[&["令和8年1月1日", "￥１，２００", "A-7"], &["", "", ""]],
        );
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].amount, found[0].key(Key::Reference)), (1_200, Some("A-7")));
    }

    #[test]
    fn columns_are_named_by_hand_and_a_wrong_name_is_told() {
        let mut map = Map::default();
        assert!(
            map.add("amount", "Betrag") && map.add("units", "major") && map.add("currency", "eur")
        );
        assert!(!map.add("colour", "red") && !map.add("units", "grams"));
        let columns = Columns::of(["ref", "BETRAG"], &map).unwrap();
        let row = columns.row(|at| Cow::Borrowed(["A", "5.00"][at])).unwrap().unwrap();
        assert_eq!((row.amount, row.currency), (500, Currency::EUR));
        assert!(Columns::of(["amount"], &map).is_err());
        assert_eq!(Columns::of(["a", "b"], &Map::default()), Err(Odd::Lacks("amount")));
    }
}
