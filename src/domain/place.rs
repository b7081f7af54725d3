//! Where a command worked.

use crate::domain::mode::Mode;

/// Where a command worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which provider.
    pub mode: Mode,
    /// The provider's base URL, where it was spoken to.
    pub base: Option<String>,
    /// The home folder.
    pub home: String,
}
