//! Codecs of Stripe's HTTP dialect. Pure: bytes and values in, values and bytes out.

pub mod failure;
pub mod form;
pub mod json;
pub mod render;
