//! What the hosted pages say to a payer.

use crate::words::{Book, words};

pub(crate) static BOOK: Book = Book::new(include_str!("en/page.ftl"), include_str!("ja/page.ftl"));

words! {
    /// Every sentence of the hosted pages in one language.
    BOOK {
        lang banner badge back order subtotal shipping total skip contact email phone optional
        method card konbini sepa_debit number expiry expiry_hint cvc cvc_hint name_on_card full_name
        iban konbini_note billing_address shipping_address shipping_method country postal_code state
        city line1 line2 choose terms place_order confirm_free test_cards test_cards_text footer
        other_language problem error_prefix need_email bad_email need_number need_expiry bad_expiry
        need_cvc need_name need_iban need_field bad_field need_terms stale_form done_title done_text
        continue_shop expired_title expired_text missing_title missing_text failed_title
        challenge_title challenge_pass challenge_fail challenge_none challenge_passed
        challenge_failed deposits_title deposits_text deposits_code deposits_hint deposits_verify
        deposits_wrong deposits_none voucher_title voucher_store payment_code confirmation_number
        voucher_sandbox voucher_sandbox_text voucher_succeed voucher_fail voucher_paid
        voucher_lapsed store_familymart store_lawson store_ministop store_seicomart
        home_title home_what home_version home_status home_endpoints home_deliveries home_requests
        home_sdk home_key onboard_title onboard_text onboard_due onboard_sandbox onboard_submit
        onboard_later onboard_dashboard onboard_open onboard_closed declined insufficient_funds expired_card incorrect_cvc invalid_cvc
        processing_error incorrect_number invalid_number invalid_expiry_month invalid_expiry_year
        velocity live_card authentication_failed authentication_required invalid_iban code
        code_apply code_remove code_invalid code_refused discount tax tax_included tax_later extras add remove
        update_order order_updated setup_submit setup_done setup_refused tax_id tax_id_kind business_name
        bad_tax_id promotions save_method inactive_title inactive_text
    }
    with {
        pay_to(merchant)
        quantity(count)
        each(amount)
        pay(amount)
        book(amount)
        donate(amount)
        challenge_text(amount, merchant)
        challenge_setup(merchant)
        challenge_wallet(amount, merchant)
        challenge_card(last4)
        voucher_text(amount)
        voucher_deadline(date)
        quantity_of(name)
        total_changed(total)
        setup_to(merchant)
        saved_card(brand, last4)
        delivery_hour(count)
        delivery_day(count)
        delivery_business_day(count)
        delivery_week(count)
        delivery_month(count)
    }
}
