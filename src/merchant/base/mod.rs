//! The application's database, in words of what it is about: one file of statements a feature, each behind a trait.
//! [`Database`] runs them in transactions; what is changed is on disk before anybody is told.

pub mod account;
pub mod api_key;
pub mod credit;
pub mod kv;
pub mod order;
pub mod sqlite;

use crate::merchant::base::account::Accounts;
use crate::merchant::base::api_key::ApiKeys;
use crate::merchant::base::credit::Credits;
use crate::merchant::base::kv::Kv;
use crate::merchant::base::order::Orders;
use crate::store::StoreError;
use std::fmt;
use std::sync::Arc;

/// The name of the file in the home folder.
pub const FILE: &str = "shop.db";

/// Everything that is kept, within one transaction.
pub trait Base: Accounts + ApiKeys + Credits + Kv + Orders {}

impl<T: Accounts + ApiKeys + Credits + Kv + Orders> Base for T {}

/// What is done within one transaction.
pub type Work<'w> = &'w mut dyn FnMut(&mut dyn Base) -> Result<(), StoreError>;

/// Something that keeps a [`Base`].
pub trait Engine: Send + Sync + fmt::Debug {
    /// Works in a transaction of its own, which nobody else's comes between; durable when this returns.
    fn change(&self, work: Work<'_>) -> Result<(), StoreError>;

    /// Reads what is durable.
    fn look(&self, work: Work<'_>) -> Result<(), StoreError>;
}

/// The database, for whoever must not wait on it.
#[derive(Clone, Debug)]
pub struct Database(Arc<dyn Engine>);

impl Database {
    /// The database that `engine` keeps.
    pub fn new(engine: impl Engine + 'static) -> Self {
        Self(Arc::new(engine))
    }

    /// Changes something; what fails leaves nothing behind.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(work, |engine, work| engine.change(work)).await
    }

    /// Reads something.
    pub async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(work, |engine, work| engine.look(work)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Base) -> Result<T, StoreError> + Send + 'static,
        how: fn(&dyn Engine, Work<'_>) -> Result<(), StoreError>,
    ) -> Result<T, StoreError> {
        let engine = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let (mut work, mut made) = (Some(work), None);
            how(&*engine, &mut |base| {
                if let Some(work) = work.take() {
                    made = Some(work(base)?);
                }
                Ok(())
            })?;
            made.ok_or(StoreError::Gone)
        });
        done.await.unwrap_or(Err(StoreError::Gone))
    }
}
