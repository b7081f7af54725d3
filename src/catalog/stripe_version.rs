//! `Stripe-Version`: which API version a request is held to.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Kind};
use crate::catalog::version::Version;
use crate::wire::failure::Failure;

/// Reads the header; without one, the account's default with older parameters let through. Betas that follow the
/// version (`2023-10-16; x_beta=v1`) change nothing here.
pub fn read(header: Option<&str>, default: &str) -> Result<Version, Failure> {
    let Some(text) = header else {
        return Ok(Version { text: default.to_owned(), named: false });
    };
    let text = text.trim();
    let version = text.split_once(';').map_or(text, |(version, _)| version.trim_end());
    if is_known(version) {
        Ok(Version { text: version.to_owned(), named: true })
    } else {
        Err(Failure::invalid(format!("Invalid Stripe API version: {text}")))
    }
}

/// Whether there is such a version: the catalog lists them where an endpoint chooses one.
fn is_known(version: &str) -> bool {
    let shape = Catalog::get().params("WebhookEndpointCreateParams");
    let field = shape.and_then(|shape| grammar::field(&shape.fields, "api_version"));
    field.is_some_and(|field| match &field.of.kind {
        Kind::Enum { words, .. } => words.contains(&version),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_of_those_that_there_are() {
        for good in ["2026-10-28.endive", "2022-11-15", "2025-12-15.clover", "2011-01-01"] {
            assert!(read(Some(good), "x").unwrap().named, "{good}");
        }
        let beta = read(Some("2023-10-16; capital_beta=v1"), "x").unwrap();
        assert_eq!((beta.text.as_str(), beta.named), ("2023-10-16", true));
        for bad in [
            "foo",
            "2026-10-28",
            "2026-10-28.basil",
            "2022-11-15.basil",
            "2026-1-1.dahlia",
            "2023-10-17",
            "",
        ] {
            let message = read(Some(bad), "x").unwrap_err().message;
            assert_eq!(message, format!("Invalid Stripe API version: {bad}"));
        }
        assert!(!read(None, "2026-10-28.endive").unwrap().named);
    }
}
