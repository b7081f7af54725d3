//! What the small shop's pages do: sell one thing through hosted Checkout, say how it ended, show the ledger.

use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::report::{Disputed, LedgerRow, Total};
use crate::domain::secret::{ApiKey, KeyKind};
use crate::shop::answer::{self, Answer};
use crate::shop::page::{self, Offer};
use crate::shop::second::Second;
use crate::store::dispute::Held;
use crate::store::keyring::Keyring;
use crate::store::{Filter, Ledger, StoreError};
use crate::stripe::Stripe;
use crate::stripe::failure::{Error, ErrorKind};
use crate::words::accept;
use crate::words::shop::Words;
use hyper::StatusCode;
use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most pieces that one purchase takes.
const QUANTITY_MAX: u16 = 99;

/// Rows that the ledger's page shows.
const LEDGER_ROWS_MAX: u32 = 500;

/// What the shop sells and through whom.
#[derive(Clone, Debug)]
pub struct Site {
    /// The provider.
    pub stripe: Stripe,
    /// The key that browsers may see.
    pub publishable: Option<ApiKey>,
    /// The name of the one thing that is sold.
    pub product: String,
    /// The price of one piece.
    pub price: Money,
    /// The Price at the provider that says so, where the shop does not say it itself.
    pub price_id: Option<String>,
    /// The second provider that it sells through, where it does.
    pub second: Option<Second>,
    /// The keys that it has sold.
    pub keys: Keyring,
}

/// The language of whoever asks.
pub fn locale(headers: &HeaderMap) -> Locale {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    accepted.and_then(accept::preferred).unwrap_or_default()
}

impl Site {
    /// The product.
    pub fn home(&self, locale: Locale) -> Answer {
        // The number of this view becomes the idempotency key of the purchase: a double click buys once.
        let order = self.stripe.fresh_key();
        let offer = Offer {
            name: &self.product,
            price: self.price,
            order: &order,
            quantity_max: QUANTITY_MAX,
            live: self.stripe.is_live(),
        };
        answer::html(StatusCode::OK, page::product(locale, offer))
    }

    /// Creates a Checkout Session and sends the browser to its hosted page.
    pub async fn checkout(&self, locale: Locale, host: &str, form: &[u8]) -> Answer {
        let Some(quantity) = quantity(form) else {
            let text = format!("1 – {QUANTITY_MAX}");
            let page = page::message(locale, Words::of(locale).quantity, Some(&text), &[]);
            return answer::html(StatusCode::BAD_REQUEST, page);
        };
        let order = order(form).unwrap_or_else(|| self.stripe.fresh_key());
        let params = json!({
            "mode": "payment",
            "client_reference_id": order,
            "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("http://{host}/cancel"),
            "locale": locale.code(),
            "line_items": [self.line(quantity)],
        });
        let key = format!("checkout-{order}-{quantity}-{}", locale.code());
        match self.stripe.create_session_once(&params, &key).await {
            Ok(session) => {
                let url = session.get("url").and_then(Value::as_str);
                url.and_then(answer::see_other).unwrap_or_else(|| {
                    let odd = Error::Unreadable { status: 200, request_id: None };
                    provider_failed(locale, &odd)
                })
            }
            Err(error) => provider_failed(locale, &error),
        }
    }

    pub(super) fn line(&self, quantity: u16) -> Value {
        if let Some(id) = &self.price_id {
            return json!({ "quantity": quantity, "price": id });
        }
        let price = json!({
            "currency": self.price.currency.code(),
            "unit_amount": self.price.minor,
            "product_data": {"name": self.product},
        });
        json!({ "quantity": quantity, "price_data": price })
    }

    /// How a checkout ended. The address proves nothing, so the provider is asked.
    pub async fn success(&self, locale: Locale, query: Option<&str>) -> Answer {
        let words = Words::of(locale);
        let Some(id) = session_id(query.unwrap_or_default()) else {
            return say(StatusCode::BAD_REQUEST, locale, words.unknown, None, &[]);
        };
        let session = match self.stripe.session(&id).await {
            Ok(session) => session,
            Err(error) if error.is_missing() => {
                return say(StatusCode::NOT_FOUND, locale, words.unknown, None, &[]);
            }
            Err(error) => return provider_failed(locale, &error),
        };
        let text = |name: &str| session.get(name).and_then(Value::as_str).unwrap_or_default();
        let (heading, more) = match (text("status"), text("payment_status")) {
            ("complete", "unpaid") => (words.waiting, Some(words.waiting_more)),
            ("complete", _) => (words.thanks, None),
            _ => (words.not_paid, None),
        };
        let mut facts = vec![(words.session, id.clone())];
        let amount = session.get("amount_total").and_then(Value::as_i64);
        if let (Some(amount), Ok(currency)) = (amount, text("currency").parse()) {
            facts.push((words.amount, Money::new(amount, currency).to_string()));
        }
        facts.push((words.status, format!("{} · {}", text("status"), text("payment_status"))));
        say(StatusCode::OK, locale, heading, more, &facts)
    }

    /// What a browser may know: the publishable key and nothing else.
    pub fn config(&self) -> Answer {
        let key = self.publishable.as_ref().filter(|key| key.kind() == KeyKind::Publishable);
        answer::json(StatusCode::OK, &json!({"publishableKey": key.map(ApiKey::reveal)}))
    }
}

/// Back from the hosted page without a payment.
pub fn cancel(locale: Locale) -> Answer {
    let words = Words::of(locale);
    say(StatusCode::OK, locale, words.cancelled, Some(words.cancelled_more), &[])
}

/// A page that does not exist.
pub fn not_found(locale: Locale) -> Answer {
    say(StatusCode::NOT_FOUND, locale, Words::of(locale).not_found, None, &[])
}

/// A form that another site sent.
pub fn foreign_form(locale: Locale) -> Answer {
    say(StatusCode::FORBIDDEN, locale, Words::of(locale).foreign_form, None, &[])
}

/// The ledger: a table for browsers, JSON for programs.
pub async fn ledger(ledger: Arc<Ledger>, headers: &HeaderMap) -> Answer {
    let read = tokio::task::spawn_blocking(move || {
        let filter = Filter { limit: Some(LEDGER_ROWS_MAX), ..Filter::default() };
        let totals = ledger.totals(&Filter::default())?;
        Ok::<_, StoreError>((ledger.rows(&filter)?, totals, ledger.disputes()?))
    });
    match read.await {
        Ok(Ok((rows, totals, _))) if wants_html(headers) => {
            answer::html(StatusCode::OK, page::ledger(locale(headers), &rows, &totals))
        }
        Ok(Ok((rows, totals, disputes))) => {
            answer::json(StatusCode::OK, &ledger_json(&rows, &totals, &disputes))
        }
        Ok(Err(error)) => ledger_failed(Some(&error)),
        Err(_) => ledger_failed(None),
    }
}

/// The ledger could not be read; without an error, reading it was interrupted.
pub(super) fn ledger_failed(error: Option<&StoreError>) -> Answer {
    let Some(error) = error else {
        return answer::error(500, "ledger_failed", "Reading the ledger was interrupted.");
    };
    let status = if error.passes() { 503 } else { 500 };
    answer::error(status, "ledger_failed", &error.to_string())
}

fn ledger_json(rows: &[LedgerRow], totals: &[Total], disputes: &BTreeMap<String, Held>) -> Value {
    let row = |row: &LedgerRow| {
        let intent = row.record.payment_intent.as_deref();
        let held = intent.and_then(|it| disputes.get(it)).copied().unwrap_or_default();
        let goods = row.goods(Disputed { amount: held.amount, fee: held.fee });
        json!({
            "session_id": row.record.session_id,
            "amount": row.record.amount.minor,
            "currency": row.record.amount.currency.code(),
            "refunded": row.refunded,
            "disputed": held.amount,
            "dispute_fee": held.fee,
            "goods": goods,
            "status": row.record.status.name(),
            "created": row.record.created.0,
            "updated": row.updated.0,
            "payment_intent": row.record.payment_intent,
            "event_id": row.event_id,
        })
    };
    let total = |total: &Total| {
        json!({
            "currency": total.paid.currency.code(),
            "rows": total.rows,
            "paid": total.paid.minor,
            "refunded": total.refunded.minor,
        })
    };
    json!({
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "totals": totals.iter().map(total).collect::<Vec<_>>(),
    })
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn say(
    status: StatusCode,
    locale: Locale,
    heading: &str,
    more: Option<&str>,
    facts: &[(&'static str, String)],
) -> Answer {
    answer::html(status, page::message(locale, heading, more, facts))
}

fn provider_failed(locale: Locale, error: &Error) -> Answer {
    let heading = Words::of(locale).provider_failed;
    let kind = error.api().map(|api| api.kind);
    // What the shop's key may not do is no matter of the buyer's.
    if matches!(kind, Some(ErrorKind::Permission | ErrorKind::Authentication)) {
        tracing::error!(%error, "the key of the shop does not do");
        return say(StatusCode::SERVICE_UNAVAILABLE, locale, heading, None, &[]);
    }
    say(StatusCode::BAD_GATEWAY, locale, heading, Some(&error.to_string()), &[])
}

/// Pairs of a form or a query; what cannot be decoded is left as it is.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter_map(|pair| pair.split_once('='))
}

/// One piece where the form does not say; `None` for what is no number of pieces.
fn quantity(form: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(form).ok()?;
    let Some((_, value)) = pairs(text).find(|(name, _)| *name == "quantity") else {
        return Some(1);
    };
    value.parse().ok().filter(|quantity| (1..=QUANTITY_MAX).contains(quantity))
}

/// The number that the front page gave this purchase, where it looks like one.
fn order(form: &[u8]) -> Option<String> {
    let (_, value) = pairs(std::str::from_utf8(form).ok()?).find(|(name, _)| *name == "order")?;
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && (8..=64).contains(&value.len())).then(|| value.to_owned())
}

/// The session that the query names, where it looks like one.
fn session_id(query: &str) -> Option<String> {
    let (_, value) = pairs(query).find(|(name, _)| *name == "session_id")?;
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && value.starts_with("cs_") && value.len() <= 255).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_and_sessions_are_read_strictly() {
        assert_eq!(quantity(b""), Some(1));
        assert_eq!(order(b"order=0123-abcd&quantity=1").as_deref(), Some("0123-abcd"));
        assert_eq!(
            (order(b"quantity=1"), order(b"order=a%20b"), order(b"order=1")),
            (None, None, None)
        );
        assert_eq!(quantity(b"a=b&quantity=3"), Some(3));
        for form in ["quantity=", "quantity=0", "quantity=-1", "quantity=100", "quantity=x"] {
            assert_eq!(quantity(form.as_bytes()), None, "{form}");
        }
        assert_eq!(quantity(b"\xff"), None);
        assert_eq!(session_id("session_id=cs_test_a1").as_deref(), Some("cs_test_a1"));
        for query in
            ["", "session_id=", "session_id=pi_1", "session_id=cs_1/../x", "session_id=%7B"]
        {
            assert_eq!(session_id(query), None, "{query}");
        }
    }
}
