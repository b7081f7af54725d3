//! Events as the provider tells them: a verified payload that was understood, with its bytes as they came.

use crate::domain::signature::Verified;
use crate::domain::time::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::fmt;

/// Members that are objects or lists and are looked into to know what an event says of money.
const LOOKED_INTO: [&str; 14] = [
    "balance_transaction",
    "balance_transactions",
    "charge",
    "failure_balance_transaction",
    "invoice",
    "latest_charge",
    "payment",
    "payment_intent",
    "payments",
    "refunds",
    "source",
    "total_details",
    "total_tax_amounts",
    "total_taxes",
];

/// The other members that an event tells of money by, or that its line in the journal has.
const READ: [&str; 19] = [
    "amount",
    "amount_captured",
    "amount_paid",
    "amount_received",
    "amount_refunded",
    "amount_reversed",
    "amount_total",
    "captured",
    "created",
    "currency",
    "fee",
    "id",
    "mode",
    "net",
    "object",
    "payment_status",
    "reporting_category",
    "status",
    "type",
];

/// What the types of Creem's events begin with here: both providers have a `checkout` and a `refund.created`.
pub const CREEM: &str = "creem.";

/// One snapshot event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// `checkout.session.completed`, …; of Creem's with [`CREEM`] before it.
    pub kind: String,
    /// When the provider made it.
    pub created: Timestamp,
    /// The API version that `object` is written in; `None` where the account's default was meant.
    pub api_version: Option<String>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// `data.object`: the object as it was when the event was made.
    pub object: Value,
    /// The exact bytes that were received.
    pub body: Vec<u8>,
}

/// Why a payload is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The payload is not JSON.
    #[error("the payload is not JSON: line {line}, column {column}")]
    NotJson {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, from 1.
        column: usize,
    },
    /// The payload is JSON and lacks what every event has.
    #[error("the payload is JSON and not an event: {reason}")]
    NotAnEvent {
        /// What lacks or does not fit.
        reason: String,
    },
    /// The payload is a thin event, which carries no object.
    #[error("the payload is a thin event (v2.core.event); this endpoint takes snapshot events")]
    Thin,
}

impl EventError {
    /// A stable name of the cause, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "not_json",
            Self::NotAnEvent { .. } => "not_an_event",
            Self::Thin => "thin_event",
        }
    }
}

#[derive(Deserialize)]
struct Shape<O> {
    id: String,
    object: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    created: Option<i64>,
    api_version: Option<String>,
    #[serde(default)]
    livemode: bool,
    data: Option<Data<O>>,
}

#[derive(Deserialize)]
struct Data<O> {
    object: O,
}

/// An object as far as money is told by it: the members that are read, and nothing of the others. To keep those, or no
/// more than that they are there, takes most of the time that reading all of it would take.
struct Outline(Value);

impl From<Outline> for Value {
    fn from(outline: Outline) -> Self {
        outline.0
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Part { is_whole: true }.deserialize(from).map(Self)
    }
}

/// The name of a member, where it is one that is read, and whether its parts are.
struct Member(Option<(&'static str, bool)>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Member, E> {
                let among = |names: &[&'static str], parts| {
                    names.iter().find(|known| **known == name).map(|known| (*known, parts))
                };
                Ok(Member(among(&READ, false).or_else(|| among(&LOOKED_INTO, true))))
            }
        }

        from.deserialize_identifier(Name)
    }
}

/// A value: the object itself, or what one of its members is.
struct Part {
    is_whole: bool,
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut known = Map::new();
        if !self.is_whole {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Object(known));
        }
        while let Some(Member(member)) = members.next_key()? {
            let Some((name, parts)) = member else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = if parts {
                members.next_value()?
            } else {
                members.next_value_seed(Self { is_whole: false })?
            };
            known.insert(name.to_owned(), value);
        }
        Ok(Value::Object(known))
    }
}

/// An event as Creem sends it: the object stands where Stripe names the type of what is sent.
#[derive(Deserialize)]
struct CreemShape {
    id: String,
    #[serde(rename = "eventType")]
    kind: String,
    created_at: i64,
    object: Value,
}

/// Only as much as is needed to tell a thin event from a broken one.
#[derive(Deserialize)]
struct Kind {
    object: Option<String>,
}

impl Event {
    /// Understands a verified payload.
    pub fn read(payload: Verified<'_>) -> Result<Self, EventError> {
        Self::parse::<Value>(payload.body())
    }

    /// Understands a verified payload, its object as far as money is told by it.
    pub fn outline(payload: Verified<'_>) -> Result<Self, EventError> {
        Self::parse::<Outline>(payload.body())
    }

    /// Understands an event that was fetched with an API key, over a connection that proves the sender.
    pub fn fetched(event: &Value) -> Result<Self, EventError> {
        Self::parse::<Value>(event.to_string().as_bytes())
    }

    /// Understands an event of Creem's, whose sender is proven.
    pub fn of_creem(body: &[u8]) -> Result<Self, EventError> {
        let shape: CreemShape =
            serde_json::from_slice(body).map_err(|error| explain(body, &error))?;
        if shape.id.is_empty() || !shape.object.is_object() {
            let reason = "missing `id` or `object`".to_owned();
            return Err(EventError::NotAnEvent { reason });
        }
        Ok(Self {
            id: shape.id,
            kind: format!("{CREEM}{}", shape.kind),
            // Milliseconds there, seconds here.
            created: Timestamp(shape.created_at.div_euclid(1_000)),
            api_version: None,
            livemode: shape.object.get("mode").and_then(Value::as_str) == Some("prod"),
            object: shape.object,
            body: body.to_vec(),
        })
    }

    /// Whether it is one of Creem's.
    pub fn is_creem(&self) -> bool {
        self.kind.starts_with(CREEM)
    }

    /// Understands an event again, of whichever provider, that was stored after its sender was proven.
    pub fn stored(body: &[u8]) -> Result<Self, EventError> {
        Self::parse_any::<Value>(body)
    }

    /// The same, its object as far as money is told by it.
    pub fn outlined(body: &[u8]) -> Result<Self, EventError> {
        Self::parse_any::<Outline>(body)
    }

    fn parse_any<O: de::DeserializeOwned + Into<Value>>(body: &[u8]) -> Result<Self, EventError> {
        match Self::parse::<O>(body) {
            Err(error @ EventError::NotAnEvent { .. }) => Self::of_creem(body).map_err(|_| error),
            other => other,
        }
    }

    fn parse<O: de::DeserializeOwned + Into<Value>>(body: &[u8]) -> Result<Self, EventError> {
        // One look at all of it is quicker than one at each text, and sees also what is skipped.
        let read = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        };
        let shape: Shape<O> = read.map_err(|error| explain(body, &error))?;
        if shape.object == "v2.core.event" {
            return Err(EventError::Thin);
        }
        if shape.object != "event" {
            let reason = format!("`object` is `{}`", shape.object);
            return Err(EventError::NotAnEvent { reason });
        }
        let lacks = |name: &str| EventError::NotAnEvent { reason: format!("missing `{name}`") };
        if shape.id.is_empty() {
            return Err(lacks("id"));
        }
        Ok(Self {
            id: shape.id,
            kind: shape.kind.ok_or_else(|| lacks("type"))?,
            created: shape.created.map(Timestamp).ok_or_else(|| lacks("created"))?,
            api_version: shape.api_version,
            livemode: shape.livemode,
            object: shape.data.ok_or_else(|| lacks("data.object"))?.object.into(),
            body: body.to_vec(),
        })
    }
}

/// Tells apart what is no JSON, what is a thin event (whose `created` is a text), and what is neither.
fn explain(body: &[u8], error: &serde_json::Error) -> EventError {
    if !error.is_data() {
        return EventError::NotJson { line: error.line(), column: error.column() };
    }
    let kind = serde_json::from_slice(body).ok().and_then(|kind: Kind| kind.object);
    if kind.as_deref() == Some("v2.core.event") {
        return EventError::Thin;
    }
    EventError::NotAnEvent { reason: error.to_string() }
}

/// An event of the provider, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// `evt_…`.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// When it was made.
    pub created: Timestamp,
    /// The id of its object.
    pub object: Option<String>,
    /// Deliveries that are not done.
    pub pending: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_event_keeps_its_bytes_and_its_object() {
        let body = b"{\"id\":\"evt_1\", \"object\":\"event\",\"type\":\"x.y\",\"created\":7,\"api_version\":null,\"livemode\":false,\"data\":{\"object\":{\"id\":\"cs_1\"}}}";
        let event = Event::parse::<Value>(body).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", "x.y"));
        assert_eq!(event.created, Timestamp(7));
        assert_eq!(event.object, json!({"id": "cs_1"}));
        assert_eq!(event.body, body);
    }

    #[test]
    fn an_outline_has_what_is_read_and_looks_into_few() {
        let object = json!({"id": "ch_1", "amount": 5, "captured": true, "fee": 0.5, "net": null, "type": {"risk": 3},
            "outcome": {"risk": 3}, "note": "n", "mode": [1], "refunds": {"data": [{"id": "re_1"}]}});
        let event = json!({"id": "evt_1", "object": "event", "type": "x.y", "created": 7,
            "data": {"object": object}});
        let outlined = Event::outlined(event.to_string().as_bytes()).unwrap();
        let expected = json!({"id": "ch_1", "amount": 5, "captured": true, "fee": 0.5, "net": null, "type": {},
            "mode": [], "refunds": {"data": [{"id": "re_1"}]}});
        assert_eq!(outlined.object, expected);
        for odd in [json!("ch_1"), json!([{}]), json!(7)] {
            let event = json!({"id": "evt_1", "object": "event", "type": "x.y", "created": 7,
                "data": {"object": odd}});
            let body = event.to_string();
            let [one, other] = [Event::outlined(body.as_bytes()), Event::stored(body.as_bytes())];
            assert_eq!(one.is_ok(), other.is_ok(), "{odd}");
        }
    }

    /// What is asked for by a name that is not among them would be found in a whole object and in no outline.
    #[test]
    fn every_name_that_the_book_reads_by_is_in_the_outline() {
        // Values, members of members, and words of ours.
        const OTHERS: &str = "paid unpaid complete open expired succeeded failed canceled lost won setup \
            no_payment_required requires_payment_method requires_action pending amount_tax total part part_returned \
            asked received charged settled sent returned withdrawn reinstated moved tax \
            refunded_so_far reversed_so_far refunded partially_refunded";
        let sources = [include_str!("book/read.rs"), include_str!("entry.rs")];
        let mut read = 0;
        for source in sources {
            let source = source.split("#[cfg(test)]").next().unwrap();
            for literal in source.split('"').skip(1).step_by(2) {
                let name = literal.trim_start_matches('/').split('/').next().unwrap();
                if name.is_empty() || !name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase())
                {
                    continue;
                }
                let kept = READ.contains(&name) || LOOKED_INTO.contains(&name);
                assert!(kept || OTHERS.split(' ').any(|it| it == name), "{name}");
                read += usize::from(kept);
            }
        }
        assert!(read > 40, "{read}");
    }

    #[test]
    fn an_event_of_creem_is_one_by_its_own_envelope_alone() {
        let body = br#"{"id":"evt_1","eventType":"refund.created","created_at":1728734325927,"object":{"object":"refund","mode":"test"}}"#;
        let event = Event::of_creem(body).unwrap();
        assert_eq!(
            (event.kind.as_str(), event.created),
            ("creem.refund.created", Timestamp(1_728_734_325))
        );
        assert!(event.is_creem() && !event.livemode);
        assert_eq!(Event::stored(body).unwrap(), event);
        assert!(Event::parse::<Value>(body).is_err(), "Stripe sends none");
        let stripes =
            br#"{"id":"evt_1","object":"event","type":"x.y","created":7,"data":{"object":{}}}"#;
        assert!(Event::of_creem(stripes).is_err() && !Event::stored(stripes).unwrap().is_creem());
        for odd in [&b"{"[..], b"[]", br#"{"id":"","eventType":"a","created_at":1,"object":{}}"#] {
            assert!(Event::of_creem(odd).is_err() && Event::stored(odd).is_err());
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let name = |body: &[u8]| Event::parse::<Value>(body).unwrap_err().name();
        assert_eq!(name(b"{\"id\":"), "not_json");
        assert_eq!(name(b"\xff"), "not_json");
        let torn = b"{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"a\",\"created\":1,\"data\":{\"object\":{\"name\":\"\xff\"}}}";
        assert_eq!(name(torn), "not_json");
        assert_eq!(name(b"[]"), "not_an_event");
        assert_eq!(name(br#"{"id":"cs_1","object":"checkout.session"}"#), "not_an_event");
        assert_eq!(
            name(br#"{"id":"evt_1","object":"event","type":"a","created":1}"#),
            "not_an_event"
        );
        let thin = br#"{"id":"evt_1","object":"v2.core.event","type":"v1.x","created":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(name(thin), "thin_event");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Event::parse::<Value>(&body));
        }
    }
}
