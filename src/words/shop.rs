//! What the built-in shop says to its customers.

use crate::words::{Book, words};

pub(crate) static BOOK: Book = Book::new(include_str!("en/shop.ftl"), include_str!("ja/shop.ftl"));

words! {
    /// Every sentence of the shop's pages in one language.
    BOOK {
        shop test_only quantity buy ledger back thanks waiting waiting_more not_paid unknown
        cancelled cancelled_more provider_failed not_found foreign_form session amount status
        created event empty paid refunded
    }
    with {
    }
}
