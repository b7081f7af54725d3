//! What the shop of `stripegym shop` says to its users.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/merchant.ftl"), include_str!("ja/merchant.ftl"));

words! {
    /// Every sentence of the shop's pages in one language.
    BOOK {
        shop own_name language navigation skip test_only
        nav_account nav_api nav_cards nav_my_page nav_pay nav_pricing
        sign_in sign_in_title sign_out sign_up sign_up_title email password password_rule
        have_account no_account
        home_title home_text to_pricing
        pricing_title pricing_text no_plans once per_month per_year coupon buy subscribe sign_in_to_buy
        account_title credits credit_book no_credits orders no_orders subscription subscriptions
        no_subscriptions order plan status amount date period reason
        reason_purchase reason_refund reason_dispute reason_grant
        status_pending status_succeeded status_failed status_partially_refunded status_refunded
        status_disputed status_active status_trialing status_past_due status_unpaid status_paused
        status_incomplete status_canceled
        success_title success_text coming_title coming_text
        error_signed_out error_sign_in error_sign_up error_email error_password error_foreign_form
        error_form error_json error_too_long error_no_page error_provider error_provider_name
        error_store error_coupon error_plan error_subscribed error_session error_other_user
        error_not_complete error_creem error_rights error_signature error_owner
        charts_title charts_text chart_success chart_declines chart_credits chart_none
    }
    with {
        paid_with(provider)
        chart_of(paid, all, percent)
        chart_revenue(currency)
        ends_on(date)
        renews_on(date)
        error_too_often(seconds)
    }
}
