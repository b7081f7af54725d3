//! What was sent to the application in a run, by a lesson itself or by the provider, and what was answered.

use crate::app::course::act_error::ActError;
use crate::app::course::log::Log;
use crate::domain::course::scene::{Said, Scene, first_line, quoted};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes of an answer that are read; what comes after them is not waited for.
const ANSWER_MAX: usize = 1024 * 1024;
/// How much of an answer is kept with an exchange.
const KEPT_MAX: usize = 4 * 1024;
/// Exchanges that are kept of one day.
const MOST: usize = 5_000;
/// How many lines of the log a scene shows.
const TAIL: usize = 5;

/// An answer of the application.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as far as it was read.
    pub body: String,
    /// Milliseconds until it was there.
    pub took_ms: u64,
    /// The number of its exchange in the run, where it was noted.
    pub exchange: Option<usize>,
    /// Whether there was more of it than is read.
    pub endless: bool,
}

impl Answer {
    /// As lessons see it.
    pub fn json(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        // Whatever its type is said to be: small servers forget to say it.
        let is_object = self.body.trim_start().starts_with('{');
        let said: Option<Value> =
            is_object.then(|| serde_json::from_str(&self.body).ok()).flatten();
        json!({
            "status": self.status, "headers": headers, "body": self.body, "took_ms": self.took_ms,
            "exchange": self.exchange, "json": said,
        })
    }
}

/// One request and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// `POST`.
    pub method: String,
    /// Where it led.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// The event that it carried.
    pub event: Option<String>,
    /// The status; `None` where nobody answered.
    pub status: Option<u16>,
    /// What was answered, or why nothing was.
    pub answer: String,
    /// Whether a lesson answered in the application's place.
    pub meant: bool,
    /// Whether the provider delivered it, and no lesson sent it itself.
    pub delivered: bool,
    /// How many lines the log had before.
    said_before: usize,
}

/// The exchanges of a run. Clones add to the same ones.
#[derive(Clone, Debug)]
pub struct Exchanges {
    all: Arc<Mutex<Vec<Exchange>>>,
    log: Log,
    /// When the last one ended, or the run began.
    ended: Arc<Mutex<Instant>>,
}

impl Exchanges {
    /// None yet; `log` is what the application says meanwhile.
    pub fn beside(log: Log) -> Self {
        Self { all: Arc::default(), log, ended: Arc::new(Mutex::new(Instant::now())) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request that is about to be sent; its number.
    pub fn begin(&self, mut exchange: Exchange) -> Option<usize> {
        exchange.said_before = self.log.len();
        exchange.event = event_of(&exchange.body);
        let mut all = self.lock();
        (all.len() < MOST).then(|| {
            all.push(exchange);
            all.len() - 1
        })
    }

    /// Notes what became of it.
    pub fn end(&self, number: Option<usize>, status: Option<u16>, answer: &str) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let mut all = self.lock();
        if let Some(exchange) = number.and_then(|number| all.get_mut(number)) {
            exchange.status = status;
            exchange.answer = answer.chars().take(KEPT_MAX).collect();
        }
    }

    /// When the application last had something to do with this run: what it has not said long after, it will not say.
    pub fn ended(&self) -> Instant {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// The last one from a number on that is as wished.
    pub fn last(&self, from: usize, is: impl Fn(&Exchange) -> bool) -> Option<usize> {
        let all = self.lock();
        let found = all.iter().enumerate().skip(from).rev().find(|(_, it)| is(it));
        found.map(|(number, _)| number)
    }

    /// The provider's deliveries that reached the application: status, event, number.
    pub fn delivered(&self) -> Vec<(Option<u16>, String, usize)> {
        let all = self.lock();
        let own = all.iter().enumerate().filter(|(_, it)| it.delivered);
        let told = |(number, it): (usize, &Exchange)| {
            (it.status, it.event.clone().unwrap_or_default(), number)
        };
        own.map(told).collect()
    }

    /// What is taken of all of them.
    pub fn each<T>(&self, take: impl FnMut(&Exchange) -> Option<T>) -> Vec<T> {
        self.lock().iter().filter_map(take).collect()
    }

    /// Sends a request to the application, and notes it.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, ActError> {
        self.pass(request, false).await
    }

    /// Sends a request to the application that the provider `delivered`, or a lesson made, and notes it.
    pub async fn pass(&self, request: RequestBuilder, delivered: bool) -> Result<Answer, ActError> {
        let (client, request) = request.build_split();
        let request = request.map_err(of_error)?;
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = request.headers().iter();
        let number = self.begin(Exchange {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: request.body().and_then(|it| it.as_bytes()).unwrap_or_default().to_vec(),
            delivered,
            ..Exchange::default()
        });
        let sent = send(RequestBuilder::from_parts(client, request)).await;
        match sent {
            Ok(answer) => {
                self.end(number, Some(answer.status), &answer.body);
                Ok(Answer { exchange: number, ..answer })
            }
            Err(trouble) => {
                if let ActError::Mismatch { got, .. } = &trouble {
                    self.end(number, None, &got.to_string());
                }
                Err(trouble)
            }
        }
    }

    /// The numbers of those that are as wished.
    pub fn numbers(&self, is: impl Fn(&Exchange) -> bool) -> Vec<usize> {
        let all = self.lock();
        all.iter().enumerate().filter(|(_, it)| is(it)).map(|(number, _)| number).collect()
    }

    /// An exchange, and the last lines of the log at that moment.
    fn heard(&self, number: usize) -> Option<(Exchange, Vec<String>)> {
        let (exchange, next) = {
            let all = self.lock();
            let next = all.get(number + 1).map(|it| it.said_before);
            (all.get(number)?.clone(), next)
        };
        let until = next.unwrap_or_else(|| self.log.len()).max(exchange.said_before + 1);
        let log = self.log.between(exchange.said_before, until, TAIL);
        Some((exchange, log))
    }

    /// What an official library said in an exchange: in the answer, or in the log meanwhile.
    pub fn said(&self, number: usize) -> Option<Said> {
        let (exchange, log) = self.heard(number)?;
        Said::in_text(&exchange.answer).or_else(|| log.iter().find_map(|it| Said::in_text(it)))
    }

    /// What happened in an exchange; a body that is too long for a line goes into `file`.
    pub fn scene(&self, number: usize, file: &Path) -> Option<Scene> {
        let (exchange, log) = self.heard(number)?;
        let status = exchange.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let line = first_line(&exchange.answer);
        let said = self.said(number);
        Some(Scene {
            request: exchange.curl(file),
            answer: format!("{status} {line}").trim_end().to_owned(),
            log: log.iter().map(|line| first_line(line)).collect(),
            said: said.filter(|_| exchange.status.is_none_or(|status| status >= 400)),
            crashed: !exchange.meant && exchange.status.is_some_and(|status| status >= 500),
        })
    }
}

impl Exchange {
    /// A delivery that a lesson answers in the application's place.
    pub fn meant(body: Vec<u8>) -> Self {
        Self { body, meant: true, ..Self::default() }
    }

    /// Whether its body speaks of something.
    pub fn carries(&self, what: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(what)
    }

    /// The command that sends it again.
    fn curl(&self, file: &Path) -> String {
        let mut command = "curl -i".to_owned();
        if self.method != "GET" {
            command.extend([" -X ", self.method.as_str()]);
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "content-length") {
            command.extend([" -H ".to_owned(), quoted(&format!("{name}: {value}"))]);
        }
        let text = std::str::from_utf8(&self.body).ok();
        match text.filter(|text| text.len() <= 80 && !text.contains('\n')) {
            Some("") => {}
            Some(text) => command.extend([" --data-raw ".to_owned(), quoted(text)]),
            None => {
                let folder = file.parent().map_or(Ok(()), crate::os::private::folder);
                if let Err(error) = folder.and_then(|()| std::fs::write(file, &self.body)) {
                    tracing::debug!(%error, "the body of a request could not be kept");
                }
                command.extend([format!(" --data-binary @{}", file.display())]);
            }
        }
        format!("{command} {}", quoted(&self.url))
    }
}

/// The id of the event that a body carries.
fn event_of(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    Some(event.get("id")?.as_str()?.to_owned())
}

/// Sends a request to whoever is on this machine.
pub async fn send(request: RequestBuilder) -> Result<Answer, ActError> {
    let began = Instant::now();
    let mut response = request.send().await.map_err(of_error)?;
    let status = response.status().as_u16();
    let headers = response.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers: Vec<(String, String)> = headers.collect();
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_MAX
        && let Some(chunk) = response.chunk().await.map_err(of_error)?
    {
        bytes.extend_from_slice(&chunk);
    }
    let endless = bytes.len() >= ANSWER_MAX;
    bytes.truncate(ANSWER_MAX);
    let body = String::from_utf8_lossy(&bytes).into_owned();
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Answer { status, headers, body, took_ms, exchange: None, endless })
}

/// A request that came to nothing, by its innermost cause.
fn of_error(error: reqwest::Error) -> ActError {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    ActError::mismatch("an answer", format!("{error}: {innermost}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(body: &str) -> Exchange {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let (method, url) = ("POST".to_owned(), "http://127.0.0.1:1/webhook".to_owned());
        Exchange { method, url, headers, body: body.as_bytes().to_vec(), ..Exchange::default() }
    }

    #[test]
    fn what_an_answer_says_is_kept_beside_its_text() {
        let said = |body: &str| {
            let answer = Answer { body: body.to_owned(), ..Answer::default() }.json();
            assert_eq!(answer["body"], body);
            answer["json"].clone()
        };
        assert_eq!(said(" {\"customer\": \"cus_1\"}\n"), json!({"customer": "cus_1"}));
        assert_eq!((said("[1]"), said("{"), said("")), (Value::Null, Value::Null, Value::Null));
    }

    #[test]
    fn a_scene_tells_the_request_the_answer_and_what_was_said_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requests/D3.3.body");
        let log = Log::default();
        log.add("before".to_owned());
        let exchanges = Exchanges::beside(log.clone());
        let first = exchanges.begin(posted("{\"id\":\"evt_1\"}"));
        log.add("boom".to_owned());
        exchanges.end(first, Some(500), "\nInternal Server Error\nmore");
        let second = exchanges.begin(posted(&"x".repeat(99)));
        log.add("later".to_owned());
        exchanges.end(second, Some(400), "No signatures found matching the expected signature");
        let scene = exchanges.scene(0, &file).unwrap();
        assert_eq!((scene.answer.as_str(), scene.crashed), ("500 Internal Server Error", true));
        assert_eq!((scene.log, scene.said), (vec!["boom".to_owned()], None));
        assert!(
            scene.request.ends_with("--data-raw '{\"id\":\"evt_1\"}' 'http://127.0.0.1:1/webhook'")
        );
        let scene = exchanges.scene(1, &file).unwrap();
        assert_eq!((scene.said, scene.crashed), (Some(Said::NoMatch), false));
        let third = exchanges.begin(posted("{\"id\":\"evt_1\"}"));
        log.add("Payload was provided as a parsed JavaScript object instead.".to_owned());
        exchanges.end(third, Some(400), "");
        let of_event = exchanges.numbers(|it| it.event.as_deref() == Some("evt_1"));
        let said: Vec<_> = of_event.into_iter().map(|number| exchanges.said(number)).collect();
        assert_eq!(said, [None, Some(Said::Parsed)]);
        assert!(scene.request.contains("--data-binary @"), "{}", scene.request);
        assert_eq!(std::fs::read(&file).unwrap().len(), 99);
        assert_eq!(exchanges.last(0, |it| it.event.as_deref() == Some("evt_1")), Some(2));
    }
}
