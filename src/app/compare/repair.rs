//! Brings the ledger what the provider proves and the ledger lacks, as lines of its journal: nothing is deleted, and
//! what an entry said before is taken back by an entry of its own.

use crate::app::context::Context;
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::remote::segment;
use crate::domain::book::line::{Line, Source};
use crate::domain::fault::Fault;
use crate::domain::reconcile::Finding;
use crate::domain::reconcile::row::{Row, What};
use crate::domain::report::{FixState, Fixed};
use crate::store::writer::Write;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What would be done about a finding.
pub fn planned(finding: &Finding) -> Fixed {
    let state = if is_provable(finding) { FixState::Planned } else { FixState::Left };
    Fixed { session: finding.id.clone(), before: finding.verdict, state }
}

/// Whether the provider has what the ledger lacks.
fn is_provable(finding: &Finding) -> bool {
    let known = |row: &Row| path(row).is_some();
    finding.verdict.can_be_replayed() && finding.theirs.as_ref().is_some_and(known)
}

/// Where the provider shows the object of a row.
fn path(row: &Row) -> Option<String> {
    let list = match (row.what, row.id.get(..3)?) {
        (What::Payment, "cs_") => "checkout/sessions",
        (What::Payment, "pi_") => "payment_intents",
        (What::Payment, "ch_" | "py_") => "charges",
        (What::Refund, _) => "refunds",
        (What::Dispute, _) => "disputes",
        (What::Payout, _) => "payouts",
        _ => return None,
    };
    Some(format!("/v1/{list}/{}", segment(&row.id)))
}

/// Does what was planned about a finding.
pub async fn repair(
    context: &Context,
    file: &LedgerFile,
    stripe: &Stripe,
    finding: &Finding,
) -> Result<Fixed, Fault> {
    let mut fixed = planned(finding);
    let theirs = finding.theirs.as_ref().filter(|_| fixed.state == FixState::Planned);
    let Some((row, path)) = theirs.and_then(|row| Some((row, path(row)?))) else {
        return Ok(fixed);
    };
    let expand = match row.id.get(..3) {
        Some("cs_") => json!({"expand": ["payment_intent"]}),
        Some("pi_") => json!({"expand": ["latest_charge.balance_transaction"]}),
        _ => Value::Null,
    };
    let mut objects = vec![stripe.get(&path, &expand).await?];
    if let (What::Payment, Some(intent)) =
        (row.what, row.names().find(|name| name.starts_with("pi_")))
    {
        let mut walk = stripe.walk("/v1/refunds", &json!({"payment_intent": intent}));
        while let Some(page) = walk.next_page().await? {
            objects.extend(page);
        }
    }
    let mut fresh = false;
    for object in &objects {
        fresh |= take(context, file, object).await?;
    }
    fixed.state = if fresh { FixState::Done } else { FixState::Unchanged };
    Ok(fixed)
}

/// Writes what an object says; whether it was new.
pub async fn take(context: &Context, file: &LedgerFile, object: &Value) -> Result<bool, Fault> {
    let now = context.clock.now();
    let line = Line::fetched(object, now, now, Source::Seen);
    let ticket = file.batch.submit(Write::line(line));
    let ticket = ticket.map_err(|full| ledger_file::busy(context, full))?;
    let accepted = ticket.await.map_err(|error| ledger_file::fault(context, &error))?;
    Ok(accepted.fresh)
}
