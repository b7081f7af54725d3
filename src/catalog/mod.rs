//! The shapes of the API: every endpoint, parameter, object and event type of one version.
//!
//! The data stands in `fixtures/api/`. Only lines are indexed when the catalog is first used; a shape
//! is read when it is first asked for, so that start-up does not pay for 1.3 MB of text.

pub mod absent;
pub mod check;
pub mod expand;
pub mod grammar;
pub mod legacy;
pub mod limit;
mod metadata;
mod near;
mod path;
pub mod route;
mod scalar;
pub mod stripe_version;
pub mod validate;
pub mod version;

pub use crate::catalog::near::nearest;
use std::collections::HashSet;
use std::sync::OnceLock;

use crate::catalog::grammar::Shape;
use crate::catalog::limit::Limits;
use crate::catalog::route::{Routed, Routes};

const VERSION: &str = include_str!("../../fixtures/api/version.txt");
const ENDPOINTS: &str = include_str!("../../fixtures/api/endpoints.tsv");
const EXTRA_ENDPOINTS: &str = include_str!("../../fixtures/api/extra_endpoints.tsv");
const PARAMS: &str = include_str!("../../fixtures/api/params.tsv");
const EXTRA_PARAMS: &str = include_str!("../../fixtures/api/extra_params.tsv");
const OBJECTS: &str = include_str!("../../fixtures/api/objects.tsv");
const EXTRA_OBJECTS: &str = include_str!("../../fixtures/api/extra_objects.tsv");
const LIMITS: &str = include_str!("../../fixtures/api/limits.tsv");
const EXTRA_LIMITS: &str = include_str!("../../fixtures/api/extra_limits.tsv");
const EVENTS: &str = include_str!("../../fixtures/api/events.txt");
const THIN_EVENTS: &str = include_str!("../../fixtures/api/thin_events.txt");
const ERROR_CODES: &str = include_str!("../../fixtures/api/error_codes.txt");

/// Codes that Stripe documents and sends, and that the SDK's list does not have.
const UNLISTED_ERROR_CODES: [&str; 4] = [
    "insufficient_capabilities_for_transfer",
    legacy::NO_LONGER_SUPPORTED,
    "not_found",
    "price_inactive",
];

/// Everything the API has.
#[derive(Debug)]
pub struct Catalog {
    routes: Routes,
    params: Table,
    objects: Table,
    limits: Limits,
    events: Vec<&'static str>,
    thin_events: Vec<&'static str>,
    error_codes: HashSet<&'static str>,
}

/// Every event type that an account can receive, sorted; for whoever needs nothing else of the catalog.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    EVENTS.lines()
}

impl Catalog {
    /// The catalog, indexed at the first call.
    pub fn get() -> &'static Self {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(|| Self {
            routes: Routes::read([ENDPOINTS, EXTRA_ENDPOINTS]),
            params: Table::read(&[PARAMS, EXTRA_PARAMS]),
            objects: Table::read(&[OBJECTS, EXTRA_OBJECTS]),
            limits: Limits::read(rows(LIMITS), rows(EXTRA_LIMITS)),
            events: EVENTS.lines().collect(),
            thin_events: THIN_EVENTS.lines().collect(),
            error_codes: ERROR_CODES.lines().chain(UNLISTED_ERROR_CODES).collect(),
        })
    }

    /// The API version that the data describes, such as `2026-10-28.endive`.
    pub fn api_version(&self) -> &'static str {
        VERSION.trim_end()
    }

    /// Every event type that an account can receive, sorted.
    pub fn event_types(&self) -> &[&'static str] {
        &self.events
    }

    /// Whether a type is one of a thin event: v2's own, or one of v1 with `v1.` before it.
    pub fn is_thin_event(&self, kind: &str) -> bool {
        self.thin_events.binary_search(&kind).is_ok()
    }

    /// Whether the API knows that value of `error.code`.
    pub fn is_error_code(&self, code: &str) -> bool {
        self.error_codes.contains(code)
    }

    /// Finds the endpoint of a request; fixed segments of a path win over placeholders.
    pub fn route(&'static self, method: &str, path: &str) -> Routed {
        self.routes.route(method, path)
    }

    /// The endpoints.
    pub const fn routes(&self) -> &Routes {
        &self.routes
    }

    /// A parameter shape.
    pub fn params(&self, shape: &str) -> Option<&Shape> {
        self.params.get(shape, |shape| self.limits.put_on(shape))
    }

    /// An object, by the value of `object` on the wire.
    pub fn object(&self, name: &str) -> Option<&Shape> {
        self.objects.get(name, |_| {})
    }

    /// The names of all objects, sorted.
    pub fn object_names(&self) -> impl Iterator<Item = &'static str> {
        self.objects.lines.iter().map(|line| line.name)
    }
}

/// The lines of files by their first column, each read when it is first asked for. A later line of the same name adds
/// its fields, and puts them in the place of those that have their names.
#[derive(Debug)]
struct Table {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    name: &'static str,
    columns: Vec<&'static str>,
    shape: OnceLock<Option<Shape>>,
}

impl Table {
    fn read(texts: &[&'static str]) -> Self {
        let lines = texts.iter().flat_map(|text| rows(text)).map(|row| {
            let (name, columns) = row.split_once('\t').unwrap_or((row, ""));
            Line { name, columns: vec![columns], shape: OnceLock::new() }
        });
        let mut lines: Vec<Line> = lines.collect();
        lines.sort_by_key(|line| line.name);
        lines.dedup_by(|later, line| {
            let is_same = later.name == line.name;
            if is_same {
                line.columns.append(&mut later.columns);
            }
            is_same
        });
        Self { lines }
    }

    /// The shape of a name; `complete` adds to it what other files say when it is first asked for.
    fn get(&self, name: &str, complete: impl FnOnce(&mut Shape)) -> Option<&Shape> {
        let at = self.lines.binary_search_by_key(&name, |line| line.name).ok()?;
        let line = self.lines.get(at)?;
        let read = || {
            let (first, more) = line.columns.split_first()?;
            let mut shape = grammar::shape(line.name, first)?;
            for more in more.iter().filter_map(|columns| grammar::shape(line.name, columns)) {
                shape.fields.retain(|it| more.fields.iter().all(|more| more.name != it.name));
                shape.fields.extend(more.fields);
            }
            complete(&mut shape);
            Some(shape)
        };
        line.shape.get_or_init(read).as_ref()
    }
}

/// The lines of a file without its comments.
fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::grammar::{Field, Kind, Type};

    fn visit(of: &Type, seen: &mut Vec<&'static str>) {
        match &of.kind {
            Kind::Shape(name) => seen.push(name),
            Kind::List(inner) | Kind::Map(inner) => visit(inner, seen),
            Kind::Hash(fields) => fields.iter().for_each(|Field { of, .. }| visit(of, seen)),
            Kind::Union(members) => members.iter().for_each(|member| visit(member, seen)),
            _ => {}
        }
    }

    #[test]
    fn every_line_is_in_the_grammar_and_every_name_leads_somewhere() {
        let catalog = Catalog::get();
        assert_eq!(catalog.api_version(), "2026-10-28.endive");
        assert_eq!(catalog.event_types().len(), 275);
        assert!(catalog.thin_events.is_sorted() && catalog.is_thin_event("v1.customer.created"));
        assert!(catalog.is_error_code("resource_missing") && !catalog.is_error_code("nope"));
        for line in &catalog.params.lines {
            let shape = catalog.params(line.name).unwrap_or_else(|| panic!("{}", line.name));
            let mut names = Vec::new();
            shape.fields.iter().for_each(|field| visit(&field.of, &mut names));
            assert!(names.iter().all(|name| catalog.params(name).is_some()), "{}", line.name);
        }
        for name in catalog.object_names() {
            assert!(!catalog.object(name).unwrap().fields.is_empty(), "{name}");
        }
        for endpoint in catalog.routes().all() {
            assert!(endpoint.params.is_none_or(|name| catalog.params(name).is_some()));
            for object in endpoint.objects() {
                assert!(catalog.object(object).is_some(), "{object}");
            }
        }
        assert_eq!(catalog.routes().all().len(), 661);
    }
}
