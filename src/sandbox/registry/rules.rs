//! What few records need beyond their row: refusals, members that follow from others, lists within an object.

use crate::sandbox::behaviour::connect::{bank, standing};
use crate::sandbox::behaviour::object::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::SHOWN;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The seconds of five years.
const FIVE_YEARS_S: i64 = 5 * 366 * 86_400;

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

/// Refuses what a kind does not allow.
pub fn check(txn: &Txn<'_>, kind: &str, call: &Call) -> Result<(), Failure> {
    let creates = !call.key.ends_with('}');
    match kind {
        "coupon" if creates => coupon(txn, call),
        "promotion_code" if creates => promotion_code(txn, call),
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

fn past(txn: &Txn<'_>, call: &Call, name: &str) -> Result<(), Failure> {
    match call.int(name) {
        Some(at) if at <= txn.now().0 => Err(Failure::invalid(format!(
            "The parameter `{name}` expects a unix timestamp representing a date and time in the future. You specified the value `{at}` which is in the past."
        ))
        .param(name)),
        _ => Ok(()),
    }
}

fn coupon(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    let percent = call.get("percent_off").and_then(Value::as_f64);
    let refuse = |text: &str, param: &str| Err(Failure::invalid(text).param(param));
    match (percent, call.int("amount_off")) {
        (None, None) => {
            let text = "Must provide percent_off or amount_off.";
            return Err(Failure::invalid(text).code("parameter_missing"));
        }
        (Some(_), Some(_)) => {
            let text =
                "Received both percent_off and amount_off parameters. Please pass in only one.";
            return Err(Failure::invalid(text));
        }
        (None, Some(_)) if !call.sent("currency") => {
            return refuse("You must pass currency when passing amount_off", "currency");
        }
        (Some(percent), None) if percent < 0.01 => {
            let text = format!(
                "This value must be greater than or equal to 0.01 (it currently is '{percent:?}')."
            );
            return refuse(&text, "percent_off");
        }
        (Some(_), None) if call.sent("currency_options") => {
            let text =
                "You may only specify one of these parameters: currency_options, percent_off.";
            return refuse(text, "currency_options");
        }
        _ => {}
    }
    if call.text("duration") == Some("repeating") && !call.sent("duration_in_months") {
        let text = "The duration_in_months param must be set when creating a coupon with a repeating duration";
        return refuse(text, "duration");
    }
    past(txn, call, "redeem_by")
}

fn promotion_code(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    let named = call.hash("promotion").and_then(|it| it.get("coupon"));
    if named.is_none() && !call.sent("coupon") {
        let text = "You must pass promotion.coupon when passing promotion";
        return Err(Failure::invalid(text).param("promotion.coupon"));
    }
    past(txn, call, "expires_at")?;
    if call.int("expires_at").is_some_and(|at| at > txn.now().0 + FIVE_YEARS_S) {
        let text = "Invalid timestamp: can be no more than five years in the future.";
        return Err(Failure::invalid(text).param("expires_at"));
    }
    let Some(code) = call.text("code") else { return Ok(()) };
    if !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        let text = format!(
            "This value must match the regex pattern. (/\\A[a-zA-Z0-9\\-_]+\\z/ does not match for the value {code})."
        );
        return Err(Failure::invalid(text).param("code"));
    }
    let found = txn.having("promotion_code", "code", code);
    if found.iter().any(|it| it["active"] == true) {
        let text = format!("An active promotion code with `code: {code}` already exists.");
        return Err(Failure::invalid(text));
    }
    Ok(())
}

/// Parameters of a new object that are taken and not shown.
pub fn known(kind: &str) -> &'static [&'static str] {
    // `coupon` is what older versions say for `promotion`.
    match kind {
        "bank_account" | "person" => &["documents"],
        "promotion_code" => &["id", "coupon"],
        "v2.core.vault.gb_bank_account" => &["account_number", "currency", "iban"],
        "v2.core.vault.us_bank_account" => &["account_number", "currency"],
        _ => &["id"],
    }
}

/// Sets the members that follow from others.
pub fn finish(txn: &Txn<'_>, kind: &str, call: &Call, doc: &mut Doc) {
    let word = |doc: &Doc, name: &str| {
        doc.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    match kind {
        "promotion_code" => {
            if let Some(coupon) = call.get("coupon") {
                let promotion = json!({"type": "coupon", "coupon": coupon});
                doc.insert("promotion".to_owned(), promotion);
            }
        }
        "person" if call.sent("id_number") => {
            // A whole number has its end in it.
            doc.insert("ssn_last_4_provided".to_owned(), json!(true));
        }
        "terminal.location" if !doc.contains_key("display_name") => {
            let own = ["display_name_kanji", "display_name_kana"];
            let name = own.iter().find_map(|name| doc.get(*name).filter(|it| it.is_string()));
            let name = name.cloned().unwrap_or_default();
            doc.insert("display_name".to_owned(), name);
        }
        "tax_id" => {
            let (of, value) = (word(doc, "type"), word(doc, "value"));
            let country = if of == "eu_vat" { value } else { of.clone() };
            let country = country.get(..2).unwrap_or_default().to_ascii_uppercase();
            doc.insert("country".to_owned(), json!(country));
            if let Some(customer) = doc.get("customer").filter(|it| it.is_string()).cloned()
                && let Some(Value::Object(owner)) = doc.get_mut("owner")
            {
                owner.insert("type".to_owned(), json!("customer"));
                owner.insert("customer".to_owned(), customer);
            }
            let is_checked = ["au_abn", "eu_vat", "gb_vat"].contains(&of.as_str());
            if let Some(Value::Object(verification)) = doc.get_mut("verification") {
                let status = if is_checked { "pending" } else { "unavailable" };
                verification.insert("status".to_owned(), json!(status));
            }
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
