//! What a learner has reached, by check and version of the lesson: a file of its own beside the ledger.

use crate::domain::course::outcome::State;
use crate::domain::course::progress::{
    Attempt, HintSeen, Mark, Snapshot, SolutionSeen, StepGone, Word,
};
use crate::domain::course::talk::Gone;
use crate::domain::time::Timestamp;
use crate::os::private;
use crate::store::migrate::{migrate, version};
use crate::store::{StoreError, schema};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// The file within the home folder.
pub const FILE: &str = "progress.db";

/// Each entry brings a file from the schema of its index to the next. Never edited once released. The first
/// files had no number: the first entry finds its tables there.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    CREATE TABLE attempts (
        at          INTEGER NOT NULL,
        id          TEXT NOT NULL,
        version     INTEGER NOT NULL,
        state       TEXT NOT NULL,
        code        TEXT NOT NULL,
        track       TEXT NOT NULL,
        api_version TEXT NOT NULL,
        evidence    TEXT NOT NULL,
        findings    TEXT NOT NULL,
        PRIMARY KEY (at, id, version, state, code, track, api_version, evidence, findings)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE solutions (
        day     TEXT PRIMARY KEY,
        at      INTEGER NOT NULL,
        gave_up INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE steps (
        day  TEXT NOT NULL,
        step TEXT NOT NULL,
        gone TEXT NOT NULL,
        at   INTEGER NOT NULL,
        PRIMARY KEY (day, step)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE places (
        day  TEXT PRIMARY KEY,
        step TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// Where one check stands.
#[cfg(test)]
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
        private::database(path).map_err(|error| StoreError::of_system(path, &error))?;
        let mut connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(fail)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found = version(&connection).map_err(fail)?;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        if found < known {
            migrate(&mut connection, MIGRATIONS, |_| Ok(())).map_err(fail)?;
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Notes what runs of checks came to.
    pub fn note(&mut self, attempts: &[Attempt]) -> Result<(), StoreError> {
        self.write(|transaction| {
            for it in attempts {
                let passed = matches!(it.state, State::Pass | State::Partial).then_some(it.at);
                transaction.execute(
                    "INSERT INTO checks (id, version, state, attempts, passed, updated) \
                     VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT (id, version) DO UPDATE SET \
                     state = excluded.state, attempts = attempts + 1, updated = excluded.updated, \
                     passed = COALESCE(passed, excluded.passed)",
                    params![it.id, it.version, it.state.name(), passed, it.at],
                )?;
                add(transaction, it)?;
            }
            Ok(())
        })
    }

    /// Notes that the solution of a day was shown.
    pub fn note_solution(
        &mut self,
        day: &str,
        at: Timestamp,
        gave_up: bool,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO solutions (day, at, gave_up) VALUES (?1, ?2, ?3) ON CONFLICT (day) DO NOTHING",
            params![day, at.0, gave_up],
        )
    }

    /// Notes how far a step was gone; what was done by hand stays done.
    pub fn note_step(
        &self,
        day: &str,
        step: &str,
        gone: Gone,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO steps (day, step, gone, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (day, step) \
             DO UPDATE SET gone = excluded.gone, at = excluded.at WHERE excluded.gone = 'done'",
            params![day, step, gone.name(), at.0],
        )
    }

    /// Notes that steps of a day were shown.
    pub fn note_shown(
        &mut self,
        day: &str,
        steps: &[String],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        steps.iter().try_for_each(|step| self.note_step(day, step, Gone::Shown, at))
    }

    /// Notes where a day was left; nowhere once it is at its end.
    pub fn note_place(&self, day: &str, step: Option<&str>) -> Result<(), StoreError> {
        match step {
            None => self.run("DELETE FROM places WHERE day = ?1", params![day]),
            Some(step) => self.run(
                "INSERT OR REPLACE INTO places (day, step) VALUES (?1, ?2)",
                params![day, step],
            ),
        }
    }

    /// Where a day was left.
    pub fn place(&self, day: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT step FROM places WHERE day = ?1";
        let found = self.connection.query_row(sql, [day], |row| row.get(0)).optional();
        found.map_err(|error| schema::explain(&self.path, &error))
    }

    /// Everything that the file holds.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let read = || -> rusqlite::Result<Snapshot> {
            Ok(Snapshot {
                checks: self.rows(
                    "SELECT id, version, updated, state, attempts, passed FROM checks ORDER BY id, version",
                    |row| {
                        Ok(Mark {
                            id: row.get(0)?,
                            version: row.get(1)?,
                            updated: row.get(2)?,
                            state: state(row, 3)?,
                            attempts: row.get(4)?,
                            passed: row.get(5)?,
                        })
                    },
                )?,
                attested: self.rows("SELECT id, at FROM attested ORDER BY id", |row| {
                    Ok(Word { id: row.get(0)?, at: row.get(1)? })
                })?,
                hints: self.rows("SELECT code, tier, at FROM hints ORDER BY code", |row| {
                    Ok(HintSeen { code: row.get(0)?, tier: row.get(1)?, at: row.get(2)? })
                })?,
                solutions: self.rows("SELECT day, at, gave_up FROM solutions ORDER BY day", |row| {
                    Ok(SolutionSeen { day: row.get(0)?, at: row.get(1)?, gave_up: row.get(2)? })
                })?,
                steps: self.rows(
                    "SELECT day, step, gone, at FROM steps ORDER BY day, step",
                    |row| {
                        let gone: String = row.get(2)?;
                        Ok(StepGone {
                            day: row.get(0)?,
                            step: row.get(1)?,
                            gone: Gone::read(&gone).unwrap_or(Gone::Shown),
                            at: row.get(3)?,
                        })
                    },
                )?,
                attempts: {
                    let mut attempts = self.rows(
                        "SELECT at, id, version, state, code, track, api_version, evidence, findings \
                         FROM attempts",
                        attempt,
                    )?;
                    attempts.sort();
                    attempts
                },
            })
        };
        read().map_err(|error| schema::explain(&self.path, &error))
    }

    /// Puts a snapshot in the place of everything that the file holds.
    pub fn replace(&mut self, with: &Snapshot) -> Result<(), StoreError> {
        self.write(|transaction| {
            for table in ["checks", "attested", "hints", "solutions", "attempts", "steps"] {
                transaction.execute(&format!("DELETE FROM {table}"), [])?;
            }
            for it in &with.checks {
                transaction.execute(
                    "INSERT INTO checks (id, version, state, attempts, passed, updated) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![it.id, it.version, it.state.name(), it.attempts, it.passed, it.updated],
                )?;
            }
            for it in &with.attested {
                let sql = "INSERT INTO attested (id, at) VALUES (?1, ?2)";
                transaction.execute(sql, params![it.id, it.at])?;
            }
            for it in &with.hints {
                let sql = "INSERT INTO hints (code, tier, at) VALUES (?1, ?2, ?3)";
                transaction.execute(sql, params![it.code, it.tier, it.at])?;
            }
            for it in &with.solutions {
                let sql = "INSERT INTO solutions (day, at, gave_up) VALUES (?1, ?2, ?3)";
                transaction.execute(sql, params![it.day, it.at, it.gave_up])?;
            }
            for it in &with.steps {
                let sql = "INSERT INTO steps (day, step, gone, at) VALUES (?1, ?2, ?3, ?4)";
                transaction.execute(sql, params![it.day, it.step, it.gone.name(), it.at])?;
            }
            with.attempts.iter().try_for_each(|it| add(transaction, it))
        })
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
    #[cfg(test)]
    pub fn all(&self) -> Result<Vec<Reached>, StoreError> {
        let sql = "SELECT id, version, state, attempts, passed FROM checks ORDER BY id, version";
        let all = || -> rusqlite::Result<Vec<Reached>> {
            let mut statement = self.connection.prepare(sql)?;
            let read = |row: &Row<'_>| {
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

    /// Forgets a day, with its checks by id and code: their runs, attestations and hints, and its solution.
    pub fn forget(&self, day: &str, ids: &[(&str, &str)]) -> Result<(), StoreError> {
        for table in ["solutions", "steps", "places"] {
            self.run(&format!("DELETE FROM {table} WHERE day = ?1"), params![day])?;
        }
        for (id, code) in ids {
            self.run("DELETE FROM checks WHERE id = ?1", params![id])?;
            self.run("DELETE FROM attempts WHERE id = ?1", params![id])?;
            self.run("DELETE FROM attested WHERE id = ?1", params![id])?;
            self.run("DELETE FROM hints WHERE code = ?1", params![code])?;
        }
        Ok(())
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), StoreError> {
        let done = self.connection.execute(sql, params).map(drop);
        done.map_err(|error| schema::explain(&self.path, &error))
    }

    fn write(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let all = || {
            let behaviour = TransactionBehavior::Immediate;
            let transaction = self.connection.transaction_with_behavior(behaviour)?;
            work(&transaction)?;
            transaction.commit()
        };
        all().map_err(|error| schema::explain(&self.path, &error))
    }

    fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare(sql)?.query_map([], read)?.collect()
    }
}

fn state(row: &Row<'_>, at: usize) -> rusqlite::Result<State> {
    let text: String = row.get(at)?;
    State::read(&text).ok_or_else(|| {
        let reason = format!("`{text}` is no state of a check");
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, reason.into())
    })
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let code: String = row.get(4)?;
    Ok(Attempt {
        at: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        state: state(row, 3)?,
        code: (!code.is_empty()).then_some(code),
        track: row.get(5)?,
        api_version: row.get(6)?,
        evidence: row.get(7)?,
        findings: row.get(8)?,
    })
}

/// Adds an attempt; one that is there already is the same attempt.
fn add(transaction: &Transaction<'_>, it: &Attempt) -> rusqlite::Result<()> {
    let code = it.code.as_deref().unwrap_or_default();
    let sql = "INSERT OR IGNORE INTO attempts (at, id, version, state, code, track, api_version, \
               evidence, findings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let state = it.state.name();
    let row = params![
        it.at,
        it.id,
        it.version,
        state,
        code,
        it.track,
        it.api_version,
        it.evidence,
        it.findings
    ];
    transaction.execute(sql, row).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: &str, version: u32, state: State, at: i64) -> Attempt {
        Attempt {
            at,
            id: id.to_owned(),
            version,
            state,
            code: (state == State::Fail).then(|| "SG1.1-X".to_owned()),
            track: "shop".to_owned(),
            api_version: "2026-10-28.endive".to_owned(),
            evidence: "{}".to_owned(),
            findings: String::new(),
        }
    }

    #[test]
    fn a_check_keeps_its_first_pass_and_every_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home").join(FILE);
        let mut progress = Progress::open(&path).unwrap();
        for (state, at) in [(State::Fail, 1), (State::Pass, 2), (State::Pass, 3), (State::Fail, 4)]
        {
            progress.note(&[attempt("D1.1", 1, state, at)]).unwrap();
        }
        progress.note(&[attempt("D1.1", 2, State::Fail, 5)]).unwrap();
        drop(progress);
        let mut progress = Progress::open(&path).unwrap();
        let all = progress.all().unwrap();
        assert_eq!((all[0].state, all[0].attempts), (State::Fail, 4));
        assert_eq!((all[0].passed, all[1].passed), (Some(Timestamp(2)), None));
        progress.attest("D2.4", Timestamp(6)).unwrap();
        progress.note_hint("SG1.1", 2, Timestamp(7)).unwrap();
        progress.note_hint("SG1.1", 1, Timestamp(8)).unwrap();
        progress.note_solution("day1", Timestamp(9), true).unwrap();
        progress.note_solution("day1", Timestamp(10), false).unwrap();
        assert_eq!(
            (progress.attested().unwrap(), progress.hint("SG1.1").unwrap()),
            (vec!["D2.4".to_owned()], 2)
        );
        let snapshot = progress.snapshot().unwrap();
        assert_eq!((snapshot.attempts.len(), snapshot.checks.len()), (5, 2));
        progress.note_step("day1", "pay", Gone::Done, Timestamp(11)).unwrap();
        progress.note_shown("day1", &["pay".to_owned(), "look".to_owned()], Timestamp(12)).unwrap();
        progress.note_place("day1", Some("look")).unwrap();
        assert_eq!(progress.place("day1").unwrap().as_deref(), Some("look"));
        let gone: Vec<_> =
            progress.snapshot().unwrap().steps.into_iter().map(|it| (it.step, it.gone)).collect();
        assert_eq!(gone, [("look".to_owned(), Gone::Shown), ("pay".to_owned(), Gone::Done)]);
        let seen = SolutionSeen { day: "day1".to_owned(), at: 9, gave_up: true };
        assert_eq!(snapshot.solutions, [seen]);
        progress.forget("day1", &[("D1.1", "SG1.1")]).unwrap();
        assert!(progress.all().unwrap().is_empty());
        assert_eq!(progress.hint("SG1.1").unwrap(), 0);
        let left = progress.snapshot().unwrap();
        assert!(left.attempts.is_empty() && left.solutions.is_empty());
        progress.replace(&snapshot).unwrap();
        assert_eq!(progress.snapshot().unwrap(), snapshot);
    }

    #[test]
    fn a_file_of_the_first_form_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute("INSERT INTO checks VALUES ('D1.1', 1, 'pass', 3, 7, 9)", []).unwrap();
        drop(old);
        let mut progress = Progress::open(&path).unwrap();
        progress.note(&[attempt("D1.1", 1, State::Pass, 10)]).unwrap();
        let snapshot = progress.snapshot().unwrap();
        assert_eq!((snapshot.checks[0].attempts, snapshot.checks[0].passed), (4, Some(7)));
        assert_eq!(snapshot.attempts.len(), 1);
    }

    #[test]
    fn a_file_of_a_later_form_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Progress::open(&path), Err(StoreError::Newer { found: 99, .. })));
    }
}
