//! The book as other programs read it.

use crate::domain::book::{Account, Booked};
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use serde_json::json;
use std::collections::BTreeSet;

impl Account {
    /// Where it stands in a chart of accounts as plain-text ledgers have one.
    const fn charted(self) -> &'static str {
        match self {
            Self::StripeBalance => "Assets:StripeBalance",
            Self::Receivable => "Assets:Receivable",
            Self::Payouts => "Assets:Payouts",
            Self::Revenue => "Income:Revenue",
            Self::Fees => "Expenses:Fees",
            Self::Refunds => "Expenses:Refunds",
            Self::Disputes => "Expenses:Disputes",
            Self::Taxes => "Liabilities:Taxes",
            Self::Conversion => "Equity:Conversion",
        }
    }
}

/// One entry a line, as JSON.
pub fn jsonl(entries: &[Booked]) -> String {
    lines(entries.iter().map(|it| {
        let postings = it.entry.postings().iter().map(|one| {
            json!({"account": one.account.name(), "currency": one.currency.code(),
                "amount": one.amount})
        });
        let entry = json!({"number": it.number, "line": it.line, "created": it.created.rfc3339(),
            "received": it.received.rfc3339(), "subject": it.subject, "object": it.entry.about(),
            "reason": it.entry.reason().name(), "takes_back": it.takes_back,
            "postings": postings.collect::<Vec<_>>()});
        entry.to_string()
    }))
}

/// For beancount.
pub fn beancount(entries: &[Booked]) -> String {
    // Accounts are open before anything that can have come.
    let opened = Account::ALL.map(|account| format!("1970-01-01 open {}", account.charted()));
    lines(opened.into_iter().chain(entries.iter().map(|it| {
        let (reason, object) = (it.entry.reason().name(), word(it.entry.about()));
        let head = format!("\n{} * \"{reason}\" \"{object}\"\n  number: {}\n", day(it), it.number);
        let taken = it.takes_back.map(|number| format!("  takes-back: {number}\n"));
        let line = format!("  line: \"{}\"\n", word(&it.line));
        [head, line, taken.unwrap_or_default(), postings(it)].concat()
    })))
}

/// For hledger.
pub fn hledger(entries: &[Booked]) -> String {
    let accounts = Account::ALL.map(|account| format!("account {}", account.charted()));
    let used = entries.iter().flat_map(|it| it.entry.postings()).map(|one| one.currency);
    let currencies: BTreeSet<Currency> = used.collect();
    let commodities = currencies.iter().map(|currency| {
        let zeros = "0".repeat(usize::from(currency.decimals()));
        format!("commodity 1.{zeros} {}", commodity(*currency))
    });
    lines(accounts.into_iter().chain(commodities).chain(entries.iter().map(|it| {
        let (reason, object) = (it.entry.reason().name(), word(it.entry.about()));
        let taken = it.takes_back.map(|number| format!(", takes_back:{number}"));
        let (line, taken) = (word(&it.line), taken.unwrap_or_default());
        let number = it.number;
        let head =
            format!("\n{} * {reason} {object}  ; number:{number}, line:{line}{taken}\n", day(it));
        [head, postings(it)].concat()
    })))
}

fn postings(it: &Booked) -> String {
    let lines = it.entry.postings().iter().map(|one| {
        let money = Money::new(one.amount, one.currency).plain();
        format!("  {}  {money} {}", one.account.charted(), commodity(one.currency))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn day(it: &Booked) -> String {
    it.created.rfc3339().chars().take_while(|c| *c != 'T').collect()
}

fn commodity(currency: Currency) -> String {
    currency.code().to_uppercase()
}

/// What others wrote, without what could end a word or begin a command.
fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    text.chars().map(plain).collect()
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}
