# What Creem's pages say beside what every page of payment says.

test-cards-text = 4242 4242 4242 4242 は支払い成功、4000 0000 0000 0002 は拒否、4000 0000 0000 9995 は残高不足、4000 0000 0000 0341 は初回だけ成功し更新はすべて失敗します。有効期限は未来の日付、セキュリティコードは任意の数字です。3D セキュアは求めません。
footer = このページは Creem のページの代わりです。Creem とは関係がありません。
orders = 注文
no-orders = 注文はまだありません。
canceled = 解約済み
resumed = サブスクリプションを再開しました。
trial = { $count } 日間無料
then-each = その後 { $amount }
