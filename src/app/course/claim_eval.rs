//! Whether the claims of a lesson hold, with what was expected and what was found as facts without words.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::Exchange;
use crate::app::course::joint_claims;
use crate::app::course::lesson_run::{LessonRun, attempts};
use crate::app::course::perform::{events, id};
use crate::app::course::port_probe;
use crate::app::course::project;
use crate::app::course::secret_scan;
use crate::app::course::variables::Variables;
use crate::domain::course::Track;
use crate::domain::course::claim::{
    BodyHas, Claim, DeliveryIs, HeaderIs, JsonIs, LedgerRow, LogHas, Op, Status, Verdicts, Where,
};
use crate::domain::course::outcome::Finding;
use crate::domain::course::statement::{Attempt, Statement, Subject};
use crate::domain::fault::Fault;
use crate::domain::peek::Peek as _;
use crate::domain::secret::{KeyKind, SigningSecret};
use crate::net::tasks::blocking;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a line may take to appear in the log.
const LOG_PATIENCE: Duration = Duration::from_millis(1_200);
/// How often a ledger is read while a row is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// By how many seconds an instant may differ from what it should be: no zone is nearer to another.
const NEAR_S: u64 = 14 * 60;

/// Judges one claim. What a claim refers to and nobody kept makes it fail.
pub async fn judge(run: &LessonRun<'_>, claim: &Claim) -> Result<Finding, Fault> {
    match found(run, claim).await {
        Ok(finding) => Ok(finding),
        Err(ActError::Mismatch { expected, got }) => Ok(Finding::new(false, *expected, *got)),
        Err(ActError::Surroundings(fault)) => Err(fault),
    }
}

/// What one claim comes to, or what is lacking to judge it.
pub async fn found(run: &LessonRun<'_>, claim: &Claim) -> Result<Finding, ActError> {
    let vars = &run.vars;
    match claim {
        Claim::Status(it) => status(vars, it),
        Claim::Header(it) => header(vars, it),
        Claim::Body(it) => body(vars, it),
        Claim::Json(it) => json(vars, it),
        Claim::EventCount { kind, session, is } => {
            let session = id(vars, session)?;
            let count = events(run, kind, Some(&session)).await?.len();
            Ok(finding(count == *is, Statement::Happens(kind.clone(), *is), count.to_string()))
        }
        Claim::Delivery(it) => delivery(run, it).await,
        Claim::LedgerRow(it) => {
            let session = id(vars, &it.session)?;
            let now = run.app_now().0;
            let mut finding = row((vars, now), it, &session, &run.ledger().await?)?;
            if !finding.holds && run.track() != Track::Shop {
                // What is written after the answer is there a moment later.
                finding = row((vars, now), it, &session, &run.still_ledger().await?)?;
            }
            let until = Instant::now() + Duration::from_millis(it.within_ms);
            while !finding.holds && Instant::now() < until {
                tokio::time::sleep(LOOK_AGAIN).await;
                finding = row((vars, now), it, &session, &run.ledger().await?)?;
            }
            let of = |it: &Exchange| it.carries(&session);
            Ok(finding.of(run.exchanges.last(0, of)))
        }
        Claim::LedgerAbsent { sessions } => {
            let ledger = run.ledger().await?;
            let ids = sessions.iter().map(|name| id(vars, name));
            let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
            let there: Vec<&str> =
                ids.iter().filter(|id| row_of(&ledger, id).is_some()).map(String::as_str).collect();
            Ok(finding(there.is_empty(), Statement::NoRows(ids.clone()), there.join(" ")))
        }
        Claim::LedgerGrew { since, by } => grew(vars, since, *by, &run.ledger().await?),
        Claim::LedgerUnchanged { since } => unchanged(vars, since, &run.ledger().await?),
        Claim::Verdicts(it) => verdicts(vars, it),
        Claim::Log(it) => log_in_time(run, vars, it).await,
        Claim::NoSecret { places } => Ok(no_secret(run, places)),
        Claim::Unwritten { text } => Ok(unwritten(run, &vars.filled(text)?)),
        Claim::Alive {} => {
            let there = run.over().is_none() && run.answers().await;
            let got = run.over().unwrap_or_else(|| if there { "ok" } else { "–" }.to_owned());
            Ok(finding(there, Statement::Alive, got))
        }
        Claim::Key { kinds, live } => Ok(key(run, kinds, *live)),
        Claim::Files(it) => Ok(blocking(|| project::files(run, it))),
        Claim::Mentions(it) => Ok(project::mentions(&run.project, it)),
        Claim::Lint { rule } => {
            let sight = run.look_by(*rule).map_err(|why| ActError::mismatch(rule.name(), why))?;
            Ok(project::linted(*rule, &sight))
        }
        Claim::Fields(it) => joint_claims::fields(vars, it),
        Claim::Accepts { event, signed } => joint_claims::accepts(run, event, *signed).await,
        Claim::Accidents { class, max } => Ok(joint_claims::accidents(run, class, *max)),
        Claim::Refused { path } => joint_claims::refused(run, path).await,
        Claim::Says(it) => joint_claims::says(run, it),
        Claim::Reach {} => Ok(port_probe::finding(&run.app().0).await),
        Claim::All(claims) => joint_claims::all(run, claims).await,
        Claim::Any(claims) => joint_claims::any(run, claims).await,
        Claim::Not(claim) => joint_claims::not(run, claim).await,
        Claim::Given { kept, then } => match vars.get(kept).filter(|it| !it.is_null()) {
            Some(_) => Box::pin(found(run, then)).await,
            None => Ok(finding(true, kept.clone(), Statement::Nothing)),
        },
    }
}

/// A finding; what was not there is told by a dash.
pub fn finding(holds: bool, expected: impl Into<Statement>, got: impl Into<Statement>) -> Finding {
    Finding::new(holds, expected, got)
}

/// The answers that were kept under a name: one, or all of several.
pub fn answers<'k>(vars: &'k Variables, name: &str) -> Result<Vec<&'k Value>, ActError> {
    let value = vars.need(name)?;
    let value = value.get("answer").unwrap_or(value);
    Ok(match value.get("answers").and_then(Value::as_array) {
        Some(all) => all.iter().collect(),
        None => vec![value],
    })
}

fn status(vars: &Variables, it: &Status) -> Result<Finding, ActError> {
    let (mut good, mut total, mut got, mut about) = (0, 0, Vec::new(), None);
    for name in &it.of {
        for answer in answers(vars, name)? {
            let status = answer.http_status();
            let fits = it.fits(status);
            total += 1;
            good += usize::from(fits);
            if !fits {
                about = about.or_else(|| exchange_of(answer));
            }
            if !fits || it.any {
                got.push((name.clone(), status.into()));
            }
        }
    }
    let holds = if it.any { good > 0 } else { good == total && total > 0 };
    let got = if holds { it.is.clone().into() } else { Statement::Answered(got) };
    Ok(finding(holds, Statement::Answer(it.of.clone(), it.is.clone()), got).of(about))
}

/// The number of the exchange in which something that was kept came from the application.
pub fn source_of(vars: &Variables, name: &str) -> Option<usize> {
    let answer = vars.peek(&format!("{name}_answer")).or_else(|| vars.peek(name))?;
    exchange_of(answer.get("answer").unwrap_or(answer))
}

/// The number of the exchange that an answer belongs to.
pub fn exchange_of(answer: &Value) -> Option<usize> {
    answer.get("exchange").and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
}

fn header(vars: &Variables, it: &HeaderIs) -> Result<Finding, ActError> {
    let wanted = vars.resolved(&it.value, &it.name)?;
    let expected = Statement::is(Subject::Header(it.name.clone()), it.op, show(&wanted));
    for name in &it.of {
        for answer in answers(vars, name)? {
            let value = answer.get("headers").and_then(|headers| headers.get(&it.name));
            // A value says the same in large letters and in quotes.
            let value = value.map(|value| match value {
                Value::String(text) if it.op == Op::Contains && it.name == "content-type" => {
                    Value::String(text.to_lowercase().replace('"', ""))
                }
                other => other.clone(),
            });
            let value = value.as_ref();
            if !it.op.holds(value, &wanted) {
                return Ok(finding(
                    false,
                    expected,
                    format!("{name} {}", value.map_or_else(String::new, show)),
                ));
            }
        }
    }
    Ok(finding(true, expected.clone(), expected))
}

fn body(vars: &Variables, it: &BodyHas) -> Result<Finding, ActError> {
    for name in &it.of {
        for answer in answers(vars, name)? {
            let text = answer.text("body");
            let start: String = text.chars().take(200).collect();
            if it.not_empty && text.trim().is_empty() {
                let body = Statement::is(Subject::Body(name.clone()), Op::Present, "");
                return Ok(finding(false, body, Statement::Nothing));
            }
            for wanted in &it.contains {
                let wanted = vars.filled(wanted)?;
                if !text.contains(&wanted) {
                    let body = Subject::Body(name.clone());
                    let expected = Statement::is(body, Op::Contains, wanted);
                    return Ok(finding(false, expected, start));
                }
            }
            for unwanted in &it.absent {
                let unwanted = vars.filled(unwanted)?;
                if text.contains(&unwanted) {
                    let expected = Statement::Without(name.clone(), unwanted.clone());
                    return Ok(finding(false, expected, unwanted));
                }
            }
        }
    }
    Ok(finding(true, it.of.join(", "), "ok"))
}

fn json(vars: &Variables, it: &JsonIs) -> Result<Finding, ActError> {
    let of = vars.need(&it.of)?;
    let said = said_at(of, &it.at);
    let value = of.pointer(&it.at).or(said.as_ref());
    let wanted = vars.resolved(&it.value, &it.at)?;
    let plain = matches!(it.op, Op::Present | Op::Absent | Op::Integer);
    let right = if plain { String::new() } else { show(&wanted) };
    let expected = Statement::is(Subject::Member(it.of.clone(), it.at.clone()), it.op, right);
    let found = value.map_or_else(String::new, show);
    Ok(finding(it.op.holds(value, &wanted), expected, found).of(source_of(vars, &it.of)))
}

/// A member of what an answer says in JSON, which is kept as the text that came: `/body/access`.
fn said_at(of: &Value, at: &str) -> Option<Value> {
    let member = at.strip_prefix("/body").filter(|member| member.starts_with('/'))?;
    let said: Value = serde_json::from_str(of.get("body")?.as_str()?).ok()?;
    said.pointer(member).cloned()
}

/// A value for a line of text.
pub fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(show).collect::<Vec<_>>().join(" | "),
        Value::Object(_) => "{…}".to_owned(),
        other => other.to_string(),
    }
}

async fn delivery(run: &LessonRun<'_>, it: &DeliveryIs) -> Result<Finding, ActError> {
    let event = id(&run.vars, &it.event)?;
    // Where the clock stands, what is shown must not differ from run to run.
    let timed = !run.context.clock.stands();
    let about = run.exchanges.last(0, |it| it.event.as_deref() == Some(&event));
    Ok(delivered(it, &run.deliveries(&event).await?, timed).of(about))
}

/// Judges the deliveries of an event, oldest first; shows how long each attempt took where `timed`.
fn delivered(it: &DeliveryIs, deliveries: &[Value], timed: bool) -> Finding {
    let attempts: Vec<&Value> = attempts(deliveries).collect();
    let took =
        |attempt: &Value| attempt.get("duration_ms").and_then(Value::as_u64).unwrap_or_default();
    let ends = deliveries.last().and_then(|one| one.get("status")).and_then(Value::as_str);
    let mut wanted = Vec::new();
    let mut holds = !deliveries.is_empty();
    let mut claim = |what: Attempt, held: bool| {
        wanted.push(what);
        holds = holds && held;
    };
    if let Some(count) = it.attempts {
        claim(Attempt::Count(count), attempts.len() == count);
    }
    if let Some(least) = it.attempts_min {
        claim(Attempt::Least(least), attempts.len() >= least);
    }
    if let Some(is) = &it.first {
        let class = Status { of: Vec::new(), is: is.clone(), any: false };
        let fits = attempts.first().is_some_and(|one| class.fits(one.http_status()));
        claim(Attempt::First(is.clone()), fits);
    }
    if let Some(end) = &it.ends {
        claim(Attempt::Ends(end.clone()), ends == Some(end.as_str()));
    }
    if let Some(limit) = it.within_ms {
        let quick = attempts.last().is_some_and(|last| took(last) <= limit);
        claim(Attempt::Quick(limit), quick);
    }
    let shown = attempts.iter().enumerate().map(|(at, attempt)| {
        let took = if timed { format!(" {} ms", took(attempt)) } else { String::new() };
        format!("{}: {}{took}", at + 1, attempt.http_status())
    });
    let mut got: Vec<String> = shown.collect();
    got.extend(ends.map(str::to_owned));
    finding(holds, Statement::Delivery(wanted), got.join(" · "))
}

/// The ledger's row of a session.
fn row_of<'l>(ledger: &'l Value, session: &str) -> Option<&'l Value> {
    ledger.items("rows").iter().find(|row| row.text("session_id") == session)
}

fn row(
    (vars, now): (&Variables, i64),
    it: &LedgerRow,
    session: &str,
    ledger: &Value,
) -> Result<Finding, ActError> {
    let Some(row) = row_of(ledger, session) else {
        let expected = Statement::Rows(session.to_owned(), None);
        return Ok(finding(false, expected, Statement::Nothing));
    };
    let its = ledger.items("rows").iter().filter(|row| row.text("session_id") == session);
    let times = its.count();
    if it.times.is_some_and(|wanted| wanted != times) {
        let expected = Statement::Rows(session.to_owned(), it.times);
        return Ok(finding(false, expected, times.to_string()));
    }
    let named = |name: &String| Subject::Column(name.clone());
    for (column, wanted) in &it.has {
        let wanted = vars.resolved(wanted, column)?;
        let value = row.get(column);
        if value != Some(&wanted) {
            let expected = Statement::is(named(column), Op::Eq, show(&wanted));
            let got = match value {
                // A number that is a text looks like one.
                Some(Value::String(text)) if wanted.is_number() => format!("\"{text}\" (text)"),
                Some(value) => show(value),
                None => format!("– ({})", ledger.get("others").map_or_else(String::new, show)),
            };
            return Ok(finding(false, expected, got));
        }
    }
    for (column, wanted) in &it.near {
        let wanted = vars.resolved(wanted, column)?;
        let Some(at) = row.get(column).filter(|at| !at.is_null()) else { continue };
        let near = |of: i64| at.as_i64().is_some_and(|at| at.abs_diff(of) <= NEAR_S);
        if !near(now) && !wanted.as_i64().is_some_and(near) {
            let expected = Statement::Near(named(column), show(&wanted));
            return Ok(finding(false, expected, show(at)));
        }
    }
    let lacking = |column: &&String| row.get(*column).is_none_or(|v| v.is_null() || v == "");
    if let Some(column) = it.filled.iter().find(lacking) {
        let expected = Statement::is(named(column), Op::Present, "");
        return Ok(finding(false, expected, Statement::Nothing));
    }
    let odd = |column: &&String| !row.get(*column).is_some_and(Value::is_i64);
    if let Some(column) = it.integers.iter().find(odd) {
        let value = row.get(column).map_or_else(String::new, show);
        return Ok(finding(false, Statement::is(named(column), Op::Integer, ""), value));
    }
    Ok(finding(true, Statement::Rows(session.to_owned(), None), "ok"))
}

fn count(ledger: &Value) -> u64 {
    ledger.get("count").and_then(Value::as_u64).unwrap_or_default()
}

fn grew(vars: &Variables, since: &str, by: u64, ledger: &Value) -> Result<Finding, ActError> {
    let grown = count(ledger).saturating_sub(count(vars.need(since)?));
    Ok(finding(grown == by, Statement::Grows(by), Statement::Grows(grown)))
}

fn unchanged(vars: &Variables, since: &str, ledger: &Value) -> Result<Finding, ActError> {
    let before = vars.need(since)?;
    let rows = |ledger: &Value| ledger.get("rows").cloned().unwrap_or_default();
    let holds = count(before) == count(ledger) && rows(before) == rows(ledger);
    let others = !holds && count(before) == count(ledger);
    let got = Statement::From(count(before), count(ledger), others);
    Ok(finding(holds, Statement::Unchanged(since.to_owned()), got))
}

fn verdicts(vars: &Variables, it: &Verdicts) -> Result<Finding, ActError> {
    let lines = vars.get(&it.of).and_then(|found| found.get("lines")).and_then(Value::as_array);
    let lines = lines.ok_or_else(|| ActError::unknown(&it.of))?;
    let text = |line: &Value, name: &str| line.get(name).map_or_else(String::new, show);
    let may_lack = |line: &Value| {
        text(line, "verdict") == "MISSING_IN_LEDGER"
            && it.may_lack.contains(&text(line, "their_status"))
    };
    let mut wrong: Vec<String> = lines
        .iter()
        .filter(|line| !it.only.contains(&text(line, "verdict")) && !may_lack(line))
        .take(5)
        .map(|line| {
            let [verdict, session] = ["verdict", "session"].map(|name| text(line, name));
            format!("{verdict} {session} {} ⇄ {}", text(line, "ours"), text(line, "theirs"))
        })
        .collect();
    let enough = lines.len() >= it.at_least;
    let holds = wrong.is_empty() && enough;
    wrong.push(format!("{} lines", lines.len()));
    let expected = Statement::Verdicts(it.only.clone(), it.at_least);
    Ok(finding(holds, expected, wrong.join(" · ")))
}

/// A line is written when its answer is on its way already, so that it may still be coming.
async fn log_in_time(
    run: &LessonRun<'_>,
    vars: &Variables,
    it: &LogHas,
) -> Result<Finding, ActError> {
    let deadline = Instant::from_std(run.exchanges.ended()) + LOG_PATIENCE;
    let mut bell = run.log.bell();
    loop {
        let finding = run.log.look(|lines| log(vars, it, lines))?;
        if finding.holds || timeout_at(deadline, bell.changed()).await.is_err() {
            return Ok(finding);
        }
    }
}

fn log(vars: &Variables, it: &LogHas, lines: &[&String]) -> Result<Finding, ActError> {
    let fill = |texts: &[String]| -> Result<Vec<String>, ActError> {
        texts.iter().map(|text| vars.filled(text)).collect()
    };
    let wanted = fill(&it.line)?;
    let last = lines.last().map_or_else(String::new, |line| (*line).clone());
    // An address that was asked for says nothing of what the program meant to say.
    let says = |line: &str, text: &str| {
        let asked = format!("session_id={text}");
        line.contains(text) && line.replace(&asked, "").contains(text)
    };
    if !wanted.is_empty() && !lines.iter().any(|line| wanted.iter().all(|text| says(line, text))) {
        return Ok(finding(false, Statement::Logged(wanted), last));
    }
    for text in fill(&it.contains)? {
        if !lines.iter().any(|line| says(line, &text)) {
            return Ok(finding(false, Statement::Logged(vec![text]), last));
        }
    }
    for text in fill(&it.absent)? {
        if let Some(line) = lines.iter().find(|line| line.contains(&text)) {
            return Ok(finding(false, Statement::NotLogged(text), (*line).clone()));
        }
    }
    Ok(finding(true, "log", "ok"))
}

fn no_secret(run: &LessonRun<'_>, places: &[Where]) -> Finding {
    let known: Vec<&str> =
        std::iter::once(&run.secret).chain(&run.others).map(SigningSecret::reveal).collect();
    let mut seen = Vec::new();
    for place in places {
        let (name, found) = match place {
            Where::Log => {
                ("log", run.log.look(|lines| secret_scan::first(lines.iter().copied(), &known)))
            }
            Where::Answers => {
                let seen = run.exchanges.each(|it| secret_scan::find(&it.answer, &known));
                ("answers", seen.into_iter().next())
            }
            Where::Project => ("project", project::secret(&run.project, &known)),
        };
        seen.extend(found.map(|what| format!("{name}: {what}")));
    }
    finding(seen.is_empty(), Statement::NoSecret, seen.join(" · "))
}

/// No file of the application has a text that it was to show and forget.
fn unwritten(run: &LessonRun<'_>, text: &str) -> Finding {
    let found = blocking(|| run.file_with(text));
    finding(found.is_none(), Statement::NoSecret, found.unwrap_or_default())
}

fn key(run: &LessonRun<'_>, kinds: &[String], live: bool) -> Finding {
    let key = run.provider.stripe.key();
    let kind = match key.kind() {
        KeyKind::Secret => "secret",
        KeyKind::Restricted => "restricted",
        KeyKind::Publishable => "publishable",
    };
    let holds = kinds.iter().any(|wanted| wanted == kind) && key.is_live() == live;
    let mode = |live| if live { "live" } else { "test" };
    let expected = format!("{} · {}", kinds.join(" | "), mode(live));
    let origin = run.context.config.key_origin.name();
    let got = format!("{kind} · {} · {} · {origin}", mode(key.is_live()), key.masked());
    finding(holds, expected, got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars() -> Variables {
        let mut vars = Variables::default();
        vars.keep("good", json!({"status": 200, "body": "abc", "headers": {"x": "y"}}));
        vars.keep("said", json!({"status": 200, "body": "{\"paid\": 2}"}));
        vars.keep("many", json!({"status": 500, "answers": [{"status": 200}, {"status": 500}]}));
        vars.keep("before", json!({"count": 2, "rows": [{"session_id": "cs_1", "amount": 5, "created": 1_700_000_000}]}));
        vars
    }

    fn claim(value: Value) -> Claim {
        serde_json::from_value(value).unwrap()
    }

    fn holds(value: Value) -> bool {
        let vars = vars();
        let found = match claim(value) {
            Claim::Status(it) => status(&vars, &it),
            Claim::Header(it) => header(&vars, &it),
            Claim::Body(it) => body(&vars, &it),
            Claim::Json(it) => json(&vars, &it),
            Claim::Verdicts(it) => verdicts(&vars, &it),
            Claim::Log(it) => {
                let lines =
                    ["a 1".to_owned(), "b 2".to_owned(), "GET /?session_id=cs_9".to_owned()];
                log(&vars, &it, &lines.iter().collect::<Vec<_>>())
            }
            Claim::LedgerUnchanged { since } => {
                unchanged(&vars, &since, &vars.get("before").unwrap().clone())
            }
            other => panic!("{other:?}"),
        };
        found.is_ok_and(|finding| finding.holds)
    }

    #[test]
    fn every_answer_must_fit_unless_any_will_do() {
        assert!(holds(json!({"status": {"of": ["good"], "is": "2xx"}})));
        assert!(!holds(json!({"status": {"of": ["good", "many"], "is": "2xx"}})));
        assert!(holds(json!({"status": {"of": ["many"], "is": "5xx", "any": true}})));
        assert!(!holds(json!({"status": {"of": ["nobody"], "is": "2xx"}})));
        assert!(!holds(json!({"status": {"of": [], "is": "2xx"}})));
        assert!(holds(json!({"json": {"of": "said", "at": "/body/paid", "value": 2}})));
        assert!(!holds(json!({"json": {"of": "said", "at": "/body/paid", "value": 3}})));
        assert!(!holds(json!({"json": {"of": "good", "at": "/body/paid", "op": "present"}})));
    }

    #[test]
    fn claims_about_what_nobody_kept_do_not_hold() {
        for value in [
            json!({"body": {"of": ["nobody"], "absent": ["x"]}}),
            json!({"json": {"of": "nobody", "at": "/x", "op": "absent"}}),
            json!({"ledger_unchanged": {"since": "nobody"}}),
            json!({"verdicts": {"of": "nobody", "only": []}}),
            json!({"log": {"absent": ["$nobody.id"]}}),
            json!({"header": {"of": ["good"], "name": "x", "value": "$nobody"}}),
        ] {
            assert!(!holds(value.clone()), "{value}");
        }
        assert!(holds(json!({"ledger_unchanged": {"since": "before"}})));
        assert!(holds(json!({"log": {"line": ["a", "1"]}})));
        assert!(!holds(json!({"log": {"line": ["a", "2"]}})));
        assert!(!holds(json!({"log": {"contains": ["cs_9"]}})));
    }

    #[test]
    fn a_delivery_without_a_record_does_not_hold() {
        let it: DeliveryIs = serde_json::from_value(json!({"event": "$e"})).unwrap();
        assert!(!delivered(&it, &[], true).holds);
        let it: DeliveryIs =
            serde_json::from_value(json!({"event": "$e", "first": "5xx", "ends": "succeeded"}))
                .unwrap();
        let attempts =
            json!([{"status": 503, "duration_ms": 1}, {"status": 200, "duration_ms": 2}]);
        assert!(
            delivered(&it, &[json!({"status": "succeeded", "attempts": attempts})], true).holds
        );
        assert!(!delivered(&it, &[json!({"status": "pending", "attempts": attempts})], true).holds);
    }

    #[test]
    fn a_row_is_held_against_its_columns() {
        let vars = vars();
        let ledger = vars.get("before").unwrap();
        let of = |value: Value| {
            let it: LedgerRow = serde_json::from_value(value).unwrap();
            row((&vars, 1_800_000_000), &it, &it.session, ledger).unwrap().holds
        };
        assert!(of(json!({"session": "cs_1", "has": {"amount": 5}, "integers": ["amount"]})));
        assert!(!of(json!({"session": "cs_1", "has": {"amount": 500}})));
        assert!(!of(json!({"session": "cs_1", "filled": ["currency"]})));
        assert!(of(json!({"session": "cs_1", "times": 1})));
        assert!(!of(json!({"session": "cs_1", "times": 2})));
        assert!(!of(json!({"session": "cs_2"})));
        assert!(of(json!({"session": "cs_1", "near": {"created": 1_700_000_600, "updated": 1}})));
        assert!(!of(json!({"session": "cs_1", "near": {"created": 1_700_032_400}})));
    }
}
