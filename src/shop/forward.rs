//! Passes deliveries on to the learner's own server: the exact bytes under their own headers, so that its
//! verification is the real one.

use crate::domain::notice::UNTRUSTED;
use crate::net::outbound::{self, OutboundError, Patience, Reach};
use hyper::HeaderMap;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Headers that speak of one connection and not of the message.
const HOP_BY_HOP: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];

/// Further ones without a constant.
const HOP_BY_HOP_NAMES: [&str; 5] = ["keep-alive", "te", "trailer", "upgrade", "proxy-connection"];

/// How many deliveries are being passed on at once; further ones are dropped and counted. A target that hangs
/// must not take the memory and the descriptors that the deliveries themselves need.
pub const FORWARDS_MAX: usize = 128;

/// Where deliveries are passed on to.
#[derive(Clone, Debug)]
pub struct Forwarder {
    url: String,
    http: outbound::Client,
    room: Arc<Semaphore>,
    dropped: Arc<AtomicU64>,
}

impl Forwarder {
    /// A forwarder to `url`.
    pub fn new(url: &str) -> Result<Self, OutboundError> {
        let http = outbound::far_client(Reach::of(url), Patience::DELIVERY)?;
        let room = Arc::new(Semaphore::new(FORWARDS_MAX));
        Ok(Self { url: url.to_owned(), http, room, dropped: Arc::default() })
    }

    /// Room for one delivery, held while it is passed on; `None`, and counted, where there is none.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.room).try_acquire_owned().ok();
        if place.is_none() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// How many deliveries found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
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
            if reason.contains("certificate") { UNTRUSTED.to_owned() } else { reason }
        })
    }
}
