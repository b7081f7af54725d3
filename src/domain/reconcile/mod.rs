//! Compares two sides row by row and says of each pair what differs. Pure: both sides come as rows ordered by a key
//! ([`merge`]), rows under one key are judged together ([`judge`]), and what was found is counted ([`summary`]).
//! The answer does not depend on the order of either side.

pub mod columns;
pub mod judge;
pub mod merge;
pub mod row;
pub mod sessions;
pub mod summary;

use row::{Key, Row, byte, number, take, take_number};
use std::fmt;

pub use sessions::{ProviderSnapshot, Reconciliation, Record, reconcile};
pub use summary::Summary;

/// How two rows compare. Of several differences the first in this order is the verdict, but for what agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Both say the same.
    Match,
    /// It differs and is younger than the window, or its delivery is under way.
    Pending,
    /// Only the provider has it.
    MissingInLedger,
    /// Only the ledger has it.
    MissingAtProvider,
    /// The ledger has it more than once, or has its payment under two names.
    DuplicateInLedger,
    /// The provider's side has it more than once.
    DuplicateAtProvider,
    /// One side is about real money and the other is not: nothing else of them is compared.
    Livemode,
    /// The currencies differ.
    Currency,
    /// The amounts differ.
    Amount,
    /// The statuses differ.
    Status,
    /// What went back to the payer differs.
    Refund,
    /// What the payer's bank took back differs.
    Dispute,
    /// What the provider kept differs.
    Fee,
    /// A payout is not what its parts come to.
    PayoutRemainder,
}

impl Verdict {
    /// Every verdict, in the order in which a summary shows them.
    pub const ALL: [Self; 14] = [
        Self::Match,
        Self::Pending,
        Self::MissingInLedger,
        Self::MissingAtProvider,
        Self::Amount,
        Self::Currency,
        Self::Status,
        Self::Refund,
        Self::Dispute,
        Self::Fee,
        Self::DuplicateInLedger,
        Self::DuplicateAtProvider,
        Self::PayoutRemainder,
        Self::Livemode,
    ];

    /// The word that tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::Pending => "PENDING",
            Self::MissingInLedger => "MISSING_IN_LEDGER",
            Self::MissingAtProvider => "MISSING_AT_PROVIDER",
            Self::DuplicateInLedger => "DUPLICATE_IN_LEDGER",
            Self::DuplicateAtProvider => "DUPLICATE_AT_PROVIDER",
            Self::Livemode => "LIVEMODE",
            Self::Currency => "CURRENCY",
            Self::Amount => "AMOUNT",
            Self::Status => "STATUS",
            Self::Refund => "REFUND",
            Self::Dispute => "DISPUTE",
            Self::Fee => "FEE",
            Self::PayoutRemainder => "PAYOUT_REMAINDER",
        }
    }

    /// Whether nothing has to be done about it.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Match | Self::Pending)
    }

    /// Whether it is a row too many.
    pub const fn is_duplicate(self) -> bool {
        matches!(self, Self::DuplicateInLedger | Self::DuplicateAtProvider)
    }

    /// Whether the provider can prove what the ledger lacks.
    pub const fn can_be_replayed(self) -> bool {
        matches!(self, Self::MissingInLedger | Self::Status | Self::Refund | Self::Dispute)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whose rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The ledger's.
    Ours,
    /// The provider's.
    Theirs,
}

impl Side {
    /// The one that it is compared with.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// What was found of one row or pair of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How they compare.
    pub verdict: Verdict,
    /// What both are known by: the provider's name for it, where it has one.
    pub id: String,
    /// The key that brought them together, or under which nothing was found.
    pub key: Key,
    /// How far they are apart in minor units, ours less theirs, where they are apart by an amount.
    pub difference: Option<i64>,
    /// What the ledger says.
    pub ours: Option<Row>,
    /// What the provider says.
    pub theirs: Option<Row>,
}

impl Finding {
    /// Nothing yet.
    pub const fn blank() -> Self {
        Self {
            verdict: Verdict::Match,
            id: String::new(),
            key: Key::Intent,
            difference: None,
            ours: None,
            theirs: None,
        }
    }

    /// By what findings are ordered: oldest first; of one payment the judged row before what is too many.
    pub fn order(&self) -> Vec<u8> {
        let created = self.theirs.as_ref().or(self.ours.as_ref()).map_or(0, |row| row.created.0);
        let mut order = Vec::with_capacity(48);
        order.extend(created.cast_unsigned().wrapping_add(1 << 63).to_be_bytes());
        order.extend(self.id.bytes());
        order.extend([0, u8::from(self.verdict.is_duplicate())]);
        order
    }

    /// Writes it for [`Finding::read`].
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.verdict as u8, self.key as u8, u8::from(self.difference.is_some())]);
        number(out, self.difference.unwrap_or(0));
        let mut row = Vec::new();
        let mut part = |bytes: &[u8]| {
            number(out, i64::try_from(bytes.len()).unwrap_or(0));
            out.extend(bytes);
        };
        part(self.id.as_bytes());
        for side in [&self.ours, &self.theirs] {
            row.clear();
            if let Some(side) = side {
                side.write(&mut row);
            }
            part(&row);
        }
    }

    /// Reads what [`Finding::write`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let at = usize::from(byte(&mut rest)?);
        let verdict = Verdict::ALL.into_iter().find(|verdict| *verdict as usize == at)?;
        let key = *Key::ALL.get(usize::from(byte(&mut rest)?))?;
        let apart = byte(&mut rest)? == 1;
        let difference = Some(take_number(&mut rest)?).filter(|_| apart);
        let mut part = || {
            let length = usize::try_from(take_number(&mut rest)?).ok()?;
            take(&mut rest, length)
        };
        let id = std::str::from_utf8(part()?).ok()?.to_owned();
        let mut side = || {
            let bytes = part()?;
            if bytes.is_empty() { Some(None) } else { Row::read(bytes).map(Some) }
        };
        let (ours, theirs) = (side()?, side()?);
        Some(Self { verdict, id, key, difference, ours, theirs })
    }

    /// Whether an id or a key of either side is `name`.
    pub fn is_about(&self, name: &str) -> bool {
        let rows = [self.ours.as_ref(), self.theirs.as_ref()];
        self.id == name || rows.into_iter().flatten().any(|row| row.names().any(|it| it == name))
    }
}

/// Takes what was found, in its order; the summary is known before the first row.
pub trait FindingSink {
    /// Begins.
    fn begin(&mut self, summary: &Summary) -> std::io::Result<()>;
    /// One finding.
    fn row(&mut self, finding: &Finding) -> std::io::Result<()>;
    /// Ends.
    fn end(&mut self, summary: &Summary) -> std::io::Result<()>;
}
