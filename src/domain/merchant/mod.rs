//! The rules of the merchant application: pure, like all of the domain.

pub mod api_key;
pub mod era;
#[allow(dead_code, reason = "commands that look into the table need all of it")]
pub mod kv;
pub mod one_time;
pub mod quota;
pub mod rights;
