//! Objects as older versions of the API show them.
//!
//! Everything is stored as the newest version shows it. `changes` is the table of what each version changed in
//! that, `down` undoes what came after the version that an answer or an event follows. Only what breaks a program
//! goes by version: members that Stripe merely added show up in all of them.
//!
//! Nothing here knows the rest of the sandbox: whoever renders says how an object is found.

pub mod changes;
pub mod down;

use crate::catalog::version::is_before;

/// The oldest version with a form of its own: older ones get this one's.
pub const OLDEST: &str = "2022-11-15";

/// The version whose form an answer has, where that is not the one that was asked for.
pub fn form_instead(version: &str) -> Option<&'static str> {
    is_before(version, OLDEST).then_some(OLDEST)
}

#[cfg(test)]
mod tests;
