//! Whether the claims of a lesson hold, with what was expected and what was found as facts without words.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::Exchange;
use crate::app::course::kept::Kept;
use crate::app::course::perform::{events, id};
use crate::app::course::project;
use crate::app::course::reaching;
use crate::app::course::spy;
use crate::app::course::stage::Stage;
use crate::app::course::weigh;
use crate::domain::course::Track;
use crate::domain::course::claim::{
    BodyHas, Claim, DeliveryIs, EventCount, HeaderIs, JsonIs, KeyIs, LedgerGrew, LedgerRow, LogHas,
    NoSecret, Op, Status, Verdicts, Where,
};
use crate::domain::course::outcome::Finding;
use crate::domain::course::statement::{Attempt, Statement, Subject};
use crate::domain::fault::Fault;
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
pub async fn judge(stage: &Stage<'_>, claim: &Claim) -> Result<Finding, Fault> {
    match found(stage, claim).await {
        Ok(finding) => Ok(finding),
        Err(ActError::Mismatch { expected, got }) => Ok(Finding::new(false, *expected, *got)),
        Err(ActError::Surroundings(fault)) => Err(fault),
    }
}

/// What one claim comes to, or what is lacking to judge it.
pub async fn found(stage: &Stage<'_>, claim: &Claim) -> Result<Finding, ActError> {
    let kept = &stage.kept;
    match claim {
        Claim::Status(it) => status(kept, it),
        Claim::Header(it) => header(kept, it),
        Claim::Body(it) => body(kept, it),
        Claim::Json(it) => json(kept, it),
        Claim::EventCount(it) => event_count(stage, it).await,
        Claim::Delivery(it) => delivery(stage, it).await,
        Claim::LedgerRow(it) => {
            let session = id(kept, &it.session)?;
            let now = stage.app_now().0;
            let mut finding = row((kept, now), it, &session, &stage.ledger().await?)?;
            if !finding.holds && stage.track() != Track::Shop {
                // What is written after the answer is there a moment later.
                finding = row((kept, now), it, &session, &stage.still_ledger().await?)?;
            }
            let until = Instant::now() + Duration::from_millis(it.within_ms);
            while !finding.holds && Instant::now() < until {
                tokio::time::sleep(LOOK_AGAIN).await;
                finding = row((kept, now), it, &session, &stage.ledger().await?)?;
            }
            let of = |it: &Exchange| it.carries(&session);
            Ok(finding.of(stage.exchanges.last(0, of)))
        }
        Claim::LedgerAbsent(it) => {
            let ledger = stage.ledger().await?;
            let ids = it.sessions.iter().map(|name| id(kept, name));
            let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
            let there: Vec<&str> =
                ids.iter().filter(|id| row_of(&ledger, id).is_some()).map(String::as_str).collect();
            Ok(finding(there.is_empty(), Statement::NoRows(ids.clone()), there.join(" ")))
        }
        Claim::LedgerGrew(it) => grew(kept, it, &stage.ledger().await?),
        Claim::LedgerUnchanged(it) => unchanged(kept, &it.since, &stage.ledger().await?),
        Claim::Verdicts(it) => verdicts(kept, it),
        Claim::Log(it) => log_in_time(stage, kept, it).await,
        Claim::NoSecret(it) => Ok(no_secret(stage, it)),
        Claim::Alive(_) => {
            let there = stage.over().is_none() && stage.answers().await;
            let got = stage.over().unwrap_or_else(|| if there { "ok" } else { "–" }.to_owned());
            Ok(finding(there, Statement::Alive, got))
        }
        Claim::Key(it) => Ok(key(stage, it)),
        Claim::Files(it) => Ok(blocking(|| project::files(stage, it))),
        Claim::Mentions(it) => Ok(project::mentions(&stage.project, it)),
        Claim::Lint(it) => {
            let sight =
                stage.look_by(it.rule).map_err(|why| ActError::mismatch(it.rule.name(), why))?;
            Ok(project::linted(it.rule, &sight))
        }
        Claim::Fields(it) => weigh::fields(kept, it),
        Claim::Accepts(it) => weigh::accepts(stage, it).await,
        Claim::Accidents(it) => Ok(weigh::accidents(stage, it)),
        Claim::Refused(it) => weigh::refused(stage, it).await,
        Claim::Says(it) => weigh::says(stage, it),
        Claim::Reach(_) => Ok(reaching::finding(&stage.app().0).await),
        Claim::All(claims) => weigh::all(stage, claims).await,
        Claim::Any(claims) => weigh::any(stage, claims).await,
        Claim::Not(claim) => weigh::not(stage, claim).await,
        Claim::Given(it) => match kept.get(&it.kept).filter(|it| !it.is_null()) {
            Some(_) => Box::pin(found(stage, &it.then)).await,
            None => Ok(finding(true, it.kept.clone(), Statement::Nothing)),
        },
    }
}

/// A finding; what was not there is told by a dash.
pub fn finding(holds: bool, expected: impl Into<Statement>, got: impl Into<Statement>) -> Finding {
    Finding::new(holds, expected, got)
}

/// The answers that were kept under a name: one, or all of several.
pub fn answers<'k>(kept: &'k Kept, name: &str) -> Result<Vec<&'k Value>, ActError> {
    let value = kept.get(name).ok_or_else(|| ActError::unknown(name))?;
    let value = value.get("answer").unwrap_or(value);
    Ok(match value.get("answers").and_then(Value::as_array) {
        Some(all) => all.iter().collect(),
        None => vec![value],
    })
}

fn status(kept: &Kept, it: &Status) -> Result<Finding, ActError> {
    let (mut good, mut total, mut got, mut about) = (0, 0, Vec::new(), None);
    for name in &it.of {
        for answer in answers(kept, name)? {
            let status = answer.get("status").and_then(Value::as_u64).unwrap_or_default();
            let fits = it.fits(u16::try_from(status).unwrap_or_default());
            total += 1;
            good += usize::from(fits);
            if !fits {
                about = about.or_else(|| exchange_of(answer));
            }
            if !fits || it.any {
                got.push((name.clone(), status));
            }
        }
    }
    let holds = if it.any { good > 0 } else { good == total && total > 0 };
    let got = if holds { it.is.clone().into() } else { Statement::Answered(got) };
    Ok(finding(holds, Statement::Answer(it.of.clone(), it.is.clone()), got).of(about))
}

/// The number of the exchange that an answer belongs to.
pub fn exchange_of(answer: &Value) -> Option<usize> {
    answer.get("exchange").and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
}

fn header(kept: &Kept, it: &HeaderIs) -> Result<Finding, ActError> {
    let wanted = kept.resolve(&it.value).ok_or_else(|| ActError::unknown(&it.name))?;
    let expected = Statement::is(Subject::Header(it.name.clone()), it.op, show(&wanted));
    for name in &it.of {
        for answer in answers(kept, name)? {
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

fn body(kept: &Kept, it: &BodyHas) -> Result<Finding, ActError> {
    let fill = |text: &String| kept.fill(text).ok_or_else(|| ActError::unknown(text));
    for name in &it.of {
        for answer in answers(kept, name)? {
            let text = answer.get("body").and_then(Value::as_str).unwrap_or_default();
            let start: String = text.chars().take(200).collect();
            if it.not_empty && text.trim().is_empty() {
                let body = Statement::is(Subject::Body(name.clone()), Op::Present, "");
                return Ok(finding(false, body, Statement::Nothing));
            }
            for wanted in &it.contains {
                let wanted = fill(wanted)?;
                if !text.contains(&wanted) {
                    let body = Subject::Body(name.clone());
                    let expected = Statement::is(body, Op::Contains, wanted);
                    return Ok(finding(false, expected, start));
                }
            }
            for unwanted in &it.absent {
                let unwanted = fill(unwanted)?;
                if text.contains(&unwanted) {
                    let expected = Statement::Without(name.clone(), unwanted.clone());
                    return Ok(finding(false, expected, unwanted));
                }
            }
        }
    }
    Ok(finding(true, it.of.join(", "), "ok"))
}

fn json(kept: &Kept, it: &JsonIs) -> Result<Finding, ActError> {
    let of = kept.get(&it.of).ok_or_else(|| ActError::unknown(&it.of))?;
    let value = of.pointer(&it.at);
    let wanted = kept.resolve(&it.value).ok_or_else(|| ActError::unknown(&it.at))?;
    let plain = matches!(it.op, Op::Present | Op::Absent | Op::Integer);
    let right = if plain { String::new() } else { show(&wanted) };
    let expected = Statement::is(Subject::Member(it.of.clone(), it.at.clone()), it.op, right);
    Ok(finding(it.op.holds(value, &wanted), expected, value.map_or_else(String::new, show)))
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

async fn event_count(stage: &Stage<'_>, it: &EventCount) -> Result<Finding, ActError> {
    let session = id(&stage.kept, &it.session)?;
    let count = events(stage, &it.kind, Some(&session)).await?.len();
    Ok(finding(count == it.is, Statement::Happens(it.kind.clone(), it.is), count.to_string()))
}

async fn delivery(stage: &Stage<'_>, it: &DeliveryIs) -> Result<Finding, ActError> {
    let event = id(&stage.kept, &it.event)?;
    // Where the clock stands, what is shown must not differ from run to run.
    let timed = !stage.context.clock.stands();
    let about = stage.exchanges.last(0, |it| it.event.as_deref() == Some(&event));
    Ok(delivered(it, &stage.deliveries(&event).await?, timed).of(about))
}

/// Judges the deliveries of an event, oldest first; shows how long each attempt took where `timed`.
fn delivered(it: &DeliveryIs, deliveries: &[Value], timed: bool) -> Finding {
    let attempts: Vec<&Value> = deliveries
        .iter()
        .filter_map(|one| one.get("attempts").and_then(Value::as_array))
        .flatten()
        .collect();
    let status =
        |attempt: &Value| attempt.get("status").and_then(Value::as_u64).unwrap_or_default();
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
        let first = attempts.first().map(|one| u16::try_from(status(one)).unwrap_or_default());
        claim(Attempt::First(is.clone()), first.is_some_and(|status| class.fits(status)));
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
        format!("{}: {}{took}", at + 1, status(attempt))
    });
    let mut got: Vec<String> = shown.collect();
    got.extend(ends.map(str::to_owned));
    finding(holds, Statement::Delivery(wanted), got.join(" · "))
}

/// The ledger's row of a session.
fn row_of<'l>(ledger: &'l Value, session: &str) -> Option<&'l Value> {
    let rows = ledger.get("rows").and_then(Value::as_array)?;
    rows.iter().find(|row| row.get("session_id").and_then(Value::as_str) == Some(session))
}

fn rows_of(ledger: &Value, session: &str) -> usize {
    let rows = ledger.get("rows").and_then(Value::as_array);
    let its = |row: &&Value| {
        row.get("session_id").and_then(Value::as_str).is_some_and(|it| it == session)
    };
    rows.into_iter().flatten().filter(its).count()
}

fn row(
    (kept, now): (&Kept, i64),
    it: &LedgerRow,
    session: &str,
    ledger: &Value,
) -> Result<Finding, ActError> {
    let Some(row) = row_of(ledger, session) else {
        let expected = Statement::Rows(session.to_owned(), None);
        return Ok(finding(false, expected, Statement::Nothing));
    };
    let times = rows_of(ledger, session);
    if it.times.is_some_and(|wanted| wanted != times) {
        let expected = Statement::Rows(session.to_owned(), it.times);
        return Ok(finding(false, expected, times.to_string()));
    }
    let named = |name: &String| Subject::Column(name.clone());
    for (column, wanted) in &it.has {
        let wanted = kept.resolve(wanted).ok_or_else(|| ActError::unknown(column))?;
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
        let wanted = kept.resolve(wanted).ok_or_else(|| ActError::unknown(column))?;
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

fn grew(kept: &Kept, it: &LedgerGrew, ledger: &Value) -> Result<Finding, ActError> {
    let before = count(kept.get(&it.since).ok_or_else(|| ActError::unknown(&it.since))?);
    let by = count(ledger).saturating_sub(before);
    Ok(finding(by == it.by, Statement::Grows(it.by), Statement::Grows(by)))
}

fn unchanged(kept: &Kept, since: &str, ledger: &Value) -> Result<Finding, ActError> {
    let before = kept.get(since).ok_or_else(|| ActError::unknown(since))?;
    let rows = |ledger: &Value| ledger.get("rows").cloned().unwrap_or_default();
    let holds = count(before) == count(ledger) && rows(before) == rows(ledger);
    let others = !holds && count(before) == count(ledger);
    let got = Statement::From(count(before), count(ledger), others);
    Ok(finding(holds, Statement::Unchanged(since.to_owned()), got))
}

fn verdicts(kept: &Kept, it: &Verdicts) -> Result<Finding, ActError> {
    let lines = kept.get(&it.of).and_then(|found| found.get("lines")).and_then(Value::as_array);
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
async fn log_in_time(stage: &Stage<'_>, kept: &Kept, it: &LogHas) -> Result<Finding, ActError> {
    let deadline = Instant::from_std(stage.exchanges.ended()) + LOG_PATIENCE;
    let mut bell = stage.log.bell();
    loop {
        let finding = stage.log.look(|lines| log(kept, it, lines))?;
        if finding.holds || timeout_at(deadline, bell.changed()).await.is_err() {
            return Ok(finding);
        }
    }
}

fn log(kept: &Kept, it: &LogHas, lines: &[&String]) -> Result<Finding, ActError> {
    let fill = |texts: &[String]| -> Result<Vec<String>, ActError> {
        texts.iter().map(|text| kept.fill(text).ok_or_else(|| ActError::unknown(text))).collect()
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

fn no_secret(stage: &Stage<'_>, it: &NoSecret) -> Finding {
    let known: Vec<&str> =
        std::iter::once(&stage.secret).chain(&stage.others).map(SigningSecret::reveal).collect();
    let mut seen = Vec::new();
    for place in &it.places {
        let (name, found) = match place {
            Where::Log => {
                ("log", stage.log.look(|lines| spy::first(lines.iter().copied(), &known)))
            }
            Where::Answers => {
                let seen = stage.exchanges.each(|it| spy::find(&it.answer, &known));
                ("answers", seen.into_iter().next())
            }
            Where::Project => ("project", project::secret(&stage.project, &known)),
        };
        seen.extend(found.map(|what| format!("{name}: {what}")));
    }
    finding(seen.is_empty(), Statement::NoSecret, seen.join(" · "))
}

fn key(stage: &Stage<'_>, it: &KeyIs) -> Finding {
    let key = stage.provider.stripe.key();
    let kind = match key.kind() {
        KeyKind::Secret => "secret",
        KeyKind::Restricted => "restricted",
        KeyKind::Publishable => "publishable",
    };
    let holds = it.kinds.iter().any(|wanted| wanted == kind) && key.is_live() == it.live;
    let mode = |live| if live { "live" } else { "test" };
    let expected = format!("{} · {}", it.kinds.join(" | "), mode(it.live));
    let origin = stage.context.config.key_origin.name();
    let got = format!("{kind} · {} · {} · {origin}", mode(key.is_live()), key.masked());
    finding(holds, expected, got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept() -> Kept {
        let mut kept = Kept::default();
        kept.keep("good", json!({"status": 200, "body": "abc", "headers": {"x": "y"}}));
        kept.keep("many", json!({"status": 500, "answers": [{"status": 200}, {"status": 500}]}));
        kept.keep("before", json!({"count": 2, "rows": [{"session_id": "cs_1", "amount": 5, "created": 1_700_000_000}]}));
        kept
    }

    fn claim(value: Value) -> Claim {
        serde_json::from_value(value).unwrap()
    }

    fn holds(value: Value) -> bool {
        let kept = kept();
        let found = match claim(value) {
            Claim::Status(it) => status(&kept, &it),
            Claim::Header(it) => header(&kept, &it),
            Claim::Body(it) => body(&kept, &it),
            Claim::Json(it) => json(&kept, &it),
            Claim::Verdicts(it) => verdicts(&kept, &it),
            Claim::Log(it) => {
                let lines =
                    ["a 1".to_owned(), "b 2".to_owned(), "GET /?session_id=cs_9".to_owned()];
                log(&kept, &it, &lines.iter().collect::<Vec<_>>())
            }
            Claim::LedgerUnchanged(it) => {
                unchanged(&kept, &it.since, &kept.get("before").unwrap().clone())
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
        let kept = kept();
        let ledger = kept.get("before").unwrap();
        let of = |value: Value| {
            let it: LedgerRow = serde_json::from_value(value).unwrap();
            row((&kept, 1_800_000_000), &it, &it.session, ledger).unwrap().holds
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
