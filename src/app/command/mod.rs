//! One file a command; none imports another. What several need stands one folder up.

pub mod cards;
pub mod check;
pub mod checkout;
pub mod day;
pub mod day0;
pub mod dev;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod fault;
pub mod hint;
pub mod home;
pub mod items;
pub mod ledger;
pub mod listen;
pub mod logs;
pub mod progress;
pub mod reconcile;
pub mod report;
pub mod reset;
pub mod sandbox;
pub mod solution;
pub mod starter;
pub mod status;
pub mod trigger;
pub mod verify_report;
