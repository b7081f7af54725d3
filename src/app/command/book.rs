//! `stripegym ledger journal | balance | accounts | problems | verify | rebuild | compact | export`: the book behind the
//! ledger.

use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::book::{Account, Booked, export};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::report::{Compacted, Report};
use crate::domain::sheet::{Cell, Looked, Sheet, SheetKind};
use crate::store::{Ledger, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookAction {
    /// The entries about an object, at most so many, the newest.
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
    Import(PathBuf),
    /// Whether every row is as it was written.
    Verify,
    /// Everything that follows from the journal, made anew.
    Rebuild,
    /// The book for other programs.
    Export(Export),
}

/// How the book is handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// Rows for spreadsheets.
    Csv,
    /// An entry a line.
    Jsonl,
    /// For beancount.
    Beancount,
    /// For hledger.
    Hledger,
    /// A copy of the file.
    Sqlite(PathBuf),
}

/// Reads the book, or makes it anew, on a thread of its own: a person who interrupts is heard while it takes its time.
pub async fn run(context: &Context, action: BookAction) -> Result<Report, Fault> {
    let ledger = ledger_file::read(context)?;
    if let BookAction::Export(Export::Sqlite(path)) = &action
        && path.exists()
    {
        return Err(FaultKind::File { path: path.display().to_string() }.into());
    }
    let own = context.clone();
    let done = ledger_file::apart(move || work(&own, &ledger, &action)).await;
    done.map_err(|error| ledger_file::fault(context, &error))
}

fn work(context: &Context, ledger: &Ledger, action: &BookAction) -> Result<Report, StoreError> {
    let sheet =
        |kind, rows| Report::Sheet(Sheet { place: context.place(None), kind, rows, looked: None });
    Ok(match action {
        BookAction::Journal { object, limit } => {
            sheet(SheetKind::Journal, journal(&ledger.entries(object.as_deref(), *limit)?))
        }
        BookAction::Export(Export::Csv) => {
            sheet(SheetKind::Journal, journal(&ledger.entries(None, None)?))
        }
        BookAction::Export(Export::Jsonl) => text(ledger, export::jsonl)?,
        BookAction::Export(Export::Beancount) => text(ledger, export::beancount)?,
        BookAction::Export(Export::Hledger) => text(ledger, export::hledger)?,
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
        BookAction::Import(file) => {
            let done = ledger.import(file, context.clock.now())?;
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
        BookAction::Verify => verify(context, ledger)?,
    })
}

fn text(ledger: &Ledger, write: fn(&[Booked]) -> String) -> Result<Report, StoreError> {
    Ok(Report::Document(write(&ledger.entries(None, None)?)))
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
    Ok(Report::Sheet(Sheet { place, kind, rows: rows.collect(), looked }))
}

fn compact(context: &Context, ledger: &Ledger) -> Result<Report, StoreError> {
    let mut said = None;
    let mut say = |done: u64, all: u64| {
        let part = done.saturating_mul(100).checked_div(all);
        if part != said {
            said = part;
            context.notices.say(Notice::Compacting { done, all });
        }
        !context.stop.is_stopped()
    };
    let done = ledger.compact(&mut say)?;
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
