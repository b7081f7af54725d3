//! What keys and values of `metadata` may be.

use crate::catalog::validate::{METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH};
use crate::wire::failure::{Failure, echo};
use crate::wire::form::Tree;

/// The limits on metadata, in characters.
pub(crate) fn metadata(key: &str, tree: &Tree) -> Result<(), Failure> {
    let too_long = |what: &str, most: usize, text: &str| {
        let length = text.chars().count();
        (length > most).then(|| {
            Failure::invalid(format!(
                "Metadata {what}s can have up to {most} characters, but you passed in a {what} that is {length} characters. Invalid {what}: {}",
                echo(text)
            ))
        })
    };
    if key.contains(['[', ']']) {
        return Err(Failure::invalid(format!(
            "Metadata keys cannot contain square brackets. Invalid key: {}",
            echo(key)
        )));
    }
    let value = tree.text().unwrap_or_default();
    too_long("key", METADATA_KEY_LENGTH, key)
        .or_else(|| too_long("value", METADATA_VALUE_LENGTH, value))
        .map_or(Ok(()), Err)
}
