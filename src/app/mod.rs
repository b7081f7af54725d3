//! One file a command. A command is given a [`context::Context`], says notices while it works, and returns a
//! report or a fault; no command imports another, and none prints.

pub mod context;

pub mod cards;
pub mod home;
