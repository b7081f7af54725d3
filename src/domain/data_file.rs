//! The files that keep data, and what can be wrong with one: the vocabulary of whoever opens them.

/// A file by what it is for. The ledger and the shop's database may also stand on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFile {
    /// `ledger.db`.
    Ledger,
    /// `shop.db`.
    Shop,
    /// `sandbox.db`.
    Sandbox,
    /// `progress.db`.
    Progress,
}

/// What is wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is damaged, or something else stands under its name.
    Broken,
    /// Another program holds it.
    Busy,
    /// Its disk is full.
    Full,
    /// A newer version wrote it.
    Newer,
    /// It can be read and not written.
    ReadOnly,
    /// It cannot be opened, read or written.
    Unusable,
    /// It stands on a server, which does not answer or refuses.
    Away,
}

impl DataFile {
    /// A stable name of a trouble with it, for programs.
    pub const fn name(self, trouble: FileState) -> &'static str {
        use FileState::{Away, Broken, Busy, Full, Newer, ReadOnly, Unusable};
        match (self, trouble) {
            (_, Full) => "disk_full",
            (_, Newer) => "newer_file",
            (Self::Ledger, Broken) => "ledger_broken",
            (Self::Ledger, Busy) => "ledger_busy",
            (Self::Ledger, Away) => "ledger_server",
            (Self::Ledger, ReadOnly | Unusable) => "ledger",
            (Self::Shop, Broken) => "shop_database_broken",
            (Self::Shop, Busy) => "shop_database_busy",
            (Self::Shop, Away) => "shop_database_server",
            (Self::Shop, ReadOnly | Unusable) => "shop_database",
            (Self::Sandbox, Broken) => "sandbox_broken",
            (Self::Sandbox, Busy) => "sandbox_busy",
            (Self::Sandbox, ReadOnly | Unusable | Away) => "sandbox_store",
            (Self::Progress, Broken) => "progress_broken",
            (Self::Progress, Busy) => "progress_busy",
            (Self::Progress, ReadOnly | Unusable | Away) => "progress",
        }
    }
}
