//! A request's street: every step once, in one order. `serve` takes requests from the socket and finds their world,
//! `front` leads them through.

pub mod answer;
pub mod auth;
pub mod browser;
pub mod call;
pub mod expand;
pub mod fault;
pub mod front;
pub mod idempotency;
pub mod list;
pub mod reference;
pub mod rights;
pub mod search;
pub mod serve;
pub mod version;
pub mod within;
