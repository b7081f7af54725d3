//! The flags of what concerns one event, and of a card that is kept.

use crate::app::signed_delivery::Tamper;
use clap::{Args, ValueEnum};

/// `stripegym deliver`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Deliver {
    /// Which event.
    #[arg(value_name = "evt_…")]
    pub(crate) event: String,
    /// What is forged.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) tamper: Option<Tampered>,
}

/// What is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tampered {
    Body,
    Secret,
    Time,
    Header,
}

impl Tampered {
    /// As the command is asked for it.
    pub(crate) const fn tamper(self) -> Tamper {
        match self {
            Self::Body => Tamper::Body,
            Self::Secret => Tamper::Secret,
            Self::Time => Tamper::Time,
            Self::Header => Tamper::Header,
        }
    }
}

/// `stripegym sign`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sign {
    /// Which event.
    #[arg(value_name = "evt_…")]
    pub(crate) event: String,
    /// Step by step.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// `stripegym setup`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Setup {
    /// Whose.
    #[arg(long, value_name = "ADDRESS", default_value = "customer@example.com")]
    pub(crate) email: String,
    /// Which card.
    #[arg(long, value_name = "CARD|decline|3ds|cancel", default_value = "4242424242424242")]
    pub(crate) with: String,
}
