//! `stripegym reconcile`: does the ledger say what the provider says?

use crate::app::compare::repair;
use crate::app::compare::run::{self, Compared, Plan};
use crate::app::compare::source::Source;
use crate::app::context::Context;
use crate::app::course::ask::Asker;
use crate::app::creem;
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::provider::Provider;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::is_yes;
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::reconcile::columns::Map;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::{Finding, FindingSink, Reconciliation, Verdict};
use crate::domain::report::{Explanation, FixState, Fixed, Reconciled, Report};
use crate::domain::time::Timestamp;
use crate::shop::creem_api::Creem;
use crate::store::compared::Span;
use crate::store::findings::SqliteSink;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// How many rows are kept to be shown where they are not handed on one by one: all differences of most runs.
const KEPT_MAX: usize = 100_000;

/// How many seconds old something at Stripe must be before the ledger is said to miss it: what is polled comes later.
const WINDOW_S: i64 = 60;

/// What is compared, and what is done about differences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub struct ReconcileOptions {
    /// Ours and theirs; the ledger and the provider where nobody says.
    pub sources: [Option<Source>; 2],
    /// What is said of the tables among them.
    pub maps: [Map; 2],
    /// Only what was made from this instant on.
    pub since: Option<Timestamp>,
    /// Only what was made before this instant.
    pub until: Option<Timestamp>,
    /// How many seconds old something must be before it is missed.
    pub window_s: Option<i64>,
    /// By how many minor units amounts may be apart.
    pub tolerance: BTreeMap<Currency, i64>,
    /// Whether rows that agree are left out.
    pub only_differences: bool,
    /// Where the rows are written as a database.
    pub sqlite: Option<PathBuf>,
    /// Whether what the ledger lacks is replayed, or only said.
    pub fix: bool,
    /// Whether it is done without a question.
    pub yes: bool,
    /// Who is asked.
    pub asker: Option<Asker>,
    /// The object that is explained.
    pub explain: Option<String>,
    /// Whether only what changed since the last time is compared.
    pub incremental: bool,
    /// Whether the rows of a ledger on a server are compared here.
    pub in_process: bool,
}

/// Takes rows one by one instead of keeping them for a report.
pub type Sink = Box<dyn FindingSink>;

/// Compares; where it is wished replays what is lacking and compares again.
pub async fn run(
    context: &Context,
    options: ReconcileOptions,
    sink: Option<Sink>,
) -> Result<Report, Fault> {
    let sources = [
        options.sources.first().cloned().flatten().unwrap_or(Source::Ledger),
        options.sources.last().cloned().flatten().unwrap_or(Source::Provider),
    ];
    let provider = if sources.contains(&Source::Provider) {
        Some(Provider::connect(context).await?)
    } else {
        None
    };
    let answer = work(context, provider.as_ref(), options, sources, sink).await;
    if let Some(provider) = provider {
        provider.close().await;
    }
    answer
}

/// What a comparison works with.
struct Desk<'c> {
    context: &'c Context,
    provider: Option<&'c Provider>,
    file: Option<LedgerFile>,
    plan: Plan,
}

impl Desk<'_> {
    async fn compare(&self, plan: Plan) -> Result<Compared, Fault> {
        let ledger = self.file.as_ref().map(|file| &file.ledger);
        run::run(self.context, plan, ledger, self.provider.map(|it| &it.stripe)).await
    }

    fn failed(&self, error: io::Error) -> Fault {
        let path = self.context.config.home.display().to_string();
        Fault::because(FaultKind::File { path }, error)
    }
}

async fn work(
    context: &Context,
    provider: Option<&Provider>,
    options: ReconcileOptions,
    sources: [Source; 2],
    sink: Option<Sink>,
) -> Result<Report, Fault> {
    let with_ledger = sources.contains(&Source::Ledger);
    let file = if with_ledger { Some(LedgerFile::open(context).await?) } else { None };
    let polled = context.config.mode == Mode::Stripe && provider.is_some();
    let rules = Rules {
        now: context.clock.now(),
        window_s: options.window_s.unwrap_or(if polled { WINDOW_S } else { 0 }),
        tolerance: options.tolerance.clone(),
        ..Rules::default()
    };
    let (with_creem, creem) = second(context, provider, file.as_ref()).await?;
    let plan = Plan {
        sources,
        maps: options.maps.clone(),
        span: Span { since: options.since, until: options.until },
        rules,
        only_differences: options.only_differences,
        brief: sink.is_none() && options.sqlite.is_none(),
        about: options.explain.clone(),
        // Creem tells no changes: beside its sales everything is compared.
        incremental: options.incremental && !with_creem,
        in_process: options.in_process,
        creem,
    };
    let desk = Desk { context, provider, file, plan };
    let mut compared = desk.compare(desk.plan.clone()).await?;
    let sink = match &options.sqlite {
        Some(path) => {
            Some(Box::new(SqliteSink::create(path).map_err(|error| Fault::file(path, error))?)
                as Sink)
        }
        None => sink,
    };
    if let Some(sink) = sink {
        return hand_on(&mut compared, sink)
            .map_err(|error| Fault::because(FaultKind::File { path: "stdout".to_owned() }, error));
    }
    let mut rows = kept(&mut compared).map_err(|error| desk.failed(error))?;
    if let Some(id) = options.explain {
        return explain(&desk, id, rows).await;
    }
    let fixed = if options.fix { Some(fix(&desk, &options, &rows).await?) } else { None };
    let did = |fixed: &Vec<Fixed>| {
        fixed.iter().any(|it| it.state != FixState::Planned && it.state != FixState::Left)
    };
    if fixed.as_ref().is_some_and(did) {
        compared = desk.compare(desk.plan.clone()).await?;
        rows = kept(&mut compared).map_err(|error| desk.failed(error))?;
    }
    let place = context.place(provider.map(Provider::base));
    let result = Reconciliation { rows, summary: compared.summary };
    Ok(Report::Reconciled(Reconciled { place, result, fixed }))
}

/// Whether the ledger has sales of Creem's, and Creem where somebody speaks for it.
async fn second(
    context: &Context,
    provider: Option<&Provider>,
    file: Option<&LedgerFile>,
) -> Result<(bool, Option<Creem>), Fault> {
    let (Some(provider), Some(file)) = (provider, file) else { return Ok((false, None)) };
    let ledger = std::sync::Arc::clone(&file.ledger);
    let known = ledger_file::apart(move || ledger.knows_creem()).await;
    if !known.map_err(|error| ledger_file::fault(context, &error))? {
        return Ok((false, None));
    }
    Ok((true, creem::connect(context, provider).await?.map(|it| it.api)))
}

fn hand_on(compared: &mut Compared, mut sink: Sink) -> io::Result<Report> {
    sink.begin(&compared.summary)?;
    while let Some(finding) = compared.next()? {
        sink.row(&finding)?;
    }
    sink.end(&compared.summary)?;
    Ok(Report::Streamed(compared.summary.is_clean()))
}

/// The rows that a report shows: differences before what agrees, where there are too many of both.
fn kept(compared: &mut Compared) -> io::Result<Vec<Finding>> {
    let many = compared.summary.rows() > KEPT_MAX;
    let mut rows = Vec::new();
    while let Some(finding) = compared.next()? {
        if rows.len() < KEPT_MAX && !(many && finding.verdict == Verdict::Match) {
            rows.push(finding);
        }
    }
    Ok(rows)
}

/// Does what the provider proves, where somebody says yes; says what it would do, where nobody is there to.
async fn fix(
    desk: &Desk<'_>,
    options: &ReconcileOptions,
    rows: &[Finding],
) -> Result<Vec<Fixed>, Fault> {
    let differing = || rows.iter().filter(|finding| !finding.verdict.is_well());
    let planned: Vec<Fixed> = differing().map(repair::planned).collect();
    let count = planned.iter().filter(|it| it.state == FixState::Planned).count();
    let (Some(file), Some(provider)) = (&desk.file, desk.provider) else { return Ok(planned) };
    let allowed = match &options.asker {
        _ if count == 0 => false,
        _ if options.yes => true,
        Some(asker) => {
            let question = Notice::FixQuestion { count };
            let answer = asker.ask(desk.context, question).await?.unwrap_or_default();
            is_yes(&answer)
        }
        None => false,
    };
    if !allowed {
        return Ok(planned);
    }
    let mut fixed = Vec::with_capacity(planned.len());
    for finding in differing() {
        fixed.push(repair::repair(desk.context, file, &provider.stripe, finding).await?);
    }
    Ok(fixed)
}

async fn explain(desk: &Desk<'_>, id: String, findings: Vec<Finding>) -> Result<Report, Fault> {
    let mut names: Vec<String> = vec![id.clone()];
    for finding in &findings {
        let rows = [finding.ours.as_ref(), finding.theirs.as_ref()];
        names.extend(rows.into_iter().flatten().flat_map(|row| row.names().map(str::to_owned)));
    }
    names.sort();
    names.dedup();
    let lines = match &desk.file {
        Some(file) => {
            let ledger = std::sync::Arc::clone(&file.ledger);
            let read = ledger_file::apart(move || ledger.lines_about(&names)).await;
            read.map_err(|error| ledger_file::fault(desk.context, &error))?
        }
        None => Vec::new(),
    };
    if findings.is_empty() && lines.is_empty() {
        let none = Fault::from(FaultKind::NotFound { what: id });
        return Err(none.followed_by(Some("ledger show".to_owned())));
    }
    let place = desk.context.place(desk.provider.map(Provider::base));
    Ok(Report::Comparison(Box::new(Explanation { place, id, findings, lines })))
}
