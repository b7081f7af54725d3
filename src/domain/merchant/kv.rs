//! The rules of the key-value table: every value stands under a key in a namespace, so that what belongs to one
//! user cannot be found under a key that is everybody's.

use std::fmt;

/// The namespace that leads from a user to the customer that they are at a provider.
pub fn customers(provider: &str) -> String {
    format!("{provider}_customer")
}

/// The namespace that leads back, from a provider's customer to the user: a customer is nobody else's.
pub fn users(provider: &str) -> String {
    format!("{provider}_customer_user")
}

/// Characters that a namespace may have.
const NAMESPACE_MAX: usize = 40;

/// Bytes that a key may have.
const KEY_MAX: usize = 200;

/// Bytes that a value may have.
const VALUE_MAX: usize = 4_096;

/// Why an entry cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The namespace: 1 to 40 small letters, digits and underscores.
    Namespace,
    /// The key: 1 to 200 bytes that can be printed.
    Key,
    /// The value: up to 4,096 bytes.
    Value,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    namespace: String,
    key: String,
}

impl Place {
    /// A namespace and a key, where both can be.
    pub fn new(namespace: &str, key: &str) -> Result<Self, Wrong> {
        if !is_namespace(namespace) {
            return Err(Wrong::Namespace);
        }
        let printable = !key.chars().any(char::is_control);
        if !printable || !(1..=KEY_MAX).contains(&key.len()) {
            return Err(Wrong::Key);
        }
        Ok(Self { namespace: namespace.to_owned(), key: key.to_owned() })
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.key)
    }
}

/// Whether a text can name a namespace.
pub fn is_namespace(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=NAMESPACE_MAX).contains(&text.len()) && text.bytes().all(fine)
}

/// A value, where it can be one.
pub fn value(text: &str) -> Result<&str, Wrong> {
    if text.len() <= VALUE_MAX { Ok(text) } else { Err(Wrong::Value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_is_a_namespace_and_a_key() {
        assert_eq!(
            Place::new(&customers("stripe"), "user_7").unwrap().to_string(),
            "stripe_customer/user_7"
        );
        assert!(is_namespace(&users("stripe")));
        for wrong in ["", "A", "a b", "a/b", "顧客", &"x".repeat(41)] {
            assert_eq!(Place::new(wrong, "7"), Err(Wrong::Namespace), "{wrong}");
        }
        for wrong in ["", "a\nb", &"x".repeat(201)] {
            assert_eq!(Place::new("a", wrong), Err(Wrong::Key), "{wrong:?}");
        }
        assert_eq!(value(&"x".repeat(4_097)), Err(Wrong::Value));
        assert_eq!(value("顧客"), Ok("顧客"));
    }

    proptest! {
        #[test]
        fn different_places_are_written_differently(
            a in ("[a-z_]{1,5}", "[a-z/_]{1,5}"),
            b in ("[a-z_]{1,5}", "[a-z/_]{1,5}"),
        ) {
            let place = |(namespace, key): &(String, String)| Place::new(namespace, key).unwrap();
            prop_assert_eq!(place(&a) == place(&b), place(&a).to_string() == place(&b).to_string());
        }
    }
}
