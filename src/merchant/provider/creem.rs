//! Creem: what its events and objects state about sales. Whose a sale is, is what we wrote into the checkout ourselves:
//! Creem brings it back with everything that follows. Who its customer is says nothing of ours: a buyer types any address.

use crate::domain::book::line::Source;
use crate::domain::creem::{self, Scheme, Standard};
use crate::domain::event::{CREEM, Event};
use crate::domain::member::{owned, string, text};
use crate::domain::signature::SignatureError;
use crate::domain::time::Timestamp;
use crate::domain::trade::fact::{Fact, Snapshot, Sold};
use crate::merchant::provider::back::Names;
use crate::merchant::provider::stripe::metadata;
use crate::merchant::provider::{Provider, ProviderName, id_of, number};
use crate::os::clock::Clock;
use crate::shop::intake::{IntakeError, Secrets, fingerprint};
use hyper::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// The metadata that names the product, beside what is said to every provider.
pub const PRODUCT: &str = "productId";

/// Creem, heard by one of its two schemes.
#[derive(Debug)]
pub struct CreemProvider {
    secrets: Secrets,
    scheme: Scheme,
    tolerance_s: i64,
    clock: Clock,
}

impl CreemProvider {
    /// Creem, whose deliveries are signed with one of `secrets`.
    pub const fn new(secrets: Secrets, scheme: Scheme, tolerance_s: i64, clock: Clock) -> Self {
        Self { secrets, scheme, tolerance_s, clock }
    }
}

impl Provider for CreemProvider {
    fn name(&self) -> ProviderName {
        ProviderName::Creem
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Event, Source), IntakeError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let secrets = self.secrets.every();
        let (secret, signed) = match self.scheme {
            Scheme::Plain => {
                let given = header("creem-signature").or_else(|| header("x-creem-signature"));
                (creem::verify(body, given, &secrets)?, None)
            }
            Scheme::Standard => {
                let all = [
                    header("webhook-id"),
                    header("webhook-timestamp"),
                    header("webhook-signature"),
                ];
                let [Some(id), Some(at), Some(signature)] = all else {
                    return Err(SignatureError::NoHeader.into());
                };
                let (now, sent) = (self.clock.now(), Standard { id, at, signature });
                let (secret, signed) =
                    creem::verify_standard(body, &sent, &secrets, now, self.tolerance_s)?;
                (secret, Some(signed))
            }
        };
        let event = Event::of_creem(body)?;
        let secret = secrets.get(secret).map(fingerprint).unwrap_or_default();
        let signed = signed.unwrap_or(event.created);
        Ok((event, Source::Webhook { signed, secret }))
    }

    fn interpret(&self, event: &Event) -> Vec<Fact> {
        of_event(event)
    }
}

/// How its refunds and disputes name what they are about.
const BACK: Names = Names { payment: "transaction", refunded: "refund_amount" };

/// What an event states.
pub fn of_event(event: &Event) -> Vec<Fact> {
    let object = &event.object;
    match event.kind.strip_prefix(CREEM).unwrap_or_default() {
        "checkout.completed" => of_checkout(object, event.created.0),
        "subscription.paid" => of_paid(object, event.created.0, &event.id),
        "subscription.past_due" => {
            let mut facts = of_subscription(object, event.created.0, &event.id);
            let failed = |subscription| Fact::PeriodFailed { subscription, at: event.created.0 };
            facts.extend(owned(object, "id").map(failed));
            facts
        }
        "refund.created" => BACK.refund(object),
        "dispute.created" => BACK.dispute(object),
        kind if kind.starts_with("subscription.") => {
            of_subscription(object, event.created.0, &event.id)
        }
        _ => Vec::new(),
    }
}

/// What a completed checkout states as it was seen at `at`. One for a subscription is the sale of its first period.
pub fn of_checkout(checkout: &Value, at: i64) -> Vec<Fact> {
    let order = checkout.get("order").filter(|order| order.is_object());
    let (Some("completed"), Some(order)) = (text(checkout, "status"), order) else {
        return Vec::new();
    };
    if text(order, "type") == Some("recurring") {
        // Seen, not told: as old as the subscription itself, so that every event outweighs it.
        let subscription = checkout.get("subscription").filter(|it| it.is_object());
        return subscription.map_or_else(Vec::new, |it| seen(it, at));
    }
    let Some(sale) = owned(order, "id") else { return Vec::new() };
    vec![Fact::Sold(Sold {
        sale,
        amount: number(order, "amount_paid"),
        currency: string(order, "currency").to_ascii_lowercase(),
        payment: id_of(order.get("transaction")),
        paid: text(order, "status") == Some("paid"),
        at: instant(order, "created_at").unwrap_or(at),
        ..about(checkout)
    })]
}

/// What a subscription states that was asked for.
pub fn seen(subscription: &Value, at: i64) -> Vec<Fact> {
    let at = instant(subscription, "created_at").unwrap_or(at);
    if text(subscription, "status") == Some("active") {
        of_paid(subscription, at, "")
    } else {
        of_subscription(subscription, at, "")
    }
}

/// What a subscription states whose period was paid: a sale, where money was taken for it.
fn of_paid(subscription: &Value, at: i64, event: &str) -> Vec<Fact> {
    let mut facts = of_subscription(subscription, at, event);
    let Some(id) = owned(subscription, "id") else { return facts };
    let until = instant(subscription, "current_period_end_date").unwrap_or_default();
    facts.push(Fact::PeriodPaid { subscription: id.clone(), until, at });
    let Some(sale) = owned(subscription, "last_transaction_id") else { return facts };
    let product = subscription.get("product");
    let last = subscription.get("last_transaction").filter(|it| it.is_object());
    let (amount, currency) = match (last, product) {
        (Some(last), _) => (number(last, "amount_paid"), string(last, "currency")),
        (None, Some(product)) => (number(product, "price"), string(product, "currency")),
        (None, None) => return facts,
    };
    facts.push(Fact::Sold(Sold {
        payment: Some(sale.clone()),
        sale,
        amount,
        currency: currency.to_ascii_lowercase(),
        subscription: Some(id),
        price: changed(product, subscription.get("metadata")),
        paid: true,
        at: instant(subscription, "last_transaction_date").unwrap_or(at),
        ..about(subscription)
    }));
    facts
}

/// What a subscription states of how it stands.
fn of_subscription(subscription: &Value, at: i64, event: &str) -> Vec<Fact> {
    let Some(id) = owned(subscription, "id") else { return Vec::new() };
    let Sold { user, customer, plan, .. } = about(subscription);
    let ends = text(subscription, "status") == Some("scheduled_cancel");
    let status = if ends { "active".to_owned() } else { string(subscription, "status") };
    vec![Fact::Subscription(Snapshot {
        subscription: id,
        user,
        customer,
        plan,
        price: changed(subscription.get("product"), subscription.get("metadata")),
        status,
        until: instant(subscription, "current_period_end_date").unwrap_or_default(),
        ends,
        at,
        event: event.to_owned(),
        before: BTreeMap::new(),
    })]
}

/// Who buys what, as we wrote it into the checkout.
fn about(of: &Value) -> Sold {
    let said = |name: &str| of.get("metadata").map(|it| string(it, name)).unwrap_or_default();
    Sold {
        user: Some(said(metadata::USER)).filter(|it| !it.is_empty()),
        customer: id_of(of.get("customer")),
        plan: said(metadata::PLAN),
        credits: said(metadata::CREDITS).parse().unwrap_or_default(),
        ..Sold::default()
    }
}

/// The product that is paid now, where it is another than what was begun with.
fn changed(product: Option<&Value>, metadata: Option<&Value>) -> Option<String> {
    let begun = metadata.map(|it| string(it, PRODUCT)).unwrap_or_default();
    id_of(product).filter(|it| *it != begun)
}

/// An instant, in seconds: Creem writes most of them out.
fn instant(of: &Value, name: &str) -> Option<i64> {
    Timestamp::read(text(of, name)?).map(|it| it.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trade::fact::Stands;
    use serde_json::json;

    fn stated(kind: &str, object: &Value) -> Vec<Fact> {
        let event =
            json!({"id": "evt_1", "eventType": kind, "created_at": 50_000, "object": object});
        of_event(&Event::stored(event.to_string().as_bytes()).unwrap())
    }

    fn written() -> Value {
        json!({"userId": "user_1", "planId": "small", "credits": "100", "productId": "prod_1"})
    }

    fn subscription(status: &str) -> Value {
        json!({
            "id": "sub_1", "status": status, "metadata": written(), "customer": {"id": "cust_1"},
            "product": {"id": "prod_1", "price": 900, "currency": "EUR"},
            "current_period_end_date": "1970-01-01T00:01:40.000Z", "created_at": "1970-01-01T00:00:07.000Z",
            "last_transaction_id": "tran_1", "last_transaction_date": "1970-01-01T00:00:09.000Z",
            "last_transaction": {"id": "tran_1", "amount_paid": 450, "currency": "EUR"},
        })
    }

    fn sold(facts: &[Fact]) -> Option<Sold> {
        facts.iter().find_map(|it| match it {
            Fact::Sold(it) => Some(it.clone()),
            _ => None,
        })
    }

    #[test]
    fn a_checkout_states_its_sale_once_it_is_completed() {
        let checkout = |status: &str| {
            json!({"id": "ch_1", "status": status, "metadata": written(), "order": {"id": "ord_1",
                "type": "onetime", "status": "paid", "amount_paid": 900, "currency": "EUR", "transaction": "tran_1"}})
        };
        let found = sold(&stated("checkout.completed", &checkout("completed"))).unwrap();
        assert_eq!((found.sale.as_str(), found.payment.as_deref()), ("ord_1", Some("tran_1")));
        assert_eq!((found.user.as_deref(), found.plan.as_str()), (Some("user_1"), "small"));
        assert_eq!((found.credits, found.amount, found.currency.as_str()), (100, 900, "eur"));
        assert_eq!(
            stated("checkout.completed", &checkout("complete")),
            [],
            "that is Stripe's word"
        );
        let mut recurring = checkout("completed");
        recurring["order"]["type"] = json!("recurring");
        recurring["subscription"] = subscription("active");
        let first = sold(&stated("checkout.completed", &recurring)).unwrap();
        let told = sold(&stated("subscription.paid", &subscription("active"))).unwrap();
        assert_eq!(first, told, "the period is one sale, whoever tells of it");
        recurring["subscription"] = subscription("trialing");
        assert_eq!(
            sold(&stated("checkout.completed", &recurring)),
            None,
            "a trial sells nothing yet"
        );
    }

    #[test]
    fn a_subscription_states_how_it_stands_and_what_was_paid() {
        let facts = stated("subscription.paid", &subscription("active"));
        let found = sold(&facts).unwrap();
        assert_eq!((found.sale.as_str(), found.amount, found.at), ("tran_1", 450, 9));
        assert_eq!((found.subscription.as_deref(), found.price), (Some("sub_1"), None));
        assert!(facts.contains(&Fact::PeriodPaid {
            subscription: "sub_1".into(),
            until: 100,
            at: 50
        }));
        let mut bare = subscription("active");
        bare.as_object_mut().unwrap().remove("last_transaction");
        bare["product"]["id"] = json!("prod_2");
        let found = sold(&stated("subscription.paid", &bare)).unwrap();
        assert_eq!((found.amount, found.price.as_deref()), (900, Some("prod_2")));
        for (kind, status, stands, ends) in [
            ("subscription.scheduled_cancel", "scheduled_cancel", "active", true),
            ("subscription.canceled", "canceled", "canceled", false),
            ("subscription.past_due", "past_due", "past_due", false),
        ] {
            let facts = stated(kind, &subscription(status));
            let Some(Fact::Subscription(it)) = facts.first() else { panic!("{facts:?}") };
            assert_eq!((it.status.as_str(), it.ends, it.until, it.at), (stands, ends, 100, 50));
            assert_eq!(sold(&facts), None, "{kind}");
        }
    }

    #[test]
    fn money_that_goes_back_states_whose_payment_it_was() {
        let transaction = json!({"id": "tran_1", "amount_paid": 900});
        for (status, undone) in [("succeeded", false), ("failed", true)] {
            let refund = json!({"id": "ref_1", "status": status, "refund_amount": 300, "transaction": transaction});
            let fact = Fact::Refunded {
                payment: "tran_1".into(),
                refund: "ref_1".into(),
                amount: 300,
                undone,
            };
            assert_eq!(stated("refund.created", &refund), [fact]);
        }
        let dispute = json!({"id": "disp_1", "amount": 900, "transaction": "tran_1"});
        let fact = Fact::Disputed {
            payment: "tran_1".into(),
            dispute: "disp_1".into(),
            amount: 900,
            stands: Stands::Taken,
        };
        assert_eq!(stated("dispute.created", &dispute), [fact]);
    }
}
