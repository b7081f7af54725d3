//! Whose turn it is. Pure: what waits, what runs, and the rules between them.
//!
//! Every endpoint has a lane of its own, so that a slow one holds up nobody else. Within a lane events go out
//! in the order of emission: the next first attempt starts when the one before it has been answered (or has
//! taken longer than anyone should wait). Retries go beside them and hold up nothing.

use crate::sandbox::engine::Planned;
use crate::sandbox::engine::state::Scope;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Attempts at one endpoint at once. Sixteen endpoints together keep within a hundred connections.
const LANE_MAX: usize = 6;

/// The deliveries that wait, by endpoint.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: HashMap<(Scope, String), Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    first: BTreeMap<(i64, u64), Planned>,
    retries: BTreeMap<(i64, u64), Planned>,
    running: BTreeSet<u64>,
    /// The first attempt whose answer the next one waits for.
    held_by: Option<u64>,
}

impl Queue {
    /// Lines a delivery up.
    pub fn add(&mut self, waiting: Planned) {
        let lane = self.lanes.entry(address(&waiting)).or_default();
        let line = if waiting.is_retry { &mut lane.retries } else { &mut lane.first };
        line.insert((waiting.due, waiting.seq), waiting);
    }

    /// Takes the next delivery that may start; `now` tells what time it is for whom.
    pub fn start(&mut self, now: impl Fn(&Scope) -> i64) -> Option<Planned> {
        self.lanes.iter_mut().find_map(|((scope, _), lane)| {
            // Whoever has nothing to send needs no time.
            if lane.first.is_empty() && lane.retries.is_empty() {
                None
            } else {
                lane.start(now(scope))
            }
        })
    }

    /// Lets the next first attempt of the lane start although this one still runs.
    pub fn release(&mut self, waiting: &Planned) {
        if let Some(lane) = self.lanes.get_mut(&address(waiting))
            && lane.held_by == Some(waiting.seq)
        {
            lane.held_by = None;
        }
    }

    /// Takes note that an attempt has ended, and lines the delivery up again where it has a next one.
    pub fn end(&mut self, mut waiting: Planned, next_due: Option<i64>) {
        self.release(&waiting);
        if let Some(lane) = self.lanes.get_mut(&address(&waiting)) {
            lane.running.remove(&waiting.seq);
            if lane.running.is_empty() && lane.first.is_empty() && lane.retries.is_empty() {
                self.lanes.remove(&address(&waiting));
            }
        }
        if let Some(due) = next_due {
            waiting.due = due;
            waiting.is_retry = true;
            self.add(waiting);
        }
    }

    /// How many seconds it is until something more becomes due.
    pub fn next_pause(&self, now: impl Fn(&Scope) -> i64) -> Option<i64> {
        let heads = self.lanes.iter().flat_map(|((scope, _), lane)| {
            let heads = [lane.first.first_key_value(), lane.retries.first_key_value()];
            heads.into_iter().flatten().map(move |((due, _), _)| (scope, *due))
        });
        heads.map(|(scope, due)| due - now(scope)).filter(|wait_s| *wait_s > 0).min()
    }
}

/// Whose lane a delivery goes through.
fn address(planned: &Planned) -> (Scope, String) {
    (planned.scope.clone(), planned.endpoint.clone())
}

impl Lane {
    fn start(&mut self, now: i64) -> Option<Planned> {
        if self.running.len() >= LANE_MAX {
            return None;
        }
        let is_due = |line: &BTreeMap<(i64, u64), Planned>| {
            line.first_key_value().is_some_and(|((due, _), _)| *due <= now)
        };
        let waiting = if self.held_by.is_none() && is_due(&self.first) {
            let (_, waiting) = self.first.pop_first()?;
            self.held_by = Some(waiting.seq);
            waiting
        } else if self.running.len() + 1 < LANE_MAX && is_due(&self.retries) {
            // One place is kept free for what is new.
            self.retries.pop_first()?.1
        } else {
            return None;
        };
        self.running.insert(waiting.seq);
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waiting(seq: u64, due: i64, endpoint: &str, is_retry: bool) -> Planned {
        Planned {
            scope: Scope::platform(0),
            due,
            seq,
            id: format!("wd_{seq}").into(),
            endpoint: endpoint.to_owned(),
            is_retry,
        }
    }

    #[test]
    fn first_attempts_of_an_endpoint_follow_one_another() {
        let mut queue = Queue::default();
        queue.add(waiting(2, 0, "we_a", false));
        queue.add(waiting(1, 0, "we_a", false));
        let one = queue.start(|_| 0).unwrap();
        assert_eq!((one.seq, queue.start(|_| 0)), (1, None));
        queue.release(&one);
        assert_eq!(queue.start(|_| 0).unwrap().seq, 2);
    }

    #[test]
    fn a_slow_endpoint_holds_up_no_other() {
        let mut queue = Queue::default();
        queue.add(waiting(1, 0, "we_slow", false));
        queue.add(waiting(2, 0, "we_slow", false));
        assert_eq!(queue.start(|_| 0).unwrap().endpoint, "we_slow");
        queue.add(waiting(3, 0, "we_quick", false));
        assert_eq!(queue.start(|_| 0).unwrap().seq, 3);
    }

    #[test]
    fn retries_neither_wait_for_first_attempts_nor_hold_them_up() {
        let mut queue = Queue::default();
        queue.add(waiting(5, 0, "we_a", false));
        for seq in 6..20 {
            queue.add(waiting(seq, 0, "we_a", true));
        }
        let started: Vec<_> = std::iter::from_fn(|| queue.start(|_| 0)).collect();
        assert_eq!(started.len(), LANE_MAX - 1);
        assert_eq!(started.iter().filter(|w| w.is_retry).count(), LANE_MAX - 2);
        queue.add(waiting(30, 0, "we_a", false));
        queue.release(&started[0]);
        assert_eq!(queue.start(|_| 0).unwrap().seq, 30);
    }

    #[test]
    fn what_is_not_due_waits_and_says_when_it_will_be() {
        let mut queue = Queue::default();
        queue.add(waiting(1, 60, "we_a", true));
        queue.add(waiting(2, 90, "we_b", true));
        assert_eq!((queue.start(|_| 59), queue.next_pause(|_| 59)), (None, Some(1)));
        let one = queue.start(|_| 60).unwrap();
        queue.end(one, Some(600));
        assert_eq!(queue.next_pause(|_| 60), Some(30));
    }

    proptest! {
        /// Whatever fails and however often, every delivery is attempted as often as it should be, and the
        /// first attempts of an endpoint start in the order of emission.
        #[test]
        fn nothing_is_lost_and_order_is_kept(
            plan in prop::collection::vec((0_u8..4, 0_usize..4), 1..60),
        ) {
            let mut queue = Queue::default();
            for (seq, (endpoint, _)) in plan.iter().enumerate() {
                queue.add(waiting(seq as u64, 0, &format!("we_{endpoint}"), false));
            }
            let mut counts = vec![0; plan.len()];
            let mut last_first: HashMap<String, u64> = HashMap::new();
            let mut now = 0;
            loop {
                let batch: Vec<_> = std::iter::from_fn(|| queue.start(|_| now)).collect();
                if batch.is_empty() {
                    match queue.next_pause(|_| now) {
                        Some(wait_s) => now += wait_s,
                        None => break,
                    }
                }
                for started in batch {
                    let at = usize::try_from(started.seq).unwrap();
                    counts[at] += 1;
                    if !started.is_retry {
                        let before = last_first.insert(started.endpoint.clone(), started.seq);
                        prop_assert!(before.is_none_or(|before| before < started.seq));
                    }
                    let again = counts[at] <= plan[at].1;
                    queue.end(started, again.then_some(now + 10));
                }
            }
            for (count, (_, failures)) in counts.iter().zip(&plan) {
                prop_assert_eq!(*count, failures + 1);
            }
            prop_assert!(queue.lanes.is_empty());
        }
    }
}
