//! How long a value may be and how it must look, by parameter: data in `fixtures/api/limits.tsv` and
//! `extra_limits.tsv`, and Stripe's words about what is beyond.

use crate::catalog::grammar::{Kind, Shape};
use crate::catalog::path::Path;
use crate::wire::failure::{Failure, echo};
use serde_json::Value;

/// Characters that any text of the first API may have where nothing else is said.
const CHARACTERS: usize = 5_000;

/// Characters that an address may have, and a statement descriptor.
const URL: usize = 5_000;
const DESCRIPTOR: usize = 22;

/// Characters that a statement descriptor cannot have.
const NOT_IN_DESCRIPTORS: &[char] = &['<', '>', '\\', '\'', '"', '*'];

/// What a value is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many characters at most.
    Characters(usize),
    /// So many elements at most.
    Items(usize),
    /// So many decimal places at most.
    Places(usize),
    /// An absolute URL.
    Url,
    /// An e-mail address.
    Email,
    /// What a bank statement can show.
    Descriptor,
}

impl Limit {
    /// Reads `c22`, `n8`, `p12`, `url`, `email`, `descriptor`.
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "url" => Self::Url,
            "email" => Self::Email,
            "descriptor" => Self::Descriptor,
            _ => {
                let (mark, number) = (text.get(..1)?, text.get(1..)?.parse().ok()?);
                match mark {
                    "c" => Self::Characters(number),
                    "n" => Self::Items(number),
                    "p" => Self::Places(number),
                    _ => return None,
                }
            }
        })
    }

    /// Why a text is beyond the limit.
    fn refusal(self, text: &str, path: &str) -> Option<Failure> {
        match self {
            Self::Characters(most) => too_long(text, most).map(|failure| failure.param(path)),
            Self::Places(most) => {
                let places = text.split_once('.').map_or(0, |(_, places)| places.len());
                (places > most).then(|| {
                    let text = echo(text);
                    Failure::invalid(format!(
                        "Invalid decimal: {text}; must contain at most {most} decimal places."
                    ))
                    .param(path)
                })
            }
            Self::Url => url(text).err().map(|failure| failure.param(path)),
            Self::Email => (!is_email(text)).then(|| {
                Failure::invalid(format!("Invalid email address: {}", echo(text)))
                    .code("email_invalid")
                    .param(path)
            }),
            Self::Descriptor => descriptor(text).err().map(|failure| failure.param(path)),
            Self::Items(_) => None,
        }
    }
}

/// Why a text of more than `most` characters is refused; the answer shows its beginning and its end.
fn too_long(text: &str, most: usize) -> Option<Failure> {
    // A text has as many bytes as characters at least.
    let count = if text.len() > most { text.chars().count() } else { 0 };
    (count > most).then(|| {
        let shown = ends(text, 10);
        Failure::invalid(format!("Invalid string: {shown}; must be at most {most} characters"))
    })
}

/// The first and the last letters of a text.
pub fn ends(text: &str, letters: usize) -> String {
    let count = text.chars().count();
    if count <= letters * 2 {
        return text.to_owned();
    }
    let first: String = text.chars().take(letters).collect();
    let last: String = text.chars().skip(count - letters).collect();
    format!("{first}...{last}")
}

fn url(text: &str) -> Result<(), Failure> {
    if text.chars().count() > URL {
        let message = format!("Invalid URL: URL must be {URL} characters or less.");
        return Err(Failure::invalid(message));
    }
    let wrong = |message: &str| Err(Failure::invalid(message).code("url_invalid"));
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong("Invalid URL: An explicit scheme (such as https) must be provided.");
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_clean = !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_web = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    if is_scheme && is_clean && !rest.is_empty() && (!is_web || !host.is_empty()) {
        Ok(())
    } else {
        wrong("Not a valid URL")
    }
}

/// Whether a text looks like an e-mail address: something, `@`, a domain without blanks.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    clean(local) && clean(domain) && !domain.starts_with('.') && !domain.ends_with('.')
}

/// The words about characters and letters are believed: no recording has them.
fn descriptor(text: &str) -> Result<(), Failure> {
    let count = text.chars().count();
    if count > DESCRIPTOR {
        return Err(Failure::invalid(format!(
            "The statement descriptor must be at most {DESCRIPTOR} characters. {} is {count} characters long.",
            echo(text)
        )));
    }
    if text.contains(NOT_IN_DESCRIPTORS) {
        let message = "The statement descriptor cannot contain any of these special characters: < > \\ ' \" *";
        return Err(Failure::invalid(message).code("invalid_characters"));
    }
    if !text.chars().any(char::is_alphabetic) {
        let message = "The statement descriptor must contain at least one letter.";
        return Err(Failure::invalid(message));
    }
    Ok(())
}

/// Why a value is beyond its limits.
pub(crate) fn refusal(limits: &[Limit], value: &Value, path: Path<'_>) -> Option<Failure> {
    match value {
        Value::String(text) => {
            limits.iter().find_map(|limit| limit.refusal(text, &path.to_string()))
        }
        Value::Array(items) => {
            let most = limits.iter().find_map(|limit| match limit {
                Limit::Items(most) => Some(*most),
                _ => None,
            });
            if let Some(most) = most.filter(|most| items.len() > *most) {
                let path = path.to_string();
                let message = format!("Array {path} exceeded maximum {most} allowed elements.");
                return Some(Failure::invalid(message).param(path));
            }
            let texts = items.iter().enumerate().filter(|(_, item)| item.is_string());
            texts.into_iter().find_map(|(at, item)| refusal(limits, item, Path::Place(&path, at)))
        }
        _ => None,
    }
}

/// The rows of both files: a shape, or `*`, and its `field=LIMIT` columns.
#[derive(Debug)]
pub(crate) struct Limits {
    by_hand: Vec<(&'static str, &'static str)>,
    made: Vec<(&'static str, &'static str)>,
}

impl Limits {
    /// Reads the rows, each file's sorted by shape.
    pub(crate) fn read(
        made: impl Iterator<Item = &'static str>,
        by_hand: impl Iterator<Item = &'static str>,
    ) -> Self {
        let rows = |rows: &mut dyn Iterator<Item = &'static str>| {
            let mut rows: Vec<_> = rows.filter_map(|row| row.split_once('\t')).collect();
            rows.sort_unstable();
            rows
        };
        let (mut made, mut by_hand) = (made, by_hand);
        Self { by_hand: rows(&mut by_hand), made: rows(&mut made) }
    }

    /// Puts the limits on a shape's fields.
    pub(crate) fn put_on(&self, shape: &mut Shape) {
        let changes = !["ListParams", "SearchParams"].iter().any(|part| shape.name.contains(part));
        let first = !shape.name.starts_with("v2.");
        for field in &mut shape.fields {
            let own = [&self.by_hand, &self.made];
            let own = own.into_iter().find_map(|rows| column(rows, shape.name, field.name));
            let said = own.or_else(|| column(&self.by_hand, "*", field.name).filter(|_| changes));
            let is_text = holds_text(&field.of.kind);
            let said = said.filter(|_| own.is_some() || is_text).unwrap_or_default();
            field.limits = said.split(',').filter_map(Limit::read).collect();
            let is_bounded = field.limits.iter().any(|limit| {
                matches!(limit, Limit::Characters(_) | Limit::Url | Limit::Descriptor)
            });
            if is_text && first && !is_bounded && !UNBOUNDED.contains(&shape.name) {
                field.limits.push(Limit::Characters(CHARACTERS));
            }
        }
    }
}

/// Shapes whose texts may be longer than others: what a merchant writes about a dispute.
const UNBOUNDED: &[&str] = &["DisputeUpdateParamsEvidence", "issuing.DisputeUpdateParamsEvidence"];

fn holds_text(kind: &Kind) -> bool {
    match kind {
        Kind::Text => true,
        Kind::List(of) => matches!(of.kind, Kind::Text),
        Kind::Union(members) => members.iter().any(|member| matches!(member.kind, Kind::Text)),
        _ => false,
    }
}

/// What a shape's row says of a field, by its name or by its end.
fn column(rows: &[(&'static str, &'static str)], shape: &str, field: &str) -> Option<&'static str> {
    let at = rows.binary_search_by_key(&shape, |row| row.0).ok()?;
    let columns = rows.get(at)?.1.split('\t').filter_map(|column| column.split_once('='));
    let is = |name: &str| name.strip_prefix('*').map_or(name == field, |end| field.ends_with(end));
    columns.into_iter().find(|(name, _)| is(name)).map(|(_, limit)| limit)
}

#[cfg(test)]
mod tests;
