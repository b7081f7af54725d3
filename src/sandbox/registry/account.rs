//! Accounts: the caller's own, and the connected ones that `Stripe-Account` reaches.
//!
//! What they are asked for, and what they may do by then, is `behaviour::connect`'s to know.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::connect::onboarding::no_access;
use crate::sandbox::behaviour::connect::requirements::Standing;
use crate::sandbox::behaviour::connect::{
    APPLICATION_NAME, application, bank, currency_in, standing,
};
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::draft::{self, Draft};
use crate::sandbox::registry::{connect, table};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Parameters that [`write()`] puts into an account itself; the others go where the catalog says.
const OWN: &[&str] = &[
    "bank_account",
    "capabilities",
    "controller",
    "documents",
    "external_account",
    "individual",
    "requested_capabilities",
    "type",
];

/// The behaviour of `/v1/account` and `/v1/accounts`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/account" => own,
        "POST /v1/accounts" => create,
        "GET /v1/accounts/{account}" => retrieve,
        "POST /v1/accounts/{account}" => update,
        "DELETE /v1/accounts/{account}" => delete,
        "POST /v1/accounts/{account}/reject" => reject,
        "POST /v1/accounts/{account}/unreject" => unreject,
        "GET /v1/accounts" => |txn, call| list::page(txn, call, "account", &[]),
        _ => return None,
    })
}

/// The caller's own account: the platform of the world, or the connected account that is worked in.
fn own(txn: &mut Txn<'_>, _: &Call) -> Result<Body, Failure> {
    let account = txn.scope().account.to_string();
    if account.is_empty() {
        return Ok(Value::Object(platform(txn)).into());
    }
    find(txn, &account).map(Body::from)
}

fn platform(txn: &Txn<'_>) -> Doc {
    let settings = Settings::of(txn);
    let mut doc = blank(txn, settings.get("country"), "standard");
    let methods = ["card_payments", "konbini_payments", "transfers"];
    let standing = Standing {
        capabilities: methods.map(|name| (name.to_owned(), "active")).into_iter().collect(),
        charges: true,
        payouts: true,
        submitted: true,
        ..Standing::default()
    };
    let id = txn.platform_id();
    doc.insert("external_accounts".to_owned(), standing::external_accounts(txn, &id));
    doc.insert("default_currency".to_owned(), json!(settings.get("currency")));
    doc.insert("created".to_owned(), Value::Null);
    doc.insert("id".to_owned(), json!(id));
    standing::show(&mut doc, &standing);
    doc
}

/// An account as it is before anything is known of it.
fn blank(txn: &Txn<'_>, country: &str, kind: &str) -> Doc {
    let described = table::row("account").zip(Catalog::get().object("account"));
    let mut doc = described
        .map(|(row, shape)| draft::begin(txn, row, shape, &Map::new()).doc)
        .unwrap_or_default();
    doc.insert("country".to_owned(), json!(country));
    doc.insert("default_currency".to_owned(), json!(currency_in(country)));
    doc.insert("controller".to_owned(), controller(kind));
    doc.insert("type".to_owned(), json!(kind));
    doc
}

/// Who pays, who bears losses, who asks and who shows, of an account of a type.
fn controller(kind: &str) -> Value {
    let (payer, losses, asks, shows) = match kind {
        "express" => ("application_express", "application", "stripe", "express"),
        "custom" => ("application_custom", "application", "application", "none"),
        _ => ("account", "stripe", "stripe", "full"),
    };
    json!({
        "fees": {"payer": payer}, "is_controller": true, "losses": {"payments": losses},
        "requirement_collection": asks, "stripe_dashboard": {"type": shows}, "type": "application",
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if !txn.scope().account.is_empty() {
        let text = "A connected account cannot make accounts of its own in this sandbox.";
        return Err(Failure::of(501, FailureKind::Api, text));
    }
    let settings = Settings::of(txn);
    let country = call.text("country").unwrap_or_else(|| settings.get("country")).to_owned();
    let dashboard = call.hash("controller").and_then(|it| it.get("stripe_dashboard"));
    let kind = call.text("type").unwrap_or(match dashboard.map(|it| text(it, "type")) {
        Some("express") => "express",
        Some("none") => "custom",
        _ => "standard",
    });
    let mut doc = blank(txn, &country, kind);
    let id = txn.new_id("acct_1", 15);
    doc.insert("id".to_owned(), json!(id));
    doc.insert("external_accounts".to_owned(), standing::external_accounts(txn, &id));
    standing::show(&mut doc, &Standing::default());
    // A platform that bears the losses may spare its accounts.
    let debits = doc.get_mut("settings");
    if let Some(debits) = debits.and_then(|it| it.pointer_mut("/payouts/debit_negative_balances")) {
        *debits = json!(kind != "custom");
    }
    write(txn, &mut doc, call)?;
    set_delay(&mut doc, call);
    txn.in_account("", |txn| txn.put(doc));
    standing::refresh(txn, &id, false);
    find(txn, &id).map(Body::from)
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if call.id(0) == txn.platform_id() {
        return Ok(Value::Object(platform(txn)).into());
    }
    find(txn, call.id(0)).map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let before = find(txn, call.id(0))?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    let id = call.id(0).to_owned();
    let after = txn.in_account("", |txn| {
        write(txn, &mut doc, call)?;
        txn.put(doc);
        standing::refresh(txn, &id, false);
        find(txn, &id)
    })?;
    standing::tell(txn, &id, &before, &after);
    Ok(after.into())
}

fn reject(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    // Which reason shows as what is believed.
    let shown = match call.text("reason").unwrap_or_default() {
        reason if reason.starts_with("fraud") => "rejected.fraud",
        "terms_of_service" => "rejected.terms_of_service",
        _ => "rejected.other",
    };
    set_rejected(txn, call.id(0), json!(shown))
}

fn unreject(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    set_rejected(txn, call.id(0), Value::Null)
}

fn set_rejected(txn: &mut Txn<'_>, id: &str, reason: Value) -> Result<Body, Failure> {
    let found = find(txn, id)?;
    if text(&found, "type") == "standard" {
        // Believed: who bears the losses decides.
        let text = "You cannot reject an account whose losses Stripe bears.";
        return Err(Failure::invalid(text));
    }
    standing::keep(txn, id, |doc| drop(doc.insert("rejected".to_owned(), reason)));
    standing::refresh(txn, id, true);
    find(txn, id).map(Body::from)
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = find(txn, call.id(0))?;
    let id = text(&found, "id").to_owned();
    let application =
        json!({"id": application(txn), "object": "application", "name": APPLICATION_NAME});
    txn.in_account(&id, |txn| txn.emit_about("account.application.deauthorized", &application));
    txn.in_account("", |txn| txn.remove("account", &id));
    Ok(json!({"id": id, "object": "account", "deleted": true}).into())
}

/// The account, wherever the call comes from; accounts stand with the platform.
fn find(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let own = txn.scope().account.to_string();
    let visible = own.is_empty() || own == id;
    let found = txn.in_account("", |txn| txn.get("account", id)).filter(|_| visible);
    found.ok_or_else(|| no_access(id))
}

/// Writes the sent parameters into an account.
fn write(txn: &mut Txn<'_>, doc: &mut Doc, call: &Call) -> Result<(), Failure> {
    let Some(shape) = Catalog::get().object("account") else { return Ok(()) };
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut params = call.params.clone();
    // The word for the shortest delay there is.
    if let Some(delay) =
        params.get_mut("settings").and_then(|it| it.pointer_mut("/payouts/schedule/delay_days"))
        && delay.as_str() == Some("minimum")
    {
        *delay = json!(2);
    }
    if let Some(Value::Object(sent)) = call.get("controller")
        && let Some(Value::Object(controller)) = doc.get_mut("controller")
    {
        controller.extend(sent.clone());
    }
    let business = call.text("business_type").or(doc.get("business_type").and_then(Value::as_str));
    let is_company = call.sent("company") || business.is_some();
    if is_company && !doc.contains_key("company") {
        doc.insert("company".to_owned(), company(doc.get("country")));
    }
    let mut written = Draft { doc: std::mem::take(doc), ..Draft::default() };
    written.write(txn, shape, &params, OWN)?;
    *doc = written.doc;
    if let Some(Value::Object(sent)) = call.get("individual") {
        let country = doc.get("country").and_then(Value::as_str).unwrap_or_default();
        let person = connect::put_person(txn, (&id, country), doc.get("individual"), sent)?;
        doc.insert("individual".to_owned(), standing::within(&person));
    }
    for name in ["external_account", "bank_account"] {
        if let Some(sent) = call.get(name) {
            let bank = bank::drafted(txn, &id, sent, name)?;
            txn.in_account(&id, |txn| bank::replace(txn, &id, bank));
        }
    }
    show_name(doc);
    let asked = requested(call);
    standing::request(txn, &id, &asked);
    Ok(())
}

/// Has an account go by the name of its business, else by its site, where it was not told otherwise: on the
/// dashboard, on statements (22 characters) and before what a statement says of a payment (10).
fn show_name(doc: &mut Doc) {
    let profile = |name: &str| {
        doc.get("business_profile").and_then(|it| it.get(name)).and_then(Value::as_str)
    };
    let site = profile("url").map(|url| {
        let address = url.split_once("://").map_or(url, |(_, address)| address);
        let host = address.split(['/', '?', '#']).next().unwrap_or(address);
        host.strip_prefix("www.").unwrap_or(host)
    });
    let Some(name) = profile("name").or(site).map(str::to_owned) else { return };
    let short = |most: usize| {
        let text: String = name.to_uppercase().chars().take(most).collect();
        text.trim_end().to_owned()
    };
    let shown = [
        ("/dashboard/display_name", name.clone()),
        ("/payments/statement_descriptor", short(22)),
        ("/card_payments/statement_descriptor_prefix", short(10)),
    ];
    let Some(settings) = doc.get_mut("settings") else { return };
    for (path, text) in shown {
        if let Some(place) = settings.pointer_mut(path).filter(|place| place.is_null()) {
            *place = json!(text);
        }
    }
}

/// Sets after how many days a new custom account is paid out, where it was not said: as recorded.
fn set_delay(doc: &mut Doc, call: &Call) {
    let sent = call.get("settings").and_then(|it| it.pointer("/payouts/schedule/delay_days"));
    let is_custom = doc.get("type").and_then(Value::as_str) == Some("custom");
    if sent.is_some() || !is_custom {
        return;
    }
    let country = doc.get("country").and_then(Value::as_str).unwrap_or_default().to_owned();
    let schedule = doc.get_mut("settings").and_then(|it| it.pointer_mut("/payouts/schedule"));
    if let Some(Value::Object(schedule)) = schedule {
        let is_manual = schedule.get("interval").and_then(Value::as_str) == Some("manual");
        let days = match (country.as_str(), is_manual) {
            ("KR", _) => 0,
            (_, true) => 1,
            ("CA" | "MX", _) => 7,
            _ => 2,
        };
        schedule.insert("delay_days".to_owned(), json!(days));
    }
}

fn company(country: Option<&Value>) -> Value {
    let mut company = json!({
        "address": {"city": null, "country": country, "line1": null, "line2": null,
            "postal_code": null, "state": null},
        "directors_provided": false, "executives_provided": false, "name": null,
        "owners_provided": false, "tax_id_provided": false,
        "verification": {"document": {"back": null, "details": null, "details_code": null,
            "front": null}},
    });
    // As recorded of these two, and of no other.
    let is_told_more = country.and_then(Value::as_str).is_some_and(|it| ["AE", "KR"].contains(&it));
    if let (true, Some(company)) = (is_told_more, company.as_object_mut()) {
        for name in ["name_kana", "name_kanji", "ownership_declaration"] {
            company.insert(name.to_owned(), Value::Null);
        }
        company.insert("vat_id_provided".to_owned(), json!(false));
    }
    company
}

/// The capabilities that a call asks for, or no longer.
fn requested(call: &Call) -> Vec<(String, bool)> {
    let wishes = call.hash("capabilities").into_iter().flatten();
    let wishes =
        wishes.filter_map(|(name, wish)| Some((name.clone(), wish.get("requested")?.as_bool()?)));
    let older = call.list("requested_capabilities").iter().filter_map(Value::as_str);
    wishes.chain(older.map(|name| (name.to_owned(), true))).collect()
}

#[cfg(test)]
mod tests {
    use crate::sandbox::testing::Lab;
    use serde_json::json;

    #[test]
    fn an_account_is_made_changed_listed_and_deleted() {
        let mut lab = Lab::new();
        let own = lab.ok("GET /v1/account", json!({}));
        assert_eq!((&own["country"], &own["default_currency"]), (&json!("JP"), &json!("jpy")));
        let asked = json!({
            "type": "custom", "country": "US", "email": "a@example.com",
            "capabilities": {"card_payments": {"requested": true}}, "metadata": {"shop": "1"},
        });
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(
            (&made["capabilities"]["card_payments"], &made["charges_enabled"]),
            (&json!("inactive"), &json!(false))
        );
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/accounts/{id}");
        let changed = lab.ok(&format!("POST {path}"), json!({"business_profile": {"name": "Tea"}}));
        assert_eq!(changed["business_profile"]["name"], "Tea");
        assert_eq!(changed["metadata"], made["metadata"]);
        assert_eq!(lab.ok(&format!("GET {path}"), json!({})), changed);
        assert_eq!(lab.ok("GET /v1/accounts", json!({}))["data"].as_array().unwrap().len(), 1);
        assert_eq!(lab.ok(&format!("DELETE {path}"), json!({}))["deleted"], true);
        let failure = lab.call(&format!("GET {path}"), json!({})).unwrap_err();
        assert_eq!((failure.status, failure.code.as_deref()), (403, Some("account_invalid")));
    }

    #[test]
    fn what_an_account_shows_unasked_depends_on_its_country() {
        for (country, more) in [("US", false), ("CA", false), ("AE", true), ("KR", true)] {
            let mut lab = Lab::new();
            let asked = json!({"type": "custom", "country": country, "business_type": "individual",
                "individual": {"first_name": "Jenny"}});
            let made = lab.ok("POST /v1/accounts", asked);
            let company = made["company"].as_object().unwrap();
            assert_eq!(company.get("vat_id_provided"), more.then_some(&json!(false)), "{country}");
            assert_eq!(company.contains_key("name_kana"), more, "{country}");
            let person = made["individual"].as_object().unwrap();
            assert_eq!(person.get("gender").is_some(), more, "{country}");
            let path = format!("POST /v1/accounts/{}/persons", made["id"].as_str().unwrap());
            let other = lab.ok(&path, json!({"first_name": "Aki"}));
            assert_eq!(other.get("maiden_name").is_some(), more, "{country}");
        }
    }

    #[test]
    fn a_bank_account_in_the_accounts_own_parameters_replaces_the_one_of_its_currency() {
        let mut lab = Lab::new();
        let bank = |currency: &str| json!({"country": "US", "currency": currency, "account_number": "000123456789"});
        let asked = json!({"type": "custom", "country": "US", "bank_account": bank("usd")});
        let made = lab.ok("POST /v1/accounts", asked);
        let id = made["id"].as_str().unwrap();
        let first = &made["external_accounts"]["data"][0]["id"];
        let path = format!("POST /v1/accounts/{id}");
        for (currency, many) in [("usd", 1), ("eur", 2), ("usd", 2)] {
            let now = lab.ok(&path, json!({"bank_account": bank(currency)}));
            let held = now["external_accounts"]["data"].as_array().unwrap();
            assert_eq!(held.len(), many, "{currency}");
            assert!(held.iter().all(|it| it["default_for_currency"] == true && it["id"] != *first));
        }
        // A token may have been made in the account itself.
        let token = |lab: &mut Lab| lab.ok("POST /v1/tokens", json!({"bank_account": bank("usd")}));
        let token = lab.within(id, token)["id"].clone();
        let now = lab.ok(&path, json!({"external_account": token}));
        assert_eq!(now["external_accounts"]["total_count"], 2);
        // Its own endpoint adds one beside it.
        let added = format!("{path}/external_accounts");
        lab.ok(&added, json!({"external_account": bank("usd")}));
        let path = path.replace("POST", "GET");
        assert_eq!(lab.ok(&path, json!({}))["external_accounts"]["total_count"], 3);
    }

    #[test]
    fn an_account_goes_by_the_name_of_its_business_else_by_its_site() {
        let long = "Tea and Coffee of the North";
        for (profile, shown) in [
            (
                json!({"name": long, "url": "https://a.example"}),
                [long, "TEA AND COFFEE OF THE", "TEA AND CO"],
            ),
            (
                json!({"url": "https://www.tea.example/shop?a=1"}),
                ["tea.example", "TEA.EXAMPLE", "TEA.EXAMPL"],
            ),
            (json!({"url": "www.tea.example"}), ["tea.example", "TEA.EXAMPLE", "TEA.EXAMPL"]),
        ] {
            let mut lab = Lab::new();
            let asked = json!({"type": "custom", "country": "US", "business_profile": profile});
            let settings = &lab.ok("POST /v1/accounts", asked)["settings"];
            assert_eq!(settings["dashboard"]["display_name"], shown[0]);
            assert_eq!(settings["payments"]["statement_descriptor"], shown[1]);
            assert_eq!(settings["card_payments"]["statement_descriptor_prefix"], shown[2]);
        }
        let mut lab = Lab::new();
        let asked = json!({
            "type": "custom", "country": "US", "business_profile": {"name": "Tea"},
            "settings": {"payments": {"statement_descriptor": "COFFEE"}},
        });
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(made["settings"]["payments"]["statement_descriptor"], "COFFEE");
        let plain = lab.ok("POST /v1/accounts", json!({"type": "standard", "country": "US"}));
        assert_eq!(plain["settings"]["dashboard"]["display_name"], json!(null));
    }

    #[test]
    fn a_standard_account_says_what_is_due_until_it_was_sent() {
        let mut lab = Lab::new();
        let asked = json!({"type": "standard", "country": "AU", "business_type": "non_profit"});
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(
            (&made["default_currency"], &made["charges_enabled"]),
            (&json!("aud"), &json!(false))
        );
        assert_eq!((&made["capabilities"], &made["company"]["name"]), (&json!({}), &json!(null)));
        assert_eq!(made["requirements"]["past_due"].as_array().unwrap().len(), 6);
        assert_eq!(made["requirements"]["disabled_reason"], "requirements.past_due");
        let asked = json!({
            "business_profile": {"product_description": "Tea", "support_phone": "1", "url": "https://example.com"},
            "external_account": "btok_us_verified", "tos_acceptance": {"date": 1, "ip": "127.0.0.1"},
        });
        let path = format!("POST /v1/accounts/{}", made["id"].as_str().unwrap());
        let whole = lab.ok(&path, asked);
        assert_eq!(
            (&whole["charges_enabled"], &whole["external_accounts"]["total_count"]),
            (&json!(true), &json!(1))
        );
        assert_eq!(whole["requirements"]["currently_due"], json!([]));
    }

    #[test]
    fn a_custom_account_takes_what_older_versions_sent() {
        let mut lab = Lab::new();
        let asked = json!({
            "type": "custom", "country": "US", "requested_capabilities": ["transfers"],
            "business_type": "individual",
            "individual": {"first_name": "Jenny", "id_number": "000000000", "dob": {"day": 1, "month": 1, "year": 1990}},
            "bank_account": {"country": "US", "currency": "usd", "account_number": "000123456789"},
        });
        let made = lab.ok("POST /v1/accounts", asked);
        assert_eq!(made["capabilities"], json!({"transfers": "inactive"}));
        assert_eq!(made["individual"]["id_number_provided"], true);
        assert_eq!(made["individual"]["relationship"]["representative"], true);
        assert_eq!(made["external_accounts"]["data"][0]["last4"], "6789");
        assert_eq!(made["controller"]["requirement_collection"], "application");
        let path = format!("GET /v1/accounts/{}/persons", made["id"].as_str().unwrap());
        // By itself a person also tells what it agreed to.
        let mut own = made["individual"].clone();
        let agreed = json!({"account": {"date": null, "ip": null, "user_agent": null}});
        own["additional_tos_acceptances"] = agreed.clone();
        assert_eq!(lab.ok(&path, json!({}))["data"], json!([own]));
        let other = lab.ok(&path.replace("GET", "POST"), json!({"first_name": "Aki"}));
        assert_eq!(other["additional_tos_acceptances"], agreed);
        let said = json!({"additional_tos_acceptances": {"account": {"date": 1}}});
        let path =
            format!("POST {}/{}", path.trim_start_matches("GET "), own["id"].as_str().unwrap());
        assert_eq!(lab.ok(&path, said)["additional_tos_acceptances"]["account"]["date"], 1);
        let path = format!("POST /v1/accounts/{}", made["id"].as_str().unwrap());
        let changed = lab.ok(&path, json!({"individual": {"last_name": "Rosen"}}));
        assert_eq!(changed["individual"].get("additional_tos_acceptances"), None);
        let path = format!(
            "GET {}/persons/{}",
            path.trim_start_matches("POST "),
            own["id"].as_str().unwrap()
        );
        assert_eq!(lab.ok(&path, json!({}))["additional_tos_acceptances"]["account"]["date"], 1);
    }
}
