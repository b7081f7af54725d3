//! What disputes hold of each payment and what they cost: a view of the facts, kept nowhere.

use crate::store::pack::Bodies;
use crate::store::{SqliteLedger, StoreError};
use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the disputes of a payment come to, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What was taken and not given back.
    pub amount: i64,
    /// What was kept for it, won or lost.
    pub fee: i64,
}

/// The disputes that are known, each with what it took and gave back, and the fees of what settled it. The ids tell a
/// dispute from other subjects: so no more of the table is read.
const DISPUTES: &str = "\
    SELECT subject, SUM(CASE what WHEN 'withdrawn' THEN amount WHEN 'reinstated' THEN -amount ELSE 0 END), \
           (SELECT COALESCE(SUM(fee.amount), 0) FROM facts AS fee WHERE fee.what = 'fee' AND fee.subject IN \
            (SELECT settled.object FROM facts AS settled WHERE settled.subject = facts.subject AND settled.what = 'settled')) \
    FROM facts WHERE (subject >= 'dp_' AND subject < 'dp`') OR (subject >= 'du_' AND subject < 'du`') GROUP BY subject";

/// A line about a dispute, in the words of its index.
pub(super) const LINE: &str = "\
    SELECT seq, body, pack FROM events WHERE object = ?1 \
    AND type >= 'charge.dispute.' AND type < 'charge.dispute/' LIMIT 1";

/// The payment of a dispute, as an event about it names it.
pub(super) fn payment(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let named = event.pointer("/data/object/payment_intent")?;
    Some(named.get("id").unwrap_or(named).as_str()?.to_owned())
}

impl SqliteLedger {
    /// What disputes hold, by PaymentIntent; a payment that was never disputed is not in it.
    pub fn disputes(&self) -> Result<BTreeMap<String, Held>, StoreError> {
        self.read(|connection| {
            let mut found: BTreeMap<String, Held> = BTreeMap::new();
            let mut disputes = connection.prepare_cached(DISPUTES)?;
            let mut line = connection.prepare_cached(LINE)?;
            let mut bodies = Bodies::new(connection);
            let mut rows = disputes.query([])?;
            while let Some(row) = rows.next()? {
                let (id, amount, fee): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let body = line
                    .query_row(params![id], |it| bodies.of(it.get(0)?, it.get(1)?, it.get(2)?))
                    .optional()?;
                let intent = body.as_deref().and_then(payment);
                let held = found.entry(intent.unwrap_or_default()).or_default();
                held.amount = held.amount.saturating_add(amount);
                held.fee = held.fee.saturating_add(fee);
            }
            found.remove("");
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::{Line, Source};
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::writer::Write;
    use crate::store::{FILE, Ledger};
    use serde_json::json;

    #[test]
    fn a_dispute_holds_its_amount_until_it_is_won_and_keeps_its_fee() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = ledger.writer().unwrap().start();
        let moved = |id: &str, amount: i64, fee: i64| {
            json!({"id": id, "object": "balance_transaction", "amount": amount, "fee": fee,
                "net": amount - fee, "currency": "jpy", "reporting_category": "dispute", "source": "dp_1"})
        };
        let hear = |kind: &str, status: &str, moves: Value| {
            let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 500, "currency": "jpy",
                "status": status, "payment_intent": "pi_1", "balance_transactions": moves});
            let event = json!({"id": format!("evt_{kind}"), "object": "event", "type": kind, "created": 5,
                "livemode": false, "api_version": null, "data": {"object": dispute}});
            let line = Line::event(Event::fetched(&event).unwrap(), Timestamp(9), Source::Poll);
            batch.submit_blocking(Write::line(line)).unwrap();
        };
        assert_eq!(ledger.disputes().unwrap(), BTreeMap::new());
        let taken = moved("txn_1", -500, 1_500);
        hear("charge.dispute.funds_withdrawn", "needs_response", json!([taken]));
        let held = |amount, fee| BTreeMap::from([("pi_1".to_owned(), Held { amount, fee })]);
        assert_eq!(ledger.disputes().unwrap(), held(500, 1_500));
        let back = moved("txn_2", 500, 0);
        hear("charge.dispute.funds_reinstated", "won", json!([taken, back]));
        assert_eq!(ledger.disputes().unwrap(), held(0, 1_500));
    }
}
