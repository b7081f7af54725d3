//! Two sides, each ordered by a key, go past each other once a key: what finds its like is judged, what does not is
//! tried under the next key. Only the rows under one value are held at a time. Values are spread over lanes, each a
//! comparison of its own, so that several can be gone through at once.

use crate::domain::currency::Currency;
use crate::domain::reconcile::judge::{Matched, Rules, alone, group, judged};
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::reconcile::{Finding, Side, Verdict};
use std::cmp::Ordering;

/// Over how many lanes the values of a key are spread: as many as are gone through at once.
pub const LANES: usize = 2;

/// Puts rows into the order of their keys, in memory or with runs on disk. Any order does that is the same for both
/// sides; rows of one key are ordered by how they are written.
pub trait Sorter: Sized {
    /// How it fails.
    type Failure;
    /// What gives them back.
    type Sorted: Sorted<Failure = Self::Failure>;

    /// An empty one.
    fn empty(&self) -> Self;
    /// Takes a row in.
    fn push(&mut self, key: &str, row: &Row) -> Result<(), Self::Failure>;
    /// All rows, by key.
    fn sorted(self) -> Result<Self::Sorted, Self::Failure>;
}

/// Rows by key, one after the other.
pub trait Sorted {
    /// How it fails.
    type Failure;

    /// What stands for the key of the next row; `None` at the end.
    fn key(&self) -> Option<&[u8]>;
    /// Puts the next row into `row`, where there is one.
    fn take(&mut self, row: &mut Row) -> Result<(), Self::Failure>;
}

/// Scatters keys: what begins alike is far apart, and the same key is always in the same place.
pub fn scattered(key: &str) -> u64 {
    const BY: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |sum: u64, word: u64| {
        let mixed = (sum.rotate_left(23) ^ word).wrapping_mul(BY);
        mixed ^ mixed >> 29
    };
    let (words, rest) = key.as_bytes().as_chunks::<8>();
    let sum = words.iter().fold(BY, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(key.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
    mix(mix(sum, rest), 0)
}

fn lane(key: &str) -> usize {
    usize::from(!scattered(key).is_multiple_of(2))
}

/// One side on its way: its rows under the first key that each has, and the parts of its payouts.
pub struct Gathering<S> {
    keys: [[S; LANES]; 4],
    parts: S,
    /// How many rows came.
    pub rows: u64,
}

impl<S: Sorter> Gathering<S> {
    /// Nothing yet, with sorters like `sorter`.
    pub fn new(sorter: &S) -> Self {
        let lanes = || [(); LANES].map(|()| sorter.empty());
        Self { keys: [(); 4].map(|()| lanes()), parts: sorter.empty(), rows: 0 }
    }

    /// Takes a row in.
    pub fn push(&mut self, row: &Row) -> Result<(), S::Failure> {
        self.rows += 1;
        self.push_part(row)?;
        self.put(row, None)
    }

    /// Takes a row in for the tie-out of payouts alone.
    pub fn push_part(&mut self, row: &Row) -> Result<(), S::Failure> {
        if row.what == What::Payout {
            self.parts.push(&row.id, row)
        } else if row.payout.is_empty() {
            Ok(())
        } else {
            self.parts.push(&row.payout, &row.as_part())
        }
    }

    /// Takes a row in under the first key that it has after `after`.
    pub fn put(&mut self, row: &Row, after: Option<Key>) -> Result<(), S::Failure> {
        let Some(key) = row.first_key(after) else { return Ok(()) };
        let Some((lanes, value)) = self.keys.get_mut(key as usize).zip(row.key(key)) else {
            return Ok(());
        };
        lanes.get_mut(lane(value)).map_or(Ok(()), |sorter| sorter.push(value, row))
    }

    /// What came under a key, by lane. What is put there from now on comes too late.
    pub fn take(&mut self, key: Key) -> Option<[S; LANES]> {
        let lanes = self.keys.get_mut(key as usize)?;
        Some(lanes.each_mut().map(|sorter| {
            let empty = sorter.empty();
            std::mem::replace(sorter, empty)
        }))
    }

    /// The parts of its payouts, once every key was gone through.
    pub fn into_parts(self) -> S {
        self.parts
    }
}

/// Compares two sides, one lane after the other; what is found comes in no order that means anything.
pub fn compare<S: Sorter>(
    rules: &Rules,
    mut ours: Gathering<S>,
    mut theirs: Gathering<S>,
    found: &mut impl FnMut(&Finding) -> Result<(), S::Failure>,
) -> Result<(), S::Failure> {
    for key in Key::ALL {
        let (Some(own), Some(other)) = (ours.take(key), theirs.take(key)) else { continue };
        for sides in own.into_iter().zip(other) {
            lane_of(rules, key, sides, &mut |matched| match matched {
                Matched::Found(finding) => found(finding),
                Matched::Later(Side::Ours, row) => ours.put(row, Some(key)),
                Matched::Later(Side::Theirs, row) => theirs.put(row, Some(key)),
            })?;
        }
    }
    for (side, side_parts) in [(Side::Ours, ours.parts), (Side::Theirs, theirs.parts)] {
        tie_out(rules, side, side_parts, found)?;
    }
    Ok(())
}

/// Goes through one lane of a key.
pub fn lane_of<S: Sorter>(
    rules: &Rules,
    key: Key,
    (ours, theirs): (S, S),
    out: &mut impl FnMut(Matched<'_>) -> Result<(), S::Failure>,
) -> Result<(), S::Failure> {
    let (mut ours, mut theirs) = (ours.sorted()?, theirs.sorted()?);
    // Most rows stand alone against their like: for those nothing is made anew.
    let rows = || Some(Row::blank());
    let mut finding = Finding { ours: rows(), theirs: rows(), ..Finding::blank() };
    let mut value = Vec::new();
    while let Finding { ours: Some(own), theirs: Some(other), .. } = &mut finding {
        let order = match (ours.key(), theirs.key()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(own), Some(other)) => own.cmp(other),
        };
        let least = if order == Ordering::Greater { theirs.key() } else { ours.key() };
        value.clear();
        value.extend_from_slice(least.unwrap_or_default());
        let (on_ours, on_theirs) = (order != Ordering::Greater, order != Ordering::Less);
        if on_ours {
            ours.take(own)?;
        }
        if on_theirs {
            theirs.take(other)?;
        }
        let more = ours.key() == Some(&value) || theirs.key() == Some(&value);
        let refund = on_ours && own.what == What::Refund || on_theirs && other.what == What::Refund;
        if more || refund {
            let own = under_one(&mut ours, &value, on_ours.then_some(own))?;
            let other = under_one(&mut theirs, &value, on_theirs.then_some(other))?;
            group(rules, key, [own, other], out)?;
        } else if on_ours && on_theirs {
            judged(rules, key, &mut finding);
            out(Matched::Found(&finding))?;
        } else if on_ours {
            alone(rules, key, Side::Ours, own, out)?;
        } else {
            alone(rules, key, Side::Theirs, other, out)?;
        }
    }
    Ok(())
}

/// The first row, where there is one, and those that follow it under the same value.
fn under_one<S: Sorted>(
    rows: &mut S,
    value: &[u8],
    first: Option<&mut Row>,
) -> Result<Vec<Row>, S::Failure> {
    let first = first.map(|row| std::mem::replace(row, Row::blank()));
    let mut found: Vec<Row> = first.into_iter().collect();
    while rows.key() == Some(value) {
        let mut row = Row::blank();
        rows.take(&mut row)?;
        found.push(row);
    }
    Ok(found)
}

/// Holds every payout against what it was made of, where that is said. A part counts once.
pub fn tie_out<S: Sorter>(
    rules: &Rules,
    side: Side,
    parts: S,
    found: &mut impl FnMut(&Finding) -> Result<(), S::Failure>,
) -> Result<(), S::Failure> {
    let mut parts = parts.sorted()?;
    let (mut key, mut row) = (Vec::new(), Row::blank());
    while let Some(next) = parts.key() {
        key.clear();
        key.extend_from_slice(next);
        let (mut payout, mut sum, mut count): (Option<Row>, i128, u64) = (None, 0, 0);
        let mut currency: Option<Currency> = None;
        while parts.key() == Some(&key) {
            parts.take(&mut row)?;
            if row.what == What::Payout {
                payout = payout.or_else(|| Some(row.clone()));
            } else {
                sum += i128::from(row.moved());
                count += 1;
                currency = currency.or(Some(row.currency));
            }
        }
        let Some(payout) = payout.filter(|payout| currency == Some(payout.currency)) else {
            continue;
        };
        if count == 0 {
            continue;
        }
        if let Some(left) = rules.remainder(&payout, sum) {
            let id = payout.id.clone();
            let (ours, theirs) = match side {
                Side::Ours => (Some(payout), None),
                Side::Theirs => (None, Some(payout)),
            };
            let (verdict, difference) = (Verdict::PayoutRemainder, Some(left));
            found(&Finding { verdict, id, key: Key::Intent, difference, ours, theirs })?;
        }
    }
    Ok(())
}

/// Rows in memory.
#[derive(Debug, Default)]
pub struct InMemory(Vec<(String, Row)>);

/// Rows in memory, by key.
#[derive(Debug)]
pub struct InOrder {
    next: Option<(String, Row)>,
    rest: std::vec::IntoIter<(String, Row)>,
}

impl Sorter for InMemory {
    type Failure = std::convert::Infallible;
    type Sorted = InOrder;

    fn empty(&self) -> Self {
        Self::default()
    }

    fn push(&mut self, key: &str, row: &Row) -> Result<(), Self::Failure> {
        self.0.push((key.to_owned(), row.clone()));
        Ok(())
    }

    fn sorted(mut self) -> Result<Self::Sorted, Self::Failure> {
        // As rows that are written down are sorted: which of several comes first decides what is found.
        self.0.sort_by_cached_key(|(key, row)| {
            let mut bytes = Vec::new();
            row.write(&mut bytes);
            (key.clone(), bytes)
        });
        let mut rest = self.0.into_iter();
        Ok(InOrder { next: rest.next(), rest })
    }
}

impl Sorted for InOrder {
    type Failure = std::convert::Infallible;

    fn key(&self) -> Option<&[u8]> {
        self.next.as_ref().map(|(key, _)| key.as_bytes())
    }

    fn take(&mut self, row: &mut Row) -> Result<(), Self::Failure> {
        if let Some((_, next)) = std::mem::replace(&mut self.next, self.rest.next()) {
            *row = next;
        }
        Ok(())
    }
}

/// Compares rows in memory; what is found in its order.
pub fn in_memory(rules: &Rules, ours: &[Row], theirs: &[Row]) -> Vec<Finding> {
    let gather = |rows: &[Row]| {
        let mut side = Gathering::new(&InMemory::default());
        for row in rows {
            // Memory does not fail.
            let Ok(()) = side.push(row);
        }
        side
    };
    let mut found = Vec::with_capacity(ours.len().max(theirs.len()));
    let Ok(()) = compare(rules, gather(ours), gather(theirs), &mut |finding| {
        found.push(finding.clone());
        Ok(())
    });
    found.sort_by_cached_key(|finding| {
        (finding.order(), finding.ours.clone(), finding.theirs.clone())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::EntryStatus;
    use crate::domain::money::Money;
    use crate::domain::time::Timestamp;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const JPY: Currency = Currency::JPY;

    fn payment(n: u32, id: &str) -> Row {
        let money = Money::new(1_000 + i64::from(n), JPY);
        let row = Row::new(
            What::Payment,
            &format!("{id}_{n:04}"),
            money,
            Timestamp(100 + i64::from(n % 5)),
        );
        Row {
            status: Some(EntryStatus::Paid),
            refunded: Some(0),
            fee: Some(36),
            livemode: Some(false),
            ..row
        }
        .with_key(Key::Intent, &format!("pi_{n:04}"))
    }

    fn refund(n: u32, part: i64) -> Row {
        let row = Row::new(
            What::Refund,
            &format!("re_{n:04}_{part}"),
            Money::new(part, JPY),
            Timestamp(200),
        );
        Row { status: Some(EntryStatus::Paid), ..row }.with_key(Key::Intent, &format!("pi_{n:04}"))
    }

    fn verdicts(rules: &Rules, ours: &[Row], theirs: &[Row]) -> Vec<(String, Verdict)> {
        in_memory(rules, ours, theirs).into_iter().map(|it| (it.id, it.verdict)).collect()
    }

    /// What is done to a payment that both sides have, and what must be found.
    fn plant(what: u8, n: u32) -> (Vec<Row>, Vec<Row>, Vec<Verdict>) {
        let (own, other) = (payment(n, "cs"), payment(n, "ch"));
        let changed = |change: fn(&mut Row)| {
            let mut row = payment(n, "cs");
            change(&mut row);
            vec![row]
        };
        match what {
            0 => (vec![], vec![other], vec![Verdict::MissingInLedger]),
            1 => (vec![own], vec![], vec![Verdict::MissingAtProvider]),
            2 => (changed(|row| row.amount += 1), vec![other], vec![Verdict::Amount]),
            3 => {
                (changed(|row| row.currency = Currency::EUR), vec![other], vec![Verdict::Currency])
            }
            4 => (
                changed(|row| row.status = Some(EntryStatus::Failed)),
                vec![other],
                vec![Verdict::Status],
            ),
            5 => (changed(|row| row.refunded = Some(7)), vec![other], vec![Verdict::Refund]),
            6 => (changed(|row| row.fee = Some(35)), vec![other], vec![Verdict::Fee]),
            7 => (
                changed(|row| row.disputed = Some(9)),
                vec![Row { disputed: Some(0), ..other }],
                vec![Verdict::Dispute],
            ),
            8 => (changed(|row| row.livemode = Some(true)), vec![other], vec![Verdict::Livemode]),
            9 => (
                vec![own.clone(), own],
                vec![other],
                vec![Verdict::Match, Verdict::DuplicateInLedger],
            ),
            10 => (
                vec![own],
                vec![other.clone(), other],
                vec![Verdict::Match, Verdict::DuplicateAtProvider],
            ),
            // Several refunds against one total, one of them failed; one side names the charge alone.
            11 => (
                changed(|row| row.refunded = Some(300)),
                vec![
                    other,
                    refund(n, 100),
                    refund(n, 200),
                    Row { status: Some(EntryStatus::Failed), ..refund(n, 50) },
                ],
                vec![Verdict::Match],
            ),
            12 => (
                vec![own.with_key(Key::Intent, "").with_key(Key::Session, &format!("cs_{n:04}"))],
                vec![other.with_key(Key::Session, &format!("cs_{n:04}"))],
                vec![Verdict::Match],
            ),
            // A fee that is not known yet is not zero.
            13 => (changed(|row| row.fee = None), vec![other], vec![Verdict::Match]),
            // An attempt that failed is no second payment.
            14 => (
                vec![own],
                vec![
                    Row { status: Some(EntryStatus::Failed), fee: None, ..payment(n, "ch_first") },
                    other,
                ],
                vec![Verdict::Match],
            ),
            _ => (vec![own], vec![other], vec![Verdict::Match]),
        }
    }

    proptest! {
        #[test]
        fn every_planted_difference_is_found_and_no_other(
            plan in prop::collection::vec(0..20_u8, 0..80),
            turns in any::<u64>(),
        ) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let mut expected: BTreeMap<(u32, Verdict), usize> = BTreeMap::new();
            for (what, n) in plan.iter().zip(0..) {
                let (own, other, found) = plant(*what, n);
                ours.extend(own);
                theirs.extend(other);
                for verdict in found {
                    *expected.entry((n, verdict)).or_default() += 1;
                }
            }
            let straight = in_memory(&Rules::default(), &ours, &theirs);
            let mut found: BTreeMap<(u32, Verdict), usize> = BTreeMap::new();
            for one in &straight {
                let n = one.id.get(3..7).unwrap().parse().unwrap();
                *found.entry((n, one.verdict)).or_default() += 1;
            }
            prop_assert_eq!(found, expected);
            for rows in [&mut ours, &mut theirs] {
                if !rows.is_empty() {
                    let by = usize::try_from(turns % rows.len() as u64).unwrap();
                    rows.rotate_left(by);
                    rows.reverse();
                }
            }
            prop_assert_eq!(in_memory(&Rules::default(), &ours, &theirs), straight);
        }
    }

    #[test]
    fn what_is_young_or_under_way_is_pending_and_what_is_within_tolerance_agrees() {
        let rules = Rules { now: Timestamp(160), window_s: 61, ..Rules::default() };
        let old = Row { created: Timestamp(99), ..payment(2, "ch") };
        let found = verdicts(&rules, &[], &[payment(0, "ch"), old.clone()]);
        let expected = [("ch_0002", Verdict::MissingInLedger), ("ch_0000", Verdict::Pending)];
        assert_eq!(found, expected.map(|(id, verdict)| (id.to_owned(), verdict)));
        let under_way = ["pi_0002".to_owned()].into();
        let rules = Rules { under_way, ..Rules::default() };
        assert_eq!(verdicts(&rules, &[], &[old])[0].1, Verdict::Pending);
        let rules = Rules { tolerance: [(JPY, 1)].into(), ..Rules::default() };
        let near = Row { amount: 1_002, ..payment(1, "cs") };
        assert_eq!(
            verdicts(&rules, std::slice::from_ref(&near), &[payment(1, "ch")])[0].1,
            Verdict::Match
        );
        let far = Row { amount: 1_003, ..near };
        assert_eq!(verdicts(&rules, &[far], &[payment(1, "ch")])[0].1, Verdict::Amount);
    }

    #[test]
    fn a_payout_is_what_its_parts_come_to_or_its_remainder_is_told() {
        let part = |n, net| Row { net: Some(net), payout: "po_1".to_owned(), ..payment(n, "ch") };
        let payout =
            |amount| Row::new(What::Payout, "po_1", Money::new(amount, JPY), Timestamp(300));
        let back = Row { payout: "po_1".to_owned(), ..refund(1, 100) };
        let tied = |amount| {
            let both = [part(1, 900), part(2, 950), back.clone(), payout(amount)];
            in_memory(&Rules::default(), &both, &both)
        };
        assert!(tied(1_750).iter().all(|it| it.verdict == Verdict::Match));
        let apart: Vec<_> =
            tied(1_760).into_iter().filter(|it| it.verdict != Verdict::Match).collect();
        // Each side is held against its own parts.
        assert_eq!(apart.len(), 2);
        assert!(
            apart
                .iter()
                .all(|it| it.verdict == Verdict::PayoutRemainder && it.difference == Some(10))
        );
    }

    #[test]
    fn one_number_of_the_merchant_may_stand_for_several_payments() {
        let by = |id: &str, amount| {
            Row::new(What::Payment, id, Money::new(amount, JPY), Timestamp(0))
                .with_key(Key::Reference, "A-7")
        };
        let found =
            verdicts(&Rules::default(), &[by("x", 5), by("y", 6)], &[by("u", 5), by("v", 6)]);
        assert!(found.iter().all(|(_, verdict)| *verdict == Verdict::Match), "{found:?}");
        let found = verdicts(&Rules::default(), &[by("x", 5), by("y", 6)], &[by("u", 5)]);
        assert_eq!(found.iter().filter(|(_, it)| *it == Verdict::DuplicateInLedger).count(), 1);
    }

    #[test]
    fn a_finding_is_read_as_it_was_written() {
        let (ours, theirs) = (vec![payment(1, "cs")], vec![payment(1, "ch"), payment(2, "ch")]);
        for finding in in_memory(&Rules::default(), &ours, &theirs) {
            let mut bytes = Vec::new();
            finding.write(&mut bytes);
            assert_eq!(Finding::read(&bytes), Some(finding));
        }
    }
}
