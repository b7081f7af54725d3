//! The way to the ledger's writer: a queue with its thread, and of a ledger on several servers one for each, so that a
//! server that is away keeps nobody waiting but those whose events belong there.

use crate::batch::{Batch, Commit as _, Full, ItemResult, Ticket};
use crate::domain::book::home::{home, server_of};
use crate::store::StoreError;
use crate::store::ledger::Writer;
use crate::store::postgres::writer::PgWriter;
use crate::store::writer::{Accepted, QUEUE_DEPTH, Write};

/// The ledger's writer behind its queue.
#[derive(Debug)]
pub struct LedgerBatch {
    lanes: Vec<Batch<Writer>>,
}

impl LedgerBatch {
    /// Starts the threads of these writers.
    pub(super) fn start(writers: Vec<Writer>) -> Self {
        let lanes = writers.into_iter().map(|writer| Batch::start(writer, QUEUE_DEPTH));
        Self { lanes: lanes.collect() }
    }

    /// How many lanes there are: one a server.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The lane that something goes by.
    pub fn lane(&self, item: &Write) -> usize {
        lane(item, self.lanes.len())
    }

    /// Queues an item; the ticket resolves once it is durable. Never waits for room.
    pub fn submit(&self, item: Write) -> Result<Ticket<Writer>, Full> {
        self.lanes.get(self.lane(&item)).ok_or(Full)?.submit(item)
    }

    /// The same for a caller who waits for each item before the next: see [`Batch::submit_each`].
    pub fn submit_each(&self, item: Write) -> Result<Ticket<Writer>, Full> {
        self.lanes.get(self.lane(&item)).ok_or(Full)?.submit_each(item)
    }

    /// Queues an item and blocks the thread until it is durable; waits for room where the queue is full.
    /// Not for asynchronous code.
    pub fn submit_blocking(&self, item: Write) -> Result<Accepted, StoreError> {
        self.lanes.get(self.lane(&item)).ok_or(StoreError::Gone)?.submit_blocking(item)
    }
}

/// Which of several servers has something. How far a poller has read stands on the first.
fn lane(item: &Write, servers: usize) -> usize {
    match item {
        Write::Line(.., Some(home)) => server_of(home, servers),
        Write::Line(line, ..) if servers > 1 => server_of(&home(line), servers),
        Write::Line(..) | Write::Cursor(..) => 0,
    }
}

/// Writes items to the servers that they belong to, one server after the other; what became of each.
pub(super) fn commit(
    writers: &mut [PgWriter],
    items: Vec<Write>,
) -> Result<Vec<ItemResult<Writer>>, StoreError> {
    let mut parts: Vec<Vec<(usize, Write)>> = writers.iter().map(|_| Vec::new()).collect();
    let mut done: Vec<Option<ItemResult<Writer>>> = items.iter().map(|_| None).collect();
    let servers = writers.len();
    for (place, item) in items.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(lane(&item, servers)) {
            part.push((place, item));
        }
    }
    for (writer, part) in writers.iter_mut().zip(parts).filter(|(_, part)| !part.is_empty()) {
        let (places, items): (Vec<usize>, Vec<Write>) = part.into_iter().unzip();
        for (place, outcome) in places.into_iter().zip(writer.commit(items)?) {
            if let Some(slot) = done.get_mut(place) {
                *slot = Some(outcome);
            }
        }
    }
    Ok(done.into_iter().map(|it| it.unwrap_or(Err(StoreError::Gone))).collect())
}
