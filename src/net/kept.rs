//! Requests over connections that are kept open: for many small ones to the same few places.
//!
//! A kept connection may be closed by the other side at the very moment at which it is used again. A request
//! that dies there before any byte of an answer came is sent once more, on a connection of its own; one that
//! dies on a fresh connection is not, because the other side may have worked on it.

use crate::net::outbound::{self, Beyond};
use crate::net::tasks::Tasks;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection without work is kept. Shorter than any common server keeps one (Node: 5 s), so that
/// it is mostly this side that closes; and short for the sake of servers that serve one connection at a time.
const IDLE_TIME: Duration = Duration::from_secs(1);

/// How long a new connection may wait for its first answer before the kept ones are let go: the server may
/// be one that serves one connection at a time, and the kept ones are in its way.
const FIRST_ANSWER_TIME: Duration = Duration::from_millis(250);

/// Host and port.
type Address = (String, u16);
type Sender = SendRequest<Full<Bytes>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody was reached.
    #[error("could not connect: {0}")]
    Connect(#[source] io::Error),
    /// The connection ended, or what came is no HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// The connections. Dropping it closes them.
#[derive(Debug)]
pub struct Kept {
    beyond: Beyond,
    /// Time for a connection to stand.
    connect: Duration,
    places: Mutex<HashMap<Address, AtPlace>>,
    tasks: Tasks,
    /// Something was put aside that is to be closed some time.
    more: Notify,
}

#[derive(Debug, Default)]
struct AtPlace {
    idle: Vec<Line>,
    /// New connections that have waited too long for their first answer.
    overdue: usize,
}

/// An open connection.
#[derive(Debug)]
struct Line {
    sender: Sender,
    /// Bytes that came over it.
    seen: Arc<AtomicU64>,
    since: Instant,
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer<'k> {
    status: StatusCode,
    body: Incoming,
    line: Line,
    address: Address,
    kept: &'k Kept,
}

impl Kept {
    /// Connections to this machine and to whom `beyond` admits.
    pub fn new(beyond: Beyond, connect: Duration) -> Self {
        let (places, tasks, more) = (Mutex::default(), Tasks::default(), Notify::new());
        Self { beyond, connect, places, tasks, more }
    }

    /// Sends a request to a place. The caller sets the limits of time.
    pub async fn send(
        &self,
        host: &str,
        port: u16,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer<'_>, SendError> {
        let address = (host.to_owned(), port);
        while let Some(mut line) = self.take(&address) {
            if line.sender.ready().await.is_err() {
                continue;
            }
            tracing::trace!(host, port, "a request goes over a kept connection");
            let before = line.seen.load(Ordering::Relaxed);
            match line.sender.send_request(request.clone()).await {
                Ok(answer) => return Ok(self.answer(answer, line, address)),
                Err(error) if line.seen.load(Ordering::Relaxed) != before => {
                    return Err(error.into());
                }
                // It was closed while it was taken: as if it had never been there.
                Err(error) => {
                    tracing::debug!(host, port, %error, "a kept connection was closed; once more");
                    break;
                }
            }
        }
        let (answer, line) = self.watched(&address, request).await?;
        Ok(self.answer(answer, line, address))
    }

    /// Closes what has had no work for a while, for as long as it is polled.
    pub async fn tidy(&self) {
        loop {
            self.more.notified().await;
            loop {
                tokio::time::sleep(IDLE_TIME).await;
                let mut places = self.places();
                for place in places.values_mut() {
                    place.idle.retain(|line| line.since.elapsed() < IDLE_TIME);
                }
                places.retain(|_, place| !place.idle.is_empty() || place.overdue > 0);
                if places.is_empty() {
                    break;
                }
            }
        }
    }

    /// [`Kept::fresh`] that lets the kept connections go where it has to wait.
    async fn watched(
        &self,
        address: &Address,
        request: Request<Full<Bytes>>,
    ) -> Result<(hyper::Response<Incoming>, Line), SendError> {
        let mut fresh = pin!(self.fresh(address, request));
        if let Ok(answered) = tokio::time::timeout(FIRST_ANSWER_TIME, &mut fresh).await {
            return answered;
        }
        let _waiting = Overdue::at(self, address);
        fresh.await
    }

    async fn fresh(
        &self,
        address: &Address,
        request: Request<Full<Bytes>>,
    ) -> Result<(hyper::Response<Incoming>, Line), SendError> {
        let (host, port) = address;
        tracing::trace!(host, port, "a request goes over a new connection");
        let dialled = outbound::dial(host, *port, &self.beyond);
        let stream = tokio::time::timeout(self.connect, dialled).await;
        let stream = stream.map_err(io::Error::from).flatten().map_err(SendError::Connect)?;
        let seen = Arc::<AtomicU64>::default();
        let counted = Counted { stream, seen: Arc::clone(&seen) };
        let (mut sender, connection) = handshake(TokioIo::new(counted)).await?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended");
            }
        });
        let answer = sender.send_request(request).await?;
        Ok((answer, Line { sender, seen, since: Instant::now() }))
    }

    fn answer(
        &self,
        answer: hyper::Response<Incoming>,
        line: Line,
        address: Address,
    ) -> Answer<'_> {
        let status = answer.status();
        Answer { status, body: answer.into_body(), line, address, kept: self }
    }

    fn take(&self, address: &Address) -> Option<Line> {
        let mut places = self.places();
        let place = places.get_mut(address)?;
        while let Some(line) = place.idle.pop() {
            if !line.sender.is_closed() && line.since.elapsed() < IDLE_TIME {
                return Some(line);
            }
        }
        None
    }

    fn put_back(&self, mut line: Line, address: Address) {
        if line.sender.is_closed() {
            return;
        }
        line.since = Instant::now();
        let mut places = self.places();
        let place = places.entry(address).or_default();
        if place.overdue == 0 {
            place.idle.push(line);
            self.more.notify_one();
        }
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Address, AtPlace>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer<'_> {
    /// Its status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Reads up to `bytes_max` of its body within `time`. Where that is all of it, the connection is kept.
    pub async fn beginning(mut self, bytes_max: usize, time: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        let reading = async {
            while bytes.len() < bytes_max {
                let Some(frame) = self.body.frame().await else { return true };
                let Ok(frame) = frame else { return false };
                if let Some(chunk) = frame.data_ref() {
                    bytes.extend(chunk.iter().take(bytes_max - bytes.len()));
                }
            }
            false
        };
        if tokio::time::timeout(time, reading).await == Ok(true) {
            self.kept.put_back(self.line, self.address);
        }
        bytes
    }
}

/// Stands for a new connection that waits long for its first answer.
struct Overdue<'k> {
    kept: &'k Kept,
    address: &'k Address,
}

impl<'k> Overdue<'k> {
    fn at(kept: &'k Kept, address: &'k Address) -> Self {
        let mut places = kept.places();
        let place = places.entry(address.clone()).or_default();
        place.overdue += 1;
        place.idle.clear();
        drop(places);
        Self { kept, address }
    }
}

impl Drop for Overdue<'_> {
    fn drop(&mut self) {
        let mut places = self.kept.places();
        if let Some(place) = places.get_mut(self.address) {
            place.overdue = place.overdue.saturating_sub(1);
            if place.overdue == 0 && place.idle.is_empty() {
                places.remove(self.address);
            }
        }
    }
}

/// A stream that counts what comes over it.
#[derive(Debug)]
struct Counted {
    stream: TcpStream,
    seen: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        self.seen.fetch_add(u64::try_from(came).unwrap_or(u64::MAX), Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    fn kept() -> Kept {
        Kept::new(Beyond::Nobody, Duration::from_secs(5))
    }

    fn request() -> Request<Full<Bytes>> {
        let request = Request::post("/hook").header("Host", "127.0.0.1");
        request.body(Full::new(Bytes::from_static(b"hello"))).unwrap()
    }

    /// Reads one request; `false` where the connection ended.
    async fn read(stream: &mut BufReader<TcpStream>) -> bool {
        let mut line = String::new();
        while !line.ends_with("\r\n\r\n") {
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return false;
            }
        }
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.is_ok()
    }

    async fn post(kept: &Kept, port: u16) -> Result<Vec<u8>, SendError> {
        let answer = kept.send("127.0.0.1", port, request()).await?;
        Ok(answer.beginning(1024, Duration::from_secs(5)).await)
    }

    /// A server of one connection after the other that answers `per_line` requests of each, reads one more,
    /// and closes. It tells the number of the connection with each request that it has read.
    async fn server(per_line: usize) -> (u16, Tasks, mpsc::UnboundedReceiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, seen) = mpsc::unbounded_channel();
        let tasks = Tasks::default();
        tasks.spawn(async move {
            for number in 0.. {
                let mut stream = BufReader::new(listener.accept().await.unwrap().0);
                for at in 0..=per_line {
                    if !read(&mut stream).await || sender.send(number).is_err() || at == per_line {
                        break;
                    }
                    stream.get_mut().write_all(OK).await.unwrap();
                }
            }
        });
        (port, tasks, seen)
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_a_request_that_it_swallows_is_sent_once_more() {
        let (port, _tasks, mut seen) = server(2).await;
        let kept = kept();
        for _ in 0..4 {
            assert_eq!(post(&kept, port).await.unwrap(), b"ok");
        }
        let mut numbers = Vec::new();
        while let Ok(number) = seen.try_recv() {
            numbers.push(number);
        }
        // The third one dies on the first connection without a byte of an answer.
        assert_eq!(numbers, [0, 0, 0, 1, 1]);
    }

    #[tokio::test]
    async fn a_request_that_a_fresh_connection_swallows_is_not_sent_again() {
        let (port, _tasks, mut seen) = server(0).await;
        let kept = kept();
        assert!(matches!(post(&kept, port).await, Err(SendError::Broken(_))));
        assert_eq!((seen.recv().await, seen.try_recv().ok()), (Some(0), None));
    }

    #[tokio::test]
    async fn an_answer_that_has_begun_is_not_asked_for_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tasks = Tasks::default();
        let (sender, mut seen) = mpsc::unbounded_channel();
        tasks.spawn(async move {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            for answer in [OK, b"HTTP/1.1 200"] {
                assert!(read(&mut stream).await);
                sender.send(()).unwrap();
                stream.get_mut().write_all(answer).await.unwrap();
            }
            drop(stream);
            if listener.accept().await.is_ok() {
                sender.send(()).unwrap();
            }
        });
        let kept = kept();
        assert!(post(&kept, port).await.is_ok());
        assert!(post(&kept, port).await.is_err());
        assert!(seen.recv().await.is_some() && seen.recv().await.is_some());
        assert!(seen.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_server_of_one_connection_at_a_time_is_not_kept_from_its_next() {
        let (port, _tasks, _seen) = server(usize::MAX - 1).await;
        let kept = kept();
        assert!(post(&kept, port).await.is_ok());
        // While the kept connection is busy, a second one waits behind it.
        let (one, two) = tokio::join!(post(&kept, port), post(&kept, port));
        assert!(one.is_ok() && two.is_ok());
    }

    #[tokio::test]
    async fn what_has_no_work_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = kept();
        let serve = async {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            assert!(read(&mut stream).await);
            stream.get_mut().write_all(OK).await.unwrap();
            assert!(!read(&mut stream).await, "closed from the other side");
        };
        let ask = async {
            assert!(post(&kept, port).await.is_ok());
            kept.tidy().await;
        };
        tokio::select! {
            () = serve => {}
            () = ask => {}
        }
        assert!(kept.places().is_empty());
    }
}
