//! Search: the query language of `/v1/…/search`, and its pages.
//!
//! Clauses are `field:'value'` (equal, whatever the case), `field~'part'`, `field>1`, `field<=1`,
//! `metadata['key']:'value'` and `field:null`; `-` before a clause negates it; clauses are joined by
//! `AND` or by `OR`, not by both.

use crate::sandbox::call::Call;
use crate::sandbox::call::body::{Body, Page};
use crate::sandbox::call::list;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::state::Table;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use crate::wire::peek::Raw;
use crate::wire::render;
use std::borrow::Cow;
use std::sync::Arc;

/// What `expand[]` adds to a search: how many objects were found.
pub const TOTAL_COUNT: &str = "total_count";

/// The resource that is searched: the noun of its path and the fields that can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// `object` of what is found.
    pub kind: &'static str,
    /// `customers`, as error texts name it.
    pub noun: &'static str,
    /// Dotted paths; `metadata` stands for every key of it.
    pub fields: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Is,
    Contains,
    Above,
    AtLeast,
    Below,
    AtMost,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    negated: bool,
    path: Vec<String>,
    operator: Operator,
    value: Sought,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sought {
    /// `null`: the field is not set.
    Nothing,
    Text(String),
}

/// A query that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    clauses: Vec<Clause>,
    any: bool,
}

/// Answers a search: newest first, `page` being the token of the answer before.
///
/// Fails for a query that cannot be read and for a field that cannot be searched.
pub fn page(txn: &Txn<'_>, call: &Call, index: &Index) -> Result<Body, Failure> {
    let query = read(call.text("query").unwrap_or_default(), index)?;
    let from = match call.text("page") {
        None => u64::MAX,
        Some(token) => txn
            .stored(index.kind, token)
            .map(|stored| stored.seq)
            .ok_or_else(|| missing("page", token, "page"))?,
    };
    let wanted = |stored: &&Arc<Stored>| !stored.is_deleted() && query.accepts(stored);
    // The count is of all that is found, whichever page is asked for.
    let total = call.flag(TOTAL_COUNT).map(|_| {
        let rows = txn.table(index.kind).map(|table| {
            list::walk(table, query.key(index.kind), u64::MAX, true).filter(wanted).count()
        });
        rows.unwrap_or(0)
    });
    let (found, has_more) = txn.table(index.kind).map_or_else(Default::default, |table| {
        find(table, query.key(index.kind), from, list::limit(call), wanted)
    });
    let mut after = String::with_capacity(128);
    after.push_str(if has_more { ",\"has_more\":true" } else { ",\"has_more\":false" });
    after.push_str(",\"next_page\":");
    match found.last().filter(|_| has_more) {
        Some(last) => render::string_into(&mut after, &last.id),
        None => after.push_str("null"),
    }
    if let Some(total) = total {
        after.push_str(",\"total_count\":");
        after.push_str(&total.to_string());
    }
    after.push_str(",\"url\":");
    render::string_into(&mut after, &format!("/v1/{}/search", index.noun));
    after.push('}');
    let data = found.iter().map(|stored| stored.shown()).collect();
    let before = "{\"object\":\"search_result\",\"data\":";
    Ok(Body::Page(Box::new(Page { before, data, after })))
}

/// The next `limit` after the place `from` that are wanted, and whether there are more. Begins at the place itself:
/// the pages before are not walked through.
fn find(
    table: &Table,
    key: Option<u64>,
    from: u64,
    limit: usize,
    wanted: impl Fn(&&Arc<Stored>) -> bool,
) -> (Vec<Arc<Stored>>, bool) {
    list::take(list::walk(table, key, from, true).filter(wanted), limit)
}

/// Reads a query.
pub fn read(text: &str, index: &Index) -> Result<Query, Failure> {
    let mut reader = Reader { rest: text.trim() };
    let (mut clauses, mut joins) = (Vec::new(), Vec::new());
    loop {
        clauses.push(reader.clause().ok_or_else(unreadable)?);
        if reader.rest.trim().is_empty() {
            break;
        }
        joins.push(reader.join().ok_or_else(unreadable)?);
    }
    let any = joins.first().copied().unwrap_or(false);
    if joins.iter().any(|join| *join != any) {
        return Err(Failure::invalid("You cannot combine AND and OR in the same search query.")
            .param("query"));
    }
    for clause in &clauses {
        check(clause, index)?;
    }
    Ok(Query { clauses, any })
}

fn check(clause: &Clause, index: &Index) -> Result<(), Failure> {
    let name = match clause.path.first().map(String::as_str) {
        Some("metadata") => "metadata".to_owned(),
        _ => clause.path.join("."),
    };
    if !index.fields.contains(&name.as_str()) {
        return Err(Failure::invalid(format!(
            "Field `{name}` is an unsupported search field for resource `{noun}`. See http://stripe.com/docs/search#query-fields-for-{} for a list of supported fields.",
            index.noun.replace('_', "-"),
            noun = index.noun,
        ))
        .param("query"));
    }
    let too_short = clause.operator == Operator::Contains
        && matches!(&clause.value, Sought::Text(text) if text.chars().count() < 3);
    if too_short {
        return Err(
            Failure::invalid("Substring search needs at least three characters.").param("query")
        );
    }
    Ok(())
}

fn unreadable() -> Failure {
    Failure::invalid(
        "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query metadata or key:\"value\" to query for other fields.",
    )
    .param("query")
}

impl Query {
    /// Whether an object is what was searched for.
    pub fn accepts(&self, stored: &Stored) -> bool {
        if self.any {
            self.clauses.iter().any(|clause| clause.accepts(stored))
        } else {
            self.clauses.iter().all(|clause| clause.accepts(stored))
        }
    }

    /// The index entry that has everything that this query accepts, and perhaps more.
    fn key(&self, kind: &str) -> Option<u64> {
        let narrows = !self.any || self.clauses.len() == 1;
        self.clauses.iter().filter(|_| narrows).find_map(|clause| clause.key(kind))
    }
}

impl Clause {
    fn accepts(&self, stored: &Stored) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let matches = stored.member(&path, |raw| self.matches(raw.filter(|raw| !raw.is_null())));
        matches != self.negated
    }

    fn key(&self, kind: &str) -> Option<u64> {
        let Sought::Text(wanted) = &self.value else { return None };
        if self.negated || self.operator != Operator::Is {
            return None;
        }
        match self.path.as_slice() {
            [head, name] if head == "metadata" => index::declared(kind)
                .contains(&"metadata")
                .then(|| index::metadata_key(name, wanted)),
            [name] => {
                index::declared(kind).contains(&name.as_str()).then(|| index::key(name, wanted))
            }
            _ => None,
        }
    }

    fn matches(&self, found: Option<Raw<'_>>) -> bool {
        let Sought::Text(wanted) = &self.value else { return found.is_none() };
        let Some(found) = found else { return false };
        let number = || found.int().zip(wanted.parse::<i64>().ok());
        let text = || found.plain().unwrap_or(Cow::Borrowed(found.json()));
        match self.operator {
            Operator::Is => text().to_lowercase() == wanted.to_lowercase(),
            Operator::Contains => text().to_lowercase().contains(&wanted.to_lowercase()),
            Operator::Above => number().is_some_and(|(found, wanted)| found > wanted),
            Operator::AtLeast => number().is_some_and(|(found, wanted)| found >= wanted),
            Operator::Below => number().is_some_and(|(found, wanted)| found < wanted),
            Operator::AtMost => number().is_some_and(|(found, wanted)| found <= wanted),
        }
    }
}

struct Reader<'q> {
    rest: &'q str,
}

impl Reader<'_> {
    fn clause(&mut self) -> Option<Clause> {
        self.rest = self.rest.trim_start();
        let negated = self.eat("-");
        let path = self.path()?;
        let operator = self.operator()?;
        let value = self.value()?;
        Some(Clause { negated, path, operator, value })
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `name`, `name.name`, `metadata['key']`.
    fn path(&mut self) -> Option<Vec<String>> {
        let word = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if word.is_empty() {
            return None;
        }
        let mut path: Vec<String> = word.split('.').map(str::to_owned).collect();
        if self.eat("[") {
            path.push(self.quoted()?);
            if !self.eat("]") {
                return None;
            }
        }
        Some(path)
    }

    fn operator(&mut self) -> Option<Operator> {
        const TABLE: [(&str, Operator); 6] = [
            (":", Operator::Is),
            ("~", Operator::Contains),
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            (">", Operator::Above),
            ("<", Operator::Below),
        ];
        TABLE.into_iter().find(|(token, _)| self.eat(token)).map(|(_, operator)| operator)
    }

    fn value(&mut self) -> Option<Sought> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(['\'', '"']) {
            return self.quoted().map(Sought::Text);
        }
        let word = self.word(|c| !c.is_whitespace());
        match word.as_str() {
            "null" | "NULL" => Some(Sought::Nothing),
            "true" | "false" => Some(Sought::Text(word)),
            _ if word.parse::<i64>().is_ok() => Some(Sought::Text(word)),
            _ => None,
        }
    }

    /// Text between quotes; a backslash keeps the character after it.
    fn quoted(&mut self) -> Option<String> {
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, c)| c).filter(|c| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                text.push(chars.next()?.1);
            } else if c == quote {
                self.rest = self.rest.get(at + 1..)?;
                return Some(text);
            } else {
                text.push(c);
            }
        }
        None
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    /// Whether the next clause is joined by `OR`.
    fn join(&mut self) -> Option<bool> {
        self.rest = self.rest.trim_start();
        let word = self.word(char::is_alphabetic);
        match word.to_ascii_uppercase().as_str() {
            "AND" => Some(false),
            "OR" => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::cell::Cell;

    const INDEX: Index = Index {
        kind: "customer",
        noun: "customers",
        fields: &["amount", "email", "metadata", "name", "card.last4"],
    };

    fn finds(query: &str, doc: &Value) -> bool {
        let text = doc.to_string().into();
        let stored =
            Stored { kind: "customer", id: Arc::from("cus_1"), seq: 1, text, private: None };
        let query = read(query, &INDEX).unwrap();
        let accepts = query.accepts(&stored);
        // What an index would leave out must not be what the query accepts.
        let keys = index::keys(&stored);
        assert!(!accepts || query.key("customer").is_none_or(|key| keys.contains(&key)));
        accepts
    }

    #[test]
    fn clauses_match_as_documented() {
        let doc = json!({
            "email": "Jenny@example.com", "name": "Jenny \"J\" Rosen", "amount": 500,
            "metadata": {"order id": "67'35"}, "card": {"last4": "4242"},
        });
        for query in [
            "email:'jenny@EXAMPLE.com'",
            "email~\"jenny\"",
            "amount>499 AND amount<=500",
            "metadata['order id']:'67\\'35'",
            "-metadata['gone']:'x' AND metadata[\"gone\"]:null",
            "email:'x' OR card.last4:'4242'",
            "amount:500",
            "name:'jenny \"J\" rosen'",
        ] {
            assert!(finds(query, &doc), "{query}");
        }
        for query in ["-email:'jenny@example.com'", "amount>500", "name:null", "email:'jenny'"] {
            assert!(!finds(query, &doc), "{query}");
        }
    }

    /// However far a page is from the first, only what it shows is looked at, and one more that tells whether it is
    /// the last: with an index, and without one where everything fits.
    #[test]
    fn a_page_is_found_by_its_place_and_not_by_the_pages_before() {
        const LIMIT: usize = 10;
        let mut lab = Lab::new();
        lab.at(1, |txn| {
            for n in 0..300 {
                let email = if n % 3 == 0 { "one@example.com" } else { "two@example.com" };
                txn.put(json!({"object": "customer", "id": format!("cus_{n}"), "email": email}));
            }
        });
        let view = lab.view();
        let table = view.table("customer").unwrap();
        for (text, count) in [("email:'one@example.com'", 100), ("email~'example.com'", 300)] {
            let query = read(text, &INDEX).unwrap();
            let key = query.key("customer");
            assert_eq!(key.is_some(), count == 100, "{text}");
            let (mut from, mut seen, mut more) = (u64::MAX, 0, true);
            while more {
                let looks = Cell::new(0);
                let wanted = |stored: &&Arc<Stored>| {
                    looks.set(looks.get() + 1);
                    query.accepts(stored)
                };
                let page;
                (page, more) = find(table, key, from, LIMIT, wanted);
                assert!(looks.get() <= LIMIT + 1, "{text} after {seen}: {}", looks.get());
                seen += page.len();
                from = page.last().unwrap().seq;
            }
            assert_eq!(seen, count, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for query in ["", "email", "email:", "email:jenny", "foo:'x'", "email~'ab'", "email:'x"] {
            assert!(read(query, &INDEX).is_err(), "{query}");
        }
        assert!(read("email:'a' AND name:'b' OR name:'c'", &INDEX).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            drop(read(&text, &INDEX));
        }

        #[test]
        fn any_value_is_found_by_its_own_quoted_text(value in "\\PC{1,20}") {
            let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
            let found = finds(&format!("name:'{escaped}'"), &json!({"name": value}));
            prop_assert!(found);
        }
    }
}
