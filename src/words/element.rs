//! What the elements of Stripe.js say to who pays. The English sentences about what was typed are those that pages
//! know from Stripe's, as believed.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/element.ftl"), include_str!("ja/element.ftl"));

words! {
    /// Every sentence of an element in one language.
    BOOK {
        lang card payment address number expiry cvc postal_code country state city line1 line2 name email
        konbini incomplete_number invalid_number incomplete_expiry invalid_expiry_month
        invalid_expiry_month_past invalid_expiry_year invalid_expiry_year_past incomplete_cvc
        incomplete_zip incomplete_email invalid_email incomplete_name incomplete_address
    }
    with {}
}
