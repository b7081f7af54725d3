//! Identifiers as Stripe mints them: a prefix that names the kind, then base-62.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `prefix` followed by `length` base-62 digits drawn from `random` (uniform 64-bit numbers).
pub fn new_id(prefix: &str, length: usize, mut random: impl FnMut() -> u64) -> String {
    let mut id = String::with_capacity(prefix.len() + length);
    id.push_str(prefix);
    for _ in 0..length {
        let at = usize::try_from(random() % 62).unwrap_or(0);
        id.push(char::from(ALPHABET.get(at).copied().unwrap_or(b'0')));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_prefix_and_length() {
        let mut n = 0;
        let id = new_id("cus_", 14, || {
            n += 7;
            n
        });
        assert_eq!(id.len(), 18);
        assert!(id.starts_with("cus_"));
        assert!(id.bytes().skip(4).all(|b| b.is_ascii_alphanumeric()));
    }
}
