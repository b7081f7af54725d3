//! Commits over a file that fails when it is told to.

use super::*;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::state::Scope;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// How a commit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stored,
    /// Refused, and certainly not stored.
    Refused,
    /// Not known: it was stored.
    UnknownStored,
    /// Not known: it was not stored.
    UnknownLost,
}

/// What the disk holds, and what it does next.
#[derive(Debug, Default)]
struct Disk {
    number: u64,
    rows: BTreeMap<u64, String>,
    ends: VecDeque<End>,
    /// How often it cannot be asked.
    silent: usize,
    /// Whether commits wait.
    held: bool,
    /// Commits that were begun.
    begun: usize,
}

#[derive(Clone, Default)]
struct Fake(Arc<(Mutex<Disk>, Condvar)>);

impl Fake {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.0.lock().unwrap()
    }

    fn set(&self, change: impl FnOnce(&mut Disk)) {
        change(&mut self.disk());
        self.0.1.notify_all();
    }

    /// Waits until `count` commits were begun in all.
    fn begun(&self, count: usize) {
        drop(self.0.1.wait_while(self.disk(), |disk| disk.begun < count).unwrap());
    }
}

impl Durable for Fake {
    const RETRY_EVERY: Duration = Duration::from_millis(1);

    fn commit(&mut self, changes: &[&Change], number: u64, _: u64) -> Result<(), CommitError> {
        self.set(|disk| disk.begun += 1);
        let mut disk = self.0.1.wait_while(self.disk(), |disk| disk.held).unwrap();
        let end = disk.ends.pop_front().unwrap_or(End::Stored);
        if matches!(end, End::Stored | End::UnknownStored) {
            assert!(number > disk.number, "numbers go up");
            disk.number = number;
            for change in changes {
                match (&change.before, &change.after) {
                    (_, Some(after)) => {
                        drop(disk.rows.insert(after.seq, after.text.to_string()));
                    }
                    (Some(before), None) => drop(disk.rows.remove(&before.seq)),
                    (None, None) => {}
                }
            }
        }
        match end {
            End::Stored => Ok(()),
            End::Refused => Err(CommitError::Nothing(JournalError::Gone)),
            End::UnknownStored | End::UnknownLost => Err(CommitError::Unknown(JournalError::Gone)),
        }
    }

    fn reopen(&mut self) -> Result<u64, JournalError> {
        let mut disk = self.disk();
        if disk.silent > 0 {
            disk.silent -= 1;
            return Err(JournalError::Gone);
        }
        Ok(disk.number)
    }

    fn settle(&mut self, number: u64) {
        assert_eq!(self.disk().number, number);
    }
}

/// A commit that was told of: its number and its texts.
type Told = (u64, Vec<String>);

/// Commits, their disk, and what was told of them.
struct Desk {
    commits: Commits,
    fake: Fake,
    told: Arc<Mutex<Vec<Told>>>,
}

type Answer = oneshot::Receiver<Result<(), ChangeError>>;

impl Desk {
    fn open() -> Self {
        let (fake, told) = (Fake::default(), Arc::<Mutex<Vec<(u64, Vec<String>)>>>::default());
        let hears = Arc::clone(&told);
        let tell: Published = Box::new(move |number, changes| {
            let texts = changes.iter().filter_map(|c| c.after.as_ref().map(|s| s.text.to_string()));
            hears.lock().unwrap().push((number, texts.collect()));
        });
        let commits = Commits::to_file(fake.clone(), State::default(), 0, tell).unwrap();
        Self { commits, fake, told }
    }

    /// Changes the object `id`, or makes it.
    fn put(&self, id: &str, text: &str) -> Result<Answer, ChangeError> {
        let draft = self.commits.begin()?;
        let (mut state, scope) = (draft.state(), Scope::platform(0));
        let before = state.get(&scope, "customer", id).cloned();
        let seq = before.as_ref().map_or_else(|| state.next_seq(), |old| old.seq);
        let (id, text) = (Arc::from(id), Arc::from(text));
        let after = Arc::new(Stored { kind: "customer", id, seq, text, private: None });
        state.put(&scope, &after);
        let change = Change { scope, before, after: Some(after) };
        Ok(draft.commit(state, vec![change]).unwrap())
    }

    fn stored(&self, id: &str) -> bool {
        self.put(id, id).unwrap().blocking_recv().unwrap().is_ok()
    }

    /// What is published: the number, and the texts by place.
    fn published(&self) -> (u64, BTreeMap<u64, String>) {
        let (state, number) = self.commits.published();
        let table = state.table(&Scope::platform(0), "customer");
        let all = table.into_iter().flat_map(|table| table.all());
        (number, all.map(|stored| (stored.seq, stored.text.to_string())).collect())
    }

    /// Waits until changes are taken again.
    fn up(&self) {
        while self.commits.begin().is_err() {
            std::thread::yield_now();
        }
    }

    /// What is published is what the disk has.
    fn agrees(&self) {
        let disk = self.fake.disk();
        assert_eq!(self.published(), (disk.number, disk.rows.clone()));
    }
}

#[test]
fn a_refused_commit_leaves_nothing_and_the_next_one_gets_its_number_and_place() {
    let desk = Desk::open();
    desk.fake.set(|disk| disk.ends.push_back(End::Refused));
    assert!(!desk.stored("a"));
    assert_eq!(desk.published(), (0, BTreeMap::new()));
    assert!(desk.stored("b"));
    assert_eq!(desk.published(), (1, BTreeMap::from([(1, "b".to_owned())])));
    assert_eq!(*desk.told.lock().unwrap(), [(1, vec!["b".to_owned()])]);
    desk.agrees();
}

#[test]
fn what_waits_behind_a_failed_commit_goes_with_it() {
    let desk = Desk::open();
    desk.fake.set(|disk| {
        disk.held = true;
        disk.ends.push_back(End::Refused);
    });
    let first = desk.put("product", "made").unwrap();
    desk.fake.begun(1);
    // Both rest on what is under way: a price of the product, and the product itself.
    let rest = [desk.put("price", "of it").unwrap(), desk.put("product", "changed").unwrap()];
    desk.fake.set(|disk| disk.held = false);
    assert!(matches!(first.blocking_recv().unwrap(), Err(ChangeError::Unavailable(_))));
    for answer in rest {
        assert!(matches!(answer.blocking_recv().unwrap(), Err(ChangeError::Unavailable(_))));
    }
    assert_eq!(desk.fake.disk().begun, 1, "they were not even tried");
    assert!(desk.stored("later"));
    assert_eq!(desk.published(), (1, BTreeMap::from([(1, "later".to_owned())])));
    desk.agrees();
}

#[test]
fn an_unknown_commit_is_asked_about_until_the_file_can_tell() {
    for (end, is_there) in [(End::UnknownStored, true), (End::UnknownLost, false)] {
        let desk = Desk::open();
        desk.fake.set(|disk| {
            disk.ends.push_back(end);
            disk.silent = usize::MAX;
        });
        assert!(!desk.stored("a"), "not known is not acknowledged");
        assert!(matches!(desk.commits.begin(), Err(ChangeError::Unavailable(_))));
        assert_eq!(desk.published(), (0, BTreeMap::new()));
        desk.fake.set(|disk| disk.silent = 0);
        desk.up();
        let told: Vec<u64> = desk.told.lock().unwrap().iter().map(|(number, _)| *number).collect();
        let (number, rows) = desk.published();
        assert_eq!((number == 1, rows.len() == 1, told == [1]), (is_there, is_there, is_there));
        assert!(desk.stored("b"));
        assert_eq!(desk.published().0, number + 1);
        desk.agrees();
    }
}

#[test]
fn a_file_that_somebody_else_wrote_to_is_not_gone_on_with() {
    let desk = Desk::open();
    assert!(desk.stored("a"));
    desk.fake.set(|disk| {
        disk.ends.push_back(End::UnknownLost);
        disk.number = 77;
    });
    assert!(!desk.stored("b"));
    let refusal = loop {
        match desk.commits.begin() {
            Err(ChangeError::Unavailable(error)) if error.to_string().contains("77") => {
                break error;
            }
            Err(_) => std::thread::yield_now(),
            Ok(_) => panic!("went on with another program's commits"),
        }
    };
    assert!(refusal.to_string().contains("Restart the sandbox"), "{refusal}");
    assert_eq!(desk.published(), (1, BTreeMap::from([(1, "a".to_owned())])));
}

#[test]
fn readers_wait_for_nothing_and_see_only_what_is_durable() {
    let desk = Desk::open();
    assert!(desk.stored("a"));
    desk.fake.set(|disk| disk.held = true);
    let answer = desk.put("b", "b").unwrap();
    desk.fake.begun(2);
    // The disk hangs: a reader that waited for it would hang here for ever.
    for _ in 0..100 {
        assert_eq!(desk.published(), (1, BTreeMap::from([(1, "a".to_owned())])));
    }
    assert_eq!(desk.told.lock().unwrap().len(), 1);
    desk.fake.set(|disk| disk.held = false);
    answer.blocking_recv().unwrap().unwrap();
    assert_eq!((desk.published().0, desk.told.lock().unwrap().len()), (2, 2));
    desk.agrees();
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Stored),
        2 => Just(End::Refused),
        1 => Just(End::UnknownStored),
        1 => Just(End::UnknownLost),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails in whatever order: what is published is the last durable commit, what was acknowledged
    /// is in it, and what was refused is not, unless its outcome was not known: then all of its group is.
    #[test]
    fn published_is_always_the_last_durable_commit(
        rounds in prop::collection::vec(((end(), end()), prop::collection::vec(0_u8..6, 1..5), 0_usize..3), 1..12),
    ) {
        let desk = Desk::open();
        let (mut acknowledged, mut refused, mut unsure) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut text = 0;
        for ((first, second), ids, silent) in rounds {
            let begun = desk.fake.disk().begun;
            desk.fake.set(|disk| {
                disk.held = true;
                disk.ends = VecDeque::from([first, second]);
                disk.silent = silent;
            });
            let mut answers = Vec::new();
            for (at, id) in ids.iter().enumerate() {
                text += 1;
                answers.push((text, desk.put(&format!("cus_{id}"), &text.to_string()).unwrap()));
                if at == 0 {
                    desk.fake.begun(begun + 1);
                }
            }
            desk.fake.set(|disk| disk.held = false);
            for (at, (text, answer)) in answers.into_iter().enumerate() {
                if answer.blocking_recv().unwrap().is_ok() {
                    acknowledged.insert(text);
                    continue;
                }
                let end = if at == 0 { first } else { second };
                let tried = at == 0 || first == End::Stored;
                if tried && end == End::UnknownStored {
                    unsure.insert(text);
                } else {
                    refused.insert(text);
                }
            }
            desk.up();
            desk.agrees();
            let told = desk.told.lock().unwrap();
            prop_assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let seen: BTreeSet<u64> =
                told.iter().flat_map(|(_, texts)| texts).map(|text| text.parse().unwrap()).collect();
            let durable: BTreeSet<u64> = acknowledged.union(&unsure).copied().collect();
            prop_assert_eq!(&seen, &durable);
            prop_assert!(seen.is_disjoint(&refused));
        }
    }
}
