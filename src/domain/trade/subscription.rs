//! A subscription as the merchant sees it: a function of all that is known of it, whatever came first.

use crate::domain::trade::fact::{Fact, Snapshot};

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The subscription.
    pub subscription: String,
    /// The user of ours whose it is.
    pub user: Option<String>,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The plan.
    pub plan: String,
    /// The price that is paid, where it is another than the plan was begun with.
    pub price: Option<String>,
    /// The provider's word for how it stands.
    pub status: String,
    /// When its period ends.
    pub until: i64,
    /// Whether it ends with the period.
    pub ends: bool,
}

/// What no subscription comes back from.
fn is_final(status: &str) -> bool {
    matches!(status, "canceled" | "incomplete_expired")
}

/// How far a status is, among those of one second that nothing else tells apart.
fn rank(status: &str) -> u8 {
    match status {
        "incomplete" => 0,
        "trialing" => 1,
        "active" => 2,
        "past_due" => 3,
        "paused" => 4,
        "unpaid" => 5,
        _ => 6,
    }
}

impl Snapshot {
    /// Whether this one's event changed something that `earlier` shows as it was before.
    fn follows(&self, earlier: &Self) -> bool {
        let value = |name: &str| match name {
            "status" => Some(earlier.status.clone()),
            "cancel_at_period_end" => Some(earlier.ends.to_string()),
            "current_period_end" => Some(earlier.until.to_string()),
            _ => None,
        };
        !self.before.is_empty()
            && self.before.iter().all(|(name, was)| value(name).is_some_and(|it| it == *was))
    }

    /// Whether this one can be next: it changed what stood, or it says nothing of a change and shows the same.
    fn comes_after(&self, earlier: &Self) -> bool {
        let stood = |it: &Self| (it.status.clone(), it.ends, it.until);
        self.follows(earlier) || self.before.is_empty() && stood(self) == stood(earlier)
    }

    fn repeats(&self, other: &Self) -> bool {
        self.before.is_empty() && other.before.is_empty() && self.comes_after(other)
    }

    /// Whether it can be the first of its second, after what was known before.
    fn begins_after(&self, before: Option<&Self>) -> bool {
        if let Some(before) = before {
            return self.comes_after(before);
        }
        let was = self.before.get("status");
        self.before.is_empty() || was.is_some_and(|was| was == "incomplete")
    }
}

/// How many snapshots of one second are put in order.
const CHAIN_MAX: usize = 6;

/// How well an order of snapshots is explained by what each says that it changed: how many it puts in order, and whether
/// the first follows what was before it. What nothing tells apart is ordered by how far it is.
type Explained<'s> = (usize, bool, (i64, bool, u8, &'s Snapshot));

/// The best order of these after `from`, which is itself the end of one: each follows the one before it.
fn ordered<'s>(
    from: &'s Snapshot,
    (length, is_known): (usize, bool),
    rest: &[&'s Snapshot],
) -> Explained<'s> {
    let far = (from.until, from.ends, rank(&from.status), from);
    let ends = rest.iter().copied().filter(|next| next.comes_after(from)).map(|next| {
        let others: Vec<_> = rest.iter().copied().filter(|it| *it != next).collect();
        ordered(next, (length + 1, is_known), &others)
    });
    ends.fold((length, is_known, far), Ord::max)
}

/// The snapshot that shows how it stands now.
fn latest<'s>(seen: &[&'s Snapshot]) -> Option<&'s Snapshot> {
    let ended: Vec<_> = seen.iter().filter(|it| is_final(&it.status)).copied().collect();
    // A subscription that has begun is never incomplete again.
    let begun: Vec<_> = seen.iter().filter(|it| it.status != "incomplete").copied().collect();
    let pool = [ended, begun, seen.to_vec()].into_iter().find(|pool| !pool.is_empty())?;
    let newest = pool.iter().map(|it| it.at).max()?;
    let (mut last, earlier): (Vec<_>, Vec<_>) = pool.into_iter().partition(|it| it.at == newest);
    last.sort();
    // Two that show the same and say of no change are one.
    last.dedup_by(|one, other| one == other || one.repeats(other));
    if last.len() > CHAIN_MAX {
        return last.into_iter().max_by_key(|it| (it.until, it.ends, rank(&it.status), *it));
    }
    // Within one second, what an event says that it changed tells which came before it; also where it went there and
    // back again, and then the one that began tells where it ended.
    let before = latest(&earlier);
    let orders = last.iter().copied().map(|first| {
        let others: Vec<_> = last.iter().copied().filter(|it| *it != first).collect();
        ordered(first, (1, first.begins_after(before)), &others)
    });
    orders.max().map(|(_, _, (_, _, _, end))| end)
}

impl Mirror {
    /// How the subscription stands by these facts about it; `None` where none is about one.
    pub fn of(facts: &[Fact]) -> Option<Self> {
        let (mut seen, mut paid, mut failed, mut id) = (Vec::new(), None, None, None);
        for fact in facts {
            match fact {
                Fact::Subscription(it) => seen.push(it),
                Fact::PeriodPaid { until, at, subscription } => {
                    paid = paid.max(Some((*at, *until)));
                    id = Some(subscription);
                }
                Fact::PeriodFailed { at, subscription } => {
                    failed = failed.max(Some(*at));
                    id = Some(subscription);
                }
                _ => {}
            }
        }
        let snapshot = latest(&seen);
        let id = snapshot.map(|it| &it.subscription).or(id)?.clone();
        let known = snapshot.cloned().unwrap_or_else(|| Snapshot {
            status: "incomplete".to_owned(),
            at: i64::MIN,
            ..Snapshot::default()
        });
        let of_plan = seen.iter().filter(|it| !it.plan.is_empty()).max();
        Some(Self {
            subscription: id,
            user: seen.iter().filter_map(|it| it.user.clone()).max(),
            customer: seen.iter().filter_map(|it| it.customer.clone()).max(),
            plan: of_plan.map(|it| it.plan.clone()).unwrap_or_default(),
            price: known.price.clone(),
            status: status(&known, paid, failed).to_owned(),
            until: known.until.max(paid.map_or(0, |(_, until)| until)),
            ends: known.ends,
        })
    }

    /// Whether it gives what it is paid for: also while a failed payment is tried again.
    pub fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "active" | "trialing" | "past_due")
    }
}

/// The status of a snapshot, where an invoice that was paid or failed afterwards does not say otherwise.
fn status(known: &Snapshot, period: Option<(i64, i64)>, failed: Option<i64>) -> &str {
    let paid = period.map(|(at, _)| at);
    let paid_last = paid.is_some() && paid >= failed;
    // Within one second, a payment for a later period came after what failed.
    let paid_since = period > Some((known.at, known.until));
    match known.status.as_str() {
        "incomplete" if paid.is_some_and(|at| at >= known.at) => "active",
        "past_due" | "unpaid" if paid_last && paid_since => "active",
        "active" if !paid_last && failed > Some(known.at) => "past_due",
        status => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn seen(status: &str, at: i64, until: i64, before: &[(&str, &str)]) -> Fact {
        let before = before.iter().map(|(name, was)| ((*name).to_owned(), (*was).to_owned()));
        Fact::Subscription(Snapshot {
            subscription: "sub_1".into(),
            plan: "monthly".into(),
            status: status.into(),
            until,
            at,
            event: format!("evt_{status}_{at}_{until}"),
            before: before.collect::<BTreeMap<_, _>>(),
            ..Snapshot::default()
        })
    }

    fn paid(at: i64, until: i64) -> Fact {
        Fact::PeriodPaid { subscription: "sub_1".into(), until, at }
    }

    fn failed(at: i64) -> Fact {
        Fact::PeriodFailed { subscription: "sub_1".into(), at }
    }

    /// What a life of a subscription ends with, whatever the order.
    fn ends_with(life: &[Fact], status: &str, until: i64) {
        let mut life = life.to_vec();
        // Every rotation of both directions: each fact is first and last once.
        for _ in 0..2 {
            for _ in 0..life.len() {
                life.rotate_left(1);
                let mirror = Mirror::of(&life).unwrap();
                assert_eq!((mirror.status.as_str(), mirror.until), (status, until), "{life:?}");
            }
            life.reverse();
        }
    }

    #[test]
    fn a_life_ends_the_same_in_whatever_order_it_is_told() {
        let begun = [
            seen("incomplete", 1, 31, &[]),
            seen("active", 1, 31, &[("status", "incomplete")]),
            paid(1, 31),
        ];
        ends_with(&begun, "active", 31);
        let renewed =
            [&begun[..], &[paid(31, 61), seen("active", 31, 61, &[("current_period_end", "31")])]]
                .concat();
        ends_with(&renewed, "active", 61);
        let late =
            [&begun[..], &[failed(31), seen("past_due", 31, 61, &[("status", "active")])]].concat();
        ends_with(&late, "past_due", 61);
        // The next try, in the same second as the first.
        let saved = [&late[..], &[paid(31, 61), seen("active", 31, 61, &[("status", "past_due")])]]
            .concat();
        assert!(Mirror::of(&saved).unwrap().is_active());
        let ended = [&late[..], &[seen("canceled", 40, 61, &[])]].concat();
        ends_with(&ended, "canceled", 61);
    }

    #[test]
    fn what_was_taken_back_within_a_second_never_happened() {
        let toggled = |at: i64, ends: bool| {
            let Fact::Subscription(mut it) =
                seen("active", at, 31, &[("cancel_at_period_end", &(!ends).to_string())])
            else {
                unreachable!()
            };
            it.ends = ends;
            it.event = format!("evt_{at}_{ends}");
            Fact::Subscription(it)
        };
        let begun = seen("active", 1, 31, &[("status", "incomplete")]);
        let at_once = seen("active", 5, 31, &[]);
        for first in [begun, at_once] {
            let facts = [first, toggled(5, true), toggled(5, false)];
            for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
                let facts = order.map(|at| facts[at].clone());
                assert!(!Mirror::of(&facts).unwrap().ends, "{facts:?}");
            }
        }
    }

    #[test]
    fn invoices_alone_say_how_it_stands() {
        for (facts, status) in [
            (vec![paid(1, 31)], "active"),
            (vec![failed(1)], "incomplete"),
            (vec![seen("active", 1, 31, &[]), failed(31)], "past_due"),
            (vec![seen("past_due", 31, 61, &[]), failed(31), paid(33, 61)], "active"),
            (vec![seen("active", 33, 61, &[]), failed(31)], "active"),
            (vec![seen("canceled", 1, 31, &[]), paid(2, 61)], "canceled"),
        ] {
            assert_eq!(Mirror::of(&facts).unwrap().status, status, "{facts:?}");
        }
        assert_eq!(Mirror::of(&[]), None);
    }

    #[test]
    fn what_is_not_known_to_have_begun_is_put_in_order_by_what_each_changed() {
        // The one before them was never told.
        let facts = [
            seen("past_due", 5, 31, &[("status", "active")]),
            seen("active", 5, 31, &[("status", "trialing")]),
            seen("paused", 5, 31, &[("status", "past_due")]),
            seen("active", 5, 31, &[("status", "paused")]),
        ];
        for turn in 0..facts.len() {
            let mut facts = facts.to_vec();
            facts.rotate_left(turn);
            assert_eq!(Mirror::of(&facts).unwrap().status, "active", "{facts:?}");
            facts.retain(
                |it| !matches!(it, Fact::Subscription(it) if it.before["status"] == "paused"),
            );
            assert_eq!(Mirror::of(&facts).unwrap().status, "paused", "{facts:?}");
        }
    }

    fn fact() -> impl Strategy<Value = Fact> {
        const STATUSES: &[&str] =
            &["incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled"];
        let status = proptest::sample::select(STATUSES);
        let before = proptest::option::of(proptest::sample::select(STATUSES));
        let snapshot =
            (status, 0..4_i64, 0..3_i64, before).prop_map(|(status, at, until, before)| {
                let before: Vec<_> = before.iter().map(|was| ("status", *was)).collect();
                seen(status, at, until, &before)
            });
        let paid = (0..4_i64, 0..3_i64).prop_map(|(at, until)| paid(at, until));
        prop_oneof![4 => snapshot, 1 => paid, 1 => (0..4_i64).prop_map(failed)]
    }

    proptest! {
        #[test]
        fn no_order_and_no_repetition_changes_the_mirror(
            (facts, shuffled) in proptest::collection::vec(fact(), 0..10)
                .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))
        ) {
            let twice = [shuffled.clone(), shuffled].concat();
            prop_assert_eq!(Mirror::of(&facts), Mirror::of(&twice));
        }

        #[test]
        fn what_has_ended_stays_ended(facts in proptest::collection::vec(fact(), 0..10)) {
            let ended = facts.iter().any(
                |it| matches!(it, Fact::Subscription(it) if is_final(&it.status)),
            );
            if ended {
                prop_assert!(!Mirror::of(&facts).unwrap().is_active());
            }
        }
    }
}
