//! The rules of the merchant application: pure, like all of the domain.

pub mod api_key;
pub mod chart;
pub mod era;
pub mod kv;
pub mod one_time;
pub mod quota;
pub mod rights;
