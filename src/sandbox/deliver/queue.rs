//! Whose turn it is. Pure: what waits, what runs, and the rules between them.
//!
//! Every endpoint has a lane of its own with a bound, so that a slow one holds up nobody else. Within a lane
//! the events about one object go out in the order of emission: the next first attempt starts when the one
//! before it has been answered, or has taken longer than anyone should wait. Events about different objects
//! follow one another as well, so that a person reads them in order, until the one before takes a while or
//! many wait: then they overtake one another. Retries go beside them and hold up nothing. Worlds take turns,
//! and the endpoints of a world among themselves. Nothing here looks through all lanes: those that can start
//! stand in line.

use crate::sandbox::engine::Planned;
use crate::sandbox::engine::state::{Scope, WorldId};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// Attempts at one endpoint at once.
pub const LANE_MAX: usize = 16;

/// First attempts that wait at one endpoint before they no longer follow one another.
pub const BACKLOG_MIN: usize = 32;

/// Attempts at once, without those that have taken too long to be waited for.
pub const PROMPT_MAX: usize = 64;

/// Attempts at once: connections that are open at a time.
pub const RUNNING_MAX: usize = 256;

/// Results that may wait to be written down before nothing more is sent.
pub const UNWRITTEN_MAX: usize = 4_096;

/// Whose lane and which delivery: what is told of a running attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    lane: u64,
    seq: u64,
}

/// A delivery on its way through the queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// The delivery.
    pub planned: Planned,
    /// What its event is about: those that are equal keep their order.
    pub about: u64,
    lane: u64,
}

impl Item {
    /// How the queue finds it.
    pub const fn key(&self) -> Key {
        Key { lane: self.lane, seq: self.planned.seq }
    }
}

/// The deliveries that wait or run.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: HashMap<u64, Lane>,
    addresses: HashMap<(Scope, String), u64>,
    last_lane: u64,
    /// The lanes that can start something, by world, each at most once.
    turns: HashMap<WorldId, VecDeque<u64>>,
    /// The worlds that have such lanes, each at most once.
    worlds: VecDeque<WorldId>,
    /// Retries that were not due when they were last looked at.
    later: BTreeMap<WorldId, BTreeMap<(i64, u64), Item>>,
    /// Every delivery from when it is added until it is written down.
    known: HashSet<u64>,
    running: usize,
    slow: usize,
    unwritten: usize,
}

#[derive(Debug)]
struct Lane {
    address: (Scope, String),
    /// The first attempts that may start: the oldest of each object that is not waited for.
    heads: BTreeMap<u64, u64>,
    /// The first attempts of each object.
    objects: HashMap<u64, Line>,
    /// First attempts that wait, over all objects.
    waiting: usize,
    /// The first attempt that the others follow.
    led_by: Option<u64>,
    /// Retries that are due.
    retries: BTreeMap<(i64, u64), Item>,
    running: HashMap<u64, Run>,
    is_lined_up: bool,
    /// Whether it is a retry's turn, where both could start.
    retry_next: bool,
}

#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<u64, Item>,
    /// The first attempt whose answer the next one waits for.
    held_by: Option<u64>,
}

#[derive(Debug)]
struct Run {
    about: u64,
    is_slow: bool,
}

impl Queue {
    /// Lines a delivery up; one that is in the queue already stays where it is. A retry waits to be
    /// [`Queue::ripen`]ed.
    pub fn add(&mut self, planned: Planned, about: u64) {
        if !self.known.insert(planned.seq) {
            return;
        }
        if planned.is_retry {
            self.put_off(Item { planned, about, lane: 0 });
            return;
        }
        let id = self.lane_of(&planned);
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.add(Item { planned, about, lane: id });
        }
        self.line_up(id);
    }

    /// Takes the next delivery that may start.
    pub fn start(&mut self) -> Option<Item> {
        let is_full = self.running - self.slow >= PROMPT_MAX
            || self.running >= RUNNING_MAX
            || self.unwritten >= UNWRITTEN_MAX;
        if is_full {
            return None;
        }
        loop {
            let world = self.worlds.pop_front()?;
            let id = self.turns.get_mut(&world).and_then(VecDeque::pop_front);
            let item = id.and_then(|id| self.lanes.get_mut(&id)).and_then(|lane| {
                lane.is_lined_up = false;
                lane.start()
            });
            if self.turns.get(&world).is_some_and(VecDeque::is_empty) {
                self.turns.remove(&world);
            } else if self.turns.contains_key(&world) {
                self.worlds.push_back(world);
            }
            if let Some(id) = id {
                self.line_up(id);
            }
            if item.is_some() {
                self.running += 1;
                return item;
            }
        }
    }

    /// Lets first attempts about other objects overtake this one: it takes a while.
    pub fn pass(&mut self, key: Key) {
        if let Some(lane) = self.lanes.get_mut(&key.lane) {
            lane.pass(key.seq);
        }
        self.line_up(key.lane);
    }

    /// Lets the next first attempt about the object start although this one still runs, and others in its
    /// place: it takes too long to be waited for.
    pub fn release(&mut self, key: Key) {
        let Some(lane) = self.lanes.get_mut(&key.lane) else { return };
        let Some(run) = lane.running.get_mut(&key.seq).filter(|run| !run.is_slow) else { return };
        run.is_slow = true;
        self.slow += 1;
        let about = run.about;
        lane.free(about, key.seq);
        self.line_up(key.lane);
    }

    /// Takes note that an attempt has ended. Its result is still to be written down.
    pub fn answered(&mut self, key: Key) {
        let Some(lane) = self.lanes.get_mut(&key.lane) else { return };
        let Some(run) = lane.running.remove(&key.seq) else { return };
        self.running -= 1;
        self.slow -= usize::from(run.is_slow);
        self.unwritten += 1;
        lane.free(run.about, key.seq);
        if lane.is_empty() {
            if let Some(lane) = self.lanes.remove(&key.lane) {
                self.addresses.remove(&lane.address);
            }
        } else {
            self.line_up(key.lane);
        }
    }

    /// Takes note that a result is written down, and lines the delivery up again where it has a next attempt.
    pub fn end(&mut self, mut item: Item, next_due: Option<i64>) {
        self.unwritten = self.unwritten.saturating_sub(1);
        match next_due {
            None => {
                self.known.remove(&item.planned.seq);
            }
            Some(due) => {
                item.planned.due = due;
                item.planned.is_retry = true;
                self.put_off(item);
            }
        }
    }

    /// Lets the retries of a world start that are due at `now`, by its clock.
    pub fn ripen(&mut self, world: WorldId, now: i64) {
        while let Some(later) = self.later.get_mut(&world) {
            let Some(first) = later.first_entry() else {
                self.later.remove(&world);
                return;
            };
            if first.key().0 > now {
                return;
            }
            let (place, mut item) = first.remove_entry();
            let id = self.lane_of(&item.planned);
            item.lane = id;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.retries.insert(place, item);
            }
            self.line_up(id);
        }
    }

    /// The worlds that have retries which are not due yet, and when the first of each is, by its clock.
    pub fn later(&self) -> impl Iterator<Item = (WorldId, i64)> {
        let firsts = self.later.iter();
        firsts.filter_map(|(world, items)| Some((*world, items.first_key_value()?.0.0)))
    }

    fn put_off(&mut self, item: Item) {
        let later = self.later.entry(item.planned.scope.world).or_default();
        later.insert((item.planned.due, item.planned.seq), item);
    }

    fn lane_of(&mut self, planned: &Planned) -> u64 {
        let address = (planned.scope.clone(), planned.endpoint.clone());
        if let Some(id) = self.addresses.get(&address) {
            return *id;
        }
        self.last_lane += 1;
        self.lanes.insert(self.last_lane, Lane::at(address.clone()));
        self.addresses.insert(address, self.last_lane);
        self.last_lane
    }

    /// Puts a lane at the end of the line, where it can start something and does not stand there yet.
    fn line_up(&mut self, id: u64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.is_lined_up || !lane.can_start() {
            return;
        }
        lane.is_lined_up = true;
        let world = lane.address.0.world;
        let turns = self.turns.entry(world).or_default();
        if turns.is_empty() {
            self.worlds.push_back(world);
        }
        turns.push_back(id);
    }
}

impl Lane {
    fn at(address: (Scope, String)) -> Self {
        Self {
            address,
            heads: BTreeMap::new(),
            objects: HashMap::new(),
            waiting: 0,
            led_by: None,
            retries: BTreeMap::new(),
            running: HashMap::new(),
            is_lined_up: false,
            retry_next: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.objects.is_empty() && self.retries.is_empty()
    }

    fn add(&mut self, item: Item) {
        let (seq, about) = (item.planned.seq, item.about);
        let line = self.objects.entry(about).or_default();
        if line.held_by.is_none() {
            let head = line.waiting.first_key_value().map(|(head, _)| *head);
            if head.is_none_or(|head| seq < head) {
                if let Some(head) = head {
                    self.heads.remove(&head);
                }
                self.heads.insert(seq, about);
            }
        }
        line.waiting.insert(seq, item);
        self.waiting += 1;
    }

    fn retry_fits(&self) -> bool {
        // One place is kept free for what is new.
        !self.retries.is_empty() && self.running.len() + 1 < LANE_MAX
    }

    fn first_fits(&self) -> bool {
        !self.heads.is_empty() && (self.led_by.is_none() || self.waiting >= BACKLOG_MIN)
    }

    fn can_start(&self) -> bool {
        self.running.len() < LANE_MAX && (self.first_fits() || self.retry_fits())
    }

    fn start(&mut self) -> Option<Item> {
        if !self.can_start() {
            return None;
        }
        let is_retry = self.retry_fits() && (self.retry_next || !self.first_fits());
        self.retry_next = !is_retry;
        let item = if is_retry { self.retries.pop_first()?.1 } else { self.first()? };
        self.running.insert(item.planned.seq, Run { about: item.about, is_slow: false });
        Some(item)
    }

    fn first(&mut self) -> Option<Item> {
        let (seq, about) = self.heads.pop_first()?;
        let line = self.objects.get_mut(&about)?;
        line.held_by = Some(seq);
        self.waiting -= 1;
        self.led_by.get_or_insert(seq);
        line.waiting.remove(&seq)
    }

    /// Lets the others no longer follow `seq`.
    fn pass(&mut self, seq: u64) {
        if self.led_by == Some(seq) {
            self.led_by = None;
        }
    }

    /// Lets the next one about an object start, where `seq` is what it waited for.
    fn free(&mut self, about: u64, seq: u64) {
        self.pass(seq);
        let Some(line) = self.objects.get_mut(&about).filter(|it| it.held_by == Some(seq)) else {
            return;
        };
        line.held_by = None;
        if let Some((next, _)) = line.waiting.first_key_value() {
            self.heads.insert(*next, about);
        } else {
            self.objects.remove(&about);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn planned(world: WorldId, seq: u64, endpoint: &str) -> Planned {
        Planned {
            scope: Scope::platform(world),
            due: 0,
            seq,
            id: format!("wd_{seq}").into(),
            endpoint: endpoint.to_owned(),
            is_retry: false,
        }
    }

    fn retry(seq: u64, due: i64, endpoint: &str) -> Planned {
        Planned { due, is_retry: true, ..planned(0, seq, endpoint) }
    }

    fn all(queue: &mut Queue) -> Vec<Item> {
        std::iter::from_fn(|| queue.start()).collect()
    }

    fn seqs(items: &[Item]) -> Vec<u64> {
        items.iter().map(|item| item.planned.seq).collect()
    }

    #[test]
    fn first_attempts_about_one_object_follow_one_another_and_others_go_beside_them() {
        let mut queue = Queue::default();
        queue.add(planned(0, 2, "we_a"), 7);
        queue.add(planned(0, 1, "we_a"), 7);
        queue.add(planned(0, 3, "we_a"), 8);
        let one = queue.start().unwrap();
        assert_eq!((one.planned.seq, queue.start()), (1, None));
        queue.pass(one.key());
        let other = queue.start().unwrap();
        assert_eq!((other.planned.seq, queue.start()), (3, None));
        queue.answered(other.key());
        assert_eq!(queue.start(), None);
        queue.release(one.key());
        assert_eq!(seqs(&all(&mut queue)), [2]);
    }

    #[test]
    fn an_endpoint_that_hangs_takes_its_places_and_no_more() {
        let mut queue = Queue::default();
        for seq in 0..100 {
            queue.add(planned(0, seq, "we_hangs"), seq);
        }
        let hung = all(&mut queue);
        assert_eq!(hung.len(), LANE_MAX);
        for seq in 100..200 {
            queue.add(planned(0, seq, "we_quick"), seq);
        }
        assert_eq!(all(&mut queue).len(), LANE_MAX);
        for item in &hung {
            queue.release(item.key());
        }
        assert_eq!(queue.start(), None, "a slow attempt keeps its place at the endpoint");
    }

    #[test]
    fn endpoints_that_hang_give_their_places_to_others() {
        let mut queue = Queue::default();
        for seq in 0..300 {
            queue.add(planned(0, seq, &format!("we_{}", seq % 5)), seq);
        }
        let hung = all(&mut queue);
        assert_eq!(hung.len(), PROMPT_MAX);
        for item in &hung {
            queue.release(item.key());
        }
        queue.add(planned(0, 400, "we_quick"), 400);
        assert!(all(&mut queue).iter().any(|item| item.planned.seq == 400));
    }

    #[test]
    fn worlds_and_endpoints_take_turns() {
        let mut queue = Queue::default();
        for seq in 0..100 {
            let endpoint = if seq % 2 == 0 { "we_a" } else { "we_b" };
            queue.add(planned(1, seq, endpoint), seq);
        }
        queue.add(planned(2, 900, "we_c"), 900);
        queue.add(planned(2, 901, "we_d"), 901);
        let first: Vec<_> = std::iter::from_fn(|| queue.start()).take(6).collect();
        assert_eq!(seqs(&first), [0, 900, 1, 901, 2, 3]);
    }

    #[test]
    fn retries_neither_wait_for_first_attempts_nor_hold_them_up() {
        let mut queue = Queue::default();
        queue.add(planned(0, 5, "we_a"), 1);
        for seq in 6..40 {
            queue.add(retry(seq, 0, "we_a"), 1);
        }
        queue.ripen(0, 0);
        let started = all(&mut queue);
        assert_eq!(started.len(), LANE_MAX - 1);
        assert_eq!(started.iter().filter(|item| item.planned.is_retry).count(), LANE_MAX - 2);
        queue.add(planned(0, 50, "we_a"), 2);
        queue.pass(started[0].key());
        assert_eq!(seqs(&all(&mut queue)), [50]);
    }

    #[test]
    fn what_is_not_due_waits_and_says_when_it_will_be() {
        let mut queue = Queue::default();
        queue.add(retry(1, 60, "we_a"), 1);
        queue.add(retry(2, 90, "we_b"), 2);
        queue.ripen(0, 59);
        assert_eq!((queue.start(), queue.later().next()), (None, Some((0, 60))));
        queue.ripen(0, 60);
        let one = queue.start().unwrap();
        queue.answered(one.key());
        queue.end(one, Some(600));
        assert_eq!(queue.later().next(), Some((0, 90)));
    }

    #[test]
    fn what_is_added_twice_is_there_once_until_it_is_written_down() {
        let mut queue = Queue::default();
        queue.add(planned(0, 1, "we_a"), 1);
        queue.add(planned(0, 1, "we_a"), 1);
        let one = queue.start().unwrap();
        queue.answered(one.key());
        queue.add(planned(0, 1, "we_a"), 1);
        assert_eq!(queue.start(), None);
        queue.end(one, None);
        assert!(queue.known.is_empty() && queue.lanes.is_empty() && queue.addresses.is_empty());
    }

    #[test]
    fn nothing_is_sent_while_too_many_results_wait_to_be_written() {
        let mut queue = Queue::default();
        let count = u64::try_from(UNWRITTEN_MAX).unwrap() + 1;
        for seq in 0..count {
            queue.add(planned(0, seq, "we_a"), seq);
        }
        let mut sent = Vec::new();
        while let Some(item) = queue.start() {
            queue.answered(item.key());
            sent.push(item);
        }
        assert_eq!(sent.len(), UNWRITTEN_MAX);
        queue.end(sent.pop().unwrap(), None);
        assert!(queue.start().is_some());
    }

    /// One delivery of a plan: its world, endpoint and object, and how often it fails.
    type Case = (u8, u8, u8, usize);

    proptest! {
        /// Whatever fails, and in whichever order answers come: every delivery is attempted as often as it
        /// should be, the bounds hold, and first attempts about one object go out one after the other.
        #[test]
        fn nothing_is_lost_bounds_hold_and_order_is_kept(
            plan in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..4, 0_usize..3), 1..120),
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 200),
        ) {
            let mut queue = Queue::default();
            for (seq, case) in plan.iter().enumerate() {
                let (world, endpoint, about, _): Case = *case;
                let seq = seq as u64;
                queue.add(planned(world.into(), seq, &format!("we_{endpoint}")), about.into());
            }
            let mut counts = vec![0; plan.len()];
            let mut last: HashMap<(WorldId, String, u64), u64> = HashMap::new();
            let mut running: Vec<Item> = Vec::new();
            let mut released: HashSet<u64> = HashSet::new();
            let mut picks = picks.into_iter().cycle();
            let mut now = 0;
            loop {
                for item in all(&mut queue) {
                    let Planned { seq, is_retry, .. } = item.planned;
                    let object = (item.planned.scope.world, item.planned.endpoint.clone(), item.about);
                    counts[usize::try_from(seq).unwrap()] += 1;
                    if !is_retry {
                        let waits = running.iter().any(|other| {
                            !other.planned.is_retry
                                && !released.contains(&other.planned.seq)
                                && (other.planned.scope.world, &other.planned.endpoint, other.about)
                                    == (object.0, &object.1, object.2)
                        });
                        prop_assert!(!waits, "{seq} started beside the one before it");
                        let before = last.insert(object, seq);
                        prop_assert!(before.is_none_or(|before| before < seq));
                    }
                    running.push(item);
                }
                let mut lanes: HashMap<(WorldId, &str), usize> = HashMap::new();
                for item in &running {
                    *lanes.entry((item.planned.scope.world, &item.planned.endpoint)).or_default() += 1;
                }
                prop_assert!(lanes.values().all(|count| *count <= LANE_MAX));
                prop_assert!(running.len() <= RUNNING_MAX && queue.running == running.len());
                if running.is_empty() {
                    let Some(due) = queue.later().map(|(_, due)| due).min() else { break };
                    now = due;
                    for world in 0..3 {
                        queue.ripen(world, now);
                    }
                    continue;
                }
                let (pick, only_releases) = picks.next().unwrap();
                let at = pick.index(running.len());
                if only_releases && released.insert(running[at].planned.seq) {
                    queue.release(running[at].key());
                    continue;
                }
                let item = running.swap_remove(at);
                queue.answered(item.key());
                let seq = usize::try_from(item.planned.seq).unwrap();
                let again = counts[seq] <= plan[seq].3;
                queue.end(item, again.then_some(now + 10));
            }
            for (count, case) in counts.iter().zip(&plan) {
                prop_assert_eq!(*count, case.3 + 1);
            }
            prop_assert!(queue.lanes.is_empty() && queue.turns.is_empty() && queue.worlds.is_empty());
            prop_assert!(queue.known.is_empty() && queue.running == 0 && queue.slow == 0);
        }
    }
}
