//! Objects of the API: a list as a table, one as its members by name. Which members, and in which order, is said by
//! `domain::merchant_command::noun`.

use crate::domain::currency::Currency;
use crate::domain::merchant_command::noun::{Form, Member};
use crate::domain::money::Money;
use crate::domain::report::Objects;
use crate::domain::time::Timestamp;
use crate::view::canvas::{Canvas, Tone};
use crate::view::foreign::plain;
use crate::view::table::{Side, draw};
use crate::view::words::Msg;
use crate::view::{money, time};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr as _;

/// How much of an instant a column has room for: its day.
const DAY: usize = 10;

/// For people.
pub(super) fn text(it: &Objects, canvas: &Canvas) -> String {
    match (it.is_list, it.rows.as_slice()) {
        (true, []) => canvas.say(&Msg::ControlNone),
        (true, rows) => list(it, rows, canvas),
        (false, rows) => {
            let objects = rows.iter().map(|object| one(it.noun.members, object, canvas));
            objects.collect::<Vec<_>>().join("\n")
        }
    }
}

/// For programs: what the API says, by the names of the members. Of an object that was deleted only what is left of it.
pub(super) fn value(it: &Objects) -> Value {
    let row = |object: &Value| {
        let is_gone = object.get("deleted").and_then(Value::as_bool) == Some(true);
        let members = it.noun.members.iter().filter_map(|member| {
            let found = object.pointer(member.at);
            let value = match member.form {
                Form::Id => found.map(id),
                Form::Word | Form::Amount(_) | Form::Instant => found.cloned(),
            };
            (value.is_some() || !is_gone)
                .then(|| (member.name.to_owned(), value.unwrap_or_default()))
        });
        Value::Object(members.collect::<Map<_, _>>())
    };
    if it.is_list {
        let rows: Vec<Value> = it.rows.iter().map(row).collect();
        return json!({ "data": rows, "has_more": it.has_more });
    }
    it.rows.first().map_or(Value::Null, row)
}

/// An id, also of an object that was expanded, or the ids of a list.
fn id(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.get("id").cloned().unwrap_or_default(),
        Value::Array(all) => all.iter().map(id).collect(),
        other => other.clone(),
    }
}

fn list(it: &Objects, rows: &[Value], canvas: &Canvas) -> String {
    let columns: Vec<&Member> = it.noun.members.iter().filter(|member| member.listed).collect();
    let head = columns.iter().map(|member| {
        let side = match member.form {
            Form::Amount(_) => Side::Right,
            Form::Id if member.at == "/id" => Side::Whole,
            Form::Id | Form::Word | Form::Instant => Side::Left,
        };
        (member.name.to_owned(), side)
    });
    let head: Vec<(String, Side)> = head.collect();
    let cell = |member: &&Member, object: &Value| {
        let shown = shown(member, object, canvas);
        match member.form {
            Form::Instant => shown.chars().take(DAY).collect(),
            Form::Word | Form::Id | Form::Amount(_) => shown,
        }
    };
    let row = |object: &Value| columns.iter().map(|member| cell(member, object)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    let mut out = draw(canvas, &head, &rows);
    let last = it.rows.last().and_then(|row| row.get("id")).and_then(Value::as_str);
    if let Some(last) = last.filter(|_| it.has_more) {
        out.push_str(&canvas.tone(Tone::Quiet, &canvas.say(&Msg::ObjectsMore { last })));
    }
    out
}

/// The members that say something, a line each; what is too long for one stands in a line of its own, whole.
fn one(members: &[Member], object: &Value, canvas: &Canvas) -> String {
    let shown = members.iter().map(|member| (member.name, shown(member, object, canvas)));
    let shown: Vec<(&str, String)> = shown.filter(|(_, text)| !text.is_empty()).collect();
    let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = shown.iter().map(|(name, text)| {
        let text = plain(text);
        if width + 2 + text.width() > usize::from(canvas.width) {
            format!("{name}\n  {text}")
        } else {
            format!("{name:width$}  {text}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A member as a person reads it.
fn shown(member: &Member, object: &Value, canvas: &Canvas) -> String {
    let Some(value) = object.pointer(member.at) else { return String::new() };
    match (member.form, value.as_i64()) {
        (Form::Amount(at), Some(minor)) => {
            let code = object.pointer(at).and_then(Value::as_str).unwrap_or_default();
            match code.parse::<Currency>() {
                Ok(currency) => money::show(Money::new(minor, currency), canvas.locale),
                Err(_) => format!("{minor} {code}").trim_end().to_owned(),
            }
        }
        (Form::Instant, Some(at)) => time::show(Timestamp(at), &canvas.zone),
        (Form::Id, _) => word(&id(value)),
        (Form::Word | Form::Amount(_) | Form::Instant, _) => word(value),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(word).collect::<Vec<_>>().join(", "),
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", word(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use crate::domain::merchant_command::noun::{CUSTOMER, PAYMENT, SUBSCRIPTION};

    fn objects(
        noun: &'static crate::domain::merchant_command::noun::Noun,
        rows: Vec<Value>,
    ) -> Objects {
        Objects { noun, rows, is_list: false, has_more: false }
    }

    #[test]
    fn amounts_follow_their_currency_and_instants_the_zone() {
        let object = json!({"id": "pi_1", "amount": 1_500, "currency": "jpy", "created": 0,
            "latest_charge": {"id": "ch_1"}, "next_action": null});
        let it = objects(&PAYMENT, vec![object]);
        let text = text(&it, &Canvas::plain(Locale::Ja));
        for line in [
            "amount          1,500円",
            "latest_charge   ch_1",
            "created         1970-01-01 00:00:00",
        ] {
            assert!(text.contains(line), "{line:?} in\n{text}");
        }
        let usd = json!({"id": "pi_1", "amount": 1_500, "currency": "usd"});
        let text = super::text(&objects(&PAYMENT, vec![usd]), &Canvas::plain(Locale::En));
        assert!(text.contains("$15.00"), "{text}");
        assert_eq!(value(&it)["amount"], 1_500);
        assert_eq!(value(&it)["latest_charge"], "ch_1");
        assert_eq!(value(&it)["client_secret"], Value::Null, "a member is there or null");
    }

    #[test]
    fn of_what_was_deleted_is_said_what_is_left() {
        let gone = objects(&CUSTOMER, vec![json!({"id": "cus_1", "deleted": true})]);
        assert_eq!(value(&gone), json!({"customer": "cus_1", "deleted": true}));
        assert_eq!(text(&gone, &Canvas::plain(Locale::En)), "customer  cus_1\ndeleted   true");
    }

    #[test]
    fn a_list_fits_and_says_how_it_goes_on() {
        let long = "x".repeat(28);
        let row = json!({"id": format!("sub_{long}"), "status": "active", "customer": "cus_12345678901234",
            "items": {"data": [{"price": {"unit_amount": 98_000}}]}, "currency": "jpy"});
        let it = Objects { is_list: true, has_more: true, ..objects(&SUBSCRIPTION, vec![row]) };
        for locale in Locale::ALL {
            let text = text(&it, &Canvas::plain(locale));
            assert!(text.contains(&format!("--after sub_{long}")), "{text}");
            assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        }
        let none = Objects { rows: Vec::new(), has_more: false, ..it };
        assert_eq!(value(&none), json!({"data": [], "has_more": false}));
    }

    #[test]
    fn what_others_wrote_does_nothing_in_a_terminal() {
        let name = json!({"id": "cus_1", "name": "a\u{1b}[31mb"});
        let text = text(&objects(&CUSTOMER, vec![name]), &Canvas::plain(Locale::En));
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
