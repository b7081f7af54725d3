//! The application's log, as far as it can be seen: a ring of its last lines, and a bell for whoever waits for one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How many lines are kept; a server that floods loses its oldest.
const LINES_MAX: usize = 5_000;

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<String>,
    /// How many were there before the kept ones.
    gone: usize,
}

impl Lines {
    /// The lines from a place on, counted from the very first.
    fn from(&self, place: usize) -> impl DoubleEndedIterator<Item = &String> {
        self.kept.iter().skip(place.saturating_sub(self.gone))
    }
}

/// Lines as they came. Clones add to the same lines.
#[derive(Clone, Debug)]
pub struct Log {
    lines: Arc<Mutex<Lines>>,
    bell: watch::Sender<()>,
    /// What was said while the application started.
    opening: usize,
    /// Where this view of it goes on after that.
    from: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Arc::default(), bell: watch::Sender::new(()), opening: 0, from: 0 }
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line.
    pub fn add(&self, line: String) {
        let mut lines = self.lock();
        lines.kept.push_back(line);
        if lines.kept.len() > LINES_MAX {
            lines.kept.pop_front();
            lines.gone += 1;
        }
        drop(lines);
        self.bell.send_replace(());
    }

    /// Rings with every line that comes from now on.
    pub fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// What a look at the lines of this view comes to: those of the start, and those since the view was taken.
    pub fn look<T>(&self, look: impl FnOnce(&[&String]) -> T) -> T {
        let lines = self.lock();
        let opening = self.opening.saturating_sub(lines.gone);
        let opening = lines.kept.iter().take(opening);
        let all: Vec<&String> = opening.chain(lines.from(self.from.max(self.opening))).collect();
        look(&all)
    }

    /// How many lines there were so far.
    pub fn len(&self) -> usize {
        let lines = self.lock();
        lines.gone + lines.kept.len()
    }

    /// The last lines after the first `from` that are not blank, at most `count`.
    pub fn tail(&self, from: usize, count: usize) -> Vec<String> {
        let lines = self.lock();
        let said = lines.from(from).filter(|line| !line.trim().is_empty());
        let mut tail: Vec<String> = said.rev().take(count).cloned().collect();
        tail.reverse();
        tail
    }

    /// The last lines between two places that are not blank, at most `count`.
    pub fn between(&self, from: usize, to: usize, count: usize) -> Vec<String> {
        let lines = self.lock();
        let said = lines.from(from).take(to.saturating_sub(from.max(lines.gone)));
        let said: Vec<&String> = said.filter(|line| !line.trim().is_empty()).collect();
        said.iter().rev().take(count).rev().map(|line| (*line).clone()).collect()
    }

    /// The same log for whoever comes now: without what was said to others since the start, which took the
    /// first `opening` lines.
    #[must_use]
    pub fn since_now(&self, opening: usize) -> Self {
        Self { opening, from: self.len(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(log: &Log) -> Vec<String> {
        log.look(|lines| lines.iter().map(|line| (*line).clone()).collect())
    }

    #[test]
    fn a_later_view_has_the_start_and_what_comes_after_it() {
        let log = Log::default();
        for line in ["started", "of another day", ""] {
            log.add(line.to_owned());
        }
        let later = log.since_now(1);
        assert_eq!(seen(&later), ["started"]);
        let bell = later.bell();
        log.add("today".to_owned());
        assert!(bell.has_changed().unwrap());
        assert_eq!(seen(&later), ["started", "today"]);
        assert_eq!(log.tail(1, 5), ["of another day", "today"]);
        assert_eq!(seen(&log.since_now(9)), seen(&log));
    }

    #[test]
    fn a_flood_costs_no_more_than_the_ring() {
        let log = Log::default();
        let view = log.since_now(0);
        for number in 0..LINES_MAX + 7 {
            log.add(number.to_string());
        }
        assert_eq!(log.len(), LINES_MAX + 7);
        assert_eq!(seen(&view).len(), LINES_MAX);
        assert_eq!(log.tail(LINES_MAX + 5, 9), ["5005", "5006"]);
    }
}
