//! The endpoints that the merchant uses, by name.

use crate::domain::time::Timestamp;
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use crate::stripe::walk::Walk;
use crate::wire::form::escape;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Which part of a list is wanted, by when objects were created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl Window {
    /// The `created` filter of lists, or nothing where the window is open on both sides.
    pub(crate) fn params(self) -> Map<String, Value> {
        let mut created = Map::new();
        if let Some(since) = self.since {
            created.insert("gte".to_owned(), json!(since.0));
        }
        if let Some(until) = self.until {
            created.insert("lt".to_owned(), json!(until.0));
        }
        let mut params = Map::new();
        if !created.is_empty() {
            params.insert("created".to_owned(), Value::Object(created));
        }
        params
    }
}

impl Stripe {
    /// Creates a Checkout Session.
    pub async fn create_session(&self, params: &Value) -> Result<Value, Error> {
        self.post("/v1/checkout/sessions", params).await
    }

    /// Creates a Checkout Session under the caller's own idempotency key: asked twice, it is made once.
    pub async fn create_session_once(&self, params: &Value, key: &str) -> Result<Value, Error> {
        let path = "/v1/checkout/sessions";
        self.call_with_key(Method::POST, path, params, Some(key)).await
    }

    /// Reads a Checkout Session as it is now.
    pub async fn session(&self, id: &str) -> Result<Value, Error> {
        self.get(&format!("/v1/checkout/sessions/{}", escape(id)), &Value::Null).await
    }

    /// Ends a Checkout Session that is open.
    pub async fn expire_session(&self, id: &str) -> Result<Value, Error> {
        let path = format!("/v1/checkout/sessions/{}/expire", escape(id));
        self.post(&path, &Value::Null).await
    }

    /// Walks Checkout Sessions created within `window`, newest first, their PaymentIntents expanded,
    /// which tells a payment that failed from one on its way.
    pub fn sessions(&self, window: Window) -> Walk<'_> {
        let mut params = window.params();
        params.insert("expand".to_owned(), json!(["data.payment_intent"]));
        self.walk("/v1/checkout/sessions", &Value::Object(params))
    }

    /// Walks refunds created within `window`, newest first.
    pub fn refunds(&self, window: Window) -> Walk<'_> {
        self.walk("/v1/refunds", &Value::Object(window.params()))
    }

    /// Walks events created within `window`, newest first. The provider keeps 30 days.
    pub fn events(&self, window: Window) -> Walk<'_> {
        self.walk("/v1/events", &Value::Object(window.params()))
    }

    /// Reads one event.
    pub async fn event(&self, id: &str) -> Result<Value, Error> {
        self.get(&format!("/v1/events/{}", escape(id)), &Value::Null).await
    }

    /// Registers a webhook endpoint; the answer alone carries its secret.
    pub async fn create_webhook_endpoint(
        &self,
        url: &str,
        enabled_events: &[&str],
        description: &str,
        metadata: &Value,
    ) -> Result<Value, Error> {
        let params = json!({"url": url, "enabled_events": enabled_events, "description": description,
            "metadata": metadata});
        self.post("/v1/webhook_endpoints", &params).await
    }

    /// Sends what an endpoint is told to `url` from now on, what is sent to it again included.
    pub async fn move_webhook_endpoint(&self, id: &str, url: &str) -> Result<Value, Error> {
        let path = format!("/v1/webhook_endpoints/{}", escape(id));
        self.post(&path, &json!({"url": url, "disabled": false})).await
    }

    /// Walks the webhook endpoints, newest first.
    pub fn webhook_endpoints(&self) -> Walk<'_> {
        self.walk("/v1/webhook_endpoints", &Value::Null)
    }

    /// Removes a webhook endpoint.
    pub async fn delete_webhook_endpoint(&self, id: &str) -> Result<Value, Error> {
        self.delete(&format!("/v1/webhook_endpoints/{}", escape(id))).await
    }

    /// Reads the hosted page of a session as data. Undocumented by Stripe; its own tool uses it.
    pub async fn payment_page(&self, session: &str) -> Result<Value, Error> {
        self.get(&format!("/v1/payment_pages/{}", escape(session)), &Value::Null).await
    }

    /// Pays the hosted page of a session without a browser. Undocumented by Stripe; its own tool uses it.
    pub async fn confirm_payment_page(
        &self,
        session: &str,
        params: &Value,
    ) -> Result<Value, Error> {
        self.post(&format!("/v1/payment_pages/{}/confirm", escape(session)), params).await
    }

    /// Creates a PaymentMethod.
    pub async fn create_payment_method(&self, params: &Value) -> Result<Value, Error> {
        self.post("/v1/payment_methods", params).await
    }
}
