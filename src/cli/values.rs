//! Values of the command line that are more than text. One that does not fit is answered with what does, by
//! its form: that needs no words of either language.

use clap::builder::{PossibleValue, PossibleValuesParser};
use reqwest::Url;
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

/// A whole number from `least` to `most`.
pub(crate) fn whole<T>(
    least: T,
    most: T,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let read = text.trim().parse::<T>().ok();
        let fits = read.filter(|number| *number >= least && *number <= most);
        fits.ok_or_else(|| format!("{least}-{most}"))
    }
}

/// The beats of a lesson, and the words that were theirs before.
pub(crate) fn beats() -> PossibleValuesParser {
    let now = ["read", "do", "see", "prove"].map(PossibleValue::new);
    let before = ["look", "check", "gate"].map(|it| PossibleValue::new(it).hide(true));
    PossibleValuesParser::new(now.into_iter().chain(before))
}

/// An address of this machine or another one.
pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| "127.0.0.1, 0.0.0.0, ::1".to_owned())
}

/// A path and its value.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let split = text
        .split_once('=')
        .filter(|(path, _)| !path.is_empty() && path.split('.').all(|name| !name.is_empty()));
    let (path, value) =
        split.ok_or_else(|| "amount=500, customer.email=a@example.com".to_owned())?;
    Ok((path.to_owned(), value.to_owned()))
}

/// Where a delivery can be sent. As the official command takes it, a port alone and a path alone are this
/// machine's, and what names no scheme is http.
pub(crate) fn callable(text: &str) -> Result<String, String> {
    let text = text.trim();
    let whole = if text.parse::<u16>().is_ok() {
        format!("http://localhost:{text}")
    } else if text.starts_with('/') && !text.starts_with("//") {
        format!("http://localhost{text}")
    } else if text.contains("://") {
        text.to_owned()
    } else {
        // What stands before an `@` would be somebody's name, as in a mail address.
        format!("http://{}", text.split('@').next().filter(|it| *it == text).unwrap_or_default())
    };
    let names_host = |whole: &str| {
        whole.split_once("://").is_some_and(|(_, rest)| !rest.starts_with(['/', '?', '#', ':']))
    };
    let fits = Url::parse(&whole).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.port() != Some(0)
    });
    if fits && names_host(&whole) && !whole.contains(char::is_whitespace) {
        return Ok(whole);
    }
    Err("http://127.0.0.1:4242/webhook, localhost:4242/webhook, 4242".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_can_be_called_is_taken_and_no_other() {
        for (text, taken) in [
            ("localhost:4242/webhook", "http://localhost:4242/webhook"),
            ("127.0.0.1:4242/w", "http://127.0.0.1:4242/w"),
            ("[::1]:4242", "http://[::1]:4242"),
            ("4242", "http://localhost:4242"),
            ("/hook", "http://localhost/hook"),
            ("https://example.com/hook", "https://example.com/hook"),
            (" http://app:3000/w ", "http://app:3000/w"),
        ] {
            assert_eq!(callable(text).as_deref(), Ok(taken), "{text}");
        }
        for text in [
            "",
            "ftp://x/",
            "http://",
            "http:///w",
            "://x",
            "//x",
            "localhost:0",
            "localhost:99999",
            "file:///etc/passwd",
            "mailto:a@b.jp",
            "http://a b/",
            ":4242",
            "javascript:alert(1)",
        ] {
            assert!(callable(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_answered_with_the_range() {
        let amount = whole(1, 99_999_999_i64);
        assert_eq!(amount("500"), Ok(500));
        for text in ["5.00", "500\u{5186}", "0", "-1", "", "99999999999999999999", "1e3"] {
            assert_eq!(amount(text), Err("1-99999999".to_owned()), "{text}");
        }
    }
}
