//! What is true about money, payments and courses. Pure: no I/O, no clock, no randomness,
//! no environment and no words for people; callers pass in what the world says.
//!
//! Files are listed in the order in which they may import one another.

pub mod base64;
pub mod book;
pub mod canonical;
pub mod card;
pub mod course;
pub mod creem;
pub mod currency;
pub mod data_file;
pub mod entry;
pub mod event;
pub mod hex;
pub mod host;
pub mod html;
pub mod id;
pub mod ledger_state;
pub mod ledger_url;
pub mod locale;
pub mod member;
pub mod merchant;
pub mod merchant_command;
pub mod mode;
pub mod money;
pub mod named;
pub mod peek;
pub mod reconcile;
pub mod request;
pub mod secret;
pub mod signature;
pub mod signed_delivery;
pub mod time;
pub mod trade;

pub mod fault;

pub mod place;
pub mod sheet;

pub mod doctor;
pub mod notice;
pub mod report;
