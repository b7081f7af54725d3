//! One attempt: sign, POST, judge the answer.

use crate::domain::signature;
use crate::domain::time::Timestamp;
use crate::net::outbound::{self, OutboundError, Patience, Reach};
use crate::sandbox::deliver::record::{Attempt, Parcel};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How much of an answer is kept, in characters.
const ANSWER_KEPT: usize = 1_024;
/// How long the rest of an answer is waited for once its status is known.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The clients that attempts share.
#[derive(Debug)]
pub struct Clients {
    patience: Patience,
    plain: outbound::Client,
    /// Built when the first `https` endpoint is called, because it reads the system's certificates.
    tls: OnceLock<outbound::Client>,
}

impl Clients {
    /// Clients that give an endpoint `total` to answer.
    pub fn build(total: Duration) -> Result<Self, OutboundError> {
        let patience = Patience { connect: Patience::DELIVERY.connect.min(total), total };
        let plain = outbound::client(Reach::Plain, patience)?;
        Ok(Self { patience, plain, tls: OnceLock::new() })
    }

    #[cfg(test)]
    pub(super) const fn plain(&self) -> &outbound::Client {
        &self.plain
    }

    fn of(&self, url: &str) -> Result<&outbound::Client, OutboundError> {
        match (Reach::of(url), self.tls.get()) {
            (Reach::Plain, _) => Ok(&self.plain),
            (Reach::Tls, Some(client)) => Ok(client),
            (Reach::Tls, None) => {
                let client = outbound::client(Reach::Tls, self.patience)?;
                Ok(self.tls.get_or_init(|| client))
            }
        }
    }
}

/// Sends a parcel once. Never fails: what went wrong is part of the attempt.
pub async fn send(
    clients: &Clients,
    parcel: &Parcel,
    at: Timestamp,
    allow_remote: bool,
) -> Attempt {
    let begun = Instant::now();
    let mut attempt =
        Attempt { at, status: None, error: None, duration_ms: 0, response: String::new() };
    if !allow_remote && !outbound::is_loopback(&parcel.url) {
        let text = "not sent: the sandbox is offline and delivers to loopback addresses only";
        attempt.error = Some(text.to_owned());
        return attempt;
    }
    let client = match clients.of(&parcel.url) {
        Ok(client) => client,
        Err(error) => {
            attempt.error = Some(error.to_string());
            return attempt;
        }
    };
    let signature = signature::sign(&parcel.secret, at, &parcel.body);
    let request = client
        .post(&parcel.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("Accept", "*/*; q=0.5, application/xml")
        .header("Cache-Control", "no-cache")
        .header("Stripe-Signature", signature)
        // A kept connection that the endpoint closes at this moment would look like a failed delivery.
        .header("Connection", "close")
        .body(parcel.body.clone());
    match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            attempt.status = Some(status.as_u16());
            if status.is_redirection() {
                attempt.error = Some("redirects are not followed".to_owned());
            } else if !status.is_success() {
                attempt.error = Some(format!("answered with HTTP {}", status.as_u16()));
            }
            attempt.response = beginning(answer).await;
        }
        Err(error) => attempt.error = Some(reason(&error)),
    }
    attempt.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    attempt
}

async fn beginning(mut answer: reqwest::Response) -> String {
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
    String::from_utf8_lossy(&bytes).chars().take(ANSWER_KEPT).collect()
}

/// The failure in words, down to its cause; the URL stands in the endpoint already.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_connect() { format!("could not connect: {cause}") } else { cause.to_string() }
}
