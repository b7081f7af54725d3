//! What can be explained by name besides topics and codes of checks: `lessons/explain.toml`, every type of event of the
//! API, and the common misstatements of `lessons/corrections.toml`.

use crate::content::{Library, read};
use crate::domain::course::rules::LessonError;
use crate::domain::locale::Locale;
use serde::Deserialize;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// The types of events of the API.
const EVENTS: &str = include_str!("../../fixtures/api/events.txt");

/// One thing with its names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its names, in both languages; the first is what it is called.
    pub names: Vec<String>,
    en: String,
    ja: String,
}

/// What is said in both languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    en: String,
    ja: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct All {
    it: Vec<Entry>,
    /// What is said of an event, whose object and verb stand in the place of `{it}`.
    event: Both,
    verb: BTreeMap<String, Both>,
}

impl Entry {
    /// What is said of it.
    pub fn text(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }

    /// Whether one of its names is `sought`, whole or in part.
    pub fn fits(&self, sought: &str, whole: bool) -> bool {
        self.names.iter().any(|name| fits(name, sought, whole))
    }
}

/// Whether a name is what is sought, whole or in part, whatever its case and width.
pub fn fits(name: &str, sought: &str, whole: bool) -> bool {
    let flat = |text: &str| text.nfkc().collect::<String>().to_lowercase().replace(' ', "_");
    let (name, sought) = (flat(name), flat(sought));
    if whole { name == sought } else { name.contains(&sought) }
}

/// Everything that has a name. A type of event that has no entry of its own gets one from what happened to which object.
pub fn all() -> Result<Vec<Entry>, LessonError> {
    let name = "explain.toml";
    let All { mut it, event: said, verb } = read::<All>(name, &Library::default().file(name)?)?;
    let mut events: Vec<Entry> = EVENTS.lines().map(|kind| event(kind, &said, &verb)).collect();
    let own = |kind: &String| it.iter().any(|entry| entry.names.contains(kind));
    events.retain(|entry| !entry.names.iter().any(own));
    it.extend(events);
    Ok(it)
}

/// What the type of an event says by itself: its last part is what happened, the rest is the object.
fn event(kind: &str, frame: &Both, verbs: &BTreeMap<String, Both>) -> Entry {
    let (object, verb) = kind.rsplit_once('.').unwrap_or((kind, ""));
    let object = object.replace(['.', '_'], " ");
    let (en, ja) = if let Some(said) = verbs.get(verb) {
        (format!("{object} {}", said.en), format!("{object} {}", said.ja))
    } else {
        let verb = verb.replace('_', " ");
        (format!("{object}: {verb}"), format!("{object}: {verb}"))
    };
    Entry {
        names: vec![kind.to_owned()],
        en: frame.en.replace("{it}", &en),
        ja: frame.ja.replace("{it}", &ja),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reason that a bank gives through Stripe.
    const DECLINES: [&str; 48] = [
        "approve_with_id",
        "authentication_required",
        "call_issuer",
        "card_not_supported",
        "card_velocity_exceeded",
        "currency_not_supported",
        "do_not_honor",
        "do_not_try_again",
        "duplicate_transaction",
        "expired_card",
        "fraudulent",
        "generic_decline",
        "incorrect_address",
        "incorrect_cvc",
        "incorrect_number",
        "incorrect_pin",
        "incorrect_zip",
        "insufficient_funds",
        "invalid_account",
        "invalid_amount",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "invalid_pin",
        "issuer_not_available",
        "lost_card",
        "merchant_blacklist",
        "mobile_device_authentication_required",
        "new_account_information_available",
        "no_action_taken",
        "not_permitted",
        "offline_pin_required",
        "online_or_offline_pin_required",
        "pickup_card",
        "pin_try_exceeded",
        "processing_error",
        "reenter_transaction",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "service_not_allowed",
        "stolen_card",
        "stop_payment_order",
        "testmode_decline",
        "transaction_not_allowed",
        "try_again_later",
    ];

    /// The codes that the sources of the sandbox give: whatever stands in a call of `code`, or beside `decline_code`.
    fn given(folder: &std::path::Path, found: &mut std::collections::BTreeSet<String>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                given(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Only there is a row one of a reason.
            let text = if path.ends_with("decline.rs") { text } else { text.replace("row(", "") };
            for before in
                [".code(\"", "\"decline_code\", \"", "row(\"", " code: \"", " code: Some(\""]
            {
                let parts = text.split(before).skip(1);
                let codes = parts.filter_map(|part| part.split_once('"').map(|(code, _)| code));
                let is = |code: &&str| {
                    !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                };
                found.extend(codes.filter(is).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_that_the_sandbox_gives_is_explained() {
        let mut codes = std::collections::BTreeSet::new();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        given(&root.join("src/sandbox"), &mut codes);
        assert!(codes.len() > 40, "{codes:?}");
        let all = all().unwrap();
        let lacks = |code: &&String| !all.iter().any(|it| it.fits(code, true));
        assert_eq!(codes.iter().filter(lacks).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn names_are_found_in_part_and_in_either_language() {
        let all = all().unwrap();
        let found = |sought: &str| all.iter().filter(|it| it.fits(sought, false)).count();
        for sought in
            ["insufficient", "冪等", "ｗｅｂｈｏｏｋ", "async_payment", "Card_Declined", "台帳"]
        {
            assert!(found(sought) > 0, "{sought}");
        }
        assert_eq!(found("no such thing"), 0);
        let text = |name: &str| {
            let mut fits = all.iter().filter(|it| it.fits(name, true));
            let one = fits.next().unwrap_or_else(|| panic!("{name} is explained nowhere"));
            assert!(fits.next().is_none(), "{name} is explained twice");
            one.text(Locale::En).to_owned()
        };
        assert_eq!(text("issuing_card.created"), "Event: issuing card was made.");
        for kind in EVENTS.lines() {
            text(kind);
        }
        for code in DECLINES {
            assert!(text(code).contains("ode"), "{code}");
        }
        assert!(
            all.iter().all(|it| !it.names.is_empty() && !it.en.is_empty() && !it.ja.is_empty())
        );
    }
}
