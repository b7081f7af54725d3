//! The flags of what follows a sale: disputes, cards that are kept.

use crate::app::command::dispute;
use crate::cli::values::whole;
use clap::{Args, Subcommand};

/// `stripegym dispute`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Dispute {
    /// How it stands.
    Show {
        /// Which.
        #[arg(value_name = "dp_…")]
        dispute: Option<String>,
    },
    /// What is held against it.
    Evidence {
        /// In words.
        #[arg(value_name = "TEXT")]
        text: String,
        /// Which.
        #[arg(value_name = "dp_…")]
        dispute: Option<String>,
    },
    /// Sends it.
    Submit {
        /// Which.
        #[arg(value_name = "dp_…")]
        dispute: Option<String>,
    },
}

impl Dispute {
    /// As the command is asked for it.
    pub(crate) fn action(self) -> dispute::DisputeAction {
        match self {
            Self::Show { dispute } => dispute::DisputeAction::Show(dispute),
            Self::Evidence { text, dispute } => dispute::DisputeAction::Evidence(dispute, text),
            Self::Submit { dispute } => dispute::DisputeAction::Submit(dispute),
        }
    }
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

/// `stripegym card`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Card {
    /// Those of a customer.
    List {
        /// Whose.
        #[arg(value_name = "cus_…")]
        customer: Option<String>,
    },
    /// Charges one.
    Charge {
        /// Whose.
        #[arg(value_name = "cus_…")]
        customer: Option<String>,
        /// How much.
        #[arg(long, value_name = "MINOR", default_value = "500", value_parser = whole::<i64>(1, 99_999_999))]
        amount: i64,
        /// In which currency.
        #[arg(long, value_name = "CODE", default_value = "jpy")]
        currency: String,
    },
    /// Lets them go.
    Detach {
        /// Whose.
        #[arg(value_name = "cus_…")]
        customer: Option<String>,
    },
}
