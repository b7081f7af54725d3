//! What customers pay with the old way: tokens, cards, bank accounts and sources, as integrations from before
//! payment methods have them.
//!
//! A card or a source that pays has a twin: a payment method of the same id, which the payment machine works with.

pub mod card;
pub mod token;
pub mod wallet;

#[cfg(test)]
mod tests;
