//! As much of HTTP/1.1 as loads need: requests into bytes, and one message read to its end.

use std::io;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Appends a request without a body.
pub(crate) fn get(out: &mut Vec<u8>, key: &str, path: &str) {
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n");
    out.extend_from_slice(head.as_bytes());
}

/// Appends a request with a form.
pub(crate) fn post(out: &mut Vec<u8>, key: &str, path: &str, body: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    out.extend_from_slice(head.as_bytes());
}

/// Reads one message into the buffer; the length of its head, or `None` where the peer hung up before it.
/// A chunked body keeps its framing.
pub(crate) async fn read(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<usize>> {
    buffer.clear();
    let head = loop {
        let before = buffer.len().saturating_sub(3);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
        if let Some(at) = find(&buffer[before..], b"\r\n\r\n") {
            break before + at + 4;
        }
    };
    let until = match body(&buffer[..head]) {
        Body::Length(length) => head + length,
        Body::Chunked => usize::MAX,
    };
    while buffer.len() < until && !(until == usize::MAX && buffer.ends_with(b"0\r\n\r\n")) {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(head))
}

/// The status in the head of an answer.
pub(crate) fn status(head: &[u8]) -> u16 {
    let digits = head.get(9..12).and_then(|it| std::str::from_utf8(it).ok());
    digits.and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The text between a prefix (with its opening quote) and the next quote, the prefix's own letters after
/// the quote included: `"cus_` finds `cus_123`.
pub(crate) fn quoted(body: &[u8], prefix: &[u8]) -> Option<String> {
    let from = find(body, prefix)? + 1;
    let length = body[from..].iter().position(|byte| *byte == b'"')?;
    String::from_utf8(body[from..from + length].to_vec()).ok()
}

pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

enum Body {
    Length(usize),
    Chunked,
}

fn body(head: &[u8]) -> Body {
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let text = std::str::from_utf8(value).unwrap_or_default();
            return Body::Length(text.parse().unwrap_or(0));
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Body::Chunked;
        }
    }
    Body::Length(0)
}
