//! What providers send: verified, written into the journal, worked in, and only then acknowledged. Where anything
//! fails on the way, it is sent again, and whatever was done stays done once.

use crate::merchant::failure::ShopError;
use crate::merchant::projection;
use crate::merchant::provider::Provider;
use crate::merchant::server::Desk;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer::{self, Answer};
use crate::shop::intake::IntakeError;
use hyper::StatusCode;
use std::sync::Arc;

/// `POST /api/stripe/webhook`.
pub async fn stripe(desk: Arc<Desk>, visit: Visit) -> Outcome {
    match take(&desk, &desk.provider, &visit).await {
        Ok(()) => Ok(answer::received()),
        Err(error) => {
            tracing::debug!(%error, "a delivery was refused");
            Ok(refused(&error))
        }
    }
}

async fn take(desk: &Desk, provider: &dyn Provider, visit: &Visit) -> Result<(), IntakeError> {
    let (event, source) = provider.verify(&visit.headers, &visit.body)?;
    let facts = provider.interpret(&event);
    let (id, is_ours, now) = (event.id.clone(), desk.intake.is_of_mode(&event), visit.now);
    desk.intake.store(event, source).await?;
    if !is_ours {
        return Ok(());
    }
    let name = provider.name();
    let change = desk.database.change(move |base| projection::apply(base, name, &id, &facts, now));
    Ok(change.await?)
}

fn refused(error: &IntakeError) -> Answer {
    answer::error(error.status(), error.name(), &error.to_string())
}

/// `POST /api/creem/webhook`: there is nobody yet who could verify it.
pub fn creem() -> Outcome {
    Err(ShopError::Refused(StatusCode::NOT_IMPLEMENTED, |words| words.error_creem))
}
