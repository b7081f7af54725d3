//! The merchant's application, `stripegym shop`: accounts, plans, orders, credits. What happened is heard as the
//! listener hears it (verified, in the journal) and only then worked into the application's own database; a page that
//! a buyer lands on asks the provider and works its answer in the same way. Providers meet it in `provider` alone, a
//! database in `base` alone.

pub mod account;
pub mod api;
pub mod api_key;
pub mod base;
pub mod checkout;
pub mod creem_checkout;
pub mod customer;
pub mod failure;
pub mod follower;
pub mod limit;
pub mod password;
pub mod plan;
pub mod portal;
pub mod projection;
pub mod provider;
pub mod server;
pub mod wallet;
pub mod web;
