//! Begins a purchase at Creem, and finds out what one has come to.

use crate::domain::canonical::sha256;
use crate::domain::creem::sign_redirect;
use crate::domain::member::{owned, text};
use crate::domain::merchant::kv::Place;
use crate::merchant::base::Database;
use crate::merchant::checkout::{Begun, CODE_MAX, Purchase, refuse_second};
use crate::merchant::failure::ShopError;
use crate::merchant::password::is_same;
use crate::merchant::provider::creem::PRODUCT;
use crate::merchant::provider::stripe::metadata;
use crate::shop::creem_api::Creem;
use crate::stripe::failure::Error;
use serde_json::{Value, json};

/// The namespace of checkouts that were begun, by what was asked for.
const BEGUN: &str = "creem_begun";

/// What Creem adds to the address that a buyer comes back to, beside the signature over it.
const SIGNED: [&str; 6] =
    ["request_id", "checkout_id", "order_id", "customer_id", "subscription_id", "product_id"];

/// Begins it. Asked twice under one number, it is begun once.
pub async fn begin(
    database: &Database,
    creem: &Creem,
    purchase: &Purchase<'_>,
) -> Result<Begun, ShopError> {
    refuse_second(database, purchase).await?;
    let Purchase { user, offer, code, number, locale, .. } = *purchase;
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    if let Some(code) = code {
        check_code(creem, code).await?;
    }
    let place = number.and_then(|number| {
        let (user, code) = (&user.id, code.unwrap_or_default());
        let key = sha256(&format!("{user} {number} {} {} {code}", offer.price, locale.code()));
        Place::new(BEGUN, &key).ok()
    });
    let Some(place) = place else { return create(creem, purchase, code, None).await };
    let known = place.clone();
    let known = database.look(move |base| base.value(&known)).await?;
    if let Some(begun) = known.as_deref().and_then(read) {
        return Ok(begun);
    }
    let begun = create(creem, purchase, code, Some(place.key())).await?;
    let written = format!("{} {}", begun.session, begun.url);
    // Of two at once the first is kept, and both go there.
    let kept = database.change(move |base| {
        if let Some(known) = base.value(&place)? {
            return Ok(known);
        }
        base.set_value(&place, &written)?;
        Ok(written)
    });
    Ok(read(&kept.await?).unwrap_or(begun))
}

fn read(kept: &str) -> Option<Begun> {
    let (session, url) = kept.split_once(' ')?;
    Some(Begun { session: session.to_owned(), url: url.to_owned() })
}

async fn create(
    creem: &Creem,
    purchase: &Purchase<'_>,
    code: Option<&str>,
    request: Option<&str>,
) -> Result<Begun, ShopError> {
    let Purchase { user, offer, locale, origin, .. } = *purchase;
    let mut asked = json!({
        "product_id": offer.price,
        "units": 1,
        "customer": { "email": user.email },
        "success_url": format!("{origin}/payment/success?provider=creem"),
        "metadata": {
            (metadata::USER): user.id,
            (metadata::PLAN): offer.plan.id,
            (metadata::PLAN_NAME): offer.plan.texts(locale).title,
            (PRODUCT): offer.price,
            (metadata::CREDITS): offer.plan.credits.to_string(),
        },
    });
    if let Some(asked) = asked.as_object_mut() {
        let optional = [("discount_code", code), ("request_id", request)];
        asked.extend(
            optional.into_iter().filter_map(|(name, it)| Some((name.to_owned(), json!(it?)))),
        );
    }
    let made = match creem.post("/v1/checkouts", &asked, None).await {
        Err(Error::Api(error)) if matches!(error.status, 400 | 404) => {
            return Err(match code {
                Some(_) => ShopError::bad(|words| words.error_coupon),
                None => ShopError::bad(|words| words.error_plan),
            });
        }
        made => made?,
    };
    let found = owned(&made, "id").zip(owned(&made, "checkout_url"));
    let (session, url) = found.ok_or(Error::Unreadable { status: 200, request_id: None })?;
    Ok(Begun { session, url })
}

/// Refuses a code that takes nothing off.
async fn check_code(creem: &Creem, code: &str) -> Result<(), ShopError> {
    const UNKNOWN: ShopError = ShopError::bad(|words| words.error_coupon);
    if code.chars().count() > CODE_MAX {
        return Err(UNKNOWN);
    }
    match creem.get("/v1/discounts", &[("discount_code", code)]).await {
        Ok(discount) if text(&discount, "status") == Some("active") => Ok(()),
        Ok(_) => Err(UNKNOWN),
        Err(Error::Api(error)) if matches!(error.status, 400 | 404) => Err(UNKNOWN),
        Err(error) => Err(error.into()),
    }
}

/// A checkout of this user that is completed.
pub async fn completed(creem: &Creem, id: &str, user: &str) -> Result<Value, ShopError> {
    let checkout = match creem.get("/v1/checkouts", &[("checkout_id", id)]).await {
        Err(error) if error.is_missing() => {
            return Err(ShopError::missing(|words| words.error_session));
        }
        other => other?,
    };
    if checkout.pointer("/metadata/userId").and_then(Value::as_str) != Some(user) {
        return Err(ShopError::forbidden(|words| words.error_other_user));
    }
    if text(&checkout, "status") != Some("completed") {
        return Err(ShopError::bad(|words| words.error_not_complete));
    }
    Ok(checkout)
}

/// Whether a buyer comes back with what Creem sent them with: its own parameters in their order, signed.
pub fn is_signed(query: &[(String, String)], creem: &Creem) -> bool {
    let own = query.iter().filter(|(name, _)| SIGNED.contains(&name.as_str()));
    let own: Vec<(&str, String)> =
        own.map(|(name, value)| (name.as_str(), value.clone())).collect();
    let mut given = query.iter().filter(|(name, _)| name == "signature");
    let (Some((_, given)), None) = (given.next(), given.next()) else { return false };
    is_same(sign_redirect(&own, creem.key().reveal()).as_bytes(), given.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::CreemKey;

    #[test]
    fn a_buyer_comes_back_with_what_they_were_sent_with_and_nothing_else() {
        let creem = Creem::new(None, CreemKey::read("creem_test_abc").unwrap()).unwrap();
        let pairs = |text: &str| -> Vec<(String, String)> {
            let split = text.split('&').filter_map(|it| it.split_once('='));
            split.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let own = [("request_id", "r1".to_owned()), ("checkout_id", "ch_1".to_owned())];
        let signature = sign_redirect(&own, "creem_test_abc");
        let sent = format!("provider=creem&request_id=r1&checkout_id=ch_1&signature={signature}");
        assert!(is_signed(&pairs(&sent), &creem));
        for changed in [
            sent.replace("ch_1", "ch_2"),
            sent.replace("request_id=r1&", ""),
            sent.replace("signature=", "signature=0"),
            format!("{sent}&signature={signature}"),
            format!("{sent}&checkout_id=ch_2"),
            "provider=creem&checkout_id=ch_1".to_owned(),
        ] {
            assert!(!is_signed(&pairs(&changed), &creem), "{changed}");
        }
    }
}
