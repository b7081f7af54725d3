//! What takes money back: refunds and disputes state the same at either provider, under names of its own.

use crate::domain::member::{owned, text};
use crate::domain::trade::fact::{Fact, Stands};
use crate::merchant::provider::{id_of, number};
use serde_json::Value;

/// How a provider's refunds and disputes name what they are about.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The payment that money goes back of.
    pub payment: &'static str,
    /// What of it is given back by a refund.
    pub refunded: &'static str,
}

impl Names {
    /// What a refund states.
    pub fn refund(self, refund: &Value) -> Vec<Fact> {
        let found = owned(refund, "id").zip(id_of(refund.get(self.payment)));
        let undone = matches!(text(refund, "status"), Some("failed" | "canceled"));
        let amount = number(refund, self.refunded);
        let fact =
            found.map(|(refund, payment)| Fact::Refunded { payment, refund, amount, undone });
        fact.into_iter().collect()
    }

    /// What a dispute states. One that does not say how it stands has taken the money.
    pub fn dispute(self, dispute: &Value) -> Vec<Fact> {
        let found = owned(dispute, "id").zip(id_of(dispute.get(self.payment)));
        let stands = match text(dispute, "status").unwrap_or_default() {
            status if status.starts_with("warning_") => Stands::Asked,
            "won" | "prevented" => Stands::Won,
            _ => Stands::Taken,
        };
        let amount = number(dispute, "amount");
        let fact =
            found.map(|(dispute, payment)| Fact::Disputed { payment, dispute, amount, stands });
        fact.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAMES: Names = Names { payment: "transaction", refunded: "refund_amount" };

    #[test]
    fn a_refund_that_failed_is_undone_and_a_dispute_takes_unless_it_says_otherwise() {
        let refund = |status: &str| json!({"id": "ref_1", "transaction": {"id": "tran_1"}, "refund_amount": 5, "status": status});
        for (status, undone) in [("succeeded", false), ("failed", true), ("canceled", true)] {
            let fact = Fact::Refunded {
                payment: "tran_1".to_owned(),
                refund: "ref_1".to_owned(),
                amount: 5,
                undone,
            };
            assert_eq!(NAMES.refund(&refund(status)), [fact]);
        }
        for (status, stands) in [
            (json!("warning_needs_response"), Stands::Asked),
            (json!("won"), Stands::Won),
            (json!("lost"), Stands::Taken),
            (Value::Null, Stands::Taken),
        ] {
            let dispute =
                json!({"id": "dp_1", "transaction": "tran_1", "amount": 5, "status": status});
            let fact = Fact::Disputed {
                payment: "tran_1".to_owned(),
                dispute: "dp_1".to_owned(),
                amount: 5,
                stands,
            };
            assert_eq!(NAMES.dispute(&dispute), [fact]);
        }
        assert_eq!(NAMES.refund(&json!({"id": "ref_1"})), [], "of no payment");
    }
}
