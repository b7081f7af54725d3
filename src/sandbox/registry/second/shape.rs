//! A value as the catalog says that the API shows it.

use crate::catalog::grammar::{Kind, Type};
use crate::sandbox::registry::draft;
use serde_json::{Map, Value};

/// A hash with more members than this that may all be null shows those that it has.
const CHOICES: usize = 20;

/// A value without what its type does not have (`requested` of a capability, the number of an id), and with what it
/// lacks as empty.
pub fn shaped(of: &Type, value: &Value) -> Value {
    match (&of.kind, value) {
        (Kind::Hash(fields), Value::Object(members)) => {
            let is_choice = fields.len() > CHOICES && fields.iter().all(|field| field.of.nullable);
            let shown = fields.iter().filter_map(|field| {
                let value = match members.get(field.name) {
                    Some(value) => shaped(&field.of, value),
                    None if is_choice => return None,
                    None => draft::empty(&field.of)?,
                };
                Some((field.name.to_owned(), value))
            });
            Value::Object(shown.collect::<Map<String, Value>>())
        }
        (Kind::List(of), Value::Array(items)) => {
            items.iter().map(|item| shaped(of, item)).collect()
        }
        _ => value.clone(),
    }
}
