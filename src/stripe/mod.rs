//! A thin client of Stripe's API, or of anything at a base URL that speaks it. Values in, values out:
//! it knows calling, retrying, paging and failing, not the meaning of objects.

pub mod calls;
pub mod failure;
pub mod retry;
pub mod walk;

#[cfg(test)]
pub(crate) mod fake;

use crate::domain::host::is_loopback;
use crate::domain::secret::ApiKey;
use crate::net::outbound::{self, Patience, Reach};
use crate::os::entropy::Entropy;
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
    http: outbound::Client,
    retries: Retries,
    entropy: Option<Entropy>,
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
        let local = is_loopback(&base);
        let build = if local { outbound::client } else { outbound::far_client };
        let http = build(reach, Patience::API)?;
        Ok(Self { base, key, http, retries, entropy: None })
    }

    /// The same client, whose idempotency keys `entropy` decides.
    #[must_use]
    pub fn repeatable(mut self, entropy: Entropy) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// A new idempotency key.
    pub fn fresh_key(&self) -> String {
        retry::idempotency_key(self.entropy.as_ref())
    }

    /// Where the provider answers, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The key that calls are made with.
    pub const fn key(&self) -> &ApiKey {
        &self.key
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
        let key = (method == Method::POST).then(|| self.fresh_key());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::fake::{Fake, Reply};
    use serde_json::json;

    const KEY: &str = "sk_test_51secretsecretsecret";

    fn client(base: &str) -> Stripe {
        Stripe::with_retries(base, ApiKey::read(KEY).unwrap(), Retries::immediate()).unwrap()
    }

    fn failing(status: u16) -> Reply {
        (
            status,
            vec![("request-id", "req_9")],
            json!({"error": {"type": "api_error", "message": "no"}}),
        )
    }

    #[tokio::test]
    async fn a_post_carries_key_version_form_and_one_idempotency_key_over_its_retries() {
        let script = |_: &fake::Asked, n| match n {
            0 => failing(500),
            1 => failing(409),
            _ => (200, vec![], json!({"id": "cs_1"})),
        };
        let provider = Fake::start(script).await;
        let params = json!({"mode": "payment", "line_items": [{"quantity": 2}], "url": "a b&c"});
        let session = client(&provider.base).create_session(&params).await.unwrap();
        assert_eq!(session["id"], "cs_1");
        let asked = provider.asked();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[0].body, "line_items[0][quantity]=2&mode=payment&url=a+b%26c");
        assert_eq!(asked[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(asked[0].header("stripe-version"), Some(API_VERSION));
        assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));
        let keys: Vec<_> = asked.iter().map(|one| one.header("idempotency-key").unwrap()).collect();
        assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 36));
    }

    #[tokio::test]
    async fn two_retries_are_the_end_and_what_the_provider_says_overrides() {
        let provider = Fake::start(|_, _| failing(503)).await;
        let error = client(&provider.base).get("/v1/balance", &Value::Null).await.unwrap_err();
        assert_eq!(error.api().map(|api| api.status), Some(503));
        assert_eq!(error.api().and_then(|api| api.request_id.clone()).as_deref(), Some("req_9"));
        assert_eq!(provider.asked().len(), 3);
        assert!(provider.asked().iter().all(|one| one.header("idempotency-key").is_none()));
        let told = |say: &'static str, status| {
            Fake::start(move |_, _| {
                (status, vec![("stripe-should-retry", say)], json!({"error": {}}))
            })
        };
        let patient = told("false", 500).await;
        assert!(client(&patient.base).delete("/v1/x").await.is_err());
        assert_eq!(patient.asked().len(), 1);
        let eager = told("true", 429).await;
        assert!(client(&eager.base).delete("/v1/x").await.is_err());
        assert_eq!(eager.asked().len(), 3);
    }

    #[tokio::test]
    async fn lists_are_walked_to_their_end() {
        let script = |asked: &fake::Asked, _| {
            let id = if asked.target.contains("starting_after=evt_2") { 0 } else { 2 };
            let data =
                [json!({"id": format!("evt_{}", id + 1)}), json!({"id": format!("evt_{id}")})];
            (200, vec![], json!({"object": "list", "data": data, "has_more": id == 2}))
        };
        let provider = Fake::start(script).await;
        let window = calls::Window { since: Some(crate::domain::time::Timestamp(7)), until: None };
        let all = client(&provider.base).events(window).rest().await.unwrap();
        let ids: Vec<_> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["evt_3", "evt_2", "evt_1", "evt_0"]);
        assert_eq!(provider.asked()[0].target, "/v1/events?created[gte]=7&limit=100");
        let mut pages = client(&provider.base);
        pages.base = provider.base.clone();
        let mut walk = pages.walk("/v1/events", &json!({"limit": 2}));
        assert_eq!(walk.next_page().await.unwrap().unwrap().len(), 2);
        assert_eq!(walk.next_page().await.unwrap().unwrap().len(), 2);
        assert!(walk.next_page().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn no_error_and_no_debug_output_shows_the_key() {
        let nobody = client("http://127.0.0.1:9");
        let unreachable = nobody.get("/v1/balance", &json!({"a": KEY})).await.unwrap_err();
        assert!(matches!(&unreachable, Error::Unreachable { timeout: false, .. }));
        let odd = Fake::start(|_, _| (200, vec![], json!([1]))).await;
        let fine = client(&odd.base).get("/", &Value::Null).await.unwrap();
        assert_eq!(fine, json!([1]));
        let odd = Fake::start(|_, _| (404, vec![], json!("nothing here"))).await;
        let unreadable = client(&odd.base).get("/", &Value::Null).await.unwrap_err();
        assert!(matches!(unreadable, Error::Unreadable { status: 404, .. }));
        for text in [
            format!("{nobody:?}"),
            format!("{unreachable:?} {unreachable}"),
            format!("{unreadable:?}"),
        ] {
            assert!(!text.contains("secretsecret"), "{text}");
        }
    }

    #[test]
    fn a_live_key_does_not_travel_in_the_clear_and_a_base_must_be_one() {
        let live = ApiKey::read("sk_live_51secretsecretsecret").unwrap();
        assert!(matches!(Stripe::new("http://127.0.0.1:1", live), Err(Error::Insecure { .. })));
        for base in ["", "api.stripe.com", "ftp://x", "http://"] {
            let key = ApiKey::read(KEY).unwrap();
            assert!(matches!(Stripe::new(base, key), Err(Error::BadBase { .. })), "{base}");
        }
        let https = Stripe::new(STRIPE_BASE, ApiKey::read(KEY).unwrap());
        assert_eq!(https.unwrap().base(), "https://api.stripe.com");
    }
}
