//! One attempt: sign, POST, judge the answer.

use crate::domain::creem;
use crate::domain::signature;
use crate::domain::time::Timestamp;
use crate::net::kept::{Kept, SendError};
use crate::net::outbound::{self, Beyond, OutboundError, Patience, Reach};
use crate::sandbox::engine::delivery::{Attempt, DeliveryRequest, Scheme};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use reqwest::Url;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How much of an answer is kept, in characters.
const ANSWER_KEPT: usize = 1_024;
/// How long the rest of an answer is waited for once its status is known.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What attempts share: connections that are kept, and clients for the rare rest.
#[derive(Debug)]
pub struct Clients {
    patience: Patience,
    beyond: Beyond,
    kept: Kept,
    /// Built when the first `https` endpoint is called, because it reads the system's certificates.
    tls: OnceLock<outbound::Client>,
    /// For `http` URLs with a name and a password in them.
    plain: OnceLock<outbound::Client>,
}

impl Clients {
    /// Clients that give an endpoint `total` to answer, and call this machine and whom `beyond` admits.
    pub fn new(total: Duration, beyond: Beyond) -> Self {
        let patience = Patience { connect: Patience::DELIVERY.connect.min(total), total };
        let kept = Kept::new(beyond.clone(), patience.connect);
        Self { patience, beyond, kept, tls: OnceLock::new(), plain: OnceLock::new() }
    }

    /// Closes connections that have had no work for a while, for as long as it is polled.
    pub async fn tidy(&self) {
        self.kept.tidy().await;
    }

    fn of(&self, reach: Reach) -> Result<&outbound::Client, OutboundError> {
        let place = if reach == Reach::Tls { &self.tls } else { &self.plain };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = outbound::client_to(reach, self.patience, self.beyond.clone())?;
        Ok(place.get_or_init(|| client))
    }
}

/// What an endpoint answered: its status, and the beginning of its body.
type Answered = Result<(StatusCode, Vec<u8>), String>;

/// Sends a delivery once. Never fails: what went wrong is part of the attempt.
pub async fn send(clients: &Clients, delivery: &DeliveryRequest, at: Timestamp) -> Attempt {
    let begun = Instant::now();
    let mut attempt =
        Attempt { at, status: None, error: None, duration_ms: 0, response: String::new() };
    let url = match Url::parse(&delivery.url) {
        Ok(url) if clients.beyond.admits(&url) => url,
        url => {
            attempt.error = Some(unsent(url.ok().as_ref()));
            return attempt;
        }
    };
    let headers = headers(delivery, at);
    let is_plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
    let answered = if is_plain {
        let sending = over_kept(clients, &url, headers, delivery);
        let timed = tokio::time::timeout(clients.patience.total, sending).await;
        timed.unwrap_or_else(|_| Err("timed out".to_owned()))
    } else {
        over_own(clients, &url, headers, delivery).await
    };
    match answered {
        Ok((status, body)) => {
            attempt.status = Some(status.as_u16());
            if status.is_redirection() {
                attempt.error = Some("redirects are not followed".to_owned());
            } else if !status.is_success() {
                attempt.error = Some(format!("answered with HTTP {}", status.as_u16()));
            }
            attempt.response = String::from_utf8_lossy(&body).chars().take(ANSWER_KEPT).collect();
        }
        Err(reason) => attempt.error = Some(reason),
    }
    attempt.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    attempt
}

/// Why an endpoint beyond this machine is not called, and what would have it called.
pub fn unsent(url: Option<&Url>) -> String {
    let place = url.and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let text = "not sent: the sandbox is offline and delivers to loopback addresses only";
    match place {
        Some((host, port)) => {
            format!("{text}; start it with --deliver-to {host}:{port} to have this one called")
        }
        None => text.to_owned(),
    }
}

fn headers(delivery: &DeliveryRequest, at: Timestamp) -> HeaderMap {
    let agent = match delivery.scheme {
        Scheme::Stripe => "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        Scheme::Creem | Scheme::CreemAndStandard(_) => "Creem-Webhooks/1.0",
    };
    let fixed = [
        (CONTENT_TYPE, "application/json; charset=utf-8"),
        (USER_AGENT, agent),
        (ACCEPT, "*/*; q=0.5, application/xml"),
        (CACHE_CONTROL, "no-cache"),
    ];
    let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let mut headers: HeaderMap = fixed.into_iter().collect();
    for (name, value) in signatures(delivery, at) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// The headers by which an endpoint tells that a delivery is genuine.
pub fn signatures(delivery: &DeliveryRequest, at: Timestamp) -> Vec<(&'static str, String)> {
    let DeliveryRequest { secret, body, .. } = delivery;
    let id = match &delivery.scheme {
        Scheme::Stripe => {
            return vec![("stripe-signature", signature::sign(secret, at, body))];
        }
        Scheme::Creem => None,
        Scheme::CreemAndStandard(id) => Some(id),
    };
    let mut headers = vec![("creem-signature", creem::sign(secret, body))];
    if let Some((id, signed)) =
        id.and_then(|id| Some((id, creem::sign_standard(secret, id, at, body)?)))
    {
        headers.push(("webhook-id", id.clone()));
        headers.push(("webhook-timestamp", at.0.to_string()));
        headers.push(("webhook-signature", signed));
    }
    headers
}

/// Over a connection that is kept for the next one.
async fn over_kept(
    clients: &Clients,
    url: &Url,
    headers: HeaderMap,
    delivery: &DeliveryRequest,
) -> Answered {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err("the URL has no host".to_owned());
    };
    let named = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let path = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let body = Full::new(delivery.body.clone());
    let request = Request::post(path).header(HOST, named).body(body);
    let mut request = request.map_err(|error| error.to_string())?;
    request.headers_mut().extend(headers);
    let answer = clients.kept.send(host, port, request).await.map_err(|error| match error {
        SendError::Connect(cause) => format!("could not connect: {cause}"),
        SendError::Broken(error) => cause(&error).to_string(),
    })?;
    let status = answer.status();
    Ok((status, answer.beginning(ANSWER_BYTES_MAX, ANSWER_TIME).await))
}

/// Over a connection of its own: a kept one that the endpoint closes at this moment would look like a
/// failed delivery.
async fn over_own(
    clients: &Clients,
    url: &Url,
    headers: HeaderMap,
    delivery: &DeliveryRequest,
) -> Answered {
    let client = clients.of(Reach::of(url.as_str())).map_err(|error| error.to_string())?;
    let request = client.post(url).headers(headers).header("Connection", "close");
    let request = request.body(delivery.body.clone());
    let answer = request.send().await.map_err(|error| reason(&error))?;
    let status = answer.status();
    Ok((status, beginning(answer).await))
}

async fn beginning(mut answer: reqwest::Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            bytes.extend(chunk.iter().take(ANSWER_BYTES_MAX - bytes.len()));
            if bytes.len() >= ANSWER_BYTES_MAX {
                break;
            }
        }
    };
    // What has come by then is enough: the status alone decides.
    drop(tokio::time::timeout(ANSWER_TIME, reading).await);
    bytes
}

/// The failure in words, down to its cause; the URL stands in the endpoint already.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let cause = cause(error);
    if error.is_connect() { format!("could not connect: {cause}") } else { cause.to_string() }
}

fn cause<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> &'e (dyn std::error::Error + 'static) {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}
