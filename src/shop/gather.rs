//! Gathers the provider's side of a reconciliation page by page.

use crate::domain::entry::EntryError;
use crate::domain::reconcile::ProviderSnapshot;
use crate::domain::time::Timestamp;
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use serde_json::Value;

/// What the provider has, and what of it could not be understood.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// What can be compared.
    pub provided: ProviderSnapshot,
    /// Ids of objects that cannot be compared, each with the reason.
    pub unreadable: Vec<(String, EntryError)>,
}

/// Reads the sessions created within `window`, and their refunds. Refunds come after what they refund, so
/// theirs is only bounded from below.
pub async fn gather(stripe: &Stripe, window: Window, now: Timestamp) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    let mut sessions = stripe.sessions(window);
    while let Some(page) = sessions.next_page().await? {
        for session in page {
            let added = gathered.provided.add_session(&session, now);
            gathered.note(&session, added);
        }
    }
    let mut refunds = stripe.refunds(Window { until: None, ..window });
    while let Some(page) = refunds.next_page().await? {
        for refund in page {
            let added = gathered.provided.add_refund(&refund, now);
            gathered.note(&refund, added);
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn note(&mut self, object: &Value, added: Result<(), EntryError>) {
        if let Err(error) = added {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            self.unreadable.push((id.to_owned(), error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::ApiKey;
    use crate::stripe::fake::Fake;
    use crate::stripe::retry::Retries;
    use serde_json::json;

    #[tokio::test]
    async fn sessions_and_refunds_are_gathered_and_what_is_odd_is_named() {
        let provider = Fake::start(|asked, _| {
            let session = |id: &str, status: &str| {
                json!({"id": id, "status": status, "payment_status": "paid", "amount_total": 500,
                    "currency": "jpy", "created": 5, "payment_intent": {"id": "pi_1", "status": "succeeded"}})
            };
            let data = if asked.target.starts_with("/v1/refunds") {
                vec![json!({"id": "re_1", "payment_intent": "pi_1", "amount": 500, "status": "succeeded"})]
            } else {
                vec![session("cs_1", "complete"), session("cs_2", "odd"), session("cs_3", "open")]
            };
            (200, vec![], json!({"object": "list", "data": data, "has_more": false}))
        })
        .await;
        let key = ApiKey::read("sk_test_secretsecret").unwrap();
        let stripe = Stripe::with_retries(&provider.base, key, Retries::NONE).unwrap();
        let window = Window { since: Some(Timestamp(1)), until: Some(Timestamp(9)) };
        let gathered = gather(&stripe, window, Timestamp(9)).await.unwrap();
        let records = gathered.provided.records();
        assert_eq!((records.len(), records[0].status.name()), (1, "refunded"));
        assert_eq!(gathered.unreadable[0].0, "cs_2");
        let targets: Vec<_> = provider.asked().into_iter().map(|one| one.target).collect();
        assert!(targets[0].contains("created[gte]=1") && targets[0].contains("created[lt]=9"));
        assert!(targets[0].contains("expand[0]=data.payment_intent"), "{}", targets[0]);
        assert!(targets[1].contains("created[gte]=1") && !targets[1].contains("lt"));
    }
}
