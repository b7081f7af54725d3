//! What an endpoint answers: a stored object's text as it is, or a document that was put together.

use crate::sandbox::engine::object::Object;
use crate::wire::render;
use serde_json::Value;
use std::sync::Arc;

/// The body of a successful answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// Compact JSON in the order in which the API shows it: copied, never read.
    Text(Arc<str>),
    /// A document.
    Document(Value),
    /// A list or a search result around texts of objects.
    Page(Box<Page>),
}

/// A hash with one list of objects in it, each as the text that it is stored as.
#[derive(Clone, Debug)]
pub struct Page {
    /// Compact JSON up to the list.
    pub before: &'static str,
    /// The objects.
    pub data: Vec<Arc<str>>,
    /// Compact JSON from behind the list on.
    pub after: String,
}

impl Page {
    fn compact(&self) -> String {
        let length: usize = self.data.iter().map(|text| text.len() + 1).sum();
        let mut out = String::with_capacity(self.before.len() + length + self.after.len() + 2);
        out.push_str(self.before);
        out.push('[');
        for (at, text) in self.data.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(text);
        }
        out.push(']');
        out.push_str(&self.after);
        out
    }
}

impl Body {
    /// The body as a document, to be looked into.
    pub fn into_document(self) -> Value {
        match self {
            Self::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
            Self::Document(value) => value,
            Self::Page(page) => serde_json::from_str(&page.compact()).unwrap_or_default(),
        }
    }

    /// The body as compact JSON.
    pub fn into_text(self) -> Arc<str> {
        match self {
            Self::Text(text) => text,
            Self::Document(value) => render::compact(&value).into(),
            Self::Page(page) => page.compact().into(),
        }
    }

    /// The body as it is sent: indented.
    pub fn pretty(&self) -> Vec<u8> {
        // Stripe's objects grow by about a third.
        let room = |length: usize| Vec::with_capacity(length + length / 2 + 64);
        let indented = |text: &str| {
            let mut out = room(text.len());
            render::pretty_into(&mut out, text, 0);
            out
        };
        match self {
            Self::Text(text) => indented(text),
            Self::Document(value) => indented(&render::compact(value)),
            Self::Page(page) => {
                let mut out = room(page.data.iter().map(|text| text.len()).sum::<usize>() + 200);
                render::pretty_into(&mut out, page.before, 0);
                render::pretty_list_into(&mut out, page.data.iter().map(AsRef::as_ref), 1);
                render::pretty_into(&mut out, &page.after, 1);
                out
            }
        }
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Document(value)
    }
}

impl From<&Object> for Body {
    fn from(object: &Object) -> Self {
        Self::Text(object.stored().shown())
    }
}

impl From<Arc<Object>> for Body {
    fn from(object: Arc<Object>) -> Self {
        Self::from(&*object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_sent_as_the_document_that_it_is() {
        let object =
            json!({"id": "cus_1", "object": "customer", "metadata": {}, "name": "[\"茶\"]"});
        for count in 0..3 {
            let page = Page {
                before: "{\"object\":\"list\",\"data\":",
                data: vec![render::compact(&object).into(); count],
                after: ",\"has_more\":false,\"url\":\"/v1/customers\"}".to_owned(),
            };
            let whole = json!({"object": "list", "data": vec![object.clone(); count],
                "has_more": false, "url": "/v1/customers"});
            let body = Body::Page(Box::new(page));
            assert_eq!(body.pretty(), Body::Document(whole.clone()).pretty());
            assert_eq!(&*body.clone().into_text(), render::compact(&whole));
            assert_eq!(body.into_document(), whole);
        }
    }
}
