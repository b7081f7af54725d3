//! `/_stripegym/requests`: the newest API requests of a world, filtered, and waited for.

use crate::sandbox::api::within::Within;
use crate::sandbox::control::reply;
use crate::sandbox::engine::requests::{LogRow, RequestLog};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::fault::Pattern;
use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Rows that are shown at once, unless the caller says how many.
const ROWS_SHOWN: usize = 100;

/// Rows that are shown at once at most.
const ROWS_SHOWN_MAX: usize = 1_000;

/// How many seconds a caller may wait for rows.
const WAIT_MAX_S: u64 = 60;

/// The routes; all of them answer JSON.
pub fn control_router() -> Router {
    Router::new()
        .route("/_stripegym/requests", get(requests))
        .route("/_stripegym/requests/{id}", get(request))
}

/// Which statuses are meant: `402`, `4xx`, several with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Reads them; `None` for what is neither a number nor a class.
    pub fn read(text: &str) -> Option<Self> {
        let one = |part: &str| {
            let part = part.trim();
            let (class, is_class) = match part.strip_suffix("xx") {
                Some(class) => (class, true),
                None => (part, false),
            };
            let number = class.parse::<u16>().ok()?;
            match (is_class, number) {
                (true, 1..=5) => Some((number * 100, number * 100 + 99)),
                (false, 100..=599) => Some((number, number)),
                _ => None,
            }
        };
        text.split(',').map(one).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether a status is among them.
    pub fn has(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

/// What is asked of the log.
#[derive(Debug)]
struct LogQuery {
    statuses: Option<Statuses>,
    path: Option<Pattern>,
    method: Option<String>,
    limit: usize,
    /// Only rows behind this one, oldest first; empty for all of them.
    after: Option<String>,
    wait: Option<Duration>,
}

impl LogQuery {
    fn read(query: &HashMap<String, String>) -> Result<Self, &'static str> {
        let known = ["status", "path", "method", "limit", "after", "wait"];
        if query.keys().any(|name| !known.contains(&name.as_str())) {
            return Err("The filters are status, path, method, limit, after and wait.");
        }
        let get = |name: &str| query.get(name).map(String::as_str);
        let statuses = get("status").map(|text| {
            Statuses::read(text)
                .ok_or("`status` is a number or a class, such as 402 or 4xx, or several: 402,5xx.")
        });
        let path = get("path").map(|text| {
            Pattern::read(text)
                .ok_or("`path` begins with /, such as /v1/customers or /v1/payment_intents/*.")
        });
        let number = |name: &str, most: u64| {
            get(name).map(|text| text.parse::<u64>().ok().filter(|n| (1..=most).contains(n)))
        };
        let limit = match number("limit", ROWS_SHOWN_MAX as u64) {
            Some(limit) => limit
                .and_then(|limit| usize::try_from(limit).ok())
                .ok_or("`limit` is a whole number from 1 to 1000.")?,
            None => ROWS_SHOWN,
        };
        let wait = match number("wait", WAIT_MAX_S) {
            Some(seconds) => Some(Duration::from_secs(
                seconds.ok_or("`wait` is a whole number of seconds from 1 to 60.")?,
            )),
            None => None,
        };
        Ok(Self {
            statuses: statuses.transpose()?,
            path: path.transpose()?,
            method: get("method").map(str::to_ascii_uppercase),
            limit,
            after: get("after").map(str::to_owned),
            wait,
        })
    }

    fn keeps(&self, world: &World, row: &LogRow) -> bool {
        row.world == *world.name()
            && self.statuses.as_ref().is_none_or(|statuses| statuses.has(row.status))
            && self.path.as_ref().is_none_or(|path| path.means(&row.path))
            && self.method.as_ref().is_none_or(|method| *method == row.method)
    }
}

/// Newest first; behind `after`, and where somebody waits, oldest first, so that nothing is passed over.
async fn requests(Within(world): Within, Query(query): Query<HashMap<String, String>>) -> Response {
    let asked = match LogQuery::read(&query) {
        Ok(asked) => asked,
        Err(text) => return refusal(StatusCode::BAD_REQUEST, text),
    };
    let log = world.engine().requests();
    let place = match (asked.after.as_deref(), asked.wait) {
        (None, None) => {
            let rows = log.newest(asked.limit, |row| asked.keeps(&world, row));
            return shown(&rows, &world, None);
        }
        (None, Some(_)) => *log.added().borrow(),
        (Some(""), _) => 0,
        (Some(id), _) => {
            let behind = log.behind(|row| row.id == id && row.world == *world.name());
            let Some(behind) = behind else { return unknown(id) };
            behind
        }
    };
    let (rows, place) = collect(log, &asked, &world, place).await;
    shown(&rows, &world, Some(place))
}

/// The rows from a place on; where there are none, those that come while the caller waits.
async fn collect(
    log: &RequestLog,
    asked: &LogQuery,
    world: &World,
    mut place: u64,
) -> (Vec<LogRow>, u64) {
    let until = Instant::now() + asked.wait.unwrap_or_default();
    let mut added = log.added();
    loop {
        added.borrow_and_update();
        let (rows, next) = log.from(place, asked.limit, |row| asked.keeps(world, row));
        place = next;
        if !rows.is_empty() || asked.wait.is_none() {
            return (rows, place);
        }
        // Woken by the next row, whatever it is.
        if !matches!(timeout_at(until, added.changed()).await, Ok(Ok(()))) {
            return (rows, place);
        }
    }
}

/// `last` is what to ask for as `after` next: the newest row of this world that was looked at.
fn shown(rows: &[LogRow], world: &World, place: Option<u64>) -> Response {
    let log = world.engine().requests();
    let last = log.last_before(place.unwrap_or(u64::MAX), |row| row.world == *world.name());
    let rows: Vec<Value> = rows.iter().map(LogRow::show).collect();
    reply(StatusCode::OK, &json!({"requests": rows, "last": last}))
}

async fn request(Within(world): Within, Path(id): Path<String>) -> Response {
    let is_it = |row: &LogRow| row.id == id && row.world == *world.name();
    match world.engine().requests().newest(1, is_it).first() {
        Some(row) => reply(StatusCode::OK, &row.show()),
        None => unknown(&id),
    }
}

fn unknown(id: &str) -> Response {
    let text = format!("No request {id} among the last ones that this process answered.");
    refusal(StatusCode::NOT_FOUND, &text)
}

fn refusal(status: StatusCode, text: &str) -> Response {
    reply(status, &json!({"error": {"message": text}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_classes() {
        let has = |text: &str, status| Statuses::read(text).unwrap().has(status);
        assert!(has("402", 402) && !has("402", 400));
        assert!(has("4xx", 499) && !has("4xx", 500));
        assert!(has("402,5xx", 503) && has("402, 5xx", 402));
        for text in ["", "x", "6xx", "99", "4x", "4xx,"] {
            assert_eq!(Statuses::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let read = |name: &str, value: &str| {
            LogQuery::read(&HashMap::from([(name.to_owned(), value.to_owned())])).is_ok()
        };
        assert!(read("limit", "1000") && read("wait", "60") && read("after", "req_1"));
        for (name, value) in
            [("limit", "0"), ("limit", "1001"), ("wait", "61"), ("path", "v1"), ("stauts", "4xx")]
        {
            assert!(!read(name, value), "{name}={value}");
        }
    }
}
