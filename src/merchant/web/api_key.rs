//! The pages that sell keys of the API: before and after the upgrade, coming back, seeing the key once.

use crate::domain::merchant::api_key::Opens;
use crate::domain::merchant::quota::{Month, PRO};
use crate::domain::time::Timestamp;
use crate::merchant::api::{self, ApiCall};
use crate::merchant::api_key::{Buyer, Landed, Start, Upgrade};
use crate::merchant::base::api_key::KeptKey;
use crate::merchant::failure::ShopError;
use crate::merchant::plan::Offer;
use crate::merchant::server::Desk;
use crate::merchant::web::page;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer;
use crate::stripe::failure::Error;
use crate::words::api_keys::Words;
use askama::Template;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use std::sync::Arc;

fn upgrade_of<'d>(desk: &'d Desk, visit: &Visit) -> Upgrade<'d> {
    Upgrade { stripe: &desk.stripe, database: &desk.database, now: visit.now }
}

fn offer(desk: &Desk) -> Option<&Offer> {
    desk.offers.iter().find(|offer| offer.plan.id == PRO.id)
}

/// Sends a browser on.
pub(super) fn to(address: &str) -> Outcome {
    let odd = Error::Unreadable { status: 200, request_id: None };
    Ok(answer::see_other(address).ok_or(odd)?)
}

/// Whether a user may have the provider asked once more.
pub(super) fn may_ask(desk: &Desk, visit: &Visit) -> Result<(), ShopError> {
    let user = visit.signed_in()?;
    desk.tries.ask.take(&user.id, visit.now).map_err(|wait_s| ShopError::TooOften { wait_s })
}

fn thousands(count: u32) -> String {
    let digits = count.to_string();
    let parts = digits.as_bytes().rchunks(3).rev();
    let parts: Vec<_> = parts.map(|part| String::from_utf8_lossy(part)).collect();
    parts.join(",")
}

fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ words.heading }}</h1>
<p>{{ offer_text }}</p><p>{{ words.question }}</p>
<h2>{{ words.plan }}</h2><p class="price">{{ monthly }}</p><ul><li>{{ included }}</li></ul>
<form method="post" action="/upgrade"><input type="hidden" name="csrf" value="{{ proof }}">
<button id="upgrade">{{ words.buy }}</button></form><p class="soft">{{ words.leads }}</p></section>"#
)]
struct Before {
    offer_text: String,
    monthly: String,
    included: String,
    proof: String,
    words: &'static Words,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ heading }}</h1>
<p>{{ words.upgraded }}</p>
{% if suspended %}<p class="alert" role="alert">{{ words.suspended }}</p>{% endif %}
{% if let Some(ends) = ends %}<p>{{ ends }}</p>{% endif %}
<h2>{{ words.key_heading }}</h2>
{% if let Some(key) = key %}<p class="alert" role="alert">{{ words.key_once }}</p><p><code id="key">{{ key }}</code></p>
{% else if let Some(hint) = hint %}{% if gone %}<p class="alert" role="alert">{{ words.key_gone }}</p>{% endif %}<p>{{ hint }}</p>
<form method="post" action="/upgrade/replace"><input type="hidden" name="csrf" value="{{ proof }}"><button id="replace">{{ words.key_replace }}</button></form><p class="soft">{{ words.key_replace_more }}</p>
{% else %}<p>{{ words.key_none }}</p>
<form method="post" action="/thanks_upgrade"><input type="hidden" name="csrf" value="{{ proof }}"><button id="show">{{ words.key_show }}</button></form>{% endif %}
<p data-calls="{{ calls }}">{{ usage }}</p>
<form method="post" action="/upgrade/portal"><input type="hidden" name="csrf" value="{{ proof }}"><button id="portal">{{ words.portal }}</button></form><p class="soft">{{ words.portal_leads }}</p>
<h2>{{ words.docs }}</h2><div class="scroll"><pre>curl {{ origin }}/api/v1/era?date=2026-11-28 -H "Authorization: Bearer gymkey_…"</pre></div></section>"#
)]
struct After<'p> {
    heading: &'static str,
    suspended: bool,
    ends: Option<String>,
    /// The text of the key, in the one answer that shows it.
    key: Option<String>,
    hint: Option<String>,
    /// Whether somebody asked for it again.
    gone: bool,
    calls: u32,
    usage: String,
    origin: &'p str,
    proof: String,
    words: &'static Words,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ said }}</h1><p>{{ more }}</p>
<p><a href="/upgrade">{{ words.back }}</a></p></section>"#
)]
struct Message<'p> {
    said: &'p str,
    more: &'p str,
    words: &'static Words,
}

#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
fn say(visit: &Visit, status: StatusCode, said: &str, more: &str) -> Outcome {
    let words = Words::of(visit.locale);
    Ok(page::show(visit, status, said, &Message { said, more, words }))
}

/// `/upgrade`, before and after.
pub async fn upgrade(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let words = Words::of(visit.locale);
    let key = upgrade_of(&desk, &visit).key(&visit.signed_in()?.id).await?;
    if let Some(key) = key.filter(|key| key.opens(visit.now) != Opens::Nothing) {
        return upgraded(&desk, &visit, words.heading, &key, None, false).await;
    }
    let Some(offer) = offer(&desk) else { return no_price(&visit) };
    let inner = Before {
        offer_text: words.offer(&thousands(PRO.calls)),
        monthly: words.monthly(&offer.amount.to_string()),
        included: words.included(&thousands(PRO.calls)),
        proof: visit.proof(),
        words,
    };
    Ok(page::show(&visit, StatusCode::OK, words.heading, &inner))
}

fn no_price(visit: &Visit) -> Outcome {
    let words = Words::of(visit.locale);
    say(visit, StatusCode::SERVICE_UNAVAILABLE, words.no_price, &words.no_price_more(PRO.id))
}

/// The page of somebody who has a key; `text` is shown once, in this answer.
async fn upgraded(
    desk: &Desk,
    visit: &Visit,
    heading: &'static str,
    key: &KeptKey,
    text: Option<String>,
    gone: bool,
) -> Outcome {
    let words = Words::of(visit.locale);
    let (user, month) = (key.user.clone(), Month::of(visit.now));
    let counted = month.clone();
    let calls = desk.database.look(move |base| base.calls(&user, &counted)).await?;
    let ends = key.paid_by.as_ref().filter(|it| it.ends);
    let inner = After {
        heading,
        suspended: key.opens(visit.now) == Opens::Suspended,
        ends: ends.map(|it| words.ends_on(&day(Timestamp(it.until)))),
        hint: key.hint.as_ref().map(|hint| words.key_hint(hint)),
        key: text,
        gone,
        calls,
        usage: words.usage(&thousands(calls), &thousands(PRO.calls), month.as_str()),
        origin: &visit.origin,
        proof: visit.proof(),
        words,
    };
    Ok(page::show(visit, StatusCode::OK, heading, &inner))
}

/// Opens the hosted page for whoever is signed in.
pub async fn start(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let user = visit.signed_in()?;
    may_ask(&desk, &visit)?;
    let Some(offer) = offer(&desk) else { return no_price(&visit) };
    let buyer = Buyer {
        user: &user.id,
        email: &user.email,
        origin: &visit.origin,
        price: &offer.price,
        locale: visit.locale.code(),
    };
    match upgrade_of(&desk, &visit).start(buyer).await? {
        Start::Pay(url) => to(&url),
        Start::Has => to("/thanks_upgrade"),
    }
}

/// A buyer comes back from the hosted page with the one-time key.
pub async fn land(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let user = visit.signed_in()?;
    may_ask(&desk, &visit)?;
    let (session, key) = (visit.query.text("session_id"), visit.query.text("key"));
    let words = Words::of(visit.locale);
    match upgrade_of(&desk, &visit).land(&user.id, session, key).await? {
        Landed::Issued | Landed::Waiting => to("/thanks_upgrade"),
        Landed::Refused => say(&visit, StatusCode::NOT_FOUND, words.foreign, words.foreign_more),
    }
}

/// `/thanks_upgrade`: a key that can be seen once, or a payment that is on its way.
pub async fn thanks(desk: Arc<Desk>, visit: Visit) -> Outcome {
    shown(&desk, &visit, None, false).await
}

/// Shows the key, the one time.
pub async fn reveal(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let text = upgrade_of(&desk, &visit).show(&visit.signed_in()?.id).await?;
    let text = text.map(|text| text.reveal().to_owned());
    let gone = text.is_none();
    shown(&desk, &visit, text, gone).await
}

async fn shown(desk: &Desk, visit: &Visit, text: Option<String>, gone: bool) -> Outcome {
    let words = Words::of(visit.locale);
    let key = upgrade_of(desk, visit).key(&visit.signed_in()?.id).await?;
    match key.filter(|key| key.opens(visit.now) != Opens::Nothing) {
        Some(key) => upgraded(desk, visit, words.thanks, &key, text, gone).await,
        None => say(visit, StatusCode::OK, words.waiting, words.foreign_more),
    }
}

/// Makes the key that was shown worthless; another can be shown.
pub async fn replace(desk: Arc<Desk>, visit: Visit) -> Outcome {
    upgrade_of(&desk, &visit).replace(&visit.signed_in()?.id).await?;
    to("/thanks_upgrade")
}

/// `/canceled_upgrade`: back from the hosted page without a payment.
pub fn cancelled(visit: &Visit) -> Outcome {
    let words = Words::of(visit.locale);
    say(visit, StatusCode::OK, words.cancelled, words.cancelled_more)
}

/// `/api/v1/era` and `/api/v1/usage`, for programs with a key.
pub async fn program(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let authorization = visit.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let call = ApiCall {
        name: visit.path.trim_start_matches("/api/v1/"),
        date: visit.query.get("date"),
        authorization,
    };
    let found = api::answer(&desk.database, &call, visit.now).await?;
    let status = StatusCode::from_u16(found.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = answer::json(status, &found.body);
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(left) = found.left {
        headers.insert(HeaderName::from_static("ratelimit-limit"), PRO.calls.into());
        headers.insert(HeaderName::from_static("ratelimit-remaining"), left.into());
    }
    if let Some(seconds) = found.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_in_threes() {
        let written = [0, 999, 1_000, 100_000, 1_234_567].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "100,000", "1,234,567"]);
    }
}
