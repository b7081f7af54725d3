//! The layout of the ledger's tables, in a schema of its own, and how any such layout is brought forward: numbered
//! migrations that only go forward, one process at a time.

use crate::os::entropy::Entropy;
use crate::store::StoreError;
use crate::store::postgres::{PgError, Reading, Server, text};

/// The key of the lock that migrations hold.
pub(super) const LOCK: i64 = 0x7374_7269_7065_0001;

/// Each entry brings a database from the version of its index to the next. Never edited once released. Texts are compared
/// by their bytes, whatever the database's own order, so that both engines give rows in one order.
const MIGRATIONS: &[&str] = &[r#"
    CREATE TABLE stripegym.about (
        name  TEXT COLLATE "C" PRIMARY KEY,
        value BIGINT NOT NULL
    );
    CREATE TABLE stripegym.events (
        seq      BIGINT PRIMARY KEY,
        id       TEXT COLLATE "C" NOT NULL UNIQUE,
        type     TEXT COLLATE "C" NOT NULL,
        object   TEXT COLLATE "C",
        created  BIGINT NOT NULL,
        livemode BOOLEAN NOT NULL,
        received BIGINT NOT NULL,
        problem  TEXT,
        body     BYTEA NOT NULL,
        via      TEXT COLLATE "C" NOT NULL,
        signed   BIGINT,
        secret   TEXT COLLATE "C",
        apart    TEXT COLLATE "C",
        writer   BIGINT NOT NULL,
        place    BIGINT NOT NULL,
        hash     BYTEA NOT NULL,
        pack     BIGINT CHECK (pack = 0)
    );
    -- A body is compressed before it comes here.
    ALTER TABLE stripegym.events ALTER COLUMN body SET STORAGE EXTERNAL;
    CREATE INDEX events_with_problem ON stripegym.events (seq) WHERE problem IS NOT NULL OR apart IS NOT NULL;
    CREATE INDEX events_of_disputes ON stripegym.events (object)
        WHERE type >= 'charge.dispute.' AND type < 'charge.dispute/';
    CREATE TABLE stripegym.heads (
        writer BIGINT PRIMARY KEY,
        place  BIGINT NOT NULL,
        hash   BYTEA NOT NULL
    );
    CREATE TABLE stripegym.checkpoints (
        number BIGINT PRIMARY KEY,
        writer BIGINT NOT NULL,
        place  BIGINT NOT NULL,
        hash   BYTEA NOT NULL,
        seal   BYTEA NOT NULL
    );
    CREATE TABLE stripegym.ledger (
        session_id     TEXT COLLATE "C" PRIMARY KEY,
        amount         BIGINT NOT NULL,
        currency       TEXT COLLATE "C" NOT NULL,
        status         TEXT COLLATE "C" NOT NULL,
        settled        TEXT COLLATE "C" NOT NULL,
        refunded       BIGINT NOT NULL,
        created        BIGINT NOT NULL,
        updated        BIGINT NOT NULL,
        payment_intent TEXT COLLATE "C",
        event_id       TEXT COLLATE "C"
    );
    CREATE INDEX ledger_by_intent ON stripegym.ledger (payment_intent) WHERE payment_intent IS NOT NULL;
    CREATE INDEX ledger_by_created ON stripegym.ledger (created, session_id);
    CREATE TABLE stripegym.refunds (
        payment_intent TEXT COLLATE "C" NOT NULL,
        source         TEXT COLLATE "C" NOT NULL,
        state          TEXT COLLATE "C" NOT NULL,
        amount         BIGINT NOT NULL,
        updated        BIGINT NOT NULL,
        event_id       TEXT COLLATE "C",
        PRIMARY KEY (payment_intent, source)
    );
    CREATE TABLE stripegym.facts (
        subject  TEXT COLLATE "C" NOT NULL,
        object   TEXT COLLATE "C" NOT NULL,
        kind     TEXT COLLATE "C" NOT NULL,
        what     TEXT COLLATE "C" NOT NULL,
        amount   BIGINT NOT NULL,
        currency TEXT COLLATE "C" NOT NULL,
        detail   TEXT COLLATE "C" NOT NULL,
        at       BIGINT NOT NULL,
        line     BIGINT NOT NULL,
        PRIMARY KEY (subject, object, kind, what, amount, currency, detail)
    );
    CREATE TABLE stripegym.entries (
        number     BIGINT PRIMARY KEY,
        line       BIGINT NOT NULL,
        subject    TEXT COLLATE "C" NOT NULL,
        object     TEXT COLLATE "C",
        reason     TEXT COLLATE "C" NOT NULL,
        takes_back BIGINT
    );
    CREATE INDEX entries_by_subject ON stripegym.entries (subject);
    CREATE UNIQUE INDEX entries_that_take_back ON stripegym.entries (takes_back) WHERE takes_back IS NOT NULL;
    CREATE TABLE stripegym.postings (
        entry    BIGINT NOT NULL,
        account  TEXT COLLATE "C" NOT NULL,
        currency TEXT COLLATE "C" NOT NULL,
        amount   BIGINT NOT NULL,
        PRIMARY KEY (entry, account, currency)
    );
    CREATE TABLE stripegym.conflicts (
        subject TEXT COLLATE "C" NOT NULL,
        trouble TEXT COLLATE "C" NOT NULL,
        said    TEXT COLLATE "C" NOT NULL
    );
    CREATE INDEX conflicts_by_subject ON stripegym.conflicts (subject);
    CREATE TABLE stripegym.cursor (
        name  TEXT COLLATE "C" PRIMARY KEY,
        value BIGINT NOT NULL
    );
"#];

/// Tables that stand in a schema of their own, and how they came to be what they are.
pub(super) struct Plan {
    /// The schema.
    pub(super) schema: &'static str,
    /// Its migrations, which find it first where they name none.
    pub(super) migrations: &'static [&'static str],
    /// What is done behind them.
    pub(super) also: fn(&Reading) -> Result<(), PgError>,
}

/// The ledger's.
pub(super) const LEDGER: Plan =
    Plan { schema: "stripegym", migrations: MIGRATIONS, also: number_ledger };

impl Plan {
    /// How far a database of this version has come.
    pub(super) fn known(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Makes the migrations that are missing. Another process may have made them while this one waited for its turn.
    fn migrate(&self, reading: &Reading) -> Result<(), PgError> {
        let schema = self.schema;
        reading.run(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; SET LOCAL search_path = {schema}; \
             CREATE TABLE IF NOT EXISTS {schema}.migrations \
             (number BIGINT PRIMARY KEY, made TIMESTAMPTZ NOT NULL DEFAULT now(), by TEXT NOT NULL)"
        ))?;
        let found = self.version(reading)?;
        let missing = (1_i64..).zip(self.migrations).skip_while(|(number, _)| *number <= found);
        for (number, migration) in missing {
            reading.run(migration)?;
            let sql = format!("INSERT INTO {schema}.migrations (number, by) VALUES ($1, $2)");
            reading.rows(&sql, vec![Box::new(number), text(env!("CARGO_PKG_VERSION"))])?;
        }
        (self.also)(reading)
    }

    /// How many of its migrations a database has had.
    fn version(&self, reading: &Reading) -> Result<i64, PgError> {
        let table = format!("{}.migrations", self.schema);
        let sql = "SELECT to_regclass($1::text) IS NOT NULL";
        if !reading.one(sql, vec![text(&table)])?.get::<bool>(0)? {
            return Ok(0);
        }
        reading.one(&format!("SELECT COALESCE(max(number), 0) FROM {table}"), Vec::new())?.get(0)
    }
}

/// Brings the database to the schema that this version knows. Where it is there already, nothing is written and no lock
/// is taken, so that whoever may only read can read.
pub(super) fn bring_up(server: &Server, reading: &Reading, plan: &Plan) -> Result<(), StoreError> {
    let fail = |error: PgError| server.explain(&error);
    let encoding = reading.one(
        "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()",
        Vec::new(),
    );
    let encoding: String = encoding.and_then(|row| row.get(0)).map_err(fail)?;
    if encoding != "UTF8" {
        let reason = format!("the database's encoding is {encoding}; UTF8 is needed");
        return Err(StoreError::Away { path: server.path(), reason });
    }
    let (found, known) = (plan.version(reading).map_err(fail)?, plan.known());
    if found > known {
        return Err(StoreError::Newer { path: server.path(), found, known });
    }
    if found == known {
        return Ok(());
    }
    reading
        .run(&format!(
            "BEGIN; SET LOCAL lock_timeout = 10000; SELECT pg_advisory_xact_lock({LOCK})"
        ))
        .map_err(fail)?;
    let worked = plan.migrate(reading);
    let ended = reading.run(if worked.is_ok() { "COMMIT" } else { "ROLLBACK" });
    worked.and(ended).map_err(fail)
}

/// Gives a ledger the number that tells it from others.
fn number_ledger(reading: &Reading) -> Result<(), PgError> {
    let number = Entropy::system().numbers("ledger").next() % 0x7FFF_FFFF + 1;
    let number = i64::try_from(number).unwrap_or(1);
    let sql =
        "INSERT INTO stripegym.about (name, value) VALUES ('number', $1) ON CONFLICT DO NOTHING";
    reading.rows(sql, vec![Box::new(number)])?;
    Ok(())
}
