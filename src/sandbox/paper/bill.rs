//! What an invoice says, in words and sums that a page and a PDF show alike.

use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::txn::View;
use crate::words::billing::Words;
use serde_json::Value;
use std::sync::Arc;

/// The rate of Japan's consumption tax on food and newspapers; an invoice has to say which lines have it.
const REDUCED: &str = "8";
/// What Japan's clocks are ahead, in seconds.
const JAPAN_AHEAD: i64 = 9 * 3_600;

/// One line.
#[derive(Clone, Debug)]
pub struct BillLine {
    /// What is sold; a mark stands before it where its rate is a reduced one.
    pub name: String,
    /// The time that it is for; empty where it is for none.
    pub period: String,
    /// How many.
    pub quantity: String,
    /// What one costs.
    pub unit: String,
    /// The rates of its taxes.
    pub rate: String,
    /// What it costs.
    pub amount: String,
}

/// What all lines of one rate come to.
#[derive(Clone, Debug)]
pub struct RateSum {
    /// `10%`.
    pub rate: String,
    /// The sum before this tax.
    pub taxable: String,
    /// The tax.
    pub tax: String,
}

/// An invoice in one language.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "an invoice's own term: who it is billed to")]
pub struct Bill {
    /// What it is.
    pub title: String,
    /// What stands above who it is for.
    pub addressee: String,
    /// What the last sum is called.
    pub due_name: String,
    /// Who sends it.
    pub merchant: String,
    /// Its number.
    pub number: String,
    /// Its number, its dates, and what its sender added: names and values.
    pub facts: Vec<(String, String)>,
    /// The numbers under which its sender is registered for taxes.
    pub registration: Vec<(String, String)>,
    /// Who pays: name, address, e-mail address, tax ids.
    pub bill_to: Vec<String>,
    /// What is sold.
    pub lines: Vec<BillLine>,
    /// From the subtotal to the total, and what was taken off it.
    pub totals: Vec<(String, String)>,
    /// What is left to pay.
    pub due: String,
    /// The sums by tax rate.
    pub rates: Vec<RateSum>,
    /// Whether a line has the mark of a reduced rate.
    pub reduced: bool,
    /// What its sender says of it.
    pub memo: String,
    /// What stands at its end.
    pub footer: String,
}

/// What is looked up while a bill is made.
struct Maker<'v> {
    view: &'v View,
    invoice: &'v Object,
    words: &'static Words,
    currency: &'v str,
    is_japanese: bool,
}

impl Bill {
    /// The bill of an invoice.
    pub fn of(view: &View, invoice: &Object, locale: Locale) -> Self {
        let maker = Maker {
            view,
            invoice,
            words: Words::of(locale),
            currency: text(invoice, "currency"),
            is_japanese: text(invoice, "account_country") == "JP",
        };
        let lines = maker.lines();
        let mark = maker.mark();
        Self {
            title: maker.words.invoice.to_owned(),
            addressee: maker.words.bill_to.to_owned(),
            due_name: maker.words.amount_due.to_owned(),
            merchant: text(invoice, "account_name").to_owned(),
            number: text(invoice, "number").to_owned(),
            facts: maker.facts(),
            registration: maker.registration(),
            bill_to: maker.bill_to(),
            reduced: lines.iter().any(|line| line.name.starts_with(mark)),
            lines,
            totals: maker.totals(),
            due: maker.amount(int(invoice, "amount_remaining")),
            rates: maker.rates(),
            memo: text(invoice, "description").to_owned(),
            footer: text(invoice, "footer").to_owned(),
        }
    }
}

/// An amount in its currency's own form: `¥1,500`, `$15.00`.
pub fn shown(minor: i64, currency: &str) -> String {
    currency.parse().map_or_else(
        |_| format!("{minor} {currency}"),
        |currency| Money::new(minor, currency).to_string(),
    )
}

/// A day as its readers write it; where the account is in Japan, Japan's.
pub fn day(at: i64, is_japanese: bool, words: &Words) -> String {
    let ahead = if is_japanese { JAPAN_AHEAD } else { 0 };
    let date = Timestamp(at).plus(ahead).rfc3339();
    let mut parts = date.get(..10).unwrap_or_default().split('-');
    let mut next = || parts.next().unwrap_or_default();
    let (year, month, day) = (next(), next(), next());
    let at = month.parse::<usize>().unwrap_or(1).saturating_sub(1);
    let month = words.months.split(' ').nth(at).unwrap_or_default();
    words.date(year, month, day.trim_start_matches('0'))
}

/// A percentage as it is written: `10`, `8.875`.
pub fn percent(rate: &Value) -> String {
    number(rate, "percentage")
}

/// A number with places behind its point, as it is written.
pub fn number(of: &Value, name: &str) -> String {
    let number = of.get(name).map(Value::to_string).unwrap_or_default();
    number.strip_suffix(".0").unwrap_or(&number).to_owned()
}

/// The lines of an address that are there, from the name of the house to the country.
pub fn address(of: &Value) -> Vec<String> {
    let member = |name: &str| Some(text(of, name)).filter(|it| !it.is_empty());
    let town: Vec<&str> = ["city", "state", "postal_code"].into_iter().filter_map(member).collect();
    let town = Some(town.join(", ")).filter(|it| !it.is_empty());
    let own = |name: &str| member(name).map(str::to_owned);
    [own("line1"), own("line2"), town, own("country")].into_iter().flatten().collect()
}

/// The tax ids that are named, else all of the account's own.
pub fn registered(view: &View, named: Option<&[Value]>, words: &Words) -> Vec<(String, String)> {
    let found: Vec<Arc<Object>> = match named {
        Some(ids) => ids.iter().filter_map(|id| view.get("tax_id", id.as_str()?)).collect(),
        None => view.newest("tax_id").filter(|it| !it["customer"].is_string()).collect(),
    };
    found
        .iter()
        .map(|it| {
            let kind = text(it, "type");
            let name = match kind {
                "jp_trn" => words.registration.to_owned(),
                other => other.replace('_', " ").to_uppercase(),
            };
            (name, text(it, "value").to_owned())
        })
        .collect()
}

impl Maker<'_> {
    fn amount(&self, minor: i64) -> String {
        shown(minor, self.currency)
    }

    fn day(&self, at: i64) -> String {
        day(at, self.is_japanese, self.words)
    }

    /// The sign of a reduced rate, which its note begins with.
    fn mark(&self) -> char {
        self.words.reduced.chars().next().unwrap_or('*')
    }

    fn facts(&self) -> Vec<(String, String)> {
        let (invoice, w) = (self.invoice, self.words);
        let at = |value: Option<&Value>| value.and_then(Value::as_i64).map(|at| self.day(at));
        let stamp = |name: &str| invoice.get("status_transitions").and_then(|it| it.get(name));
        let issued = at(invoice.get("effective_at")).or_else(|| at(stamp("finalized_at")));
        let (start, end) = (int(invoice, "period_start"), int(invoice, "period_end"));
        let period = (start < end).then(|| format!("{} – {}", self.day(start), self.day(end)));
        let known = [
            (w.number, Some(text(invoice, "number").to_owned())),
            (w.issued, issued),
            (w.due_date, at(invoice.get("due_date"))),
            (w.paid_on, at(stamp("paid_at"))),
            (w.period, period),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let own = invoice.get("custom_fields").and_then(Value::as_array);
        let own = own
            .into_iter()
            .flatten()
            .map(|it| (text(it, "name").to_owned(), text(it, "value").to_owned()));
        known.chain(own).collect()
    }

    fn registration(&self) -> Vec<(String, String)> {
        let named = self.invoice.get("account_tax_ids").and_then(Value::as_array);
        registered(self.view, named.map(Vec::as_slice), self.words)
    }

    fn bill_to(&self) -> Vec<String> {
        let member = |name: &str| Some(text(self.invoice, name)).filter(|it| !it.is_empty());
        let mut lines: Vec<String> =
            member("customer_name").map(str::to_owned).into_iter().collect();
        lines.extend(self.invoice.get("customer_address").map(address).into_iter().flatten());
        lines.extend(member("customer_email").map(str::to_owned));
        let ids = self.invoice.get("customer_tax_ids").and_then(Value::as_array);
        for id in ids.into_iter().flatten() {
            let kind = text(id, "type").replace('_', " ").to_uppercase();
            lines.push(format!("{kind} {}", text(id, "value")));
        }
        lines
    }

    fn lines(&self) -> Vec<BillLine> {
        let part = self.invoice.part::<InvoicePart>();
        let shown = self.invoice.pointer("/lines/data").and_then(Value::as_array);
        if part.lines.is_empty() {
            return shown.into_iter().flatten().map(|line| self.line(line)).collect();
        }
        part.lines.iter().map(|line| self.line(&line.doc)).collect()
    }

    fn line(&self, line: &Value) -> BillLine {
        let taxes = line.get("taxes").and_then(Value::as_array);
        let rates: Vec<String> = taxes
            .into_iter()
            .flatten()
            .filter_map(|tax| self.rate(tax))
            .map(|rate| percent(&rate))
            .collect();
        let reduced = self.is_japanese && rates.iter().any(|rate| rate == REDUCED);
        let name = text(line, "description");
        let (start, end) = match line.get("period") {
            Some(period) => (int(period, "start"), int(period, "end")),
            None => (0, 0),
        };
        let unit = line.pointer("/pricing/unit_amount_decimal").and_then(Value::as_str);
        let unit = unit.map(|unit| match unit.parse() {
            Ok(minor) => self.amount(minor),
            // A part of the smallest coin is shown as the API has it.
            Err(_) => format!("{unit} {}", self.currency),
        });
        BillLine {
            name: if reduced { format!("{} {name}", self.mark()) } else { name.to_owned() },
            period: if start < end {
                format!("{} – {}", self.day(start), self.day(end))
            } else {
                String::new()
            },
            quantity: line.get("quantity").and_then(Value::as_i64).unwrap_or(1).to_string(),
            unit: unit.unwrap_or_default(),
            rate: rates.iter().map(|rate| self.words.percent(rate)).collect::<Vec<_>>().join(" + "),
            amount: self.amount(int(line, "amount")),
        }
    }

    /// The tax rate that a tax is of.
    fn rate(&self, tax: &Value) -> Option<Arc<Object>> {
        self.view.get("tax_rate", tax.pointer("/tax_rate_details/tax_rate")?.as_str()?)
    }

    fn taxes(&self) -> impl Iterator<Item = (&Value, Arc<Object>)> {
        let taxes = self.invoice.get("total_taxes").and_then(Value::as_array);
        taxes.into_iter().flatten().filter_map(|tax| Some((tax, self.rate(tax)?)))
    }

    fn rates(&self) -> Vec<RateSum> {
        let sum = |(tax, rate): (&Value, Arc<Object>)| RateSum {
            rate: self.words.percent(&percent(&rate)),
            taxable: self.amount(int(tax, "taxable_amount")),
            tax: self.amount(int(tax, "amount")),
        };
        self.taxes().map(sum).collect()
    }

    fn totals(&self) -> Vec<(String, String)> {
        let (invoice, w) = (self.invoice, self.words);
        let mut rows: Vec<(String, i64)> = Vec::new();
        rows.push((w.subtotal.to_owned(), int(invoice, "subtotal")));
        let off = invoice.get("total_discount_amounts").and_then(Value::as_array);
        for discount in off.into_iter().flatten().filter(|it| int(it, "amount") != 0) {
            rows.push((self.discount_name(discount), -int(discount, "amount")));
        }
        if int(invoice, "amount_shipping") != 0 {
            rows.push((w.shipping.to_owned(), int(invoice, "amount_shipping")));
        }
        for (tax, rate) in self.taxes() {
            let (name, number) = (text(&rate, "display_name"), percent(&rate));
            let name = if text(tax, "tax_behavior") == "inclusive" {
                w.tax_within(name, &number)
            } else {
                w.tax_of(name, &number)
            };
            rows.push((name, int(tax, "amount")));
        }
        let (total, due) = (int(invoice, "total"), int(invoice, "amount_due"));
        rows.push((w.total.to_owned(), total));
        let credited = int(invoice, "pre_payment_credit_notes_amount");
        let mut more = |name: &str, amount: i64| {
            if amount != 0 {
                rows.push((name.to_owned(), amount));
            }
        };
        more(w.credited, -credited);
        more(w.balance, due - (total - credited));
        more(w.amount_paid, -int(invoice, "amount_paid"));
        rows.into_iter().map(|(name, minor)| (name, self.amount(minor))).collect()
    }

    /// What the coupon behind a discount is called.
    fn discount_name(&self, discount: &Value) -> String {
        let found = self.view.get("discount", text(discount, "discount"));
        let coupon =
            found.and_then(|it| self.view.get("coupon", it.pointer("/source/coupon")?.as_str()?));
        match coupon.as_ref().map_or("", |it| text(it, "name")) {
            "" => self.words.discount.to_owned(),
            own => own.to_owned(),
        }
    }
}
