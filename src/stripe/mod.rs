//! A thin client of Stripe's API, or of anything at a base URL that speaks it. Values in, values out:
//! it knows calling, retrying, paging and failing, not the meaning of objects.

pub mod calls;
pub mod failure;
pub mod retry;
pub mod walk;

use crate::domain::secret::ApiKey;
use crate::net::outbound::{self, Patience, Reach};
use crate::stripe::failure::{ApiError, Error};
use crate::stripe::retry::{Answer, Retries};
use crate::wire::form;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Method, Response};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// The API version that every call names.
pub const API_VERSION: &str = "2026-10-28.endive";

/// Where Stripe itself answers.
pub const STRIPE_BASE: &str = "https://api.stripe.com";

/// A client for one account. Clones share connections.
#[derive(Clone)]
pub struct Stripe {
    base: String,
    key: ApiKey,
    http: reqwest::Client,
    retries: Retries,
}

impl Stripe {
    /// A client for the provider at `base_url`.
    ///
    /// Refuses a live key over plain HTTP, and a base that is no URL.
    pub fn new(base_url: &str, key: ApiKey) -> Result<Self, Error> {
        Self::with_retries(base_url, key, Retries::default())
    }

    /// A client with its own policy of retrying.
    pub fn with_retries(base_url: &str, key: ApiKey, retries: Retries) -> Result<Self, Error> {
        let base = base_url.trim_end_matches('/').to_owned();
        let known = base.starts_with("http://") || base.starts_with("https://");
        if !known || reqwest::Url::parse(&base).is_err() {
            return Err(Error::BadBase { base });
        }
        let reach = Reach::of(&base);
        if key.is_live() && reach == Reach::Plain {
            return Err(Error::Insecure { base });
        }
        let http = outbound::client(reach, Patience::API)?;
        Ok(Self { base, key, http, retries })
    }

    /// Where the provider answers, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the key moves real money.
    pub const fn is_live(&self) -> bool {
        self.key.is_live()
    }

    /// `GET path` with `params` as its query.
    pub async fn get(&self, path: &str, params: &Value) -> Result<Value, Error> {
        self.call(Method::GET, path, params).await
    }

    /// `POST path` with `params` as its form, under a new idempotency key.
    pub async fn post(&self, path: &str, params: &Value) -> Result<Value, Error> {
        self.call(Method::POST, path, params).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::DELETE, path, &Value::Null).await
    }

    /// Calls an endpoint. A POST gets an idempotency key, which stays the same over its retries.
    pub async fn call(&self, method: Method, path: &str, params: &Value) -> Result<Value, Error> {
        let key = (method == Method::POST).then(retry::idempotency_key);
        self.call_with_key(method, path, params, key.as_deref()).await
    }

    /// Calls an endpoint under the caller's own idempotency key.
    pub async fn call_with_key(
        &self,
        method: Method,
        path: &str,
        params: &Value,
        idempotency_key: Option<&str>,
    ) -> Result<Value, Error> {
        let headers = self.headers(idempotency_key)?;
        let mut attempt = 0;
        loop {
            let sent = self.send(&method, path, params, headers.clone()).await;
            let (answer, outcome) = match sent {
                Ok(response) => {
                    let answer = answer_of(&response);
                    (answer, self.read(response).await)
                }
                Err(error) => (Answer::Unreachable, Err(error)),
            };
            match outcome {
                Err(error) if self.retries.again(answer, attempt) => {
                    let delay = self.retries.delay(attempt, retry::jitter());
                    tracing::debug!(attempt, %error, "the call is tried again");
                    pause(delay).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn headers(&self, idempotency_key: Option<&str>) -> Result<HeaderMap, Error> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.key.reveal()))
            .map_err(|_| Error::BadHeader { name: "Authorization" })?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("stripegym/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(key) = idempotency_key {
            let key = HeaderValue::try_from(key)
                .map_err(|_| Error::BadHeader { name: "Idempotency-Key" })?;
            headers.insert("idempotency-key", key);
        }
        Ok(headers)
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        params: &Value,
        headers: HeaderMap,
    ) -> Result<Response, Error> {
        let encoded = form::encode(params);
        let mut url = format!("{}{path}", self.base);
        let in_body = *method == Method::POST;
        if !in_body && !encoded.is_empty() {
            url.push('?');
            url.push_str(&encoded);
        }
        let mut request = self.http.request(method.clone(), url).headers(headers);
        if in_body {
            let kind = "application/x-www-form-urlencoded";
            request = request.header(CONTENT_TYPE, kind).body(encoded);
        }
        request.send().await.map_err(|error| Error::unreachable(&self.base, error))
    }

    async fn read(&self, response: Response) -> Result<Value, Error> {
        let status = response.status();
        let request_id = header(&response, "request-id");
        let body = response.bytes().await.map_err(|error| Error::unreachable(&self.base, error))?;
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        match value {
            Some(value) if status.is_success() => Ok(value),
            Some(value) if value.get("error").is_some_and(Value::is_object) => {
                Err(Error::Api(Box::new(ApiError::read(status.as_u16(), &value, request_id))))
            }
            Some(_) | None => Err(Error::Unreadable { status: status.as_u16(), request_id }),
        }
    }
}

/// The key stays masked.
impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe")
            .field("base", &self.base)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

fn answer_of(response: &Response) -> Answer {
    Answer::Status {
        status: response.status().as_u16(),
        told: match header(response, "stripe-should-retry").as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        },
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}
