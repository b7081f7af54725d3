//! A customer's visit of the portal: how it is opened, by which address it is found, and when it is over.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::portal::{CONFIGURATION, SESSION};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PortalPart;
use crate::sandbox::engine::txn::{Txn, View};
use crate::sandbox::engine::worlds::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a session waits to be opened, in seconds.
const UNUSED_S: i64 = 5 * 60;
/// How long it stands after it was last looked at.
const IDLE_S: i64 = 60 * 60;
/// How far apart two looks are noted.
const NOTED_EVERY_S: i64 = 60;

/// A session with what it is about.
#[derive(Clone, Debug)]
pub struct Visited {
    /// The session.
    pub session: Arc<Object>,
    /// What it allows.
    pub configuration: Arc<Object>,
    /// Who visits.
    pub customer: Arc<Object>,
}

/// What a new session says beside its customer and its configuration.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What it is opened for.
    pub flow: Value,
    /// Where it leads back to.
    pub return_url: Value,
    /// Its language.
    pub locale: Value,
    /// On whose behalf.
    pub on_behalf_of: Value,
    /// What follows once it is over.
    pub after_expiration: Value,
}

/// Opens a session for a customer, and tells of it.
pub fn open(txn: &mut Txn<'_>, customer: &str, configuration: &Value, wish: Wish) -> Arc<Object> {
    let account = match &*txn.scope().account {
        "" => txn.platform_id(),
        own => own.to_owned(),
    };
    let code = txn.new_id("_", 24);
    let token = format!("test_{}", encode(format!("{account},{code}").as_bytes()));
    let return_url = match wish.return_url {
        Value::Null => configuration.get("default_return_url").cloned().unwrap_or_default(),
        own => own,
    };
    let made = txn.put_with(
        new(
            SESSION,
            json!({
                "id": txn.new_id("bps_1", 23), "after_expiration": wish.after_expiration,
                "configuration": text(configuration, "id"), "created": txn.now().0,
                "customer": customer, "flow": wish.flow, "livemode": false, "locale": wish.locale,
                "on_behalf_of": wish.on_behalf_of, "return_url": return_url,
                "url": format!("{}/p/session/{token}", txn.site().base_url),
            }),
        ),
        PortalPart::default(),
    );
    txn.emit("billing_portal.session.created", &made);
    made
}

/// The address at which customers of a configuration sign in.
pub fn login_url(txn: &Txn<'_>, configuration: &str) -> String {
    let account = match &*txn.scope().account {
        "" => txn.platform_id(),
        own => own.to_owned(),
    };
    let token = encode(format!("{account},{configuration}").as_bytes());
    format!("{}/p/login/test_{token}", txn.site().base_url)
}

/// The account in whose world a token leads, and what it names there.
pub fn at(world: &Arc<World>, token: &str) -> Option<(Arc<World>, String)> {
    let named = decode(token.strip_prefix("test_")?)?;
    let (account, name) = named.split_once(',')?;
    let own = world.platform_id() == account;
    Some((if own { Arc::clone(world) } else { world.at(account) }, name.to_owned()))
}

/// The session at an address.
pub fn find(view: &View, url: &str) -> Option<Visited> {
    let session = view.having(SESSION, "url", url).pop()?;
    let configuration = view.get(CONFIGURATION, text(&session, "configuration"))?;
    let customer = view.get("customer", text(&session, "customer"))?;
    Some(Visited { session, configuration, customer })
}

/// Whether a session is over: it was never opened, or not looked at for long, or its customer is gone.
pub fn is_over(visited: &Visited, now: i64) -> bool {
    let part = visited.session.part::<PortalPart>();
    let created = visited.session.get("created").and_then(Value::as_i64).unwrap_or(0);
    let until = part.seen.map_or(created + UNUSED_S, |seen| seen + IDLE_S);
    now >= until || visited.customer.get("deleted").is_some()
}

/// Whether a look at a session is to be noted.
pub fn is_news(session: &Object, now: i64) -> bool {
    session.part::<PortalPart>().seen.is_none_or(|seen| now - seen >= NOTED_EVERY_S)
}

/// Notes that a session was looked at.
pub fn note(txn: &mut Txn<'_>, id: &str) {
    let now = txn.now().0;
    txn.edit_part(SESSION, id, |part: &mut PortalPart| part.seen = Some(now));
}

/// Notes that what a session was opened for is done.
pub fn finish(txn: &mut Txn<'_>, id: &str) {
    txn.edit_part(SESSION, id, |part: &mut PortalPart| part.done = true);
}

/// The flow of a session that is still to be gone through.
pub fn flow(session: &Object) -> Option<&Value> {
    let is_done = session.part::<PortalPart>().done;
    session.get("flow").filter(|flow| flow.is_object() && !is_done)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 as addresses have it, without padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let joined = three.iter().fold(0_u32, |joined, byte| (joined << 8) | u32::from(*byte));
        let joined = joined << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            let digit = usize::try_from((joined >> (18 - 6 * at)) & 63).unwrap_or(0);
            text.extend(DIGITS.get(digit).map(|digit| char::from(*digit)));
        }
    }
    text
}

/// What [`encode`] made; `None` for what it cannot have made.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut held, mut bits) = (0_u32, 0_u32);
    for digit in text.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        held = ((held << 6) | u32::try_from(value).ok()?) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 255).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_address_says_what_was_put_into_it(text in ".{0,40}") {
            let token = encode(text.as_bytes());
            prop_assert!(token.bytes().all(|byte| DIGITS.contains(&byte)));
            prop_assert_eq!(decode(&token), Some(text));
        }
    }

    #[test]
    fn what_no_address_says_names_nothing() {
        assert_eq!(encode(b"acct_1,_a"), "YWNjdF8xLF9h");
        assert_eq!(decode("not a token"), None);
    }
}
