//! A quote as a sheet of the same form as an invoice.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{LinePart, QuotePart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::View;
use crate::sandbox::paper::bill::{Bill, BillLine, address, day, percent, registered, shown};
use crate::words::billing::Words;
use serde_json::Value;

/// Who the invoices of an account without a name are from.
const MERCHANT: &str = "stripegym";

/// What a quote says in a language.
pub fn bill(view: &View, quote: &Object, country: &str, locale: Locale) -> Bill {
    let words = Words::of(locale);
    let is_japanese = country == "JP";
    let sheet = Sheet { view, quote, words, currency: text(quote, "currency"), is_japanese };
    let part = quote.part::<QuotePart>();
    Bill {
        title: words.quote.to_owned(),
        addressee: words.quote_for.to_owned(),
        due_name: words.total.to_owned(),
        merchant: MERCHANT.to_owned(),
        number: text(quote, "number").to_owned(),
        facts: sheet.facts(),
        registration: registered(view, None, words),
        bill_to: sheet.addressee(),
        lines: part.lines.iter().map(|line| sheet.line(line)).collect(),
        totals: sheet.totals(),
        due: sheet.amount(int(quote, "amount_total")),
        rates: Vec::new(),
        reduced: false,
        memo: [text(quote, "header"), text(quote, "description")].join("\n").trim().to_owned(),
        footer: text(quote, "footer").to_owned(),
    }
}

/// The country of the account that makes a quote.
pub fn country(view: &View) -> String {
    Settings::of(view).get("country").to_owned()
}

struct Sheet<'q> {
    view: &'q View,
    quote: &'q Object,
    words: &'static Words,
    currency: &'q str,
    is_japanese: bool,
}

impl Sheet<'_> {
    fn amount(&self, minor: i64) -> String {
        shown(minor, self.currency)
    }

    fn facts(&self) -> Vec<(String, String)> {
        let (quote, w) = (self.quote, self.words);
        let at = |at: Option<i64>| at.map(|at| day(at, self.is_japanese, w));
        let opened =
            quote.get("status_transitions").and_then(|it| it.get("finalized_at")?.as_i64());
        let number = Some(text(quote, "number").to_owned()).filter(|it| !it.is_empty());
        let all = [
            (w.quote_number, number),
            (w.issued, at(opened)),
            (w.valid_until, at(quote.get("expires_at").and_then(Value::as_i64))),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    fn addressee(&self) -> Vec<String> {
        let Some(known) = self.view.get("customer", text(self.quote, "customer")) else {
            return Vec::new();
        };
        let member = |name: &str| Some(text(&known, name).to_owned()).filter(|it| !it.is_empty());
        let mut lines: Vec<String> = member("name").into_iter().collect();
        lines.extend(known.get("address").map(address).into_iter().flatten());
        lines.extend(member("email"));
        lines
    }

    fn line(&self, line: &LinePart) -> BillLine {
        let price = line.doc.get("price").cloned().unwrap_or_default();
        let unit = price.get("unit_amount").and_then(Value::as_i64).map(|it| self.amount(it));
        let unit = unit.unwrap_or_default();
        // An amount with its time is wider than its column, and stands below what it is for.
        let (unit, each) = match price.get("recurring").filter(|it| it.is_object()) {
            Some(recurring) if !unit.is_empty() => (String::new(), self.each(&unit, recurring)),
            _ => (unit, String::new()),
        };
        let own = line.rates.iter().map(String::as_str);
        let usual = self.quote.get("default_tax_rates").and_then(Value::as_array);
        let usual = usual.into_iter().flatten().filter_map(Value::as_str);
        let ids: Vec<&str> = if line.rates.is_empty() { usual.collect() } else { own.collect() };
        let found = ids.iter().filter_map(|id| self.view.get("tax_rate", id));
        let rates: Vec<String> = found.map(|rate| self.words.percent(&percent(&rate))).collect();
        let quantity = line.doc.get("quantity").and_then(Value::as_i64);
        BillLine {
            name: text(&line.doc, "description").to_owned(),
            period: each,
            quantity: quantity.map(|it| it.to_string()).unwrap_or_default(),
            unit,
            rate: rates.join(" + "),
            amount: self.amount(int(&line.doc, "amount_subtotal")),
        }
    }

    /// So much each day, week, month or year.
    fn each(&self, amount: &str, recurring: &Value) -> String {
        let w = self.words;
        let count = int(recurring, "interval_count").max(1);
        let many = count.to_string();
        match (text(recurring, "interval"), count) {
            ("day", 1) => w.per_day(amount),
            ("week", 1) => w.per_week(amount),
            ("month", 1) => w.per_month(amount),
            ("year", 1) => w.per_year(amount),
            ("day", _) => w.per_days(amount, &many),
            ("week", _) => w.per_weeks(amount, &many),
            ("month", _) => w.per_months(amount, &many),
            _ => w.per_years(amount, &many),
        }
    }

    fn totals(&self) -> Vec<(String, String)> {
        let (quote, w) = (self.quote, self.words);
        let detail = |name: &str| quote.get("total_details").map_or(0, |it| int(it, name));
        let (off, tax) = (detail("amount_discount"), detail("amount_tax"));
        let rows = [
            (w.subtotal, Some(int(quote, "amount_subtotal"))),
            (w.discount, (off != 0).then_some(-off)),
            (w.tax, (tax != 0).then_some(tax)),
        ];
        let rows = rows.into_iter().filter_map(|(name, minor)| Some((name, minor?)));
        rows.map(|(name, minor)| (name.to_owned(), self.amount(minor))).collect()
    }
}
