//! The world in small pieces that tests replace: time, randomness, files.

pub mod clock;
pub mod entropy;
pub mod http_date;
#[cfg(target_os = "linux")]
pub mod keeper;
#[cfg(target_os = "linux")]
pub mod pages;
pub mod place;
pub mod private;
pub mod trouble;
pub mod zone;
