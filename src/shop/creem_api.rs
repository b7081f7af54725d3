//! A thin client of Creem's API: JSON both ways, the key in a header of its own. It fails as Stripe's client does.

use crate::domain::host::is_loopback;
use crate::domain::secret::CreemKey;
use crate::net::outbound::{self, Patience, Reach};
use crate::stripe::failure::{ApiError, Error};
use crate::stripe::retry::{self, Answer, Retries};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use std::fmt;

/// Where Creem itself answers to keys of test mode.
const TEST: &str = "https://test-api.creem.io";

/// Where it answers to the others.
const LIVE: &str = "https://api.creem.io";

/// A client for one account. Clones share connections.
#[derive(Clone)]
pub struct Creem {
    base: String,
    key: CreemKey,
    http: outbound::Client,
    retries: Retries,
}

impl Creem {
    /// A client for whoever answers at `base`, or for Creem itself.
    ///
    /// Refuses a live key over plain HTTP, and a base that is no URL.
    pub fn new(base: Option<&str>, key: CreemKey) -> Result<Self, Error> {
        let own = if key.is_live() { LIVE } else { TEST };
        let base = base.unwrap_or(own).trim_end_matches('/').to_owned();
        if reqwest::Url::parse(&base).is_err() {
            return Err(Error::BadBase { base });
        }
        let reach = Reach::of(&base);
        if key.is_live() && reach == Reach::Plain {
            return Err(Error::Insecure { base });
        }
        let build = if is_loopback(&base) { outbound::client } else { outbound::far_client };
        let http = build(reach, Patience::API)?;
        Ok(Self { base, key, http, retries: Retries::default() })
    }

    /// The key, which is also the salt of what a buyer comes back with.
    pub const fn key(&self) -> &CreemKey {
        &self.key
    }

    /// Where it is asked.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET path` with `params` as its query.
    pub async fn get(&self, path: &str, params: &[(&str, &str)]) -> Result<Value, Error> {
        // Not kept over the call: it cannot be sent to another thread.
        let query = {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(params);
            query.finish()
        };
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.call(Method::GET, &path, None, None).await
    }

    /// `POST path` with a body. Only under an idempotency key is it tried again where it is not known whether it was done.
    pub async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Value, Error> {
        self.call(Method::POST, path, Some(body), key).await
    }

    /// `PATCH path` with a body: done twice, it is done once.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, path, Some(body), None).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::DELETE, path, None, None).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Result<Vec<Value>, Error> {
        let (mut items, mut page) = (Vec::new(), Some(1));
        while let Some(number) = page {
            let (some, next) = self.page(path, number).await?;
            items.extend(some);
            page = next;
        }
        Ok(items)
    }

    /// A page of a list, from 1, and the number of the next.
    pub async fn page(&self, path: &str, page: i64) -> Result<(Vec<Value>, Option<i64>), Error> {
        let number = page.to_string();
        let mut list = self.get(path, &[("page_number", &number), ("page_size", "100")]).await?;
        let next = list.pointer("/pagination/next_page").and_then(Value::as_i64);
        let items = match list.get_mut("items").map(Value::take) {
            Some(Value::Array(some)) => some,
            _ => Vec::new(),
        };
        Ok((items, next.filter(|next| *next > page)))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value, Error> {
        let may_repeat = method != Method::POST || key.is_some();
        let mut attempt = 0;
        loop {
            let (answer, outcome) = self.once(&method, path, body, key).await;
            let again = match answer {
                // Too much was asked at once: nothing was done.
                Answer::Status { status: 429, .. } => attempt < self.retries.max,
                answer => may_repeat && self.retries.again(answer, attempt),
            };
            match outcome {
                Err(error) if again => {
                    tracing::debug!(attempt, %error, "the call is tried again");
                    tokio::time::sleep(self.retries.delay(attempt, retry::jitter())).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> (Answer, Result<Value, Error>) {
        let refused = |name| {
            (Answer::Status { status: 0, told: Some(false) }, Err(Error::BadHeader { name }))
        };
        let Ok(mut own) = HeaderValue::try_from(self.key.reveal()) else {
            return refused("x-api-key");
        };
        own.set_sensitive(true);
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        request = request.header("x-api-key", own).header(ACCEPT, "application/json");
        if let Some(key) = key {
            let Ok(key) = HeaderValue::try_from(key) else { return refused("Idempotency-Key") };
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let unreachable = |error| (Answer::Unreachable, Err(Error::unreachable(&self.base, error)));
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return unreachable(error),
        };
        let status = response.status();
        let answer = Answer::Status { status: status.as_u16(), told: None };
        let bytes = match response.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return unreachable(error),
        };
        let value: Option<Value> = serde_json::from_slice(&bytes).ok();
        let outcome = match value {
            Some(value) if status.is_success() => Ok(value),
            Some(value) => Err(Error::Api(Box::new(read(status.as_u16(), &value)))),
            None => Err(Error::Unreadable { status: status.as_u16(), request_id: None }),
        };
        (answer, outcome)
    }
}

/// A refusal in the form that both providers' are read in.
fn read(status: u16, body: &Value) -> ApiError {
    let message = match body.get("message") {
        Some(Value::Array(lines)) => {
            lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        Some(Value::String(line)) => line.clone(),
        _ => String::new(),
    };
    let code = match status {
        404 => Some("resource_missing"),
        _ => None,
    };
    let kind = match status {
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let trace = body.get("trace_id").and_then(Value::as_str).map(str::to_owned);
    ApiError::read(
        status,
        &json!({"error": {"type": kind, "code": code, "message": message}}),
        trace,
    )
}

/// The key stays hidden.
impl fmt::Debug for Creem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creem")
            .field("base", &self.base)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_own_host_and_a_live_one_never_over_plain_http() {
        let key = |text: &str| CreemKey::read(text).unwrap();
        let base = |text: &str| Creem::new(None, key(text)).unwrap().base;
        assert_eq!(base("creem_test_1"), "https://test-api.creem.io");
        assert_eq!(base("creem_1"), "https://api.creem.io");
        let plain = Creem::new(Some("http://127.0.0.1:9/"), key("creem_1"));
        assert!(matches!(plain, Err(Error::Insecure { .. })));
        assert!(matches!(Creem::new(Some("x"), key("creem_test_1")), Err(Error::BadBase { .. })));
        assert!(
            !format!("{:?}", Creem::new(None, key("creem_test_hidden")).unwrap())
                .contains("hidden")
        );
    }

    #[test]
    fn a_refusal_is_read_with_all_its_lines() {
        let body = json!({"trace_id": "t", "status": 404, "message": ["a", "b"]});
        let error = read(404, &body);
        assert_eq!(
            (error.message.as_str(), error.code.as_deref()),
            ("a; b", Some("resource_missing"))
        );
        assert_eq!(read(400, &json!({"message": "c"})).message, "c");
    }
}
