//! A ledger on several servers. Each has tables of its own, with lines, entries and chains of its own; which one has an
//! event follows from the payment that it is about ([`crate::domain::book::home`]), so that nothing is worked out of what
//! two of them know. How many there are and which comes where is written into each, and looked at before anything is read
//! or written.
//!
//! Whoever reads reads on the first: views over all, of which the others' tables are foreign tables there
//! (`postgres_fdw`). Lines and entries are numbered in the views by turns, so that no two have one number.

use crate::domain::canonical;
use crate::domain::ledger_url::LedgerUrl;
use crate::store::StoreError;
use crate::store::postgres::address::{self, Options};
use crate::store::postgres::copy::OWN;
use crate::store::postgres::part::Part;
use crate::store::postgres::schema::{self, LOCK};
use crate::store::postgres::{PgError, PgLedger, Reading, Row, Server, WRITTEN, text};
use crate::store::rebuild::FOLLOWING;
use crate::store::verify::{Deviation, Finding};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio_postgres::error::SqlState;

/// The form of the views, which are made anew where it is another.
const FORM: u32 = 1;

/// How many rows that stand on two servers are named.
const NAMED: u32 = 1_000;

/// What no two servers have, by the table and the column that name it.
const ALONE: [(&str, &str); 4] = [
    ("events", "id"),
    ("ledger", "session_id"),
    ("refunds", "payment_intent"),
    ("facts", "subject"),
];

/// The servers of a ledger that stands on several.
#[derive(Debug)]
pub(super) struct Shards {
    url: LedgerUrl,
    servers: Vec<Server>,
    /// Whether the views are known to stand.
    laid: Mutex<bool>,
}

/// What is written into a server: of which ledger it is, which of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    of: i64,
    place: i64,
    count: i64,
}

/// What a server is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stands {
    number: i64,
    mark: Option<Mark>,
    is_empty: bool,
}

/// Why servers are not those of one ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Misfit {
    /// One has a ledger of its own.
    Own(usize),
    /// There are more of them, or fewer; where those are named that have a place, and of how many.
    Count(Vec<(i64, usize)>, i64),
    /// They come in this order.
    Order(Vec<usize>),
    /// One is of another ledger.
    Other(usize),
    /// One has lost what it had.
    Emptied(usize),
    /// One is named twice.
    Twice(usize),
}

/// Whether servers are those of one ledger; whether that has to be written into them first.
fn fit(found: &[Stands]) -> Result<bool, Misfit> {
    let marked = || found.iter().enumerate().filter_map(|(at, it)| Some((at, it.mark?)));
    let Some((_, mark)) = marked().next() else {
        let mut numbers = BTreeSet::new();
        if let Some(at) = found.iter().position(|it| !numbers.insert(it.number)) {
            return Err(Misfit::Twice(at));
        }
        let own = found.iter().position(|it| !it.is_empty);
        let several = found.len() > 1;
        return own.filter(|_| several).map_or(Ok(several), |at| Err(Misfit::Own(at)));
    };
    if let Some((at, _)) = marked().find(|(_, it)| it.of != mark.of) {
        return Err(Misfit::Other(at));
    }
    if i64::try_from(found.len()) != Ok(mark.count) {
        return Err(Misfit::Count(marked().map(|(at, it)| (it.place, at)).collect(), mark.count));
    }
    let mut places = BTreeSet::new();
    if let Some((at, _)) = marked().find(|(_, it)| !places.insert(it.place)) {
        return Err(Misfit::Twice(at));
    }
    let stands_at = |at: usize, mark: &Mark| i64::try_from(at + 1) == Ok(mark.place);
    let in_order = marked().all(|(at, mark)| stands_at(at, &mark));
    match found.iter().position(|it| it.mark.is_none()) {
        // Whoever wrote it into some of them did not come to the end.
        Some(_) if in_order && found.iter().all(|it| it.is_empty) => Ok(true),
        Some(at) => Err(Misfit::Emptied(at)),
        None if in_order => Ok(false),
        None => {
            let mut order: Vec<(i64, usize)> = marked().map(|(at, it)| (it.place, at)).collect();
            order.sort_unstable();
            Err(Misfit::Order(order.into_iter().map(|(_, at)| at).collect()))
        }
    }
}

/// A text as SQL has it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn options(options: &Options) -> String {
    let one = |(name, value): (&&str, &String)| format!("{name} {}", literal(value));
    let all: Vec<String> = options.iter().map(one).collect();
    if all.is_empty() { String::new() } else { format!(" OPTIONS ({})", all.join(", ")) }
}

/// The tables of a ledger, with their columns.
fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = OWN.into_iter().map(|(name, columns, _)| (name, columns));
    own.chain(FOLLOWING.iter().map(|one| (one.name, one.columns)))
}

/// A view over the tables of all servers. Lines and entries get numbers by turns.
fn view(name: &str, columns: &str, servers: usize) -> String {
    let own = name == "cursor";
    let of_server = |at: usize| {
        let part = Part::new(at, servers);
        let column = |column: &str| match column.trim() {
            it @ ("seq" | "number" | "line" | "entry" | "takes_back") => {
                format!("{} AS {it}", part.number(it))
            }
            it => it.to_owned(),
        };
        let columns: Vec<String> = columns.split(',').map(column).collect();
        format!("SELECT {} FROM {}.{name}", columns.join(", "), part.schema())
    };
    let parts = (0..if own { 1 } else { servers }).map(of_server).collect::<Vec<_>>();
    format!("CREATE VIEW stripegym_all.{name} AS {}", parts.join(" UNION ALL "))
}

impl Shards {
    /// How many there are.
    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// What the views are known by: another form, other tables or another address make them anew. No password is in it.
    fn known_by(&self) -> Result<String, PgError> {
        let mut all = format!("{FORM} {} ", schema::LEDGER.known());
        for url in self.url.servers() {
            let (server, _) = address::foreign(&url).map_err(PgError::Odd)?;
            all += &options(&server);
        }
        Ok(format!("stripegym {}", canonical::sha256(&all)))
    }

    /// Whether the views stand as they should, and whoever reads may look through them.
    fn stand(&self, reading: &Reading) -> Result<bool, PgError> {
        let sql = "SELECT COALESCE(obj_description(to_regnamespace('stripegym_all'), 'pg_namespace'), '')";
        if reading.one(sql, Vec::new())?.get::<String>(0)? != self.known_by()? {
            return Ok(false);
        }
        let urls = self.url.servers();
        for (at, url) in urls.iter().enumerate().skip(1) {
            let sql = "SELECT umoptions::text[] FROM pg_user_mappings \
                       WHERE srvname::text = $1 AND usename::text IN (current_user::text, 'public')";
            let found = reading.rows(sql, vec![text(Part::new(at, urls.len()).schema())])?;
            let (_, user) = address::foreign(url).map_err(PgError::Odd)?;
            let wanted: BTreeSet<String> =
                user.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let fits = |row: &Row| {
                // Whoever may not see it may use it.
                let said: Option<Vec<String>> = row.get(0)?;
                Ok(said.is_none_or(|said| said.into_iter().collect::<BTreeSet<_>>() == wanted))
            };
            let fits: Result<Vec<bool>, PgError> = found.iter().map(fits).collect();
            if !fits?.contains(&true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the views, and what they look through.
    fn make(&self, reading: &Reading) -> Result<(), PgError> {
        let names = tables().map(|it| it.0).collect::<Vec<_>>().join(", ");
        let begin = "CREATE EXTENSION IF NOT EXISTS postgres_fdw; DROP SCHEMA IF EXISTS stripegym_all CASCADE";
        let mut parts = vec![begin.to_owned()];
        let urls = self.url.servers();
        for (at, url) in urls.iter().enumerate().skip(1) {
            let (server, user) = address::foreign(url).map_err(PgError::Odd)?;
            let part = Part::new(at, urls.len());
            let name = part.schema();
            parts.push(format!(
                "DROP SCHEMA IF EXISTS {name} CASCADE; DROP SERVER IF EXISTS {name} CASCADE; \
                 CREATE SERVER {name} FOREIGN DATA WRAPPER postgres_fdw{}; \
                 CREATE USER MAPPING FOR CURRENT_USER SERVER {name}{}; CREATE SCHEMA {name}; \
                 IMPORT FOREIGN SCHEMA stripegym LIMIT TO ({names}) FROM SERVER {name} INTO {name}",
                options(&server),
                options(&user)
            ));
        }
        let about = "CREATE SCHEMA stripegym_all; \
                     CREATE VIEW stripegym_all.about AS SELECT name, value FROM \"stripegym\".about";
        parts.push(about.to_owned());
        parts.extend(tables().map(|(name, columns)| view(name, columns, urls.len())));
        parts.push(format!("COMMENT ON SCHEMA stripegym_all IS {}", literal(&self.known_by()?)));
        reading.run(&parts.join("; "))
    }

    /// Sees to it that the views stand.
    fn lay(&self, reading: &Reading) -> Result<(), PgError> {
        let mut laid = self.laid.lock().unwrap_or_else(PoisonError::into_inner);
        if *laid || self.stand(reading)? {
            *laid = true;
            return Ok(());
        }
        let begin =
            format!("BEGIN; SET LOCAL lock_timeout = 10000; SELECT pg_advisory_xact_lock({LOCK})");
        let worked = reading.run(&begin).and_then(|()| {
            // Somebody else may have made them meanwhile.
            if self.stand(reading)? { Ok(()) } else { self.make(reading) }
        });
        let ended = reading.run(if worked.is_ok() { "COMMIT" } else { "ROLLBACK" });
        *laid = worked.is_ok() && ended.is_ok();
        worked.and(ended).map_err(|error| self.without_foreign_tables(error))
    }

    /// What it means that the first server may not read the others.
    fn without_foreign_tables(&self, error: PgError) -> PgError {
        let PgError::Server(cause) = &error else { return error };
        if !matches!(error.code().map(SqlState::code), Some("42501" | "0A000" | "58P01")) {
            return error;
        }
        let reason = format!(
            "the first server reads the others by postgres_fdw, which this user may not use there: {}",
            super::said(cause)
        );
        let first = self.url.first().shown();
        let next = format!(
            "psql '{first}' -c 'CREATE EXTENSION IF NOT EXISTS postgres_fdw' \
             -c 'GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {}'",
            address::foreign(&self.url.first())
                .ok()
                .and_then(|(_, user)| user.get("user").cloned())
                .unwrap_or_else(|| "PUBLIC".to_owned())
        );
        PgError::Servers { reason, next }
    }
}

/// What a server is known by.
fn stands(reading: &Reading) -> Result<Stands, PgError> {
    let named = |name: &str| format!("(SELECT value FROM stripegym.about WHERE name = '{name}')");
    let sql = format!(
        "SELECT {}, {}, {}, {}, NOT EXISTS (SELECT 1 FROM stripegym.events)",
        named("number"),
        named("of"),
        named("place"),
        named("servers")
    );
    let row = reading.one(&sql, Vec::new())?;
    let parts: [Option<i64>; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
    let mark = match parts {
        [Some(of), Some(place), Some(count)] => Some(Mark { of, place, count }),
        _ => None,
    };
    Ok(Stands {
        number: row.get::<Option<i64>>(0)?.unwrap_or_default(),
        mark,
        is_empty: row.get(4)?,
    })
}

/// What does not fit, and the command that does.
fn told(misfit: &Misfit, url: &LedgerUrl) -> StoreError {
    let all: Vec<String> = url.servers().iter().map(LedgerUrl::shown).collect();
    let name = |at: usize| all.get(at).map_or("", String::as_str);
    let show = |named: &[String]| format!("stripegym ledger show --ledger '{}'", named.join(";"));
    let (reason, next) = match misfit {
        Misfit::Own(at) => {
            let own = name(*at);
            let mut to = all.clone();
            if let Some(it) = to.get_mut(*at) {
                "postgres://USER@NEW/DATABASE".clone_into(it);
            }
            let reason =
                format!("{own} has a ledger of its own, which stands on that server alone");
            (reason, format!("stripegym ledger migrate --from '{own}' --to '{}'", to.join(";")))
        }
        Misfit::Count(known, count) => {
            let named = |place: i64| known.iter().find(|it| it.0 == place).map(|it| name(it.1));
            let one = |place: i64| {
                named(place).map_or_else(
                    || format!("postgres://USER@SERVER{place}/DATABASE"),
                    str::to_owned,
                )
            };
            let right: Vec<String> = (1..=*count).map(one).collect();
            let many = if all.len() == 1 { "one is" } else { "others are" };
            (format!("this ledger is divided over {count} servers, and {many} named"), show(&right))
        }
        Misfit::Order(order) => {
            let right: Vec<String> = order.iter().map(|at| name(*at).to_owned()).collect();
            ("the servers of this ledger come in another order".to_owned(), show(&right))
        }
        Misfit::Other(at) => {
            let reason = format!("{} is a server of another ledger than the first", name(*at));
            (reason, "stripegym ledger --help".to_owned())
        }
        Misfit::Emptied(at) => (
            format!("{} has nothing of this ledger, and others of its servers do", name(*at)),
            format!("psql '{}' -c 'SELECT current_database(), inet_server_addr()'", name(*at)),
        ),
        Misfit::Twice(at) => (
            format!("{} is the same server as one before it", name(*at)),
            "stripegym ledger --help".to_owned(),
        ),
    };
    StoreError::Servers { path: PathBuf::from(url.shown()), reason, next }
}

/// Looks whether servers are those of one ledger, and writes it into those that are new; nothing for one that is alone.
pub(super) fn looked_at(
    url: &LedgerUrl,
    servers: Vec<Server>,
) -> Result<Option<Shards>, StoreError> {
    let each = |server: &Server| {
        let read = server.reading(&crate::store::Until::default()).and_then(|it| stands(&it));
        read.map_err(|error| server.explain(&error))
    };
    let look = || {
        let found: Vec<Stands> = servers.iter().map(each).collect::<Result<_, _>>()?;
        let is_new = fit(&found).map_err(|misfit| told(&misfit, url))?;
        Ok::<_, StoreError>((found, is_new))
    };
    let (found, is_new) = look()?;
    if is_new {
        let marked = found.iter().find_map(|it| it.mark).map(|mark| mark.of);
        let of = marked.or_else(|| found.first().map(|it| it.number)).unwrap_or_default();
        let count = i64::try_from(servers.len()).unwrap_or(i64::MAX);
        for (server, place) in servers.iter().zip(1_i64..) {
            let mark = || {
                let reading = server.reading(&crate::store::Until::default())?;
                let sql = "INSERT INTO stripegym.about (name, value) \
                           VALUES ('of', $1), ('place', $2), ('servers', $3) ON CONFLICT DO NOTHING";
                reading.rows(sql, vec![Box::new(of), Box::new(place), Box::new(count)])?;
                reading.run(WRITTEN)
            };
            mark().map_err(|error| server.explain(&error))?;
        }
        // Somebody else may have done the same at the same time, with the servers in another order.
        look()?;
    }
    let several = servers.len() > 1;
    Ok(several.then(|| Shards { url: url.clone(), servers, laid: Mutex::new(false) }))
}

impl PgLedger {
    /// A connection that reads all of the ledger.
    pub(super) fn reading(&self) -> Result<Reading, PgError> {
        let mut reading = self.server.reading(&self.until)?;
        if let Some(shards) = &self.shards {
            shards.lay(&reading)?;
            reading.all = true;
        }
        Ok(reading)
    }

    /// Whether it is divided over several servers.
    pub const fn is_divided(&self) -> bool {
        self.shards.is_some()
    }

    /// Every server that it stands on.
    pub(super) fn servers(&self) -> &[Server] {
        self.shards.as_ref().map_or(std::slice::from_ref(&self.server), Shards::servers)
    }

    /// What several servers do not do together, with what is done instead.
    pub(super) fn alone(&self, reason: &str, next: &str) -> Result<(), StoreError> {
        let Some(shards) = &self.shards else { return Ok(()) };
        let next = format!("stripegym {next} --ledger '{}'", shards.url.shown());
        Err(StoreError::Servers { path: self.path.clone(), reason: reason.to_owned(), next })
    }

    /// Rows that stand on two servers, of which no two should.
    pub(super) fn divided(&self) -> Result<Vec<Finding>, StoreError> {
        if !self.is_divided() {
            return Ok(Vec::new());
        }
        let mut findings = Vec::new();
        for (table, column) in ALONE {
            let one = |part: Part| {
                format!("SELECT DISTINCT {column} AS name FROM {}.{table}", part.schema())
            };
            let all: Vec<String> = self.parts().into_iter().map(one).collect();
            let sql = format!(
                "SELECT name FROM ({}) AS named GROUP BY name HAVING count(*) > 1 ORDER BY name LIMIT {NAMED}",
                all.join(" UNION ALL ")
            );
            let found = self.read(|reading| {
                reading.rows(&sql, Vec::new())?.iter().map(|row| row.get::<String>(0)).collect()
            });
            let found: Vec<String> = found?;
            let what = Deviation::Divided;
            findings.extend(found.into_iter().map(|row| Finding { table, row, what }));
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(place: i64) -> Stands {
        Stands { number: 70 + place, mark: Some(Mark { of: 71, place, count: 2 }), is_empty: false }
    }

    const fn new(number: i64) -> Stands {
        Stands { number, mark: None, is_empty: true }
    }

    #[test]
    fn servers_are_those_of_one_ledger_in_their_order_or_refused() {
        let own = Stands { is_empty: false, ..new(9) };
        let begun = Stands { is_empty: true, ..of(1) };
        let other = Stands { mark: Some(Mark { of: 5, place: 2, count: 2 }), ..of(2) };
        for (found, is) in [
            (&[new(1)][..], Ok(false)),
            (&[own], Ok(false)),
            (&[new(1), new(2)], Ok(true)),
            (&[of(1), of(2)], Ok(false)),
            (&[begun, new(2)], Ok(true)),
            (&[of(2)], Err(Misfit::Count(vec![(2, 0)], 2))),
            (&[of(1), of(2), new(3)], Err(Misfit::Count(vec![(1, 0), (2, 1)], 2))),
            (&[of(2), of(1)], Err(Misfit::Order(vec![1, 0]))),
            (&[of(1), new(2)], Err(Misfit::Emptied(1))),
            (&[new(2), begun], Err(Misfit::Emptied(0))),
            (&[of(1), of(1)], Err(Misfit::Twice(1))),
            (&[new(1), new(1)], Err(Misfit::Twice(1))),
            (&[new(1), own], Err(Misfit::Own(1))),
            (&[of(1), other], Err(Misfit::Other(1))),
        ] {
            assert_eq!(fit(found), is, "{found:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_command_that_does_and_no_password() {
        let url =
            LedgerUrl::read("postgres://a:hunter2@x/b;postgres://c:hunter2@y/d", None).unwrap();
        let right = "stripegym ledger show --ledger 'postgres://c@y/d;postgres://a@x/b'";
        let said = told(&Misfit::Order(vec![1, 0]), &url);
        assert!(matches!(&said, StoreError::Servers { next, .. } if next == right), "{said:?}");
        for misfit in [
            Misfit::Own(1),
            Misfit::Count(vec![(2, 0)], 2),
            Misfit::Other(1),
            Misfit::Emptied(0),
            Misfit::Twice(1),
        ] {
            let said = told(&misfit, &url);
            assert!(!format!("{said} {said:?}").contains("hunter"), "{said:?}");
        }
    }

    #[test]
    fn numbers_of_two_servers_never_meet() {
        let sql = view("entries", "number, line, subject, object, reason, takes_back", 2);
        assert!(
            sql.contains("(number - 1) * 2 + 1 AS number, (line - 1) * 2 + 1 AS line"),
            "{sql}"
        );
        assert!(
            sql.contains("(takes_back - 1) * 2 + 2 AS takes_back FROM stripegym_2.entries"),
            "{sql}"
        );
        assert!(!view("cursor", "name, value", 2).contains("stripegym_2"));
        assert_eq!(literal("o'clock"), "'o''clock'");
    }
}
