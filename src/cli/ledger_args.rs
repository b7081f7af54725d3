//! The arguments of what looks behind the ledger's rows.

use crate::cli::args::Shape;
use crate::cli::values::whole;
use crate::domain::ledger_url::LedgerPlace;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// The book behind the ledger's rows.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LedgerBook {
    /// The accounts of the book.
    Accounts(LedgerSheet),
    /// What they hold.
    Balance(LedgerSheet),
    /// Makes the file small, and loses nothing.
    Compact(LedgerSheet),
    /// The book for other programs.
    Export(LedgerExport),
    /// Takes in events, objects, or another ledger.
    Import(LedgerImport),
    /// Its entries.
    Journal(LedgerJournal),
    /// Takes a ledger over to servers that have none.
    Migrate(LedgerMigrate),
    /// What a person should look at.
    Problems(LedgerSheet),
    /// Makes what follows from the journal anew.
    Rebuild(LedgerSheet),
    /// Looks whether every row is as it was written.
    Verify(LedgerSheet),
}

/// `stripegym ledger accounts` and others that only show.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerSheet {
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
}

/// `stripegym ledger import`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerImport {
    /// The file, or the servers of another ledger.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().try_map(|it| LedgerPlace::read(&it).ok_or(Unfit)))]
    pub(crate) from: LedgerPlace,
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
}

/// `stripegym ledger migrate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerMigrate {
    /// The file, or the servers.
    #[arg(long, value_name = "sqlite:FILE", value_parser = place)]
    pub(crate) from: LedgerPlace,
    /// The server, or several.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) to: String,
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
}

/// `stripegym shop migrate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Migrate {
    /// The file.
    #[arg(long, value_name = "sqlite:FILE", value_parser = file)]
    pub(crate) from: PathBuf,
    /// The server.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) to: String,
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
}

/// `stripegym catch-up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CatchUp {
    /// Where the ledger is, when it is no file of the folder.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) ledger: Option<String>,
    /// From when on.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only what could not be delivered.
    #[arg(long)]
    pub(crate) undelivered: bool,
}

/// The file of `sqlite:FILE`.
fn file(text: &str) -> Result<PathBuf, &'static str> {
    let path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or("sqlite:FILE")
}

/// The file of `sqlite:FILE`, or servers.
fn place(text: &str) -> Result<LedgerPlace, &'static str> {
    let expected = "sqlite:FILE, postgres://…";
    match LedgerPlace::read(Path::new(text)) {
        Some(LedgerPlace::File(_)) => file(text).map(LedgerPlace::File).map_err(|_| expected),
        server => server.ok_or(expected),
    }
}

/// What was typed is neither a file nor servers.
#[derive(Debug, thiserror::Error)]
#[error("FILE, postgres://…")]
struct Unfit;

/// `stripegym ledger journal`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerJournal {
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
    /// At most this many entries, the newest; a table has 1,000 where none is said.
    #[arg(long, value_name = "N", value_parser = whole(1, u32::MAX))]
    pub(crate) limit: Option<u32>,
    /// Only entries about this object.
    #[arg(long, value_name = "ID")]
    pub(crate) object: Option<String>,
}

/// How the book is handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BookFormat {
    #[default]
    Csv,
    Jsonl,
    Beancount,
    Hledger,
    Sqlite,
}

/// `stripegym ledger export`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerExport {
    /// For whom.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: BookFormat,
    /// The file that sqlite writes.
    #[arg(long, value_name = "FILE", required_if_eq("format", "sqlite"))]
    pub(crate) output: Option<PathBuf>,
}

/// `stripegym ledger show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LedgerShow {
    /// Table, JSON or CSV.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Shape,
    /// Only rows of this status.
    #[arg(long, value_parser = ["paid", "unpaid", "no_payment_required", "failed", "expired", "refunded", "partially_refunded"])]
    pub(crate) status: Option<String>,
    /// Only rows created since.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// At most this many, the newest; a table has 1,000 where none is said.
    #[arg(long, value_name = "N", value_parser = whole(1, u32::MAX))]
    pub(crate) limit: Option<u32>,
    /// Only the row of this session.
    #[arg(long, value_name = "cs_…")]
    pub(crate) session: Option<String>,
}
