//! An offline Stripe: the API with real state, the hosted pages, and the delivery of signed events.
//!
//! `api` is the street that every request goes down once; `behaviour` holds what the catalog cannot know of each
//! object; `engine` keeps the state, world by world, and makes changes durable before they are seen; `deliver`
//! sends events, `version` shows objects as older versions of the API do, `page` is what a payer meets, `control`
//! what only the sandbox has.

pub mod api;
pub mod behaviour;
pub mod call;
pub mod control;
pub mod creem;
pub mod deliver;
pub mod engine;
pub mod fault;
pub mod host;
pub mod jobs;
pub mod lock;
pub mod page;
pub mod paper;
pub mod registry;
pub mod serve;
pub mod version;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
