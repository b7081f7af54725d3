//! Compares what the ledger says with what the provider says, session by session. Pure; a hash join, so
//! that millions of rows take seconds; the answer does not depend on the order of either side.

use crate::domain::currency::Currency;
use crate::domain::entry::{Entry, EntryStatus, RefundFacts, Refunded, with_refunds};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// What one side says about one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `cs_…`.
    pub session_id: String,
    /// The session's total, in minor units of its currency.
    pub amount: Money,
    /// Where the money stands, refunds included.
    pub status: EntryStatus,
    /// When the session was created.
    pub created: Timestamp,
    /// `pi_…`, where there is one.
    pub payment_intent: Option<String>,
}

impl Record {
    /// What an entry says once `refunded` minor units of it went back.
    pub fn of(entry: &Entry, refunded: i64) -> Self {
        Self {
            session_id: entry.session_id.clone(),
            amount: entry.money(),
            status: with_refunds(entry.status, entry.amount, refunded),
            created: entry.created,
            payment_intent: entry.payment_intent.clone(),
        }
    }
}

/// The provider's sessions with its refunds taken into account.
pub fn provider_records<'e>(
    sessions: impl IntoIterator<Item = &'e Entry>,
    refunds: impl IntoIterator<Item = &'e Refunded>,
) -> Vec<Record> {
    let mut by_intent: HashMap<&str, RefundFacts> = HashMap::new();
    for refund in refunds {
        let facts = by_intent.entry(refund.payment_intent.as_str()).or_default();
        facts.learn(&refund.source, refund.state, refund.amount);
    }
    let refunded = |entry: &Entry| {
        let facts = entry.payment_intent.as_deref().and_then(|intent| by_intent.get(intent));
        facts.map_or(0, RefundFacts::total)
    };
    sessions.into_iter().map(|entry| Record::of(entry, refunded(entry))).collect()
}

/// How one session compares. Of several differences the first in this order is the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// A side has it more than once, or the ledger has its PaymentIntent under two sessions.
    Duplicate,
    /// Only the provider has it.
    MissingInLedger,
    /// Only the ledger has it.
    MissingAtProvider,
    /// The currencies differ.
    Currency,
    /// The amounts differ.
    Amount,
    /// The statuses differ.
    Status,
    /// Both say the same.
    Match,
}

impl Verdict {
    /// Every verdict, in the order in which a summary shows them.
    pub const ALL: [Self; 7] = [
        Self::Match,
        Self::MissingInLedger,
        Self::MissingAtProvider,
        Self::Amount,
        Self::Currency,
        Self::Status,
        Self::Duplicate,
    ];

    /// The word that tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "DUPLICATE",
            Self::MissingInLedger => "MISSING_IN_LEDGER",
            Self::MissingAtProvider => "MISSING_AT_PROVIDER",
            Self::Currency => "CURRENCY",
            Self::Amount => "AMOUNT",
            Self::Status => "STATUS",
            Self::Match => "MATCH",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One session with what each side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How they compare.
    pub verdict: Verdict,
    /// `cs_…`.
    pub session_id: String,
    /// What the ledger says.
    pub ours: Option<Record>,
    /// What the provider says.
    pub theirs: Option<Record>,
}

/// What came in by one currency on both sides, in minor units, refunds not taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Amounts that the ledger says were paid.
    pub ours: i64,
    /// Amounts that the provider says were paid.
    pub theirs: i64,
}

/// The whole comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Every session, oldest first, then by id.
    pub rows: Vec<Line>,
    /// How many rows have each verdict; a verdict that none has is not in it.
    pub counts: BTreeMap<Verdict, usize>,
    /// Sums of what was paid, by currency.
    pub sums: BTreeMap<Currency, Sum>,
}

impl Reconciliation {
    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.counts.keys().all(|verdict| *verdict == Verdict::Match)
    }

    /// How many rows have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts.get(&verdict).copied().unwrap_or(0)
    }

    /// The rows that differ.
    pub fn differences(&self) -> impl Iterator<Item = &Line> {
        self.rows.iter().filter(|line| line.verdict != Verdict::Match)
    }
}

/// Compares the ledger's records with the provider's.
pub fn reconcile(mut ours: Vec<Record>, mut theirs: Vec<Record>) -> Reconciliation {
    sort(&mut ours);
    sort(&mut theirs);
    let theirs_ids: HashSet<String> = theirs.iter().map(|r| r.session_id.clone()).collect();
    let mut rows = Vec::with_capacity(ours.len().max(theirs.len()));
    let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
    for record in ours.iter().filter(|record| record.status.was_paid()) {
        let sum = sums.entry(record.amount.currency).or_default();
        sum.ours = sum.ours.saturating_add(record.amount.minor);
    }
    for record in theirs.iter().filter(|record| record.status.was_paid()) {
        let sum = sums.entry(record.amount.currency).or_default();
        sum.theirs = sum.theirs.saturating_add(record.amount.minor);
    }
    let claimed = intents(&ours, &theirs_ids);
    let mut by_id: HashMap<String, Record> = HashMap::with_capacity(ours.len());
    for record in ours {
        if by_id.contains_key(&record.session_id) {
            rows.push(line(Verdict::Duplicate, Some(record), None));
        } else {
            by_id.insert(record.session_id.clone(), record);
        }
    }
    let mut seen: HashSet<String> = HashSet::with_capacity(theirs.len());
    for record in theirs {
        if !seen.insert(record.session_id.clone()) {
            rows.push(line(Verdict::Duplicate, None, Some(record)));
            continue;
        }
        let own = by_id.remove(&record.session_id);
        let verdict = own.as_ref().map_or(Verdict::MissingInLedger, |own| compare(own, &record));
        rows.push(line(verdict, own, Some(record)));
    }
    for (_, record) in by_id {
        let twice = record.payment_intent.as_ref().is_some_and(|intent| claimed.contains(intent));
        let verdict = if twice { Verdict::Duplicate } else { Verdict::MissingAtProvider };
        rows.push(line(verdict, Some(record), None));
    }
    finish(rows, sums)
}

/// PaymentIntents of the ledger's rows that the provider knows: a second row with one of them, which the
/// provider does not know, books the same money twice.
fn intents(ours: &[Record], theirs_ids: &HashSet<String>) -> HashSet<String> {
    let known = ours.iter().filter(|record| theirs_ids.contains(&record.session_id));
    known.filter_map(|record| record.payment_intent.clone()).collect()
}

fn compare(ours: &Record, theirs: &Record) -> Verdict {
    if ours.amount.currency != theirs.amount.currency {
        Verdict::Currency
    } else if ours.amount.minor != theirs.amount.minor {
        Verdict::Amount
    } else if ours.status != theirs.status {
        Verdict::Status
    } else {
        Verdict::Match
    }
}

fn line(verdict: Verdict, ours: Option<Record>, theirs: Option<Record>) -> Line {
    let id = theirs.as_ref().or(ours.as_ref()).map(|record| record.session_id.clone());
    Line { verdict, session_id: id.unwrap_or_default(), ours, theirs }
}

/// Which of several equal ids stays and which is the duplicate must not depend on the order of a side.
fn sort(records: &mut [Record]) {
    records.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
}

fn key(record: &Record) -> (Timestamp, &str, EntryStatus, i64, Currency, Option<&str>) {
    let money = record.amount;
    let intent = record.payment_intent.as_deref();
    (record.created, &record.session_id, record.status, money.minor, money.currency, intent)
}

fn finish(mut rows: Vec<Line>, sums: BTreeMap<Currency, Sum>) -> Reconciliation {
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut counts = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.verdict).or_insert(0) += 1;
    }
    Reconciliation { rows, counts, sums }
}

/// Oldest first; of one session the judged line before its duplicates.
fn order(
    line: &Line,
) -> (Option<Timestamp>, &str, bool, Option<RecordKey<'_>>, Option<RecordKey<'_>>) {
    let created = line.theirs.as_ref().or(line.ours.as_ref()).map(|record| record.created);
    let duplicate = line.verdict == Verdict::Duplicate;
    (
        created,
        &line.session_id,
        duplicate,
        line.ours.as_ref().map(key),
        line.theirs.as_ref().map(key),
    )
}

type RecordKey<'r> = (Timestamp, &'r str, EntryStatus, i64, Currency, Option<&'r str>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::RefundState;
    use proptest::prelude::*;

    fn record(n: u16) -> Record {
        Record {
            session_id: format!("cs_{n:05}"),
            amount: Money::new(100 + i64::from(n), Currency::JPY),
            status: EntryStatus::Paid,
            created: Timestamp(1_000 + i64::from(n % 7)),
            payment_intent: Some(format!("pi_{n:05}")),
        }
    }

    #[test]
    fn the_same_on_both_sides_is_clean_and_nothing_is_clean_too() {
        assert!(reconcile(Vec::new(), Vec::new()).is_clean());
        let same: Vec<_> = (0..5).map(record).collect();
        let done = reconcile(same.clone(), same);
        assert!(done.is_clean());
        assert_eq!(done.count(Verdict::Match), 5);
        assert_eq!(done.sums[&Currency::JPY], Sum { ours: 510, theirs: 510 });
    }

    #[test]
    fn money_booked_twice_under_another_session_is_a_duplicate() {
        let good = record(1);
        let twice = Record { session_id: "cs_other".to_owned(), ..good.clone() };
        let done = reconcile(vec![good.clone(), twice], vec![good]);
        assert_eq!((done.count(Verdict::Match), done.count(Verdict::Duplicate)), (1, 1));
        assert_eq!(done.sums[&Currency::JPY], Sum { ours: 202, theirs: 101 });
    }

    #[test]
    fn the_providers_refunds_change_its_statuses() {
        let entry = |n: u16| Entry {
            session_id: format!("cs_{n}"),
            amount: 500,
            currency: Currency::JPY,
            status: EntryStatus::Paid,
            created: Timestamp(1),
            updated: Timestamp(1),
            payment_intent: Some(format!("pi_{n}")),
            event_id: None,
        };
        let refund = |id: &str, intent: &str, amount: i64, state: RefundState| Refunded {
            source: id.to_owned(),
            payment_intent: intent.to_owned(),
            amount,
            state,
            updated: Timestamp(2),
            event_id: None,
        };
        let refunds = [
            refund("re_1", "pi_1", 200, RefundState::Sent),
            refund("re_2", "pi_2", 200, RefundState::Sent),
            refund("re_3", "pi_2", 300, RefundState::Sent),
            refund("re_4", "pi_3", 500, RefundState::Returned),
        ];
        let entries: Vec<_> = (0..4).map(entry).collect();
        let statuses: Vec<_> =
            provider_records(&entries, &refunds).iter().map(|record| record.status).collect();
        assert_eq!(
            statuses,
            [
                EntryStatus::Paid,
                EntryStatus::PartiallyRefunded,
                EntryStatus::Refunded,
                EntryStatus::Paid
            ]
        );
    }

    /// What is done to one session of a matching pair, and the verdict that must follow.
    fn plant(what: u8, record: &Record) -> (Vec<Record>, Vec<Record>, Vec<Verdict>) {
        let same = record.clone();
        let euro =
            Record { amount: Money::new(record.amount.minor, Currency::EUR), ..same.clone() };
        let more =
            Record { amount: Money::new(record.amount.minor + 1, Currency::JPY), ..same.clone() };
        let back = Record { status: EntryStatus::Refunded, ..same.clone() };
        match what {
            0 => (vec![], vec![same], vec![Verdict::MissingInLedger]),
            1 => (vec![same], vec![], vec![Verdict::MissingAtProvider]),
            2 => (vec![same], vec![more], vec![Verdict::Amount]),
            3 => (vec![euro], vec![same], vec![Verdict::Currency]),
            4 => (vec![same], vec![back], vec![Verdict::Status]),
            5 => (
                vec![same.clone(), same.clone()],
                vec![same],
                vec![Verdict::Match, Verdict::Duplicate],
            ),
            6 => (
                vec![same.clone()],
                vec![same.clone(), same],
                vec![Verdict::Match, Verdict::Duplicate],
            ),
            _ => (vec![same.clone()], vec![same], vec![Verdict::Match]),
        }
    }

    proptest! {
        #[test]
        fn every_planted_difference_is_found_and_no_other(plan in prop::collection::vec(0..12_u8, 0..120), seed in any::<u64>()) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let mut expected: BTreeMap<(String, Verdict), usize> = BTreeMap::new();
            for (n, what) in plan.iter().enumerate() {
                let record = record(u16::try_from(n).unwrap());
                let (a, b, verdicts) = plant(*what, &record);
                ours.extend(a);
                theirs.extend(b);
                for verdict in verdicts {
                    *expected.entry((record.session_id.clone(), verdict)).or_default() += 1;
                }
            }
            let straight = reconcile(ours.clone(), theirs.clone());
            let mut found: BTreeMap<(String, Verdict), usize> = BTreeMap::new();
            for row in &straight.rows {
                *found.entry((row.session_id.clone(), row.verdict)).or_default() += 1;
            }
            prop_assert_eq!(found, expected);
            prop_assert_eq!(straight.counts.values().sum::<usize>(), straight.rows.len());
            // The same rows in another order give the same answer, line for line.
            let turn = |rows: &mut Vec<Record>| if !rows.is_empty() {
                let by = usize::try_from(seed % rows.len() as u64).unwrap();
                rows.rotate_left(by);
                rows.reverse();
            };
            turn(&mut ours);
            turn(&mut theirs);
            prop_assert_eq!(reconcile(ours, theirs), straight);
        }
    }
}
