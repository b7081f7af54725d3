//! The application's log, as far as it can be seen.

use std::sync::{Arc, Mutex, PoisonError};

/// Lines as they came. Clones add to the same lines.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// What was said while the application started.
    opening: usize,
    /// Where this view of it goes on after that.
    from: usize,
}

impl Log {
    /// Adds a line.
    pub fn add(&self, line: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// The lines so far: those of the start, and those since this view was taken.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = lines.iter().take(self.opening);
        opening.chain(lines.iter().skip(self.from.max(self.opening))).cloned().collect()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The last lines after the first `from` that are not blank, at most `count`.
    pub fn tail(&self, from: usize, count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let said = lines.iter().skip(from).filter(|line| !line.trim().is_empty());
        let mut tail: Vec<String> = said.rev().take(count).cloned().collect();
        tail.reverse();
        tail
    }

    /// The same log for whoever comes now: without what was said to others since the start, which took the
    /// first `opening` lines.
    #[must_use]
    pub fn from_now(&self, opening: usize) -> Self {
        Self { lines: Arc::clone(&self.lines), opening, from: self.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_view_has_the_start_and_what_comes_after_it() {
        let log = Log::default();
        for line in ["started", "of another day", ""] {
            log.add(line.to_owned());
        }
        let later = log.from_now(1);
        assert_eq!(later.lines(), ["started"]);
        log.add("today".to_owned());
        assert_eq!(later.lines(), ["started", "today"]);
        assert_eq!(log.tail(1, 5), ["of another day", "today"]);
        assert_eq!(log.from_now(9).lines(), log.lines());
    }
}
