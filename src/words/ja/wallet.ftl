# What the merchant application says about a buyer's cards, payments and own page.

cards = 登録済みのカード
cards-none = カードはまだ登録されていません。
card-is = { $brand } 末尾 { $last4 }（有効期限 { $expiry }）
card-default = 自動更新の支払いに使用中
card-make-default = 自動更新の支払いに使う
card-remove = 削除
card-add = カードを追加する
card-add-more = 請求は発生しません。次回以降のお支払いのために登録します。
card-field = カード
card-save = このカードを登録する
pay = お支払い
pay-more = ショップが自分で用意したフォームです。カード番号はブラウザーから決済サービスへ直接送られ、ショップには届きません。
pay-amount = 金額（円）
pay-range = { $least } から { $most } まで。
pay-go = 次へ
pay-now = { $amount } を支払う
pay-done = ありがとうございます。{ $amount } のお支払いが完了しました。
pay-waiting = お支払いを確認しています。
pay-failed = お支払いは完了していません。請求は発生していません。
needs-script = このフォームには JavaScript が必要です。カードは決済サービスのフレームに入力します。
no-publishable = 公開可能キーがありません。STRIPE_PUBLISHABLE_KEY を設定してください。
my-page = マイページ
no-subscription = 変更できるサブスクリプションがありません。
no-customer = まだ購入がないため、請求のページはありません。
back = 戻る
