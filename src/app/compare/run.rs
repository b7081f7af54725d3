//! A comparison of two sources of any length: both sides are read at once, sorted with runs on disk where they are
//! long, merged, and what was found is sorted again into the order in which it is shown.

use crate::app::compare::provided::{self, ProvidedError};
use crate::app::compare::source::Source;
use crate::app::compare::table::{self, TableError};
use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::reconcile::columns::Map;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::merge::{Gathering, compare};
use crate::domain::reconcile::row::{Row, What};
use crate::domain::reconcile::{Finding, Side, Summary};
use crate::store::Ledger;
use crate::store::compared::Span;
use crate::store::runs::{InOrder, Room, Runs};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a side, and what was found, may hold in memory.
const ROOM: usize = 12 * 1024 * 1024;

/// From how many rows on nobody reads what agrees.
const BRIEF_FROM: u64 = 10_000;

/// How often it is said how far it has come.
const SAY_EVERY: Duration = Duration::from_millis(500);

/// What is compared.
#[derive(Clone, Debug)]
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
}

/// What a comparison came to.
pub struct Compared {
    /// Counts and sums.
    pub summary: Summary,
    findings: InOrder,
}

impl Compared {
    /// The next finding, in the order in which they are shown.
    pub fn next(&mut self) -> io::Result<Option<Finding>> {
        self.findings.next_with(Finding::read)
    }
}

/// How far reading has come.
#[derive(Debug, Default)]
struct Progress {
    rows: AtomicU64,
    ended: AtomicU64,
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
    let work = async {
        let side = |side: Side| gather(context, &plan, side, &room, ledger, stripe, &progress);
        let (ours, theirs) = tokio::join!(side(Side::Ours), side(Side::Theirs));
        let (ours, theirs) = (ours?, theirs?);
        let (merged, room) = (Arc::clone(&plan), room.clone());
        let merged = tokio::task::spawn_blocking(move || merge(&merged, ours, theirs, room)).await;
        let merged = merged.unwrap_or_else(|error| Err(io::Error::other(error)));
        merged.map_err(|error| of_folder(context, error))
    };
    tokio::pin!(work);
    let began = context.clock.stopwatch();
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(SAY_EVERY) => {
                let rows = progress.rows.load(Ordering::Relaxed);
                let per_second = rows.saturating_mul(1_000) / began.ms().max(1);
                let merging = progress.ended.load(Ordering::Relaxed) == 2;
                context.notices.say(Notice::Comparing { rows, per_second, merging });
            }
        }
    }
}

fn of_folder(context: &Context, error: io::Error) -> Fault {
    Fault::file(&context.config.home, error)
}

#[expect(clippy::too_many_arguments, reason = "what a side is made of")]
async fn gather(
    context: &Context,
    plan: &Arc<Plan>,
    side: Side,
    room: &Room,
    ledger: Option<&Arc<Ledger>>,
    stripe: Option<&Stripe>,
    progress: &Arc<Progress>,
) -> Result<Gathering<Runs>, Fault> {
    let mut gathering = Gathering::new(&Runs::new(room.clone()));
    let [source, _] = &plan.sources;
    let source = if side == Side::Ours { source } else { plan.sources.last().unwrap_or(source) };
    let (span, counted) = (plan.span, Arc::clone(progress));
    let gathered = match (source, ledger, stripe) {
        (Source::Provider, _, Some(stripe)) => {
            let window = Window { since: span.since, until: span.until };
            let mut each = |row: &Row| {
                counted.rows.fetch_add(1, Ordering::Relaxed);
                gathering.push(row)
            };
            let given = provided::rows(stripe, window, context.clock.now(), &mut each).await;
            given.map_err(|error| of_provided(context, error))?;
            gathering
        }
        (Source::Ledger, Some(ledger), _) => {
            let ledger = Arc::clone(ledger);
            let read = ledger_file::apart(move || {
                ledger.compared(span, &mut |row| {
                    counted.rows.fetch_add(1, Ordering::Relaxed);
                    gathering.push(row)
                })?;
                Ok(gathering)
            });
            read.await.map_err(|error| ledger_file::fault(context, &error))?
        }
        _ => file(context, plan, side, source, gathering, counted).await?,
    };
    progress.ended.fetch_add(1, Ordering::Relaxed);
    Ok(gathered)
}

async fn file(
    context: &Context,
    plan: &Arc<Plan>,
    side: Side,
    source: &Source,
    mut gathering: Gathering<Runs>,
    counted: Arc<Progress>,
) -> Result<Gathering<Runs>, Fault> {
    let (plan, read) = (Arc::clone(plan), source.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let [ours, theirs] = &plan.maps;
        let map = if side == Side::Ours { ours } else { theirs };
        let told = table::read(&read, map, &mut |row| {
            counted.rows.fetch_add(1, Ordering::Relaxed);
            if plan.span.has(row.created) { gathering.push(&row) } else { Ok(()) }
        })?;
        Ok::<_, TableError>((gathering, told))
    });
    let path = || source.name();
    let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error).into()));
    let (gathering, told) = read.map_err(|error| match error {
        TableError::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            Fault::because(FaultKind::File { path: path() }, error)
        }
        other => Fault::because(FaultKind::Incomparable { what: path() }, other),
    })?;
    if let Some(encoding) = told.encoding.filter(|encoding| *encoding != "UTF-8") {
        context.notices.say(Notice::Encoding { path: path(), encoding });
    }
    Ok(gathering)
}

fn of_provided(context: &Context, error: ProvidedError) -> Fault {
    match error {
        ProvidedError::Provider(error) => error.into(),
        ProvidedError::Io(error) => of_folder(context, error),
        odd @ ProvidedError::Odd { .. } => FaultKind::ProviderOdd { what: odd.to_string() }.into(),
    }
}

fn merge(
    plan: &Plan,
    ours: Gathering<Runs>,
    theirs: Gathering<Runs>,
    room: Room,
) -> io::Result<Compared> {
    let mut summary = Summary::default();
    let mut sorted = Runs::new(room);
    let mut bytes = Vec::new();
    let begun = plan.span.since.is_some();
    let much = plan.brief && ours.rows.max(theirs.rows) > BRIEF_FROM;
    compare(&plan.rules, ours, theirs, &mut |finding: Finding| {
        // What a refund refunds may be older than the span.
        let refund = |row: &Option<Row>| row.as_ref().is_none_or(|row| row.what == What::Refund);
        let stray = begun && refund(&finding.ours) && refund(&finding.theirs);
        let wanted = plan.about.as_deref().is_none_or(|about| finding.is_about(about));
        if stray || !wanted {
            return Ok(());
        }
        summary.add(&finding);
        if (plan.only_differences || much) && finding.verdict.is_well() {
            return Ok(());
        }
        bytes.clear();
        finding.write(&mut bytes);
        sorted.push_bytes(&finding.order(), &bytes)
    })?;
    Ok(Compared { summary, findings: sorted.in_order()? })
}
