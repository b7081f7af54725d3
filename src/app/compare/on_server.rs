//! A comparison where the ledger's server makes it: the other side's rows are read as ever and handed to it, and what it
//! finds goes the way of everything that is found.

use crate::app::compare::progress::Progress;
use crate::app::compare::run::{Compared, Found, Plan, Shelf, Tally, of_folder, side_of};
use crate::app::compare::source::Source;
use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::fault::Fault;
use crate::domain::reconcile::Side;
use crate::domain::reconcile::merge::{Gathering, tie_out};
use crate::domain::reconcile::row::Row;
use crate::store::postgres::joined::Joining;
use crate::store::runs::{Room, Runs};
use crate::store::{Ledger, StoreError};
use crate::stripe::Stripe;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the rows of a side go.
pub enum Sink {
    /// Here.
    Here(Box<Gathering<Runs>>),
    /// To the ledger's server; the parts of payouts stay here.
    There(Box<There>),
}

/// A comparison on the server while rows come.
pub struct There {
    joining: Joining,
    parts: Gathering<Runs>,
    trouble: Arc<Mutex<Option<HandOverError>>>,
}

/// Why the server did not take a row.
enum HandOverError {
    /// It cannot keep such a text.
    Unfit,
    /// It is away, or refused.
    Store(StoreError),
}

impl Sink {
    /// What came here.
    pub fn into_here(self) -> Gathering<Runs> {
        match self {
            Self::Here(gathering) => *gathering,
            Self::There(there) => there.parts,
        }
    }

    /// Takes a row in.
    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        let there = match self {
            Self::Here(gathering) => return gathering.push(row),
            Self::There(there) => there,
        };
        there.parts.push_part(row)?;
        let trouble = match there.joining.push(row) {
            Ok(true) => return Ok(()),
            Ok(false) => HandOverError::Unfit,
            Err(error) => HandOverError::Store(error),
        };
        *there.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
        Err(io::Error::other("the ledger's server took no more rows"))
    }
}

/// The side that the ledger is, where it is one of two and all is compared.
fn ledger_side(plan: &Plan) -> Option<Side> {
    let whole = !plan.incremental && plan.about.is_none() && !plan.in_process;
    let [ours, theirs] = &plan.sources;
    match (ours == &Source::Ledger, theirs == &Source::Ledger) {
        (true, false) if whole => Some(Side::Ours),
        (false, true) if whole => Some(Side::Theirs),
        _ => None,
    }
}

/// Compares on the ledger's server; `None` where the ledger has none, or the server cannot do it.
pub async fn compare(
    context: &Context,
    plan: &Arc<Plan>,
    room: &Room,
    ledger: &Arc<Ledger>,
    stripe: Option<&Stripe>,
    (progress, began_ms): (&Arc<Progress>, &(dyn Fn() -> u64 + Sync)),
) -> Result<Option<Compared>, Fault> {
    let Some(side) = ledger_side(plan) else { return Ok(None) };
    let (span, skips, asked) = (plan.span, plan.skips_creem(), Arc::clone(ledger));
    let begun = ledger_file::apart(move || asked.joining(side, span, skips)).await;
    let of_ledger = |error: StoreError| ledger_file::fault(context, &error);
    let Some(joining) = begun.map_err(of_ledger)? else { return Ok(None) };
    let held = progress.side(side);
    (0..joining.held()).for_each(|_| held.row());
    progress.end(side);
    let trouble = Arc::new(Mutex::new(None));
    let parts = Gathering::new(&Runs::new(room.clone()));
    let sink = Sink::There(Box::new(There { joining, parts, trouble: Arc::clone(&trouble) }));
    let other = side.other();
    let read =
        Box::pin(side_of(context, plan, other, sink, None, stripe, progress, &Shelf::default()))
            .await;
    let trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
    let sink = match (read, trouble) {
        (Ok(sink), _) => sink,
        (Err(_), Some(HandOverError::Unfit)) => return Ok(None),
        (Err(_), Some(HandOverError::Store(error))) => return Err(of_ledger(error)),
        (Err(fault), None) => return Err(fault),
    };
    let Sink::There(there) = sink else { return Ok(None) };
    progress.begin_merging(began_ms(), there.joining.longer());
    let (plan, room, told) = (Arc::clone(plan), room.clone(), Arc::clone(progress));
    let joined = tokio::task::spawn_blocking(move || join(&plan, *there, other, room, &told));
    let joined = joined.await.unwrap_or_else(|error| Ok(Err(io::Error::other(error))));
    joined.map_err(of_ledger)?.map(Some).map_err(|error| of_folder(context, error))
}

/// Has the server join what it was given, and ties out the payouts of the side that was read.
fn join(
    plan: &Plan,
    there: There,
    other: Side,
    room: Room,
    progress: &Progress,
) -> Result<io::Result<Compared>, StoreError> {
    let There { joining, parts, .. } = there;
    let brief = plan.leaves_out(joining.longer());
    let found = Found::new(plan, brief, progress, None, room);
    let mut tally = Tally::default();
    let agreed =
        joining.finish(&plan.rules, brief, &mut |finding| found.take(&mut tally, finding))?;
    // A ledger's rows name no payout that they left with.
    let tied = tie_out(&plan.rules, other, parts.into_parts(), &mut |finding| {
        found.take(&mut tally, finding)
    });
    let mut summary = tally.summary;
    summary.add_all(&agreed);
    Ok(tied.and_then(|()| found.end(summary)))
}
