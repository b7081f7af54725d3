//! What a comparison comes to: how many rows have each verdict, what was paid, and the money by category.

use crate::domain::currency::Currency;
use crate::domain::reconcile::row::{Row, What};
use crate::domain::reconcile::{Finding, Side, Verdict};
use std::collections::BTreeMap;

/// The reporting category of a dispute that was won.
const REVERSAL: &str = "dispute_reversal";

/// How many sums are gone through before one is looked up.
const FEW: usize = 16;

/// What came in by one currency on both sides, in minor units, refunds not taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many payments these are, of both sides.
    pub rows: u64,
    /// Amounts that the ledger says were paid.
    pub ours: i64,
    /// Amounts that the provider says were paid.
    pub theirs: i64,
}

/// What moved in one currency for one reason on one side, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// How many rows.
    pub rows: u64,
    /// Before the fee.
    pub gross: i64,
    /// What the provider kept.
    pub fee: i64,
    /// What is left.
    pub net: i64,
}

/// What a comparison comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows have each verdict; a verdict that none has is not in it.
    pub counts: BTreeMap<Verdict, usize>,
    /// Sums of what was paid, by currency.
    pub sums: BTreeMap<Currency, Sum>,
    /// The money by currency and reporting category, ours and theirs.
    pub money: BTreeMap<(Currency, String), [Flow; 2]>,
}

/// Rows of one side and one kind that agree with the other side's, counted elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many {
    /// Their currency.
    pub currency: Currency,
    /// What they are about.
    pub what: What,
    /// Their reporting category, where they name one.
    pub category: String,
    /// Whether they were paid.
    pub paid: bool,
    /// How many.
    pub rows: u64,
    /// What they come to.
    pub amount: i64,
    /// What was kept of them.
    pub fee: i64,
    /// Of how many something went back, and how much.
    pub refunded: (u64, i64),
    /// Of how many the payer's bank took something, and how much.
    pub disputed: (u64, i64),
}

impl Summary {
    /// Counts rows in that agree: as [`Summary::add`] counts their findings one by one.
    pub fn add_agreeing(&mut self, side: Side, many: &Many) {
        let Many { currency, what, rows, amount, fee, .. } = *many;
        if side == Side::Ours {
            let count = self.counts.entry(Verdict::Match).or_insert(0);
            *count = count.saturating_add(usize::try_from(rows).unwrap_or(usize::MAX));
        }
        if many.paid {
            let sum = self.sums.entry(currency).or_default();
            sum.rows = sum.rows.saturating_add(rows);
            let own = if side == Side::Ours { &mut sum.ours } else { &mut sum.theirs };
            *own = own.saturating_add(amount);
        }
        if what == What::Payment && !many.paid {
            return;
        }
        let gross = match what {
            What::Refund | What::Dispute | What::Payout => amount.saturating_neg(),
            What::Payment | What::Other => amount,
        };
        let category = if many.category.is_empty() { what.category() } else { &many.category };
        self.flow_of(side, (currency, category), rows, [gross, fee]);
        let (count, back) = many.refunded;
        let (category, back) = match what {
            What::Dispute => (REVERSAL, back),
            _ => (What::Refund.category(), back.saturating_neg()),
        };
        self.flow_of(side, (currency, category), count, [back, 0]);
        let (count, taken) = many.disputed;
        let category = What::Dispute.category();
        self.flow_of(side, (currency, category), count, [taken.saturating_neg(), 0]);
    }

    fn flow_of(&mut self, side: Side, of: (Currency, &str), rows: u64, [gross, fee]: [i64; 2]) {
        if rows == 0 {
            return;
        }
        let [ours, theirs] = self.money.entry((of.0, of.1.to_owned())).or_default();
        let flow = if side == Side::Ours { ours } else { theirs };
        flow.rows = flow.rows.saturating_add(rows);
        flow.gross = flow.gross.saturating_add(gross);
        flow.fee = flow.fee.saturating_add(fee);
        flow.net = flow.net.saturating_add(gross.saturating_sub(fee));
    }

    /// Counts a finding in.
    pub fn add(&mut self, finding: &Finding) {
        *self.counts.entry(finding.verdict).or_insert(0) += 1;
        self.change(finding, 1);
    }

    /// Counts in what another one counted.
    pub fn add_all(&mut self, other: &Self) {
        for (verdict, count) in &other.counts {
            *self.counts.entry(*verdict).or_insert(0) += count;
        }
        for (currency, more) in &other.sums {
            let sum = self.sums.entry(*currency).or_default();
            sum.rows = sum.rows.saturating_add(more.rows);
            for (own, more) in [(&mut sum.ours, more.ours), (&mut sum.theirs, more.theirs)] {
                *own = own.saturating_add(more);
            }
        }
        for (kind, more) in &other.money {
            let flows = self.money.entry(kind.clone()).or_default();
            for (flow, more) in flows.iter_mut().zip(more) {
                flow.rows = flow.rows.saturating_add(more.rows);
                flow.gross = flow.gross.saturating_add(more.gross);
                flow.fee = flow.fee.saturating_add(more.fee);
                flow.net = flow.net.saturating_add(more.net);
            }
        }
    }

    /// Counts a finding out that was counted in.
    pub fn take_back(&mut self, finding: &Finding) {
        let count = self.counts.entry(finding.verdict).or_insert(0);
        *count = count.saturating_sub(1);
        self.change(finding, -1);
        self.counts.retain(|_, count| *count > 0);
        self.sums.retain(|_, sum| sum.rows > 0);
        self.money.retain(|_, flows| flows.iter().any(|flow| flow.rows > 0));
    }

    /// Whether every sum is far from where counting ends, so that it can be taken back from.
    pub fn is_exact(&self) -> bool {
        let sums = self.sums.values().flat_map(|it| [it.ours, it.theirs]);
        let flows = self.money.values().flatten().flat_map(|it| [it.gross, it.fee, it.net]);
        sums.chain(flows).all(|sum| sum.unsigned_abs() < u64::MAX / 4)
    }

    fn change(&mut self, finding: &Finding, by: i64) {
        if finding.verdict == Verdict::PayoutRemainder {
            // The payout itself was counted when it was compared.
            return;
        }
        for (side, row) in [(Side::Ours, &finding.ours), (Side::Theirs, &finding.theirs)] {
            if let Some(row) = row {
                self.take(side, row, by);
            }
        }
    }

    fn take(&mut self, side: Side, row: &Row, by: i64) {
        if row.was_paid() {
            let sum = self.sums.entry(row.currency).or_default();
            sum.rows = sum.rows.saturating_add_signed(by);
            let own = if side == Side::Ours { &mut sum.ours } else { &mut sum.theirs };
            *own = own.saturating_add(row.amount.saturating_mul(by));
        }
        if row.what == What::Payment && !row.was_paid() {
            return;
        }
        let gross = match row.what {
            What::Refund | What::Dispute | What::Payout => row.amount.saturating_neg(),
            What::Payment | What::Other => row.amount,
        };
        let category = if row.category.is_empty() { row.what.category() } else { &row.category };
        self.flow(side, row.currency, category, [gross, row.fee.unwrap_or(0)], by);
        // What came back of a dispute comes in; what came back of a payment goes out.
        let back = match row.what {
            What::Dispute => (REVERSAL, row.refunded),
            _ => (What::Refund.category(), row.refunded.map(i64::saturating_neg)),
        };
        let taken = (What::Dispute.category(), row.disputed.map(i64::saturating_neg));
        for (category, amount) in [back, taken] {
            if let Some(gross) = amount.filter(|gross| *gross != 0) {
                self.flow(side, row.currency, category, [gross, 0], by);
            }
        }
    }

    fn flow(
        &mut self,
        side: Side,
        currency: Currency,
        category: &str,
        [gross, fee]: [i64; 2],
        by: i64,
    ) {
        // Of few there are many: those are found without a name of their own.
        let known = self.money.iter_mut().take(FEW);
        let mut known = known.filter(|((of, name), _)| *of == currency && name == category);
        let flows = match known.next() {
            Some((_, flows)) => flows,
            None => self.money.entry((currency, category.to_owned())).or_default(),
        };
        let [ours, theirs] = flows;
        let flow = if side == Side::Ours { ours } else { theirs };
        flow.rows = flow.rows.saturating_add_signed(by);
        let net = gross.saturating_sub(fee);
        for (sum, more) in [(&mut flow.gross, gross), (&mut flow.fee, fee), (&mut flow.net, net)] {
            *sum = sum.saturating_add(more.saturating_mul(by));
        }
    }

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.counts.keys().all(|verdict| verdict.is_well())
    }

    /// How many rows have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts.get(&verdict).copied().unwrap_or(0)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many rows differ.
    pub fn differing(&self) -> usize {
        let differing = self.counts.iter().filter(|(verdict, _)| !verdict.is_well());
        differing.map(|(_, count)| count).sum()
    }
}
