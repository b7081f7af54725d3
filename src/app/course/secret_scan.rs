//! Looks for secrets in texts. Pure; what it finds it names masked.

/// How secrets begin, and how many letters and digits must follow.
const PREFIXES: [(&str, usize); 7] = [
    ("sk_test_", 10),
    ("sk_live_", 10),
    ("rk_test_", 10),
    ("rk_live_", 10),
    ("whsec_", 10),
    ("4242424242424242", 0),
    ("4242 4242 4242 4242", 0),
];

/// The first secret of some texts, masked: one of the `known` ones, or anything that looks like one.
pub fn first<'t>(texts: impl Iterator<Item = &'t String>, known: &[&str]) -> Option<String> {
    texts.into_iter().find_map(|text| find(text, known))
}

/// The first secret in a text, masked.
pub fn find(text: &str, known: &[&str]) -> Option<String> {
    if known.iter().any(|secret| !secret.is_empty() && text.contains(secret)) {
        return Some("whsec_***".to_owned());
    }
    for (prefix, least) in PREFIXES {
        for (at, _) in text.match_indices(prefix) {
            let rest = text.get(at + prefix.len()..).unwrap_or_default();
            let body: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            if body.len() >= least && !is_dummy(&body, least) {
                return Some(format!("{prefix}***"));
            }
        }
    }
    None
}

/// Whether what follows a prefix is visibly made up: `xxxxxxxxxx`, `your…`, `example…`.
fn is_dummy(body: &str, least: usize) -> bool {
    let first = body.chars().next();
    let same = least > 0 && body.chars().all(|c| Some(c) == first);
    let lower = body.to_ascii_lowercase();
    same || ["your", "example", "dummy", "replace"].iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_dummies_are_not() {
        assert_eq!(find("a sk_test_51Habcdefgh b", &[]).as_deref(), Some("sk_test_***"));
        assert_eq!(find("whsec_known", &["whsec_known"]).as_deref(), Some("whsec_***"));
        assert_eq!(find("sk_test_xxxxxxxxxxxx and sk_test_your_key and whsec_", &[]), None);
        assert_eq!(find("pk_test_51Habcdefgh", &[]), None);
        assert!(find("card 4242424242424242", &[]).is_some());
    }
}
