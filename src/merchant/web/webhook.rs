//! What providers send: verified, written into the journal, worked in, and only then acknowledged. Where anything
//! fails on the way, it is sent again, and whatever was done stays done once.

use crate::merchant::failure::ShopError;
use crate::merchant::projection;
use crate::merchant::provider::Provider;
use crate::merchant::server::Desk;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer::{self, Answer};
use crate::shop::intake::{IntakeError, Received};
use crate::shop::listener_event::{ListenerEvent, Via};
use hyper::StatusCode;
use std::sync::Arc;

/// `POST /api/stripe/webhook`.
pub async fn stripe(desk: Arc<Desk>, visit: Visit) -> Outcome {
    Ok(hear(&desk, &desk.provider, &visit).await)
}

/// `POST /api/creem/webhook`.
pub async fn creem(desk: Arc<Desk>, visit: Visit) -> Outcome {
    const NOBODY: ShopError =
        ShopError::Refused(StatusCode::NOT_IMPLEMENTED, |words| words.error_creem);
    let (_, provider) = desk.creem.as_ref().ok_or(NOBODY)?;
    Ok(hear(&desk, provider, &visit).await)
}

/// `GET /readyz`: whether a delivery would be taken: journal and database let themselves be written to.
pub async fn ready(desk: Arc<Desk>) -> Outcome {
    let journal = Arc::clone(&desk.journal);
    let journal = tokio::task::spawn_blocking(move || journal.is_writable()).await;
    let database = desk.database.change(|_| Ok(())).await;
    if matches!(journal, Ok(true)) && database.is_ok() {
        return Ok(answer::plain(200, "ready\n".to_owned()));
    }
    Ok(answer::error(503, "not_ready", "The shop cannot take deliveries."))
}

async fn hear(desk: &Desk, provider: &dyn Provider, visit: &Visit) -> Answer {
    let began = desk.clock.stopwatch();
    let (seen, answer) = match take(desk, provider, visit).await {
        Ok(received) => (received.seen(visit.now, Via::Webhook, began.ms()), answer::received()),
        Err(error) => {
            tracing::debug!(%error, "a delivery was refused");
            let (status, cause) = (error.status(), error.name());
            let took_ms = began.ms();
            let seen = ListenerEvent::Rejected { at: visit.now, status, cause, took_ms };
            (seen, answer::error(status, cause, &error.to_string()))
        }
    };
    desk.sink.tell(seen);
    answer
}

async fn take(
    desk: &Desk,
    provider: &dyn Provider,
    visit: &Visit,
) -> Result<Received, IntakeError> {
    let (event, source) = provider.verify(&visit.headers, &visit.body)?;
    let facts = provider.interpret(&event);
    let (id, is_ours, now) = (event.id.clone(), desk.intake.is_of_mode(&event), visit.now);
    let received = desk.intake.store(event, source).await?;
    if is_ours {
        let name = provider.name();
        let change =
            desk.database.change(move |base| projection::apply(base, name, &id, &facts, now));
        change.await.map_err(|error| IntakeError::Store(error, received.lane))?;
    }
    Ok(received)
}
