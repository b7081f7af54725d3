//! What was carried somewhere: a file written, progress merged, a solution shown or held back, a starter begun.

/// What was carried where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A report, or progress, written to a file.
    Written {
        /// The file.
        path: String,
        /// The hash by which it is known.
        seal: String,
    },
    /// `stripegym progress import`.
    Imported {
        /// How many checks are known now.
        checks: usize,
        /// How many attempts.
        attempts: usize,
        /// Where the file from before is.
        backup: Option<String>,
    },
    /// `stripegym solution`.
    Solution {
        /// `day3`.
        day: String,
        /// `python`, `node`, `rust`.
        language: &'static str,
        /// The file's path within the shop.
        path: String,
        /// The file.
        text: String,
        /// Whether the day was not passed.
        gave_up: bool,
    },
    /// `stripegym solution` before the pass.
    SolutionHeld {
        /// What was asked for.
        name: String,
        /// What to type instead.
        next: String,
    },
    /// `stripegym starter`.
    Starter {
        /// Where it was written.
        folder: String,
        /// How many files.
        files: usize,
        /// What installs its packages, where it has any.
        install: Option<String>,
        /// What starts it.
        start: String,
    },
}
