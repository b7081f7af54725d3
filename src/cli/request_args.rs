//! The flags of what concerns requests: the log, and faults on demand.

use crate::app::command::{fault, logs};
use crate::cli::values::whole;
use clap::{Args, Subcommand};

/// `stripegym logs`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Logs {
    /// Whether the log is followed.
    #[arg(value_name = "tail", value_parser = ["tail"])]
    pub(crate) tail: Option<String>,
    /// Which statuses.
    #[arg(long, visible_alias = "filter-http-status", value_name = "4xx|402|…")]
    pub(crate) status: Option<String>,
    /// Which paths.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Which methods.
    #[arg(long, value_name = "METHOD", value_parser = ["GET", "POST", "DELETE"], ignore_case = true)]
    pub(crate) method: Option<String>,
    /// How many.
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, 1000))]
    pub(crate) limit: Option<u32>,
}

/// `stripegym sandbox fault …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Adds a rule.
    Add {
        /// Which requests.
        #[arg(long, value_name = "'METHOD /path'")]
        on: String,
        /// What they get.
        #[arg(long, value_name = "ANSWER",
              value_parser = ["429", "409-lock", "429-lock", "500", "timeout", "cut", "cut-before"])]
        answer: String,
        /// How many of them.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u32>(1, 1_000_000))]
        times: u32,
    },
    /// Shows the rules.
    List,
    /// Forgets them.
    Clear,
}

/// Which requests of the log are wanted.
pub(crate) fn logs(asked: Logs) -> logs::LogsOptions {
    logs::LogsOptions {
        tail: asked.tail.is_some(),
        status: asked.status,
        path: asked.path,
        method: asked.method,
        limit: asked.limit,
    }
}

/// What is wanted of the faults.
pub(crate) fn fault(command: FaultCommand) -> fault::FaultAction {
    match command {
        FaultCommand::Add { on, answer, times } => fault::FaultAction::Add { on, answer, times },
        FaultCommand::List => fault::FaultAction::List,
        FaultCommand::Clear => fault::FaultAction::Clear,
    }
}
