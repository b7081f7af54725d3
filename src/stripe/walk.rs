//! Walks a list page by page, newest first, until it ends.

use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use serde_json::{Map, Value, json};

/// Objects a page; the most that the API gives.
const PAGE_MAX: u8 = 100;

/// A walk under way.
#[derive(Debug)]
pub struct Walk<'s> {
    stripe: &'s Stripe,
    path: String,
    params: Map<String, Value>,
    ended: bool,
}

impl Stripe {
    /// Walks the list at `path`. A `limit` among `params` is the size of a page.
    pub fn walk(&self, path: &str, params: &Value) -> Walk<'_> {
        let mut params = params.as_object().cloned().unwrap_or_default();
        params.entry("limit").or_insert(json!(PAGE_MAX));
        Walk { stripe: self, path: path.to_owned(), params, ended: false }
    }
}

impl Walk<'_> {
    /// The next page, or `None` once the list has ended.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Value>>, Error> {
        if self.ended {
            return Ok(None);
        }
        let mut page = self.stripe.get(&self.path, &Value::Object(self.params.clone())).await?;
        let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) else {
            return Err(Error::Unreadable { status: 200, request_id: None });
        };
        let last = data.last().and_then(|object| object.get("id")).and_then(Value::as_str);
        let more = page.get("has_more").and_then(Value::as_bool) == Some(true);
        match last {
            Some(id) if more => {
                self.params.insert("starting_after".to_owned(), json!(id));
            }
            // A page that says "more" and names nothing to go on from would be asked for for ever.
            _ => self.ended = true,
        }
        Ok((!data.is_empty()).then_some(data))
    }

    /// All that is left of the list.
    pub async fn rest(mut self) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }
}
