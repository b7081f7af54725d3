//! A version of the API, as a request or an account names it.

/// The version that a request is held to and its answer follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `2026-10-28.endive`.
    pub text: String,
    /// Whether the request named it; without a name, older parameters are let through.
    pub named: bool,
}

impl Version {
    /// Whether it is older than what came with `since` (`2024-04-10`).
    pub fn is_before(&self, since: &str) -> bool {
        is_before(&self.text, since)
    }

    /// Whether a request may still use what that version took away.
    pub fn may_use_until(&self, until: &str) -> bool {
        !self.named || self.is_before(until)
    }
}

/// Whether a version is older than what came with `since`. Versions begin with their date, so that their order
/// is that of their texts; no version at all is today's.
pub fn is_before(version: &str, since: &str) -> bool {
    !version.is_empty() && version < since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_dates() {
        for (version, since, before) in [
            ("2024-04-09", "2024-04-10", true),
            ("2024-04-10", "2024-04-10", false),
            ("2025-03-31.basil", "2025-03-31", false),
            ("2025-02-24.acacia", "2025-03-31", true),
            ("2026-10-28.endive", "2026-09-30", false),
            ("", "2024-04-10", false),
        ] {
            assert_eq!(is_before(version, since), before, "{version} {since}");
        }
    }

    #[test]
    fn who_names_no_version_may_use_what_is_gone() {
        let of = |text: &str, named: bool| Version { text: text.to_owned(), named };
        assert!(of("2026-10-28.endive", false).may_use_until("2025-03-31"));
        assert!(!of("2026-10-28.endive", true).may_use_until("2025-03-31"));
        assert!(of("2025-02-24.acacia", true).may_use_until("2025-03-31"));
    }
}
