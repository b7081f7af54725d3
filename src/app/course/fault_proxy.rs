//! The line between the provider and the application, where lessons put faults. What it passes on it passes on
//! byte by byte; only the signature is made anew for an application that has a secret of its own.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::{Exchange, Exchanges};
use crate::domain::fault::{Fault, FaultKind};
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a delivery is answered with that meets a fault.
const FAULT: &str = "a fault of the lesson";
/// How long the application may take to answer a delivery, and how long once it has been too late before.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_LATER: Duration = Duration::from_secs(2);
/// What it is given where there is no time at all.
const PATIENCE_LEAST: Duration = Duration::from_secs(1);
/// The status that the provider is told where nobody answered in time.
const LATE: u16 = 504;
/// The status that it is told where an answer had no end.
const ENDLESS: u16 = 507;

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
pub struct Resign {
    /// The application's secret, which may be rolled meanwhile.
    pub secret: Arc<Mutex<SigningSecret>>,
    /// When it is signed.
    pub clock: Clock,
}

impl Resign {
    fn secret(&self) -> SigningSecret {
        lock(&self.secret).clone()
    }
}

struct Line {
    /// Where deliveries of this run come to; any other is somebody else's.
    path: String,
    resign: Option<Resign>,
    target: Mutex<String>,
    broken: Mutex<Broken>,
    http: outbound::Client,
    exchanges: Exchanges,
    /// Whether a delivery was not answered in time.
    late: AtomicBool,
    /// How long the application may take.
    patience: Mutex<Duration>,
    /// Whether the application knows what deliveries are signed with: none comes to it before.
    trusted: watch::Sender<bool>,
}

/// A line at work.
pub struct FaultProxy {
    url: String,
    line: Arc<Line>,
    stopper: Stopper,
    server: Tasks,
}

impl FaultProxy {
    /// Starts a line that leads to `target`; where `reseal` says so, deliveries are signed with another secret,
    /// as a forwarding tool does.
    pub async fn open(
        path: String,
        target: &str,
        resign: Option<Resign>,
        exchanges: Exchanges,
    ) -> Result<Self, Fault> {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let taken = |source| {
            let problem =
                FaultKind::PortTaken { address: addr.to_string(), command: "stripegym".to_owned() };
            Fault::because(problem, source)
        };
        let listener = server::bind(addr, true).await.map_err(taken)?;
        let url = format!("http://{}{path}", listener.local_addr().map_err(taken)?);
        let http = outbound::fresh_client(Reach::of(target), Patience::DELIVERY)
            .map_err(|error| ActError::client(&error))?;
        let line = Arc::new(Line {
            path,
            resign,
            target: Mutex::new(target.to_owned()),
            broken: Mutex::default(),
            http,
            exchanges,
            late: AtomicBool::default(),
            patience: Mutex::new(PATIENCE),
            trusted: watch::Sender::new(false),
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

    /// Lets deliveries through to an application that knows by now what they are signed with. What a run that was
    /// killed has left due is sent as soon as there is an endpoint, and waits until then.
    pub fn trusted(&self) {
        self.line.trusted.send_replace(true);
    }

    /// Keeps deliveries back until `trusted`: an application that starts again knows its secret a moment after it answers.
    pub fn hold(&self) {
        self.line.trusted.send_replace(false);
    }

    /// Has deliveries answered within less time, where that is less.
    pub fn hurry(&self, patience: Duration) {
        *lock(&self.line.patience) = patience.clamp(PATIENCE_LEAST, PATIENCE);
    }

    /// Whether a delivery was not answered in time.
    pub fn was_late(&self) -> bool {
        self.line.late.load(Ordering::SeqCst)
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
        self.trusted();
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
    if request.uri().path() != line.path {
        return answer(410, Bytes::new());
    }
    // Nobody can close the channel while the line is there.
    drop(line.trusted.subscribe().wait_for(|trusted| *trusted).await);
    let meant = fault(line);
    let target = lock(&line.target).clone();
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return answer(502, Bytes::new()) };
    let body = body.to_bytes();
    if let Some(status) = meant {
        let body = body.to_vec();
        let event = Exchange::meant(body);
        let number = line.exchanges.begin(event);
        line.exchanges.end(number, Some(status), FAULT);
        return answer(status, Bytes::from_static(FAULT.as_bytes()));
    }
    let sealed = line.resign.as_ref().map(|it| sign(&it.secret(), it.clock.now(), &body));
    let mut patience = *lock(&line.patience);
    if line.late.load(Ordering::SeqCst) {
        patience = patience.min(PATIENCE_LATER);
    }
    let mut sent = line.http.request(parts.method, &target).timeout(patience);
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
    let began = Instant::now();
    match line.exchanges.pass(sent.body(body), true).await {
        Ok(told) if told.endless => answer(ENDLESS, Bytes::new()),
        Ok(told) => answer(told.status, Bytes::from(told.body)),
        Err(_) if began.elapsed() >= patience => {
            line.late.store(true, Ordering::SeqCst);
            answer(LATE, Bytes::new())
        }
        Err(ActError::Mismatch { got, .. }) => answer(502, Bytes::from(got.to_string())),
        Err(ActError::Surroundings(_)) => answer(502, Bytes::new()),
    }
}

fn answer(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::course::log::Log;

    #[tokio::test]
    async fn a_delivery_waits_until_the_application_knows_its_secret() {
        let exchanges = Exchanges::beside(Log::default());
        // Nobody listens there: what comes through is answered with 502.
        let proxy =
            FaultProxy::open("/w".to_owned(), "http://127.0.0.1:9/", None, exchanges.clone()).await;
        let proxy = proxy.unwrap();
        let client = outbound::fresh_client(Reach::Plain, Patience::DELIVERY).unwrap();
        // At its first start, and at every one after it.
        for times in 1..=2 {
            let mut sent = Box::pin(client.post(proxy.url()).body("{}").send());
            let early = tokio::time::timeout(Duration::from_millis(300), &mut sent).await;
            assert!(early.is_err() && exchanges.delivered().len() < times);
            proxy.trusted();
            assert_eq!(sent.await.unwrap().status(), 502);
            assert_eq!(exchanges.delivered().len(), times);
            proxy.hold();
        }
        proxy.close().await;
    }
}
