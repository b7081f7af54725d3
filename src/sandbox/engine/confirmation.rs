//! What is kept of a confirmation token and not shown.

use serde::{Deserialize, Serialize};

/// The private part of a `confirmation_token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfirmationTokenPart {
    /// The payment method that it previews.
    pub method: String,
}
