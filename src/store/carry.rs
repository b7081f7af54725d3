//! A ledger carried over to another that has none of its own, line by line: from one server to two, from two to three,
//! from several to one. Each line is written there as it came here, with a number and a place in a chain of the new
//! ledger's own, and is held to what stands here before it counts as carried. Done again, it goes on where it ended.

use crate::domain::ledger_url::{LedgerPlace, LedgerUrl};
use crate::store::homes::Homes;
use crate::store::import::{Intake, UNSURE};
use crate::store::ledger::Writer;
use crate::store::postgres::take_over;
use crate::store::snapshot::Snapshot;
use crate::store::writer::Write;
use crate::store::{Ledger, StoreError, Until};
use std::sync::Arc;

impl Ledger {
    /// Takes a ledger over to servers that have none of their own; whether they had none. A file goes to one server row
    /// by row, with its numbers and chains, in one transaction. Anything else is carried over line by line. Ends once
    /// `asked` says so.
    pub fn migrate(
        from: &LedgerPlace,
        to: &LedgerUrl,
        asked: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<bool, StoreError> {
        let until = Until::of(Arc::new(asked));
        let here = match from {
            LedgerPlace::File(file) if to.servers().len() == 1 => {
                return take_over(file, to, &until);
            }
            LedgerPlace::File(file) => Self::open(file)?,
            LedgerPlace::Server(url) if url == to => return Ok(false),
            LedgerPlace::Server(url) => Self::existing(url)?,
        };
        carry(&here.within(until.clone())?, &from.shown(), to, until)
    }
}

/// Carries a ledger over, which a person calls `shown`.
fn carry(from: &Ledger, shown: &str, to: &LedgerUrl, until: Until) -> Result<bool, StoreError> {
    let here = from.snapshot()?;
    let import = |reason: String| {
        let path = to.shown();
        let next = format!("stripegym ledger import {shown} --ledger '{path}'");
        StoreError::Servers { path: path.into(), reason, next }
    };
    let mut homes = Homes::default();
    if to.servers().len() > 1 {
        homes = Homes::of(&mut |each| here.each(each))?;
        if let Some(object) = &homes.lost {
            // Before anything is made there.
            return Err(import(format!("{object}: {UNSURE}")));
        }
    }
    let to = Ledger::connect(to)?.within(until)?;
    if to.snapshot()?.lacking_in(&here)?.is_some() {
        return Ok(false);
    }
    let mut intake = Intake::new(&to, homes)?;
    here.each(&mut |line| intake.put(line))?;
    let mut writer = intake.end()?.1;
    cursors(&here, &to, &mut writer)?;
    match here.lacking_in(&to.snapshot()?)? {
        None => Ok(true),
        // Somebody who listens there already has heard it in another way.
        Some(id) => Err(import(format!("{id} is there otherwise than it is here"))),
    }
}

/// Has each poller go on where it is here. One that reads there already knows better.
fn cursors(here: &Snapshot, to: &Ledger, writer: &mut Writer) -> Result<(), StoreError> {
    use crate::batch::Commit as _;
    let mut waiting = Vec::new();
    for (name, at) in here.cursors()? {
        if to.cursor(&name)?.is_none() {
            waiting.push(Write::Cursor(name, at));
        }
    }
    if !waiting.is_empty() {
        for written in writer.commit(waiting)? {
            written?;
        }
    }
    Ok(())
}
