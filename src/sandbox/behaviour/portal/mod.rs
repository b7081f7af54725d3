//! The customer portal: what its configurations allow, what its sessions are opened for, and what is done in it, which
//! is done by the API's own calls.

pub mod features;
pub mod flow;
pub mod offer;
pub mod visit;

/// The kind of what a portal lets customers do.
pub const CONFIGURATION: &str = "billing_portal.configuration";
/// The kind of a customer's visit.
pub const SESSION: &str = "billing_portal.session";

#[cfg(test)]
mod tests;
