//! The application's database, in words of what it is about: one file of statements a feature, each behind a trait. The
//! statements are the same in a file and on a server, where several shops share it. [`Database`] runs them in transactions;
//! what is changed is on disk before anybody is told.

pub mod account;
pub mod api_key;
pub mod credit;
pub mod kv;
pub mod order;

use crate::domain::ledger_url::LedgerUrl;
use crate::merchant::base::account::Accounts;
use crate::merchant::base::api_key::ApiKeys;
use crate::merchant::base::credit::Credits;
use crate::merchant::base::kv::Kv;
use crate::merchant::base::order::Orders;
use crate::store::StoreError;
use crate::store::tables::moved::{self, Moved};
use crate::store::tables::{Layout, Tables, Within};
use std::path::Path;
use std::sync::Arc;

/// The name of the file in the home folder.
pub const FILE: &str = "shop.db";

/// Its tables.
pub const LAYOUT: Layout = Layout {
    schema: "stripegym_shop",
    turn: 0x7374_7269_7065_0003,
    of_file: &[account::OF_FILE, order::OF_FILE, credit::OF_FILE, kv::OF_FILE, api_key::OF_FILE],
    of_server: &[
        account::OF_SERVER,
        order::OF_SERVER,
        credit::OF_SERVER,
        kv::OF_SERVER,
        api_key::OF_SERVER,
    ],
};

/// Everything that is kept, within one transaction.
pub trait Base: Accounts + ApiKeys + Credits + Kv + Orders {}

impl<T: Accounts + ApiKeys + Credits + Kv + Orders> Base for T {}

/// The database, for whoever must not wait on it.
#[derive(Clone, Debug)]
pub struct Database(Arc<Tables>);

impl Database {
    /// The database in a file, which is made where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Tables::open(path, &LAYOUT)?)))
    }

    /// The database on a server, whose tables are made where there are none.
    pub fn connect(url: &LedgerUrl) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Tables::connect(url, &LAYOUT)?)))
    }

    /// Takes the file of a shop that has ended over to a server, where each row is held to the file's; `None` where the
    /// server has rows that are not the file's. Ends once `stopped` says so, and is then as if it had not begun.
    pub fn take_over(
        from: &Path,
        to: &LedgerUrl,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Moved>>, StoreError> {
        moved::take_over(from, to, &LAYOUT, stopped)
    }

    /// Changes something; what fails leaves nothing behind.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.apart(move |tables| tables.change(|base: &mut Within<'_>| work(base))).await
    }

    /// Reads something.
    pub async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.apart(move |tables| tables.look(|base: &mut Within<'_>| work(base))).await
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tables = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&tables)).await;
        done.unwrap_or(Err(StoreError::Gone))
    }
}
