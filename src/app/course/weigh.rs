//! Judges claims that put several observations together.

use crate::app::course::act_error::ActError;
use crate::app::course::guess::{self, Ring};
use crate::app::course::judge::{answers, exchange_of, finding, found, show};
use crate::app::course::kept::Kept;
use crate::app::course::perform::as_provider;
use crate::app::course::stage::Stage;
use crate::domain::course::claim::{Claim, Op, Status};
use crate::domain::course::outcome::Finding;
use crate::domain::course::proof::{Accepts, Accidents, Fields, Refused, Says};
use crate::domain::course::scene::Said;
use crate::domain::course::statement::{Statement, Subject};
use serde_json::Value;

/// All of several hold.
pub async fn all(stage: &Stage<'_>, claims: &[Claim]) -> Result<Finding, ActError> {
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for claim in claims {
        let finding = Box::pin(found(stage, claim)).await?;
        if !finding.holds {
            return Ok(finding);
        }
        expected.push(finding.expected);
        got.push(finding.got);
    }
    Ok(finding(!claims.is_empty(), Statement::All(expected), Statement::All(got)))
}

/// At least one of several holds.
pub async fn any(stage: &Stage<'_>, claims: &[Claim]) -> Result<Finding, ActError> {
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for claim in claims {
        match Box::pin(found(stage, claim)).await {
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
pub async fn not(stage: &Stage<'_>, claim: &Claim) -> Result<Finding, ActError> {
    let of = Box::pin(found(stage, claim)).await?;
    Ok(finding(!of.holds, Statement::Not(Box::new(of.expected)), of.got))
}

/// Every member is what it should be; all are told.
pub fn fields(kept: &Kept, it: &Fields) -> Result<Finding, ActError> {
    let of = kept.get(&it.of).ok_or_else(|| ActError::unknown(&it.of))?;
    let (mut holds, mut expected, mut got) = (!it.are.is_empty(), Vec::new(), Vec::new());
    for (at, wanted) in &it.are {
        let wanted = kept.resolve(wanted).ok_or_else(|| ActError::unknown(at))?;
        let value = of.pointer(at).unwrap_or(&Value::Null);
        let same = *value == wanted;
        holds = holds && same;
        let member = || Subject::Member(it.of.clone(), at.clone());
        expected.push(Statement::is(member(), Op::Eq, show(&wanted)));
        got.push(Statement::is(member(), if same { Op::Eq } else { Op::Ne }, show(value)));
    }
    Ok(finding(holds, Statement::All(expected), Statement::All(got)))
}

/// The application takes the event when it is signed so.
pub async fn accepts(stage: &Stage<'_>, it: &Accepts) -> Result<Finding, ActError> {
    let event = stage.kept.look_up(&it.event).ok_or_else(|| ActError::unknown(&it.event))?;
    let body = format!("{event:#}");
    let ring = Ring {
        own: &stage.secret,
        others: &stage.others,
        endpoint: stage.endpoint(),
        now: stage.app_now(),
    };
    let (mut taken, mut statuses) = (false, Vec::new());
    for header in guess::headers(it.signed, body.as_bytes(), ring) {
        let request = as_provider(stage.http().post(stage.app().1));
        let request = request.header("Stripe-Signature", header).body(body.clone());
        let status = stage.send(request).await?.status;
        statuses.push(status.to_string());
        taken = taken || (200..300).contains(&status);
    }
    Ok(finding(taken, format!("{:?}: 2xx", it.signed), statuses.join(" ")))
}

/// The provider refused the newest call of a path in this run.
pub async fn refused(stage: &Stage<'_>, it: &Refused) -> Result<Finding, ActError> {
    let asked = format!("/_stripegym/requests?path={}&limit=1000", it.path);
    let log = stage.control_get(&asked).await?;
    let rows = log.get("requests").and_then(Value::as_array);
    let created = |row: &&Value| row.get("created").and_then(Value::as_i64).unwrap_or_default();
    // Newest first.
    let newest = rows.into_iter().flatten().find(|row| created(row) >= stage.started.0);
    let text = |name: &str| newest.and_then(|row| row.get(name)).map_or_else(String::new, show);
    let status = newest.and_then(|row| row.get("status")).and_then(Value::as_u64);
    let holds = status.is_some_and(|status| status >= 400);
    let expected = Statement::Answer(vec![it.path.clone()], "4xx".to_owned());
    Ok(finding(holds, expected, format!("{} {}", text("status"), text("error"))))
}

/// An answer, or the log at that moment, has words of an official library that mean one of these.
pub fn says(stage: &Stage<'_>, it: &Says) -> Result<Finding, ActError> {
    let mut numbers = Vec::new();
    for name in &it.of {
        numbers.extend(answers(&stage.kept, name)?.into_iter().filter_map(exchange_of));
    }
    if let Some(event) = &it.event {
        let event = stage.kept.id(event).ok_or_else(|| ActError::unknown(event))?;
        numbers.extend(stage.exchanges.numbers(|one| one.event.as_ref() == Some(&event)));
    }
    let said = numbers.into_iter().filter_map(|number| stage.exchanges.said(number));
    let said: Vec<Said> = said.collect();
    let holds = said.iter().any(|said| it.what.contains(said));
    Ok(finding(holds, format!("{:?}", it.what), format!("{said:?}")))
}

/// The deliveries of this run that failed without a fault of the lesson are no more than allowed.
pub fn accidents(stage: &Stage<'_>, it: &Accidents) -> Finding {
    let class = Status { of: Vec::new(), is: it.class.clone(), any: false };
    let failed = |status: Option<u16>| status.is_none_or(|status| class.fits(status));
    let wrong = stage.exchanges.delivered().into_iter().filter(|(status, _, _)| failed(*status));
    let wrong: Vec<_> = wrong.collect();
    let told = wrong.iter().take(5).map(|(status, event, _)| {
        format!("{} {event}", status.map_or_else(|| "–".to_owned(), |it| it.to_string()))
    });
    let told: Vec<String> = told.collect();
    let got = if told.is_empty() { "0".to_owned() } else { told.join(" · ") };
    let finding = finding(
        wrong.len() <= it.max,
        format!("{} ≤ {}", it.class, it.max),
        format!("{}: {got}", wrong.len()),
    );
    finding.of(wrong.first().map(|(_, _, number)| *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_is_told_and_one_wrong_one_is_enough() {
        let mut kept = Kept::default();
        kept.keep("it", json!({"status": "complete", "money": {"amount": 500}}));
        let of = |are: Value| {
            let it: Fields = serde_json::from_value(json!({"of": "it", "are": are})).unwrap();
            fields(&kept, &it).unwrap()
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
