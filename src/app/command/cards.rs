//! `stripegym cards`: every test card by what it does.

use crate::domain::report::Report;

/// The table needs nothing but itself.
pub const fn run() -> Report {
    Report::Cards
}
