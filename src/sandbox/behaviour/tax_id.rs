//! Tax ids: of a customer or the account's own; what each kind looks like, and whether an office knows it.

use crate::sandbox::behaviour::document::{Handler, member, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that tells what an office said of a tax id.
pub const VERIFY_JOB: &str = "tax_id.verify";
/// How long an office takes, in seconds.
const VERIFY_S: i64 = 60;
/// How many one customer has at most.
const OF_CUSTOMER_MAX: usize = 5;

/// What values of a kind look like: `9` is a digit, `A` a letter, `*` either, `?` what may lack, everything else
/// itself. Blanks, dots, dashes and slashes do not count. Kinds that are not here are taken as they come.
const FORMS: &[(&str, &[&str])] = &[
    ("au_abn", &["99999999999"]),
    ("br_cnpj", &["99999999999999"]),
    ("br_cpf", &["99999999999"]),
    ("ca_bn", &["999999999"]),
    ("ca_gst_hst", &["999999999RT9999"]),
    ("ch_vat", &["CHE999999999MWST", "CHE999999999TVA", "CHE999999999IVA"]),
    ("gb_vat", &["GB999999999", "GB999999999999", "GBGD999", "GBHA999"]),
    ("in_gst", &["99AAAAA9999A*A*"]),
    ("jp_cn", &["9999999999999"]),
    ("jp_rn", &["99999"]),
    ("jp_trn", &["T9999999999999"]),
    ("kr_brn", &["9999999999"]),
    ("mx_rfc", &["AAA999999***", "AAAA999999***"]),
    ("no_vat", &["999999999MVA"]),
    ("nz_gst", &["99999999", "999999999"]),
    ("sg_gst", &["A99999999A", "M99999999A"]),
    ("sg_uen", &["99999999A", "999999999A", "A99AA9999A"]),
    ("th_vat", &["9999999999999"]),
    ("tw_vat", &["99999999"]),
    ("us_ein", &["999999999"]),
    ("za_vat", &["4999999999"]),
];

/// The countries of `eu_vat`, and how many characters follow them at least and at most.
const EU: &[(&str, usize, usize)] = &[
    ("AT", 9, 9),
    ("BE", 10, 10),
    ("BG", 9, 10),
    ("CY", 9, 9),
    ("CZ", 8, 10),
    ("DE", 9, 9),
    ("DK", 8, 8),
    ("EE", 9, 9),
    ("EL", 9, 9),
    ("ES", 9, 9),
    ("FI", 8, 8),
    ("FR", 11, 11),
    ("HR", 11, 11),
    ("HU", 8, 8),
    ("IE", 8, 9),
    ("IT", 11, 11),
    ("LT", 9, 12),
    ("LU", 8, 8),
    ("LV", 11, 11),
    ("MT", 8, 8),
    ("NL", 12, 12),
    ("PL", 10, 10),
    ("PT", 9, 9),
    ("RO", 2, 10),
    ("SE", 12, 12),
    ("SI", 8, 8),
    ("SK", 10, 10),
    ("XI", 9, 12),
];

/// Kinds that an office is asked about.
const CHECKED: &[&str] = &["au_abn", "eu_vat", "gb_vat"];

/// The behaviour of `/v1/tax_ids` and `/v1/customers/{customer}/tax_ids`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/tax_ids" => create_own,
        "GET /v1/tax_ids" => list_own,
        "GET /v1/tax_ids/{id}" => |txn, call| txn.find("tax_id", call.id(0), "id").map(Body::from),
        "DELETE /v1/tax_ids/{id}" => |txn, call| {
            let found = txn.find("tax_id", call.id(0), "id")?;
            Ok(remove(txn, &found))
        },
        "POST /v1/customers/{customer}/tax_ids" => |txn, call| {
            txn.find("customer", call.id(0), "id")?;
            let (kind, value) = (call.text("type"), call.text("value"));
            let owner = json!({"type": "customer", "customer": call.id(0)});
            create(txn, kind.unwrap_or_default(), value.unwrap_or_default(), &owner, "value")
                .map(Body::from)
        },
        "GET /v1/customers/{customer}/tax_ids" => |txn, call| {
            txn.find("customer", call.id(0), "id")?;
            list::page(txn, call, "tax_id", &[Filter::Is("customer", call.id(0).to_owned())])
        },
        "GET /v1/customers/{customer}/tax_ids/{id}" => {
            |txn, call| of_customer(txn, call).map(Body::from)
        }
        "DELETE /v1/customers/{customer}/tax_ids/{id}" => |txn, call| {
            let found = of_customer(txn, call)?;
            Ok(remove(txn, &found))
        },
        _ => return None,
    })
}

/// The job of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == VERIFY_JOB).then_some(on_due as Job)
}

fn of_customer(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let found = txn.find("tax_id", call.id(1), "id")?;
    if text(&found, "customer") == call.id(0) {
        return Ok(found);
    }
    Err(Failure::missing("tax ID", call.id(1), "id"))
}

fn create_own(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let own = json!({"type": "self"});
    let owner = call.get("owner").cloned().unwrap_or(own);
    if text(&owner, "type") == "customer" {
        let id = text(&owner, "customer");
        if id.is_empty() {
            let text = "Missing required param: owner[customer].";
            return Err(Failure::invalid(text).code("parameter_missing").param("owner[customer]"));
        }
        txn.find("customer", id, "owner[customer]")?;
    }
    let (kind, value) = (call.text("type"), call.text("value"));
    create(txn, kind.unwrap_or_default(), value.unwrap_or_default(), &owner, "value")
        .map(Body::from)
}

/// Makes a tax id of an owner and tells of it. `param` is the parameter that says its value.
///
/// Fails for a value that does not look like its kind, and for one too many.
pub fn create(
    txn: &mut Txn<'_>,
    kind: &str,
    value: &str,
    owner: &Value,
    param: &str,
) -> Result<Arc<Object>, Failure> {
    let value = value.trim();
    if !is_well_formed(kind, value) {
        let text = format!("Invalid value for {kind}.");
        return Err(Failure::invalid(text).code("tax_id_invalid").param(param));
    }
    let customer = owner.get("customer").filter(|it| it.is_string()).cloned().unwrap_or_default();
    if let Some(id) = customer.as_str()
        && txn.having("tax_id", "customer", id).len() >= OF_CUSTOMER_MAX
    {
        let text = format!("You cannot add more than {OF_CUSTOMER_MAX} tax IDs to a customer.");
        return Err(Failure::invalid(text));
    }
    let is_checked = CHECKED.contains(&kind);
    let verification = json!({
        "status": if is_checked { "pending" } else { "unavailable" },
        "verified_address": null, "verified_name": null,
    });
    let id = txn.new_id("txi_1", 23);
    let doc = new(
        "tax_id",
        json!({
            "id": id, "country": country(kind, value), "created": txn.now().0,
            "customer": customer, "livemode": false, "type": kind, "value": value,
            "owner": {
                "account": member(owner, "account"), "application": null, "customer": customer,
                "customer_account": null, "type": member(owner, "type"),
            },
            "verification": verification,
        }),
    );
    let made = txn.put(doc);
    tell(txn, "created", &made);
    if is_checked {
        let due = txn.now().plus(VERIFY_S);
        txn.schedule(due, VERIFY_JOB, &json!({"id": id}));
    }
    Ok(made)
}

/// Only what customers have is told of.
fn tell(txn: &mut Txn<'_>, word: &str, object: &Object) {
    if object["customer"].is_string() {
        txn.emit(&format!("customer.tax_id.{word}"), object);
    }
}

/// The country of a kind; that of `eu_vat` stands in its value.
fn country(kind: &str, value: &str) -> Value {
    let from = if kind == "eu_vat" { value } else { kind };
    let code = from.get(..2).unwrap_or_default().to_ascii_uppercase();
    match (kind, code.as_str()) {
        ("eu_oss_vat" | "unknown", _) => Value::Null,
        (_, "EL") => json!("GR"),
        (_, "XI") => json!("GB"),
        _ => json!(code),
    }
}

/// The kinds that a form offers: those whose values can be checked.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    std::iter::once("eu_vat").chain(FORMS.iter().map(|(kind, _)| *kind))
}

/// Whether a value looks like one of its kind.
pub fn is_well_formed(kind: &str, value: &str) -> bool {
    let plain: String = value
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '/'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if kind == "eu_vat" {
        let Some((country, rest)) = plain.split_at_checked(2) else { return false };
        return EU.iter().any(|(code, least, most)| {
            *code == country
                && (*least..=*most).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    }
    match FORMS.iter().find(|(known, _)| *known == kind) {
        Some((_, forms)) => forms.iter().any(|form| fits(form, &plain)),
        None => !plain.is_empty(),
    }
}

fn fits(form: &str, plain: &str) -> bool {
    let one = |(form, c): (char, char)| match form {
        '9' => c.is_ascii_digit(),
        'A' => c.is_ascii_alphabetic(),
        '*' => c.is_ascii_alphanumeric(),
        own => own == c,
    };
    form.chars().count() == plain.chars().count() && form.chars().zip(plain.chars()).all(one)
}

fn list_own(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let owner = call.get("owner").cloned().unwrap_or(json!({"type": "self"}));
    let mut filters = vec![Filter::Is("owner.type", text(&owner, "type").to_owned())];
    for (name, path) in [("customer", "owner.customer"), ("account", "owner.account")] {
        if let Some(id) = owner.get(name).and_then(Value::as_str) {
            filters.push(Filter::Is(path, id.to_owned()));
        }
    }
    list::page(txn, call, "tax_id", &filters)
}

fn remove(txn: &mut Txn<'_>, found: &Object) -> Body {
    let id = text(found, "id");
    txn.remove("tax_id", id);
    tell(txn, "deleted", found);
    json!({"id": id, "object": "tax_id", "deleted": true}).into()
}

/// The job behind [`VERIFY_JOB`]: digits that are all 1 are unknown to the office, all 2 keep it waiting.
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "id");
    let Some(found) = txn.get("tax_id", id) else { return };
    let digits: String = text(&found, "value").chars().filter(char::is_ascii_digit).collect();
    let all = |digit: char| !digits.is_empty() && digits.chars().all(|it| it == digit);
    let (status, name, address) = if all('2') {
        return;
    } else if all('1') {
        ("unverified", Value::Null, Value::Null)
    } else {
        ("verified", json!("TEST"), json!("123 TEST STREET"))
    };
    let changed = txn.edit("tax_id", id, |doc| {
        let told = json!({"status": status, "verified_address": address, "verified_name": name});
        doc.insert("verification".to_owned(), told);
    });
    if let Some((before, after)) = changed.filter(|(_, after)| after["customer"].is_string()) {
        txn.emit_change("customer.tax_id.updated", &before, &after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;

    #[test]
    fn each_kind_looks_like_itself() {
        for (kind, good, bad) in [
            ("jp_trn", "T1234567891234", "1234567891234"),
            ("jp_cn", "1234567891234", "T1234567891234"),
            ("jp_rn", "12345", "1234"),
            ("eu_vat", "DE123456789", "DE12345678"),
            ("eu_vat", "FRAB123456789", "ZZ123456789"),
            ("gb_vat", "GB 123 456 789", "123456789"),
            ("us_ein", "12-3456789", "12-345678"),
            ("au_abn", "12345678912", "1234567891"),
            ("za_vat", "4123456789", "5123456789"),
            ("in_gst", "12ABCDE3456FGZH", "12ABCDE3456FG"),
            ("ch_vat", "CHE-123.456.789 MWST", "CHE-123.456.789"),
            ("ve_rif", "A-12345678-9", ""),
        ] {
            assert!(is_well_formed(kind, good), "{kind} {good}");
            assert!(!is_well_formed(kind, bad), "{kind} {bad}");
        }
    }

    #[test]
    fn an_office_knows_it_does_not_or_keeps_waiting() {
        let mut lab = Lab::new();
        let customer = lab.ok("POST /v1/customers", json!({}))["id"].clone();
        let path = format!("/v1/customers/{}/tax_ids", customer.as_str().unwrap());
        let mut make = |value: &str| {
            lab.ok(&format!("POST {path}"), json!({"type": "eu_vat", "value": value}))["id"].clone()
        };
        let ids = ["DE000000000", "DE111111111", "DE222222222"].map(&mut make);
        lab.advance(VERIFY_S + 1);
        let status =
            ids.map(|id| lab.get("tax_id", id.as_str().unwrap())["verification"]["status"].clone());
        assert_eq!(status, ["verified", "unverified", "pending"]);
        let updated = lab.events().iter().filter(|it| *it == "customer.tax_id.updated").count();
        assert_eq!(updated, 2);
        let failure = lab
            .call(&format!("POST {path}"), json!({"type": "jp_trn", "value": "T1"}))
            .unwrap_err();
        assert_eq!(failure.message, "Invalid value for jp_trn.");
        assert_eq!(failure.code.as_deref(), Some("tax_id_invalid"));
        let trn =
            lab.ok(&format!("POST {path}"), json!({"type": "jp_trn", "value": "T1234567891234"}));
        assert_eq!(
            (&trn["country"], &trn["verification"]["status"]),
            (&json!("JP"), &json!("unavailable"))
        );
    }

    #[test]
    fn the_accounts_own_and_a_customers_are_listed_apart() {
        let mut lab = Lab::new();
        let customer = lab.ok("POST /v1/customers", json!({}))["id"].clone();
        let own = lab.ok("POST /v1/tax_ids", json!({"type": "jp_trn", "value": "T1234567891234"}));
        let asked = json!({"type": "us_ein", "value": "12-3456789",
            "owner": {"type": "customer", "customer": customer}});
        let other = lab.ok("POST /v1/tax_ids", asked);
        assert_eq!(lab.ok("GET /v1/tax_ids", json!({}))["data"], json!([own]));
        let of = json!({"owner": {"type": "customer", "customer": customer}});
        assert_eq!(lab.ok("GET /v1/tax_ids", of)["data"], json!([other]));
        assert_eq!(lab.events(), ["customer.created", "customer.tax_id.created"]);
    }
}
