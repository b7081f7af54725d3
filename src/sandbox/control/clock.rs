//! `/_stripegym/clock`: what time it is in a world, and moving it.

use crate::domain::time::Timestamp;
use crate::sandbox::api::within::Within;
use crate::sandbox::control::worlds;
use crate::sandbox::control::{Sent, reply, respond};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::jobs;
use crate::wire::failure::Failure;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use std::sync::Arc;

/// The furthest that a clock goes: the end of the year 9999.
const LAST: i64 = 253_402_300_799;

/// The routes; all of them answer JSON.
pub fn router() -> Router {
    Router::new()
        .route("/_stripegym/clock", get(show))
        .route("/_stripegym/clock/advance", post(advance))
        .route("/_stripegym/clock/set", post(set))
}

async fn show(Within(world): Within) -> Response {
    reply(StatusCode::OK, &worlds::clock(&world))
}

async fn advance(Within(world): Within, sent: Sent) -> Response {
    let now = world.now();
    let to = match (sent.text("seconds"), sent.text("by")) {
        (Some(text), None) => match text.parse::<u32>() {
            Ok(seconds) => Ok(now.plus(i64::from(seconds))),
            Err(_) => Err(how_far()),
        },
        (None, Some(text)) => later(now, &text).ok_or_else(how_far),
        _ => Err(how_far()),
    };
    respond(moved(&world, to).await)
}

fn how_far() -> Failure {
    Failure::invalid(
        "Say how far: ?seconds=N, a whole number, or ?by=1+month, ?by=3+days, ?by=2+hours.",
    )
}

async fn set(Within(world): Within, sent: Sent) -> Response {
    let to = sent.text("at").ok_or_else(|| {
        Failure::invalid("Say when: ?at=2026-12-24T00:00:00Z, or Unix seconds.").param("at")
    });
    respond(moved(&world, to.and_then(|text| instant(&text, "at"))).await)
}

/// Moves a world's clock, and has everything happen that is due then.
async fn moved(world: &Arc<World>, to: Result<Timestamp, Failure>) -> Result<Value, Failure> {
    let (to, now) = (to?, world.now());
    if to < now {
        let text = format!("The clock shows {now}, and goes forward only.");
        return Err(Failure::invalid(text));
    }
    if to.0 > LAST {
        return Err(Failure::invalid("The clock goes to the end of the year 9999."));
    }
    let seconds = u32::try_from(to.since(now));
    seconds.map_err(|_| Failure::invalid("That is too far at once."))?;
    jobs::run_until(world, to, |at| step(world, at)).await?;
    // Answers that were kept long enough are forgotten, and what became due while the clock moved happens.
    for account in worlds::accounts(world) {
        jobs::run_due(&account).await;
    }
    world.engine().wake_all();
    Ok(worlds::clock(world))
}

/// Moves a world's clock to an instant, unless it is there already.
async fn step(world: &Arc<World>, to: Timestamp) -> Result<(), Failure> {
    let ahead = to.since(world.now());
    match u32::try_from(ahead) {
        Ok(seconds) if seconds > 0 && worlds::is_default(world) => {
            world.engine().clock().advance(seconds);
            Ok(())
        }
        Ok(seconds) if seconds > 0 => world.go_ahead(ahead).await,
        _ => Ok(()),
    }
}

/// Reads RFC 3339, a date alone, or Unix seconds.
pub fn instant(text: &str, param: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let seconds = text.parse::<i64>().ok().map(Timestamp);
    let date = || Timestamp::read(&format!("{text}T00:00:00Z"));
    let read = seconds.or_else(|| Timestamp::read(text)).or_else(date);
    read.filter(|at| (0..=LAST).contains(&at.0)).ok_or_else(|| {
        let text =
            format!("'{text}' is no instant: 2026-12-24T00:00:00Z, 2026-12-24, or Unix seconds.");
        Failure::invalid(text).param(param)
    })
}

/// The instant after a span of calendar time in UTC: `1 month`, `3 days`, `2 hours`, `1 year 2 weeks`.
pub fn later(from: Timestamp, by: &str) -> Option<Timestamp> {
    let span: jiff::Span = by.trim().parse().ok()?;
    if span.is_negative() {
        return None;
    }
    let from = jiff::Timestamp::from_second(from.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(Timestamp(from.checked_add(span).ok()?.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        instant(text, "at").unwrap()
    }

    #[test]
    fn a_month_is_a_month_of_the_calendar() {
        let from = at("2027-01-31T10:00:00Z");
        for (by, to) in [
            ("1 month", "2027-02-28T10:00:00Z"),
            ("3 days", "2027-02-03T10:00:00Z"),
            ("2 hours", "2027-01-31T12:00:00Z"),
            ("1 year 1 week", "2028-02-07T10:00:00Z"),
        ] {
            assert_eq!(later(from, by), Some(at(to)), "{by}");
        }
        for bad in ["", "month", "-1 day", "5", "1 fortnight"] {
            assert_eq!(later(from, bad), None, "{bad}");
        }
    }

    #[test]
    fn an_instant_is_read_in_three_forms() {
        assert_eq!(at("2026-12-24"), at("2026-12-24T00:00:00Z"));
        assert_eq!(at("1796083200"), at("2026-12-01"));
        for bad in ["", "tomorrow", "-5", "99999999999999"] {
            assert!(instant(bad, "at").is_err(), "{bad}");
        }
    }
}
