//! Lists as v2 answers them: with the addresses of their neighbours in place of cursors.

use crate::sandbox::call::Call;
use crate::sandbox::call::body::{Body, Page};
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use crate::wire::form;
use crate::wire::render;
use serde_json::{Value, json};
use std::sync::Arc;

/// How the token of a page begins that ends before an object; any other begins after the one that it names.
const BEFORE: &str = "before_";

/// One page of the objects of `kind` that all filters keep, each as `show` has it. Its neighbours are asked for with
/// the same parameters.
///
/// Fails for a page that there is not.
pub fn page(
    txn: &Txn<'_>,
    call: &Call,
    kind: &str,
    filters: &[Filter<'_>],
    show: impl Fn(&Arc<Stored>) -> Arc<str>,
) -> Result<Body, Failure> {
    let mut paged = call.clone();
    // v2 writes instants as texts: whoever lists by them filters by them.
    paged.params.remove("created");
    let token = call.text("page");
    let before = token.and_then(|token| token.strip_prefix(BEFORE));
    if let Some(cursor) = before.or(token) {
        let name = if before.is_some() { "ending_before" } else { "starting_after" };
        paged.params.insert(name.to_owned(), json!(cursor));
    }
    let found = list::find(txn, &paged, kind, filters).map_err(|failure| {
        let of_page = |param: &String| param == "ending_before" || param == "starting_after";
        if failure.param.as_ref().is_some_and(of_page) { failure.param("page") } else { failure }
    });
    let (found, has_more) = found?;
    let (is_last, is_first) = match (token, before) {
        (_, Some(_)) => (false, !has_more),
        (token, None) => (!has_more, token.is_none()),
    };
    let address = |is_end: bool, at: Option<&Arc<Stored>>, before: &str| match at {
        Some(at) if !is_end => {
            let mut params = call.params.clone();
            params.insert("page".to_owned(), json!(format!("{before}{}", at.id)));
            json!(format!("{}?{}", list::url(call), form::encode(&Value::Object(params))))
        }
        _ => Value::Null,
    };
    let next = render::compact(&address(is_last, found.last(), ""));
    let previous = render::compact(&address(is_first, found.first(), BEFORE));
    Ok(Body::Page(Box::new(Page {
        before: "{\"data\":",
        data: found.iter().map(show).collect(),
        after: format!(",\"next_page_url\":{next},\"previous_page_url\":{previous}}}"),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::Version;
    use crate::sandbox::testing::Lab;

    fn ids(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn every_page_leads_to_its_neighbours_with_what_was_asked_for() {
        let mut lab = Lab::new();
        lab.at(1, |txn| {
            for n in 1..=5 {
                txn.put(json!({"object": "thing", "id": format!("t_{n}")}));
            }
        });
        let turn = |url: &str| {
            let (_, query) = url.split_once('?').unwrap();
            let mut params = serde_json::Map::new();
            for pair in query.split('&') {
                let (name, value) = pair.split_once('=').unwrap();
                let value = value.parse::<i64>().map_or_else(|_| json!(value), |it| json!(it));
                params.insert(name.to_owned(), value);
            }
            let call = Call {
                key: "GET /v2/things".to_owned(),
                ids: Vec::new(),
                params,
                version: Version { text: String::new(), named: false },
            };
            lab.look(|txn| page(txn, &call, "thing", &[], |stored| stored.shown()))
        };
        let next = |page: &Value| page["next_page_url"].as_str().unwrap().to_owned();
        let first = turn("/v2/things?limit=2&kind=x").unwrap().into_document();
        assert_eq!((ids(&first), &first["previous_page_url"]), (vec!["t_5", "t_4"], &Value::Null));
        assert!(next(&first).contains("kind=x"), "{first}");
        let second = turn(&next(&first)).unwrap().into_document();
        let third = turn(&next(&second)).unwrap().into_document();
        assert_eq!((ids(&third), &third["next_page_url"]), (vec!["t_1"], &Value::Null));
        let back = turn(third["previous_page_url"].as_str().unwrap()).unwrap().into_document();
        assert_eq!(ids(&back), ids(&second));
        let again = turn(back["previous_page_url"].as_str().unwrap()).unwrap().into_document();
        assert_eq!((ids(&again), &again["previous_page_url"]), (ids(&first), &Value::Null));
        let failure = turn("/v2/things?page=t_9").unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some("page")));
    }
}
