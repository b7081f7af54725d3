//! Judges claims that put several observations together.

use crate::app::course::act_error::ActError;
use crate::app::course::claim_eval::{answers, exchange_of, finding, found, show, source_of};
use crate::app::course::lesson_run::LessonRun;
use crate::app::course::perform::as_provider;
use crate::app::course::signature_probe::{self, KnownSecrets};
use crate::app::course::variables::Variables;
use crate::domain::course::claim::{Claim, Fields, Op, Says, Signed, Status};
use crate::domain::course::outcome::Finding;
use crate::domain::course::scene::Said;
use crate::domain::course::statement::{Statement, Subject};
use serde_json::Value;

/// All of several hold.
pub async fn all(run: &LessonRun<'_>, claims: &[Claim]) -> Result<Finding, ActError> {
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for claim in claims {
        let finding = Box::pin(found(run, claim)).await?;
        if !finding.holds {
            return Ok(finding);
        }
        expected.push(finding.expected);
        got.push(finding.got);
    }
    Ok(finding(!claims.is_empty(), Statement::All(expected), Statement::All(got)))
}

/// At least one of several holds.
pub async fn any(run: &LessonRun<'_>, claims: &[Claim]) -> Result<Finding, ActError> {
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for claim in claims {
        match Box::pin(found(run, claim)).await {
            Ok(finding) if finding.holds => return Ok(finding),
            Ok(other) => {
                expected.push(other.expected);
                got.push(other.got);
            }
            Err(ActError::Mismatch { expected: wanted, got: there }) => {
                expected.push(*wanted);
                got.push(*there);
            }
            Err(world) => return Err(world),
        }
    }
    got.dedup();
    Ok(finding(false, Statement::Any(expected), Statement::All(got)))
}

/// The contrary of one holds; what cannot be judged has no contrary.
pub async fn not(run: &LessonRun<'_>, claim: &Claim) -> Result<Finding, ActError> {
    let of = Box::pin(found(run, claim)).await?;
    Ok(finding(!of.holds, Statement::Not(Box::new(of.expected)), of.got))
}

/// Every member is what it should be; all are told.
pub fn fields(vars: &Variables, it: &Fields) -> Result<Finding, ActError> {
    let of = vars.need(&it.of)?;
    let (mut holds, mut expected, mut got) = (!it.are.is_empty(), Vec::new(), Vec::new());
    for (at, wanted) in &it.are {
        let wanted = vars.resolved(wanted, at)?;
        let value = of.pointer(at).unwrap_or(&Value::Null);
        let same = *value == wanted;
        holds = holds && same;
        let member = || Subject::Member(it.of.clone(), at.clone());
        expected.push(Statement::is(member(), Op::Eq, show(&wanted)));
        got.push(Statement::is(member(), if same { Op::Eq } else { Op::Ne }, show(value)));
    }
    let found = finding(holds, Statement::All(expected), Statement::All(got));
    Ok(found.of(source_of(vars, &it.of)))
}

/// The application takes the event when it is signed so.
pub async fn accepts(
    run: &LessonRun<'_>,
    event: &str,
    signed: Signed,
) -> Result<Finding, ActError> {
    let event = run.vars.look_up(event).ok_or_else(|| ActError::unknown(event))?;
    let body = format!("{event:#}");
    let ring = KnownSecrets {
        own: &run.secret,
        others: &run.others,
        endpoint: run.endpoint(),
        now: run.app_now(),
    };
    let (mut taken, mut statuses) = (false, Vec::new());
    for header in signature_probe::headers(signed, body.as_bytes(), ring) {
        let request = as_provider(run.http().post(run.app().1));
        let request = request.header("Stripe-Signature", header).body(body.clone());
        let status = run.send(request).await?.status;
        statuses.push(status.to_string());
        taken = taken || (200..300).contains(&status);
    }
    Ok(finding(taken, format!("{signed:?}: 2xx"), statuses.join(" ")))
}

/// The provider refused the newest call of a path in this run.
pub async fn refused(run: &LessonRun<'_>, path: &str) -> Result<Finding, ActError> {
    let asked = format!("/_stripegym/requests?path={path}&limit=1000");
    let log = run.control_get(&asked).await?;
    let rows = log.get("requests").and_then(Value::as_array);
    let created = |row: &&Value| row.get("created").and_then(Value::as_i64).unwrap_or_default();
    // Newest first.
    let newest = rows.into_iter().flatten().find(|row| created(row) >= run.started.0);
    let text = |name: &str| newest.and_then(|row| row.get(name)).map_or_else(String::new, show);
    let status = newest.and_then(|row| row.get("status")).and_then(Value::as_u64);
    let holds = status.is_some_and(|status| status >= 400);
    let expected = Statement::Answer(vec![path.to_owned()], "4xx".to_owned());
    Ok(finding(holds, expected, format!("{} {}", text("status"), text("error"))))
}

/// An answer, or the log at that moment, has words of an official library that mean one of these.
pub fn says(run: &LessonRun<'_>, it: &Says) -> Result<Finding, ActError> {
    let mut numbers = Vec::new();
    for name in &it.of {
        numbers.extend(answers(&run.vars, name)?.into_iter().filter_map(exchange_of));
    }
    if let Some(event) = &it.event {
        let event = run.vars.id(event).ok_or_else(|| ActError::unknown(event))?;
        numbers.extend(run.exchanges.numbers(|one| one.event.as_ref() == Some(&event)));
    }
    let said = numbers.into_iter().filter_map(|number| run.exchanges.said(number));
    let said: Vec<Said> = said.collect();
    let holds = said.iter().any(|said| it.what.contains(said));
    Ok(finding(holds, format!("{:?}", it.what), format!("{said:?}")))
}

/// The deliveries of this run that failed without a fault of the lesson are no more than allowed.
pub fn accidents(run: &LessonRun<'_>, class: &str, max: usize) -> Finding {
    let fits = Status { of: Vec::new(), is: class.to_owned(), any: false };
    let failed = |status: Option<u16>| status.is_none_or(|status| fits.fits(status));
    let wrong = run.exchanges.delivered().into_iter().filter(|(status, _, _)| failed(*status));
    let wrong: Vec<_> = wrong.collect();
    let told = wrong.iter().take(5).map(|(status, event, _)| {
        format!("{} {event}", status.map_or_else(|| "–".to_owned(), |it| it.to_string()))
    });
    let told: Vec<String> = told.collect();
    let got = if told.is_empty() { "0".to_owned() } else { told.join(" · ") };
    let finding =
        finding(wrong.len() <= max, format!("{class} ≤ {max}"), format!("{}: {got}", wrong.len()));
    finding.of(wrong.first().map(|(_, _, number)| *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_is_told_and_one_wrong_one_is_enough() {
        let mut vars = Variables::default();
        vars.keep("it", json!({"status": "complete", "money": {"amount": 500}}));
        let of = |are: Value| {
            let it: Fields = serde_json::from_value(json!({"of": "it", "are": are})).unwrap();
            fields(&vars, &it).unwrap()
        };
        assert!(of(json!({"/status": "complete", "/money/amount": 500})).holds);
        let wrong = of(json!({"/status": "complete", "/money/amount": 50_000}));
        assert!(!wrong.holds);
        let got = wrong.got.to_string();
        assert!(
            got.contains("it/money/amount ≠ 500") && got.contains("status = complete"),
            "{got}"
        );
        assert!(!of(json!({"/nothing": 1})).holds && !of(json!({})).holds);
    }
}
