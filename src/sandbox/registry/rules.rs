//! What few records need beyond their row: refusals, members that follow from others, lists within an object.

use crate::sandbox::behaviour::connect::{bank, standing};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{SHOWN, connect};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// A list within an object: kind and member of what is listed, kind and member of what shows it, its address.
type Page = (&'static str, &'static str, &'static str, &'static str, &'static str);

const PAGES: [Page; 2] = [
    ("file_link", "file", "file", "links", "/v1/file_links?file="),
    (
        "radar.value_list_item",
        "value_list",
        "radar.value_list",
        "list_items",
        "/v1/radar/value_list_items?value_list=",
    ),
];

/// The lists within a new object: their members and addresses.
pub fn pages(kind: &str, id: &str) -> Vec<(&'static str, String)> {
    let own = PAGES.iter().filter(|page| page.2 == kind);
    own.map(|page| (page.3, format!("{}{id}", page.4))).collect()
}

/// Whether a member of a hash is taken and not shown: an account's registrations show their kind alone.
pub fn is_kept_back(path: &str) -> bool {
    path.starts_with("country_options[")
}

/// Brings the lists up to date that an object stands in.
pub fn refresh(txn: &mut Txn<'_>, object: &Object) {
    match text(object, "object") {
        "bank_account" | "card" if !text(object, "account").is_empty() => {
            bank::settle(txn, object);
            standing::refresh(txn, text(object, "account"), true);
        }
        "person" => standing::refresh(txn, text(object, "account"), true),
        "issuing.cardholder" => show_holder(txn, object),
        _ => {}
    }
    for (kind, link, around, member, address) in PAGES {
        if text(object, "object") != kind {
            continue;
        }
        let id = text(object, link).to_owned();
        let found = txn.having(kind, link, &id);
        let data: Vec<Value> = found.iter().take(SHOWN).map(|it| it.document()).collect();
        let list = json!({"object": "list", "data": data, "has_more": found.len() > SHOWN,
            "url": format!("{address}{id}")});
        txn.edit(around, &id, |doc| {
            doc.insert(member.to_owned(), list);
        });
    }
}

/// Shows a cardholder as it is now in the cards that it holds.
fn show_holder(txn: &mut Txn<'_>, holder: &Object) {
    let holds = |card: &Arc<Object>| text(&card["cardholder"], "id") == text(holder, "id");
    let held: Vec<_> = txn.newest("issuing.card").filter(holds).collect();
    for card in held {
        txn.edit("issuing.card", text(&card, "id"), |doc| {
            doc.insert("cardholder".to_owned(), (**holder).clone());
        });
    }
}

/// Refuses what a kind does not allow.
pub fn check(kind: &str, call: &Call) -> Result<(), Failure> {
    let creates = !call.key.ends_with('}');
    match kind {
        "terminal.location" if creates => {
            let names = ["display_name", "display_name_kana", "display_name_kanji"];
            if names.iter().any(|name| call.sent(name)) {
                return Ok(());
            }
            let text = "Missing required param: display_name.";
            Err(Failure::invalid(text).code("parameter_missing").param("display_name"))
        }
        _ => Ok(()),
    }
}

/// Refuses an action on an object that is not in one of the states that the action leads from.
///
/// Believed: the sentence.
pub fn check_state(
    object: &Value,
    noun: &str,
    call: &Call,
    from: Option<(&str, &str)>,
) -> Result<(), Failure> {
    let Some((member, words)) = from else { return Ok(()) };
    let held = member.split('.').try_fold(object, |at, name| at.get(name)).and_then(Value::as_str);
    if held.is_some_and(|held| words.split('|').any(|word| word == held)) {
        return Ok(());
    }
    let verb = call.key.rsplit('/').next().unwrap_or_default();
    let allowed = words.replace('|', "` or `");
    let held =
        held.map_or_else(|| "it has none".to_owned(), |held| format!("this one is `{held}`"));
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let text =
        format!("You can only {verb} {article} {noun} whose `{member}` is `{allowed}`; {held}.");
    Err(Failure::invalid(text))
}

/// Parameters of a new object that are taken and not shown.
pub fn known(kind: &str) -> &'static [&'static str] {
    match kind {
        "bank_account" | "person" => &["documents"],
        "identity.verification_session" => &["return_url"],
        "issuing.card" => &["pin"],
        "v2.core.vault.gb_bank_account" => &["account_number", "currency", "iban"],
        "v2.core.vault.us_bank_account" => &["account_number", "currency"],
        _ => &["id"],
    }
}

/// Sets the members that follow from others.
pub fn finish(txn: &Txn<'_>, kind: &str, call: &Call, doc: &mut Doc) {
    match kind {
        "identity.verification_session" if text_of(doc, "client_secret").is_empty() => {
            let secret = txn.secret("vs", text_of(doc, "id"), 32);
            doc.insert("client_secret".to_owned(), json!(secret));
            if call.sent("verification_flow") {
                doc.insert("type".to_owned(), json!("verification_flow"));
            }
        }
        "issuing.card" => finish_card(txn, doc),
        "person" => {
            // A whole number has its end in it.
            if call.sent("id_number") {
                doc.insert("ssn_last_4_provided".to_owned(), json!(true));
            }
            if let Some(account) = txn.at("").get("account", call.id(0)) {
                connect::show_unsaid(doc, text(&account, "country"));
            }
        }
        "terminal.location" if !doc.contains_key("display_name") => {
            let own = ["display_name_kanji", "display_name_kana"];
            let name = own.iter().find_map(|name| doc.get(*name).filter(|it| it.is_string()));
            let name = name.cloned().unwrap_or_default();
            doc.insert("display_name".to_owned(), name);
        }
        "tax.registration" => {
            let instant = |name: &str| doc.get(name).and_then(Value::as_i64);
            let status = match (instant("active_from"), instant("expires_at")) {
                (_, Some(end)) if end <= txn.now().0 => "expired",
                (Some(start), _) if start > txn.now().0 => "scheduled",
                _ => "active",
            };
            doc.insert("status".to_owned(), json!(status));
        }
        _ => {}
    }
}

fn text_of<'d>(doc: &'d Doc, name: &str) -> &'d str {
    doc.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Years for which an issued card is good.
const CARD_YEARS: i64 = 3;

/// What a new issued card has of itself, and its parcel.
fn finish_card(txn: &Txn<'_>, doc: &mut Doc) {
    let last4 =
        text_of(doc, "id").bytes().fold(0_u32, |sum, it| (sum * 31 + u32::from(it)) % 10_000);
    doc.entry("last4").or_insert_with(|| json!(format!("{last4:04}")));
    let ends = txn.now().plus_months(CARD_YEARS * 12).rfc3339();
    let number = |from: usize, to: usize| ends.get(from..to).and_then(|it| it.parse::<i64>().ok());
    doc.entry("exp_year").or_insert_with(|| json!(number(0, 4)));
    doc.entry("exp_month").or_insert_with(|| json!(number(5, 7)));
    if let Some(Value::Object(parcel)) = doc.get_mut("shipping") {
        for (name, value) in [("service", "standard"), ("type", "individual")] {
            parcel.entry(name).or_insert_with(|| json!(value));
        }
        let is_new = parcel.get("status").is_none_or(Value::is_null);
        if is_new {
            parcel.insert("status".to_owned(), json!("pending"));
        }
    }
}
