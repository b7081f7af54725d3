//! The world in small pieces that tests replace: time, randomness, files.

pub mod clock;
pub mod entropy;
pub mod http_date;
pub mod place;
pub mod private;
