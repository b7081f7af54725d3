//! The sums of rows that agree: those of all that are joined, less the ones that were read because they do not agree. So
//! what agrees is joined once, and stays on the server.

use crate::domain::currency::Currency;
use crate::domain::reconcile::row::{Key, Row as Compared, What};
use crate::domain::reconcile::summary::Many;
use crate::domain::reconcile::{Side, Summary};
use crate::store::book::clamped;
use crate::store::postgres::held::{PAID, PAYMENT, under};
use crate::store::postgres::joined::what;
use crate::store::postgres::{PgError, Reading, line};
use std::collections::BTreeMap;

/// Whether rows are the ledger's, and what else they have in common: what [`Many`] says.
type Kind = (bool, Currency, What, String, bool);

/// What rows of one kind come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    rows: i64,
    amount: i128,
    fee: i128,
    refunded: (i64, i128),
    disputed: (i64, i128),
}

/// The sums of both sides' rows, by their kind.
#[derive(Debug, Default)]
pub(super) struct Agreeing(BTreeMap<Kind, Sums>);

impl Agreeing {
    /// Of everything under a key, none of whose values several rows of a side have.
    pub(super) fn all(reading: &Reading, key: Key) -> Result<Self, PgError> {
        let side = |number: u8, table: &str| {
            format!(
                "SELECT {number} AS side, currency, what, category, \
                 (what = {PAYMENT} AND (status IS NULL OR {PAID})) AS paid, count(*), sum(amount)::text, \
                 COALESCE(sum(fee), 0)::text, count(*) FILTER (WHERE refunded <> 0), \
                 COALESCE(sum(refunded), 0)::text, count(*) FILTER (WHERE disputed <> 0), \
                 COALESCE(sum(disputed), 0)::text FROM {} AS it GROUP BY 1, 2, 3, 4, 5",
                under(table, key)
            )
        };
        let mut found = BTreeMap::new();
        let sql = format!("{} UNION ALL {}", side(0, "held"), side(1, "given"));
        for row in reading.rows(&sql, Vec::new())? {
            let is_ledger = row.get::<i32>(0)? == 0;
            let kind =
                (is_ledger, line::currency(&row, 1)?, what(&row, 2)?, row.get(3)?, row.get(4)?);
            let sums = Sums {
                rows: row.get(5)?,
                amount: line::sum(&row, 6)?,
                fee: line::sum(&row, 7)?,
                refunded: (row.get(8)?, line::sum(&row, 9)?),
                disputed: (row.get(10)?, line::sum(&row, 11)?),
            };
            found.insert(kind, sums);
        }
        Ok(Self(found))
    }

    /// Less this one, which does not agree.
    pub(super) fn take_out(&mut self, is_ledger: bool, row: &Compared) {
        let kind = (is_ledger, row.currency, row.what, row.category.clone(), row.was_paid());
        let sums = self.0.entry(kind).or_default();
        let part = |(rows, sum): (i64, i128), amount: Option<i64>| {
            let amount = amount.unwrap_or(0);
            (rows - i64::from(amount != 0), sum - i128::from(amount))
        };
        *sums = Sums {
            rows: sums.rows - 1,
            amount: sums.amount - i128::from(row.amount),
            fee: sums.fee - i128::from(row.fee.unwrap_or(0)),
            refunded: part(sums.refunded, row.refunded),
            disputed: part(sums.disputed, row.disputed),
        };
    }

    /// Counts in what is left; the ledger is `side`.
    pub(super) fn count_into(self, side: Side, summary: &mut Summary) {
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        for ((is_ledger, currency, what, category, paid), sums) in self.0 {
            if sums.rows <= 0 {
                continue;
            }
            let many = Many {
                currency,
                what,
                category,
                paid,
                rows: count(sums.rows),
                amount: clamped(sums.amount),
                fee: clamped(sums.fee),
                refunded: (count(sums.refunded.0), clamped(sums.refunded.1)),
                disputed: (count(sums.disputed.0), clamped(sums.disputed.1)),
            };
            summary.add_agreeing(if is_ledger { side } else { side.other() }, &many);
        }
    }
}
