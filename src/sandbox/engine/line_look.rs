//! How a line item looks on a page.

use serde::{Deserialize, Serialize};

/// What a page shows of a line item beside its name and price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineLook {
    /// The product's first image.
    pub image: Option<String>,
    /// The product's description.
    pub details: Option<String>,
    /// The tax rates that were named for it.
    pub tax_rates: Vec<String>,
    /// It is an optional item, and may be put back.
    pub optional: bool,
}
