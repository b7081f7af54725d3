//! From what happened to the exit code.

use crate::domain::fault::Class;

/// All well.
pub(crate) const SUCCESS: u8 = 0;
/// A check or a reconciliation found differences.
pub(crate) const DIFFERENCES: u8 = 1;
/// A bug of ours: a panic, a broken invariant.
pub(crate) const BUG: u8 = 70;

/// The person stopped it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The code of a failure.
pub(crate) const fn of_class(class: Class) -> u8 {
    match class {
        Class::Usage => 2,
        Class::Environment => 3,
        Class::Content => 4,
        Class::Refused => 5,
        Class::Bug => BUG,
        Class::Interrupted => INTERRUPTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    #[test]
    fn each_class_has_the_code_that_the_documentation_promises() {
        let codes = [
            (Class::Usage, 2),
            (Class::Environment, 3),
            (Class::Content, 4),
            (Class::Refused, 5),
            (Class::Bug, 70),
            (Class::Interrupted, 130),
        ];
        for (class, code) in codes {
            assert_eq!(of_class(class), code, "{class:?}");
        }
        let live = FaultKind::LiveKey { name: String::new(), origin: String::new() };
        assert_eq!(live.class(), Class::Refused);
        assert_eq!(FaultKind::Interrupted.class(), Class::Interrupted);
    }
}
