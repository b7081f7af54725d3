//! What the shop's charts show: counted from events of the journal and entries of the book, in the order in which they are
//! shown.

use crate::domain::book::creem::PREFIX;
use crate::domain::book::{Account, Booked};
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// The types of events that tell of an attempt to pay.
pub const ATTEMPTS: &[&str] = &[
    "charge.succeeded",
    "charge.failed",
    "creem.checkout.completed",
    "creem.subscription.paid",
    "creem.subscription.past_due",
];

/// Attempts to pay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// By provider: how many succeeded, of how many.
    pub by_provider: BTreeMap<&'static str, (u32, u32)>,
    /// How many were declined, by code.
    pub declines: BTreeMap<String, u32>,
}

impl Attempts {
    /// Counts an event, where it tells of an attempt.
    pub fn count(&mut self, event: &Event) {
        let object = &event.object;
        let text = |at: &str| object.pointer(at).and_then(Value::as_str);
        let declined = match event.kind.as_str() {
            "charge.succeeded" | "creem.subscription.paid" => None,
            // The first period of a subscription tells of itself, and what costs nothing was no attempt.
            "creem.checkout.completed"
                if text("/order/type") == Some("onetime")
                    && object.pointer("/order/amount_paid").and_then(Value::as_i64) > Some(0) =>
            {
                None
            }
            "charge.failed" => {
                let code = text("/outcome/reason").or_else(|| text("/failure_code"));
                Some(code.unwrap_or("unknown"))
            }
            "creem.subscription.past_due" => Some("past_due"),
            _ => return,
        };
        let provider = if event.is_creem() { "creem" } else { "stripe" };
        let (succeeded, all) = self.by_provider.entry(provider).or_default();
        *all += 1;
        match declined {
            None => *succeeded += 1,
            Some(code) => *self.declines.entry(code.to_owned()).or_default() += 1,
        }
    }
}

/// What was sold, by currency, day and provider, in minor units.
pub type Revenue = BTreeMap<Currency, BTreeMap<(String, &'static str), i64>>;

/// The revenue that these entries come to since an instant.
pub fn revenue(entries: &[Booked], since: Timestamp) -> Revenue {
    let mut sums = Revenue::new();
    for entry in entries.iter().filter(|entry| entry.created >= since) {
        let provider = if entry.subject.starts_with(PREFIX) { "creem" } else { "stripe" };
        for posting in entry.entry.postings() {
            if posting.account == Account::Revenue {
                let of_currency = sums.entry(posting.currency).or_default();
                let sum = of_currency.entry((day(entry.created), provider)).or_default();
                // What is sold is owed to nobody: a credit.
                *sum = sum.saturating_sub(posting.amount);
            }
        }
    }
    sums
}

/// What comes together day by day, from what each day adds.
pub fn running(days: &[(Timestamp, i64)]) -> Vec<(String, i64)> {
    let mut sum = 0_i64;
    let add = |(at, change): &(Timestamp, i64)| {
        sum = sum.saturating_add(*change);
        (day(*at), sum)
    };
    days.iter().map(add).collect()
}

fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::{Entry, Reason};
    use serde_json::json;

    fn counted(events: &[Value]) -> Attempts {
        let mut attempts = Attempts::default();
        for event in events {
            attempts.count(&Event::stored(event.to_string().as_bytes()).unwrap());
        }
        attempts
    }

    #[test]
    fn attempts_are_counted_by_provider_and_declines_by_their_code() {
        let stripe = |kind: &str, object: Value| json!({"id": "evt_1", "object": "event", "type": kind, "created": 1, "data": {"object": object}});
        let creem = |kind: &str, object: Value| json!({"id": "evt_1", "eventType": kind, "created_at": 1, "object": object});
        let order = |kind: &str, paid: i64| json!({"order": {"type": kind, "amount_paid": paid}});
        let found = counted(&[
            stripe("charge.succeeded", json!({})),
            stripe(
                "charge.failed",
                json!({"failure_code": "card_declined", "outcome": {"reason": "lost_card"}}),
            ),
            stripe("charge.failed", json!({"failure_code": "expired_card"})),
            stripe("charge.refunded", json!({})),
            creem("checkout.completed", order("onetime", 900)),
            creem("checkout.completed", order("onetime", 0)),
            creem("checkout.completed", order("recurring", 900)),
            creem("subscription.paid", json!({})),
            creem("subscription.past_due", json!({})),
        ]);
        assert_eq!(found.by_provider, BTreeMap::from([("creem", (2, 3)), ("stripe", (1, 3))]));
        let codes: Vec<&str> = found.declines.keys().map(String::as_str).collect();
        assert_eq!(codes, ["expired_card", "lost_card", "past_due"]);
    }

    #[test]
    fn revenue_is_by_day_and_provider_and_what_is_taken_back_comes_off() {
        let booked = |subject: &str, created: i64, amount: i64| {
            let pair = [
                (Account::Receivable, Currency::JPY, amount),
                (Account::Revenue, Currency::JPY, -amount),
            ];
            Booked {
                number: 1,
                line: "evt_1".into(),
                received: Timestamp(0),
                created: Timestamp(created),
                subject: subject.into(),
                entry: Entry::new(subject, Reason::Sale, pair).unwrap(),
                takes_back: None,
            }
        };
        let entries = [
            booked("pi_1", 10, 500),
            booked("pi_2", 20, 300),
            booked("pi_2", 30, -300),
            booked("creem/tran_1", 86_400, 900),
            booked("pi_0", 1, 700),
        ];
        let found = revenue(&entries, Timestamp(5));
        let days: Vec<_> = found[&Currency::JPY]
            .iter()
            .map(|((day, who), sum)| (day.as_str(), *who, *sum))
            .collect();
        assert_eq!(days, [("1970-01-01", "stripe", 500), ("1970-01-02", "creem", 900)]);
        let days = running(&[(Timestamp(0), 100), (Timestamp(86_400), -40)]);
        assert_eq!(days, [("1970-01-01".to_owned(), 100), ("1970-01-02".to_owned(), 60)]);
    }
}
