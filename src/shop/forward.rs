//! Passes deliveries on to the learner's own server: the exact bytes under their own headers, so that its
//! verification is the real one.

use crate::net::outbound::{self, OutboundError, Patience, Reach};
use hyper::HeaderMap;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use std::error::Error;

/// Headers that speak of one connection and not of the message.
const HOP_BY_HOP: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];

/// Further ones without a constant.
const HOP_BY_HOP_NAMES: [&str; 5] = ["keep-alive", "te", "trailer", "upgrade", "proxy-connection"];

/// Where deliveries are passed on to.
#[derive(Clone, Debug)]
pub struct Forwarder {
    url: String,
    http: outbound::Client,
}

impl Forwarder {
    /// A forwarder to `url`.
    pub fn new(url: &str) -> Result<Self, OutboundError> {
        let http = outbound::far_client(Reach::of(url), Patience::DELIVERY)?;
        Ok(Self { url: url.to_owned(), http })
    }

    /// Passes one delivery on; the status of the answer, or why there is none.
    pub async fn pass(&self, mut headers: HeaderMap, body: Vec<u8>) -> Result<u16, String> {
        for name in &HOP_BY_HOP {
            headers.remove(name);
        }
        for name in HOP_BY_HOP_NAMES {
            headers.remove(name);
        }
        let sent = self.http.post(&self.url).headers(headers).body(body).send().await;
        sent.map(|response| response.status().as_u16()).map_err(|error| {
            let error = error.without_url();
            let mut reason = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                reason = inner.to_string();
                cause = inner.source();
            }
            reason
        })
    }
}
