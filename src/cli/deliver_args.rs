//! The flags of what concerns one event or one payment: delivering, signing, paying, refunding.

use crate::app::command::refund;
use crate::app::signed_delivery::Tamper;
use crate::cli::values::whole;
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

/// `stripegym pay`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Pay {
    /// Which session.
    #[arg(value_name = "cs_…")]
    pub(crate) session: String,
    /// How.
    #[arg(
        long,
        value_name = "CARD|decline|3ds|konbini|cancel",
        default_value = "4242424242424242"
    )]
    pub(crate) with: String,
}

/// `stripegym refund`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Refund {
    /// Which payment.
    #[arg(value_name = "cs_…|pi_…|ch_…")]
    pub(crate) payment: String,
    /// How much; without it, all.
    #[arg(long, value_name = "MINOR", value_parser = whole::<i64>(1, 99_999_999))]
    pub(crate) amount: Option<i64>,
}

impl Refund {
    /// As the command is asked for it.
    pub(crate) fn options(self) -> refund::RefundOptions {
        refund::RefundOptions { payment: self.payment, amount: self.amount }
    }
}
