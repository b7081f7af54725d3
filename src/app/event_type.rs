//! Which types of event there are: a misspelt one would be waited for in vain.

use crate::domain::mode::Mode;
use crate::sandbox::host;

/// Whether events may have this type, or be of this group of types (`invoice.*`), where groups are taken; else the
/// nearest type that there is. Stripe may have types that are newer than what is known here.
pub fn check(kind: &str, mode: Mode, groups: bool) -> Result<(), Option<&'static str>> {
    let group = kind.strip_suffix('*').filter(|_| groups);
    let is_known = match group {
        Some(head) => host::event_types().any(|it| it.starts_with(head)),
        None => host::event_types().any(|it| it == kind),
    };
    if is_known || mode == Mode::Stripe && is_formed(group.unwrap_or(kind)) {
        return Ok(());
    }
    Err(host::meant(host::event_types(), kind))
}

/// Whether a text is formed as types are: `invoice.paid`.
fn is_formed(kind: &str) -> bool {
    let word =
        |it: &str| it.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    kind.contains('.') && kind.split('.').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_or_another_was_meant() {
        let meant = |kind| check(kind, Mode::Sandbox, false);
        assert_eq!(meant("checkout.session.completed"), Ok(()));
        assert_eq!(meant("checkout.sesion.completed"), Err(Some("checkout.session.completed")));
        assert_eq!(meant("invoice.payed"), Err(Some("invoice.paid")));
        assert_eq!(meant("zz"), Err(None));
        assert!(meant("invoice.*").is_err() && meant("*").is_err() && meant("").is_err());
        assert_eq!(check("invoice.*", Mode::Sandbox, true), Ok(()));
        assert!(check("invioce.*", Mode::Sandbox, true).is_err());
    }

    #[test]
    fn stripe_may_have_types_of_its_own() {
        assert_eq!(check("later.thing_2.made", Mode::Stripe, false), Ok(()));
        assert!(check("zz", Mode::Stripe, false).is_err());
        assert!(check("Later Thing.made", Mode::Stripe, false).is_err());
    }
}
