//! `Stripe-Version`: which API version a request is held to.

use crate::sandbox::api::call::Version;
use crate::wire::failure::Failure;

/// The majors that carry a name after their date, oldest first; before them a version was a date alone.
const MAJORS: [(&str, &str); 5] = [
    ("2024-09-30", "acacia"),
    ("2025-03-31", "basil"),
    ("2025-09-30", "clover"),
    ("2026-03-25", "dahlia"),
    ("2026-09-30", "endive"),
];

/// Reads the header; without one, the account's default with older parameters let through.
pub fn read(header: Option<&str>, default: &str) -> Result<Version, Failure> {
    let Some(text) = header else {
        return Ok(Version { text: default.to_owned(), named: false });
    };
    let text = text.trim();
    if is_known(text) {
        Ok(Version { text: text.to_owned(), named: true })
    } else {
        Err(Failure::invalid(format!("Invalid Stripe API version: {text}")))
    }
}

fn is_known(text: &str) -> bool {
    let (date, name) = text.split_once('.').map_or((text, None), |(d, n)| (d, Some(n)));
    let parts: Vec<&str> = date.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !digits || lengths != [4, 2, 2] || date < "2011-01-01" {
        return false;
    }
    let major = MAJORS.iter().rev().find(|(from, _)| date >= *from).map(|(_, name)| *name);
    name == major
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_date_and_from_acacia_on_its_majors_name() {
        for good in ["2026-10-28.endive", "2022-11-15", "2025-12-15.clover"] {
            assert!(read(Some(good), "x").unwrap().named, "{good}");
        }
        for bad in
            ["foo", "2026-10-28", "2026-10-28.basil", "2022-11-15.basil", "2026-1-1.dahlia", ""]
        {
            let message = read(Some(bad), "x").unwrap_err().message;
            assert_eq!(message, format!("Invalid Stripe API version: {bad}"));
        }
        assert!(!read(None, "2026-10-28.endive").unwrap().named);
    }
}
