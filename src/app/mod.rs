//! What the program does, without arguments and without printing: commands are given a [`context::Context`],
//! say notices while they work, and return a report or a fault.

pub mod backup;
pub mod cause;
pub mod command;
pub mod context;
pub mod control;
pub mod course;
pub mod failure;
pub mod form;
pub mod hosted;
pub mod ledger_file;
pub mod payment;
pub mod provider;
pub mod reception;
pub mod remote;
pub mod scenario;
pub mod seeded;
pub mod settlement;
pub mod trial;
