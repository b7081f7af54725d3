//! What is handed over as a file: invoices and quotes in the reader's language, as PDFs whose text can be copied.

pub mod bill;
pub mod pdf;
pub mod print;
pub mod quote;

use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::View;
use serde_json::Value;

/// The language that a customer prefers, where it says one.
pub fn preferred(view: &View, customer: &str) -> Option<String> {
    let known: std::sync::Arc<Object> = view.get("customer", customer)?;
    known.pointer("/preferred_locales/0").and_then(Value::as_str).map(str::to_owned)
}
