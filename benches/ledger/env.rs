//! What the tests' private clusters ask of whoever has them.

use std::thread;
use std::time::{Duration, Instant};

/// How long it is waited for what is on its way.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Where programs are looked for.
pub(crate) fn outer_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// Waits for what is on its way.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < until, "never happened: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
