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

/// How the book is written for another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One entry a line, as JSON.
    Jsonl,
    /// For beancount.
    Beancount,
    /// For hledger.
    Hledger,
}

impl Form {
    /// What stands before the entries, of which the postings are in these currencies.
    pub fn head(self, currencies: &BTreeSet<Currency>) -> String {
        let accounts = Account::ALL.map(Account::charted).into_iter();
        match self {
            Self::Jsonl => String::new(),
            // Accounts are open before anything that can have come.
            Self::Beancount => {
                let opened = accounts.map(|account| format!("1970-01-01 open {account}\n"));
                opened.collect::<Vec<String>>().concat()
            }
            Self::Hledger => {
                let commodity = |currency: &Currency| {
                    let zeros = "0".repeat(usize::from(currency.decimals()));
                    format!("commodity 1.{zeros} {}\n", commodity(*currency))
                };
                let accounts = accounts.map(|account| format!("account {account}\n"));
                accounts.chain(currencies.iter().map(commodity)).collect()
            }
        }
    }

    /// An entry, with the end of its last line.
    pub fn entry(self, it: &Booked) -> String {
        let (reason, object) = (it.entry.reason().name(), word(it.entry.about()));
        let (day, line, number) = (day(it), word(&it.line), it.number);
        match self {
            Self::Jsonl => json_line(it),
            Self::Beancount => {
                let head = format!("\n{day} * \"{reason}\" \"{object}\"\n  number: {number}\n");
                let taken = it.takes_back.map(|number| format!("  takes-back: {number}\n"));
                let line = format!("  line: \"{line}\"\n");
                [head, line, taken.unwrap_or_default(), postings(it)].concat()
            }
            Self::Hledger => {
                let taken = it.takes_back.map(|number| format!(", takes_back:{number}"));
                let taken = taken.unwrap_or_default();
                let about = format!("number:{number}, line:{line}{taken}");
                [format!("\n{day} * {reason} {object}  ; {about}\n"), postings(it)].concat()
            }
        }
    }
}

fn json_line(it: &Booked) -> String {
    let postings = it.entry.postings().iter().map(|one| {
        json!({"account": one.account.name(), "currency": one.currency.code(),
            "amount": one.amount})
    });
    let entry = json!({"number": it.number, "line": it.line, "created": it.created.rfc3339(),
        "received": it.received.rfc3339(), "subject": it.subject, "object": it.entry.about(),
        "reason": it.entry.reason().name(), "takes_back": it.takes_back,
        "postings": postings.collect::<Vec<_>>()});
    format!("{entry}\n")
}

/// All of these entries as JSON, one a line.
#[cfg(test)]
pub fn jsonl(entries: &[Booked]) -> String {
    entries.iter().map(|it| Form::Jsonl.entry(it)).collect()
}

fn postings(it: &Booked) -> String {
    let lines = it.entry.postings().iter().map(|one| {
        let money = Money::new(one.amount, one.currency).plain();
        format!("  {}  {money} {}\n", one.account.charted(), commodity(one.currency))
    });
    lines.collect()
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
