//! The line between the provider and the application, where lessons put faults. What it passes on it passes on
//! byte by byte; only the signature is made anew for an application that has a secret of its own.

use crate::app::course::trouble::Trouble;
use crate::domain::fault::{Fault, Problem};
use crate::domain::secret::SigningSecret;
use crate::domain::signature::sign;
use crate::net::connection::Arriving;
use crate::net::outbound::{self, Patience, Reach};
use crate::net::server::{self, Limits};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// What a delivery is answered with that meets a fault: its record shows by this that it was no accident.
pub const FAULT: &str = "a fault of the lesson";

/// What deliveries meet instead of the application.
#[derive(Clone, Copy, Debug, Default)]
struct Broken {
    /// The answer; 0 is none, they pass.
    status: u16,
    /// How many more; `None` is all.
    left: Option<usize>,
}

/// How deliveries are signed anew for an application that has a secret of its own.
#[derive(Clone, Debug)]
pub struct Reseal {
    /// The application's secret.
    pub secret: SigningSecret,
    /// When it is signed.
    pub clock: Clock,
}

struct Line {
    reseal: Option<Reseal>,
    target: Mutex<String>,
    broken: Mutex<Broken>,
    http: outbound::Client,
}

/// A line at work.
pub struct Tap {
    url: String,
    line: Arc<Line>,
    stopper: Stopper,
    server: Tasks,
}

impl Tap {
    /// Starts a line that leads to `target`; where `reseal` says so, deliveries are signed with another secret,
    /// as a forwarding tool does.
    pub async fn open(target: &str, reseal: Option<Reseal>) -> Result<Self, Fault> {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let taken = |source| {
            let problem =
                Problem::PortTaken { address: addr.to_string(), command: "stripegym".to_owned() };
            Fault::because(problem, source)
        };
        let listener = server::bind(addr, true).await.map_err(taken)?;
        let url = format!("http://{}/webhook", listener.local_addr().map_err(taken)?);
        let http = outbound::client(Reach::of(target), Patience::DELIVERY)
            .map_err(|error| Trouble::client(&error))?;
        let line = Arc::new(Line {
            reseal,
            target: Mutex::new(target.to_owned()),
            broken: Mutex::default(),
            http,
        });
        let (stopper, stop) = shutdown::pair();
        let server = Tasks::default();
        let served = Arc::clone(&line);
        let service = service_fn(move |request| {
            let line = Arc::clone(&served);
            async move { Ok::<_, Infallible>(pass(&line, request).await) }
        });
        server.spawn(server::serve(listener, service, Limits::default(), stop));
        Ok(Self { url, line, stopper, server })
    }

    /// Where the provider is told to deliver.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leads elsewhere from now on.
    pub fn lead_to(&self, target: &str) {
        target.clone_into(&mut lock(&self.line.target));
    }

    /// Breaks the line for the next `times` deliveries (0: for all), or mends it with status 0.
    pub fn break_with(&self, status: u16, times: usize) {
        *lock(&self.line.broken) = Broken { status, left: (times > 0).then_some(times) };
    }

    /// Ends.
    pub async fn close(self) {
        self.stopper.stop();
        self.server.finish().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The status that this delivery is answered with instead of the application's.
fn fault(line: &Line) -> Option<u16> {
    let mut broken = lock(&line.broken);
    if broken.status == 0 {
        return None;
    }
    match &mut broken.left {
        None => {}
        Some(0) => {
            *broken = Broken::default();
            return None;
        }
        Some(left) => *left -= 1,
    }
    Some(broken.status)
}

async fn pass(line: &Line, request: Request<Arriving>) -> Response<Full<Bytes>> {
    if let Some(status) = fault(line) {
        return answer(status, Bytes::from_static(FAULT.as_bytes()));
    }
    let target = lock(&line.target).clone();
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return answer(502, Bytes::new()) };
    let body = body.to_bytes();
    let sealed = line.reseal.as_ref().map(|it| sign(&it.secret, it.clock.now(), &body));
    let mut sent = line.http.request(parts.method, &target).body(body);
    for (name, value) in &parts.headers {
        if name.as_str() == "stripe-signature"
            && let Some(sealed) = &sealed
        {
            sent = sent.header(name, sealed);
            continue;
        }
        if !matches!(name.as_str(), "host" | "content-length" | "connection" | "transfer-encoding")
        {
            sent = sent.header(name, value);
        }
    }
    match sent.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            answer(status, response.bytes().await.unwrap_or_default())
        }
        Err(error) => answer(502, Bytes::from(error.without_url().to_string())),
    }
}

fn answer(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}
