//! A comparison of two sources of any length: both sides are read at once, sorted with runs on disk where they are
//! long, merged, and what was found is sorted again into the order in which it is shown.

use crate::app::compare::changed::{self, News, Told};
use crate::app::compare::incremental::{self, At, Given};
use crate::app::compare::on_server::{self, Sink};
use crate::app::compare::progress::{Part, Progress};
use crate::app::compare::provided::{self, ProvidedError};
use crate::app::compare::source::Source;
use crate::app::compare::table::{self, TableError};
use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::book::creem::PREFIX;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::reconcile::columns::Map;
use crate::domain::reconcile::judge::Matched;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::merge::{Gathering, LANES, lane_of, tie_out};
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::reconcile::{Finding, Side, Summary, Verdict};
use crate::domain::time::Timestamp;
use crate::shop::creem_api::Creem;
use crate::store::Ledger;
use crate::store::compared::Span;
use crate::store::kept::{Fresh, Keeping};
use crate::store::runs::{InOrder, Room, Runs};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What each sorter may hold in memory. A side has one for each lane of each key that its rows stand under and one for
/// the parts of payouts, and what is found has one: nineteen at most, and mostly five.
const ROOM: usize = 1024 * 1024;

/// After how many findings it is told how far it has come.
const TOLD_EVERY: u64 = 1_024;

/// From how many rows on nobody reads what agrees.
const BRIEF_FROM: u64 = 10_000;

/// How often it is said how far it has come.
const SAY_EVERY: Duration = Duration::from_millis(500);

/// What is compared.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish by itself")]
pub struct Plan {
    /// Ours and theirs.
    pub sources: [Source; 2],
    /// What is said of the tables among them.
    pub maps: [Map; 2],
    /// Only what was made within it.
    pub span: Span,
    /// How rows are judged.
    pub rules: Rules,
    /// Whether rows that agree are left out.
    pub only_differences: bool,
    /// Whether what agrees may be left out where there is very much of it.
    pub brief: bool,
    /// Only what is about this object.
    pub about: Option<String>,
    /// Whether only what changed since the last time is compared, where that can be told.
    pub incremental: bool,
    /// Whether the rows of a ledger on a server are compared here all the same.
    pub in_process: bool,
    /// The second provider, where it is asked as well.
    pub creem: Option<Creem>,
}

impl Plan {
    /// Whether what agrees is left out where the longer side has so many rows.
    pub const fn leaves_out(&self, rows: u64) -> bool {
        self.only_differences || self.brief && rows > BRIEF_FROM
    }

    /// Whether sales through Creem are left out of the ledger: what was sold through another provider than is asked is
    /// nobody's difference.
    pub fn skips_creem(&self) -> bool {
        self.creem.is_none() && self.sources.contains(&Source::Provider)
    }

    /// Whether a finding is one that was asked for.
    pub fn wants(&self, finding: &Finding) -> bool {
        // What a refund refunds may be older than the span.
        let refund = |row: &Option<Row>| row.as_ref().is_none_or(|row| row.what == What::Refund);
        let begun = self.span.since.is_some();
        let stray = begun && refund(&finding.ours) && refund(&finding.theirs);
        !stray && self.about.as_deref().is_none_or(|about| finding.is_about(about))
    }
}

/// What a comparison came to.
pub struct Compared {
    /// Counts and sums.
    pub summary: Summary,
    findings: InOrder,
}

impl Compared {
    /// What was found, in order, and what it comes to.
    pub const fn new(summary: Summary, findings: InOrder) -> Self {
        Self { summary, findings }
    }

    /// The next finding, in the order in which they are shown.
    pub fn next(&mut self) -> io::Result<Option<Finding>> {
        self.findings.next_with(Finding::read)
    }
}

/// Compares.
pub async fn run(
    context: &Context,
    plan: Plan,
    ledger: Option<&Arc<Ledger>>,
    stripe: Option<&Stripe>,
) -> Result<Compared, Fault> {
    let room = Room::new(&context.config.home, ROOM);
    let progress = Arc::new(Progress::default());
    let mut plan = plan;
    if let Some(stripe) = stripe {
        plan.rules.under_way = provided::under_way(stripe).await;
    }
    let plan = Arc::new(plan);
    let began = context.clock.stopwatch();
    let keeping = Shelf::default();
    if plan.incremental && incremental::fits(&plan) {
        match again(context, &plan, &room, &keeping, ledger, stripe).await {
            Ok(None) => {}
            Ok(Some(compared)) => return Ok(compared),
            // What was kept can always be made anew, and what cannot be read is said where everything is.
            Err(error) => tracing::debug!(%error, "everything is compared"),
        }
    }
    let work = async {
        if let Some(ledger) = ledger {
            let ms = || began.ms();
            let told = (&progress, &ms as &(dyn Fn() -> u64 + Sync));
            let joined =
                Box::pin(on_server::compare(context, &plan, &room, ledger, stripe, told)).await?;
            if let Some(compared) = joined {
                return Ok(compared);
            }
        }
        let side = |side: Side| {
            let here = Box::new(Gathering::new(&Runs::new(room.clone())));
            let here = Box::pin(side_of(
                context,
                &plan,
                side,
                Sink::Here(here),
                ledger,
                stripe,
                &progress,
                &keeping,
            ));
            async { here.await.map(Sink::into_here) }
        };
        let (ours, theirs) = tokio::join!(side(Side::Ours), side(Side::Theirs));
        let (ours, theirs) = (ours?, theirs?);
        let (merged, room) = (Arc::clone(&plan), room.clone());
        let told = Arc::clone(&progress);
        let keeping = taken(&keeping).filter(|_| told.is_plain());
        told.begin_merging(began.ms(), ours.rows.max(theirs.rows));
        let merged =
            tokio::task::spawn_blocking(move || merge(&merged, ours, theirs, room, &told, keeping))
                .await;
        let merged = merged.unwrap_or_else(|error| Err(io::Error::other(error)));
        merged.map_err(|error| of_folder(context, error))
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(SAY_EVERY) => {
                context.notices.say(progress.notice(began.ms()));
            }
        }
    }
}

/// Where a comparison that is to be kept stands while both sides are read.
pub(super) type Shelf = Arc<Mutex<Option<Keeping>>>;

fn taken(shelf: &Shelf) -> Option<Keeping> {
    locked(shelf).take()
}

/// Compares what is new alone; where that cannot be told, what is read from now on is kept for the next time.
async fn again(
    context: &Context,
    plan: &Arc<Plan>,
    room: &Room,
    shelf: &Shelf,
    ledger: Option<&Arc<Ledger>>,
    stripe: Option<&Stripe>,
) -> io::Result<Option<Compared>> {
    let (home, plan, room) = (context.config.home.clone(), Arc::clone(plan), room.clone());
    let shelf = Arc::clone(shelf);
    let provider = match stripe {
        Some(stripe) => news(&home, &plan, stripe, context.clock.now()).await,
        None => [None, None],
    };
    let given = Given { ledger: ledger.cloned(), provider };
    let work = tokio::task::spawn_blocking(move || {
        let compared = incremental::again(&home, &plan, room.clone(), given);
        if !matches!(compared, Ok(Some(_))) {
            let keeping = Keeping::begin(&incremental::place(&home, &plan), room)?;
            *locked(&shelf) = Some(keeping);
        }
        compared
    });
    work.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// What the provider has new since what was kept, by side.
async fn news(
    home: &Path,
    plan: &Arc<Plan>,
    stripe: &Stripe,
    now: Timestamp,
) -> [Option<(News, Told)>; 2] {
    let (home, asked) = (home.to_owned(), Arc::clone(plan));
    let known =
        tokio::task::spawn_blocking(move || incremental::opened(&home, &asked).map(|(_, was)| was));
    let Ok(Some(was)) = known.await else { return [None, None] };
    let mut found = [None, None];
    for (side, found) in [Side::Ours, Side::Theirs].into_iter().zip(&mut found) {
        let Some(from) = was.told(side) else { continue };
        match changed::provider(stripe, from, plan.span, now).await {
            Ok(news) => *found = news,
            Err(error) => tracing::debug!(%error, "what the provider has new is not known"),
        }
    }
    found
}

pub(super) fn of_folder(context: &Context, error: io::Error) -> Fault {
    Fault::file(&context.config.home, error)
}

/// Whether rows are kept. It is decided before the first is read.
fn is_kept(shelf: &Shelf) -> bool {
    locked(shelf).is_some()
}

/// Keeps a row for the next time, where rows are kept.
fn keep(shelf: &Shelf, side: Side, fresh: impl FnOnce() -> Fresh) -> io::Result<()> {
    match locked(shelf).as_mut() {
        Some(keeping) => keeping.row(side, &fresh()),
        None => Ok(()),
    }
}

/// Reads a side into `sink`.
#[expect(clippy::too_many_arguments, reason = "what a side is made of")]
pub(super) async fn side_of(
    context: &Context,
    plan: &Arc<Plan>,
    side: Side,
    mut sink: Sink,
    ledger: Option<&Arc<Ledger>>,
    stripe: Option<&Stripe>,
    progress: &Arc<Progress>,
    shelf: &Shelf,
) -> Result<Sink, Fault> {
    let [source, _] = &plan.sources;
    let source = if side == Side::Ours { source } else { plan.sources.last().unwrap_or(source) };
    let (span, whole, counted) = (plan.span, Arc::clone(progress), progress.side(side));
    let gathered = match (source, ledger, stripe) {
        (Source::Provider, _, Some(stripe)) => {
            let window = Window { since: span.since, until: span.until };
            let failed = |error| of_provided(context, error);
            if is_kept(shelf) {
                // Before anything is read: what happens meanwhile is read again the next time.
                let told = changed::told(stripe).await.map_err(failed)?;
                counted.reached(told.map(At::Provider));
            }
            let mut each = |row: Row| {
                counted.row();
                sink.push(&row)?;
                keep(shelf, side, || Fresh::of_object(row, &[]))
            };
            let given = provided::rows(stripe, window, context.clock.now(), &mut each).await;
            given.map_err(failed)?;
            if let Some(creem) = &plan.creem {
                let given = provided::creem_rows(creem, span, context.clock.now(), &mut each).await;
                given.map_err(failed)?;
            }
            sink
        }
        (Source::Ledger, Some(ledger), _) => {
            let (ledger, shelf) = (Arc::clone(ledger), Arc::clone(shelf));
            let skips = plan.skips_creem();
            let read = ledger_file::apart(move || {
                counted.expect(ledger.compared_about()?);
                let position = ledger.compared(span, &mut |(row, charges)| {
                    if skips && row.id.starts_with(PREFIX) {
                        return Ok(());
                    }
                    counted.row();
                    counted.done.fetch_add(1, Ordering::Relaxed);
                    sink.push(&row)?;
                    keep(&shelf, side, || Fresh::of_object(row, &charges))
                })?;
                counted.reached(Some(At::Ledger(position)));
                Ok(sink)
            });
            read.await.map_err(|error| ledger_file::fault(context, &error))?
        }
        _ => file(context, plan, side, source, sink, counted, Arc::clone(shelf)).await?,
    };
    whole.end(side);
    Ok(gathered)
}

#[expect(clippy::too_many_arguments, reason = "what a side is made of")]
async fn file(
    context: &Context,
    plan: &Arc<Plan>,
    side: Side,
    source: &Source,
    mut sink: Sink,
    counted: Arc<Part>,
    shelf: Shelf,
) -> Result<Sink, Fault> {
    let (plan, read) = (Arc::clone(plan), source.clone());
    let kept = is_kept(&shelf);
    let reading = tokio::task::spawn_blocking(move || {
        let [ours, theirs] = &plan.maps;
        let map = if side == Side::Ours { ours } else { theirs };
        let told = table::read(&read, map, &counted, &mut |row| {
            counted.row();
            if !plan.span.has(row.created) {
                return Ok(());
            }
            sink.push(&row)?;
            if kept { keep(&shelf, side, || Fresh::new(row)) } else { Ok(()) }
        })?;
        counted.told(&told);
        Ok::<_, TableError>((sink, told))
    });
    let path = || source.name();
    let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error).into()));
    let (sink, told) = read.map_err(|error| match error {
        TableError::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            Fault::because(FaultKind::File { path: path() }, error)
        }
        other => Fault::because(FaultKind::Incomparable { what: path() }, other),
    })?;
    if let Some(encoding) = told.encoding.filter(|encoding| *encoding != "UTF-8") {
        context.notices.say(Notice::Encoding { path: path(), encoding });
    }
    Ok(sink)
}

fn of_provided(context: &Context, error: ProvidedError) -> Fault {
    match error {
        ProvidedError::Provider(error) => error.into(),
        ProvidedError::Io(error) => of_folder(context, error),
        odd @ ProvidedError::Odd { .. } => FaultKind::ProviderOdd { what: odd.to_string() }.into(),
    }
}

/// What was found so far, by whichever lane.
pub(super) struct Found<'f> {
    plan: &'f Plan,
    brief: bool,
    progress: &'f Progress,
    keeping: Option<Mutex<Keeping>>,
    sorted: Mutex<Runs>,
}

/// What one lane found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) summary: Summary,
    bytes: Vec<u8>,
    count: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'f> Found<'f> {
    /// Nothing yet; what is found is sorted in `room`, and kept for another time where `keeping` is there.
    pub(super) fn new(
        plan: &'f Plan,
        brief: bool,
        progress: &'f Progress,
        keeping: Option<Keeping>,
        room: Room,
    ) -> Self {
        let keeping = keeping.map(Mutex::new);
        Self { plan, brief, progress, keeping, sorted: Mutex::new(Runs::new(room)) }
    }

    /// Everything that was found, in order.
    pub(super) fn end(self, summary: Summary) -> io::Result<Compared> {
        let sorted = self.sorted.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Compared { summary, findings: sorted.in_order()? })
    }

    pub(super) fn take(&self, tally: &mut Tally, finding: &Finding) -> io::Result<()> {
        tally.count += 1;
        if tally.count.is_multiple_of(TOLD_EVERY) {
            self.progress.found.fetch_add(TOLD_EVERY, Ordering::Relaxed);
        }
        if !self.plan.wants(finding) {
            return Ok(());
        }
        tally.summary.add(finding);
        if let Some(keeping) = self.keeping.as_ref().filter(|_| finding.verdict != Verdict::Match) {
            locked(keeping).finding(finding)?;
        }
        if self.brief && finding.verdict.is_well() {
            return Ok(());
        }
        tally.bytes.clear();
        finding.write(&mut tally.bytes);
        locked(&self.sorted).push_bytes(&finding.order(), &tally.bytes)
    }
}

/// Compares what was gathered, lanes side by side.
pub(super) fn merge(
    plan: &Plan,
    ours: Gathering<Runs>,
    theirs: Gathering<Runs>,
    room: Room,
    progress: &Progress,
    keeping: Option<Keeping>,
) -> io::Result<Compared> {
    let rows = [ours.rows, theirs.rows];
    let brief = plan.leaves_out(ours.rows.max(theirs.rows));
    let mut found = Found::new(plan, brief, progress, keeping, room);
    let mut tallies: [Tally; LANES] = Default::default();
    let sides = Mutex::new([ours, theirs]);
    for key in Key::ALL {
        let lanes = locked(&sides).each_mut().map(|side| side.take(key));
        let [Some(own), Some(other)] = lanes else { continue };
        if own.iter().chain(&other).all(Runs::is_empty) {
            continue;
        }
        let (found, sides) = (&found, &sides);
        thread::scope(|scope| {
            let pairs = own.into_iter().zip(other).zip(&mut tallies);
            let work = |(pair, tally)| move || one_lane(found, key, pair, tally, sides);
            let mut lanes = pairs.map(work);
            let first = lanes.next();
            let others: Vec<_> = lanes.map(|lane| scope.spawn(lane)).collect();
            let first = first.map_or(Ok(()), |lane| lane());
            let mut ends = others.into_iter().map(thread::ScopedJoinHandle::join);
            let broken = |_| Err(io::Error::other("a lane broke off"));
            first.and(ends.try_for_each(|end| end.unwrap_or_else(broken)))
        })?;
    }
    let [own, other] = sides.into_inner().unwrap_or_else(PoisonError::into_inner);
    let [first, rest @ ..] = &mut tallies;
    for (side, parts) in [(Side::Ours, own.into_parts()), (Side::Theirs, other.into_parts())] {
        tie_out(&plan.rules, side, parts, &mut |finding| found.take(first, finding))?;
    }
    for tally in rest {
        first.summary.add_all(&tally.summary);
    }
    let summary = std::mem::take(&mut first.summary);
    if let Some(keeping) = found.keeping.take() {
        let keeping = keeping.into_inner().unwrap_or_else(PoisonError::into_inner);
        keeping.end(&summary, &progress.was(&plan.rules, rows).noted()?)?;
    }
    found.end(summary)
}

fn one_lane(
    found: &Found<'_>,
    key: Key,
    pair: (Runs, Runs),
    tally: &mut Tally,
    sides: &Mutex<[Gathering<Runs>; 2]>,
) -> io::Result<()> {
    lane_of(&found.plan.rules, key, pair, &mut |matched| match matched {
        Matched::Found(finding) => found.take(tally, finding),
        // What is tried under its next key may belong to another lane there.
        Matched::Later(side, row) => {
            let [ours, theirs] = &mut *locked(sides);
            if side == Side::Ours { ours } else { theirs }.put(row, Some(key))
        }
    })
}
