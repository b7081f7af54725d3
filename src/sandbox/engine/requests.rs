//! The request log: the newest requests that this process answered, in memory, bounded in rows and in bytes.
//!
//! It is not durable on purpose: nothing about it may hold up what is.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// HTTP status of the answer.
    pub status: u16,
    /// `error.message` of the answer.
    pub error: Option<String>,
}

impl LogRow {
    /// The row as the sandbox's controls show it.
    pub fn show(&self) -> Value {
        json!({
            "id": self.id, "created": self.at, "method": self.method, "path": self.path,
            "status": self.status, "error": self.error, "world": &*self.world,
            "account": if self.account.is_empty() { Value::Null } else { json!(&*self.account) },
        })
    }

    fn bytes(&self) -> usize {
        self.path.len() + self.error.as_ref().map_or(0, String::len)
    }

    fn cut(mut self) -> Self {
        self.path = cut(self.path);
        self.error = self.error.map(cut);
        self
    }
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
}

#[derive(Debug, Default)]
struct Kept {
    rows: VecDeque<LogRow>,
    bytes: usize,
}

impl RequestLog {
    /// Adds a row, and forgets the oldest ones where there are too many.
    pub fn add(&self, row: LogRow) {
        let row = row.cut();
        let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += row.bytes();
        kept.rows.push_back(row);
        while kept.rows.len() > ROWS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.rows.pop_front() else { return };
            kept.bytes -= oldest.bytes();
        }
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
    }
}
