//! Opens the application's own database: the folder's, or the one beside the ledger on a server that the command names.

use crate::app::context::Context;
use crate::app::failure::of_store;
use crate::app::ledger_file;
use crate::domain::data_file::DataFile;
use crate::domain::fault::{Fault, FaultKind};
use crate::merchant::base::{self, Database};
use crate::store::StoreError;
use std::path::PathBuf;

/// The file, or the server's address without a password.
fn name(context: &Context) -> PathBuf {
    let file = || context.config.home.join(base::FILE);
    context.config.ledger.as_ref().map_or_else(file, |url| url.shown().into())
}

/// A failure of it.
pub fn fault(context: &Context, error: &StoreError) -> Fault {
    of_store(error, DataFile::Shop, &name(context))
}

/// Opens it, and makes it where there is none.
pub async fn open(context: &Context) -> Result<Database, Fault> {
    let (url, path) = (context.config.ledger.clone(), name(context));
    let opened = ledger_file::apart(move || match &url {
        Some(url) => Database::connect(url),
        None => Database::open(&path),
    });
    opened.await.map_err(|error| fault(context, &error))
}

/// Opens the one that a shop has made. A file that is not there is not made; a server's tables are.
pub async fn open_known(context: &Context) -> Result<Database, Fault> {
    if context.config.ledger.is_none() && !name(context).exists() {
        let what = name(context).display().to_string();
        return Err(Fault::from(FaultKind::NotFound { what }).followed_by(Some("shop".to_owned())));
    }
    open(context).await
}
