//! A ledger carried over to another that has none of its own, line by line: from one server to two, from two to three,
//! from several to one. Each line is written there as it came here, with a number and a place in a chain of the new
//! ledger's own, and is held to what stands here before it counts as carried. Done again, it goes on where it ended.

use crate::domain::book::home::is_sure;
use crate::domain::ledger_url::{LedgerPlace, LedgerUrl};
use crate::store::import::{Intake, UNSURE};
use crate::store::ledger::Writer;
use crate::store::postgres::take_over;
use crate::store::snapshot::Snapshot;
use crate::store::writer::Write;
use crate::store::{Ledger, StoreError, Until};
use std::path::PathBuf;
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
        match from {
            LedgerPlace::File(file) if to.servers().len() == 1 => take_over(file, to, &until),
            from => {
                let here = Self::at(from)?.within(until.clone())?;
                carry(&here, &Self::connect(to)?.within(until)?)
            }
        }
    }
}

fn carry(from: &Ledger, to: &Ledger) -> Result<bool, StoreError> {
    let (here, there) = (from.snapshot()?, to.snapshot()?);
    if there.lacking_in(&here)?.is_some() {
        return Ok(false);
    }
    drop(there);
    if to.is_divided() {
        look(from, &here, to)?;
    }
    let mut intake = Intake::new(to)?;
    here.each(&mut |line| intake.put(line))?;
    let mut writer = intake.end()?.1;
    cursors(&here, to, &mut writer)?;
    match here.lacking_in(&to.snapshot()?)? {
        None => Ok(true),
        Some(id) => {
            let reason = format!("the line {id} is not what it is in {}", from.path().display());
            Err(StoreError::Corrupt { path: to.path().to_owned(), reason })
        }
    }
}

/// Looks, before anything is written, whether every line has a server that it belongs to.
fn look(from: &Ledger, here: &Snapshot, to: &Ledger) -> Result<(), StoreError> {
    let mut unsure = None;
    here.each(&mut |line| {
        if unsure.is_none() && !is_sure(&line) {
            unsure = Some(line.object.unwrap_or(line.id));
        }
        Ok(())
    })?;
    let Some(id) = unsure else { return Ok(()) };
    let (path, reason) = (PathBuf::from(to.path()), format!("{id}: {UNSURE}"));
    let (from, to) = (from.path().display(), to.path().display());
    let next = format!("stripegym ledger import '{from}' --ledger '{to}'");
    Err(StoreError::Servers { path, reason, next })
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
