//! Compares what the ledger says with what the provider says, session by session. Pure; a hash join, so
//! that millions of rows take seconds; the answer does not depend on the order of either side.

use crate::domain::currency::Currency;
use crate::domain::entry::{
    CheckoutRecord, EntryError, EntryStatus, Fact, RefundFacts, Refunded, with_refunds,
};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use serde_json::Value;
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
    pub fn of(entry: &CheckoutRecord, refunded: i64) -> Self {
        Self {
            session_id: entry.session_id.clone(),
            amount: entry.money(),
            status: with_refunds(entry.status, entry.amount, refunded),
            created: entry.created,
            payment_intent: entry.payment_intent.clone(),
        }
    }
}

/// The provider's side of a comparison, gathered object by object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderSnapshot {
    entries: Vec<CheckoutRecord>,
    refunds: Vec<Refunded>,
}

impl ProviderSnapshot {
    /// Takes in a fetched session; one that is open, or that no money is the subject of, does not count.
    pub fn add_session(&mut self, session: &Value, now: Timestamp) -> Result<(), EntryError> {
        self.entries.extend(Fact::of_session(session, now)?);
        Ok(())
    }

    /// Takes in a fetched refund.
    pub fn add_refund(&mut self, refund: &Value, now: Timestamp) -> Result<(), EntryError> {
        self.refunds.extend(Fact::of_refund(refund, now)?);
        Ok(())
    }

    /// What was gathered, its refunds taken into account.
    pub fn records(&self) -> Vec<Record> {
        let mut by_intent: HashMap<&str, RefundFacts> = HashMap::new();
        for refund in &self.refunds {
            let facts = by_intent.entry(refund.payment_intent.as_str()).or_default();
            facts.apply_fact(&refund.source, refund.state, refund.amount);
        }
        let refunded = |entry: &CheckoutRecord| {
            let facts = entry.payment_intent.as_deref().and_then(|intent| by_intent.get(intent));
            facts.map_or(0, RefundFacts::total)
        };
        self.entries.iter().map(|entry| Record::of(entry, refunded(entry))).collect()
    }

    /// What the ledger lacks by `found`, for its writer: sessions that it misses, and what moves a status on.
    /// An amount or a currency that differs, and a row that the provider does not know, want a person.
    pub fn repairs(&self, found: &Reconciliation) -> Vec<Fact> {
        let lacking =
            |line: &&Line| matches!(line.verdict, Verdict::MissingInLedger | Verdict::Status);
        let wanted: HashSet<&str> =
            found.rows.iter().filter(lacking).map(|line| line.session_id.as_str()).collect();
        let entries: Vec<&CheckoutRecord> = self
            .entries
            .iter()
            .filter(|entry| wanted.contains(entry.session_id.as_str()))
            .collect();
        let intents: HashSet<&str> =
            entries.iter().filter_map(|entry| entry.payment_intent.as_deref()).collect();
        let refunds =
            self.refunds.iter().filter(|one| intents.contains(one.payment_intent.as_str()));
        let sessions = entries.iter().map(|entry| Fact::Session((*entry).clone()));
        sessions.chain(refunds.cloned().map(Fact::Refund)).collect()
    }
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
    let sums = sums(&ours, &theirs);
    let pairs = pair(&ours, &theirs);
    let mut ours: Vec<_> = ours.into_iter().map(Some).collect();
    let mut theirs: Vec<_> = theirs.into_iter().map(Some).collect();
    let mut take = |side: Side, at: Option<usize>| {
        let rows = match side {
            Side::Ours => &mut ours,
            Side::Theirs => &mut theirs,
        };
        at.and_then(|at| rows.get_mut(at)).and_then(Option::take)
    };
    let rows = pairs
        .into_iter()
        .map(|(verdict, a, b)| line(verdict, take(Side::Ours, a), take(Side::Theirs, b)))
        .collect();
    finish(rows, sums)
}

enum Side {
    Ours,
    Theirs,
}

/// Places of what belongs together, without moving a row: each place occurs once.
type Pair = (Verdict, Option<usize>, Option<usize>);

fn pair(ours: &[Record], theirs: &[Record]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(ours.len().max(theirs.len()));
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(ours.len());
    for (at, record) in ours.iter().enumerate() {
        if first.contains_key(record.session_id.as_str()) {
            pairs.push((Verdict::Duplicate, Some(at), None));
        } else {
            first.insert(&record.session_id, at);
        }
    }
    let mut seen: HashSet<&str> = HashSet::with_capacity(theirs.len());
    let mut intents: HashSet<&str> = HashSet::new();
    for (at, record) in theirs.iter().enumerate() {
        if !seen.insert(&record.session_id) {
            pairs.push((Verdict::Duplicate, None, Some(at)));
            continue;
        }
        let own = first.remove(record.session_id.as_str());
        let known = own.and_then(|own| ours.get(own));
        intents.extend(known.and_then(|known| known.payment_intent.as_deref()));
        let verdict = known.map_or(Verdict::MissingInLedger, |known| compare(known, record));
        pairs.push((verdict, own, Some(at)));
    }
    for at in first.into_values() {
        // A row of a PaymentIntent that another row has, which the provider knows, books its money twice.
        let intent = ours.get(at).and_then(|record| record.payment_intent.as_deref());
        let twice = intent.is_some_and(|intent| intents.contains(intent));
        let verdict = if twice { Verdict::Duplicate } else { Verdict::MissingAtProvider };
        pairs.push((verdict, Some(at), None));
    }
    pairs
}

fn sums(ours: &[Record], theirs: &[Record]) -> BTreeMap<Currency, Sum> {
    let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
    for record in ours.iter().filter(|record| record.status.was_paid()) {
        let sum = sums.entry(record.amount.currency).or_default();
        sum.ours = sum.ours.saturating_add(record.amount.minor);
    }
    for record in theirs.iter().filter(|record| record.status.was_paid()) {
        let sum = sums.entry(record.amount.currency).or_default();
        sum.theirs = sum.theirs.saturating_add(record.amount.minor);
    }
    sums
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
    use proptest::prelude::*;
    use serde_json::json;

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

    fn provided() -> ProviderSnapshot {
        let mut provided = ProviderSnapshot::default();
        for n in 0..4 {
            let session = json!({"id": format!("cs_{n}"), "status": "complete", "payment_status": "paid",
                "amount_total": 500, "currency": "jpy", "created": n, "payment_intent": format!("pi_{n}")});
            provided.add_session(&session, Timestamp(9)).unwrap();
        }
        provided.add_session(&json!({"id": "cs_9", "status": "open"}), Timestamp(9)).unwrap();
        let refunds =
            [(1, 200, "succeeded"), (2, 200, "pending"), (2, 300, "succeeded"), (3, 500, "failed")];
        for (at, (n, amount, status)) in refunds.into_iter().enumerate() {
            let refund = json!({"id": format!("re_{at}"), "payment_intent": format!("pi_{n}"),
                "amount": amount, "status": status});
            provided.add_refund(&refund, Timestamp(9)).unwrap();
        }
        provided
    }

    #[test]
    fn the_providers_refunds_change_its_statuses_and_open_sessions_do_not_count() {
        let statuses: Vec<_> = provided().records().iter().map(|record| record.status).collect();
        let expected = [
            EntryStatus::Paid,
            EntryStatus::PartiallyRefunded,
            EntryStatus::Refunded,
            EntryStatus::Paid,
        ];
        assert_eq!(statuses, expected);
    }

    #[test]
    fn repairs_are_what_is_missing_with_its_refunds_and_nothing_else() {
        let provided = provided();
        let mut ours = provided.records();
        ours.retain(|record| record.session_id != "cs_1");
        ours[1].status = EntryStatus::Paid;
        ours[2].amount.minor = 1;
        let found = reconcile(ours, provided.records());
        let sources: Vec<String> = provided
            .repairs(&found)
            .into_iter()
            .map(|fact| match fact {
                Fact::Session(entry) => entry.session_id,
                Fact::Refund(refund) => refund.source,
            })
            .collect();
        assert_eq!(sources, ["cs_1", "cs_2", "re_0", "re_1", "re_2"]);
        assert!(provided.repairs(&Reconciliation::default()).is_empty());
    }

    /// Slow without optimisation; run with `--release -- --ignored` to see that it grows with the rows.
    #[test]
    #[ignore = "a measurement"]
    fn a_million_rows_a_side_are_a_matter_of_seconds() {
        let rows = |skip: u32| -> Vec<Record> {
            (0..1_000_000_u32)
                .filter(|n| n % 1_000 != skip)
                .map(|n| Record {
                    session_id: format!("cs_test_a1{:056}", u64::from(n) * 7_919 % 1_000_003),
                    amount: Money::new(500, Currency::JPY),
                    status: EntryStatus::Paid,
                    created: Timestamp(i64::from(n / 3)),
                    payment_intent: Some(format!("pi_{n:024}")),
                })
                .collect()
        };
        let (ours, theirs) = (rows(1), rows(2));
        let began = std::time::Instant::now();
        let found = reconcile(ours, theirs);
        println!("1 M x 1 M in {:?}", began.elapsed());
        assert_eq!(found.count(Verdict::MissingInLedger), 1_000);
        assert_eq!(found.count(Verdict::MissingAtProvider), 1_000);
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
