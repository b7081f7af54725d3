//! What Creem's pages say beside what every page of payment says.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/creem.ftl"), include_str!("ja/creem.ftl"));

words! {
    /// Every sentence of Creem's pages in one language.
    BOOK {
        test_cards_text footer orders no_orders canceled resumed
    }
    with {
        trial(count)
        then_each(amount)
    }
}
