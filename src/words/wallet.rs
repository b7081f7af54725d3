//! What the merchant application says about a buyer's cards, payments and own page.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/wallet.ftl"), include_str!("ja/wallet.ftl"));

words! {
    /// Every sentence of a buyer's own pages in one language.
    BOOK {
        cards cards_none card_default card_make_default card_remove card_add card_add_more card_field
        card_save pay pay_more pay_amount pay_go pay_waiting pay_failed needs_script
        no_publishable my_page no_subscription no_customer back
    }
    with {
        card_is(brand, last4, expiry)
        pay_range(least, most)
        pay_now(amount)
        pay_done(amount)
    }
}
