//! One value of a request as JSON, or Stripe's words about why it is not one.

use serde_json::{Number, Value};

use crate::catalog::grammar::Kind;
use crate::wire::failure::Failure;

/// The most elements that a page of a list may have.
pub(crate) const MAX_LIMIT: i64 = 100;

/// Reads a non-empty text as a value of a kind that is written as one value.
pub(crate) fn read(kind: &Kind, text: &str, path: &str) -> Result<Value, Failure> {
    match kind {
        Kind::Text | Kind::Any | Kind::Expandable(_) => Ok(Value::from(text)),
        Kind::Integer => match text.parse::<i64>() {
            Ok(number) if !text.starts_with('+') => Ok(Value::from(number)),
            _ => Err(wrong("integer", text, path).code("parameter_invalid_integer")),
        },
        Kind::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong("boolean", text, path)),
        },
        Kind::Float => match serde_json::from_str::<Number>(text) {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(wrong("decimal", text, path)),
        },
        Kind::Decimal if is_decimal(text) => Ok(Value::from(text)),
        Kind::Decimal => Err(wrong("decimal", text, path)),
        Kind::Enum { words, .. } if words.contains(&text) => Ok(match text {
            "true" if words.len() == 1 => Value::Bool(true),
            _ => Value::from(text),
        }),
        Kind::Enum { words, .. } => Err(not_among(words, path)),
        Kind::List(_) => Err(Failure::invalid("Invalid array").param(path)),
        Kind::Map(_) | Kind::Shape(_) | Kind::Hash(_) | Kind::Object(_) | Kind::Page(_) => {
            Err(Failure::invalid("Invalid object").param(path))
        }
        Kind::Union(members) => {
            let mut last = Failure::invalid("Invalid object").param(path);
            for member in members {
                match read(&member.kind, text, path) {
                    Ok(value) => return Ok(value),
                    Err(failure) if is_one_value(&member.kind) => last = failure,
                    Err(_) => {}
                }
            }
            Err(last)
        }
    }
}

const fn is_one_value(kind: &Kind) -> bool {
    !matches!(kind, Kind::List(_) | Kind::Map(_) | Kind::Shape(_) | Kind::Hash(_))
}

fn wrong(noun: &str, text: &str, path: &str) -> Failure {
    Failure::invalid(format!("Invalid {noun}: {text}")).param(path)
}

/// The empty string where nothing can be unset.
pub(crate) fn empty(path: &str) -> Failure {
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
    Failure::invalid(format!("Invalid {path}: must be {list}")).param(path)
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// Whether the size of a page is one that lists allow.
pub(crate) fn limit(value: &Value) -> Result<(), Failure> {
    let Some(limit) = value.as_i64() else { return Ok(()) };
    let bound = if limit > MAX_LIMIT {
        format!("less than or equal to {MAX_LIMIT}")
    } else if limit < 1 {
        "greater than or equal to 1".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::invalid(format!("This value must be {bound} (it currently is '{limit}')."))
        .code("parameter_invalid_integer")
        .param("limit"))
}
