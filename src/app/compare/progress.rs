//! How far a comparison has come, and how long it will take.

use crate::app::compare::incremental::{At, Read, Was};
use crate::app::compare::mark::{Shared, locked};
use crate::app::compare::table::Told;
use crate::domain::notice::Notice;
use crate::domain::reconcile::Side;
use crate::domain::reconcile::judge::Rules;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far one side was read.
#[derive(Debug, Default)]
pub struct Part {
    rows: AtomicU64,
    /// Bytes of a file or rows of a table that were read, and how many there are; zero where nobody knows.
    pub done: AtomicU64,
    all: AtomicU64,
    marking: Shared,
    head: AtomicU64,
    odd: AtomicU64,
    reached: Mutex<Option<At>>,
}

impl Part {
    /// How the file was read.
    pub fn told(&self, told: &Told) {
        self.head.store(told.head, Ordering::Relaxed);
        self.odd.store(u64::from(!told.is_plain()), Ordering::Relaxed);
    }

    /// How far what is no file was read.
    pub fn reached(&self, at: Option<At>) {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// One more row came.
    pub fn row(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    /// So much is to be read.
    pub fn expect(&self, all: u64) {
        self.all.store(all, Ordering::Relaxed);
    }

    fn read(&self, rows: u64) -> Read {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = self.head.load(Ordering::Relaxed);
        let at = reached.unwrap_or_else(|| At::File(locked(&self.marking).mark(), head));
        Read { at, rows }
    }

    fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// How many rows there will be, where that can be told.
    fn foreseen(&self) -> Option<u64> {
        let [done, all] = [&self.done, &self.all].map(|it| it.load(Ordering::Relaxed));
        let rows = u128::from(self.rows()) * u128::from(all.max(done));
        rows.checked_div(u128::from(done)).filter(|_| all > 0).and_then(|it| it.try_into().ok())
    }
}

/// How far both were read, and what came after.
#[derive(Debug, Default)]
pub struct Progress {
    sides: [Arc<Part>; 2],
    ended: [AtomicU64; 2],
    /// Findings so far.
    pub found: AtomicU64,
    merging_from_ms: AtomicU64,
    findings: AtomicU64,
}

impl Progress {
    /// A side.
    pub fn side(&self, side: Side) -> Arc<Part> {
        let [ours, theirs] = &self.sides;
        Arc::clone(if side == Side::Ours { ours } else { theirs })
    }

    /// How far both were read, how they were judged, and how many rows of theirs count.
    pub fn was(&self, rules: &Rules, [own, other]: [u64; 2]) -> Was {
        let [ours, theirs] = &self.sides;
        Was::new(rules, [ours.read(own), theirs.read(other)])
    }

    /// Whether both were read byte for byte.
    pub fn is_plain(&self) -> bool {
        self.sides.iter().all(|part| part.odd.load(Ordering::Relaxed) == 0)
    }

    /// A side was read.
    pub fn end(&self, side: Side) {
        let [ours, theirs] = &self.ended;
        if side == Side::Ours { ours } else { theirs }.store(1, Ordering::Relaxed);
    }

    /// Both were read, after so many milliseconds; about so many findings are to come.
    pub fn begin_merging(&self, at_ms: u64, findings: u64) {
        self.findings.store(findings, Ordering::Relaxed);
        self.merging_from_ms.store(at_ms.max(1), Ordering::Relaxed);
    }

    /// What is said of it after so many milliseconds.
    pub fn notice(&self, ms: u64) -> Notice {
        let from = self.merging_from_ms.load(Ordering::Relaxed);
        let merging = from > 0;
        let rows: u64 = self.sides.iter().map(|part| part.rows()).sum();
        let per_second = rows.saturating_mul(1_000) / if merging { from } else { ms }.max(1);
        let left_s = if merging {
            let [found, all] = [&self.found, &self.findings].map(|it| it.load(Ordering::Relaxed));
            left(ms.saturating_sub(from), found, all)
        } else {
            self.foreseen().and_then(|all| left(ms, rows, all))
        };
        Notice::Comparing { rows, per_second, left_s, merging }
    }

    /// How many rows both sides will have. Of a side that does not tell it is taken that it has as many as the other.
    fn foreseen(&self) -> Option<u64> {
        let [ours, theirs] = [0, 1].map(|at| {
            let (part, ended) = (self.sides.get(at)?, self.ended.get(at)?);
            if ended.load(Ordering::Relaxed) == 1 { Some(part.rows()) } else { part.foreseen() }
        });
        let (ours, theirs) = (ours.or(theirs)?, theirs.or(ours)?);
        Some(ours.saturating_add(theirs))
    }
}

/// Seconds that are left after `ms`, when `done` of `all` is done.
fn left(ms: u64, done: u64, all: u64) -> Option<u64> {
    let to_do = all.checked_sub(done)?;
    ms.saturating_mul(to_do).checked_div(done).map(|ms| ms.div_ceil(1_000))
}

/// A file that tells how far it was read.
pub struct Counted<R> {
    file: R,
    part: Arc<Part>,
}

impl<R> Counted<R> {
    /// Of a file of so many bytes.
    pub fn new(file: R, bytes: u64, part: &Arc<Part>) -> Self {
        part.expect(bytes);
        Self { file, part: Arc::clone(part) }
    }
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        locked(&self.part.marking).update(out.get(..count).unwrap_or_default());
        self.part.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn said(progress: &Progress, ms: u64) -> (u64, u64, Option<u64>, bool) {
        let Notice::Comparing { rows, per_second, left_s, merging } = progress.notice(ms) else {
            panic!("another notice");
        };
        (rows, per_second, left_s, merging)
    }

    #[test]
    fn what_is_left_follows_from_what_was_read_of_what_there_is() {
        let progress = Progress::default();
        assert_eq!(said(&progress, 0), (0, 0, None, false));
        let (ours, theirs) = (progress.side(Side::Ours), progress.side(Side::Theirs));
        let mut file = Counted::new(&[0_u8; 1_000][..], 1_000, &ours);
        file.read_exact(&mut [0; 250]).unwrap();
        (0..100).for_each(|_| ours.row());
        // The other side does not tell: it is taken to be as long, 400 rows.
        (0..100).for_each(|_| theirs.row());
        assert_eq!(said(&progress, 2_000), (200, 100, Some(6), false));
        progress.end(Side::Theirs);
        assert_eq!(said(&progress, 2_000), (200, 100, Some(3), false));
        progress.begin_merging(4_000, 400);
        assert_eq!(said(&progress, 4_500), (200, 50, None, true));
        progress.found.store(100, Ordering::Relaxed);
        assert_eq!(said(&progress, 5_000), (200, 50, Some(3), true));
    }
}
