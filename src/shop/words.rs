//! The shop's own words. A field that lacks a language does not compile.

use crate::domain::locale::Locale;

/// Every text of the shop's pages, in one language.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Name of the shop.
    pub shop: &'static str,
    /// Says that no money moves.
    pub test_only: &'static str,
    /// Label of the number of pieces.
    pub quantity: &'static str,
    /// The button that begins a purchase.
    pub buy: &'static str,
    /// Link to the ledger.
    pub ledger: &'static str,
    /// Link to the first page.
    pub back: &'static str,
    /// Heading after a payment.
    pub thanks: &'static str,
    /// Heading while a delayed payment is on its way.
    pub waiting: &'static str,
    /// Explains a delayed payment.
    pub waiting_more: &'static str,
    /// Heading for a session that was not paid.
    pub not_paid: &'static str,
    /// Heading for a session that is unknown.
    pub unknown: &'static str,
    /// Heading after the back link of the hosted page.
    pub cancelled: &'static str,
    /// Says that nothing was charged.
    pub cancelled_more: &'static str,
    /// Heading for a failure of the provider.
    pub provider_failed: &'static str,
    /// Heading for a page that does not exist.
    pub not_found: &'static str,
    /// Heading for a form that another site sent.
    pub foreign_form: &'static str,
    /// Label of a session's id.
    pub session: &'static str,
    /// Label of an amount.
    pub amount: &'static str,
    /// Label of a status.
    pub status: &'static str,
    /// Label of the time of creation.
    pub created: &'static str,
    /// Label of the event that said so.
    pub event: &'static str,
    /// Says that the ledger has no rows.
    pub empty: &'static str,
    /// Label of what was paid.
    pub paid: &'static str,
    /// Label of what went back.
    pub refunded: &'static str,
}

const EN: Words = Words {
    shop: "A small shop",
    test_only: "Test mode: no real money moves.",
    quantity: "Quantity",
    buy: "Buy",
    ledger: "Ledger",
    back: "Back to the shop",
    thanks: "Thank you. The payment succeeded.",
    waiting: "The order is placed. The payment is on its way.",
    waiting_more: "It is shipped once the payment has arrived; the ledger shows when.",
    not_paid: "This checkout was not paid.",
    unknown: "There is no such checkout.",
    cancelled: "The payment was cancelled.",
    cancelled_more: "Nothing was charged.",
    provider_failed: "The payment provider did not do what was asked.",
    not_found: "There is no such page.",
    foreign_form: "This form was sent by another site.",
    session: "Checkout Session",
    amount: "Amount",
    status: "Status",
    created: "Created",
    event: "Event",
    empty: "The ledger is empty.",
    paid: "Paid",
    refunded: "Refunded",
};

const JA: Words = Words {
    shop: "小さなお店",
    test_only: "テストモードです。実際のお金は動きません。",
    quantity: "数量",
    buy: "購入する",
    ledger: "台帳",
    back: "お店に戻る",
    thanks: "ありがとうございます。お支払いが完了しました。",
    waiting: "ご注文を承りました。お支払いをお待ちしています。",
    waiting_more: "お支払いの確認後に発送します。確認できると台帳に記録されます。",
    not_paid: "このお会計はまだ支払われていません。",
    unknown: "このお会計は見つかりません。",
    cancelled: "お支払いはキャンセルされました。",
    cancelled_more: "請求は発生していません。",
    provider_failed: "決済サービスが要求に応じませんでした。",
    not_found: "ページが見つかりません。",
    foreign_form: "このフォームは別のサイトから送信されました。",
    session: "チェックアウトセッション",
    amount: "金額",
    status: "状態",
    created: "作成日時",
    event: "イベント",
    empty: "台帳はまだ空です。",
    paid: "支払い済み",
    refunded: "返金済み",
};

/// The words of `locale`.
pub const fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::En => &EN,
        Locale::Ja => &JA,
    }
}

/// The language that `Accept-Language` likes best among those that are spoken; English where it likes none.
pub fn preferred(accept_language: Option<&str>) -> Locale {
    let mut best = (Locale::En, 0_u16);
    for part in accept_language.unwrap_or_default().split(',') {
        let mut pieces = part.split(';');
        let tag = pieces.next().unwrap_or_default().trim();
        let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1_000, weight);
        if let Some(locale) = Locale::read(tag)
            && weight > best.1
        {
            best = (locale, weight);
        }
    }
    best.0
}

/// A quality value in thousandths: `0.8` is 800.
fn weight(text: &str) -> u16 {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let thousandths = digits.parse().unwrap_or(0);
    if whole == "0" { thousandths } else { 1_000 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_spoken() {
        for (header, expected) in [
            (None, Locale::En),
            (Some("ja"), Locale::Ja),
            (Some("ja-JP,ja;q=0.9,en;q=0.8"), Locale::Ja),
            (Some("en-US,en;q=0.9,ja;q=0.8"), Locale::En),
            (Some("fr, ja;q=0.5"), Locale::Ja),
            (Some("en;q=0.2, ja;q=0.25"), Locale::Ja),
            (Some("de, *;q=0.1"), Locale::En),
        ] {
            assert_eq!(preferred(header), expected, "{header:?}");
        }
    }
}
