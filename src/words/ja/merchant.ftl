# What the shop of `stripegym shop` says to its users.

shop = クレジットショップ
own-name = 日本語
language = 言語
navigation = ページ
skip = 本文へ移動
test-only = テストモードです。実際のお金は動きません。

## Accounts

nav-account = マイアカウント
nav-api = API
nav-cards = カード
nav-my-page = マイページ
nav-pay = お支払い
nav-pricing = 料金
sign-in = ログイン
sign-in-title = ログイン
sign-out = ログアウト
sign-up = 新規登録
sign-up-title = アカウントの作成
email = メールアドレス
password = パスワード
password-rule = 10文字以上で入力してください。
have-account = アカウントをお持ちですか？
no-account = アカウントをお持ちでない場合は

## Prices

home-title = ようこそ
home-text = クレジットを1回だけ購入することも、毎月受け取ることもできます。
to-pricing = 料金を見る
pricing-title = 料金
pricing-text = お支払いは決済サービスのページで行います。支払いが確認されると、すぐにクレジットが届きます。
no-plans = 現在販売中のプランはありません。
once = 1回払い
per-month = / 月
per-year = / 年
paid-with = お支払い：{ $provider }
coupon = クーポンまたはプロモーションコード（任意）
buy = 購入する
subscribe = 申し込む
sign-in-to-buy = ログインして購入

## An account

account-title = マイアカウント
credits = クレジット
credit-book = クレジットの履歴
no-credits = クレジットはまだありません。
orders = 注文
no-orders = 注文はまだありません。
subscription = サブスクリプション
subscriptions = サブスクリプション
no-subscriptions = サブスクリプションはありません。
order = 注文番号
plan = プラン
status = 状態
amount = 金額
date = 日付
period = 期間
reason = 理由
reason-purchase = 購入
reason-refund = 返金
reason-dispute = 不審請求の申請
reason-grant = 手動での付与
status-pending = 支払い待ち
status-succeeded = 支払い済み
status-failed = 支払い失敗
status-partially-refunded = 一部返金済み
status-refunded = 返金済み
status-disputed = 不審請求の申請中
status-active = 有効
status-trialing = トライアル中
status-past-due = 支払い遅延
status-unpaid = 未払い
status-paused = 一時停止中
status-incomplete = 支払い未完了
status-canceled = 終了
ends-on = { $date }に終了
renews-on = { $date }まで（自動更新）

## After a payment

success-title = ありがとうございます。お支払いが完了しました。
success-text = 注文は正常に処理されました。
coming-title = ご注文を承りました。お支払いをお待ちしています。
coming-text = 支払いが確認されると、マイアカウントに表示されます。

## What cannot be done

error-signed-out = 先にログインしてください。
error-sign-in = メールアドレスまたはパスワードが正しくありません。
error-sign-up = このメールアドレスではアカウントを作成できません。すでにお持ちの場合はログインしてください。
error-email = メールアドレスを入力してください。
error-password = パスワードは10文字以上256文字以内で入力してください。
error-too-often = 試行回数が多すぎます。{ $seconds }秒お待ちください。
error-foreign-form = このフォームは当店のページから送信されたものではないか、ページが古くなっています。もう一度開いてください。
error-form = フォームを読み取れませんでした。
error-json = リクエストは仕様どおりのJSONでなければなりません。
error-too-long = 長すぎます。
error-no-page = ページが見つかりません。
error-provider = 決済サービスが要求に応じませんでした。もう一度お試しください。
error-provider-name = その決済サービスはありません。
error-store = 現在保存できません。もう一度お試しください。
error-coupon = このコードは利用できません。
error-plan = そのプランはありません。
error-subscribed = このサブスクリプションはすでにお申し込み済みです。
error-rights = ショップのキーには、この操作の権限がありません。足りない権限は stripegym doctor で確認できます。
error-session = その決済は見つかりません。
error-other-user = この決済は別のユーザーのものです。
error-not-complete = この決済はまだ完了していません。
error-creem = このお店はCreemでの販売に対応していません。
error-signature = Creemから戻ってきたアドレスではありません。

## グラフ（オーナー専用）

charts-title = グラフ
charts-text = 直近30日間の記録から集計しています。塗りつぶしの棒はStripe、斜線の棒はCreemです。
chart-success = 支払いの成功率
chart-declines = 拒否された支払い（コード別）
chart-revenue = 日ごとの売上 { $currency }
chart-credits = 未使用のクレジット
chart-none = まだありません。
chart-of = { $all }件中{ $paid }件（{ $percent }%）
error-owner = お店のオーナーだけが見られるページです。お店を動かしている人が次のコマンドでオーナーを設定します。
