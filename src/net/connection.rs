//! One connection of a server: how far its request is, and how long it may take to send it and to read the
//! answer. By that it is known which connections may be closed when others wait for their place.

use crate::net::server::Limits;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No whole head of a request has arrived.
    Waiting,
    /// The head has arrived, the body has not.
    Receiving,
    /// The request is being worked on.
    Working,
    /// The answer is on its way.
    Answering,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Since when the peer has not taken what was written for it.
    stalled: Option<Instant>,
}

/// What is known of one connection, and the way to end it.
#[derive(Debug)]
pub(super) struct Life {
    state: Mutex<State>,
    end: Notify,
}

impl Life {
    pub(super) fn begin() -> Arc<Self> {
        let state = State { phase: Phase::Waiting, since: Instant::now(), stalled: None };
        Arc::new(Self { state: Mutex::new(state), end: Notify::new() })
    }

    /// Since when the peer is the one who is waited for; `None` while the request is worked on.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Waiting | Phase::Receiving => Some(state.since),
            Phase::Answering => state.stalled,
            Phase::Working => None,
        }
    }

    /// Asks the connection to end.
    pub(super) fn end(&self) {
        self.end.notify_one();
    }

    /// Resolves when the connection is to end.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        (state.phase, state.since) = (phase, Instant::now());
    }

    fn leave(&self, from: Phase, to: Phase) {
        if self.state().phase == from {
            self.enter(to);
        }
    }

    fn stall(&self, stalls: bool) {
        let mut state = self.state();
        state.stalled = stalls.then(|| state.stalled.unwrap_or_else(Instant::now));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the body of a request did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// It took longer than the server grants.
    #[error("the body did not arrive in time")]
    Slow,
    /// The connection broke, or the body is not written as HTTP writes one.
    #[error("the body could not be read")]
    Broken(#[source] hyper::Error),
}

/// The body of a request, which has so much time to arrive.
#[derive(Debug)]
pub struct Arriving {
    body: Incoming,
    deadline: Instant,
    /// Wakes at the deadline; made for a body that has to be waited for, which few have.
    alarm: Option<Pin<Box<Sleep>>>,
    life: Arc<Life>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = ArrivalError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ArrivalError>>> {
        // First of all: a body that comes byte by byte always has another one.
        let deadline = self.deadline;
        if Instant::now() >= deadline {
            return Poll::Ready(Some(Err(ArrivalError::Slow)));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(alarm.as_mut().poll(context));
            return Poll::Ready(Some(Err(ArrivalError::Slow)));
        };
        if frame.is_none() || self.body.is_end_stream() {
            self.life.leave(Phase::Receiving, Phase::Working);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(ArrivalError::Broken)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.life.leave(Phase::Receiving, Phase::Working);
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct Leaving<B> {
    body: Pin<Box<B>>,
    life: Arc<Life>,
}

impl<B: Body> Leaving<B> {
    fn over(&self) {
        self.life.leave(Phase::Answering, Phase::Waiting);
    }
}

impl<B: Body> Body for Leaving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = ready!(self.body.as_mut().poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.over();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The mark of an answer that is never sent: the connection is closed in its place.
#[derive(Clone, Copy, Debug)]
pub struct Cut;

/// The service of one connection: it keeps its [`Life`] true and gives bodies their time.
#[derive(Debug)]
pub(super) struct Timed<S> {
    pub(super) service: S,
    pub(super) life: Arc<Life>,
    pub(super) limits: Limits,
}

impl<S, B> Service<Request<Incoming>> for Timed<S>
where
    S: Service<Request<Arriving>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
{
    type Response = Response<Leaving<B>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let whole = request.body().is_end_stream();
        self.life.enter(if whole { Phase::Working } else { Phase::Receiving });
        let request = request.map(|body| Arriving {
            body,
            deadline: Instant::now() + self.limits.body_time,
            alarm: None,
            life: Arc::clone(&self.life),
        });
        let life = Arc::clone(&self.life);
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.extensions().get::<Cut>().is_some() {
                life.end();
                // The connection ends around this call, before anything of the answer is written.
                return std::future::pending().await;
            }
            life.enter(Phase::Answering);
            let answer = answer.map(|body| Leaving { body: Box::pin(body), life });
            if answer.body().is_end_stream() {
                answer.body().over();
            }
            Ok(answer)
        })
    }
}

/// A stream whose peer must go on reading what is written to it.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    life: Arc<Life>,
    write_time: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, life: Arc<Life>, write_time: Duration) -> Self {
        Self { stream, life, write_time, stalled: None }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if self.stalled.take().is_some() {
                self.life.stall(false);
            }
            return outcome;
        }
        let write_time = self.write_time;
        let life = &self.life;
        let timer = self.stalled.get_or_insert_with(|| {
            life.stall(true);
            Box::pin(tokio::time::sleep(write_time))
        });
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watch(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
