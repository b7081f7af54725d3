//! Which world the merchant talks to.

/// The provider that commands talk to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The sandbox in this program.
    #[default]
    Sandbox,
    /// Stripe itself.
    Stripe,
}

impl Mode {
    /// The word that flags, headers and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
        }
    }

    /// Reads what [`Mode::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "sandbox" => Some(Self::Sandbox),
            "stripe" => Some(Self::Stripe),
            _ => None,
        }
    }
}
