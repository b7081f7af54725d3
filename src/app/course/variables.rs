//! What a run keeps under names, and texts that refer to it. Pure.

use crate::app::course::act_error::ActError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was kept, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    /// Names that were used since somebody asked, in the order of their first use.
    used: Arc<Mutex<Vec<String>>>,
}

impl Variables {
    /// Keeps a value; what had the name before is forgotten.
    pub fn keep(&mut self, name: &str, value: Value) {
        self.use_name(name);
        self.values.insert(name.to_owned(), value);
    }

    /// What has a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.use_name(name);
        self.values.get(name)
    }

    /// What has a name, which an act before must have kept.
    pub fn need(&self, name: &str) -> Result<&Value, ActError> {
        self.get(name).ok_or_else(|| ActError::unknown(name))
    }

    /// A text with its references filled in, which must all lead to something.
    pub fn filled(&self, text: &str) -> Result<String, ActError> {
        self.fill(text).ok_or_else(|| ActError::unknown(text))
    }

    /// A value with its references filled in, which must all lead to something; `place` says whose value it is.
    pub fn resolved(&self, value: &Value, place: &str) -> Result<Value, ActError> {
        self.resolve(value).ok_or_else(|| ActError::unknown(place))
    }

    /// What has a name, without using it.
    pub fn peek(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// What was kept or referred to since the last time that somebody asked, in that order.
    pub fn take_used(&self) -> Vec<&Value> {
        let used = std::mem::take(&mut *self.used());
        used.iter().filter_map(|name| self.values.get(name)).collect()
    }

    fn use_name(&self, name: &str) {
        let mut used = self.used();
        if !used.iter().any(|it| it == name) {
            used.push(name.to_owned());
        }
    }

    fn used(&self) -> MutexGuard<'_, Vec<String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a reference such as `$paid.id` stands for.
    pub fn look_up(&self, reference: &str) -> Option<&Value> {
        let mut parts = reference.strip_prefix('$')?.split('.');
        let mut value = self.get(parts.next()?)?;
        for part in parts {
            value = match value {
                Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                Value::Object(map) => map.get(part)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// A text with its references filled in; `None` where one leads to nothing.
    pub fn fill(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let length = reference_length(after);
            let (reference, next) = after.split_at_checked(length)?;
            if reference.is_empty() {
                out.push('$');
            } else {
                match self.look_up(&format!("${reference}"))? {
                    Value::String(text) => out.push_str(text),
                    other => out.push_str(&other.to_string()),
                }
            }
            rest = next;
        }
        out.push_str(rest);
        Some(out)
    }

    /// A value with its references filled in, at any depth; a text that is a reference becomes what it stands
    /// for. `None` where one leads to nothing.
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(text) if is_reference(text) => self.look_up(text)?.clone(),
            Value::String(text) => Value::String(self.fill(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.resolve(item)).collect::<Option<_>>()?)
            }
            Value::Object(map) => {
                let pairs =
                    map.iter().map(|(name, item)| Some((name.clone(), self.resolve(item)?)));
                Value::Object(pairs.collect::<Option<Map<_, _>>>()?)
            }
            other => other.clone(),
        })
    }

    /// The id that a reference stands for: of an object with an `id`, or the text itself.
    pub fn id(&self, reference: &str) -> Option<String> {
        if !reference.starts_with('$') {
            return Some(reference.to_owned());
        }
        let value = self.look_up(reference)?;
        let id = value.as_str().or_else(|| value.get("id")?.as_str())?;
        Some(id.to_owned())
    }
}

fn is_reference(text: &str) -> bool {
    text.strip_prefix('$')
        .is_some_and(|rest| !rest.is_empty() && reference_length(rest) == rest.len())
}

/// How many bytes of `text` belong to a reference: names of a-z, 0-9, `_`, with single dots between.
fn reference_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let goes_on = is_name(*byte)
            || (*byte == b'.' && at > 0 && bytes.get(at + 1).is_some_and(|next| is_name(*next)));
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept() -> Variables {
        let mut kept = Variables::default();
        kept.keep("app", json!({"url": "http://h:1"}));
        kept.keep("paid", json!({"id": "cs_1", "lines": [{"n": 5}]}));
        kept
    }

    #[test]
    fn references_are_filled_in_wherever_they_stand() {
        let kept = kept();
        assert_eq!(kept.fill("$app.url/x?id=$paid.id.").as_deref(), Some("http://h:1/x?id=cs_1."));
        assert_eq!(kept.fill("5$ and $"), Some("5$ and $".to_owned()));
        assert_eq!(kept.fill("$nobody"), None);
        assert_eq!(kept.resolve(&json!({"a": ["$paid.lines.0.n"]})), Some(json!({"a": [5]})));
        assert_eq!(kept.resolve(&json!("n=$paid.lines.0.n")), Some(json!("n=5")));
    }

    #[test]
    fn what_was_used_is_told_once_and_in_order() {
        let mut kept = kept();
        assert_eq!(kept.take_used().len(), 2);
        kept.fill("$paid.id $app.url $paid.id");
        kept.keep("late", json!(1));
        let used: Vec<Value> = kept.take_used().into_iter().cloned().collect();
        assert_eq!(used.last(), Some(&json!(1)));
        assert_eq!((used[0]["id"].as_str(), used.len()), (Some("cs_1"), 3));
        assert!(kept.take_used().is_empty());
    }

    #[test]
    fn an_id_is_that_of_an_object_or_a_text() {
        let kept = kept();
        assert_eq!(kept.id("$paid").as_deref(), Some("cs_1"));
        assert_eq!(kept.id("$paid.id").as_deref(), Some("cs_1"));
        assert_eq!(kept.id("evt_9").as_deref(), Some("evt_9"));
        assert_eq!(kept.id("$app"), None);
    }
}
