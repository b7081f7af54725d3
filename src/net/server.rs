//! Serves HTTP/1.1 with limits: connections, header size and time, idle time; ends gracefully.

use crate::net::shutdown::Stop;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// What a server of ours grants its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections served at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// Bytes of request line and headers together.
    pub head_bytes_max: usize,
    /// Time for the head of a request to arrive, and for an idle connection to speak again.
    pub head_time: Duration,
    /// Time that open requests get to end once stopping was asked for.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            head_bytes_max: 32 * 1024,
            head_time: Duration::from_secs(30),
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

/// A port of loopback that nobody listens at now.
///
/// Fails with the system's error where there is none.
pub fn free_port() -> io::Result<u16> {
    listen_once(0)
}

/// Listens at a port of loopback for a moment; the port.
///
/// Fails with the system's error for one that is taken.
pub fn listen_once(port: u16) -> io::Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

/// Serves until `stop`; then lets open requests end within the limit's drain time.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: Limits, mut stop: Stop)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    let mut pause_ms = 1;
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = stop.wait() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: waiting lets connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(1_000);
                continue;
            }
        };
        pause_ms = 1;
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_buf_size(limits.head_bytes_max)
            .serve_connection(TokioIo::new(stream), service.clone());
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, graceful.shutdown()).await;
    tracing::debug!(graceful = drained.is_ok(), "server stopped");
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}
