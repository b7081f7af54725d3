//! The ledger, whichever engine keeps it. An engine that cannot do one of these does not compile.

use crate::batch::{Commit, ItemResult};
use crate::domain::book::Booked;
use crate::domain::currency::Currency;
use crate::domain::ledger_url::LedgerUrl;
use crate::domain::reconcile::Side;
use crate::domain::report::{LedgerRow, Total};
use crate::domain::time::Timestamp;
use crate::store::book::{Balance, Problem};
use crate::store::compact::{self, Compacted};
use crate::store::compared::{Named, Position, Span};
use crate::store::dispute::Held;
use crate::store::lanes;
use crate::store::postgres::PgLedger;
use crate::store::postgres::joined::Joining;
use crate::store::postgres::writer::PgWriter;
use crate::store::snapshot::Snapshot;
use crate::store::verify::Verified;
use crate::store::writer::{Accepted, LedgerBatch, LedgerWriter, Write};
use crate::store::{Each, Filter, SqliteLedger, StoreError, StoredEvent, Until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Where the ledger stands.
#[derive(Debug)]
enum Engine {
    /// In a file of this machine.
    Sqlite(SqliteLedger),
    /// On a server.
    Postgres(PgLedger),
}

/// The ledger for reading, and the way to its writer.
#[derive(Debug)]
pub struct Ledger {
    engine: Engine,
    until: Until,
}

/// Asks the engine that there is.
macro_rules! ask {
    ($self:ident.$name:ident($($arg:expr),*)) => {
        match &$self.engine {
            Engine::Sqlite(it) => it.$name($($arg),*),
            Engine::Postgres(it) => it.$name($($arg),*),
        }
    };
}

impl Ledger {
    /// Opens the ledger's file at `path`; makes file and folder where there are none, and brings an older file up.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let engine = Engine::Sqlite(SqliteLedger::open(path)?);
        Ok(Self { engine, until: Until::default() })
    }

    /// Opens the ledger on a server; makes its tables where there are none, and brings older ones up.
    pub fn connect(url: &LedgerUrl) -> Result<Self, StoreError> {
        let engine = Engine::Postgres(PgLedger::open(url)?);
        Ok(Self { engine, until: Until::default() })
    }

    /// Opens a ledger that is there already; nothing is made where there is none.
    pub(super) fn existing(url: &LedgerUrl) -> Result<Self, StoreError> {
        PgLedger::look_for(url)?;
        Self::connect(url)
    }

    /// The same, of which everything that takes long ends with [`StoreError::Interrupted`] once `asked` says so.
    pub fn until(
        self,
        asked: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        self.within(Until::of(Arc::new(asked)))
    }

    /// The same, until the end that somebody else hears of.
    pub(super) fn within(self, until: Until) -> Result<Self, StoreError> {
        let engine = match self.engine {
            Engine::Sqlite(it) => Engine::Sqlite(it.until(until.clone())?),
            Engine::Postgres(it) => Engine::Postgres(it.until(until.clone())),
        };
        Ok(Self { engine, until })
    }

    /// What its end is asked by.
    pub(super) const fn asked(&self) -> &Until {
        &self.until
    }

    /// Its journal as of now.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(match &self.engine {
            Engine::Sqlite(it) => Snapshot::File(it.snapshot()?),
            Engine::Postgres(it) => Snapshot::Server(it.snapshot()?),
        })
    }

    /// The file, or the server's address without a password.
    pub fn path(&self) -> &Path {
        ask!(self.path())
    }

    /// A writer with connections of its own, for a [`crate::batch::Batch`].
    pub fn writer(&self) -> Result<Writer, StoreError> {
        Ok(match &self.engine {
            Engine::Sqlite(it) => Writer::Sqlite(Box::new(it.writer()?)),
            Engine::Postgres(it) => Writer::Postgres(it.writers()),
        })
    }

    /// The same, of which what it writes ends with an error once that was asked for.
    pub(super) fn watched_writer(&self) -> Result<Writer, StoreError> {
        let mut writer = self.writer()?;
        if let Writer::Sqlite(writer) = &mut writer {
            writer.watch(&self.until)?;
        }
        Ok(writer)
    }

    /// The rows that `filter` asks for, newest session first.
    pub fn rows(&self, filter: &Filter) -> Result<Vec<LedgerRow>, StoreError> {
        ask!(self.rows(filter))
    }

    /// Gives the rows that `filter` asks for to `each`, oldest session first.
    pub fn each_row(&self, filter: &Filter, each: Each<'_, LedgerRow>) -> Result<(), StoreError> {
        ask!(self.each_row(filter, each))
    }

    /// What the rows come to by currency, in the order of its code. The filter's limit does not matter.
    pub fn totals(&self, filter: &Filter) -> Result<Vec<Total>, StoreError> {
        ask!(self.totals(filter))
    }

    /// How many different events were received.
    pub fn events_count(&self) -> Result<u64, StoreError> {
        ask!(self.events_count())
    }

    /// The event `id` as it was received.
    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, StoreError> {
        ask!(self.event(id))
    }

    /// The events received last, newest arrival first, at most `limit`.
    pub fn events(&self, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        ask!(self.events(limit))
    }

    /// The events of one of its journals after the line of this number, oldest first, at most `limit`, each with its
    /// line's number.
    pub fn events_after(
        &self,
        journal: usize,
        line: i64,
        limit: u32,
    ) -> Result<Vec<(i64, StoredEvent)>, StoreError> {
        match &self.engine {
            Engine::Sqlite(it) if journal == 0 => it.events_after(line, limit),
            Engine::Sqlite(_) => Ok(Vec::new()),
            Engine::Postgres(it) => it.events_after(journal, line, limit),
        }
    }

    /// The events of these types that the provider made since an instant, oldest arrival first, at most `most`.
    pub fn events_of(
        &self,
        types: &[&str],
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        ask!(self.events_of(types, since, most))
    }

    /// Gives what the events of a type are about to `tell`, in the order in which they came, but for those that were put
    /// apart.
    pub(super) fn objects_of(
        &self,
        kind: &str,
        mut tell: impl FnMut(&Value),
    ) -> Result<(), StoreError> {
        ask!(self.objects_of(kind, &mut tell))
    }

    /// The numbers of its journals, each of which tells it from others: one, and on several servers one each. How far
    /// somebody has read is said of each by itself.
    pub fn journals(&self) -> Result<Vec<i64>, StoreError> {
        match &self.engine {
            Engine::Sqlite(it) => Ok(vec![it.number()?]),
            Engine::Postgres(it) => it.journals(),
        }
    }

    /// Whether it is divided over several servers.
    pub fn is_divided(&self) -> bool {
        matches!(&self.engine, Engine::Postgres(it) if it.is_divided())
    }

    /// The lines of the journal about any of these objects, oldest first: id, type, when it came.
    pub fn lines_about(
        &self,
        names: &[String],
    ) -> Result<Vec<(String, String, Timestamp)>, StoreError> {
        ask!(self.lines_about(names))
    }

    /// Whether it is where it was opened, and can be read by whoever opens it now.
    pub fn is_readable(&self) -> bool {
        ask!(self.is_readable())
    }

    /// Whether it would take a line now.
    pub fn is_writable(&self) -> bool {
        ask!(self.is_writable())
    }

    /// Up to when the poller `name` has read.
    pub fn cursor(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        ask!(self.cursor(name))
    }

    /// What every account holds, by account and currency.
    pub fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        ask!(self.balances())
    }

    /// The last `limit` entries, or all, oldest first; only those about `subject`, where one is named.
    pub fn entries(
        &self,
        subject: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Vec<Booked>, StoreError> {
        let mut found = Vec::new();
        self.each_entry(subject, limit, &mut |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }

    /// Gives the same entries to `each`.
    pub fn each_entry(
        &self,
        subject: Option<&str>,
        limit: Option<u32>,
        each: Each<'_, Booked>,
    ) -> Result<(), StoreError> {
        ask!(self.each_entry(subject, limit, each))
    }

    /// The currencies of all postings.
    pub fn currencies(&self) -> Result<BTreeSet<Currency>, StoreError> {
        ask!(self.currencies())
    }

    /// How many postings there are.
    pub fn postings_count(&self) -> Result<u64, StoreError> {
        ask!(self.postings_count())
    }

    /// What a person should look at: lines that could not be booked, lines that stand apart, contradictions, and charges
    /// whose fee is pending.
    pub fn problems(&self) -> Result<Vec<Problem>, StoreError> {
        ask!(self.problems())
    }

    /// What disputes hold, by PaymentIntent; a payment that was never disputed is not in it.
    pub fn disputes(&self) -> Result<BTreeMap<String, Held>, StoreError> {
        ask!(self.disputes())
    }

    /// Writes a copy of the ledger to a file at `path`, where nothing stands yet.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        ask!(self.copy_to(path))
    }

    /// Looks at every row: whether the chains hold, and whether what follows from the journal is what stands there.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        ask!(self.verify())
    }

    /// Makes everything that follows from the journal anew; how many lines there were.
    pub fn rebuild(&self) -> Result<u64, StoreError> {
        ask!(self.rebuild())
    }

    /// Packs every body and gives free pages back; says now and then how many lines of how many are done. For files alone:
    /// a server keeps its own house.
    pub fn compact(&self, each: compact::Each<'_>) -> Result<Compacted, StoreError> {
        match &self.engine {
            Engine::Sqlite(it) => it.compact(each),
            Engine::Postgres(it) => {
                let reason = "a server is not made small from here".to_owned();
                Err(StoreError::Away { path: it.path().to_owned(), reason })
            }
        }
    }

    /// About how many rows there are: sessions, and PaymentIntents without one are not counted.
    pub fn compared_about(&self) -> Result<u64, StoreError> {
        ask!(self.compared_about())
    }

    /// Whether anything was ever sold through Creem.
    pub fn knows_creem(&self) -> Result<bool, StoreError> {
        ask!(self.knows_creem())
    }

    /// Gives each row of `span` to `each`, all as of one instant, and keeps no other reader waiting.
    pub fn compared(&self, span: Span, each: Each<'_, Named>) -> Result<Position, StoreError> {
        ask!(self.compared(span, each))
    }

    /// Begins a comparison where the ledger is, of which the ledger is `side`; `None` where it is compared here.
    pub fn joining(
        &self,
        side: Side,
        span: Span,
        skips_creem: bool,
    ) -> Result<Option<Joining>, StoreError> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(it) => it.joining(side, span, skips_creem),
        }
    }

    /// The names of everything that the lines after `from` are about, and how far that is; `None` where it is not the
    /// same ledger, or there are more than `most` lines.
    pub fn touched_since(
        &self,
        from: &Position,
        most: usize,
    ) -> Result<Option<(BTreeSet<String>, Position)>, StoreError> {
        ask!(self.touched_since(from, most))
    }

    /// The rows of `span` that are called so, or are of a payment that is.
    pub fn compared_of(
        &self,
        names: &BTreeSet<String>,
        span: Span,
    ) -> Result<Vec<Named>, StoreError> {
        ask!(self.compared_of(names, span))
    }
}

/// Writes to the ledger, whichever engine keeps it.
#[derive(Debug)]
pub enum Writer {
    /// To a file.
    Sqlite(Box<LedgerWriter>),
    /// To a server, or to several, each by its writer.
    Postgres(Vec<PgWriter>),
}

impl Writer {
    /// Starts the writer's thread behind its queue; of several servers one each.
    pub fn start(self) -> LedgerBatch {
        LedgerBatch::start(match self {
            Self::Sqlite(_) => vec![self],
            Self::Postgres(all) => all.into_iter().map(|it| Self::Postgres(vec![it])).collect(),
        })
    }
}

impl Commit for Writer {
    type Item = Write;
    type Done = Accepted;
    type Error = StoreError;

    fn commit(&mut self, items: Vec<Write>) -> Result<Vec<ItemResult<Self>>, StoreError> {
        match self {
            Self::Sqlite(it) => it.commit(items),
            Self::Postgres(all) => match all.as_mut_slice() {
                [one] => one.commit(items),
                several => lanes::commit(several, items),
            },
        }
    }

    fn commit_here(&mut self, item: Write) -> Result<ItemResult<Self>, Write> {
        match self {
            Self::Sqlite(it) => it.commit_here(item),
            // A server is waited for.
            Self::Postgres(_) => Err(item),
        }
    }

    fn fails_the_queue(error: &StoreError) -> bool {
        error.passes()
    }
}
