//! A delivery as a lesson sends it itself: the event's bytes and their signature, changed as wished. Pure.

use crate::domain::course::mutate::{Body, Header, Mutate, Secret};
use crate::domain::secret::SigningSecret;
use crate::domain::signature::{sign, sign_undated};
use crate::domain::time::Timestamp;
use serde_json::{Value, json};

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonDelivery {
    /// The bytes.
    pub body: Vec<u8>,
    /// `Stripe-Signature`, where there is one.
    pub header: Option<String>,
}

/// What a parcel is made from besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'s> {
    /// The endpoint's secret.
    pub secret: &'s SigningSecret,
    /// The one that it was rolled to, where it was.
    pub rolled: Option<&'s SigningSecret>,
    /// When it is signed.
    pub now: Timestamp,
    /// The API version that the endpoint has, where it is told.
    pub version: Option<&'s str>,
    /// What makes this delivery's event id its own, where that is wished.
    pub salt: &'s str,
}

/// The parcel of an event.
pub fn pack(event: &Value, mutate: &Mutate, signing: Signing<'_>) -> LessonDelivery {
    let mut event = event.clone();
    if let (Some(version), Some(member)) = (signing.version, event.get_mut("api_version")) {
        *member = json!(version);
    }
    for (pointer, value) in &mutate.set {
        put(&mut event, pointer, value);
    }
    for pointer in &mutate.null {
        put(&mut event, pointer, &Value::Null);
    }
    for pointer in &mutate.drop {
        if let Some((parent, name)) = pointer.rsplit_once('/')
            && let Some(Value::Object(map)) = event.pointer_mut(parent)
        {
            map.remove(name);
        }
    }
    if mutate.new_id
        && let Some(id) = event.get_mut("id")
    {
        *id = json!(format!("{}{}", id.as_str().unwrap_or("evt_"), signing.salt));
    }
    let signed = match mutate.body {
        Some(Body::Odd) => odd(&event).into_bytes(),
        Some(Body::NotJson) => b"{\"id\": \"evt_1\", ".to_vec(),
        Some(Body::Empty) => Vec::new(),
        Some(Body::Thin) => thin(&event).to_string().into_bytes(),
        Some(Body::FlipOneByte) | None => format!("{event:#}").into_bytes(),
    };
    let at = signing.now.plus(mutate.timestamp_s);
    let foreign = SigningSecret::read("whsec_nobodyKnowsThisOne");
    let secret = match mutate.secret {
        Some(Secret::Wrong) => foreign.as_ref().unwrap_or(signing.secret),
        Some(Secret::New) => signing.rolled.unwrap_or(signing.secret),
        None => signing.secret,
    };
    let good = sign(secret, at, &signed);
    let header = match mutate.header {
        None => Some(good),
        Some(Header::Missing) => None,
        Some(Header::Empty) => Some(String::new()),
        Some(Header::V0Only) => Some(good.replace("v1=", "v0=")),
        Some(Header::SecondV1) => Some(good.replace("v1=", &format!("v1={},v1=", "0".repeat(64)))),
        Some(Header::FirstDigits) => Some(first_digits(&good)),
        Some(Header::Undated) => Some(sign_undated(secret, &signed)),
        Some(Header::FirstV1) => {
            Some(format!("{good},v1={},v1={}", "0".repeat(64), "f".repeat(64)))
        }
    };
    let body = if mutate.body == Some(Body::FlipOneByte) { flipped(signed) } else { signed };
    LessonDelivery { body, header }
}

/// A signature of which the first eight digits are right.
fn first_digits(header: &str) -> String {
    let (before, digits) = header.split_once("v1=").unwrap_or((header, ""));
    let turned = digits.chars().enumerate().map(|(at, digit)| match (at, digit) {
        (0..8, digit) => digit,
        (_, '0') => '1',
        _ => '0',
    });
    format!("{before}v1={}", turned.collect::<String>())
}

/// Replaces a member, or adds it where what should hold it is there.
fn put(event: &mut Value, pointer: &str, value: &Value) {
    if let Some(member) = event.pointer_mut(pointer) {
        *member = value.clone();
    } else if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(map)) = event.pointer_mut(parent)
    {
        map.insert(name.to_owned(), value.clone());
    }
}

/// Another digit where the first one of the amount or of the id stands: still JSON, no longer what was signed.
fn flipped(mut body: Vec<u8>) -> Vec<u8> {
    let digit = body.iter().rposition(u8::is_ascii_digit);
    if let Some(byte) = digit.and_then(|at| body.get_mut(at)) {
        *byte = if *byte == b'9' { b'8' } else { *byte + 1 };
    }
    body
}

/// The same event with keys in reverse order, blanks where none are needed, and characters beyond ASCII.
fn odd(event: &Value) -> String {
    let Some(map) = event.as_object() else { return event.to_string() };
    let mut members: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{} :\t {value}", Value::String(name.clone())))
        .collect();
    members.push("\"x_note\" : \"領収書 – Größe 😀 \\u00e9\"".to_owned());
    members.reverse();
    format!("{{ \n {} \r\n}}\n", members.join(" ,\n"))
}

fn thin(event: &Value) -> Value {
    json!({
        "id": event.get("id"), "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-11-21T00:00:00.000Z", "livemode": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::{SignatureError, TOLERANCE_S, verify};

    fn judged(mutate: &Mutate) -> Result<(), SignatureError> {
        let secret = SigningSecret::read("whsec_a").unwrap();
        let now = Timestamp(1_800_000_000);
        let event = json!({"id": "evt_1", "livemode": false, "data": {"object": {"amount": 5}}});
        let signing = Signing { secret: &secret, rolled: None, version: None, now, salt: "x" };
        let parcel = pack(&event, mutate, signing);
        let secrets = [secret.clone()];
        verify(&parcel.body, parcel.header.as_deref(), &secrets, now, TOLERANCE_S).map(drop)
    }

    #[test]
    fn what_is_unchanged_or_signed_after_the_change_is_believed() {
        assert_eq!(judged(&Mutate::default()), Ok(()));
        for body in [Body::Odd, Body::NotJson, Body::Empty, Body::Thin] {
            assert_eq!(judged(&Mutate { body: Some(body), ..Mutate::default() }), Ok(()));
        }
        for header in [Header::SecondV1, Header::FirstV1] {
            assert_eq!(judged(&Mutate { header: Some(header), ..Mutate::default() }), Ok(()));
        }
        assert_eq!(judged(&Mutate { new_id: true, ..Mutate::default() }), Ok(()));
    }

    #[test]
    fn each_forgery_is_one() {
        let flip = Mutate { body: Some(Body::FlipOneByte), ..Mutate::default() };
        assert_eq!(judged(&flip), Err(SignatureError::Mismatch));
        let wrong = Mutate { secret: Some(Secret::Wrong), ..Mutate::default() };
        assert_eq!(judged(&wrong), Err(SignatureError::Mismatch));
        let old = Mutate { timestamp_s: -600, ..Mutate::default() };
        assert!(matches!(judged(&old), Err(SignatureError::TooOld { .. })));
        let v0 = Mutate { header: Some(Header::V0Only), ..Mutate::default() };
        assert_eq!(judged(&v0), Err(SignatureError::NoV1Scheme));
        let digits = Mutate { header: Some(Header::FirstDigits), ..Mutate::default() };
        assert_eq!(judged(&digits), Err(SignatureError::Mismatch));
        let undated = Mutate { header: Some(Header::Undated), ..Mutate::default() };
        assert_eq!(judged(&undated), Err(SignatureError::Unparsable));
        let missing = Mutate { header: Some(Header::Missing), ..Mutate::default() };
        assert_eq!(judged(&missing), Err(SignatureError::NoHeader));
    }

    #[test]
    fn members_are_replaced_added_and_left_out() {
        let secret = SigningSecret::read("whsec_a").unwrap();
        let signing =
            Signing { secret: &secret, rolled: None, version: None, now: Timestamp(1), salt: "x" };
        let mutate: Mutate = serde_json::from_value(
            json!({"set": {"/id": "evt_2", "/data/new": 1, "/no/where": 2}, "drop": ["/data/old"]}),
        )
        .unwrap();
        let parcel = pack(&json!({"id": "evt_1", "data": {"old": 3}}), &mutate, signing);
        let sent: Value = serde_json::from_slice(&parcel.body).unwrap();
        assert_eq!(sent, json!({"id": "evt_2", "data": {"new": 1}}));
    }

    #[test]
    fn an_odd_body_is_the_same_json() {
        let read: Value = serde_json::from_str(&odd(&json!({"id": "evt_1", "n": [1, 2]}))).unwrap();
        assert_eq!((&read["id"], &read["n"]), (&json!("evt_1"), &json!([1, 2])));
    }
}
