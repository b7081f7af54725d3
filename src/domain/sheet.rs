//! Tables that a command ends with and whose columns have names for programs.

use crate::domain::currency::Currency;
use crate::domain::place::Place;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A word or an id.
    Word(String),
    /// A number.
    Number(i64),
    /// An amount in minor units; a sum may be larger than a single one can be.
    Amount(i128, Currency),
}

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetKind {
    /// The accounts of the book.
    Accounts,
    /// What each holds.
    Balance,
    /// Entries, one posting a row.
    Journal,
    /// What a person should look at.
    Problems,
    /// Rows that are not as they were written.
    Findings,
    /// Tables of the shop's database.
    Tables,
}

impl SheetKind {
    /// Its columns: the name, and whether it stands in the table for people, which is narrow.
    pub const fn columns(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Accounts => &[("account", true), ("postings", true)],
            Self::Balance => {
                &[("account", true), ("currency", false), ("amount", true), ("postings", true)]
            }
            Self::Journal => &[
                ("number", true),
                ("created", false),
                ("line", false),
                ("reason", true),
                ("object", true),
                ("takes_back", false),
                ("account", true),
                ("currency", false),
                ("amount", true),
            ],
            Self::Problems => &[("name", true), ("about", true), ("text", true)],
            Self::Findings => &[("table", true), ("row", true), ("deviation", true)],
            Self::Tables => &[("table", true), ("rows", true)],
        }
    }
}

/// What verifying a ledger looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Lines of the journal.
    pub lines: u64,
    /// Writers.
    pub writers: u64,
    /// Checkpoints.
    pub checkpoints: u64,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Where it worked.
    pub place: Place,
    /// What the rows are.
    pub kind: SheetKind,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What was looked at, where rows are findings.
    pub looked: Option<Looked>,
    /// How many rows there are, where these are only the newest.
    pub all: Option<u64>,
}
