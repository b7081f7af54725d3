//! `stripegym deliver` and `stripegym sign`: one event, sent or signed by hand.

use crate::app::context::Context;
use crate::app::signed_delivery::{self, Tamper};
use crate::domain::fault::Fault;
use crate::domain::report::Report;

/// Sends the event to the endpoint, forged where that is wished.
pub async fn run(context: &Context, event: &str, tamper: Option<Tamper>) -> Result<Report, Fault> {
    let delivered = signed_delivery::deliver(context, event, tamper).await?;
    Ok(Report::Delivered(Box::new(delivered)))
}

/// Signs the event, and takes the signature apart.
pub async fn sign(context: &Context, event: &str, explain: bool) -> Result<Report, Fault> {
    Ok(Report::Signed(Box::new(signed_delivery::sign(context, event, explain).await?)))
}
