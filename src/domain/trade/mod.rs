//! What a merchant knows of its sales: facts that a provider's events state, and what follows from them, whatever
//! the order in which they came and however often: a sale, the credits that it gives, a subscription.

pub mod credit;
pub mod fact;
pub mod sale;
pub mod subscription;
