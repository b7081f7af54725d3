//! Lists: newest first, by cursor, filtered. Looks at texts only, and at as few as an index allows.

use crate::sandbox::call::Call;
use crate::sandbox::call::body::{Body, Page};
use crate::sandbox::call::reference;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::Envelope;
use crate::sandbox::engine::state::Table;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use crate::wire::render;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a list keeps.
pub enum Filter<'f> {
    /// The member at this dotted path has exactly this text, number or truth.
    Is(&'static str, String),
    /// The same, whatever the case of its letters.
    IsLike(&'static str, String),
    /// Whatever else.
    Test(Box<dyn Fn(&Stored) -> bool + 'f>),
}

impl std::fmt::Debug for Filter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(path, value) | Self::IsLike(path, value) => write!(f, "{path} = {value}"),
            Self::Test(_) => f.write_str("test"),
        }
    }
}

impl<'f> Filter<'f> {
    /// A filter that asks for something that has no name.
    pub fn test(keep: impl Fn(&Stored) -> bool + 'f) -> Self {
        Self::Test(Box::new(keep))
    }

    fn keeps(&self, stored: &Stored) -> bool {
        match self {
            Self::Is(path, wanted) => plain(stored, path, |found| found == wanted),
            Self::IsLike(path, wanted) => {
                plain(stored, path, |found| found.to_lowercase() == wanted.to_lowercase())
            }
            Self::Test(keep) => keep(stored),
        }
    }

    /// The index entry that has everything that this filter keeps, and perhaps more.
    fn key(&self, kind: &str) -> Option<u64> {
        match self {
            Self::Is(path, value) | Self::IsLike(path, value) => {
                index::declared(kind).contains(path).then(|| index::key(path, value))
            }
            Self::Test(_) => None,
        }
    }
}

/// What the text, number or truth at a dotted path comes to; `false` where there is none.
pub fn plain(stored: &Stored, path: &str, look: impl FnOnce(&str) -> bool) -> bool {
    if let Some(envelope) = stored.part::<Envelope>().filter(|_| path == "type") {
        return look(&envelope.kind);
    }
    let mut names = path.split('.');
    let found = match (names.next(), names.next(), names.next()) {
        (Some(one), None, None) => stored.member(&[one], |raw| raw?.plain().map(|it| look(&it))),
        (Some(one), Some(two), None) => {
            stored.member(&[one, two], |raw| raw?.plain().map(|it| look(&it)))
        }
        _ => {
            let names: Vec<&str> = path.split('.').collect();
            stored.member(&names, |raw| raw?.plain().map(|it| look(&it)))
        }
    };
    found == Some(true)
}

/// The filters that a call asks for by parameters that are named like the members.
pub fn same(call: &Call, names: &[&'static str]) -> Vec<Filter<'static>> {
    let sent = names.iter().filter_map(|name| {
        let value = call.get(name)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(Filter::Is(name, text))
    });
    sent.collect()
}

/// One page of the objects of `kind` that all filters and the call's `created` keep.
///
/// Fails for an unknown cursor and for both cursors at once.
pub fn page(
    txn: &Txn<'_>,
    call: &Call,
    kind: &str,
    filters: &[Filter<'_>],
) -> Result<Body, Failure> {
    let (found, has_more) = find(txn, call, kind, filters)?;
    let mut after = String::with_capacity(64);
    after.push_str(if has_more { ",\"has_more\":true" } else { ",\"has_more\":false" });
    after.push_str(",\"url\":");
    render::string_into(&mut after, &url(call));
    after.push('}');
    let data = found.iter().map(|stored| stored.shown()).collect();
    Ok(Body::Page(Box::new(Page { before: "{\"object\":\"list\",\"data\":", data, after })))
}

/// The objects of a page, in the order in which it shows them, and whether there are more.
pub fn find(
    txn: &Txn<'_>,
    call: &Call,
    kind: &str,
    filters: &[Filter<'_>],
) -> Result<(Vec<Arc<Stored>>, bool), Failure> {
    reference::check(txn, call)?;
    let place = |cursor: &str, param: &str| {
        let stored = txn.stored(kind, cursor);
        stored.map(|stored| stored.seq).ok_or_else(|| missing(kind, cursor, param))
    };
    let (from, older) = match (call.text("starting_after"), call.text("ending_before")) {
        (Some(after), Some(before)) => {
            // A cursor that is none is told first, as recordings show.
            place(after, "starting_after")?;
            place(before, "ending_before")?;
            return Err(both_cursors());
        }
        (Some(cursor), None) => (place(cursor, "starting_after")?, true),
        (None, Some(cursor)) => (place(cursor, "ending_before")?, false),
        (None, None) => (u64::MAX, true),
    };
    let Some(table) = txn.table(kind) else { return Ok((Vec::new(), false)) };
    let key = filters.iter().find_map(|filter| filter.key(kind));
    let limit = limit(call);
    let wanted = |stored: &&Arc<Stored>| {
        !stored.is_deleted()
            && created_matches(call, stored)
            && filters.iter().all(|filter| filter.keeps(stored))
    };
    let (mut found, more) = take(walk(table, key, from, older).filter(wanted), limit);
    if !older {
        found.reverse();
    }
    Ok((found, more))
}

/// The objects older or newer than a place, nearest first; those of an index entry where one is given.
pub fn walk(
    table: &Table,
    key: Option<u64>,
    from: u64,
    older: bool,
) -> Box<dyn Iterator<Item = &Arc<Stored>> + '_> {
    match (key, older) {
        (Some(key), true) => Box::new(table.indexed_before(key, from)),
        (Some(key), false) => Box::new(table.indexed_after(key, from)),
        (None, true) => Box::new(table.before(from)),
        (None, false) => Box::new(table.after(from)),
    }
}

/// The first `limit`, and whether there are more.
pub fn take<'t>(
    mut found: impl Iterator<Item = &'t Arc<Stored>>,
    limit: usize,
) -> (Vec<Arc<Stored>>, bool) {
    let page: Vec<_> = found.by_ref().take(limit).cloned().collect();
    let more = found.next().is_some();
    (page, more)
}

/// Stripe's answer to both cursors at once.
fn both_cursors() -> Failure {
    Failure::invalid(
        "Received both starting_after and ending_before parameters. Please pass in only one.",
    )
}

/// One page of values that are already at hand, in the order in which they are listed.
///
/// Fails for an unknown cursor and for both cursors at once.
pub fn page_of(call: &Call, kind: &str, items: &[Value]) -> Result<Body, Failure> {
    let at = |cursor: &str, param: &str| {
        items
            .iter()
            .position(|item| item.get("id").and_then(Value::as_str) == Some(cursor))
            .ok_or_else(|| missing(kind, cursor, param))
    };
    let limit = limit(call);
    if let (Some(after), Some(before)) = (call.text("starting_after"), call.text("ending_before")) {
        at(after, "starting_after")?;
        at(before, "ending_before")?;
        return Err(both_cursors());
    }
    let (rows, has_more): (Vec<&Value>, bool) = if let Some(cursor) = call.text("ending_before") {
        let end = at(cursor, "ending_before")?;
        (items.iter().take(end).skip(end.saturating_sub(limit)).collect(), end > limit)
    } else {
        let start = match call.text("starting_after") {
            Some(cursor) => at(cursor, "starting_after")? + 1,
            None => 0,
        };
        let rows: Vec<_> = items.iter().skip(start).take(limit).collect();
        let more = start + rows.len() < items.len();
        (rows, more)
    };
    let data = json!(rows);
    let url = url(call);
    Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": url}).into())
}

/// The path that was called.
pub fn url(call: &Call) -> String {
    let mut ids = call.ids.iter();
    let path = call.key.split_once(' ').map_or("", |(_, path)| path);
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') { ids.next().map_or(part, String::as_str) } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// How many a page has: 10 where nothing is said, at least 1, at most 100.
///
/// A limit of 0 counts as 1, as recordings show; that one above 100 counts as 100 is believed, not proven.
pub fn limit(call: &Call) -> usize {
    let asked = call.int("limit").unwrap_or(10);
    usize::try_from(asked.clamp(1, 100)).unwrap_or(10)
}

/// The filter of a list that shows what is on a test clock only where the clock is named, or whose it is.
pub fn off_clocks(txn: &Txn<'_>, call: &Call, whose: &[&str]) -> Option<Filter<'static>> {
    let named = call.sent("test_clock") || !call.ids.is_empty();
    let hidden = !named && !whose.iter().any(|name| call.sent(name));
    // Reading every object for its clock costs a third of the list: not where nobody made a clock.
    (hidden && txn.table("test_helpers.test_clock").is_some())
        .then(|| Filter::test(|stored| !plain(stored, "test_clock", |_| true)))
}

/// A filter by a number of the same name as the parameter: exact, or a range of it; `None` where it was not sent.
pub fn within<'c>(call: &'c Call, name: &'static str) -> Option<Filter<'c>> {
    let asked = call.get(name)?;
    Some(Filter::test(move |stored| {
        let found = stored.member(&[name], |raw| raw?.int());
        found.is_some_and(|found| is_within(asked, found))
    }))
}

/// Whether an instant is what the call's `created` asks for.
pub fn is_created(call: &Call, at: i64) -> bool {
    is_asked(call, "created", at)
}

/// Whether a number is what the parameter of that name asks for: exact, or a range.
pub fn is_asked(call: &Call, name: &str, at: i64) -> bool {
    call.get(name).is_none_or(|asked| is_within(asked, at))
}

fn created_matches(call: &Call, stored: &Stored) -> bool {
    call.get("created").is_none_or(|asked| is_within(asked, stored.created()))
}

/// Whether a number is what was asked for: exactly, or by `gt`, `gte`, `lt`, `lte`.
fn is_within(asked: &Value, found: i64) -> bool {
    match asked {
        Value::Object(range) => range.iter().all(|(name, bound)| {
            let bound = bound.as_i64().unwrap_or(0);
            match name.as_str() {
                "gt" => found > bound,
                "gte" => found >= bound,
                "lt" => found < bound,
                _ => found <= bound,
            }
        }),
        exact => exact.as_i64() == Some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::Version;
    use crate::sandbox::testing::Lab;
    use std::cell::Cell;

    #[test]
    fn a_filter_with_an_index_looks_at_what_it_finds_and_at_nothing_else() {
        let mut lab = Lab::new();
        lab.at(1, |txn| {
            for n in 0..300 {
                let email = if n % 100 == 0 { "Few@Example.com" } else { "many@example.com" };
                txn.put(json!({"object": "customer", "id": format!("cus_{n}"), "email": email}));
            }
        });
        let call = Call {
            key: "GET /v1/customers".to_owned(),
            ids: Vec::new(),
            params: serde_json::Map::new(),
            version: Version { text: String::new(), named: false },
        };
        let looks = Cell::new(0);
        let counted = || {
            Filter::test(|_| {
                looks.set(looks.get() + 1);
                true
            })
        };
        let by_email = |email: &str| {
            let filters = [counted(), Filter::Is("email", email.to_owned())];
            let found = lab.look(|txn| find(txn, &call, "customer", &filters));
            found.unwrap().0.len()
        };
        assert_eq!((by_email("Few@Example.com"), looks.replace(0)), (3, 3));
        // The index does not tell capitals apart; the filter does.
        assert_eq!((by_email("few@example.com"), looks.replace(0)), (0, 3));
        assert_eq!((by_email("nobody@example.com"), looks.replace(0)), (0, 0));
    }
}
