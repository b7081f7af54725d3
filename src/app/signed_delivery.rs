//! Deliveries that a person makes by hand: the event as the sandbox would send it, signed with the endpoint's own
//! secret, or forged in one way.

use crate::app::context::Context;
use crate::app::course::lesson_delivery::{LessonDelivery, Signing, pack};
use crate::app::ledger_file;
use crate::app::provider::Provider;
use crate::app::remote::Remote;
use crate::domain::course::mutate::{Body, Header, Mutate, Secret};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::secret::{SigningSecret, mask};
use crate::domain::signed_delivery::{Delivered, Signed};
use crate::net::outbound::{self, Patience, Reach};
use crate::store::Filter;
use crate::stripe::failure::Error;
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Characters of a body that are shown.
const START: usize = 48;
const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(5), total: Duration::from_secs(30) };

/// What is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// One byte of the body, after it was signed.
    Body,
    /// It is signed with a secret that is not the endpoint's.
    Secret,
    /// It is signed as if it were ten minutes old.
    Time,
    /// It has no signature at all.
    Header,
}

impl Tamper {
    /// The word that the command line uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Secret => "secret",
            Self::Time => "time",
            Self::Header => "header",
        }
    }

    fn mutate(self) -> Mutate {
        let none = Mutate::default();
        match self {
            Self::Body => Mutate { body: Some(Body::FlipOneByte), ..none },
            Self::Secret => Mutate { secret: Some(Secret::Wrong), ..none },
            Self::Time => Mutate { timestamp_s: -600, ..none },
            Self::Header => Mutate { header: Some(Header::Missing), ..none },
        }
    }
}

/// An endpoint with its secret.
struct Endpoint {
    url: String,
    secret: SigningSecret,
}

/// The endpoint that was registered last.
async fn endpoint(context: &Context, command: &str) -> Result<Endpoint, Fault> {
    let remote = Remote::connect(context, command).await?;
    let list = remote.in_world(Method::GET, "secrets", &Value::Null).await?;
    let newest = list.pointer("/data/0");
    let text = |name: &str| newest?.get(name)?.as_str();
    let none = || FaultKind::NotFound { what: "webhook endpoint (stripegym listen)".to_owned() };
    let secret = text("secret").and_then(SigningSecret::read).ok_or_else(none)?;
    Ok(Endpoint { url: text("url").ok_or_else(none)?.to_owned(), secret })
}

async fn event(provider: &Provider, id: &str) -> Result<Value, Fault> {
    provider.stripe.event(id).await.map_err(|error: Error| {
        if error.is_missing() {
            return Fault::because(FaultKind::NotFound { what: format!("event `{id}`") }, error);
        }
        error.into()
    })
}

fn kind(event: &Value) -> String {
    event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The event as it is sent now.
async fn delivery(
    context: &Context,
    (id, command): (&str, &str),
    mutate: &Mutate,
) -> Result<(LessonDelivery, Endpoint, Value), Fault> {
    let provider = Provider::connect(context).await?;
    let found = async {
        let event = event(&provider, id).await?;
        let endpoint = endpoint(context, command).await?;
        let now = context.clock.now();
        let signing =
            Signing { secret: &endpoint.secret, rolled: None, version: None, now, salt: "" };
        Ok((pack(&event, mutate, signing), endpoint, event))
    };
    let found = found.await;
    provider.close().await;
    found
}

/// Signs an event, and takes the signature apart.
pub async fn sign(context: &Context, id: &str, explain: bool) -> Result<Signed, Fault> {
    let asked = (id, "stripegym sign");
    let (delivery, endpoint, event) = delivery(context, asked, &Mutate::default()).await?;
    let header = delivery.header.unwrap_or_default();
    let (_, mac) = header.split_once(",v1=").unwrap_or_default();
    let body = String::from_utf8_lossy(&delivery.body);
    let flat: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Signed {
        event: id.to_owned(),
        kind: kind(&event),
        at: context.clock.now(),
        start: flat.chars().take(START).collect(),
        bytes: delivery.body.len(),
        secret: masked(&endpoint.secret),
        mac: mac.to_owned(),
        explain,
    })
}

/// A secret by its kind and its end.
fn masked(secret: &SigningSecret) -> String {
    let shown = mask(secret.reveal());
    format!("whsec_…{}", shown.trim_start_matches('*'))
}

/// Sends an event to the endpoint, forged where that is wished.
pub async fn deliver(
    context: &Context,
    id: &str,
    tamper: Option<Tamper>,
) -> Result<Delivered, Fault> {
    let mutate = tamper.map(Tamper::mutate).unwrap_or_default();
    let (delivery, endpoint, event) = delivery(context, (id, "stripegym deliver"), &mutate).await?;
    let before = rows(context);
    let client = outbound::client(Reach::Plain, PATIENCE).map_err(|error| {
        Fault::because(FaultKind::ProviderDown { base: endpoint.url.clone() }, error)
    })?;
    let bytes = delivery.body.len();
    let mut request = client
        .request(Method::POST, &endpoint.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
    if let Some(header) = &delivery.header {
        request = request.header("Stripe-Signature", header);
    }
    let began = Instant::now();
    let (answer, said) = match request.body(delivery.body).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            (Ok(status), response.text().await.unwrap_or_default())
        }
        Err(error) => (Err(error.without_url().to_string()), String::new()),
    };
    let said: Option<Value> = serde_json::from_str(&said).ok();
    let said = said.as_ref().and_then(|it| it.pointer("/error/message")?.as_str());
    Ok(Delivered {
        event: id.to_owned(),
        kind: kind(&event),
        url: endpoint.url,
        header: delivery.header,
        bytes,
        tamper: tamper.map(Tamper::name),
        answer,
        said: said.unwrap_or_default().to_owned(),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        changed: rows(context) != before,
    })
}

/// The ledger as it stands: which rows, and in which status; nothing where there is none.
fn rows(context: &Context) -> Vec<(String, String)> {
    if !context.config.ledger_path().exists() {
        return Vec::new();
    }
    let rows = ledger_file::read(context).and_then(|ledger| {
        ledger.rows(&Filter::default()).map_err(|error| ledger_file::fault(context, &error))
    });
    let row = |row: crate::domain::report::LedgerRow| {
        (row.record.session_id.clone(), row.record.status.name().to_owned())
    };
    rows.unwrap_or_default().into_iter().map(row).collect()
}
