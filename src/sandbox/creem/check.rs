//! What a request may say, held against the fields of its endpoint. Pure.

use crate::domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// What a field can hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// An e-mail address.
    Email,
    /// An address of the web.
    Url,
    /// A whole number within bounds.
    Int(i64, i64),
    /// Any number above zero.
    Number,
    /// True or false.
    Flag,
    /// An instant as ISO 8601 has it.
    Date,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Texts.
    Texts,
    /// Texts, each one of these.
    EachOf(&'static [&'static str]),
    /// A hash of anything.
    Hash,
    /// A hash of these fields.
    Fields(&'static [Field]),
    /// Hashes of these fields, so many at most.
    List(&'static [Field], usize),
    /// What the sandbox has no place for: any value of it is refused.
    Unmodelled,
}

/// One field of a request.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// How it is called.
    pub name: &'static str,
    kind: Kind,
    need: bool,
    null: bool,
}

/// A field that must be there.
pub const fn need(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: true, null: false }
}

/// A field that may be there.
pub const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: false, null: false }
}

/// A field that may be there, and be null.
pub const fn may_be_null(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: false, null: true }
}

/// The fields of a body. Fails with a sentence for each that is wrong.
pub fn body(
    fields: &[Field],
    sent: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<String>> {
    let mut faults = Vec::new();
    check(fields, sent, "", &mut faults);
    if faults.is_empty() { Ok(sent.clone()) } else { Err(faults) }
}

/// The fields of a query, whose values come as texts.
pub fn query(
    fields: &[Field],
    sent: &[(String, String)],
) -> Result<Map<String, Value>, Vec<String>> {
    let read = |(name, text): &(String, String)| {
        let field = fields.iter().find(|field| field.name == *name);
        let value = match field.map(|field| field.kind) {
            Some(Kind::Int(..)) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
            _ => json!(text),
        };
        (name.clone(), value)
    };
    body(fields, &sent.iter().map(read).collect())
}

fn check(fields: &[Field], sent: &Map<String, Value>, above: &str, faults: &mut Vec<String>) {
    for name in sent.keys().filter(|name| !fields.iter().any(|field| field.name == **name)) {
        faults.push(format!("{above}property {name} should not exist"));
    }
    for field in fields {
        let path = format!("{above}{}", field.name);
        match sent.get(field.name) {
            None if field.need => faults.push(format!("{path} {}", expected(field.kind))),
            Some(Value::Null) if field.null => {}
            None => {}
            Some(value) => check_value(field.kind, value, &path, faults),
        }
    }
}

fn check_value(kind: Kind, value: &Value, path: &str, faults: &mut Vec<String>) {
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Email => value.as_str().is_some_and(crate::catalog::limit::is_email),
        Kind::Url => value.as_str().is_some_and(is_url),
        Kind::Int(least, most) => {
            value.as_i64().is_some_and(|number| (least..=most).contains(&number))
        }
        Kind::Number => value.as_f64().is_some_and(|number| number > 0.0),
        Kind::Flag => value.is_boolean(),
        Kind::Date => value.as_str().and_then(Timestamp::read).is_some(),
        Kind::OneOf(names) => value.as_str().is_some_and(|text| names.contains(&text)),
        Kind::Texts => items(value).is_some_and(|all| all.iter().all(Value::is_string)),
        Kind::EachOf(names) => items(value).is_some_and(|all| {
            all.iter().all(|it| it.as_str().is_some_and(|text| names.contains(&text)))
        }),
        Kind::Hash => value.is_object(),
        Kind::Fields(fields) => match value {
            Value::Object(map) => return check(fields, map, &format!("{path}."), faults),
            _ => false,
        },
        Kind::List(fields, most) => match items(value).filter(|all| all.len() <= most) {
            Some(all) => {
                for (at, item) in all.iter().enumerate() {
                    check_value(Kind::Fields(fields), item, &format!("{path}.{at}"), faults);
                }
                return;
            }
            None => false,
        },
        Kind::Unmodelled => false,
    };
    if !fits {
        faults.push(format!("{path} {}", expected(kind)));
    }
}

fn items(value: &Value) -> Option<&Vec<Value>> {
    value.as_array()
}

fn is_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text => "must be a string".to_owned(),
        Kind::Email => "must be an email".to_owned(),
        Kind::Url => "must be a URL address".to_owned(),
        Kind::Int(least, i64::MAX) => {
            format!("must be an integer number and not be less than {least}")
        }
        Kind::Int(least, most) => format!("must be an integer number from {least} to {most}"),
        Kind::Number => "must be a positive number".to_owned(),
        Kind::Flag => "must be a boolean value".to_owned(),
        Kind::Date => "must be a valid ISO 8601 date string".to_owned(),
        Kind::OneOf(names) => {
            format!("must be one of the following values: {}", names.join(", "))
        }
        Kind::Texts => "must be an array of strings".to_owned(),
        Kind::EachOf(names) => {
            format!("must be an array, each value one of the following: {}", names.join(", "))
        }
        Kind::Hash | Kind::Fields(_) => "must be an object".to_owned(),
        Kind::List(_, most) => format!("must be an array of at most {most} objects"),
        Kind::Unmodelled => "is not modelled by this sandbox".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        need("name", Kind::Text),
        may("price", Kind::Int(0, i64::MAX)),
        may("currency", Kind::OneOf(&["EUR", "USD"])),
        may_be_null("trial", Kind::Int(1, 730)),
        may("email", Kind::Email),
        may("url", Kind::Url),
        may("until", Kind::Date),
        may("items", Kind::List(&[need("id", Kind::Text)], 2)),
        may("percentage", Kind::Number),
        may("on", Kind::Flag),
        may("tags", Kind::Texts),
        may("events", Kind::EachOf(&["a", "b"])),
        may("meters", Kind::Unmodelled),
    ];

    fn faults(sent: Value) -> Vec<String> {
        let Value::Object(sent) = sent else { panic!("a body is an object") };
        body(FIELDS, &sent).err().unwrap_or_default()
    }

    #[test]
    fn what_fits_passes_and_null_only_where_it_may() {
        let good = json!({"name": "x", "price": 0, "currency": "EUR", "trial": null, "email": "a@b.cd",
            "url": "https://a.b/", "until": "2027-01-01T00:00:00.000Z", "items": [{"id": "1"}], "percentage": 12.5,
            "on": false, "tags": [], "events": ["a"]});
        assert_eq!(faults(good), Vec::<String>::new());
        assert_eq!(faults(json!({"name": null})), ["name must be a string"]);
    }

    #[test]
    fn each_fault_has_a_sentence_of_its_own() {
        for (member, value, wanted) in [
            ("price", json!("5"), "price must be an integer number and not be less than 0"),
            ("price", json!(-1), "price must be an integer number and not be less than 0"),
            ("currency", json!("JPY"), "currency must be one of the following values: EUR, USD"),
            ("trial", json!(0), "trial must be an integer number from 1 to 730"),
            ("email", json!("a"), "email must be an email"),
            ("url", json!("ftp://a.b"), "url must be a URL address"),
            ("until", json!("soon"), "until must be a valid ISO 8601 date string"),
            ("items", json!([{}]), "items.0.id must be a string"),
            ("items", json!([1, 2, 3]), "items must be an array of at most 2 objects"),
            ("percentage", json!(0), "percentage must be a positive number"),
            ("on", json!(1), "on must be a boolean value"),
            ("tags", json!([1]), "tags must be an array of strings"),
            (
                "events",
                json!(["c"]),
                "events must be an array, each value one of the following: a, b",
            ),
            ("meters", json!([]), "meters is not modelled by this sandbox"),
            ("nonsense", json!(1), "property nonsense should not exist"),
        ] {
            assert_eq!(faults(json!({"name": "x", member: value})), [wanted], "{member}");
        }
        assert_eq!(faults(json!({})), ["name must be a string"]);
    }

    #[test]
    fn a_number_of_a_query_is_read() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let read = query(FIELDS, &[pair("name", "7"), pair("price", "7")]).unwrap();
        assert_eq!((&read["name"], &read["price"]), (&json!("7"), &json!(7)));
        assert!(query(FIELDS, &[pair("name", "x"), pair("price", "seven")]).is_err());
    }
}
