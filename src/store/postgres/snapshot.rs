//! A journal on a server, or on several, as of one instant.

use crate::domain::book::line::Line;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::postgres::line::{self, LINE};
use crate::store::postgres::{PgError, PgLedger, Reading, Row};
use crate::store::snapshot::EachLine;
use std::collections::BTreeMap;

/// A journal that does not change.
#[derive(Debug)]
pub(in crate::store) struct PgSnapshot {
    reading: Reading,
    journals: Vec<String>,
}

impl PgLedger {
    /// The journal as of now.
    pub(in crate::store) fn snapshot(&self) -> Result<PgSnapshot, StoreError> {
        let reading = self.reading().and_then(Reading::at_one_instant);
        let reading = reading.map_err(|error| self.server.explain(&error))?;
        Ok(PgSnapshot { reading, journals: self.journals_here() })
    }
}

impl PgSnapshot {
    /// Gives every line to `each`; those of one server in the order in which they were written.
    pub(in crate::store) fn each(&self, each: EachLine<'_>) -> Result<(), StoreError> {
        let mut refused = None;
        let mut take = |rows: Vec<Row>| {
            rows.iter().try_for_each(|row| {
                each(line::line(row)?.1).map_err(|error| {
                    refused = Some(error);
                    PgError::Interrupted
                })
            })
        };
        let read = self.journals.iter().try_for_each(|journal| {
            let sql = format!("SELECT {LINE} FROM {journal} ORDER BY seq");
            self.reading.each(&sql, Vec::new(), &mut take)
        });
        read.map_err(|error| refused.unwrap_or_else(|| self.reading.server.explain(&error)))
    }

    /// The lines of these ids that there are.
    pub(in crate::store) fn find(
        &self,
        ids: &[String],
    ) -> Result<BTreeMap<String, Line>, StoreError> {
        let sql = format!("SELECT {LINE} FROM stripegym.events WHERE id = ANY($1)");
        let work = || -> Result<BTreeMap<_, _>, PgError> {
            let rows = self.reading.rows(&sql, vec![Box::new(ids.to_vec())])?;
            let lines = rows.iter().map(|row| Ok(line::line(row)?.1));
            lines.map(|line| line.map(|line: Line| (line.id.clone(), line))).collect()
        };
        work().map_err(|error| self.reading.server.explain(&error))
    }

    /// Up to when each poller has read.
    pub(in crate::store) fn cursors(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let sql = "SELECT name, value FROM stripegym.cursor ORDER BY name";
        let work = || -> Result<Vec<_>, PgError> {
            let rows = self.reading.rows(sql, Vec::new())?;
            rows.iter().map(|row| Ok((row.get(0)?, Timestamp(row.get(1)?)))).collect()
        };
        work().map_err(|error| self.reading.server.explain(&error))
    }
}
