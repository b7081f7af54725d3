//! Keys of an API that is sold by subscription: one for a purchase, shown once, kept as a hash, counted by the period, and
//! over when what pays for it is. Who the user is has to be known before, and is taken on trust here.

use crate::domain::base64;
use crate::domain::canonical::sha256;
use crate::domain::locale::Locale;
use crate::domain::peek::Peek as _;
use crate::os::entropy::secret_bytes;
use crate::shop::answer::{self, Answer};
use crate::shop::buyer::asked;
use crate::shop::site::Site;
use crate::shop::till::{Form, FormError, page_of, said};
use crate::store::keyring::{Issued, Keyring};
use crate::store::{Ledger, StoreError};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;
use std::sync::Arc;

/// Where what is sold is asked for.
pub const API: &str = "/api/tea";

/// What a month costs, in minor units.
const MONTHLY: i64 = 980;

/// How many calls a period that was paid is good for.
const QUOTA: u32 = 3;

/// How a call ends.
enum Call {
    Served,
    Spent,
    Unknown,
}

impl Site {
    /// Leads a user to the page on which a subscription to the API is begun.
    pub(super) async fn buy_key(
        &self,
        locale: Locale,
        host: &str,
        form: &Form<'_>,
    ) -> Result<Answer, FormError> {
        let price = json!({
            "currency": self.price.currency.code(),
            "unit_amount": MONTHLY,
            "recurring": { "interval": "month" },
            "product_data": { "name": self.product },
        });
        let params = json!({
            "mode": "subscription",
            "client_reference_id": form.user()?,
            "locale": locale.code(),
            "line_items": [{ "quantity": 1, "price_data": price }],
            "success_url": format!("http://{host}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("http://{host}/cancel"),
        });
        page_of(&self.stripe.create_session(&params).await?)
    }

    /// Shows the key of a user's own purchase, once: its text is nowhere but in this answer.
    pub(super) async fn key_bought(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let (user, session) = (form.user()?.to_owned(), form.id("session_id", "cs_")?.to_owned());
        let bought = self.stripe.session(&session).await?;
        if bought.text("client_reference_id") != user {
            return Err(FormError::Missing);
        }
        let subscription = bought.text("subscription").to_owned();
        if bought.text("payment_status") != "paid" || subscription.is_empty() {
            return Err(FormError::Conflict("not_paid"));
        }
        let bytes = secret_bytes::<32>().map_err(|_| FormError::Conflict("no_key"))?;
        let key = format!("tea_{}", base64::write(&bytes).replace(['+', '/', '='], ""));
        let issued = Issued { session, hash: sha256(&key), user, subscription };
        let keys = self.keys.clone();
        let is_first = asked(move || keys.issue(&issued)).await?;
        Ok(said(&json!({ "key": is_first.then_some(key) })))
    }

    /// How many keys a user has, and what was used of them.
    pub(super) async fn keys_of(&self, form: &Form<'_>) -> Result<Answer, FormError> {
        let (keys, user) = (self.keys.clone(), form.user()?.to_owned());
        let (count, used) = asked(move || keys.of(&user)).await?;
        Ok(said(&json!({ "keys": count, "used": used, "quota": QUOTA })))
    }

    /// What is sold, for whoever has a key that is good now. Everybody else is told no more than that.
    pub async fn tea(&self, ledger: Arc<Ledger>, headers: &HeaderMap) -> Answer {
        let (keys, hash) = (self.keys.clone(), bearer(headers).map(sha256));
        let called = asked(move || {
            let Some(hash) = hash else { return Ok(Call::Unknown) };
            call(&keys, &ledger, &hash)
        });
        match called.await {
            Ok(Call::Served) => said(&json!({ "tea": "sencha" })),
            Ok(Call::Spent) => answer::error(429, "quota", "Nothing is left of this period."),
            Ok(Call::Unknown) => {
                let mut refused = answer::error(401, "no_key", "A key is needed.");
                refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                refused
            }
            Err(error) => error.answer(),
        }
    }
}

fn call(keys: &Keyring, ledger: &Ledger, hash: &str) -> Result<Call, StoreError> {
    let Some(subscription) = keys.subscription(hash)? else { return Ok(Call::Unknown) };
    let term = ledger.term(&subscription)?;
    if term.is_over {
        return Ok(Call::Unknown);
    }
    Ok(if keys.spend(hash, term.periods, QUOTA)? { Call::Served } else { Call::Spent })
}

/// The key that a request brings.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (kind, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_in_its_header_alone() {
        let of = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer tea_1").as_deref(), Some("tea_1"));
        assert_eq!(of("bearer tea_1").as_deref(), Some("tea_1"));
        assert_eq!((of("Basic tea_1"), of("tea_1")), (None, None));
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
