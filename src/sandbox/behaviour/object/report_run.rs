//! Report runs: a report of the balance, made a moment after it was asked for, as a file.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{Handler, new, text};
use crate::sandbox::behaviour::report::cell::Zone;
use crate::sandbox::behaviour::report::kinds::{self, Report, Scope};
use crate::sandbox::behaviour::report::rows::{self, Asked};
use crate::sandbox::behaviour::report::{csv, kept};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;
use crate::wire::failure::{Failure, FailureKind, echo};
use serde_json::{Value, json};

const KIND: &str = "reporting.report_run";
/// The job that makes the report.
const RUN_JOB: &str = "report_run.run";

/// The behaviour of `/v1/reporting/report_runs`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/reporting/report_runs" => create,
        "GET /v1/reporting/report_runs/{report_run}" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from)
        }
        "GET /v1/reporting/report_runs" => |txn, call| list::page(txn, call, KIND, &[]),
        _ => return None,
    })
}

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == RUN_JOB).then_some(on_run)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let kind = call.text("report_type").unwrap_or_default();
    let Some(report) = kinds::find(kind) else {
        let message = format!("No such report type: '{}'", echo(kind));
        return Err(Failure::invalid(message).code("resource_missing").param("report_type"));
    };
    let sent = call.get("parameters").cloned().unwrap_or_else(|| json!({}));
    check(txn, report, &sent)?;
    let id = txn.new_id("frr_1", 23);
    let run = txn.put(new(
        KIND,
        json!({
            "id": id, "created": txn.now().0, "parameters": sent, "report_type": kind,
            "status": "pending",
        }),
    ));
    txn.schedule(txn.now(), RUN_JOB, &json!({"run": id}));
    Ok(run.into())
}

fn check(txn: &Txn<'_>, report: &Report, sent: &Value) -> Result<(), Failure> {
    let missing = |name: &str| {
        Failure::invalid(format!("Missing required param: parameters[{name}]."))
            .code("parameter_missing")
            .param(format!("parameters[{name}]"))
    };
    let needed: &[&str] = if report.scope == Scope::PaidBy {
        &["payout"]
    } else {
        &["interval_start", "interval_end"]
    };
    if let Some(name) = needed.iter().find(|name| sent.get(**name).is_none_or(Value::is_null)) {
        return Err(missing(name));
    }
    if report.scope == Scope::PaidBy {
        txn.find("payout", text(sent, "payout"), "parameters[payout]")?;
    } else if asked(report, sent).from >= asked(report, sent).until {
        let text = "`interval_end` must be later than `interval_start`.";
        return Err(Failure::invalid(text).param("parameters[interval_end]"));
    }
    if sent.get("timezone").is_some_and(|zone| Zone::read(zone.as_str().unwrap_or("")).is_none()) {
        return Err(not_yet("timezone"));
    }
    if sent.get("connected_account").is_some() {
        return Err(not_yet("connected_account"));
    }
    let columns = sent.get("columns").and_then(Value::as_array);
    let unknown = |it: &&Value| !it.as_str().is_some_and(|name| report.has(name));
    if let Some(column) = columns.into_iter().flatten().find(unknown) {
        let message = format!("Invalid column: {}", echo(column.as_str().unwrap_or_default()));
        return Err(Failure::invalid(message).param("parameters[columns]"));
    }
    Ok(())
}

fn not_yet(name: &str) -> Failure {
    let message = format!("This `{name}` of reports is not modelled by this sandbox yet.");
    Failure::of(501, FailureKind::Api, message).param(format!("parameters[{name}]"))
}

fn asked(report: &Report, sent: &Value) -> Asked {
    let plain = |name: &str| sent.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = sent.get("columns").and_then(Value::as_array);
    let named = named.into_iter().flatten().filter_map(Value::as_str);
    let mut columns: Vec<String> = named.map(str::to_owned).collect();
    if columns.is_empty() {
        columns = report.columns.iter().map(|name| (*name).to_owned()).collect();
    }
    Asked {
        from: sent.get("interval_start").and_then(Value::as_i64).unwrap_or(0),
        until: sent.get("interval_end").and_then(Value::as_i64).unwrap_or(0),
        currency: plain("currency"),
        category: plain("reporting_category"),
        payout: plain("payout"),
        columns,
        zone: plain("timezone").and_then(|name| Zone::read(&name)).unwrap_or_default(),
    }
}

fn on_run(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "run");
    let Some(run) = txn.get(KIND, id) else { return };
    let Some(report) = kinds::find(text(&run, "report_type")) else { return };
    let sent = run.get("parameters").cloned().unwrap_or_default();
    let asked = asked(report, &sent);
    let text = csv::write(&asked.columns, rows::lines(txn, report, &asked).iter());
    let name = format!("{}-{id}.csv", run.get("report_type").and_then(Value::as_str).unwrap_or(""));
    let file = kept::keep(txn, &name, text.as_bytes());
    let Timestamp(now) = txn.now();
    let changed = txn.edit(KIND, id, |doc| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("result", file.document());
        set("status", json!("succeeded"));
        set("succeeded_at", json!(now));
    });
    if let Some((_, after)) = changed {
        txn.emit("reporting.report_run.succeeded", &after);
    }
}
