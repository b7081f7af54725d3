//! An item of the course as the pages list it.

/// An item of the course and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemProof {
    /// `D3.7`, `G3.1`, `N3.3`.
    pub id: String,
    /// What it says, in the language of the run.
    pub title: String,
    /// `auto`, `partial`, `attested` or `advice`.
    pub kind: &'static str,
    /// Codes of checks, or ids of what it follows from; its own id for a probe of its own.
    pub proved_by: Vec<String>,
    /// The broken handlers that it catches.
    pub catches: Vec<String>,
}
