//! `stripegym` teaches, emulates and proves a Stripe integration in one binary.
//!
//! The library exists so that tests can start the parts in-process; it promises no stable API.
//! The modules below stand in layer order; ARCHITECTURE.md says which may import which, and a test holds them to it.

// rustdoc asks of every type whether it survives a panic, through all that it is made of.
#![recursion_limit = "256"]

pub mod batch;
pub mod domain;
pub mod wire;
pub mod words;

pub mod catalog;

pub mod content;

pub mod config;

pub mod os;

pub mod net;

pub mod sandbox;

pub mod stripe;

pub mod store;

pub mod shop;

pub mod app;

pub mod view;

pub mod cli;
