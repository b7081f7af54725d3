//! Signatures that fit only whoever makes a certain mistake: what such a signature is accepted by, made it. Pure.

use crate::domain::course::claim::Signed;
use crate::domain::secret::SigningSecret;
use crate::domain::signature::{sign, sign_with};
use crate::domain::time::Timestamp;
use serde_json::Value;

/// What signatures are made from.
#[derive(Clone, Copy, Debug)]
pub struct KnownSecrets<'k> {
    /// The secret that the application should believe.
    pub own: &'k SigningSecret,
    /// Other secrets that are known here.
    pub others: &'k [SigningSecret],
    /// The endpoint's id, `we_…`.
    pub endpoint: &'k str,
    /// When it is signed.
    pub now: Timestamp,
}

/// The headers for `body` that fit the mistake; several where it can be made in several ways.
pub fn headers(signed: Signed, body: &[u8], ring: KnownSecrets<'_>) -> Vec<String> {
    let own = ring.own.reveal();
    let with = |key: &str| sign_with(key, ring.now, body);
    match signed {
        Signed::Well => vec![with(own)],
        Signed::OtherSecret => {
            let others = ring.others.iter().filter(|other| *other != ring.own);
            others.map(|other| sign(other, ring.now, body)).collect()
        }
        Signed::Whitespace => ["{} ", "{}\n", "{}\r", "{}\r\n", " {}", "\"{}\"", "'{}'"]
            .map(|shape| with(&shape.replace("{}", own)))
            .to_vec(),
        Signed::EndpointId => vec![with(ring.endpoint)],
        Signed::NoPrefix => own.strip_prefix("whsec_").map(with).into_iter().collect(),
        Signed::EmptySecret => vec![with("")],
        Signed::Reserialised => written_again(body)
            .iter()
            .filter(|again| again.as_slice() != body)
            .map(|again| sign_with(own, ring.now, again))
            .collect(),
    }
}

/// The body as JSON libraries write it: compact, with blanks after signs, indented by two and by four; each with
/// characters beyond ASCII as they are and escaped.
fn written_again(body: &[u8]) -> Vec<Vec<u8>> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let compact = value.to_string();
    let indented = format!("{value:#}");
    let four = indented.lines().map(|line| {
        let text = line.trim_start();
        format!("{}{text}", " ".repeat((line.len() - text.len()) * 2))
    });
    let four: Vec<String> = four.collect();
    let all = [compact.clone(), spaced(&value), indented.clone(), four.join("\n")];
    // PHP escapes slashes, and takes an empty object for an empty list.
    let php = compact.replace('/', "\\/");
    let all = all.into_iter().chain([php.replace("{}", "[]"), php]);
    let json = all.flat_map(|text| [escaped(&text), text]);
    let shown = SHOWN.iter().map(|form| form.show(&value));
    json.chain(shown).chain(NAMED.map(str::to_owned)).map(String::into_bytes).collect()
}

/// What is left of a parsed body in a language that shows its kind in place of its content.
const NAMED: [&str; 2] = ["[object Object]", "Array"];
/// How languages show a parsed body as a text that is no JSON: Python, Ruby of before 3.4, Ruby.
const SHOWN: [Shown; 3] = [
    Shown { quote: '\'', pair: ": ", words: ["None", "True", "False"] },
    Shown { quote: '"', pair: "=>", words: ["nil", "true", "false"] },
    Shown { quote: '"', pair: " => ", words: ["nil", "true", "false"] },
];

/// How one of them does.
struct Shown {
    quote: char,
    pair: &'static str,
    words: [&'static str; 3],
}

impl Shown {
    fn show(&self, value: &Value) -> String {
        let [null, yes, no] = self.words;
        let list = |items: Vec<String>| items.join(", ");
        match value {
            Value::Null => null.to_owned(),
            Value::Bool(true) => yes.to_owned(),
            Value::Bool(false) => no.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                format!("[{}]", list(items.iter().map(|item| self.show(item)).collect()))
            }
            Value::Object(map) => {
                let pair = |(name, item): (&String, &Value)| {
                    format!("{}{}{}", self.text(name), self.pair, self.show(item))
                };
                format!("{{{}}}", list(map.iter().map(pair).collect()))
            }
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace('\\', "\\\\").replace('\n', "\\n");
        // Python takes the other quotes for a text that has its own in it.
        let quote = if self.quote == '\'' && text.contains('\'') { '"' } else { self.quote };
        format!("{quote}{text}{quote}")
    }
}

/// As Python writes it: `{"a": 1, "b": [2, 3]}`.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(name, item)| format!("{}: {}", Value::String(name.clone()), spaced(item)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// With `\u` escapes in place of characters beyond ASCII.
fn escaped(text: &str) -> String {
    let mut units = [0; 2];
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                out.extend([format!("\\u{unit:04x}")]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::{TOLERANCE_S, verify};

    const BODY: &[u8] =
        "{\n  \"id\": \"evt_1\",\n  \"n\": [1, 2],\n  \"name\": \"茶\"\n}".as_bytes();

    fn made(signed: Signed) -> Vec<String> {
        let (own, other) = (read("whsec_own"), read("whsec_other"));
        let ring = KnownSecrets {
            own: &own,
            others: &[other, own.clone()],
            endpoint: "we_1",
            now: Timestamp(9),
        };
        headers(signed, BODY, ring)
    }

    fn read(text: &str) -> SigningSecret {
        SigningSecret::read(text).unwrap()
    }

    #[test]
    fn a_parsed_body_is_shown_as_languages_show_it() {
        let value = serde_json::json!({"a": [null, true], "b": "it's", "c": "\u{8336}"});
        let shown: Vec<String> = SHOWN.iter().map(|form| form.show(&value)).collect();
        assert_eq!(
            shown,
            [
                r#"{'a': [None, True], 'b': "it's", 'c': '茶'}"#,
                r#"{"a"=>[nil, true], "b"=>"it's", "c"=>"茶"}"#,
                r#"{"a" => [nil, true], "b" => "it's", "c" => "茶"}"#,
            ]
        );
    }

    fn fits(headers: &[String], secret: &str, body: &[u8]) -> bool {
        let secrets = [read(secret)];
        headers.iter().any(|it| verify(body, Some(it), &secrets, Timestamp(9), TOLERANCE_S).is_ok())
    }

    #[test]
    fn each_mistake_is_fitted_by_its_signature_alone() {
        assert!(fits(&made(Signed::Well), "whsec_own", BODY));
        assert!(fits(&made(Signed::OtherSecret), "whsec_other", BODY));
        assert!(fits(&made(Signed::EndpointId), "we_1", BODY));
        assert!(fits(&made(Signed::NoPrefix), "own", BODY));
        for signed in [
            Signed::OtherSecret,
            Signed::Whitespace,
            Signed::EndpointId,
            Signed::NoPrefix,
            Signed::EmptySecret,
            Signed::Reserialised,
        ] {
            assert!(!made(signed).is_empty());
            assert!(!fits(&made(signed), "whsec_own", BODY), "{signed:?}");
        }
    }

    #[test]
    fn what_other_libraries_write_is_among_the_guesses() {
        let again = made(Signed::Reserialised);
        for body in [
            "{\"id\":\"evt_1\",\"n\":[1,2],\"name\":\"茶\"}",
            "{\"id\": \"evt_1\", \"n\": [1, 2], \"name\": \"\\u8336\"}",
        ] {
            assert!(fits(&again, "whsec_own", body.as_bytes()), "{body}");
        }
        assert!(headers_of_no_json().is_empty());
    }

    fn headers_of_no_json() -> Vec<String> {
        let own = read("whsec_own");
        let ring = KnownSecrets { own: &own, others: &[], endpoint: "we_1", now: Timestamp(9) };
        headers(Signed::Reserialised, b"no json", ring)
    }
}
