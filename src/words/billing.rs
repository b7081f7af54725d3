//! What invoices and the customer portal say to who pays.

use crate::words::{Book, words};

pub(crate) static BOOK: Book =
    Book::new(include_str!("en/billing.ftl"), include_str!("ja/billing.ftl"));

words! {
    /// Every sentence of invoices and of the portal in one language.
    BOOK {
        months invoice number issued due_date paid_on period bill_to registration description quantity
        unit_price amount rate taxable tax by_rate reduced subtotal discount shipping total balance amount_due
        amount_paid credited download paid_title paid_text void_title void_text given_up pay_title
        ask_title ask_text ask_go processing invoices no_invoices open paid void uncollectible draft
        current none_current pay_with no_card change_card add_card default_card make_default remove_card
        details no_details update_details change_plan cancel_plan keep_plan pause_plan resume_plan
        past_due unpaid paused paused_now trialing card_title card_text card_submit details_title
        save change_title plan continue_on confirm_title due_today nothing_today then_each confirm
        go_back no_change cancel_title cancel_now_text cancel_reason cancel_comment cancel_submit
        customer_service low_quality missing_features other switched_service too_complex too_expensive
        unused offer_title offer_accept keep_title keep_submit stay_plan stay_title stay_submit done_change_later done_stay pause_title pause_text
        pause_submit resume_title resume_text resume_submit done_card done_change done_cancel
        done_cancel_now done_keep done_pause done_resume done_details done_removed done_offer
        ended_title ended_text login_title login_text login_submit login_sent login_sandbox
        login_nobody login_open login_off privacy terms months_of_pause promotion_code
        confirmed_title quote quote_number quote_for valid_until
    }
    with {
        date(year, month, day)
        invoice_from(merchant)
        tax_of(name, percent)
        tax_within(name, percent)
        percent(rate)
        manage(merchant)
        back_to(merchant)
        per_day(amount)
        per_week(amount)
        per_month(amount)
        per_year(amount)
        per_days(amount, count)
        per_weeks(amount, count)
        per_months(amount, count)
        per_years(amount, count)
        renews(date)
        ends(date)
        trial_until(date)
        keep_text(date)
        stay_text(date)
        change_later(date)
        changes_to(plan, date)
        cancel_text(date)
        offer_text(percent)
        login_sent_text(email)
        times(name, count)
        span_days(count)
        span_weeks(count)
        span_months(count)
        span_years(count)
    }
}
