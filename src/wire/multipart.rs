//! Forms of several parts (`multipart/form-data`), in which files are uploaded.

use crate::wire::failure::Failure;
use crate::wire::form::{self, Decoded, Tree};
use serde_json::{Value, json};

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name on the sender's machine.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl File {
    /// Reads what [`decode`] put in the place of a file; `None` where it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let hex = value.get("hex")?.as_str()?;
        let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        let bytes = (0..hex.len()).step_by(2).map(digit).collect::<Option<_>>()?;
        Some(Self { name: value.get("name")?.as_str()?.to_owned(), bytes })
    }

    /// The text that [`File::read`] reads.
    pub fn written(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |it: u8| char::from(DIGITS.get(usize::from(it)).copied().unwrap_or(b'0'));
        let hex: String =
            self.bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        json!({"name": self.name, "hex": hex}).to_string()
    }
}

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let named = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(named.trim_matches('"'))
}

/// Decodes a body into the parameters that it names; a file is text that [`File::read`] reads.
pub fn decode(body: &[u8], boundary: &str) -> Result<Decoded, Failure> {
    let broken =
        || Failure::invalid("Invalid request: the form of several parts could not be read.");
    let mut plain = String::new();
    let mut files = Vec::new();
    let line = format!("--{boundary}");
    let mut rest = after(body, line.as_bytes()).ok_or_else(broken)?;
    while !rest.starts_with(b"--") {
        let end = find(rest, format!("\r\n{line}").as_bytes()).ok_or_else(broken)?;
        let part = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 2 + line.len()..).unwrap_or_default();
        let split = find(part, b"\r\n\r\n").ok_or_else(broken)?;
        let head = String::from_utf8_lossy(part.get(..split).unwrap_or_default()).into_owned();
        let bytes = part.get(split + 4..).unwrap_or_default();
        let name = attribute(&head, "name").ok_or_else(broken)?;
        if let Some(file) = attribute(&head, "filename") {
            files.push((name, File { name: file, bytes: bytes.to_vec() }));
            continue;
        }
        let value = std::str::from_utf8(bytes).map_err(|_| broken())?;
        if !plain.is_empty() {
            plain.push('&');
        }
        plain.push_str(&form::escape(&name));
        plain.push('=');
        plain.push_str(&form::escape(value));
    }
    let mut decoded = form::decode(plain.as_bytes())?;
    if let Tree::Hash(members) = &mut decoded.tree {
        members.extend(files.into_iter().map(|(name, file)| (name, Tree::Leaf(file.written()))));
    }
    Ok(decoded)
}

/// The value of an attribute of a part's head: `name="file"`.
fn attribute(head: &str, name: &str) -> Option<String> {
    let line =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition"))?;
    let value =
        line.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

fn find(text: &[u8], sought: &[u8]) -> Option<usize> {
    text.windows(sought.len()).position(|window| window == sought)
}

fn after<'t>(text: &'t [u8], sought: &[u8]) -> Option<&'t [u8]> {
    text.get(find(text, sought)? + sought.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_parameters_and_a_file_keeps_its_bytes() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x00\xff\r\n--xyz--\r\n";
        let boundary = boundary("multipart/form-data; boundary=\"xyz\"").unwrap();
        let tree = decode(body, boundary).unwrap().tree;
        assert_eq!(tree.get("purpose").unwrap().text(), Some("dispute_evidence"));
        let file = File::read(tree.get("file").unwrap().text().unwrap()).unwrap();
        assert_eq!(
            (file.name.as_str(), file.bytes.as_slice()),
            ("a.png", &b"\x89PNG\r\n\x00\xff"[..])
        );
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for body in
            [&b""[..], b"--xyz", b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb"]
        {
            assert_eq!(decode(body, "xyz").unwrap_err().status, 400);
        }
        assert_eq!(boundary("application/json"), None);
        assert_eq!(File::read("{\"name\":\"a\",\"hex\":\"0\"}"), None);
    }
}
