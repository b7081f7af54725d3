//! Whether the end of long work was asked for, whichever engine does it.

use rusqlite::Connection;
use std::fmt;
use std::sync::Arc;

/// After how many steps of SQLite it is looked whether the end was asked for: a fraction of a millisecond.
const STEPS: i32 = 2_000;

/// Whether the end of long work was asked for.
#[derive(Clone, Default)]
pub(crate) struct Until(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl fmt::Debug for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Until").field(&self.0.is_some()).finish()
    }
}

impl Until {
    /// The end that `asked` tells of.
    pub(crate) fn of(asked: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        Self(Some(asked))
    }

    /// Whether it was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| asked())
    }

    /// Has what this connection does end with an error once that was asked for.
    pub(crate) fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let Some(asked) = self.0.clone() else { return Ok(()) };
        connection.progress_handler(STEPS, Some(move || asked()))
    }
}
