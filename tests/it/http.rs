//! A plain HTTP/1.1 client: one request a connection, so that a test decides every byte it sends.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use stripegym::parts::Catalog;

/// A client of the API under one key.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) port: u16,
    pub(crate) key: String,
    headers: Vec<(String, String)>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Api {
    pub(crate) fn new(port: u16, key: &str) -> Self {
        Self { port, key: key.to_owned(), headers: Vec::new() }
    }

    /// The same client that also sends this header.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut more = self.clone();
        more.headers.push((name.to_owned(), value.to_owned()));
        more
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[])
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.call("POST", path, form)
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, &[])
    }

    /// A GET that must succeed.
    pub(crate) fn read(&self, path: &str) -> Value {
        self.get(path).ok()
    }

    /// A POST that must succeed.
    pub(crate) fn make(&self, path: &str, form: &[(&str, &str)]) -> Value {
        self.post(path, form).ok()
    }

    fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Reply {
        self.try_call(method, path, form).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// One request; an error where no whole answer came (the server may have been killed).
    pub(crate) fn try_call(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> io::Result<Reply> {
        let authorization = format!("Bearer {}", self.key);
        let mut headers = vec![("Authorization", authorization.as_str())];
        let body = encode(form);
        if method == "POST" {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let reply = send(self.port, method, path, &headers, body.as_bytes())?;
        reply.check_shape(method, path);
        Ok(reply)
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body of a successful answer.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The error object of an answer with this status.
    pub(crate) fn error(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let error = self.json()["error"].clone();
        assert!(error.is_object(), "no error object: {}", self.text());
        error
    }

    /// Every answer that any test sees is held against the catalog's shapes, unless it has the form of an older
    /// version.
    fn check_shape(&self, method: &str, path: &str) {
        let is_older =
            self.header("stripe-version").is_some_and(|it| it != Catalog::get().api_version());
        let is_repeated = self.header("idempotent-replayed").is_some();
        let is_printed = self.header("content-type") == Some("application/pdf");
        if !path.starts_with("/v1/") || is_older || is_repeated || is_printed {
            return;
        }
        let violations = Catalog::get().check(&self.json());
        assert!(violations.is_empty(), "{method} {path}:\n{}", violations.join("\n"));
    }
}

/// A form body: names as they are, values percent-encoded.
pub(crate) fn encode(form: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in form {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(&percent(name, b"[]._-"));
        body.push('=');
        body.push_str(&percent(value, b"._-"));
    }
    body
}

/// Percent-encodes everything but letters, digits and `kept`.
pub(crate) fn percent(text: &str, kept: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}

/// Sends one request to a port of this machine; `Host` may be overridden among the headers.
pub(crate) fn send(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        write!(head, "Host: 127.0.0.1:{port}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if method != "GET" {
        write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    send_bytes(port, &bytes)
}

/// Sends these bytes and reads one answer.
pub(crate) fn send_bytes(port: u16, bytes: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    // A server may answer and close before it has read everything: then its answer is what counts.
    let written = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
            Err(error) if answer.is_empty() => return Err(error),
            Err(_) => break,
        }
        // Some servers keep the connection open whatever they are told.
        if is_whole(&answer) {
            break;
        }
    }
    if answer.is_empty() {
        written?;
    }
    parse(&answer)
}

/// Whether everything that `Content-Length` promises has arrived.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = find(answer, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.split("\r\ncontent-length:").nth(1).and_then(|it| it.lines().next());
    let length = length.and_then(|it| it.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

fn parse(answer: &[u8]) -> io::Result<Reply> {
    let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is not whole");
    let end = find(answer, b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(broken)?;
    let status = status.parse().map_err(|_| broken())?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply { status, headers, body: answer[end + 4..].to_vec() };
    if reply.header("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked")) {
        reply.body = unchunk(&reply.body).ok_or_else(broken)?;
    } else if let Some(length) = reply.header("content-length") {
        let length: usize = length.parse().map_err(|_| broken())?;
        if reply.body.len() < length {
            return Err(broken());
        }
    }
    Ok(reply)
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(bytes, b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..end]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        bytes = bytes.get(end + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
