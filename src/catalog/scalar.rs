//! One value of a request as JSON, or Stripe's words about why it is not one.

use serde_json::{Number, Value};

use crate::catalog::grammar::Kind;
use crate::catalog::path::Path;
use crate::wire::failure::{Failure, echo};

/// Reads a non-empty text as a value of a kind that is written as one value.
pub(crate) fn read(kind: &Kind, text: &str, path: Path<'_>) -> Result<Value, Failure> {
    value(kind, text).ok_or_else(|| failure(kind, text, &path.to_string()))
}

fn value(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text | Kind::Any | Kind::Expandable(_) => Some(Value::from(text)),
        Kind::Integer => {
            text.parse::<i64>().ok().filter(|_| !text.starts_with('+')).map(Value::from)
        }
        // `True` is what Python writes.
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Kind::Boolean => None,
        Kind::Float => serde_json::from_str::<Number>(text).ok().map(Value::Number),
        Kind::Decimal => is_decimal(text).then(|| Value::from(text)),
        Kind::Enum { words, .. } => words.contains(&text).then(|| match text {
            "true" if words.len() == 1 => Value::Bool(true),
            _ => Value::from(text),
        }),
        Kind::Union(members) => members.iter().find_map(|member| value(&member.kind, text)),
        Kind::List(_)
        | Kind::Map(_)
        | Kind::Shape(_)
        | Kind::Hash(_)
        | Kind::Object(_)
        | Kind::Page(_) => None,
    }
}

/// Why a text is no value of a kind; of a union, what its last kind that is one value says.
fn failure(kind: &Kind, text: &str, path: &str) -> Failure {
    match kind {
        Kind::Integer => wrong("integer", text, path).code("parameter_invalid_integer"),
        Kind::Boolean => wrong("boolean", text, path),
        Kind::Float | Kind::Decimal => wrong("decimal", text, path),
        Kind::Enum { words, .. } => not_among(words, path),
        Kind::List(_) => Failure::invalid("Invalid array").param(path),
        Kind::Union(members) => {
            let last = members.iter().rfind(|member| is_one_value(&member.kind));
            last.map_or_else(
                || Failure::invalid("Invalid object").param(path),
                |member| failure(&member.kind, text, path),
            )
        }
        Kind::Text
        | Kind::Any
        | Kind::Expandable(_)
        | Kind::Map(_)
        | Kind::Shape(_)
        | Kind::Hash(_)
        | Kind::Object(_)
        | Kind::Page(_) => Failure::invalid("Invalid object").param(path),
    }
}

const fn is_one_value(kind: &Kind) -> bool {
    !matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::Shape(_) | Kind::Hash(_))
}

fn wrong(noun: &str, text: &str, path: &str) -> Failure {
    Failure::invalid(format!("Invalid {noun}: {}", echo(text))).param(path)
}

/// The empty string where nothing can be unset.
pub(crate) fn empty(path: &str) -> Failure {
    let path = &*echo(path);
    Failure::invalid(format!(
        "You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value."
    ))
    .code("parameter_invalid_empty")
    .param(path)
}

fn not_among(words: &[&str], path: &str) -> Failure {
    let list = match words {
        [] => "empty".to_owned(),
        [only] => (*only).to_owned(),
        [first, second] => format!("one of {first} or {second}"),
        [most @ .., last] => format!("one of {}, or {last}", most.join(", ")),
    };
    Failure::invalid(format!("Invalid {}: must be {list}", echo(path))).param(path)
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}
