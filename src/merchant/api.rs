//! The API that keys are sold for: every answer is JSON, and a call is counted before it is worked on.

use crate::domain::merchant::api_key::{KeyText, Opens};
use crate::domain::merchant::era;
use crate::domain::merchant::quota::{Month, PRO};
use crate::domain::time::Timestamp;
use crate::merchant::base::Database;
use crate::store::StoreError;
use serde_json::{Value, json};

/// An answer of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Value,
    /// Calls that are left this month, where the call was counted.
    pub left: Option<u32>,
    /// Seconds until calls are counted from zero again, where all are spent.
    pub retry_after: Option<i64>,
}

impl ApiAnswer {
    const fn of(status: u16, body: Value) -> Self {
        Self { status, body, left: None, retry_after: None }
    }

    fn refused(status: u16, kind: &str, message: &str) -> Self {
        Self::of(status, json!({"error": {"type": kind, "message": message}}))
    }
}

/// What is asked of the API.
#[derive(Clone, Debug)]
pub struct ApiCall<'c> {
    /// Everything behind `/api/v1/`.
    pub name: &'c str,
    /// The `date` of the query.
    pub date: Option<&'c str>,
    /// `Authorization`, as it came.
    pub authorization: Option<&'c str>,
}

/// Answers a call.
pub async fn answer(
    database: &Database,
    call: &ApiCall<'_>,
    now: Timestamp,
) -> Result<ApiAnswer, StoreError> {
    let sent = call.authorization.and_then(|it| it.split_once(' '));
    let sent = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(key) = sent.and_then(|(_, key)| KeyText::read(key.trim())) else {
        let text = "Send your key as `Authorization: Bearer gymkey_…`.";
        return Ok(ApiAnswer::refused(401, "unauthorized", text));
    };
    let found = database.look(move |base| base.key_of_text(&key)).await?;
    let user = match found.map(|key| (key.opens(now), key.user)) {
        None | Some((Opens::Nothing, _)) => {
            let text = "There is no such key, or it was revoked.";
            return Ok(ApiAnswer::refused(401, "unauthorized", text));
        }
        Some((Opens::Suspended, _)) => {
            let text = "The plan of this key is not paid. Change the card in the billing portal.";
            return Ok(ApiAnswer::refused(403, "plan_inactive", text));
        }
        Some((Opens::Everything, user)) => user,
    };
    let month = Month::of(now);
    if call.name == "usage" {
        let counted = month.clone();
        let calls = database.look(move |base| base.calls(&user, &counted)).await?;
        return Ok(ApiAnswer::of(200, usage(calls, &month)));
    }
    let counted = month.clone();
    let calls = database.change(move |base| base.count_call(&user, &counted, PRO.calls)).await?;
    let Some(calls) = calls else { return Ok(spent(&month, now)) };
    let mut answer = match call.name {
        "era" => of_date(call.date),
        _ => ApiAnswer::refused(404, "not_found", "There are GET /api/v1/era and /api/v1/usage."),
    };
    answer.left = Some(PRO.calls.saturating_sub(calls));
    Ok(answer)
}

fn usage(calls: u32, month: &Month) -> Value {
    json!({
        "plan": PRO.name, "month": month.as_str(), "calls": calls, "limit": PRO.calls,
        "resets_at": month.end().rfc3339(),
    })
}

fn spent(month: &Month, now: Timestamp) -> ApiAnswer {
    let mut answer = ApiAnswer::refused(
        429,
        "quota_exceeded",
        "The calls of this month are spent. They are counted from zero again when the next begins.",
    );
    if let Some(error) = answer.body.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("limit".to_owned(), json!(PRO.calls));
        error.insert("resets_at".to_owned(), json!(month.end().rfc3339()));
    }
    answer.left = Some(0);
    answer.retry_after = Some(month.end().since(now));
    answer
}

fn of_date(date: Option<&str>) -> ApiAnswer {
    let date = date.unwrap_or_default();
    let Some((era, year)) = era::of(date) else {
        let text = "`date` must be a day since 1873, written like 2026-11-28.";
        return ApiAnswer::refused(400, "invalid_request", text);
    };
    let written = if year == 1 { "元".to_owned() } else { year.to_string() };
    let body = json!({
        "date": date, "era": era.name, "latin": era.latin, "year": year,
        "written": format!("{}{written}年", era.name),
    });
    ApiAnswer::of(200, body)
}
