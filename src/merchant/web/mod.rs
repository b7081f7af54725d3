//! What browsers and providers ask for over HTTP.

pub mod account;
pub mod api_key;
pub mod chart;
pub mod page;
pub mod payment;
pub mod route;
pub mod shopfront;
pub mod visit;
pub mod wallet;
pub mod webhook;
