//! Which endpoint a method and a path mean.

use std::collections::HashMap;

use crate::catalog::rows;
use crate::wire::form;

/// An endpoint of the API.
#[derive(Debug)]
pub struct Endpoint {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The path with placeholders, such as `/v1/customers/{customer}`.
    pub path: &'static str,
    /// The name of its parameter shape, if it takes parameters.
    pub params: Option<&'static str>,
    /// What it answers: `customer`, `list:customer`, `search:customer`, `bank_account|card`.
    pub returns: Option<&'static str>,
    key: String,
}

impl Endpoint {
    /// Method and path pattern, such as `POST /v1/customers/{customer}`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it answers with a list or a search result.
    pub fn is_list(&self) -> bool {
        self.returns.is_some_and(|returns| returns.contains(':'))
    }

    /// The objects it answers with, or lists.
    pub fn objects(&self) -> Vec<&'static str> {
        let of = |returns: &'static str| returns.split_once(':').map_or(returns, |(_, of)| of);
        self.returns.map(|returns| of(returns).split('|').collect()).unwrap_or_default()
    }

    fn read(row: &'static str) -> Option<Self> {
        let mut columns = row.split('\t');
        let mut next = || columns.next();
        let (method, path) = (next()?, next()?);
        let named = |column: Option<&'static str>| column.filter(|name| *name != "-");
        let (params, returns) = (named(next()), named(next()));
        Some(Self { method, path, params, returns, key: format!("{method} {path}") })
    }
}

/// An endpoint and the ids that stood in the path.
#[derive(Debug)]
pub struct Route {
    /// The endpoint.
    pub endpoint: &'static Endpoint,
    /// The decoded ids, in the order of the placeholders.
    pub ids: Vec<String>,
}

impl Route {
    /// The id at a placeholder, empty if there is none.
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }
}

/// What a method and a path lead to.
#[derive(Debug)]
pub enum Routed {
    /// An endpoint.
    Found(Route),
    /// Nothing has that path.
    UnknownPath,
    /// The path exists for other methods.
    WrongVerb,
}

/// All endpoints, as a tree of path segments.
#[derive(Debug)]
pub struct Routes {
    endpoints: Vec<Endpoint>,
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    fixed: HashMap<&'static str, Node>,
    placeholder: Option<Box<Node>>,
    ends: Vec<usize>,
}

impl Routes {
    pub(crate) fn read(texts: [&'static str; 2]) -> Self {
        let endpoints: Vec<Endpoint> =
            texts.into_iter().flat_map(rows).filter_map(Endpoint::read).collect();
        let mut root = Node::default();
        for (at, endpoint) in endpoints.iter().enumerate() {
            let mut node = &mut root;
            for segment in endpoint.path.split('/').skip(1) {
                node = if segment.starts_with('{') {
                    node.placeholder.get_or_insert_default()
                } else {
                    node.fixed.entry(segment).or_default()
                };
            }
            node.ends.push(at);
        }
        Self { endpoints, root }
    }

    /// Every endpoint, the documented ones in the order of their paths first.
    pub fn all(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Whether any endpoint's path begins with `/v1/` or `/v2/` and this segment.
    pub fn has_resource(&self, name: &str) -> bool {
        ["v1", "v2"].iter().any(|version| {
            self.root.fixed.get(version).is_some_and(|node| node.fixed.contains_key(name))
        })
    }

    /// Finds the endpoint of a request; fixed segments win over placeholders.
    pub fn route(&'static self, method: &str, path: &str) -> Routed {
        let mut search = Search { routes: self, method, ids: Vec::new(), path_exists: false };
        let segments = path.split_once('/').map(|(_, rest)| rest);
        match search.walk(&self.root, segments) {
            Some(endpoint) => Routed::Found(Route {
                endpoint,
                ids: search.ids.iter().map(|id| form::unescape_segment(id)).collect(),
            }),
            None if search.path_exists => Routed::WrongVerb,
            None => Routed::UnknownPath,
        }
    }
}

struct Search<'r> {
    routes: &'static Routes,
    method: &'r str,
    ids: Vec<&'r str>,
    path_exists: bool,
}

impl<'r> Search<'r> {
    /// Follows the segments of a path from a node; `None` is the path's end, `""` one more empty segment.
    fn walk(
        &mut self,
        node: &'static Node,
        segments: Option<&'r str>,
    ) -> Option<&'static Endpoint> {
        let Some(segments) = segments else {
            self.path_exists |= !node.ends.is_empty();
            let mut ends = node.ends.iter().filter_map(|at| self.routes.endpoints.get(*at));
            return ends.find(|endpoint| endpoint.method == self.method);
        };
        let (segment, rest) = match segments.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (segments, None),
        };
        let fixed = node.fixed.get(segment).and_then(|next| self.walk(next, rest));
        if fixed.is_some() || segment.is_empty() {
            return fixed;
        }
        let next = node.placeholder.as_deref()?;
        self.ids.push(segment);
        let found = self.walk(next, rest);
        if found.is_none() {
            self.ids.pop();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn key(method: &str, path: &str) -> Result<(&'static str, Vec<String>), bool> {
        match Catalog::get().routes().route(method, path) {
            Routed::Found(route) => Ok((route.endpoint.key(), route.ids)),
            Routed::WrongVerb => Err(true),
            Routed::UnknownPath => Err(false),
        }
    }

    #[test]
    fn fixed_segments_win_and_ids_are_decoded() {
        assert_eq!(key("GET", "/v1/customers/search"), Ok(("GET /v1/customers/search", vec![])));
        assert_eq!(
            key("GET", "/v1/customers/cus%5F1"),
            Ok(("GET /v1/customers/{customer}", vec!["cus_1".to_owned()]))
        );
        let (found, ids) = key("DELETE", "/v1/customers/cus_1/tax_ids/txi_2").unwrap();
        assert_eq!(found, "DELETE /v1/customers/{customer}/tax_ids/{id}");
        assert_eq!(ids, ["cus_1", "txi_2"]);
    }

    #[test]
    fn unknown_paths_wrong_verbs_and_empty_ids_are_told_apart() {
        assert_eq!(key("GET", "/v1/foo"), Err(false));
        assert_eq!(key("GET", "/v1/customers/"), Err(false));
        assert_eq!(key("DELETE", "/v1/customers"), Err(true));
        assert_eq!(key("GET", ""), Err(false));
    }

    #[test]
    fn endpoints_of_the_official_cli_are_there() {
        assert!(key("GET", "/v1/payment_pages/cs_1").is_ok());
        assert!(key("POST", "/v1/payment_pages/cs_1/confirm").is_ok());
        assert!(key("POST", "/v1/events/evt_1/retry").is_ok());
    }
}
