//! A request's street: every step once, in one order. `serve` takes requests from the socket and finds their world,
//! `front` leads them through.

pub mod auth;
pub mod browser;
pub mod expand;
pub mod front;
pub mod rights;
pub mod second;
pub mod within;
