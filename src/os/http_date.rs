//! The `Date` header of HTTP.

use crate::domain::time::Timestamp;

/// Reads `Sat, 21 Nov 2026 05:43:21 GMT`.
pub fn read(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp(zoned.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let read = read("Sat, 21 Nov 2026 05:43:21 GMT").map(Timestamp::rfc3339);
        assert_eq!(read.as_deref(), Some("2026-11-21T05:43:21Z"));
        assert_eq!(super::read("yesterday"), None);
    }
}
