//! An offline Stripe: the API with real state, the hosted pages, and the delivery of signed events.
//!
//! A request runs through `front` once (authenticate, version, decode, validate, idempotency, dispatch,
//! expand, render, log); `object` holds one file a Stripe object with what the catalog cannot know.
//! Everything that changes state runs in a [`engine::txn::Txn`] and is durable before it is answered.

pub mod answer;
pub mod auth;
pub mod browser;
pub mod call;
pub mod cards;
pub mod checkout;
pub mod control;
pub mod credentials;
pub mod deliver;
pub mod diff;
pub mod emit;
pub mod engine;
pub mod expand;
pub mod fault;
pub mod fault_control;
pub mod fees;
pub mod front;
pub mod host;
pub mod idempotency;
pub mod jobs;
pub mod list;
pub mod lock;
pub mod object;
pub mod page;
pub mod payment;
pub mod pricing;
pub mod requests_control;
pub mod rights;
pub mod search;
pub mod serve;
pub mod settings;
pub mod timing;
pub mod version;
pub mod within;
pub mod worlds;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
