//! The world in small pieces that tests replace: time, randomness, browser, terminal.

pub mod clock;
pub mod entropy;
pub mod http_date;
