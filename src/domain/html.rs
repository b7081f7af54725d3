//! HTML as far as it is read here: one tag after the other, and text with its character references resolved.
//!
//! Tolerant, as pages by hand need it: nothing fails, what is not understood is passed over. It is no parser of HTML
//! and needs no tree.

/// What stands before the next tag, what stands between its `<` and `>`, quotes respected, and what follows. Of a
/// comment, nothing stands between them.
pub fn next_tag(html: &str) -> Option<(&str, &str, &str)> {
    let (before, inner) = html.split_once('<')?;
    if let Some(comment) = inner.strip_prefix("!--") {
        return Some((before, "", comment.split_once("-->").map_or("", |(_, after)| after)));
    }
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => {
                let (tag, after) = inner.split_at(at);
                return Some((before, tag, after.get(1..).unwrap_or_default()));
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    Some((before, inner, ""))
}

/// Text with its character references resolved; one that is not known stays as it is.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(name, next)| Some((reference(name)?, next)));
        let (c, next) = known.unwrap_or(('&', after));
        out.push(c);
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Text as a page shows it: decoded, with single blanks.
pub fn plain(text: &str) -> String {
    decode(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
        return char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "yen" => '¥',
        "hyphen" => '-',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_found_whatever_stands_in_them() {
        assert_eq!(next_tag("a<b c='>'>d"), Some(("a", "b c='>'", "d")));
        assert_eq!(next_tag("<!-- <b> -->c<d"), Some(("", "", "c<d")));
        assert_eq!(next_tag("c<d"), Some(("c", "d", "")));
        assert_eq!(next_tag("a > b"), None);
        assert_eq!(
            plain(" &lt;2&gt; &#x41;&#66;&nbsp;&yen; &unknown; &\n c"),
            "<2> AB ¥ &unknown; & c"
        );
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in "[a-z<>&\"]{0,20}") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(decode(&escaped), text);
        }
    }
}
