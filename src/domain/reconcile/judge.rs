//! Rows under one key, judged together: a payment with its refunds on each side, and what is there too often.

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::reconcile::{Finding, Side, Verdict};
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashSet};

/// How rows are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// When it is.
    pub now: Timestamp,
    /// How many seconds old something must be before it is missed.
    pub window_s: i64,
    /// By how many minor units amounts may be apart; nothing where a currency is not named.
    pub tolerance: BTreeMap<Currency, i64>,
    /// Objects of which a delivery is under way.
    pub under_way: HashSet<String>,
}

/// What became of a row under a key.
pub enum Matched<'r> {
    /// It was judged.
    Found(&'r Finding),
    /// Nothing stands against it under this key, and it has another.
    Later(Side, &'r Row),
}

/// One side of a group: its payment, what stands there too often, and whether refunds came by themselves.
struct Folded {
    main: Option<Row>,
    extra: Vec<Row>,
}

/// Judges the rows under one value of `key`.
pub fn group<E>(
    rules: &Rules,
    key: Key,
    [ours, theirs]: [Vec<Row>; 2],
    out: &mut impl FnMut(Matched<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let names = |rows: &[Row]| rows.iter().map(|row| row.id.clone()).collect::<HashSet<_>>();
    let (our_names, their_names) = (names(&ours), names(&theirs));
    let mut ours = fold(ours, &their_names);
    let mut theirs = fold(theirs, &our_names);
    if key == Key::Reference {
        // A merchant's own number may stand for several payments: what is there on both sides belongs together.
        while !ours.extra.is_empty() && !theirs.extra.is_empty() {
            let (own, other) = (ours.extra.remove(0), theirs.extra.remove(0));
            out(Matched::Found(&pair(rules, key, own, other)))?;
        }
    }
    match (ours.main, theirs.main) {
        (Some(ours), Some(theirs)) => out(Matched::Found(&pair(rules, key, ours, theirs)))?,
        (Some(row), None) => alone(rules, key, Side::Ours, &row, out)?,
        (None, Some(row)) => alone(rules, key, Side::Theirs, &row, out)?,
        (None, None) => {}
    }
    for (side, rows) in [(Side::Ours, ours.extra), (Side::Theirs, theirs.extra)] {
        for row in rows {
            let verdict = match side {
                Side::Ours => Verdict::DuplicateInLedger,
                Side::Theirs => Verdict::DuplicateAtProvider,
            };
            out(Matched::Found(&single(verdict, key, side, row)))?;
        }
    }
    Ok(())
}

/// Which of several names of one payment tells most of it.
fn rank(row: &Row) -> usize {
    let names = ["cs_", "pi_", "ch_", "py_"];
    names.iter().position(|name| row.id.starts_with(name)).unwrap_or(names.len())
}

fn fold(mut rows: Vec<Row>, others: &HashSet<String>) -> Folded {
    rows.sort_by(|a, b| (a.created, a).cmp(&(b.created, b)));
    let (payments, rest): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.what == What::Payment);
    let (refunds, own): (Vec<Row>, Vec<Row>) =
        rest.into_iter().partition(|row| row.what == What::Refund);
    let (mut folded, views) = chosen(if payments.is_empty() { own } else { payments }, others);
    if let Some(main) = &mut folded.main {
        for view in &views {
            main.absorb(view);
        }
    }
    let mut seen: HashSet<String> = HashSet::new();
    let (mut total, mut any, mut first) = (0_i64, false, None);
    for row in refunds {
        if !seen.insert(row.id.clone()) {
            folded.extra.push(row);
            continue;
        }
        any = true;
        if row.status != Some(EntryStatus::Failed) {
            total = total.saturating_add(row.amount);
        }
        first = first.or(Some(row));
    }
    match (&mut folded.main, first) {
        // A refund's row is surer than a total, but for one that says more: not every refund may be listed.
        (Some(main), _) if any => main.refunded = Some(total),
        (None, Some(first)) => folded.main = Some(Row { amount: total, ..first }),
        _ => {}
    }
    folded
}

/// The payment, what is there too often, and other names of it.
fn chosen(mut payments: Vec<Row>, others: &HashSet<String>) -> (Folded, Vec<Row>) {
    let paid = payments.iter().any(|row| row.status.is_some_and(EntryStatus::was_paid));
    let ids: HashSet<&str> = payments.iter().map(|row| row.id.as_str()).collect();
    if paid && ids.len() > 1 {
        // Attempts that failed before the one that did not.
        payments.retain(|row| rank(row) < 2 || row.status != Some(EntryStatus::Failed));
    }
    let Some(best) = payments.iter().map(rank).min() else {
        return (Folded { main: None, extra: Vec::new() }, Vec::new());
    };
    let (mut own, views): (Vec<Row>, Vec<Row>) =
        payments.into_iter().partition(|row| rank(row) == best);
    let at = own.iter().position(|row| others.contains(&row.id)).unwrap_or(0);
    let main = own.remove(at);
    (Folded { main: Some(main), extra: own }, views)
}

/// Judges a row that nothing stands against.
pub fn alone<E>(
    rules: &Rules,
    key: Key,
    side: Side,
    row: &Row,
    out: &mut impl FnMut(Matched<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if row.first_key(Some(key)).is_some() {
        return out(Matched::Later(side, row));
    }
    let verdict = match side {
        _ if rules.waits_for(row) => Verdict::Pending,
        Side::Ours => Verdict::MissingAtProvider,
        Side::Theirs => Verdict::MissingInLedger,
    };
    out(Matched::Found(&single(verdict, key, side, row.clone())))
}

fn single(verdict: Verdict, key: Key, side: Side, row: Row) -> Finding {
    let id = row.id.clone();
    let (ours, theirs) = match side {
        Side::Ours => (Some(row), None),
        Side::Theirs => (None, Some(row)),
    };
    Finding { verdict, id, key, difference: None, ours, theirs }
}

fn pair(rules: &Rules, key: Key, ours: Row, theirs: Row) -> Finding {
    let mut finding = Finding { ours: Some(ours), theirs: Some(theirs), ..Finding::blank() };
    judged(rules, key, &mut finding);
    finding
}

/// Says of the two rows of a finding how they compare.
pub fn judged(rules: &Rules, key: Key, finding: &mut Finding) {
    let Finding { ours: Some(ours), theirs: Some(theirs), .. } = finding else { return };
    let (mut verdict, difference) = compare(rules, ours, theirs);
    let moves = matches!(verdict, Verdict::Status | Verdict::Refund | Verdict::Dispute);
    if moves && rules.waits_for(theirs) {
        verdict = Verdict::Pending;
    }
    let id = if rank(ours) < rank(theirs) { &ours.id } else { &theirs.id };
    finding.id.clone_from(id);
    (finding.verdict, finding.key, finding.difference) = (verdict, key, difference);
}

/// The first difference of two rows, and by how much they are apart.
pub fn compare(rules: &Rules, ours: &Row, theirs: &Row) -> (Verdict, Option<i64>) {
    if ours.livemode.zip(theirs.livemode).is_some_and(|(a, b)| a != b) {
        return (Verdict::Livemode, None);
    }
    if ours.currency != theirs.currency {
        return (Verdict::Currency, None);
    }
    let currency = ours.currency;
    if let Some(by) = rules.beyond(currency, Some(ours.amount), Some(theirs.amount)) {
        let verdict = if ours.what == What::Refund { Verdict::Refund } else { Verdict::Amount };
        let dispute = ours.what == What::Dispute;
        return (if dispute { Verdict::Dispute } else { verdict }, Some(by));
    }
    if ours.status.map(settled).zip(theirs.status.map(settled)).is_some_and(|(a, b)| a != b) {
        return (Verdict::Status, None);
    }
    let amounts = [
        (Verdict::Dispute, ours.disputed, theirs.disputed),
        (Verdict::Refund, ours.refunded, theirs.refunded),
        (Verdict::Fee, ours.fee, theirs.fee),
    ];
    for (verdict, own, other) in amounts {
        if let Some(by) = rules.beyond(currency, own, other) {
            return (verdict, Some(by));
        }
    }
    if parts_differ(ours, theirs) || parts_differ(theirs, ours) {
        return (Verdict::Refund, None);
    }
    (Verdict::Match, None)
}

/// Where money stands, whatever went back of it since.
const fn settled(status: EntryStatus) -> EntryStatus {
    if status.was_paid() { EntryStatus::Paid } else { status }
}

/// Whether one side says that a part went back and not how much, and the other that none or all did.
fn parts_differ(one: &Row, other: &Row) -> bool {
    let says_part = one.status == Some(EntryStatus::PartiallyRefunded) && one.refunded.is_none();
    let part = |refunded: i64| 0 < refunded && refunded < other.amount;
    says_part && other.refunded.is_some_and(|refunded| !part(refunded))
}

impl Rules {
    /// How far two amounts are apart, where that is more than is tolerated and both are known.
    fn beyond(&self, currency: Currency, ours: Option<i64>, theirs: Option<i64>) -> Option<i64> {
        let by = ours?.saturating_sub(theirs?);
        let tolerated = self.tolerance.get(&currency).copied().unwrap_or(0);
        (by.unsigned_abs() > tolerated.unsigned_abs()).then_some(by)
    }

    /// Whether what is said of a row may still arrive.
    fn waits_for(&self, row: &Row) -> bool {
        let young = self.window_s > 0 && self.now.since(row.created) < self.window_s;
        young || row.names().any(|name| self.under_way.contains(name))
    }

    /// What a payout is more than its parts, where that is more than is tolerated.
    pub fn remainder(&self, payout: &Row, parts: i128) -> Option<i64> {
        let left = i128::from(payout.amount) - parts;
        let left = i64::try_from(left).unwrap_or(if left < 0 { i64::MIN } else { i64::MAX });
        self.beyond(payout.currency, Some(left), Some(0))
    }
}
