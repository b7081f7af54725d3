//! What a learner has reached, by check and version of the lesson: a file of its own beside the ledger.

use crate::domain::course::outcome::State;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, schema};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// The file within the home folder.
pub const FILE: &str = "progress.db";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS checks (
        id       TEXT NOT NULL,
        version  INTEGER NOT NULL,
        state    TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        passed   INTEGER,
        updated  INTEGER NOT NULL,
        PRIMARY KEY (id, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS attested (
        id TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS hints (
        code TEXT PRIMARY KEY,
        tier INTEGER NOT NULL,
        at   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Where one check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// `D3.7`.
    pub id: String,
    /// The lesson's version.
    pub version: u32,
    /// What its last run came to.
    pub state: State,
    /// How often it was run.
    pub attempts: u32,
    /// When it was passed first.
    pub passed: Option<Timestamp>,
}

/// The progress file.
#[derive(Debug)]
pub struct Progress {
    path: PathBuf,
    connection: Connection,
}

impl Progress {
    /// Opens (and makes) the file at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |error: rusqlite::Error| schema::explain(path, &error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let io = |error: std::io::Error| StoreError::Io {
                path: path.to_owned(),
                reason: error.to_string(),
            };
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(fail)?;
        connection.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Notes what a run of a check came to.
    pub fn note(
        &self,
        id: &str,
        version: u32,
        state: State,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let passed = matches!(state, State::Pass | State::Partial).then_some(at.0);
        let sql = "INSERT INTO checks (id, version, state, attempts, passed, updated) \
                   VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT (id, version) DO UPDATE SET \
                   state = excluded.state, attempts = attempts + 1, updated = excluded.updated, \
                   passed = COALESCE(passed, excluded.passed)";
        self.run(sql, params![id, version, state.name(), passed, at.0])
    }

    /// Notes that a person attested a check.
    pub fn attest(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.run("INSERT OR REPLACE INTO attested (id, at) VALUES (?1, ?2)", params![id, at.0])
    }

    /// The checks that a person attested.
    pub fn attested(&self) -> Result<Vec<String>, StoreError> {
        let all = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare("SELECT id FROM attested ORDER BY id")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        all().map_err(|error| schema::explain(&self.path, &error))
    }

    /// Where every check stands.
    pub fn all(&self) -> Result<Vec<Reached>, StoreError> {
        let sql = "SELECT id, version, state, attempts, passed FROM checks ORDER BY id, version";
        let all = || -> rusqlite::Result<Vec<Reached>> {
            let mut statement = self.connection.prepare(sql)?;
            let read = |row: &rusqlite::Row<'_>| {
                let state: String = row.get(2)?;
                Ok(Reached {
                    id: row.get(0)?,
                    version: row.get(1)?,
                    state: State::read(&state).unwrap_or(State::Fail),
                    attempts: row.get(3)?,
                    passed: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                })
            };
            statement.query_map([], read)?.collect()
        };
        all().map_err(|error| schema::explain(&self.path, &error))
    }

    /// How many hints of a check were shown.
    pub fn hint(&self, code: &str) -> Result<u8, StoreError> {
        let sql = "SELECT tier FROM hints WHERE code = ?1";
        let tier = self.connection.query_row(sql, [code], |row| row.get(0)).optional();
        tier.map(Option::unwrap_or_default).map_err(|error| schema::explain(&self.path, &error))
    }

    /// Notes that hints up to a tier were shown.
    pub fn note_hint(&self, code: &str, tier: u8, at: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO hints (code, tier, at) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (code) DO UPDATE SET tier = MAX(tier, excluded.tier), at = excluded.at";
        self.run(sql, params![code, tier, at.0])
    }

    /// Forgets checks by id, with their attestations and hints.
    pub fn forget(&self, ids: &[(&str, &str)]) -> Result<(), StoreError> {
        for (id, code) in ids {
            self.run("DELETE FROM checks WHERE id = ?1", params![id])?;
            self.run("DELETE FROM attested WHERE id = ?1", params![id])?;
            self.run("DELETE FROM hints WHERE code = ?1", params![code])?;
        }
        Ok(())
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), StoreError> {
        let done = self.connection.execute(sql, params).map(drop);
        done.map_err(|error| schema::explain(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_keeps_its_first_pass_and_counts_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home").join(FILE);
        let progress = Progress::open(&path).unwrap();
        for (state, at) in [(State::Fail, 1), (State::Pass, 2), (State::Pass, 3), (State::Fail, 4)]
        {
            progress.note("D1.1", 1, state, Timestamp(at)).unwrap();
        }
        progress.note("D1.1", 2, State::Fail, Timestamp(5)).unwrap();
        drop(progress);
        let progress = Progress::open(&path).unwrap();
        let all = progress.all().unwrap();
        assert_eq!((all[0].state, all[0].attempts), (State::Fail, 4));
        assert_eq!((all[0].passed, all[1].passed), (Some(Timestamp(2)), None));
        progress.attest("D2.4", Timestamp(6)).unwrap();
        progress.note_hint("SG1.1", 2, Timestamp(7)).unwrap();
        progress.note_hint("SG1.1", 1, Timestamp(8)).unwrap();
        assert_eq!(
            (progress.attested().unwrap(), progress.hint("SG1.1").unwrap()),
            (vec!["D2.4".to_owned()], 2)
        );
        progress.forget(&[("D1.1", "SG1.1")]).unwrap();
        assert!(progress.all().unwrap().is_empty());
        assert_eq!(progress.hint("SG1.1").unwrap(), 0);
    }
}
