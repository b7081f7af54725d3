//! A scripted provider on a loopback port, for unit tests of what calls one.

use crate::net::connection::Arriving;
use crate::net::server::{self, Limits};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What is answered: a status, further headers, JSON.
pub(crate) type Reply = (u16, Vec<(&'static str, &'static str)>, Value);

pub(crate) struct Fake {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _stopper: Stopper,
    _tasks: Tasks,
}

impl Fake {
    /// Answers what `script` says to a request and its number, counted from 0.
    pub(crate) async fn start(
        script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = server::bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, script) = (Arc::clone(&asked), Arc::new(script));
        let service = service_fn(move |request| {
            let (log, script) = (Arc::clone(&log), Arc::clone(&script));
            async move { Ok::<_, Infallible>(answer(&log, &*script, request).await) }
        });
        let (stopper, stop) = shutdown::pair();
        let tasks = Tasks::default();
        tasks.spawn(server::serve(listener, service, Limits::default(), stop));
        Self { base, asked, _stopper: stopper, _tasks: tasks }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    log: &Mutex<Vec<Asked>>,
    script: &(impl Fn(&Asked, usize) -> Reply + Send + Sync),
    request: Request<Arriving>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let asked = Asked {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    let (status, headers, value) = script(&asked, number);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Full::from(value.to_string())).unwrap()
}
