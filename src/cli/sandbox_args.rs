//! What is done to a running sandbox: its worlds, its keys, its account and its clocks.

use crate::cli::request_args::FaultCommand;
use crate::cli::values::whole;
use clap::Subcommand;

/// `stripegym sandbox …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Its worlds.
    Worlds {
        #[command(subcommand)]
        command: Worlds,
    },
    /// What the owner has set.
    Account {
        #[command(subcommand)]
        command: Account,
    },
    /// Its restricted keys.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Lets requests fail.
    Fault {
        #[command(subcommand)]
        command: FaultCommand,
    },
}

/// `stripegym sandbox worlds …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Worlds {
    /// All of them.
    List,
    /// Makes one.
    Create {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// The seed of its ids.
        #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX))]
        seed: Option<u64>,
        /// Where its clock stands.
        #[arg(long, value_name = "WHEN")]
        now: Option<String>,
        /// What it is filled with.
        #[arg(long, value_name = "FILE")]
        objects: Option<std::path::PathBuf>,
    },
    /// Empties one.
    Reset {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Removes one.
    Delete {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Puts its content aside.
    Snapshot {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
        /// Under which label.
        #[arg(value_name = "LABEL")]
        label: Option<String>,
    },
    /// Puts a snapshot back.
    Restore {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
        /// Under which label.
        #[arg(value_name = "LABEL")]
        label: Option<String>,
    },
}

/// `stripegym sandbox account …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Account {
    /// Shows the settings.
    Show,
    /// Sets some.
    Set {
        /// Which, and what they are from now on.
        #[arg(value_name = "NAME=VALUE", required = true)]
        pairs: Vec<String>,
    },
}

/// `stripegym sandbox keys …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Keys {
    /// Makes one.
    Create {
        /// What it may do.
        #[arg(long, value_name = "RESOURCE:read|write,…")]
        allow: String,
    },
    /// All of them.
    List,
    /// Removes one.
    Delete {
        /// Which.
        #[arg(value_name = "rk_test_…")]
        key: String,
    },
}

/// `stripegym clock …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Clock {
    /// What time it is there.
    Show,
    /// Moves it ahead.
    Advance {
        /// How far.
        #[arg(value_name = "SPAN")]
        by: String,
    },
    /// Moves it to an instant.
    Set {
        /// When.
        #[arg(value_name = "WHEN")]
        at: String,
    },
}
