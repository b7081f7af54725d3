//! What an endpoint does, read off its path, its method and what it answers.

use crate::catalog::Catalog;
use crate::catalog::route::{Endpoint, Routed};
use crate::sandbox::registry::table::{self, Action, Row};

/// What is done to a resource.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Stores a new object.
    Create,
    /// Shows one.
    Retrieve,
    /// Changes one.
    Update,
    /// Removes one.
    Delete,
    /// Shows a page of them.
    List,
    /// Shows those that a query asks for.
    Search,
    /// Sets the members of an action.
    Set(Action),
}

/// The object within which a resource stands.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Its kind.
    pub kind: &'static str,
    /// Which of the path's ids is its own.
    pub at: usize,
    /// The name of that id in the path.
    pub name: &'static str,
}

/// An endpoint as the registry answers it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it does.
    pub operation: Operation,
    /// The objects that it answers with.
    pub kinds: Vec<&'static str>,
    /// The first of them.
    pub row: &'static Row,
    /// Which of the path's ids is the object's own.
    pub at: usize,
    /// The name of that id in the path: `param` of the error where there is none.
    pub name: &'static str,
    /// What it stands within.
    pub parent: Option<Parent>,
    /// Whether the parent is an account, in which the objects then are.
    pub in_account: bool,
}

/// Reads an endpoint. Fails with one word for why it is not answered.
pub fn plan(endpoint: &'static Endpoint) -> Result<Plan, &'static str> {
    let segments: Vec<&'static str> = endpoint.path.split('/').collect();
    let kinds = endpoint.objects();
    let Some(row) = kinds.first().and_then(|kind| table::row(kind)) else {
        let shown = shown_at(endpoint.path).and_then(table::row);
        return Err(shown.map_or("behaviour", |row| row.write));
    };
    let word = if row.write.is_empty() || row.is_record() { "action" } else { row.write };
    let action = table::action(endpoint.key());
    let ends_with_id = segments.last().is_some_and(|last| is_id(last));
    let returns = endpoint.returns.unwrap_or_default();
    let operation = match endpoint.method {
        "GET" if returns.starts_with("list:") => Operation::List,
        "GET" if returns.starts_with("search:") => Operation::Search,
        "GET" if ends_with_id => Operation::Retrieve,
        "GET" => return Err(word),
        _ if !row.is_record() => return Err(word),
        "DELETE" if ends_with_id => Operation::Delete,
        "POST" if ends_with_id => Operation::Update,
        "POST" => match action {
            Some(action) => Operation::Set(action),
            None if is_collection(&segments) && !row.prefix.is_empty() => Operation::Create,
            None => return Err(word),
        },
        _ => return Err(word),
    };
    let ids = segments.iter().filter(|segment| is_id(segment)).count();
    // What is left of the path without the resource's own part of it.
    let own = match operation {
        Operation::Create | Operation::List => 1,
        Operation::Retrieve | Operation::Update | Operation::Delete | Operation::Search => 2,
        Operation::Set(_) => 3,
    };
    let around = segments.get(..segments.len().saturating_sub(own)).unwrap_or_default();
    let parent = around.last().filter(|last| is_id(last)).and_then(|last| {
        let at = around.iter().filter(|segment| is_id(segment)).count().checked_sub(1)?;
        Some(Parent { kind: shown_at(&around.join("/"))?, at, name: bare(last) })
    });
    let named = segments.iter().rfind(|segment| is_id(segment)).map_or("id", |it| bare(it));
    let in_account = endpoint.path.starts_with("/v1/accounts/") && parent.is_some();
    Ok(Plan { operation, kinds, row, at: ids.saturating_sub(1), name: named, parent, in_account })
}

fn is_id(segment: &str) -> bool {
    segment.starts_with('{')
}

fn bare(segment: &'static str) -> &'static str {
    segment.trim_start_matches('{').trim_end_matches('}')
}

/// Whether objects are retrieved from beneath a path, or it has nothing but a resource's name.
fn is_collection(segments: &[&'static str]) -> bool {
    let path = segments.join("/");
    shown_at(&format!("{path}/{{id}}")).is_some()
}

/// The kind of object that a GET of a path shows.
fn shown_at(path: &str) -> Option<&'static str> {
    match Catalog::get().route("GET", path) {
        Routed::Found(route) => route.endpoint.objects().first().copied(),
        Routed::UnknownPath | Routed::WrongVerb => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(key: &str) -> Result<Plan, &'static str> {
        plan(Catalog::get().routes().all().iter().find(|it| it.key() == key).unwrap())
    }

    #[test]
    fn an_operation_and_what_stands_around_it_are_read_off_the_path() {
        let made = plan_of("POST /v1/entitlements/features").unwrap();
        assert!(matches!(made.operation, Operation::Create) && made.parent.is_none());
        let shown = plan_of("GET /v1/customers/{customer}/tax_ids/{id}").unwrap();
        assert!(matches!(shown.operation, Operation::Retrieve));
        let parent = shown.parent.unwrap();
        assert_eq!((shown.at, shown.name, parent.kind, parent.at), (1, "id", "customer", 0));
        let set = plan_of("POST /v1/billing/meters/{id}/deactivate").unwrap();
        assert!(matches!(set.operation, Operation::Set(_)) && set.parent.is_none());
        let person = plan_of("POST /v1/accounts/{account}/persons").unwrap();
        assert!(person.in_account && person.parent.unwrap().kind == "account");
        let listed = plan_of("GET /v1/invoices/{invoice}/lines").unwrap();
        assert_eq!(listed.parent.unwrap().name, "invoice");
    }

    #[test]
    fn what_moves_money_or_starts_something_is_named_by_a_word() {
        for (key, word) in [
            ("POST /v1/transfers", "money"),
            ("POST /v1/quotes", "billing"),
            ("POST /v1/quotes/{quote}", "billing"),
            ("POST /v1/payouts/{payout}/cancel", "money"),
            ("DELETE /v1/customers/{customer}/discount", "billing"),
            ("POST /v1/credit_notes/{id}/void", "billing"),
        ] {
            assert_eq!(plan_of(key).unwrap_err(), word, "{key}");
        }
    }
}
