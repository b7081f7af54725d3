//! What is there without anybody having made it, and whether what a parameter names is there.
//!
//! The reference data is a small choice of our own; a request may name any tax code that looks like one.

use crate::catalog::Catalog;
use crate::catalog::route::Endpoint;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::behaviour::report::kinds::{self, Report};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::table;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::OnceLock;

const DATA: &str = include_str!("reference.tsv");

/// Where the reference data is asked for.
const PATHS: [(&str, &str); 7] = [
    ("/v1/climate/products", "climate.product"),
    ("/v1/climate/suppliers", "climate.supplier"),
    ("/v1/country_specs", "country_spec"),
    ("/v1/exchange_rates", "exchange_rate"),
    ("/v1/issuing/physical_bundles", "issuing.physical_bundle"),
    ("/v1/reporting/report_types", "reporting.report_type"),
    ("/v1/tax_codes", "tax_code"),
];

/// The behaviour of reference data.
pub fn handler(endpoint: &Endpoint) -> Option<Handler> {
    let path = endpoint.path;
    let is_data = PATHS.iter().any(|(start, _)| path.starts_with(start));
    match (endpoint.method, path.ends_with('}')) {
        ("GET", true) if is_data => Some(retrieve),
        ("GET", false) if is_data => Some(page),
        _ => None,
    }
}

fn kind_of(call: &Call) -> &'static str {
    let path = call.key.split_once(' ').map_or("", |(_, path)| path);
    PATHS.iter().find(|(start, _)| path.starts_with(start)).map_or("", |(_, kind)| kind)
}

fn retrieve(_: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let kind = kind_of(call);
    let found = all().iter().find(|it| it["object"] == kind && it["id"] == call.id(0));
    found.map(|it| it.clone().into()).ok_or_else(|| {
        let name = call.key.rsplit_once('{').map_or("id", |(_, rest)| rest.trim_end_matches('}'));
        absent(kind, call.id(0), name)
    })
}

fn page(_: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let kind = kind_of(call);
    let items: Vec<Value> = all().iter().filter(|it| it["object"] == kind).cloned().collect();
    if kind == "reporting.report_type" {
        // All of them, as nobody can ask for another page.
        let list =
            json!({"object": "list", "data": items, "has_more": false, "url": list::url(call)});
        return Ok(list.into());
    }
    list::page_of(call, kind, &items)
}

/// The reference data, every object with the members that the API shows.
fn all() -> &'static [Value] {
    static ALL: OnceLock<Vec<Value>> = OnceLock::new();
    ALL.get_or_init(|| {
        let lines = DATA.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = lines.filter_map(|line| {
            let [kind, id, members] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
            let mut doc = Catalog::get().blank(kind);
            let members: Value = serde_json::from_str(members).ok()?;
            doc.extend(members.as_object().cloned().unwrap_or_default());
            doc.insert("id".to_owned(), json!(id));
            Some(Value::Object(doc))
        });
        read.chain(kinds::ALL.iter().flat_map(report_types)).collect()
    })
}

/// The types of a report: one for each of its versions.
fn report_types(report: &'static Report) -> impl Iterator<Item = Value> {
    (1..=report.versions).map(|version| {
        let mut doc = Catalog::get().blank("reporting.report_type");
        let name = report.name.replace(['.', '_'], " ");
        let members = json!({
            "id": format!("{}.{version}", report.name), "name": name, "version": version,
            "default_columns": report.columns, "data_available_start": 1_735_689_600,
            "data_available_end": 1_798_761_600, "updated": 1_798_761_600,
        });
        doc.extend(members.as_object().cloned().unwrap_or_default());
        Value::Object(doc)
    })
}

/// Refuses the id of what does not exist. Gives the object where it is at hand.
pub fn ensure(
    txn: &mut Txn<'_>,
    kinds: &[&'static str],
    id: &str,
    param: &str,
) -> Result<Option<Value>, Failure> {
    for kind in kinds {
        match *kind {
            "account" => {
                let account = txn.in_account("", |txn| txn.get("account", id));
                if account.is_some() || id == txn.platform_id() {
                    return Ok(account.map(|account| account.document()));
                }
            }
            // Other programs' applications are never seen here.
            "application" => return Ok(None),
            "payment_method" => {
                return method::instantiate_test_method(txn, id, param)
                    .map(|it| Some(it.document()));
            }
            // What the platform uploaded, its accounts may name; the others are Stripe's own for tests.
            "file" if txn.at("").stored("file", id).is_some() => return Ok(None),
            "file" if id.starts_with("file_identity_document_") => return Ok(None),
            "tax_code" if is_tax_code(id) => return Ok(None),
            _ => {}
        }
        if let Some(found) = txn.get(kind, id).filter(|it| !it.stored().is_deleted()) {
            return Ok(Some(found.document()));
        }
        if let Some(found) = all().iter().find(|it| it["object"] == *kind && it["id"] == id) {
            return Ok(Some(found.clone()));
        }
    }
    let kind = kinds.first().copied().unwrap_or("object");
    Err(Failure::missing(table::noun(kind), id, param))
}

fn is_tax_code(id: &str) -> bool {
    let digits = id.strip_prefix("txcd_");
    digits.is_some_and(|it| it.len() == 8 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The refusal of an id that stood in the path.
pub fn absent(kind: &str, id: &str, param: &str) -> Failure {
    Failure { status: 404, ..Failure::missing(table::noun(kind), id, param) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_data_has_the_shape_of_the_api() {
        let catalog = Catalog::get();
        let lines = DATA.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let reports: usize = kinds::ALL.iter().map(|it| usize::from(it.versions)).sum();
        assert_eq!(lines.count() + reports, all().len());
        for (_, kind) in PATHS {
            assert!(all().iter().any(|it| it["object"] == kind), "{kind}");
        }
        for it in all() {
            assert_eq!(catalog.check(it), Vec::<String>::new(), "{}", it["id"]);
        }
    }
}
