//! A merchant's command as it was given: which of the table, and what was typed for its arguments.

use crate::domain::merchant_command::MerchantCommand;
use std::collections::BTreeMap;

/// What was typed for an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// One value.
    One(String),
    /// Names with their values.
    Pairs(Vec<(String, String)>),
}

/// A command with its arguments.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which.
    pub command: &'static MerchantCommand,
    /// By the names of the arguments.
    pub given: BTreeMap<&'static str, Given>,
}
