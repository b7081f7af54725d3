//! What the merchant application says where keys of its API are sold.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/api_keys.ftl"), include_str!("ja/api_keys.ftl"));

words! {
    /// Every sentence of the pages of API keys in one language.
    BOOK {
        heading question plan buy leads upgraded suspended portal portal_leads key_heading key_none
        key_show key_once key_replace key_replace_more key_gone thanks waiting cancelled
        cancelled_more back foreign foreign_more no_price docs
    }
    with {
        offer(calls)
        monthly(amount)
        included(calls)
        ends_on(date)
        key_hint(hint)
        usage(calls, quota, month)
        no_price_more(key)
    }
}
