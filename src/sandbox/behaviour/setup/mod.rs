//! Setting a payment method up for later: the intent, its attempts, the mandate that it leaves.
//!
//! `state` says what may follow what, `intent` opens and ends intents, `confirm` tries, `attempt` and `mandate` keep
//! what came of it.

pub mod attempt;
pub mod confirm;
pub mod intent;
pub mod mandate;
pub mod state;

#[cfg(test)]
mod tests;
