//! Opens the ledger, for reading and for writing: the folder's, or the one on a server that the command names.

use crate::app::context::Context;
use crate::app::failure::of_store;
use crate::config::Config;
use crate::domain::data_file::{DataFile, FileState};
use crate::domain::fault::{Fault, FaultKind};
use crate::store::writer::LedgerBatch;
use crate::store::{Ledger, StoreError};
use std::sync::Arc;

/// The ledger with its way in.
#[derive(Clone, Debug)]
pub struct LedgerFile {
    /// For reading.
    pub ledger: Arc<Ledger>,
    /// For writing.
    pub batch: Arc<LedgerBatch>,
}

impl LedgerFile {
    /// Opens (and makes) the ledger, its writer's thread started.
    pub async fn open(context: &Context) -> Result<Self, Fault> {
        let config = Arc::clone(&context.config);
        let opened = apart(move || {
            let ledger = opened(&config)?;
            let writer = ledger.writer()?;
            Ok(Self { ledger: Arc::new(ledger), batch: Arc::new(writer.start()) })
        });
        opened.await.map_err(|error| fault(context, &error))
    }
}

/// Works on the ledger where it keeps nothing else waiting: the sandbox may be hosted by the same process.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Gone))
}

fn opened(config: &Config) -> Result<Ledger, StoreError> {
    match &config.ledger {
        Some(url) => Ledger::connect(url),
        None => Ledger::open(&config.ledger_path()),
    }
}

/// Opens the ledger for a command that only looks at it or works on it as a whole: what takes long ends once
/// the command's end is asked for.
pub fn read(context: &Context) -> Result<Ledger, Fault> {
    let stop = context.stop.clone();
    opened(&context.config)
        .and_then(|ledger| ledger.until(move || stop.is_stopped()))
        .map_err(|error| fault(context, &error))
}

/// A queue of writes that is full.
pub fn busy(context: &Context, full: impl ToString) -> Fault {
    let path = context.config.ledger_name().display().to_string();
    let (file, trouble) = (DataFile::Ledger, FileState::Busy);
    Fault::because(FaultKind::Data { file, path, trouble }, full)
}

/// A failure of the ledger.
pub fn fault(context: &Context, error: &StoreError) -> Fault {
    of_store(error, DataFile::Ledger, &context.config.ledger_name())
}
