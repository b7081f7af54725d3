//! The flags of the commands around the course; what the days take stands in `cli::args`.

use crate::app::trial::JOBS_MAX;
use crate::cli::args::Target;
use crate::cli::build_server::Output;
use crate::cli::values::whole;
use clap::{Args, Subcommand, ValueEnum};

/// `stripegym check`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Check {
    /// Days and checks.
    #[arg(value_name = "dayN|CODE", conflicts_with = "all")]
    pub(crate) names: Vec<String>,
    /// Every day.
    #[arg(long)]
    pub(crate) all: bool,
    /// For build servers.
    #[arg(long)]
    pub(crate) ci: bool,
    /// Again and again.
    #[arg(long, conflicts_with_all = ["ci", "junit", "format"])]
    pub(crate) watch: bool,
    /// Looks through the folder.
    #[arg(long, requires = "watch")]
    pub(crate) poll: bool,
    /// Ends after this time.
    #[arg(long = "for", value_name = "60s", requires = "watch")]
    pub(crate) lasting: Option<String>,
    /// Ends after this many rounds.
    #[arg(long, value_name = "N", requires = "watch", hide = true, value_parser = whole(0, u64::MAX))]
    pub(crate) rounds: Option<u64>,
    /// Leaves checks out.
    #[arg(long, value_name = "CODE")]
    pub(crate) skip: Vec<String>,
    /// Only these checks.
    #[arg(long, value_name = "CODE", conflicts_with = "all")]
    pub(crate) only: Vec<String>,
    /// How long it may take.
    #[arg(long, value_name = "120s", conflicts_with = "watch")]
    pub(crate) budget: Option<String>,
    /// Open and risky items count.
    #[arg(long)]
    pub(crate) strict: bool,
    /// In which forms for build servers.
    #[arg(long, value_name = "FORM[:FILE]")]
    pub(crate) format: Vec<Output>,
    /// XML as `JUnit` has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `stripegym solution`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Solution {
    /// Which day or check.
    #[arg(value_name = "dayN|CODE")]
    pub(crate) name: String,
    /// In which language.
    #[arg(long = "in", value_name = "LANGUAGE", default_value = "python", value_parser = ["python", "node", "rust"])]
    pub(crate) language: String,
    /// Before the pass.
    #[arg(long)]
    pub(crate) give_up: bool,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportShape {
    #[default]
    Md,
    Html,
    Json,
}

/// `stripegym report`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReportAsked {
    /// Markdown, HTML or JSON.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportShape,
    /// Into a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<std::path::PathBuf>,
    /// A demonstration.
    #[arg(long, conflicts_with = "share")]
    pub(crate) demo: bool,
    /// One page.
    #[arg(long)]
    pub(crate) share: bool,
}

/// `stripegym progress …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Progress {
    /// Writes it.
    Export {
        /// Into which file.
        #[arg(value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
    /// Merges it.
    Import {
        /// From which file.
        #[arg(value_name = "FILE")]
        file: std::path::PathBuf,
    },
}

/// `stripegym dev …`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Dev {
    /// Checks the lessons.
    Check(DevCheck),
    /// Lists the items and what proves them.
    Items,
}

/// `stripegym dev check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevCheck {
    /// Runs programs as well.
    #[arg(long)]
    pub(crate) run: bool,
    /// Where their packages are installed.
    #[arg(long, value_name = "DIR", default_value = "target/conformance/track", requires = "run")]
    pub(crate) tools: std::path::PathBuf,
    /// Only these programs.
    #[arg(long, value_name = "NAME", requires = "run")]
    pub(crate) only: Option<String>,
    /// Broken shops, and the starters of one language, by their own lesson alone.
    #[arg(long, requires = "run")]
    pub(crate) brief: bool,
    /// How many of them side by side.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = whole::<usize>(1, JOBS_MAX),
          requires = "run")]
    pub(crate) jobs: usize,
}
