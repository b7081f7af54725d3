//! `stripegym` teaches, emulates and proves a Stripe integration in one binary.
//!
//! Its modules are private, so that the compiler tells what nothing uses; `parts` is the door of the tests and benches.
//! The modules below stand in layer order; ARCHITECTURE.md says which may import which, and a test holds them to it.

// rustdoc asks of every type whether it survives a panic, through all that it is made of.
#![recursion_limit = "256"]

/// What the program allocates by, so that tests that measure a year measure what the program does.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod batch;
mod domain;
mod wire;
mod words;

mod catalog;

mod content;

mod config;

mod os;

mod net;

mod sandbox;

mod stripe;

mod store;

mod shop;

mod merchant;

mod app;

mod view;

mod cli;

pub use cli::main;

/// What this project's own tests and benches start in-process, item by item; no stable API.
#[doc(hidden)]
pub mod parts {
    pub use crate::app::compare::table::csv;

    pub use crate::catalog::Catalog;
    pub use crate::catalog::route::Routed;
    pub use crate::catalog::version::Version;
    pub use crate::domain::book::line::{Line, Meaning, Source};
    pub use crate::domain::currency::Currency;
    pub use crate::domain::event::Event;
    pub use crate::domain::ledger_url::LedgerPlace;
    pub use crate::domain::money::Money;
    pub use crate::domain::reconcile::columns::Map;
    pub use crate::domain::reconcile::row::Row;
    pub use crate::domain::reconcile::{Reconciliation, Verdict, reconcile};
    pub use crate::domain::secret::{ApiKey, SigningSecret};
    pub use crate::domain::signature::{TOLERANCE_S, sign, verify};
    pub use crate::domain::time::Timestamp;
    pub use crate::os::clock::Clock;
    pub use crate::os::entropy::Entropy;
    pub use crate::sandbox::call::search::{self, Index};
    pub use crate::sandbox::host;
    pub use crate::shop::gather::{Gathered, gather};
    pub use crate::shop::intake::{Intake, Secrets, fingerprint};
    pub use crate::shop::listener::{self, ListenerConfig, Running};
    pub use crate::shop::listener_event::{EventSink, ListenerEvent};
    pub use crate::shop::poll::Poller;
    pub use crate::shop::site::Site;
    pub use crate::store::keyring::Keyring;
    pub use crate::store::lanes::LedgerBatch;
    pub use crate::store::writer::Write;
    pub use crate::store::{FILE, Filter, Ledger};
    pub use crate::stripe::Stripe;
    pub use crate::stripe::calls::Window;
    pub use crate::wire::failure::Failure;
    pub use crate::wire::{form, json, render};
}
