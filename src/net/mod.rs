//! HTTP plumbing that knows nothing of Stripe: serving with limits, stopping gracefully, calling out.

pub mod connection;
pub mod kept;
pub mod outbound;
pub mod server;
pub mod shutdown;
pub mod tasks;
pub mod tls;
