//! What a dotted path of `expand[]` leads to.

use crate::catalog::Catalog;
use crate::catalog::absent::is_includable;
use crate::catalog::grammar::{self, Field, Kind, Shape, Type};
use crate::catalog::route::Endpoint;
use crate::wire::failure::Failure;

/// How many levels one path can expand.
pub const MAX_LEVELS: usize = 4;

/// What stands at a field, seen by someone who wants to expand it.
#[derive(Clone, Debug)]
pub enum ExpandKind<'c> {
    /// An id of one of these objects, which can be replaced by the object.
    Reference(&'c [&'static str]),
    /// One of these objects, already whole.
    Embedded(&'c [&'static str]),
    /// A list object of these; its elements stand under `data`.
    Page(&'c [&'static str]),
    /// A hash, within which a path may go on.
    Hash(&'c [Field]),
    /// A plain value.
    Plain,
}

/// A field as expansion sees it.
#[derive(Clone, Debug)]
pub struct Target<'c> {
    /// What it is, or its elements are.
    pub kind: ExpandKind<'c>,
    /// A JSON list of them.
    pub many: bool,
    /// Absent unless expanded.
    pub includable: bool,
}

impl Catalog {
    /// What an object's field is to expansion; `None` if there is no such field.
    pub fn expand_target(&self, object: &str, field: &str) -> Option<Target<'_>> {
        let target = expand_in(&self.object(object)?.fields, field)?;
        Some(Target { includable: is_includable(object, field), ..target })
    }

    /// Whether a path of `expand[]` makes sense for what an endpoint answers with.
    pub fn check_expand(&self, endpoint: &Endpoint, path: &str) -> Result<(), Failure> {
        let objects = endpoint.objects();
        let shapes: Vec<&Shape> = objects.iter().filter_map(|name| self.object(name)).collect();
        if shapes.is_empty() {
            return Ok(());
        }
        let refuse = |message: String| Err(Failure::invalid(message));
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > MAX_LEVELS {
            return refuse(format!(
                "You cannot expand more than {MAX_LEVELS} levels of a property ({path})."
            ));
        }
        let rest = match segments.split_first() {
            Some((&"data", rest)) if endpoint.is_list() => rest,
            Some((&"total_count", [])) if endpoint.is_list() => return Ok(()),
            Some((first, _)) if endpoint.is_list() => {
                return refuse(format!(
                    "This property cannot be expanded ({first}). You may want to try expanding 'data.{path}' instead."
                ));
            }
            _ => segments.as_slice(),
        };
        let results = shapes.iter().map(|shape| self.walk(Place::Object(shape), rest));
        match results.into_iter().any(|found| found) {
            true => Ok(()),
            false => refuse(format!("This property cannot be expanded ({path}).")),
        }
    }

    /// Whether a path leads to something that can be expanded. A hash can, and stays what it is.
    fn walk(&self, place: Place<'_>, segments: &[&str]) -> bool {
        let Some((segment, rest)) = segments.split_first() else { return true };
        let (target, includable) = match place {
            Place::Object(shape) => {
                (expand_in(&shape.fields, segment), is_includable(shape.name, segment))
            }
            Place::Hash(fields) => (expand_in(fields, segment), false),
        };
        let Some(target) = target else { return false };
        match (target.kind, rest.split_first()) {
            (ExpandKind::Reference(objects) | ExpandKind::Embedded(objects), _) => {
                self.any_of(objects, rest)
            }
            (ExpandKind::Page(objects), Some((&"data", after))) => self.any_of(objects, after),
            (ExpandKind::Page(_), after) => after.is_none(),
            (ExpandKind::Hash(fields), _) => self.walk(Place::Hash(fields), rest),
            (ExpandKind::Plain, after) => includable && after.is_none(),
        }
    }

    /// Whether the path goes on in at least one of the objects that may stand there.
    fn any_of(&self, objects: &[&'static str], segments: &[&str]) -> bool {
        let mut shapes = objects.iter().filter_map(|name| self.object(name));
        shapes.any(|shape| self.walk(Place::Object(shape), segments))
    }
}

#[derive(Clone, Copy)]
enum Place<'c> {
    Object(&'c Shape),
    Hash(&'c [Field]),
}

/// What a field of a nested hash is to expansion; `None` if there is no such field.
pub fn expand_in<'c>(fields: &'c [Field], name: &str) -> Option<Target<'c>> {
    grammar::field(fields, name).map(|field| target(&field.of))
}

fn target(of: &Type) -> Target<'_> {
    let kind = match &of.kind {
        Kind::List(inner) => return Target { many: true, ..target(inner) },
        Kind::Expandable(objects) => ExpandKind::Reference(objects),
        Kind::Object(objects) => ExpandKind::Embedded(objects),
        Kind::Page(objects) => ExpandKind::Page(objects),
        Kind::Hash(fields) => ExpandKind::Hash(fields),
        _ => ExpandKind::Plain,
    };
    Target { kind, many: false, includable: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::route::Routed;

    fn said(method: &str, url: &str, path: &str) -> Result<(), String> {
        let catalog = Catalog::get();
        let Routed::Found(route) = catalog.route(method, url) else { panic!("{url}") };
        catalog.check_expand(route.endpoint, path).map_err(|failure| {
            assert_eq!((failure.status, failure.code, failure.param), (400, None, None));
            failure.message
        })
    }

    #[test]
    fn references_pages_and_includable_fields_expand() {
        for (url, path) in [
            ("/v1/checkout/sessions/cs_1", "payment_intent.latest_charge.balance_transaction"),
            ("/v1/checkout/sessions/cs_1", "line_items"),
            ("/v1/checkout/sessions/cs_1", "line_items.data.price.product"),
            ("/v1/checkout/sessions", "data.line_items"),
            ("/v1/checkout/sessions", "data.payment_intent.latest_charge"),
            ("/v1/customers/cus_1", "invoice_settings.default_payment_method"),
            ("/v1/customers/cus_1", "tax"),
            ("/v1/customers/search", "total_count"),
            ("/v1/invoices/in_1", "discounts"),
            ("/v1/prices/price_1", "tiers"),
            ("/v1/payment_pages/cs_1", "anything"),
            ("/v1/customers/cus_1", "address"),
            ("/v1/customers/cus_1", "invoice_credit_balance"),
            ("/v1/customers", "data"),
            ("/v1/customers", "data.tax"),
            ("/v1/balance", "instant_available.net_available"),
        ] {
            assert_eq!(said("GET", url, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn each_refusal_has_its_words() {
        let refused = |url, path| said("GET", url, path).unwrap_err();
        for path in ["currency", "aplication", "latest_charge.nope", "customer.name"] {
            assert_eq!(
                refused("/v1/payment_intents/pi_1", path),
                format!("This property cannot be expanded ({path}).")
            );
        }
        for path in ["customer", "nope"] {
            assert_eq!(
                refused("/v1/payment_intents", path),
                format!(
                    "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
                )
            );
        }
        assert!(refused("/v1/invoices/in_1", "a.b.c.d.e").contains("more than 4 levels"));
    }

    /// What an object shows only when it is expanded can be expanded wherever the object is answered.
    #[test]
    fn all_that_is_absent_by_default_can_be_asked_for() {
        let catalog = Catalog::get();
        for endpoint in catalog.routes().all() {
            let objects = endpoint.objects();
            let [name] = objects.as_slice() else { continue };
            let fields = &catalog.object(name).unwrap().fields;
            for field in fields.iter().filter(|field| is_includable(name, field.name)) {
                let data = if endpoint.is_list() { "data." } else { "" };
                let path = format!("{data}{}", field.name);
                assert_eq!(
                    catalog.check_expand(endpoint, &path),
                    Ok(()),
                    "{} {path}",
                    endpoint.key()
                );
            }
        }
    }

    #[test]
    fn a_target_says_what_stands_there() {
        let catalog = Catalog::get();
        let items = catalog.expand_target("checkout.session", "line_items").unwrap();
        assert!(items.includable && matches!(items.kind, ExpandKind::Page(["item"])));
        let discounts = catalog.expand_target("invoice", "discounts").unwrap();
        assert!(discounts.many && matches!(discounts.kind, ExpandKind::Reference(["discount"])));
        let settings = catalog.expand_target("customer", "invoice_settings").unwrap();
        let ExpandKind::Hash(fields) = settings.kind else { panic!() };
        assert!(expand_in(fields, "default_payment_method").is_some());
        assert!(catalog.expand_target("customer", "nope").is_none());
    }
}
