//! The merchant's own server: hears events, books them before it acknowledges, and sells one thing.
//! It talks to the provider over HTTP alone, as any merchant does.

pub mod answer;
pub mod api_key;
pub mod buyer;
pub mod creem_api;
pub mod creem_poll;
pub mod forward;
pub mod gather;
pub mod intake;
pub mod listener;
pub mod listener_event;
pub mod locality;
pub mod metrics;
pub mod page;
pub mod poll;
pub mod second;
pub mod site;
pub mod till;
