//! `stripegym logs`: the requests that a running sandbox has answered, and answers.

use crate::app::context::Context;
use crate::app::control::{Control, bad_value};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::member;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use crate::domain::request::{RequestRow, Told};
use crate::domain::time::Timestamp;
use crate::sandbox::control::requests::Statuses;
use crate::sandbox::fault::Pattern;
use reqwest::Method;
use serde_json::Value;

/// Rows that are shown where nobody says how many.
const ROWS_SHOWN: u32 = 20;

/// Rows that are fetched at once while the log is followed.
const ROWS_FETCHED: u64 = 100;

/// Seconds after which the log is asked anew where no row came: shorter than anything that ends idle connections.
const WAIT_S: u32 = 25;

/// Which requests are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsOptions {
    /// Whether the log is followed.
    pub tail: bool,
    /// `4xx`, `402`, `402,5xx`.
    pub status: Option<String>,
    /// `/v1/customers`, `/v1/payment_intents/*`.
    pub path: Option<String>,
    /// `POST`.
    pub method: Option<String>,
    /// At most this many; while the log is followed, its end.
    pub limit: Option<u32>,
}

/// Shows the newest requests, or each one as it is answered.
pub async fn run(context: &Context, options: &LogsOptions) -> Result<Report, Fault> {
    let command = "stripegym logs";
    if let Some(text) = options.status.as_deref().filter(|text| Statuses::read(text).is_none()) {
        return Err(bad_value(command, "--status", text, "402, 4xx, 402,5xx").into());
    }
    if let Some(text) = options.path.as_deref().filter(|text| Pattern::read(text).is_none()) {
        let expected = "/v1/customers, /v1/customers/{id}, '/v1/payment_intents/*'";
        return Err(bad_value(command, "--path", text, expected).into());
    }
    let control = Control::find(context, command).await?;
    if options.tail {
        return tail(context, &control, options).await;
    }
    let mut params = filters(options);
    params.push(("limit", options.limit.unwrap_or(ROWS_SHOWN).to_string()));
    let log = fetch(&control, &params).await?.unwrap_or_default();
    Ok(Report::Told(Told::Requests(rows(&log))))
}

/// Says each row as it comes, until the wished number was said or the person stops it.
async fn tail(
    context: &Context,
    control: &Control,
    options: &LogsOptions,
) -> Result<Report, Fault> {
    let newest = fetch(control, &[("limit", "1".to_owned())]).await?;
    let mut last = newest.as_ref().and_then(last_of).unwrap_or_default();
    context.notices.say(Notice::Following { base: control.base().to_owned() });
    let mut left = options.limit.map_or(u64::MAX, u64::from);
    let mut stop = context.stop.clone();
    while left > 0 {
        let mut params = filters(options);
        params.push(("limit", left.min(ROWS_FETCHED).to_string()));
        params.push(("after", last.clone()));
        params.push(("wait", WAIT_S.to_string()));
        let log = tokio::select! {
            log = fetch(control, &params) => log?,
            () = stop.wait() => return Err(FaultKind::Interrupted.into()),
        };
        let Some(log) = log else {
            // The sandbox was started anew, or many rows went by: what it has kept is all there is.
            last.clear();
            continue;
        };
        last = last_of(&log).unwrap_or(last);
        for row in rows(&log) {
            left = left.saturating_sub(1);
            context.notices.say(Notice::Request(row));
        }
    }
    Ok(Report::Silent)
}

fn filters(options: &LogsOptions) -> Vec<(&'static str, String)> {
    let filters =
        [("status", &options.status), ("path", &options.path), ("method", &options.method)];
    let given = filters.into_iter();
    given.filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

async fn fetch(control: &Control, params: &[(&str, String)]) -> Result<Option<Value>, Fault> {
    control.call(Method::GET, "requests", params).await
}

fn last_of(log: &Value) -> Option<String> {
    log.get("last").and_then(Value::as_str).map(str::to_owned)
}

fn rows(log: &Value) -> Vec<RequestRow> {
    let list = log.get("requests").and_then(Value::as_array);
    list.into_iter().flatten().map(row).collect()
}

fn row(row: &Value) -> RequestRow {
    let status = row["status"].as_u64();
    RequestRow {
        id: member::owned(row, "id").unwrap_or_default(),
        at: Timestamp(row.get("created").and_then(Value::as_i64).unwrap_or_default()),
        method: member::owned(row, "method").unwrap_or_default(),
        path: member::owned(row, "path").unwrap_or_default(),
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: member::owned(row, "error"),
        fault: member::owned(row, "fault"),
    }
}
