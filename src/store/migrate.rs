//! Brings a database to the schema that this version knows.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// How many of its migrations a database has had.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes the migrations that are missing, and what `also` does, in one transaction. Two processes may open
/// a new file at once: the second finds nothing left to do.
pub(crate) fn migrate(
    connection: &mut Connection,
    migrations: &[&str],
    also: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    for (number, migration) in (1i64..).zip(migrations).skip_while(|(number, _)| *number <= found) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    also(&transaction)?;
    transaction.commit()
}
