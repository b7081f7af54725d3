//! `stripegym shop migrate`: the database of a shop that has ended, taken over to the server that the command names.

use crate::app::context::Context;
use crate::app::{failure, ledger_file, shop_database};
use crate::domain::data_file::DataFile;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::domain::sheet::{Cell, Sheet, SheetKind};
use crate::merchant::base::Database;
use crate::store::StoreError;
use std::path::Path;

/// Takes the file over; what was interrupted or done already is done again.
pub async fn run(context: &Context, from: &Path) -> Result<Report, Fault> {
    let file = from.display().to_string();
    let lacking = || Fault::from(FaultKind::File { path: file.clone() });
    let url = context.config.ledger.clone().ok_or_else(lacking)?;
    if !from.is_file() {
        return Err(lacking());
    }
    let (own, stop, to) = (from.to_owned(), context.stop.clone(), url.clone());
    let moved = ledger_file::apart(move || Database::take_over(&own, &to, &|| stop.is_stopped()));
    let moved = moved.await.map_err(|error| match &error {
        StoreError::Corrupt { path, .. } if path.as_path() == from => {
            failure::of_store(&error, DataFile::Shop, from)
        }
        _ => shop_database::fault(context, &error),
    })?;
    let Some(moved) = moved else {
        return Err(FaultKind::ShopThere { url: url.shown() }.into());
    };
    let row = |rows: u64| Cell::Number(i64::try_from(rows).unwrap_or(i64::MAX));
    let rows = moved.into_iter().map(|it| vec![Cell::Word(it.table), row(it.rows)]).collect();
    let (place, kind) = (context.place(None), SheetKind::Tables);
    Ok(Report::Sheet(Sheet { place, kind, rows, looked: None, all: None }))
}
