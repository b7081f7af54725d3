//! What v2 and v1 call the same things: one table, read in both directions.

use serde_json::{Map, Value};

/// Where v2 and v1 have the same member.
type Pair = (&'static str, &'static str);

/// Of an account; an individual beneath it is named as [`PERSON`] says.
const ACCOUNT: &[Pair] = &[
    ("/contact_email", "/email"),
    ("/metadata", "/metadata"),
    ("/identity/country", "/country"),
    ("/identity/entity_type", "/business_type"),
    ("/identity/attestations/terms_of_service/account/ip", "/tos_acceptance/ip"),
    ("/identity/attestations/terms_of_service/account/user_agent", "/tos_acceptance/user_agent"),
    ("/identity/business_details/address", "/company/address"),
    ("/identity/business_details/phone", "/company/phone"),
    ("/identity/business_details/registered_name", "/company/name"),
    ("/identity/business_details/script_addresses/kana", "/company/address_kana"),
    ("/identity/business_details/script_addresses/kanji", "/company/address_kanji"),
    ("/identity/business_details/script_names/kana/registered_name", "/company/name_kana"),
    ("/identity/business_details/script_names/kanji/registered_name", "/company/name_kanji"),
    ("/defaults/currency", "/default_currency"),
    ("/defaults/profile/business_url", "/business_profile/url"),
    ("/defaults/profile/doing_business_as", "/business_profile/name"),
    ("/defaults/profile/product_description", "/business_profile/product_description"),
    ("/configuration/merchant/mcc", "/business_profile/mcc"),
    (
        "/configuration/merchant/statement_descriptor/descriptor",
        "/settings/payments/statement_descriptor",
    ),
    (
        "/configuration/merchant/statement_descriptor/prefix",
        "/settings/card_payments/statement_descriptor_prefix",
    ),
    ("/configuration/merchant/support/address", "/business_profile/support_address"),
    ("/configuration/merchant/support/email", "/business_profile/support_email"),
    ("/configuration/merchant/support/phone", "/business_profile/support_phone"),
    ("/configuration/merchant/support/url", "/business_profile/support_url"),
];

/// Of a person.
const PERSON: &[Pair] = &[
    ("/given_name", "/first_name"),
    ("/surname", "/last_name"),
    ("/email", "/email"),
    ("/phone", "/phone"),
    ("/address", "/address"),
    ("/date_of_birth", "/dob"),
    ("/legal_gender", "/gender"),
    ("/nationalities/0", "/nationality"),
    ("/political_exposure", "/political_exposure"),
    ("/relationship/authorizer", "/relationship/authorizer"),
    ("/relationship/director", "/relationship/director"),
    ("/relationship/executive", "/relationship/executive"),
    ("/relationship/legal_guardian", "/relationship/legal_guardian"),
    ("/relationship/owner", "/relationship/owner"),
    ("/relationship/representative", "/relationship/representative"),
    ("/relationship/title", "/relationship/title"),
    ("/script_addresses/kana", "/address_kana"),
    ("/script_addresses/kanji", "/address_kanji"),
    ("/script_names/kana/given_name", "/first_name_kana"),
    ("/script_names/kana/surname", "/last_name_kana"),
    ("/script_names/kanji/given_name", "/first_name_kanji"),
    ("/script_names/kanji/surname", "/last_name_kanji"),
    ("/metadata", "/metadata"),
];

/// Where an account has the only person whom it is.
const INDIVIDUAL: Pair = ("/identity/individual", "/individual");

/// What v1 calls the parameters of an account of v2.
pub fn first_account(sent: &Value) -> Map<String, Value> {
    let mut found = Value::Object(Map::new());
    copy(sent, &mut found, ACCOUNT.iter().map(|(second, first)| (*second, *first)));
    if let Some(person) = sent.pointer(INDIVIDUAL.0) {
        put(&mut found, INDIVIDUAL.1, Value::Object(first_person(person)));
    }
    let numbers = sent.pointer("/identity/business_details/id_numbers");
    if let Some(number) = numbers.and_then(|all| all.pointer("/0/value")) {
        put(&mut found, "/company/tax_id", number.clone());
    }
    into_map(found)
}

/// What v1 calls the parameters of a person of v2.
pub fn first_person(sent: &Value) -> Map<String, Value> {
    let mut found = Value::Object(Map::new());
    copy(sent, &mut found, PERSON.iter().map(|(second, first)| (*second, *first)));
    let numbers = sent.get("id_numbers").and_then(Value::as_array);
    for number in numbers.into_iter().flatten() {
        let kind = number.get("type").and_then(Value::as_str).unwrap_or_default();
        let name = if kind.ends_with("_last_4") { "/ssn_last_4" } else { "/id_number" };
        if let Some(value) = number.get("value") {
            put(&mut found, name, value.clone());
        }
    }
    into_map(found)
}

/// What v2 shows of an account of v1, without its people.
pub fn second_account(first: &Value) -> Value {
    let mut found = Value::Object(Map::new());
    copy(first, &mut found, ACCOUNT.iter().map(|(second, first)| (*first, *second)));
    found
}

/// What v2 shows of a person of v1.
pub fn second_person(first: &Value) -> Value {
    let mut found = Value::Object(Map::new());
    copy(first, &mut found, PERSON.iter().map(|(second, first)| (*first, *second)));
    if let Some(nation) = first.get("nationality").filter(|it| it.is_string()) {
        put(&mut found, "/nationalities", Value::Array(vec![nation.clone()]));
    }
    found
}

/// The path by which v2 asks for what v1 calls so (`individual.dob.day`, `person_1.first_name`).
pub fn requirement(first: &str) -> String {
    let path = format!("/{}", first.replace('.', "/"));
    let (around, person) = match path.strip_prefix("/individual/") {
        Some(rest) => ("identity.individual", Some(rest)),
        None => match path.split_once('/').map(|(_, rest)| rest.split_once('/')) {
            Some(Some((owner, rest)))
                if owner.starts_with("person_") || owner == "representative" =>
            {
                (owner, Some(rest))
            }
            _ => ("", None),
        },
    };
    if let Some(rest) = person {
        let found = match rest {
            "id_number" | "ssn_last_4" => Some("id_numbers".to_owned()),
            rest => renamed(&format!("/{rest}"), PERSON),
        };
        return format!("{around}.{}", found.unwrap_or_else(|| rest.replace('/', ".")));
    }
    match first {
        "company.tax_id" => "identity.business_details.id_numbers".to_owned(),
        "external_account" => "defaults.payout_methods".to_owned(),
        "tos_acceptance.date" => "identity.attestations.terms_of_service.account.date".to_owned(),
        _ => renamed(&path, ACCOUNT).unwrap_or_else(|| first.to_owned()),
    }
}

fn renamed(first: &str, pairs: &[Pair]) -> Option<String> {
    pairs.iter().find_map(|(second, known)| {
        let rest = first.strip_prefix(known)?;
        let is_whole = rest.is_empty() || rest.starts_with('/');
        let second = second.strip_suffix("/0").unwrap_or(second);
        is_whole.then(|| format!("{second}{rest}").trim_start_matches('/').replace('/', "."))
    })
}

fn copy<'p>(from: &Value, to: &mut Value, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
    for (there, here) in pairs {
        // A list has no place that could be made for one.
        if let Some(value) = from.pointer(there).filter(|value| says_something(value))
            && !here.ends_with("/0")
        {
            put(to, here, value.clone());
        }
    }
}

/// Whether a value is more than null: a hash of nothing else is a date that nobody said.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(members) => {
            members.is_empty() || members.values().any(|member| !member.is_null())
        }
        _ => true,
    }
}

/// Writes a value at a path of hashes, and makes those that are not there.
pub fn put(into: &mut Value, path: &str, value: Value) {
    let mut at = into;
    for name in path.trim_start_matches('/').split('/') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar::{self, Field, Kind};

    /// Whether a path leads to a member of an object.
    fn leads(object: &str, path: &str) -> bool {
        let mut fields: &[Field] = &Catalog::get().object(object).unwrap().fields;
        let mut found = true;
        for name in path.trim_start_matches('/').split('/').filter(|name| *name != "0") {
            let field = grammar::field(fields, name);
            found &= field.is_some();
            fields = match field.map(|field| &field.of.kind) {
                Some(Kind::Hash(inner)) => inner,
                _ => &[],
            };
        }
        found
    }

    #[test]
    fn every_name_is_one_that_both_have() {
        for (pairs, objects) in [
            (ACCOUNT, ["v2.core.account", "account"]),
            (PERSON, ["v2.core.account_person", "person"]),
        ] {
            for (second, first) in pairs {
                assert!(leads(objects[0], second), "{second}");
                assert!(leads(objects[1], first), "{first}");
            }
        }
        for (second, _) in PERSON {
            assert!(leads("v2.core.account", &format!("{}{second}", INDIVIDUAL.0)), "{second}");
        }
    }

    #[test]
    fn what_is_asked_for_goes_by_its_name_in_v2() {
        for (first, second) in [
            ("individual.first_name", "identity.individual.given_name"),
            ("individual.dob.day", "identity.individual.date_of_birth.day"),
            ("person_1.id_number", "person_1.id_numbers"),
            ("person_1.nationality", "person_1.nationalities"),
            ("company.address.city", "identity.business_details.address.city"),
            ("tos_acceptance.ip", "identity.attestations.terms_of_service.account.ip"),
            ("business_profile.url", "defaults.profile.business_url"),
            ("business_type", "identity.entity_type"),
            ("documents.other", "documents.other"),
        ] {
            assert_eq!(requirement(first), second);
        }
    }
}
