//! The provider's side of a comparison of sessions, as the course makes it.

use crate::app::context::Context;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::reconcile::ProviderSnapshot;
use crate::shop::gather::gather;
use crate::stripe::Stripe;
use crate::stripe::calls::Window;

/// Asks the provider for the sessions of `window` and the refunds since. What cannot be understood cannot be
/// compared, so that it is a failure and not a gap.
pub async fn ask(
    context: &Context,
    stripe: &Stripe,
    window: Window,
) -> Result<ProviderSnapshot, Fault> {
    let gathered = gather(stripe, window, context.clock.now()).await?;
    match gathered.unreadable.first() {
        None => Ok(gathered.provided),
        Some((id, error)) => Err(FaultKind::ProviderOdd { what: format!("{id}: {error}") }.into()),
    }
}
