# What the built-in shop says to its customers.

shop = 小さなお店
test-only = テストモードです。実際のお金は動きません。
quantity = 数量
buy = 購入する
ledger = 台帳
back = お店に戻る
thanks = ありがとうございます。お支払いが完了しました。
waiting = ご注文を承りました。お支払いをお待ちしています。
waiting-more = お支払いの確認後に発送します。確認できると台帳に記録されます。
not-paid = このお会計はまだ支払われていません。
unknown = このお会計は見つかりません。
cancelled = お支払いはキャンセルされました。
cancelled-more = 請求は発生していません。
provider-failed = 決済サービスが要求に応じませんでした。
not-found = ページが見つかりません。
foreign-form = このフォームは別のサイトから送信されました。
session = チェックアウトセッション
amount = 金額
status = 状態
created = 作成日時
event = イベント
empty = 台帳はまだ空です。
paid = 支払い済み
refunded = 返金済み
