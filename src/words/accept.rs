//! Which language a browser likes best.

use crate::domain::locale::Locale;

/// The language of an `Accept-Language` header that is spoken here and liked best; `None` where it likes none.
pub fn preferred(header: &str) -> Option<Locale> {
    let mut best: Option<(u32, Locale)> = None;
    for item in header.split(',') {
        let mut parts = item.split(';');
        let Some(locale) = parts.next().map(str::trim).and_then(Locale::read) else { continue };
        let weight =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1_000, thousandths);
        if weight > 0 && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

/// `0.85` as 850; a weight that is none counts as nothing.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{part:0<3}");
    let part = digits.get(..3).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    whole.parse::<u32>().map_or(0, |whole| whole.min(1) * 1_000 + part).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_spoken() {
        for (header, expected) in [
            ("", None),
            ("ja", Some(Locale::Ja)),
            ("ja-JP,ja;q=0.9,en;q=0.8", Some(Locale::Ja)),
            ("en-US,en;q=0.9,ja;q=0.8", Some(Locale::En)),
            ("fr, ja;q=0.5", Some(Locale::Ja)),
            ("en;q=0.2, ja;q=0.25", Some(Locale::Ja)),
            ("en;q=0.3,ja;q=0.9", Some(Locale::Ja)),
            ("ja;q=0, en;q=0.1", Some(Locale::En)),
            ("de, *;q=0.1", None),
        ] {
            assert_eq!(preferred(header), expected, "{header:?}");
        }
    }
}
