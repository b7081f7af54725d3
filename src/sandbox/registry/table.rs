//! What the catalog cannot know of the API's resources: two small tables, written by hand.

use std::collections::HashMap;
use std::sync::OnceLock;

const RESOURCES: &str = include_str!("resources.tsv");
const ACTIONS: &str = include_str!("actions.tsv");

/// One kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The value of `object` on the wire.
    pub kind: &'static str,
    /// How its ids begin.
    pub prefix: &'static str,
    /// How many characters follow.
    pub digits: usize,
    /// `record`, or one word for why it is not written.
    pub write: &'static str,
    /// What errors call it.
    pub noun: &'static str,
    /// The members of a new one beside those that were sent, as JSON; empty for none.
    pub initial: &'static str,
}

impl Row {
    /// Whether it is stored as it is sent.
    pub fn is_record(&self) -> bool {
        self.write == "record"
    }
}

/// An action that plainly sets members.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// The member that must hold one of these words before; none where nothing must.
    pub from: Option<(&'static str, &'static str)>,
    /// The word of the event that tells of it.
    pub event: &'static str,
    /// What it sets, as JSON.
    pub members: &'static str,
}

/// The row of a kind.
pub fn row(kind: &str) -> Option<&'static Row> {
    static ROWS: OnceLock<HashMap<&'static str, Row>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| lines(RESOURCES).filter_map(read).collect());
    rows.get(kind)
}

/// The action of an endpoint.
pub fn action(endpoint: &str) -> Option<Action> {
    lines(ACTIONS).find_map(|line| {
        let [key, from, event, members] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let event = if event == "-" { "updated" } else { event };
        (key == endpoint).then_some(Action { from: from.split_once('='), event, members })
    })
}

/// What errors call an object of a kind.
pub fn noun(kind: &str) -> &str {
    row(kind).map(|row| row.noun).filter(|noun| !noun.is_empty()).unwrap_or(kind)
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn read(line: &'static str) -> Option<(&'static str, Row)> {
    let columns: Vec<&'static str> =
        line.split('\t').map(|column| if column == "-" { "" } else { column }).collect();
    let [kind, prefix, digits, write, noun, initial] = columns.try_into().ok()?;
    let digits = digits.parse().unwrap_or(0);
    Some((kind, Row { kind, prefix, digits, write, noun, initial }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use serde_json::Value;

    #[test]
    fn every_object_of_an_endpoint_has_a_row_and_every_row_is_read() {
        let catalog = Catalog::get();
        for endpoint in catalog.routes().all() {
            // Events are sent again, and written by nobody.
            for kind in endpoint.objects().into_iter().filter(|kind| *kind != "event") {
                let row = row(kind).unwrap_or_else(|| panic!("{kind} has no row"));
                let writes = endpoint.method != "GET";
                assert!(!writes || !row.write.is_empty(), "{} needs a word", endpoint.key());
            }
        }
        for line in lines(RESOURCES) {
            let (kind, row) = read(line).unwrap_or_else(|| panic!("{line}"));
            assert!(catalog.object(kind).is_some(), "{kind} is no object");
            let initial = serde_json::from_str::<Value>(row.initial);
            assert!(row.initial.is_empty() || initial.is_ok_and(|it| it.is_object()), "{kind}");
        }
    }

    #[test]
    fn every_action_is_an_endpoint() {
        for line in lines(ACTIONS) {
            let key = line.split('\t').next().unwrap();
            assert!(Catalog::get().routes().all().iter().any(|it| it.key() == key), "{key}");
            let action = action(key).unwrap();
            let members: Value = serde_json::from_str(action.members).unwrap();
            assert!(members.is_object(), "{key}");
            let from = line.split('\t').nth(1).unwrap();
            assert_eq!(from == "-", action.from.is_none(), "{key}");
        }
    }
}
