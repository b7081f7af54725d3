//! What is the matter with a ledger that takes no deliveries.

/// Why the ledger takes no deliveries for a while, or where it is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// Another program holds it.
    Busy,
    /// Its disk is full.
    Full,
    /// Its file was removed and cannot be built anew yet.
    Removed,
    /// Its file was removed and built anew.
    Rebuilt,
    /// Another file stands in its place.
    Replaced,
    /// A copy of it stands in its place and is used now.
    Adopted,
    /// No server that it stands on can be written to.
    Away,
    /// Its disk or its file fails.
    Failed,
}
