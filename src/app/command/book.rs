//! `stripegym ledger journal | balance | accounts | problems | verify | rebuild | compact | export`: the book behind the
//! ledger.

use crate::app::context::Context;
use crate::app::failure::of_store;
use crate::app::ledger_file;
use crate::app::parts::{Parts, hand_on};
use crate::domain::book::export::Form;
use crate::domain::book::{Account, Booked};
use crate::domain::data_file::DataFile;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::ledger_url::LedgerPlace;
use crate::domain::notice::Notice;
use crate::domain::report::{Compacted, Report};
use crate::domain::sheet::{Cell, Looked, Sheet, SheetKind};
use crate::store::{Each, Ledger, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookAction {
    /// The entries about an object, at most so many, the newest. A table has 1,000 where none is said.
    Journal {
        /// The object.
        object: Option<String>,
        /// How many.
        limit: Option<u32>,
    },
    /// What each account holds.
    Balance,
    /// The accounts.
    Accounts,
    /// The file made small.
    Compact,
    /// What a person should look at.
    Problems,
    /// Takes in events, objects, or another ledger.
    Import(LedgerPlace),
    /// Whether every row is as it was written.
    Verify,
    /// Everything that follows from the journal, made anew.
    Rebuild,
    /// A ledger taken over to servers that have none.
    Migrate(LedgerPlace),
    /// The book for other programs.
    Export(Export),
}

/// How many entries a person reads; that there are more is said below them.
const ENTRIES_READ: u32 = 1_000;

/// How the book is handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// Rows for spreadsheets.
    Csv,
    /// For a program.
    Text(Form),
    /// A copy of the file.
    Sqlite(PathBuf),
}

/// Reads the book, or makes it anew, on a thread of its own: a person who interrupts is heard while it takes its time.
/// Entries of any number go to `parts`, where there is somewhere to go.
pub async fn run(
    context: &Context,
    action: BookAction,
    parts: Option<Parts>,
) -> Result<Report, Fault> {
    if action == BookAction::Compact && context.config.ledger.is_some() {
        // A server keeps its own house.
        let (flag, other) = ("--ledger postgres://…".to_owned(), "ledger compact".to_owned());
        let usage_error = UsageError::Conflict { flag, other };
        let command = "stripegym ledger compact".to_owned();
        return Err(FaultKind::Usage { usage_error, command }.into());
    }
    if let BookAction::Migrate(from) = &action {
        migrate(context, from).await?;
    }
    let ledger = ledger_file::read(context)?;
    if let BookAction::Export(Export::Sqlite(path)) = &action
        && path.exists()
    {
        return Err(FaultKind::File { path: path.display().to_string() }.into());
    }
    let own = context.clone();
    let done = ledger_file::apart(move || {
        Ok(match (&action, parts) {
            (BookAction::Journal { object, limit }, Some(parts)) => {
                entries(&own, &ledger, object.as_deref(), *limit, parts)
            }
            (BookAction::Export(Export::Csv), Some(parts)) => {
                entries(&own, &ledger, None, None, parts)
            }
            (BookAction::Export(Export::Text(form)), Some(parts)) => {
                text(&own, &ledger, *form, parts)
            }
            _ => work(&own, &ledger, &action).map_err(|error| match &action {
                BookAction::Import(from) => of_either(&own, &from.shown(), &error),
                _ => ledger_file::fault(&own, &error),
            }),
        })
    });
    done.await.unwrap_or_else(|error| Err(ledger_file::fault(context, &error)))
}

/// Hands the entries on as rows.
fn entries(
    context: &Context,
    ledger: &Ledger,
    object: Option<&str>,
    limit: Option<u32>,
    parts: Parts,
) -> Result<Report, Fault> {
    let sheet = |rows| {
        let (place, kind) = (context.place(None), SheetKind::Journal);
        Report::Sheet(Sheet { place, kind, rows, looked: None, all: None })
    };
    let part = |some: &[Booked]| sheet(journal(some));
    let read = |each: Each<'_, Booked>| ledger.each_entry(object, limit, each);
    hand_on(context, parts, &sheet(Vec::new()), part, read)
}

/// Hands the entries on as a text for a program.
fn text(context: &Context, ledger: &Ledger, form: Form, mut parts: Parts) -> Result<Report, Fault> {
    let currencies = ledger.currencies().map_err(|error| ledger_file::fault(context, &error))?;
    let head = Report::Document(form.head(&currencies));
    let out = |error| Fault::because(FaultKind::File { path: "stdout".to_owned() }, error);
    parts.part(&head).map_err(out)?;
    let part = |some: &[Booked]| Report::Document(some.iter().map(|it| form.entry(it)).collect());
    let read = |each: Each<'_, Booked>| ledger.each_entry(None, None, each);
    hand_on(context, parts, &Report::Silent, part, read)
}

/// The newest entries as a table.
fn table(
    context: &Context,
    ledger: &Ledger,
    object: Option<&str>,
    limit: Option<u32>,
) -> Result<Report, StoreError> {
    let unsaid = limit.is_none() && object.is_none();
    let found = ledger.entries(object, limit.or(unsaid.then_some(ENTRIES_READ)))?;
    let all = if unsaid { Some(ledger.postings_count()?) } else { None };
    let (place, kind, rows) = (context.place(None), SheetKind::Journal, journal(&found));
    Ok(Report::Sheet(Sheet { place, kind, rows, looked: None, all }))
}

fn work(context: &Context, ledger: &Ledger, action: &BookAction) -> Result<Report, StoreError> {
    let sheet = |kind, rows| {
        let place = context.place(None);
        Report::Sheet(Sheet { place, kind, rows, looked: None, all: None })
    };
    Ok(match action {
        BookAction::Journal { object, limit } => table(context, ledger, object.as_deref(), *limit)?,
        BookAction::Export(Export::Csv | Export::Text(_)) => table(context, ledger, None, None)?,
        BookAction::Export(Export::Sqlite(path)) => copy(ledger, path)?,
        BookAction::Balance => sheet(SheetKind::Balance, balance(ledger)?),
        BookAction::Accounts => sheet(SheetKind::Accounts, accounts(ledger)?),
        BookAction::Problems => {
            let rows = ledger.problems()?.into_iter();
            let row = |it: crate::store::book::Problem| {
                vec![Cell::Word(it.name), Cell::Word(it.about), Cell::Word(it.text)]
            };
            sheet(SheetKind::Problems, rows.map(row).collect())
        }
        BookAction::Import(from) => {
            let from = from.clone().with_password(context.config.database_password.as_ref());
            let done = ledger.import(&from, context.clock.now())?;
            let (read, fresh) = (done.read, done.fresh);
            context.notices.say(Notice::Imported { read, fresh });
            let word = |text: &str| Cell::Word(text.to_owned());
            let row =
                |(line, why): &(String, String)| vec![word("unreadable"), word(line), word(why)];
            sheet(SheetKind::Problems, done.unreadable.iter().map(row).collect())
        }
        BookAction::Compact => compact(context, ledger)?,
        BookAction::Rebuild => {
            ledger.rebuild()?;
            verify(context, ledger)?
        }
        BookAction::Verify | BookAction::Migrate(_) => verify(context, ledger)?,
    })
}

/// Takes a ledger over to the servers that the command names, which have none yet.
async fn migrate(context: &Context, from: &LedgerPlace) -> Result<(), Fault> {
    let Some(url) = context.config.ledger.clone() else { return Ok(()) };
    let file = from.shown();
    if let LedgerPlace::File(path) = from
        && !path.is_file()
    {
        return Err(FaultKind::File { path: path.display().to_string() }.into());
    }
    let from = from.clone().with_password(context.config.database_password.as_ref());
    let (stop, to) = (context.stop.clone(), url.clone());
    let moved = ledger_file::apart(move || Ledger::migrate(&from, &to, move || stop.is_stopped()));
    match moved.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(FaultKind::LedgerThere { url: url.shown(), file }.into()),
        Err(error) => Err(of_either(context, &file, &error)),
    }
}

/// A failure of the ledger that the command names, or of the one that its lines come from.
fn of_either(context: &Context, from: &str, error: &StoreError) -> Fault {
    match error.path().filter(|path| from.contains(&*path.to_string_lossy())) {
        Some(source) => of_store(error, DataFile::Ledger, source),
        None => ledger_file::fault(context, error),
    }
}

fn copy(ledger: &Ledger, path: &Path) -> Result<Report, StoreError> {
    ledger.copy_to(path)?;
    Ok(Report::Silent)
}

fn verify(context: &Context, ledger: &Ledger) -> Result<Report, StoreError> {
    let verified = ledger.verify()?;
    let rows = verified.findings.into_iter().map(|it| {
        let word = |text: &str| Cell::Word(text.to_owned());
        vec![word(it.table), Cell::Word(it.row), word(it.what.name())]
    });
    let (lines, writers, checkpoints) = (verified.lines, verified.writers, verified.checkpoints);
    let looked = Some(Looked { lines, writers, checkpoints });
    let (place, kind) = (context.place(None), SheetKind::Findings);
    Ok(Report::Sheet(Sheet { place, kind, rows: rows.collect(), looked, all: None }))
}

fn compact(context: &Context, ledger: &Ledger) -> Result<Report, StoreError> {
    let (mut said, mut whole) = (None, true);
    let mut say = |done: u64, all: u64| {
        let part = done.saturating_mul(100).checked_div(all);
        if part != said {
            said = part;
            context.notices.say(Notice::Compacting { done, all });
        }
        whole = !context.stop.is_stopped();
        whole
    };
    let done = ledger.compact(&mut say)?;
    if !whole {
        return Err(StoreError::Interrupted);
    }
    let place = context.place(None);
    let (lines, payload, before, after) = (done.lines, done.payload, done.before, done.after);
    Ok(Report::Compacted(Compacted { place, lines, payload, before, after }))
}

fn number(count: u64) -> Cell {
    Cell::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

fn balance(ledger: &Ledger) -> Result<Vec<Vec<Cell>>, StoreError> {
    let rows = ledger.balances()?.into_iter().map(|it| {
        vec![
            Cell::Word(it.account.to_string()),
            Cell::Word(it.currency.code().to_owned()),
            Cell::Amount(it.amount, it.currency),
            number(it.postings),
        ]
    });
    Ok(rows.collect())
}

fn accounts(ledger: &Ledger) -> Result<Vec<Vec<Cell>>, StoreError> {
    let mut counts: BTreeMap<Account, u64> = BTreeMap::new();
    for balance in ledger.balances()? {
        *counts.entry(balance.account).or_default() += balance.postings;
    }
    let row = |account: Account| {
        let count = counts.get(&account).copied().unwrap_or(0);
        vec![Cell::Word(account.to_string()), number(count)]
    };
    Ok(Account::ALL.map(row).into())
}

fn journal(entries: &[Booked]) -> Vec<Vec<Cell>> {
    let word = |text: &str| Cell::Word(text.to_owned());
    let rows = entries.iter().flat_map(|it| {
        it.entry.postings().iter().map(move |one| {
            vec![
                Cell::Number(it.number),
                Cell::Word(it.created.rfc3339()),
                word(&it.line),
                word(it.entry.reason().name()),
                word(it.entry.about()),
                it.takes_back.map_or_else(|| word(""), Cell::Number),
                word(one.account.name()),
                word(one.currency.code()),
                Cell::Amount(i128::from(one.amount), one.currency),
            ]
        })
    });
    rows.collect()
}
