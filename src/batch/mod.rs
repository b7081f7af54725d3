//! Group commit: a bounded queue in front of one writer thread. What waits while a commit is under way
//! goes into the next one together, so that many callers share one flush to disk. Where one caller after the other comes
//! alone, there is nothing to share, and each commits its own: handing it to a thread and being woken by it takes longer
//! than the rest. It knows neither what an item is nor where it is stored; that is the [`Commit`] it is given.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The most items that one commit takes.
pub const BATCH_ITEMS_MAX: usize = 256;

/// After how many commits of one item each it is taken that callers come alone.
const ALONE_AFTER: usize = 8;

/// The storage behind a [`Batch`]: makes several items durable at once. An item that cannot be stored for its
/// own sake leaves nothing and holds up none of the others.
pub trait Commit: Send + 'static {
    /// What is stored.
    type Item: Send + 'static;
    /// What the caller learns about its stored item.
    type Done: Send + 'static;
    /// Why an item was not stored, or nothing of a commit was; then each of its callers gets a copy.
    type Error: Send + Clone + From<WriterGone> + 'static;

    /// Stores `items` together or not at all, and answers for each of them, in the same order.
    fn commit(&mut self, items: Vec<Self::Item>) -> Result<Vec<ItemResult<Self>>, Self::Error>;

    /// Stores one item where its caller stands, as [`Self::commit`] does, where that takes no longer than a flush; gives it
    /// back where it would have to be waited for somebody.
    fn commit_here(&mut self, item: Self::Item) -> Result<ItemResult<Self>, Self::Item> {
        Err(item)
    }

    /// Whether what waited behind a failed commit fails with it: its turn would end as late and as badly.
    fn fails_the_queue(_error: &Self::Error) -> bool {
        false
    }
}

/// What became of one item.
pub type ItemResult<C> = Result<<C as Commit>::Done, <C as Commit>::Error>;

/// The queue had no room: the caller comes back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue in front of the writer is full")]
pub struct Full;

/// The writer ended before it answered; whether the item was stored is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the writer ended before it answered")]
pub struct WriterGone;

type Ack<C> = oneshot::Sender<ItemResult<C>>;

struct Pending<C: Commit> {
    item: C::Item,
    ack: Ack<C>,
}

/// What the writer's thread and its callers share.
struct Desk<C> {
    /// Whoever has it commits.
    commit: Mutex<C>,
    /// Items that are queued or being committed.
    under_way: AtomicUsize,
    /// How many of the last commits were of one item each.
    alone: AtomicUsize,
}

impl<C> Desk<C> {
    fn note(&self, items: usize) {
        if items == 1 {
            self.alone.fetch_add(1, Ordering::Relaxed);
        } else {
            self.alone.store(0, Ordering::Relaxed);
        }
    }
}

/// A running writer. Dropping it stores what is queued, answers its callers, and waits for the thread.
pub struct Batch<C: Commit> {
    queue: Option<SyncSender<Pending<C>>>,
    thread: Option<JoinHandle<()>>,
    desk: Arc<Desk<C>>,
}

impl<C: Commit> Batch<C> {
    /// Starts the writer thread behind a queue of at most `depth` items (at least one).
    pub fn start(commit: C, depth: usize) -> Self {
        let depth = depth.max(1);
        let (queue, inbox) = sync_channel(depth);
        let desk = Desk {
            commit: Mutex::new(commit),
            under_way: AtomicUsize::new(0),
            alone: AtomicUsize::new(0),
        };
        let desk = Arc::new(desk);
        let shared = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("batch-writer".to_owned())
            .spawn(move || write(&shared, &inbox, depth))
            .ok();
        // Without a thread the inbox is gone too, and every ticket says so.
        Self { queue: Some(queue), thread, desk }
    }

    /// The same for a caller who waits for each item before the next. Where nobody else does, the item may be stored
    /// before this returns.
    pub fn submit_each(&self, item: C::Item) -> Result<Ticket<C>, Full> {
        match self.commit_here(item) {
            Ok(outcome) => Ok(Ticket(Waiting::Told(Some(outcome)))),
            Err(item) => self.submit(item),
        }
    }

    /// Stores an item on the caller's thread, unless others come meanwhile.
    fn commit_here(&self, item: C::Item) -> Result<ItemResult<C>, C::Item> {
        let desk = &*self.desk;
        if desk.alone.load(Ordering::Relaxed) < ALONE_AFTER {
            return Err(item);
        }
        // What was queued before comes before.
        let free = desk.under_way.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
        if free.is_err() {
            return Err(item);
        }
        let outcome = match desk.commit.try_lock() {
            Ok(mut commit) => commit.commit_here(item),
            Err(_) => Err(item),
        };
        desk.under_way.fetch_sub(1, Ordering::AcqRel);
        if outcome.is_ok() {
            desk.note(1);
        }
        outcome
    }

    /// Queues an item; the ticket resolves once it is durable. Never waits for room.
    pub fn submit(&self, item: C::Item) -> Result<Ticket<C>, Full> {
        let (ack, answer) = oneshot::channel();
        let ticket = Ticket(Waiting::Asked(answer));
        let Some(queue) = &self.queue else { return Ok(ticket) };
        self.desk.under_way.fetch_add(1, Ordering::AcqRel);
        let sent = queue.try_send(Pending { item, ack });
        if sent.is_err() {
            self.desk.under_way.fetch_sub(1, Ordering::AcqRel);
        }
        match sent {
            // A lost writer dropped the acknowledgement, so that the ticket resolves to `WriterGone`.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(ticket),
            Err(TrySendError::Full(_)) => Err(Full),
        }
    }

    /// Queues an item and blocks the thread until it is durable; waits for room where the queue is full.
    /// Not for asynchronous code.
    pub fn submit_blocking(&self, item: C::Item) -> Result<C::Done, C::Error> {
        let (ack, answer) = oneshot::channel();
        self.desk.under_way.fetch_add(1, Ordering::AcqRel);
        let sent = self.queue.as_ref().map(|queue| queue.send(Pending { item, ack }));
        if let Some(Ok(())) = sent {
            return Ticket::<C>(Waiting::Asked(answer)).wait();
        }
        self.desk.under_way.fetch_sub(1, Ordering::AcqRel);
        Err(WriterGone.into())
    }
}

impl<C: Commit> Drop for Batch<C> {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the batch writer panicked");
        }
    }
}

impl<C: Commit> fmt::Debug for Batch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}

/// A future of what becomes of one item.
pub struct Ticket<C: Commit>(Waiting<C>);

enum Waiting<C: Commit> {
    /// It is queued.
    Asked(oneshot::Receiver<ItemResult<C>>),
    /// It was stored at once; empty once that was told.
    Told(Option<ItemResult<C>>),
}

/// Nothing in it is ever pinned: the outcome is moved out.
impl<C: Commit> Unpin for Ticket<C> {}

impl<C: Commit> Ticket<C> {
    /// Blocks the thread until the item is durable. Not for asynchronous code.
    pub fn wait(self) -> Result<C::Done, C::Error> {
        let told = match self.0 {
            Waiting::Asked(answer) => answer.blocking_recv().ok(),
            Waiting::Told(told) => told,
        };
        told.unwrap_or_else(|| Err(WriterGone.into()))
    }
}

impl<C: Commit> Future for Ticket<C> {
    type Output = Result<C::Done, C::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let told = match &mut self.0 {
            Waiting::Asked(answer) => ready!(Pin::new(answer).poll(context)).ok(),
            Waiting::Told(told) => told.take(),
        };
        Poll::Ready(told.unwrap_or_else(|| Err(WriterGone.into())))
    }
}

impl<C: Commit> fmt::Debug for Ticket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Takes batches until every sender is gone and the queue is empty.
fn write<C: Commit>(desk: &Desk<C>, inbox: &Receiver<Pending<C>>, depth: usize) {
    while let Ok(first) = inbox.recv() {
        // Whoever committed its own item at once has ended by then, and what came meanwhile goes with the first. One that
        // panicked left it open what is stored.
        let Ok(mut commit) = desk.commit.lock() else { return };
        let mut items = vec![first.item];
        let mut acks = vec![first.ack];
        for pending in inbox.try_iter().take(BATCH_ITEMS_MAX - 1) {
            items.push(pending.item);
            acks.push(pending.ack);
        }
        desk.note(items.len());
        let outcome = commit.commit(items);
        drop(commit);
        if outcome.as_ref().is_err_and(C::fails_the_queue) {
            // Only what waits now: what comes later finds out for itself.
            acks.extend(inbox.try_iter().take(depth).map(|pending| pending.ack));
        }
        desk.under_way.fetch_sub(acks.len(), Ordering::AcqRel);
        answer::<C>(acks, outcome);
    }
}

fn answer<C: Commit>(acks: Vec<Ack<C>>, outcome: Result<Vec<ItemResult<C>>, C::Error>) {
    match outcome {
        Ok(done) => {
            // Where a commit answered too few, the acknowledgements left over are dropped: `WriterGone`.
            for (ack, done) in acks.into_iter().zip(done) {
                tell(ack, done);
            }
        }
        Err(error) => {
            for ack in acks {
                tell(ack, Err(error.clone()));
            }
        }
    }
}

/// A caller that no longer listens lost interest, not the item.
fn tell<T>(ack: oneshot::Sender<T>, outcome: T) {
    drop(ack.send(outcome));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[derive(Clone, Debug, PartialEq)]
    enum Fault {
        Disk,
        Busy,
        Gone,
    }

    impl From<WriterGone> for Fault {
        fn from(_: WriterGone) -> Self {
            Self::Gone
        }
    }

    /// Noted in place of a size where an item was committed on its caller's thread.
    const HERE: usize = usize::MAX;

    /// Doubles numbers; each commit first takes one permission from `gate`.
    struct Doubler {
        gate: Receiver<()>,
        sizes: Arc<Mutex<Vec<usize>>>,
    }

    impl Commit for Doubler {
        type Item = u32;
        type Done = u32;
        type Error = Fault;

        fn commit(&mut self, items: Vec<u32>) -> Result<Vec<Result<u32, Fault>>, Fault> {
            self.gate.recv().ok();
            self.sizes.lock().unwrap().push(items.len());
            assert!(!items.contains(&666), "asked to panic");
            if items.contains(&13) {
                return Err(Fault::Disk);
            }
            if items.contains(&14) {
                return Err(Fault::Busy);
            }
            let each = |n| if n == 15 { Err(Fault::Disk) } else { Ok(n * 2) };
            Ok(items.into_iter().map(each).collect())
        }

        fn commit_here(&mut self, item: u32) -> Result<Result<u32, Fault>, u32> {
            // An odd one takes long.
            if item % 2 == 1 {
                return Err(item);
            }
            self.sizes.lock().unwrap().push(HERE);
            assert_ne!(item, 668, "asked to panic");
            Ok(Ok(item * 2))
        }

        fn fails_the_queue(error: &Fault) -> bool {
            *error == Fault::Busy
        }
    }

    fn doubler(depth: usize) -> (Batch<Doubler>, mpsc::Sender<()>, Arc<Mutex<Vec<usize>>>) {
        let (open, gate) = mpsc::channel();
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let batch = Batch::start(Doubler { gate, sizes: Arc::clone(&sizes) }, depth);
        (batch, open, sizes)
    }

    #[test]
    fn what_waits_shares_one_commit_and_each_caller_gets_its_own_answer() {
        let (batch, open, sizes) = doubler(1024);
        let tickets: Vec<_> = (20..620).map(|n| batch.submit(n).unwrap()).collect();
        for _ in 0..10 {
            open.send(()).unwrap();
        }
        for (n, ticket) in (20..620).zip(tickets) {
            assert_eq!(ticket.wait(), Ok(n * 2));
        }
        let sizes = sizes.lock().unwrap();
        assert!(sizes.len() <= 4, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size <= BATCH_ITEMS_MAX));
        assert_eq!(sizes.iter().sum::<usize>(), 600);
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let (batch, open, _) = doubler(2);
        // One in the writer's hands at most, two in the queue: the fourth cannot fit.
        let taken: Vec<_> = (20..24).map(|n| batch.submit(n)).collect();
        assert!(matches!(taken.last(), Some(Err(Full))));
        drop(open);
        for ticket in taken.into_iter().flatten() {
            assert!(ticket.wait().is_ok());
        }
    }

    #[test]
    fn a_failed_commit_fails_every_caller_and_the_writer_goes_on() {
        let (batch, open, _) = doubler(8);
        drop(open);
        assert_eq!(batch.submit_blocking(13), Err(Fault::Disk));
        assert_eq!(batch.submit_blocking(20), Ok(40));
    }

    #[test]
    fn an_item_that_fails_for_its_own_sake_fails_alone() {
        let (batch, open, sizes) = doubler(8);
        let tickets: Vec<_> = [20, 15, 21].map(|n| batch.submit(n).unwrap()).into();
        drop(open);
        let done: Vec<_> = tickets.into_iter().map(Ticket::wait).collect();
        assert_eq!(done, [Ok(40), Err(Fault::Disk), Ok(42)]);
        assert!(sizes.lock().unwrap().len() <= 2);
    }

    #[test]
    fn what_waits_behind_a_lasting_failure_fails_at_once_and_is_not_tried() {
        let (batch, open, sizes) = doubler(1024);
        // More than one commit takes: what is left over waits behind it.
        let tickets: Vec<_> =
            std::iter::once(14).chain(1_000..1_600).map(|n| batch.submit(n).unwrap()).collect();
        open.send(()).unwrap();
        for ticket in tickets {
            assert_eq!(ticket.wait(), Err(Fault::Busy));
        }
        assert_eq!(sizes.lock().unwrap().len(), 1);
        drop(open);
        assert_eq!(batch.submit_blocking(20), Ok(40), "the writer goes on");
    }

    #[test]
    fn dropping_stores_what_is_queued() {
        let (batch, open, sizes) = doubler(8);
        let tickets: Vec<_> = (20..25).map(|n| batch.submit(n).unwrap()).collect();
        drop(open);
        drop(batch);
        assert_eq!(sizes.lock().unwrap().iter().sum::<usize>(), 5);
        assert!(tickets.into_iter().all(|ticket| ticket.wait().is_ok()));
    }

    #[test]
    fn who_comes_alone_again_and_again_commits_its_own_until_others_come() {
        let (batch, open, sizes) = doubler(8);
        let each = |item| batch.submit_each(item).unwrap().wait();
        for _ in 0..ALONE_AFTER + 6 {
            open.send(()).unwrap();
        }
        for item in 0..u32::try_from(ALONE_AFTER).unwrap() {
            assert_eq!(each(20 + 2 * item), Ok(40 + 4 * item));
        }
        assert_eq!(*sizes.lock().unwrap(), [1; ALONE_AFTER]);
        assert_eq!(each(2), Ok(4));
        assert_eq!(sizes.lock().unwrap().pop(), Some(HERE));
        assert_eq!(each(3), Ok(6), "what would take long goes to the thread");
        assert_eq!(sizes.lock().unwrap().pop(), Some(1));
        // What is queued first is stored first, so nobody goes past it.
        let (batch, open, sizes) = doubler(8);
        batch.desk.alone.store(ALONE_AFTER, Ordering::Relaxed);
        let several: Vec<_> = (20..24).map(|n| batch.submit(n).unwrap()).collect();
        let behind = batch.submit_each(2).unwrap();
        drop(open);
        assert!(several.into_iter().all(|ticket| ticket.wait().is_ok()));
        assert_eq!(behind.wait(), Ok(4));
        assert!(!sizes.lock().unwrap().contains(&HERE));
    }

    #[test]
    fn a_writer_that_was_lost_on_its_callers_thread_is_lost() {
        let (batch, open, _) = doubler(8);
        drop(open);
        batch.desk.alone.store(ALONE_AFTER, Ordering::Relaxed);
        let lost = std::panic::AssertUnwindSafe(|| batch.submit_each(668));
        assert!(std::panic::catch_unwind(lost).is_err());
        assert_eq!(batch.submit_each(2).unwrap().wait(), Err(Fault::Gone));
        assert_eq!(batch.submit_blocking(2), Err(Fault::Gone));
    }

    #[tokio::test]
    async fn a_ticket_is_a_future_and_a_lost_writer_is_an_error() {
        let (batch, open, _) = doubler(8);
        drop(open);
        assert_eq!(batch.submit(21).unwrap().await, Ok(42));
        assert_eq!(batch.submit(666).unwrap().await, Err(Fault::Gone));
        assert_eq!(batch.submit(1).unwrap().await, Err(Fault::Gone));
    }
}
