//! `Stripe-Signature`: signing and verifying webhook payloads.
