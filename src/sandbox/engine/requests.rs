//! The request log: the newest requests that this process answered, in memory, bounded in rows and in bytes.
//!
//! It is not durable on purpose: nothing about it may hold up what is.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Rows that are kept.
pub const ROWS_MAX: usize = 10_000;

/// Bytes that the texts of the rows may take together.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Characters of a path or a message that are kept.
const TEXT_MAX: usize = 500;

/// One answered request.
#[derive(Clone, Debug)]
pub struct LogRow {
    /// `req_…`.
    pub id: String,
    /// The world that was called.
    pub world: Arc<str>,
    /// The account that was called; empty for the platform.
    pub account: Arc<str>,
    /// Unix seconds.
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path without its query, which may carry secrets.
    pub path: String,
    /// HTTP status of the work; 0 where a fault left it undone and unanswered.
    pub status: u16,
    /// `error.message` of the answer.
    pub error: Option<String>,
    /// The fault that was asked for, where one was.
    pub fault: Option<&'static str>,
}

impl LogRow {
    /// The row as the sandbox's controls show it.
    pub fn show(&self) -> Value {
        json!({
            "id": self.id, "created": self.at, "method": self.method, "path": self.path,
            "status": (self.status > 0).then_some(self.status), "error": self.error,
            "fault": self.fault, "world": &*self.world,
            "account": if self.account.is_empty() { Value::Null } else { json!(&*self.account) },
        })
    }

    fn bytes(&self) -> usize {
        self.path.len() + self.error.as_ref().map_or(0, String::len)
    }

    fn cut(mut self) -> Self {
        self.path = masked(cut(self.path));
        self.error = self.error.map(cut).map(masked);
        self
    }
}

/// A text without what is nobody's business: keys, addresses of people, numbers of cards.
fn masked(text: String) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "_.+@%-".contains(c);
    if !text.split(|c: char| !is_word(c)).any(|word| is_private(word.trim_end_matches('.'))) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !is_word(c)) {
        let word = part.trim_end_matches(|c: char| !is_word(c) || c == '.');
        if is_private(word) {
            out.push_str("***");
            out.push_str(part.strip_prefix(word).unwrap_or_default());
        } else {
            out.push_str(part);
        }
    }
    out
}

fn is_private(word: &str) -> bool {
    let key = ["sk_", "rk_", "whsec_"].iter().any(|it| word.starts_with(it)) && word.len() > 12;
    let address = word.contains('@') || word.contains("%40");
    let number = word.len() >= 12 && word.bytes().all(|b| b.is_ascii_digit());
    key || address || number
}

/// A text, shortened where nobody would read all of it.
fn cut(text: String) -> String {
    if text.len() <= TEXT_MAX {
        return text;
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= TEXT_MAX).last();
    format!("{}…", text.get(..end.unwrap_or(0)).unwrap_or_default())
}

/// The newest rows.
#[derive(Debug, Default)]
pub struct RequestLog {
    rows: Mutex<Kept>,
    /// How many rows were ever added.
    added: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    rows: VecDeque<LogRow>,
    bytes: usize,
    /// How many rows were forgotten: the place of the first that is kept.
    forgotten: u64,
}

impl Kept {
    /// The place behind the newest row.
    fn end(&self) -> u64 {
        self.forgotten + self.rows.len() as u64
    }
}

impl RequestLog {
    /// Adds a row, and forgets the oldest ones where there are too many.
    pub fn add(&self, row: LogRow) {
        let row = row.cut();
        let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += row.bytes();
        kept.rows.push_back(row);
        while kept.rows.len() > ROWS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.rows.pop_front() else { break };
            kept.bytes -= oldest.bytes();
            kept.forgotten += 1;
        }
        // Under the lock, so that the number only ever grows.
        self.added.send_replace(kept.end());
    }

    /// Tells how many rows were ever added, once more at each row.
    pub fn added(&self) -> watch::Receiver<u64> {
        self.added.subscribe()
    }

    /// The place behind a row, from which [`RequestLog::from`] goes on; `None` where the row is not kept.
    pub fn behind(&self, is_it: impl Fn(&LogRow) -> bool) -> Option<u64> {
        let kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.rows.iter().rev().position(is_it)?;
        Some(kept.end() - at as u64)
    }

    /// The id of the newest row before a place that `keep` accepts.
    pub fn last_before(&self, place: u64, keep: impl Fn(&LogRow) -> bool) -> Option<String> {
        let kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let left = usize::try_from(place.saturating_sub(kept.forgotten)).unwrap_or(usize::MAX);
        let rows = kept.rows.range(..left.min(kept.rows.len()));
        rows.rev().find(|row| keep(row)).map(|row| row.id.clone())
    }

    /// The rows from a place on that `keep` accepts, oldest first, at most `count`, and the place to go on from.
    pub fn from(
        &self,
        place: u64,
        count: usize,
        keep: impl Fn(&LogRow) -> bool,
    ) -> (Vec<LogRow>, u64) {
        let kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let first = place.saturating_sub(kept.forgotten);
        let skipped = usize::try_from(first).unwrap_or(usize::MAX).min(kept.rows.len());
        let mut found = Vec::new();
        for (row, place) in kept.rows.range(skipped..).zip(kept.forgotten + skipped as u64..) {
            if keep(row) {
                if found.len() == count {
                    return (found, place);
                }
                found.push(row.clone());
            }
        }
        (found, kept.end())
    }

    /// The newest rows that `keep` accepts, newest first, at most `count`.
    pub fn newest(&self, count: usize, keep: impl Fn(&LogRow) -> bool) -> Vec<LogRow> {
        let kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rows.iter().rev().filter(|row| keep(row)).take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: usize, error: String) -> LogRow {
        LogRow {
            id: format!("req_{id}"),
            world: Arc::from(""),
            account: Arc::from(""),
            at: 0,
            method: "POST".to_owned(),
            path: "/v1/customers".to_owned(),
            status: 400,
            error: Some(error),
            fault: None,
        }
    }

    #[test]
    fn rows_and_their_texts_are_bounded() {
        let log = RequestLog::default();
        for id in 0..ROWS_MAX + 50 {
            log.add(row(id, "あ".repeat(100_000)));
        }
        let kept = log.newest(usize::MAX, |_| true);
        assert_eq!(kept.len(), ROWS_MAX.min(kept.len()));
        assert_eq!(kept[0].id, format!("req_{}", ROWS_MAX + 49));
        assert!(kept.iter().all(|row| row.error.as_ref().unwrap().len() <= TEXT_MAX + 3));
        let bytes: usize = kept.iter().map(LogRow::bytes).sum();
        assert!(bytes <= BYTES_MAX, "{bytes}");
        assert_eq!(*log.added().borrow(), ROWS_MAX as u64 + 50);
    }

    #[test]
    fn keys_addresses_and_card_numbers_are_not_kept() {
        let kept = masked(
            "No such customer: 'aki@example.com', sk_test_0123456789; 4242424242424242.".to_owned(),
        );
        assert_eq!(kept, "No such customer: '***', ***; ***.");
        assert_eq!(
            masked("/v1/customers/aki%40example.com/sources".to_owned()),
            "/v1/customers/***/sources"
        );
        let plain = "/v1/checkout/sessions/cs_test_0123456789abcdef: 400.";
        assert_eq!(masked(plain.to_owned()), plain);
    }

    #[test]
    fn a_reader_goes_on_where_it_was_also_when_rows_were_forgotten() {
        let log = RequestLog::default();
        let add = |from: usize, to: usize| {
            for id in from..to {
                log.add(row(id, String::new()));
            }
        };
        let ids = |rows: &[LogRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
        add(0, 5);
        let (rows, place) = log.from(0, 2, |row| row.id != "req_1");
        assert_eq!((ids(&rows), place), (vec!["req_0".to_owned(), "req_2".to_owned()], 3));
        let (rows, place) = log.from(place, 9, |_| true);
        assert_eq!((ids(&rows), place), (vec!["req_3".to_owned(), "req_4".to_owned()], 5));
        assert_eq!(log.behind(|row| row.id == "req_2"), Some(3));
        assert_eq!(log.behind(|row| row.id == "req_9"), None);
        add(5, ROWS_MAX + 10);
        assert_eq!(log.from(place, 1, |_| true).0[0].id, "req_10", "the oldest that is kept");
        assert_eq!(log.behind(|row| row.id == "req_12"), Some(13));
        assert_eq!(log.from(u64::MAX, 1, |_| true).0.len(), 0);
    }
}
