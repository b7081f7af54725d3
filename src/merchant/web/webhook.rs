//! What providers send: verified, written into the journal, worked in, and only then acknowledged. Where anything
//! fails on the way, it is sent again, and whatever was done stays done once.

use crate::merchant::failure::ShopError;
use crate::merchant::projection;
use crate::merchant::provider::Provider;
use crate::merchant::server::Desk;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer;
use crate::shop::intake::{IntakeError, Received};
use crate::shop::listener_event::{ListenerEvent, Via};
use hyper::StatusCode;
use std::sync::Arc;

/// `POST /api/stripe/webhook`.
pub async fn stripe(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let began = desk.clock.stopwatch();
    let (seen, answer) = match take(&desk, &desk.provider, &visit).await {
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
    Ok(answer)
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
        change.await?;
    }
    Ok(received)
}

/// `POST /api/creem/webhook`: there is nobody yet who could verify it.
pub fn creem() -> Outcome {
    Err(ShopError::Refused(StatusCode::NOT_IMPLEMENTED, |words| words.error_creem))
}
