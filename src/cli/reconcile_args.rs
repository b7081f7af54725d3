//! The arguments of `stripegym reconcile`, and how they are read.

use crate::app::command::reconcile::ReconcileOptions;
use crate::app::compare::source::Source;
use crate::app::course::ask::Asker;
use crate::cli::args::Shape;
use crate::cli::options::Reader;
use crate::domain::currency::Currency;
use crate::domain::fault::FaultKind;
use crate::domain::reconcile::columns::Map;
use crate::view::findings::Form;
use clap::{Args, Subcommand, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How a comparison is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Written {
    #[default]
    Table,
    Json,
    Jsonl,
    Csv,
    Sqlite,
    Junit,
    Html,
}

impl Written {
    /// The shape of the report, where it is one.
    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::Json => Shape::Json,
            _ => Shape::Table,
        }
    }

    /// The form that is written row by row.
    pub(crate) const fn form(self) -> Option<Form> {
        match self {
            Self::Table | Self::Json | Self::Sqlite => None,
            Self::Jsonl => Some(Form::Jsonl),
            Self::Csv => Some(Form::Csv),
            Self::Junit => Some(Form::Junit),
            Self::Html => Some(Form::Html),
        }
    }
}

/// `stripegym reconcile`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub(crate) struct Reconcile {
    #[command(subcommand)]
    pub(crate) command: Option<ReconcileCommand>,
    #[command(flatten)]
    pub(crate) sides: Sides,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Written,
    /// Where to write it.
    #[arg(long, value_name = "FILE", required_if_eq("format", "sqlite"))]
    pub(crate) output: Option<PathBuf>,
    /// Leaves out what agrees.
    #[arg(long)]
    pub(crate) only_differences: bool,
    /// Compares only what changed since the last time.
    #[arg(long)]
    pub(crate) incremental: bool,
    /// Compares a server's rows here.
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Says what would be replayed, and asks.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Asks nothing.
    #[arg(long, short, requires = "fix")]
    pub(crate) yes: bool,
}

/// What is compared.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sides {
    /// Where the ledger is, when it is no file of the folder.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) ledger: Option<String>,
    /// Ours.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) ours: Option<String>,
    /// Theirs.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) theirs: Option<String>,
    /// The columns of a table.
    #[arg(long, value_name = "[ours.|theirs.]NAME=COLUMN")]
    pub(crate) map: Vec<String>,
    /// Only what was created since.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only what was created before.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// How old something must be to be missed.
    #[arg(long, value_name = "10m")]
    pub(crate) pending: Option<String>,
    /// How far amounts may be apart.
    #[arg(long, value_name = "CURRENCY=MINOR")]
    pub(crate) tolerance: Vec<String>,
}

/// `stripegym reconcile …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Everything that is known of one thing.
    Explain {
        /// Which: cs_…, pi_…, ch_…, re_…, po_…
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        sides: Sides,
    },
}

const SOURCES: &str = "ledger, provider, csv:FILE, jsonl:FILE, sqlite:FILE#TABLE";

impl Reader<'_> {
    pub(crate) fn reconcile(&self, asked: &Reconcile) -> Result<ReconcileOptions, FaultKind> {
        let (sides, explain) = match &asked.command {
            Some(ReconcileCommand::Explain { id, sides }) => (sides, Some(id.clone())),
            None => (&asked.sides, None),
        };
        let source = |flag: &str, text: Option<&String>| match text {
            None => Ok(None),
            Some(text) => Source::read(text).map(Some).ok_or_else(|| self.bad(flag, text, SOURCES)),
        };
        let sqlite = (asked.format == Written::Sqlite).then(|| asked.output.clone()).flatten();
        let window_s = self.duration("--pending", sides.pending.as_deref())?;
        Ok(ReconcileOptions {
            sources: [
                source("--ours", sides.ours.as_ref())?,
                source("--theirs", sides.theirs.as_ref())?,
            ],
            maps: self.maps(&sides.map)?,
            since: self.instant("--since", sides.since.as_deref())?,
            until: self.instant("--until", sides.until.as_deref())?,
            window_s: window_s.map(|time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
            tolerance: self.tolerance(&sides.tolerance)?,
            only_differences: asked.only_differences,
            sqlite,
            fix: asked.fix,
            yes: asked.yes,
            asker: self.person.then(Asker::stdin),
            explain,
            incremental: asked.incremental,
            in_process: asked.in_process,
        })
    }

    fn maps(&self, said: &[String]) -> Result<[Map; 2], FaultKind> {
        let [mut ours, mut theirs] = [Map::default(), Map::default()];
        for text in said {
            let names = || Map::names().collect::<Vec<_>>().join(", ");
            let (name, value) =
                text.split_once('=').ok_or_else(|| self.bad("--map", text, &names()))?;
            let known = match name.split_once('.') {
                Some(("ours", name)) => ours.add(name, value),
                Some(("theirs", name)) => theirs.add(name, value),
                _ => ours.add(name, value) && theirs.add(name, value),
            };
            if !known {
                return Err(self.bad("--map", text, &names()));
            }
        }
        Ok([ours, theirs])
    }

    fn tolerance(&self, said: &[String]) -> Result<BTreeMap<Currency, i64>, FaultKind> {
        let read = |text: &String| {
            let (code, most) = text.split_once('=')?;
            Some((code.parse().ok()?, most.parse::<i64>().ok().filter(|most| *most >= 0)?))
        };
        said.iter()
            .map(|text| read(text).ok_or_else(|| self.bad("--tolerance", text, "jpy=1")))
            .collect()
    }
}
