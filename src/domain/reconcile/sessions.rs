//! Sessions as the course compares them, in memory, and the provider's side gathered object by object.

use crate::domain::entry::{
    CheckoutRecord, EntryError, EntryStatus, Fact, RefundFacts, Refunded, with_refunds,
};
use crate::domain::money::Money;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::merge::in_memory;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::reconcile::{Finding, Summary, Verdict};
use crate::domain::time::Timestamp;
use serde_json::Value;
use std::collections::HashMap;

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
}

/// The whole comparison, as far as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// What was found, oldest first, then by id; of a long comparison its first rows.
    pub rows: Vec<Finding>,
    /// What it comes to.
    pub summary: Summary,
}

impl Reconciliation {
    /// What was found, counted.
    pub fn of(rows: Vec<Finding>) -> Self {
        let mut summary = Summary::default();
        for row in &rows {
            summary.add(row);
        }
        Self { rows, summary }
    }

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.summary.is_clean()
    }

    /// How many rows have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.summary.count(verdict)
    }

    /// The rows that differ.
    pub fn differences(&self) -> impl Iterator<Item = &Finding> {
        self.rows.iter().filter(|line| !line.verdict.is_well())
    }
}

/// Compares the ledger's records with the provider's.
pub fn reconcile(ours: &[Record], theirs: &[Record]) -> Reconciliation {
    let rows = |records: &[Record]| records.iter().map(Row::from).collect::<Vec<_>>();
    Reconciliation::of(in_memory(&Rules::default(), &rows(ours), &rows(theirs)))
}

impl From<&Record> for Row {
    /// A record says by its status alone what went back.
    fn from(record: &Record) -> Self {
        let (status, refunded) = match record.status {
            EntryStatus::Refunded => (EntryStatus::Paid, Some(record.amount.minor)),
            EntryStatus::PartiallyRefunded => (EntryStatus::PartiallyRefunded, None),
            other => (other, Some(0)),
        };
        let row = Self::new(What::Payment, &record.session_id, record.amount, record.created);
        // Money under another session is booked twice; a session that ended without any took nothing from another.
        let intent = if record.status.was_paid() { record.payment_intent.as_deref() } else { None };
        Self { status: Some(status), refunded, ..row }
            .with_key(Key::Session, &record.session_id)
            .with_key(Key::Intent, intent.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::reconcile::summary::Sum;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

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
        assert!(reconcile(&[], &[]).is_clean());
        let same: Vec<_> = (0..5).map(record).collect();
        let done = reconcile(&same, &same);
        assert!(done.is_clean());
        assert_eq!(done.count(Verdict::Match), 5);
        assert_eq!(done.summary.sums[&Currency::JPY], Sum { rows: 10, ours: 510, theirs: 510 });
    }

    #[test]
    fn money_booked_twice_under_another_session_is_a_duplicate() {
        let good = record(1);
        let twice = Record { session_id: "cs_other".to_owned(), ..good.clone() };
        let done = reconcile(&[good.clone(), twice], &[good]);
        assert_eq!((done.count(Verdict::Match), done.count(Verdict::DuplicateInLedger)), (1, 1));
        assert_eq!(done.summary.sums[&Currency::JPY], Sum { rows: 3, ours: 202, theirs: 101 });
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
            4 => (vec![same], vec![back], vec![Verdict::Refund]),
            5 => (
                vec![same.clone(), same.clone()],
                vec![same],
                vec![Verdict::Match, Verdict::DuplicateInLedger],
            ),
            6 => (
                vec![same.clone()],
                vec![same.clone(), same],
                vec![Verdict::Match, Verdict::DuplicateAtProvider],
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
            let straight = reconcile(&ours, &theirs);
            let mut found: BTreeMap<(String, Verdict), usize> = BTreeMap::new();
            for row in &straight.rows {
                *found.entry((row.id.clone(), row.verdict)).or_default() += 1;
            }
            prop_assert_eq!(found, expected);
            prop_assert_eq!(straight.summary.rows(), straight.rows.len());
            // The same rows in another order give the same answer, line for line.
            let turn = |rows: &mut Vec<Record>| if !rows.is_empty() {
                let by = usize::try_from(seed % rows.len() as u64).unwrap();
                rows.rotate_left(by);
                rows.reverse();
            };
            turn(&mut ours);
            turn(&mut theirs);
            prop_assert_eq!(reconcile(&ours, &theirs), straight);
        }
    }
}
