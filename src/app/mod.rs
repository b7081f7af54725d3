//! What the program does, without arguments and without printing: commands are given a [`context::Context`],
//! say notices while they work, and return a report or a fault.

pub mod backup;
pub mod checkout_browser;
pub mod command;
pub mod compare;
pub mod context;
pub mod control;
pub mod course;
pub mod creem;
pub mod endpoint;
pub mod event_type;
pub mod failure;
pub mod form;
pub mod given;
pub mod kept_endpoint;
pub mod ledger_file;
pub mod merchant_server;
pub mod parts;
pub mod payment;
pub mod provider;
pub mod reconcile_run;
pub mod remote;
pub mod scenario;
pub mod seeded;
pub mod shop_database;
pub mod signed_delivery;
pub mod trial;
pub mod trigger;
