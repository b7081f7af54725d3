//! The places of the portal: their paths, and what each needs to be turned on. Pure.

use crate::sandbox::behaviour::document::text;
use serde_json::Value;

/// A page of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// What there is: subscriptions, cards, details, invoices.
    Home,
    /// A form for another card, which then pays: one subscription where it is named, else the customer's.
    Card(Option<String>),
    /// Where the bank sends the owner of such a card back to.
    Kept(Option<String>),
    /// A card that is kept: it is made the default, or removed.
    Method(String),
    /// Who the customer is.
    Details,
    /// The choice of another plan.
    Change(String),
    /// What that comes to.
    Confirm(String),
    /// The end of a subscription.
    Cancel(String),
    /// The end is taken back.
    Keep(String),
    /// A change that waits is taken back.
    Stay(String),
    /// A pause.
    Pause(String),
    /// Its end.
    Resume(String),
}

impl Place {
    /// Reads a path below the session's own.
    pub fn read(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        Some(match parts.as_slice() {
            [] => Self::Home,
            ["card"] => Self::Card(None),
            ["kept"] => Self::Kept(None),
            ["details"] => Self::Details,
            ["cards", id] => Self::Method((*id).to_owned()),
            ["subscriptions", id, what] => {
                let id = (*id).to_owned();
                match *what {
                    "card" => Self::Card(Some(id)),
                    "kept" => Self::Kept(Some(id)),
                    "update" => Self::Change(id),
                    "confirm" => Self::Confirm(id),
                    "cancel" => Self::Cancel(id),
                    "keep" => Self::Keep(id),
                    "stay" => Self::Stay(id),
                    "pause" => Self::Pause(id),
                    "resume" => Self::Resume(id),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// Its path below the session's own.
    pub fn path(&self) -> String {
        let of = |id: &str, what: &str| format!("/subscriptions/{id}/{what}");
        match self {
            Self::Home => String::new(),
            Self::Card(None) => "/card".to_owned(),
            Self::Kept(None) => "/kept".to_owned(),
            Self::Details => "/details".to_owned(),
            Self::Method(id) => format!("/cards/{id}"),
            Self::Card(Some(id)) => of(id, "card"),
            Self::Kept(Some(id)) => of(id, "kept"),
            Self::Change(id) => of(id, "update"),
            Self::Confirm(id) => of(id, "confirm"),
            Self::Cancel(id) => of(id, "cancel"),
            Self::Keep(id) => of(id, "keep"),
            Self::Stay(id) => of(id, "stay"),
            Self::Pause(id) => of(id, "pause"),
            Self::Resume(id) => of(id, "resume"),
        }
    }

    /// The feature that it needs.
    pub const fn feature(&self) -> Option<&'static str> {
        match self {
            Self::Home => None,
            Self::Card(_) | Self::Kept(_) | Self::Method(_) => Some("payment_method_update"),
            Self::Details => Some("customer_update"),
            Self::Change(_) | Self::Confirm(_) | Self::Stay(_) => Some("subscription_update"),
            Self::Cancel(_) | Self::Keep(_) => Some("subscription_cancel"),
            Self::Pause(_) | Self::Resume(_) => Some("subscription_pause"),
        }
    }

    /// The subscription that it is about.
    pub fn subscription(&self) -> Option<&str> {
        match self {
            Self::Card(of) | Self::Kept(of) => of.as_deref(),
            Self::Change(id)
            | Self::Confirm(id)
            | Self::Cancel(id)
            | Self::Keep(id)
            | Self::Stay(id)
            | Self::Pause(id)
            | Self::Resume(id) => Some(id),
            Self::Home | Self::Details | Self::Method(_) => None,
        }
    }

    /// Where a flow begins.
    pub fn of_flow(flow: &Value) -> Option<Self> {
        let kind = text(flow, "type");
        let of = flow.get(kind).map_or("", |it| text(it, "subscription")).to_owned();
        Some(match kind {
            "payment_method_update" => Self::Card(None),
            "customer_update" => Self::Details,
            "subscription_cancel" => Self::Cancel(of),
            "subscription_update" => Self::Change(of),
            "subscription_update_confirm" => Self::Confirm(of),
            "subscription_pause" => Self::Pause(of),
            _ => return None,
        })
    }

    /// Whether a session that was opened for a flow may come here.
    pub fn belongs_to(&self, flow: &Value) -> bool {
        match (Self::of_flow(flow), self) {
            (Some(Self::Change(of)), Self::Confirm(id)) => of == *id,
            (Some(Self::Card(of)), Self::Kept(id)) => of == *id,
            (begin, here) => begin.as_ref() == Some(here),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_read_as_it_is_written_and_nothing_else() {
        let id = || "sub_1".to_owned();
        for place in [
            Place::Home,
            Place::Card(None),
            Place::Card(Some(id())),
            Place::Kept(None),
            Place::Kept(Some(id())),
            Place::Method("pm_1".to_owned()),
            Place::Details,
            Place::Change(id()),
            Place::Confirm(id()),
            Place::Cancel(id()),
            Place::Keep(id()),
            Place::Pause(id()),
            Place::Resume(id()),
        ] {
            assert_eq!(Place::read(&place.path()), Some(place));
        }
        for path in ["nowhere", "subscriptions/sub_1", "subscriptions/sub_1/steal", "cards"] {
            assert_eq!(Place::read(path), None, "{path}");
        }
    }

    #[test]
    fn a_flow_is_gone_through_from_its_beginning_to_its_end_and_nowhere_else() {
        let flow = json!({"type": "subscription_update", "subscription_update": {"subscription": "sub_1"}});
        let at = |path: &str| Place::read(path).unwrap().belongs_to(&flow);
        assert!(at("subscriptions/sub_1/update") && at("subscriptions/sub_1/confirm"));
        assert!(!at("subscriptions/sub_2/confirm") && !at("subscriptions/sub_1/cancel") && !at(""));
    }
}
