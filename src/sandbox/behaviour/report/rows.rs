//! Which transactions a report has, and their sums.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::report::cell::{self, Zone};
use crate::sandbox::behaviour::report::kinds::{Report, Scope};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::TransactionPart;
use crate::sandbox::engine::txn::Txn;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// From this instant on.
    pub from: i64,
    /// Before this one.
    pub until: i64,
    /// Of this currency alone.
    pub currency: Option<String>,
    /// Of this category alone.
    pub category: Option<String>,
    /// Of this payout.
    pub payout: Option<String>,
    /// The columns.
    pub columns: Vec<String>,
    /// Where the times that are not UTC are.
    pub zone: Zone,
}

/// The automatic payout that a transaction is in.
pub fn payout_of(txn: &Txn<'_>, row: &Object) -> Option<Arc<Object>> {
    let part = row.part::<TransactionPart>();
    txn.get("payout", part.payout.as_deref()?)
}

fn is_payout(row: &Value) -> bool {
    matches!(text(row, "reporting_category"), "payout" | "payout_reversal")
}

/// The transactions of a report, oldest first.
pub fn select(txn: &Txn<'_>, report: &Report, asked: &Asked) -> Vec<Arc<Object>> {
    let within = |at: i64| (asked.from..asked.until).contains(&at);
    let fits = |row: &Arc<Object>| {
        asked.currency.as_deref().is_none_or(|it| text(row, "currency") == it)
            && asked.category.as_deref().is_none_or(|it| text(row, "reporting_category") == it)
            && match report.scope {
                Scope::Activity => !is_payout(row) && within(int(row, "created")),
                Scope::Payouts => is_payout(row) && within(int(row, "created")),
                Scope::Balance => int(row, "created") < asked.until,
                // A payout's own transaction is not what it pays.
                Scope::Paid => payout_of(txn, row).is_some_and(|it| {
                    within(int(&it, "arrival_date")) && text(row, "source") != text(&it, "id")
                }),
                Scope::PaidBy => {
                    let payout = asked.payout.as_deref();
                    row.part::<TransactionPart>().payout.as_deref() == payout
                        && payout != Some(text(row, "source"))
                }
            }
    };
    let mut rows: Vec<Arc<Object>> = txn.newest("balance_transaction").filter(fits).collect();
    rows.reverse();
    rows
}

/// The lines of a report below its head.
pub fn lines(txn: &Txn<'_>, report: &Report, asked: &Asked) -> Vec<Vec<String>> {
    let rows = select(txn, report, asked);
    if report.scope == Scope::Balance {
        return balance(&rows, asked);
    }
    if report.itemized {
        let line = |row: &Arc<Object>| {
            let cells = asked.columns.iter().map(|name| cell::of(txn, row, name, asked.zone));
            cells.collect()
        };
        return rows.iter().map(line).collect();
    }
    let mut sums: BTreeMap<(&str, &str), [i64; 4]> = BTreeMap::new();
    for row in &rows {
        let sum = sums.entry((text(row, "currency"), text(row, "reporting_category"))).or_default();
        let parts = [1, int(row, "amount"), int(row, "fee"), int(row, "net")];
        for (total, part) in sum.iter_mut().zip(parts) {
            *total += part;
        }
    }
    let line = |((currency, category), [count, gross, fee, net]): (&(&str, &str), &[i64; 4])| {
        let value = |name: &String| match name.as_str() {
            "reporting_category" => (*category).to_owned(),
            "currency" => (*currency).to_owned(),
            "count" => count.to_string(),
            "gross" => cell::money(*gross, currency),
            "fee" => cell::money(*fee, currency),
            _ => cell::money(*net, currency),
        };
        asked.columns.iter().map(value).collect()
    };
    sums.iter().map(line).collect()
}

/// What there was, what came and went, what there is: by currency.
fn balance(rows: &[Arc<Object>], asked: &Asked) -> Vec<Vec<String>> {
    let mut sums: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
    for row in rows {
        let net = int(row, "net");
        let [start, activity, payouts, end] = sums.entry(text(row, "currency")).or_default();
        *end += net;
        if int(row, "created") < asked.from {
            *start += net;
        } else if is_payout(row) {
            *payouts += net;
        } else {
            *activity += net;
        }
    }
    let day = |at: i64| Timestamp(at).rfc3339().get(..10).unwrap_or_default().to_owned();
    let words = [
        ("starting_balance", format!("Starting balance ({})", day(asked.from))),
        ("activity", "Activity".to_owned()),
        ("payouts", "Payouts".to_owned()),
        ("ending_balance", format!("Ending balance ({})", day(asked.until))),
    ];
    let mut lines = Vec::new();
    for (currency, sum) in sums {
        for ((category, description), amount) in words.iter().zip(sum) {
            let value = |name: &String| match name.as_str() {
                "category" => (*category).to_owned(),
                "description" => description.clone(),
                "net_amount" => cell::money(amount, currency),
                _ => currency.to_owned(),
            };
            lines.push(asked.columns.iter().map(value).collect());
        }
    }
    lines
}
