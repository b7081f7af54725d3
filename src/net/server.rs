//! Serves HTTP/1.1 with limits: connections, header size and time, body and answer time; ends gracefully.

use crate::net::connection::{Arriving, Life, Timed, Watched};
use crate::net::shutdown::Stop;
use crate::net::tls::Identity;
use hyper::body::Body;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// How often it is looked whether a connection can give up its place.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many ports are looked at for one that was not given before.
const FREE_PORT_TRIES: usize = 256;

/// What a server of ours grants its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections served at once. Further ones take the place of those whose peers have kept us waiting
    /// longest, never of one whose request is being worked on.
    pub connections_max: usize,
    /// Bytes of request line and headers together.
    pub head_bytes_max: usize,
    /// Time for the head of a request to arrive, and for an idle connection to speak again.
    pub head_time: Duration,
    /// Time for the body of a request to arrive, whoever reads it.
    pub body_time: Duration,
    /// Time that a peer may take nothing of what was written for it.
    pub write_time: Duration,
    /// How long a connection keeps its place without a whole request while others wait for one.
    pub yield_time: Duration,
    /// Time that open requests get to end once stopping was asked for.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            head_bytes_max: 32 * 1024,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_mins(1),
            yield_time: Duration::from_secs(1),
            drain_time: Duration::from_secs(3),
        }
    }
}

/// Listens on `addr`; with port 0 or a taken port and `or_next`, on a free one.
///
/// Fails with the system's error for an address that cannot be listened on.
pub async fn bind(addr: SocketAddr, or_next: bool) -> io::Result<TcpListener> {
    match TcpListener::bind(addr).await {
        Err(error) if or_next && error.kind() == io::ErrorKind::AddrInUse => {
            for step in 1..=20_u16 {
                let port = addr.port().saturating_add(step);
                if let Ok(listener) = TcpListener::bind(SocketAddr::new(addr.ip(), port)).await {
                    return Ok(listener);
                }
            }
            TcpListener::bind(SocketAddr::new(addr.ip(), 0)).await
        }
        other => other,
    }
}

/// The same; with the address that it became.
pub async fn bound(addr: SocketAddr, or_next: bool) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = bind(addr, or_next).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Ports that no system hands out by itself to whoever asks for any.
const LASTING: std::ops::Range<u16> = 10_240..30_240;

/// A port of loopback that nobody listens at now. It is given once a process: whoever asks next gets another,
/// also while the first has not yet listened at its own.
///
/// Fails with the system's error where there is none.
pub fn free_port() -> io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Held until the end, so that the system does not offer the same again and again.
    let mut offered = Vec::new();
    for _ in 0..FREE_PORT_TRIES {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // What the system offers to everybody may be another's by the time that a server is started again there.
        let port = LASTING.start + listener.local_addr()?.port() % (LASTING.end - LASTING.start);
        if listen_once(port).is_ok() && given.insert(port) {
            return Ok(port);
        }
        offered.push(listener);
    }
    // So many were given that the first are free again by now.
    given.clear();
    listen_once(0)
}

/// Listens at a port of loopback for a moment; the port.
///
/// Fails with the system's error for one that is taken.
pub fn listen_once(port: u16) -> io::Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

/// The connections that are served, for whoever needs a place among them.
#[derive(Clone, Debug)]
struct Places {
    room: Arc<Semaphore>,
    lives: Arc<Mutex<Vec<Weak<Life>>>>,
    yield_time: Duration,
}

impl Places {
    fn new(limits: Limits) -> Self {
        let room = Arc::new(Semaphore::new(limits.connections_max));
        Self { room, lives: Arc::default(), yield_time: limits.yield_time }
    }

    /// A place, as soon as there is one; the connection that has kept us waiting longest gives up its own.
    async fn take(&self) -> io::Result<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
                return Ok(place);
            }
            self.free();
            let place = Arc::clone(&self.room).acquire_owned();
            if let Ok(place) = tokio::time::timeout(LOOK_EVERY, place).await {
                return place.map_err(io::Error::other);
            }
        }
    }

    /// Ends the connection that has kept us waiting longest, if any has for long enough.
    fn free(&self) {
        let mut lives = self.lives();
        lives.retain(|life| life.strong_count() > 0);
        let idle = lives.iter().filter_map(Weak::upgrade);
        let longest =
            idle.filter_map(|life| Some((life.idle_since()?, life))).min_by_key(|it| it.0);
        if let Some((since, life)) = longest
            && since.elapsed() >= self.yield_time
        {
            tracing::debug!("a connection without a request gave up its place");
            life.end();
        }
    }

    fn add(&self, life: &Arc<Life>) {
        let mut lives = self.lives();
        // Cleared up now and then, not at each connection.
        if lives.len() == lives.capacity() {
            lives.retain(|life| life.strong_count() > 0);
        }
        lives.push(Arc::downgrade(life));
    }

    fn lives(&self) -> MutexGuard<'_, Vec<Weak<Life>>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until `stop`; then lets open requests end within the limit's drain time.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: Limits, stop: Stop)
where
    S: Service<Request<Arriving>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    serve_as(None, listener, service, limits, stop).await;
}

/// The same; with an `identity` over TLS alone.
pub async fn serve_as<S, B>(
    identity: Option<Identity>,
    listener: TcpListener,
    service: S,
    limits: Limits,
    mut stop: Stop,
) where
    S: Service<Request<Arriving>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    let graceful = GracefulShutdown::new();
    let places = Places::new(limits);
    let mut connections = JoinSet::new();
    let mut pause_ms = 1;
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = stop.wait() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: one that is held for nothing is given up for this one.
                tracing::warn!(%error, "a connection could not be accepted");
                places.free();
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(1_000);
                continue;
            }
        };
        pause_ms = 1;
        let life = Life::begin();
        places.add(&life);
        let stream = Watched::new(stream, Arc::clone(&life), limits.write_time);
        let service = Timed { service: service.clone(), life: Arc::clone(&life), limits };
        let (watcher, acceptor) = (graceful.watcher(), identity.as_ref().map(Identity::acceptor));
        connections.spawn(async move {
            let conversation = async {
                let Some(acceptor) = acceptor else {
                    return converse(stream, service, limits, watcher).await;
                };
                match tokio::time::timeout(limits.head_time, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, service, limits, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS came about"),
                    Err(_) => tracing::debug!("no TLS came about in time"),
                }
            };
            tokio::select! {
                () = conversation => {}
                () = life.ended() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, graceful.shutdown()).await;
    tracing::debug!(graceful = drained.is_ok(), "server stopped");
}

/// Answers what comes over one connection until it ends.
async fn converse<I, S, B>(stream: I, service: Timed<S>, limits: Limits, watcher: Watcher)
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
    S: Service<Request<Arriving>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Places,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let place = places.take().await?;
    Ok((stream, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::shutdown::{Stopper, pair};
    use crate::net::tasks::Tasks;
    use http_body_util::{BodyExt, Full};
    use hyper::StatusCode;
    use hyper::body::Bytes;
    use hyper::service::service_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Served {
        addr: SocketAddr,
        stopper: Stopper,
        tasks: Tasks,
    }

    /// `/big` answers more than any buffer takes; anything else answers with the body that it was sent.
    async fn served(limits: Limits) -> Served {
        let listener = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let service = service_fn(|request: Request<Arriving>| async move {
            let big = request.uri().path() == "/big";
            let answer = match request.into_body().collect().await {
                Ok(_) if big => Response::new(Full::new(Bytes::from(vec![b'x'; 64 << 20]))),
                Ok(body) => Response::new(Full::new(body.to_bytes())),
                Err(_) => {
                    let mut answer = Response::new(Full::new(Bytes::from_static(b"slow")));
                    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
                    answer
                }
            };
            Ok::<_, Infallible>(answer)
        });
        let (stopper, stop) = pair();
        let tasks = Tasks::default();
        tasks.spawn(serve(listener, service, limits, stop));
        Served { addr, stopper, tasks }
    }

    impl Served {
        async fn connect(&self, sent: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.addr).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            stream
        }

        async fn call(&self) -> String {
            self.said(self.connect("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await)
                .await
        }

        async fn said(&self, mut stream: TcpStream) -> String {
            let mut text = Vec::new();
            // A connection that is closed under us has said all it says.
            drop(stream.read_to_end(&mut text).await);
            String::from_utf8_lossy(&text).into_owned()
        }
    }

    const SHORT: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_has_its_time_and_no_more() {
        let served = served(Limits { body_time: 5 * SHORT, ..Limits::default() }).await;
        let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
        let (mut reading, mut writing) = served.connect(head).await.into_split();
        let drip = Tasks::default();
        drip.spawn(async move {
            while writing.write_all(b"x").await.is_ok() {
                tokio::time::sleep(SHORT / 10).await;
            }
        });
        let mut said = [0; 12];
        reading.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 408");
        // The connection was closed: writing to it ends.
        drip.finish().await;
        served.stopper.stop();
        served.tasks.finish().await;
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let served = served(Limits {
            connections_max: 1,
            write_time: 2 * SHORT,
            yield_time: Duration::from_hours(1),
            ..Limits::default()
        })
        .await;
        let unread = served.connect("GET /big HTTP/1.1\r\nHost: x\r\n\r\n").await;
        // There is one place, and it comes free only when the answer is given up.
        assert!(served.call().await.starts_with("HTTP/1.1 200"));
        drop(unread);
    }

    #[tokio::test]
    async fn a_whole_request_gets_in_beside_any_number_of_half_ones() {
        let limits = Limits { connections_max: 4, yield_time: SHORT, ..Limits::default() };
        let served = served(limits).await;
        let mut held = Vec::new();
        for n in 0..12 {
            let half =
                ["GET / HTT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", ""];
            held.push(served.connect(half[n % 3]).await);
        }
        for _ in 0..4 {
            assert!(served.call().await.starts_with("HTTP/1.1 200"));
        }
        // The first ones were closed for it: they had kept their places longest.
        for stream in held.drain(..4) {
            assert_eq!(served.said(stream).await, "");
        }
    }

    #[tokio::test]
    async fn a_request_that_is_worked_on_keeps_its_place() {
        let limits = Limits { connections_max: 1, yield_time: Duration::ZERO, ..Limits::default() };
        let listener = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (begun, mut working) = tokio::sync::mpsc::unbounded_channel();
        let go_on = Arc::new(tokio::sync::Notify::new());
        let wait = Arc::clone(&go_on);
        let service = service_fn(move |request: Request<Arriving>| {
            let (begun, wait) = (begun.clone(), Arc::clone(&wait));
            async move {
                if request.uri().path() == "/slow" {
                    begun.send(()).unwrap();
                    wait.notified().await;
                }
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
            }
        });
        let (stopper, stop) = pair();
        let tasks = Tasks::default();
        tasks.spawn(serve(listener, service, limits, stop));
        let served = Served { addr, stopper, tasks };
        let slow =
            served.connect("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        working.recv().await.unwrap();
        let ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut other = served.connect(ask).await;
        let none = tokio::time::timeout(3 * SHORT, other.read_u8()).await;
        assert!(none.is_err(), "there is no place as long as the only one is worked on");
        go_on.notify_one();
        assert!(served.said(slow).await.ends_with("done"));
        assert!(served.said(other).await.ends_with("done"));
    }

    #[test]
    fn no_port_is_given_twice() {
        let mut given = BTreeSet::new();
        for _ in 0..200 {
            let port = free_port().unwrap();
            assert!(given.insert(port) && LASTING.contains(&port), "{port}");
        }
    }
}
