//! How often something may be tried within a time, by a name: an address that somebody signs in with, a user.

use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The most names that are remembered; then all who have waited long enough are forgotten, and then all.
const NAMES_MAX: usize = 10_000;

/// Counts tries in windows of time.
#[derive(Debug)]
pub struct Limiter {
    most: u32,
    window_s: i64,
    seen: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Limiter {
    /// Allows `most` tries within `window_s` seconds.
    pub fn new(most: u32, window_s: i64) -> Self {
        Self { most, window_s, seen: Mutex::default() }
    }

    /// Counts a try; the seconds to wait, where there were too many.
    pub fn take(&self, name: &str, now: Timestamp) -> Result<(), i64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= NAMES_MAX && !seen.contains_key(name) {
            seen.retain(|_, (since, _)| now.since(*since) < self.window_s);
            if seen.len() >= NAMES_MAX {
                seen.clear();
            }
        }
        let (since, count) = seen.entry(name.to_owned()).or_insert((now, 0));
        let passed = now.since(*since);
        if passed < 0 || passed >= self.window_s {
            (*since, *count) = (now, 0);
        }
        if *count >= self.most {
            return Err((self.window_s - now.since(*since)).max(1));
        }
        *count += 1;
        Ok(())
    }

    /// Forgets the tries of a name: the last one was right.
    pub fn forget(&self, name: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_tries_wait_for_the_next_window_and_others_do_not() {
        let limiter = Limiter::new(2, 60);
        let at = Timestamp;
        assert_eq!((limiter.take("a", at(0)), limiter.take("a", at(10))), (Ok(()), Ok(())));
        assert_eq!(limiter.take("a", at(20)), Err(40));
        assert_eq!(limiter.take("b", at(20)), Ok(()));
        assert_eq!(limiter.take("a", at(60)), Ok(()));
        limiter.forget("b");
        assert_eq!((limiter.take("b", at(21)), limiter.take("b", at(22))), (Ok(()), Ok(())));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limiter = Limiter::new(1, 60);
        for number in 0..NAMES_MAX * 2 {
            assert_eq!(limiter.take(&number.to_string(), Timestamp(0)), Ok(()));
        }
        assert!(limiter.seen.lock().unwrap().len() <= NAMES_MAX);
    }
}
