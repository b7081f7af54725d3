//! What the hosted pages say, in every language: a word that a language lacks does not compile.

use crate::domain::locale::Locale;
use crate::wire::failure::Failure;

/// Every sentence of the pages in one language. `{…}` marks what [`fill`] puts in.
#[derive(Debug)]
#[expect(missing_docs, reason = "each member is named after what it says")]
pub struct Words {
    pub lang: &'static str,
    pub banner: &'static str,
    pub badge: &'static str,
    pub back: &'static str,
    pub order: &'static str,
    pub pay_to: &'static str,
    pub quantity: &'static str,
    pub each: &'static str,
    pub subtotal: &'static str,
    pub shipping: &'static str,
    pub total: &'static str,
    pub skip: &'static str,
    pub contact: &'static str,
    pub email: &'static str,
    pub phone: &'static str,
    pub optional: &'static str,
    pub method: &'static str,
    pub card: &'static str,
    pub konbini: &'static str,
    pub sepa_debit: &'static str,
    pub number: &'static str,
    pub expiry: &'static str,
    pub expiry_hint: &'static str,
    pub cvc: &'static str,
    pub cvc_hint: &'static str,
    pub name_on_card: &'static str,
    pub full_name: &'static str,
    pub iban: &'static str,
    pub konbini_note: &'static str,
    pub billing_address: &'static str,
    pub shipping_address: &'static str,
    pub shipping_method: &'static str,
    pub country: &'static str,
    pub postal_code: &'static str,
    pub state: &'static str,
    pub city: &'static str,
    pub line1: &'static str,
    pub line2: &'static str,
    pub choose: &'static str,
    pub terms: &'static str,
    pub pay: &'static str,
    pub book: &'static str,
    pub donate: &'static str,
    pub place_order: &'static str,
    pub confirm_free: &'static str,
    pub test_cards: &'static str,
    pub test_cards_text: &'static str,
    pub footer: &'static str,
    pub other_language: &'static str,
    pub problem: &'static str,
    pub error_prefix: &'static str,
    pub need_email: &'static str,
    pub bad_email: &'static str,
    pub need_number: &'static str,
    pub need_expiry: &'static str,
    pub bad_expiry: &'static str,
    pub need_cvc: &'static str,
    pub need_name: &'static str,
    pub need_iban: &'static str,
    pub need_field: &'static str,
    pub bad_field: &'static str,
    pub need_terms: &'static str,
    pub stale_form: &'static str,
    pub done_title: &'static str,
    pub done_text: &'static str,
    pub continue_shop: &'static str,
    pub expired_title: &'static str,
    pub expired_text: &'static str,
    pub missing_title: &'static str,
    pub missing_text: &'static str,
    pub failed_title: &'static str,
    pub challenge_title: &'static str,
    pub challenge_text: &'static str,
    pub challenge_card: &'static str,
    pub challenge_pass: &'static str,
    pub challenge_fail: &'static str,
    pub challenge_none: &'static str,
    pub challenge_passed: &'static str,
    pub challenge_failed: &'static str,
    pub voucher_title: &'static str,
    pub voucher_text: &'static str,
    pub voucher_deadline: &'static str,
    pub voucher_store: &'static str,
    pub payment_code: &'static str,
    pub confirmation_number: &'static str,
    pub voucher_sandbox: &'static str,
    pub voucher_sandbox_text: &'static str,
    pub voucher_succeed: &'static str,
    pub voucher_fail: &'static str,
    pub voucher_paid: &'static str,
    pub voucher_lapsed: &'static str,
    pub declined: &'static str,
    pub insufficient_funds: &'static str,
    pub expired_card: &'static str,
    pub incorrect_cvc: &'static str,
    pub invalid_cvc: &'static str,
    pub processing_error: &'static str,
    pub incorrect_number: &'static str,
    pub invalid_number: &'static str,
    pub invalid_expiry_month: &'static str,
    pub invalid_expiry_year: &'static str,
    pub velocity: &'static str,
    pub live_card: &'static str,
    pub authentication_failed: &'static str,
    pub authentication_required: &'static str,
    pub invalid_iban: &'static str,
}

impl Words {
    /// The words of a language.
    pub const fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &EN,
            Locale::Ja => &JA,
        }
    }

    /// What a refused payment is called to the person who tried it.
    pub fn refusal(&self, failure: &Failure) -> String {
        let code = failure.code.as_deref().unwrap_or_default();
        let decline = failure.more.get("decline_code").and_then(serde_json::Value::as_str);
        self.refused(code, decline).map_or_else(|| failure.message.clone(), str::to_owned)
    }

    /// The sentence for an error's code and decline code, where there is one.
    pub fn refused(&self, code: &str, decline_code: Option<&str>) -> Option<&'static str> {
        Some(match (code, decline_code) {
            (_, Some("test_mode_live_card")) => self.live_card,
            (_, Some("insufficient_funds")) => self.insufficient_funds,
            (_, Some("card_velocity_exceeded")) => self.velocity,
            ("processing_error", _) | (_, Some("processing_error")) => self.processing_error,
            ("authentication_required", _) => self.authentication_required,
            ("payment_intent_authentication_failure", _) => self.authentication_failed,
            ("expired_card", _) => self.expired_card,
            ("incorrect_cvc", _) => self.incorrect_cvc,
            ("invalid_cvc", _) => self.invalid_cvc,
            ("incorrect_number", _) => self.incorrect_number,
            ("invalid_number", _) => self.invalid_number,
            ("invalid_expiry_month", _) => self.invalid_expiry_month,
            ("invalid_expiry_year", _) => self.invalid_expiry_year,
            ("payment_method_invalid_parameter", _) => self.invalid_iban,
            ("card_declined", _) => self.declined,
            _ => return None,
        })
    }
}

/// A sentence with what stands in its braces: `("Pay {amount}", "amount", "¥500")`.
pub fn fill(sentence: &str, name: &str, value: &str) -> String {
    sentence.replace(&format!("{{{name}}}"), value)
}

static EN: Words = Words {
    lang: "en",
    banner: "Sandbox: never type a real card. No money moves here.",
    badge: "Sandbox",
    back: "Back",
    order: "Your order",
    pay_to: "Pay {merchant}",
    quantity: "Qty {count}",
    each: "{amount} each",
    subtotal: "Subtotal",
    shipping: "Shipping",
    total: "Total due",
    skip: "Skip to payment",
    contact: "Contact",
    email: "Email",
    phone: "Phone number",
    optional: "optional",
    method: "Payment method",
    card: "Card",
    konbini: "Convenience store (konbini)",
    sepa_debit: "SEPA direct debit",
    number: "Card number",
    expiry: "Expiry",
    expiry_hint: "MM / YY",
    cvc: "CVC",
    cvc_hint: "3 digits on the back (Amex: 4, front)",
    name_on_card: "Name on card",
    full_name: "Full name",
    iban: "IBAN",
    konbini_note: "You get a payment code. Show it at FamilyMart, Lawson, Ministop or Seicomart and pay in cash.",
    billing_address: "Billing address",
    shipping_address: "Shipping address",
    shipping_method: "Shipping method",
    country: "Country or region",
    postal_code: "Postal code",
    state: "Region",
    city: "City",
    line1: "Address line 1",
    line2: "Address line 2",
    choose: "Choose…",
    terms: "I agree to the shop's terms of service.",
    pay: "Pay {amount}",
    book: "Book for {amount}",
    donate: "Donate {amount}",
    place_order: "Place order · {amount}",
    confirm_free: "Complete order",
    test_cards: "Test cards",
    test_cards_text: "4242 4242 4242 4242 pays, 4000 0000 0000 9995 is declined, 4000 0027 6000 3184 asks for 3-D Secure. Any future date, any CVC.",
    footer: "Served by stripegym, a local emulator. Not affiliated with Stripe.",
    other_language: "日本語",
    problem: "The payment did not go through",
    error_prefix: "Error",
    need_email: "Enter your email address.",
    bad_email: "This email address is not complete.",
    need_number: "Enter the card number.",
    need_expiry: "Enter the expiry date.",
    bad_expiry: "Enter the expiry date as MM / YY.",
    need_cvc: "Enter the security code.",
    need_name: "Enter your name.",
    need_iban: "Enter the IBAN.",
    need_field: "Fill in this field.",
    bad_field: "This value does not fit.",
    need_terms: "Agree to the terms of service to go on.",
    stale_form: "The form had grown old. Check it and send it again.",
    done_title: "All done",
    done_text: "This order was completed. There is nothing left to pay.",
    continue_shop: "Continue to the shop",
    expired_title: "This page has expired",
    expired_text: "The time to pay for this order has run out. Nothing was charged. Go back to the shop to start again.",
    missing_title: "Nothing here",
    missing_text: "There is no payment under this address. The link may be cut off, or belong to another sandbox.",
    failed_title: "That did not work",
    challenge_title: "Confirm that it is you",
    challenge_text: "Your bank asks you to approve a payment of {amount} to {merchant}.",
    challenge_card: "Card ending in {last4}",
    challenge_pass: "Approve",
    challenge_fail: "Refuse",
    challenge_none: "There is nothing to approve: this payment has moved on.",
    challenge_passed: "You approved the payment. You can close this page.",
    challenge_failed: "The payment was not approved. You can close this page.",
    voucher_title: "Pay at the convenience store",
    voucher_text: "Your order is reserved. Pay {amount} at one of these stores; the order is confirmed once the store reports the payment.",
    voucher_deadline: "Pay by {date} (Japan time)",
    voucher_store: "Store",
    payment_code: "Payment code",
    confirmation_number: "Confirmation number",
    voucher_sandbox: "Sandbox controls",
    voucher_sandbox_text: "No store knows this code. Say what happens, or wait: the payment settles by itself.",
    voucher_succeed: "Paid at the store",
    voucher_fail: "Never paid",
    voucher_paid: "The store has reported your payment. Thank you.",
    voucher_lapsed: "The time to pay has passed. Nothing was paid.",
    declined: "Your card was declined.",
    insufficient_funds: "Your card has insufficient funds.",
    expired_card: "Your card has expired.",
    incorrect_cvc: "Your card's security code is incorrect.",
    invalid_cvc: "Your card's security code is invalid.",
    processing_error: "An error occurred while processing your card. Try again in a little bit.",
    incorrect_number: "Your card number is incorrect.",
    invalid_number: "Your card number is not valid.",
    invalid_expiry_month: "Your card's expiration month is invalid.",
    invalid_expiry_year: "Your card's expiration year is invalid.",
    velocity: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    live_card: "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    authentication_failed: "We could not confirm that it is you. Try again, or choose another card.",
    authentication_required: "Your card was declined. This transaction requires authentication.",
    invalid_iban: "The IBAN is not valid.",
};

static JA: Words = Words {
    lang: "ja",
    banner: "これはテスト環境です — 本物のカードは使わないでください。お金は動きません。",
    badge: "テスト環境",
    back: "戻る",
    order: "ご注文内容",
    pay_to: "{merchant} へのお支払い",
    quantity: "数量 {count}",
    each: "1 点 {amount}",
    subtotal: "小計",
    shipping: "送料",
    total: "お支払い合計",
    skip: "お支払いの入力へ進む",
    contact: "ご連絡先",
    email: "メールアドレス",
    phone: "電話番号",
    optional: "任意",
    method: "お支払い方法",
    card: "カード",
    konbini: "コンビニ払い",
    sepa_debit: "SEPA 口座振替",
    number: "カード番号",
    expiry: "有効期限",
    expiry_hint: "月 / 年",
    cvc: "セキュリティコード",
    cvc_hint: "裏面の 3 桁（Amex は表面の 4 桁）",
    name_on_card: "カードの名義",
    full_name: "お名前",
    iban: "IBAN（口座番号）",
    konbini_note: "お支払い番号が発行されます。ファミリーマート、ローソン、ミニストップ、セイコーマートのレジで現金でお支払いください。",
    billing_address: "ご請求先の住所",
    shipping_address: "お届け先",
    shipping_method: "配送方法",
    country: "国・地域",
    postal_code: "郵便番号",
    state: "都道府県・州",
    city: "市区町村",
    line1: "番地",
    line2: "建物名・部屋番号",
    choose: "選択してください",
    terms: "お店の利用規約に同意します。",
    pay: "{amount} を支払う",
    book: "{amount} で予約する",
    donate: "{amount} を寄付する",
    place_order: "{amount} で注文を確定する",
    confirm_free: "注文を確定する",
    test_cards: "テストカード",
    test_cards_text: "4242 4242 4242 4242 は支払い成功、4000 0000 0000 9995 は残高不足、4000 0027 6000 3184 は 3D セキュア認証。有効期限は未来の日付、セキュリティコードは任意の数字です。",
    footer: "手元で動くエミュレーター stripegym のページです。Stripe 社とは関係ありません。",
    other_language: "English",
    problem: "お支払いが完了しませんでした",
    error_prefix: "エラー",
    need_email: "メールアドレスを入力してください。",
    bad_email: "メールアドレスの形式が正しくありません。",
    need_number: "カード番号を入力してください。",
    need_expiry: "有効期限を入力してください。",
    bad_expiry: "有効期限は「月 / 年」の形で入力してください（例：12 / 34）。",
    need_cvc: "セキュリティコードを入力してください。",
    need_name: "お名前を入力してください。",
    need_iban: "IBAN を入力してください。",
    need_field: "この欄を入力してください。",
    bad_field: "入力内容をご確認ください。",
    need_terms: "続けるには利用規約への同意が必要です。",
    stale_form: "画面を開いてから時間が経ったため、もう一度送信してください。",
    done_title: "お手続きは完了しています",
    done_text: "このご注文の手続きは完了しました。これ以上のお支払いはありません。",
    continue_shop: "お店に戻る",
    expired_title: "このページの有効期限が切れました",
    expired_text: "お支払いの受付時間が過ぎました。請求はされていません。お店に戻ってもう一度お手続きください。",
    missing_title: "ページが見つかりません",
    missing_text: "このアドレスのお支払いはありません。リンクが途中で切れているか、別のサンドボックスのものです。",
    failed_title: "うまくいきませんでした",
    challenge_title: "ご本人確認",
    challenge_text: "{merchant} への {amount} のお支払いについて、カード発行会社が承認を求めています。",
    challenge_card: "末尾 {last4} のカード",
    challenge_pass: "承認する",
    challenge_fail: "拒否する",
    challenge_none: "承認するお支払いはありません。手続きはすでに進んでいます。",
    challenge_passed: "お支払いを承認しました。このページは閉じてかまいません。",
    challenge_failed: "お支払いは承認されませんでした。このページは閉じてかまいません。",
    voucher_title: "コンビニでお支払いください",
    voucher_text: "ご注文を受け付けました。次のいずれかの店舗で {amount} をお支払いください。入金が確認されるとご注文が確定します。",
    voucher_deadline: "お支払い期限：{date}（日本時間）",
    voucher_store: "店舗",
    payment_code: "お支払い番号",
    confirmation_number: "確認番号",
    voucher_sandbox: "テスト環境の操作",
    voucher_sandbox_text: "この番号は実際の店舗では使えません。どうなるかを選ぶか、自動で入金されるまでお待ちください。",
    voucher_succeed: "店舗で支払った",
    voucher_fail: "支払わなかった",
    voucher_paid: "入金が確認されました。ありがとうございました。",
    voucher_lapsed: "お支払い期限が過ぎました。入金はありませんでした。",
    declined: "カードが拒否されました。",
    insufficient_funds: "カードの利用可能額が不足しています。",
    expired_card: "カードの有効期限が切れています。",
    incorrect_cvc: "セキュリティコードが正しくありません。",
    invalid_cvc: "セキュリティコードの桁数が正しくありません。",
    processing_error: "カードの処理中にエラーが発生しました。少し待ってからもう一度お試しください。",
    incorrect_number: "カード番号が正しくありません。",
    invalid_number: "カード番号の形式が正しくありません。",
    invalid_expiry_month: "有効期限の月が正しくありません。",
    invalid_expiry_year: "有効期限の年が正しくありません。",
    velocity: "短い間に何度も試されたか、利用限度額を超えたため、カードが拒否されました。",
    live_card: "カードが拒否されました。テスト環境ではテスト用のカードしか使えません。テストカードの一覧：https://stripe.com/docs/testing",
    authentication_failed: "ご本人確認ができませんでした。もう一度試すか、別のカードをお使いください。",
    authentication_required: "カードが拒否されました。このお支払いには本人認証が必要です。",
    invalid_iban: "IBAN が正しくありません。",
};

/// The language of a page: asked for in the address, set by the merchant, or preferred by the browser.
pub fn choose(asked: Option<&str>, locale: Option<&str>, accepted: Option<&str>) -> Locale {
    let named = |text: Option<&str>| text.and_then(Locale::read);
    named(asked)
        .or_else(|| named(locale.filter(|locale| *locale != "auto")))
        .or_else(|| accepted.and_then(preferred))
        .unwrap_or_default()
}

/// The first language of an `Accept-Language` that is spoken here, by its weight.
fn preferred(header: &str) -> Option<Locale> {
    let mut best: Option<(u32, Locale)> = None;
    for item in header.split(',') {
        let mut parts = item.split(';');
        let Some(locale) = parts.next().map(str::trim).and_then(Locale::read) else { continue };
        let weight =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1_000, thousandths);
        if weight > 0 && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

/// `0.85` as 850; a weight that is none counts as nothing.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{part:0<3}");
    let part = digits.get(..3).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    whole.parse::<u32>().map_or(0, |whole| whole.min(1) * 1_000 + part).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_beats_the_session_beats_the_browser() {
        assert_eq!(choose(Some("ja"), Some("en"), Some("en")), Locale::Ja);
        assert_eq!(choose(None, Some("ja"), Some("en")), Locale::Ja);
        assert_eq!(choose(None, Some("auto"), Some("fr, ja;q=0.8, en;q=0.5")), Locale::Ja);
        assert_eq!(choose(None, None, Some("en;q=0.3,ja;q=0.9")), Locale::Ja);
        assert_eq!(choose(None, None, Some("fr-FR")), Locale::En);
        assert_eq!(choose(None, Some("fr"), None), Locale::En);
    }

    #[test]
    fn refusals_are_told_by_their_most_telling_code() {
        let words = Words::of(Locale::Ja);
        assert_eq!(
            words.refused("card_declined", Some("insufficient_funds")),
            Some(words.insufficient_funds)
        );
        assert_eq!(words.refused("card_declined", Some("lost_card")), Some(words.declined));
        assert_eq!(words.refused("never_heard_of", None), None);
    }
}
