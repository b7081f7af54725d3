//! Codecs of Stripe's HTTP dialect. Pure: bytes and values in, values and bytes out.

pub mod body;
pub mod failure;
pub mod form;
pub mod json;
pub mod multipart;
pub mod peek;
pub mod render;
