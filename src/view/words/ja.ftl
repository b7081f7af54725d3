# プログラムが表示する文言（日本語）。`$name` はプログラムが埋める値。

## Help

heading-usage = 使い方:
heading-commands = コマンド
heading-options = オプション
heading-arguments = 引数
heading-global = 共通オプション
heading-json = --json での標準出力:
help-one-of = [値: { $values }]
help-default = [省略時: { $value }]
help-about = Stripe 決済の組み込みを、オフラインで学び、動かし、確かめるツール。
help-long =
    終了コード: 0 正常 · 1 差異あり・未払い · 2 使い方の誤り · 3 環境の問題 · 4 レッスンなどの不備 · 5 安全のため拒否 · 70 本ツールの不具合 · 130 中断
    設定の優先順位: フラグ > 環境変数 > .env > 既定値。一覧は .env.example を参照。
    エラーは標準エラー出力へ。--json では 1 行で: {"{"}"error": {"{"}kind, message, cause, where, next: [], exit{"}"}{"}"}
help-lang = 表示言語（ja または en）。省略時は LC_ALL、LC_MESSAGES、LANG の順に従います。
help-json = 標準出力に JSON を出力します（形式は --help を参照）。
help-mode = キーに関係なく、接続先をサンドボックスまたは Stripe に固定します。
help-live = 本番キーの使用を許可します。実際にお金が動きます。
help-home = 台帳とサンドボックスを置くフォルダー [.stripegym]。
help-no-color = 色を付けません（NO_COLOR と同じ）。
help-verbose = ログを標準エラー出力に出します。-v は info、-vv は debug、-vvv は trace。秘密情報は伏せます。
help-help = ヘルプを表示します（--help は -h より詳細）。
help-version = バージョンを表示します。
help-catch-up-about = 受信していなかった間の出来事を台帳に取り込みます。
help-catch-up-long = 前回以降のイベントを読み込みます。保存期間の 30 日より前は、オブジェクトと balance transaction から取り込みます。途中で止めても続きから再開でき、繰り返しても結果は変わりません。
help-catch-up-since = 開始時点（2h、7d、日付、RFC 3339。既定は前回の続き）。
help-catch-up-undelivered = 配信できなかったイベントだけ。
help-checkout-about = Checkout Session を作成し、支払われるまで待ちます。
help-checkout-long =
    金額は通貨の最小単位で指定します（--amount 500 は 500 円、または 5.00 ドル）。
    支払い済み（コンビニ払いなど手続き完了・入金待ちを含む）なら 0、拒否・キャンセル・期限切れなら 1 で終了します。
help-checkout-amount = 単価。通貨の最小単位（500 は 500 円、または 5.00 ドル）。価格の指定がなければ 500。
help-checkout-currency = 通貨。
help-checkout-name = 支払いページに表示する商品名。
help-checkout-quantity = 数量。
help-checkout-price = 金額の代わりに、登録済みの価格 ID を使います。
help-checkout-lookup-key = 登録済みの価格を lookup key で指定します。
help-checkout-metadata = セッションのメタデータ。繰り返し指定できます。
help-checkout-email = 購入者のメールアドレス。
help-checkout-success-url = 支払い後の遷移先。{"{"}CHECKOUT_SESSION_ID{"}"} は実際の ID に置き換わります。
help-checkout-cancel-url = 「戻る」リンクの遷移先。
help-checkout-pay = サンドボックスの支払いページを代わりに操作します。テストカード番号、または decline、3ds、konbini、cancel。
help-checkout-no-wait = セッションを表示して、待たずに終了します。
help-checkout-open = 支払いページをブラウザーで開きます（画面のあるターミナルでは常に開きます）。
help-checkout-no-open = ブラウザーを開きません。
help-listen-about = Webhook を受信し、署名を検証して台帳に記録します。
help-listen-long = サンドボックスでは自身を Webhook エンドポイントとして登録し、終了時に削除します。Stripe のキーがある場合は保存した位置からイベントを取得するため、停止中のイベントも漏れません。台帳への書き込みが完了してから 200 を返します。
help-listen-port = 待ち受けポート。0 なら空きポートを使います [PORT、省略時 4242]。
help-listen-lasting = 指定時間で終了します（60s、5m、2h など）。
help-listen-until = この種類のイベントを受信したら終了します。
help-listen-count = この件数を受信したら終了します。
help-listen-forward-to = 受信した内容をそのままこの URL へ転送します。
help-listen-print-secret = 署名シークレットを表示します。
help-listen-tls-cert = この証明書（PEM）で TLS のみを話します。サンドボックスの配信は別のポートに届きます。
help-listen-tls-key = 証明書の秘密鍵（PEM）。
help-ledger-about = 台帳。受け取った支払いの記録です。
help-ledger-accounts-about = 勘定科目を表示します。
help-ledger-accounts-format = 出力形式。
help-ledger-balance-about = 勘定科目ごとの残高を通貨別に表示します。
help-ledger-balance-long = 借方が正です。
help-ledger-balance-format = 出力形式。
help-ledger-compact-about = 何も失わずに台帳のファイルを小さくします。
help-ledger-compact-long = 受信したままのイベントを圧縮し、元どおりに戻ることを確かめてから空き領域を返します。読み出しはこれまでと変わりません。いつ止めても続きから再開できます。空き領域を返す間の配信は 503 になることがあり、再送されます。
help-ledger-compact-format = 出力形式。
help-ledger-export-about = 帳簿をほかのプログラム向けに書き出します。
help-ledger-export-format = 書き出す形式。表計算、プログラム、beancount、hledger、またはファイルの写し。
help-ledger-export-output = sqlite の書き出し先。存在しないファイルを指定します。
help-ledger-import-about = イベント・オブジェクト・別の台帳を取り込みます。
help-ledger-import-long = 1 行に 1 件のイベントまたは API オブジェクトのファイル、または別の ledger.db を指定します。既知のものは結果を変えません。読み込めない行は一覧にします。
help-ledger-import-file = 取り込むファイル。
help-ledger-import-format = 出力形式。
help-ledger-journal-about = 複式簿記の仕訳を表示します。
help-ledger-journal-long = 各仕訳には、元になった受信記録と、取り消した仕訳が付きます。
help-ledger-journal-format = 出力形式。
help-ledger-journal-limit = 新しい順にこの件数まで。
help-ledger-journal-object = この対象の仕訳だけ（pi_…、ch_…、txn_…）。
help-ledger-problems-about = 確認が必要なものを表示します。
help-ledger-problems-long = 読み取れないイベント、食い違い、別モードのイベント、手数料が未確定の支払いです。
help-ledger-problems-format = 出力形式。
help-ledger-rebuild-about = 記録から導かれるものを作り直し、検証します。
help-ledger-rebuild-format = 出力形式。
help-ledger-show-about = 台帳の行と通貨ごとの合計を表示します。
help-ledger-show-format = 出力形式。
help-ledger-show-status = この状態の行だけ。
help-ledger-show-since = この時点以降に作成された行だけ（2h、7d、2026-11-21、2026-11-21T09:00:00+09:00 など）。
help-ledger-show-limit = 新しい順にこの件数まで。端末に表示する表では、指定しないと 1,000 件まで。
help-ledger-show-session = このセッションの行だけ。
help-ledger-verify-about = 行の変更・欠落・移動がないか調べます。
help-ledger-verify-long = 記録が書かれたときのままか、次にほかの行がその記録から導かれるかを調べます。該当する行を示し、1 で終了します。
help-ledger-verify-format = 出力形式。
help-reconcile-about = 台帳・決済側・ファイルを 1 件ずつ突き合わせます。
help-reconcile-long =
    SOURCE は ledger、provider、csv:FILE、jsonl:FILE、sqlite:FILE#TABLE のいずれか。payment_intent、charge、session、reference の順に照合します。Stripe のエクスポート、銀行や表計算のファイルはそのまま読めます。列名が異なる場合は --map で NAME=COLUMN、units=minor|major、currency=jpy、encoding=shift_jis のように指定します。
    判定: MATCH、PENDING、MISSING_IN_LEDGER、MISSING_AT_PROVIDER、AMOUNT、CURRENCY、STATUS、REFUND、DISPUTE、FEE、DUPLICATE_IN_LEDGER、DUPLICATE_AT_PROVIDER、PAYOUT_REMAINDER、LIVEMODE。
    差異がなければ 0、差異が残れば 1、突き合わせができなければ 3 で終了します。
help-reconcile-ours = 自分の側の SOURCE（既定は ledger）。
help-reconcile-theirs = 相手の側の SOURCE（既定は provider）。
help-reconcile-map = ファイルの列名の指定（片側または両側）。
help-reconcile-since = この時点以降に作成されたものだけ（2h、7d、日付、RFC 3339）。
help-reconcile-until = この時点より前に作成されたものだけ（2h、7d、日付、RFC 3339）。
help-reconcile-pending = これより新しければ PENDING とします（Stripe では既定 1m）。
help-reconcile-tolerance = 許容する金額の差（最小単位、既定は 0）。
help-reconcile-format = 出力形式。
help-reconcile-output = 標準出力の代わりに書き込むファイル。
help-reconcile-only-differences = 一致した行を省きます。
help-reconcile-incremental = 前回以降に両方のファイルへ追記された行だけを突き合わせます。ほかの変更があればすべて突き合わせます。
help-reconcile-fix = 決済側で確認できる不足分を示し、台帳に記録し直します。
help-reconcile-yes = 確認せずに記録し直します。
help-reconcile-explain-about = 1 件について両側の記録と判定の理由を示します。
help-reconcile-explain-id = 対象の ID（cs_…、pi_…、ch_…、re_…、dp_…、po_…）。
help-reconcile-explain-ours = 自分の側の SOURCE（既定は ledger）。
help-reconcile-explain-theirs = 相手の側の SOURCE（既定は provider）。
help-reconcile-explain-map = ファイルの列名の指定（片側または両側）。
help-reconcile-explain-since = この時点以降に作成されたものだけ（2h、7d、日付、RFC 3339）。
help-reconcile-explain-until = この時点より前に作成されたものだけ（2h、7d、日付、RFC 3339）。
help-reconcile-explain-pending = これより新しければ PENDING とします（Stripe では既定 1m）。
help-reconcile-explain-tolerance = 許容する金額の差（最小単位、既定は 0）。
help-sandbox-about = サンドボックス（オフラインの Stripe）を Ctrl-C まで動かします。
help-sandbox-long = リクエストを受けられるようになると、標準出力に「Ready http://127.0.0.1:PORT」を 1 行だけ出力します。SDK の API ベース URL をここに向けてください。キーは sk_test_ で始まる任意の値で構いません。
help-sandbox-port = ポート。0 なら空きポート [STRIPEGYM_SANDBOX_PORT、省略時 12111、使用中なら次の空きポート]。
help-sandbox-bind = 127.0.0.1 以外で待ち受けます。他のマシンからも接続できるようになります。
help-sandbox-ephemeral = データをメモリ上だけに置きます。
help-sandbox-max-objects = 保存するオブジェクトと記録の上限（初期値 2,000,000）。超えると書き込みは拒否されますが、削除はできます。
help-sandbox-retry-schedule = Webhook の再送間隔。sandbox は数時間内に 3 回、live は本番同様に数日間、instant は即時。「1s,5s,30s」のように間隔を並べることもできます。
help-sandbox-deliver-to = ループバック以外で Webhook を届ける宛先。例: app:3000（繰り返し指定可）[STRIPEGYM_DELIVER_TO]。
help-sandbox-allow-remote-webhooks = どのアドレスにも Webhook を届けます。
help-sandbox-creem-webhook = サンドボックスの 2 つ目の決済サービス Creem で起きたことを、すべてこの宛先に知らせます。
help-sandbox-creem-secret = その Webhook の署名に使うシークレット。指定しなければ自動で作られ、/_stripegym/creem/webhooks で見られます。
help-sandbox-fault-about = 次のリクエストを失敗させ、クライアントの再試行を試します。
help-sandbox-fault-long = ルールはメモリ上に、ワールドごとに保持されます。1 回のリクエストだけなら「Stripegym-Fault: 500」のようなヘッダーでも指定できます。エラーを返したリクエストの冪等キーは使われなかった扱いになります。
help-sandbox-fault-add-about = ルールを追加します。
help-sandbox-fault-add-on = 対象のリクエスト。メソッド（* はすべて）とパス。{"{id}"} と * は 1 区間、末尾の * はそれ以降すべてに一致します（'POST /v1/payment_intents'、'* /v1/*'）。
help-sandbox-fault-add-answer = 返すもの。Stripe と同じ文面のエラー、無応答（timeout）、処理後の切断（cut）、処理前の切断（cut-before）。
help-sandbox-fault-add-times = 失敗させる回数。
help-sandbox-fault-list-about = ルールと、それぞれの使用回数を表示します。
help-sandbox-fault-clear-about = ルールをすべて消します。
help-logs-about = 動いているサンドボックスが応答した API リクエストを表示します。
help-logs-long = サンドボックスは新しい順に 10,000 件、文字列にして最大 8 MiB をメモリ上に保持し、終了すると消えます。残るのはメソッド、パス、ステータス、エラーメッセージで、本文、キー、アドレスは残しません。
help-logs-tail = 「tail」を付けると、以後のリクエストを応答のたびに Ctrl-C まで表示します。
help-logs-status = このステータスだけ。402、4xx、カンマ区切りで複数（402,5xx）。
help-logs-path = このパスだけ。{"{id}"} と * は 1 区間、末尾の * はそれ以降すべてに一致します。
help-logs-method = このメソッドだけ。
help-logs-limit = この件数まで（省略時 20）。tail では、この件数で終了します。
help-world = コマンドを実行するサンドボックスのワールド [STRIPEGYM_WORLD]。
help-sandbox-seed = ID の種（STRIPEGYM_SEED と同じ）。
help-sandbox-now = 時計を止める時刻（STRIPEGYM_NOW と同じ）。
help-sandbox-worlds-about = 実行中のサンドボックスのワールド（互いに独立した環境）を扱います。
help-sandbox-worlds-list-about = 一覧を表示します。
help-sandbox-worlds-create-about = ワールドを作成します。
help-sandbox-worlds-create-name = 名前（a-z、0-9、- を 1〜40 文字）。
help-sandbox-worlds-create-seed = ID の種。種と時刻が同じなら ID も同じになります。
help-sandbox-worlds-create-now = 時計を止める時刻（2026-12-24T00:00:00Z または Unix 秒）。進めるまで動きません。
help-sandbox-worlds-create-objects = 最初に入れるデータのファイル（API オブジェクトの JSON 配列）。
help-sandbox-worlds-reset-about = ワールドを空にします。種と時計も最初に戻ります。
help-sandbox-worlds-reset-name = 名前。default は名前のないワールド。
help-sandbox-worlds-delete-about = ワールドを中身ごと削除します。
help-sandbox-worlds-delete-name = 名前。
help-sandbox-worlds-snapshot-about = ワールドのスナップショットを取ります。
help-sandbox-worlds-snapshot-name = 名前。default は名前のないワールド。
help-sandbox-worlds-snapshot-label = スナップショットのラベル [latest]。
help-sandbox-worlds-restore-about = 現在の中身をスナップショットで置き換えます。
help-sandbox-worlds-restore-name = 名前。default は名前のないワールド。
help-sandbox-worlds-restore-label = スナップショットのラベル [latest]。
help-sandbox-account-about = 実行中のサンドボックスのアカウント設定を扱います。
help-sandbox-account-show-about = 設定を表示します。
help-sandbox-account-set-about = 設定を変更します。空の値なら既定値に戻ります。
help-sandbox-account-set-pairs = country、currency、api_version、payment_methods、raw_cards、 webhook_retries、dunning_retries のいずれかと値（例: currency=usd）。
help-sandbox-keys-about = 実行中のサンドボックスの制限付きキーを扱います。
help-sandbox-keys-create-about = 指定した権限だけを持つキーを作成します。
help-sandbox-keys-create-allow = 権限（例: products:read,checkout_sessions:write）。write は read を含みます。
help-sandbox-keys-list-about = 一覧を表示します。
help-sandbox-keys-delete-about = キーを削除します。
help-sandbox-keys-delete-key = キー。
help-clock-about = 実行中のサンドボックス（またはワールド）の時計を扱います。
help-clock-show-about = 現在時刻を表示します。
help-clock-advance-about = 時計を進めます。期限の来た処理が実行されます。
help-clock-advance-by = 進める長さ（'1 month'、'3 days'、'2 hours' など）。
help-clock-set-about = 指定した時刻まで時計を進めます。
help-clock-set-at = 時刻（2026-12-24T00:00:00Z、2026-12-24、または Unix 秒）。
help-trigger-about = 指定した種類のイベントを、実際の API 呼び出しで発生させます。
help-trigger-kind = イベントの種類。省略すると、発生させられる種類の一覧を表示します。
help-trigger-on = イベントを発生させる対象のオブジェクト。
help-trigger-set = API 呼び出しのパラメーターを変更します。最後の呼び出し以外に使う場合は、先頭にオブジェクトの種類を付けます。
help-events-about = 決済側のイベント。
help-events-list-about = 新しいイベントを一覧表示します。
help-events-list-kind = この種類のイベントだけ。
help-events-list-limit = この件数まで。
help-events-show-about = イベントを JSON で表示します。
help-events-show-id = イベントの ID。
help-events-resend-about = イベントを Webhook エンドポイントへ再送します。
help-events-resend-id = イベントの ID。
help-cards-about = テストカードを動作別のグループで一覧表示します。
help-cards-filter = グループ（succeeds、countries、declines、3ds、checks、disputes、refunds、balance、konbini）、番号、トークン、ブランド、国、拒否コードのいずれか。一部だけでもかまいません。
help-doctor-about = つまずきの原因を調べ、対処法を表示します。
help-env-example-about = .env.example の内容を出力します。
help-contract-about = 採点に必要なもの（ルート、環境変数、台帳）を表示します。
help-keep-about = 採点のために起動したプログラムを見守り、採点とともに終了させます。
help-keep-command = 起動するコマンド。

## Settings

setting-stripe-secret-key =
    dashboard.stripe.com で取得したテストキー。空なら、すべてこのマシン内のサンドボックスで動きます。
    本番キーは --live を付けない限り拒否します。
setting-stripe-publishable-key = listen の GET /config がブラウザーに渡す公開可能キー。
setting-stripe-webhook-secret = listen が受け付ける署名シークレット（カンマ区切りで複数可）。サンドボックスでは登録時に自動で得られます。
setting-stripe-api-base = 決済側のベース URL。別の場所で動くサンドボックスやプロキシを使う場合に指定します。
setting-stripegym-mode = sandbox または stripe。空なら、キーがあれば stripe、なければ sandbox。
setting-stripegym-home = 台帳とサンドボックスのデータを置くフォルダー。
setting-stripegym-sandbox-port = サンドボックスが最初に試すポート。
setting-stripegym-deliver-to = サンドボックスが Webhook を届けるループバック以外の宛先。カンマ区切りの host:port（例: app:3000）。
setting-port = listen の待ち受けポート。
setting-stripegym-lang = ja または en。空なら LC_ALL、LC_MESSAGES、LANG に従います。
setting-stripegym-now = テスト用に時計を固定する Unix 秒。
setting-stripegym-seed =
    数値。同じ値なら、新しいフォルダーで実行した出力が 1 バイトまで一致します。ID と秘密の値はここから決まり、
    時計は止まり（最初は 2026-12-01T00:00:00Z、実行ごと・1 日分ごとに 1 分進む）、所要時間は 0 になります。
    サンドボックスでのみ使えます。
setting-stripegym-world = コマンドを実行するサンドボックスのワールド。Stripe には使われません。
setting-rust-log = ログレベル（例: stripegym::sandbox=debug）。秘密情報は伏せます。
setting-no-color = 何か値があれば、色を付けません。

## Failures

fault-label = エラー:
fault-where = 場所
fault-cause = 原因
fault-next = 次の一手
fault-unknown-flag = `{ $flag }` というフラグはありません。
fault-unknown-command = `{ $command }` というコマンドはありません。
fault-meant = `{ $meant }` のことでしょうか。
fault-bad-value = `{ $flag }` に `{ $value }` は指定できません。
fault-expected = 指定できる値: { $expected }
fault-missing = 指定が足りません: { $what }
fault-conflict = `{ $flag }` と `{ $other }` は同時に指定できません。
fault-usage-other = コマンドラインを解釈できません: { $message }
fault-setting = 設定 `{ $name }` の値が正しくありません。
fault-live-key = `{ $name }` は本番キーです。実際にお金が動くおそれがあるため、何も実行しませんでした。
fault-key-publishable = `{ $name }` に公開可能キー（pk_…）が入っています。ブラウザー用のキーなので API は呼べません。
fault-key-secret = `{ $name }` にシークレットキー（sk_… または rk_…）が入っています。ブラウザーから見えてしまいます。
fault-key-missing = モードが `stripe` ですが、キーがありません。
fault-sandbox-only = `{ $command }` はサンドボックス専用ですが、モードが `stripe` になっています。
fault-port-taken = { $address } で待ち受けできません。
fault-app-down = { $url } で応答するサーバーがありません。
fault-provider-down = { $base } から応答がありません。
fault-provider-refused = 決済側がリクエストを拒否しました（{ $status }）: { $message }
fault-provider-odd = 決済側の応答が仕様どおりではありません: { $what }
fault-page = 支払いページを操作できませんでした: { $what }
fault-ledger = 台帳を利用できません。
fault-ledger-busy = 別のプログラムが台帳を使用中です。
fault-sandbox-store = サンドボックスのファイルを利用できません。
fault-file = ファイルまたはフォルダーを利用できません。
fault-no-scenario = `{ $kind }` を発生させるシナリオはありません。
fault-not-found = { $what } が見つかりません。
fault-timed-out = { $what } を { $seconds } 秒待ちましたが、届きませんでした。
fault-no-pages = { $day } は自分のページ（/、/checkout、/success）を確認する日ですが、{ $url } にはページがありません。
fault-program-not-found = コマンドが見つかりません: { $command }
fault-program-exited = サーバーが応答する前に終了しました（{ $how }）: { $command }
fault-program-silent = サーバーは動いていますが、10 秒待っても { $address } から応答がありません: { $command }
fault-program-taken = { $address } では、すでに別のプログラムが応答しています。
fault-program-not-here = サーバーの起動は Linux、macOS などの Unix でのみ利用できます。
fault-interrupted = 中断しました。受け付け済みの内容は保存されています。
fault-gone = 中断しました。このサンドボックスはメモリ上だけのものなので、内容は残りません。
fault-not-offered = この金額と通貨では、支払いページで { $method } を選べません。
fault-bug = stripegym の不具合です: { $what }

## What to do next

next-help = { $command } --help
next-setting = その値を修正するか、空にしてください。設定の説明は .env.example にあります。
next-live-key = テストキー（sk_test_…）を使うか、本当に本番で実行する場合のみ --live を付けてください。
next-key-slot = STRIPE_SECRET_KEY には sk_test_… か rk_test_…、STRIPE_PUBLISHABLE_KEY には pk_test_… を入れます。サンドボックスでは空で構いません。
next-key-unknown = 認識されないキーです。STRIPE_SECRET_KEY にキー全体をコピーしてください。サンドボックスでは空で構いません。
next-listen = そのポートで待ち受けているものがありません。サーバーは 127.0.0.1 か 0.0.0.0 で動いていますか。コンテナでは 0.0.0.0 で待ち受け、-p でポートを公開します。
next-answers-at = --app http://{ $address } を追加    （応答があるのはこのアドレスだけ）するか、127.0.0.1 で待ち受けます
next-key-missing = .env に STRIPE_SECRET_KEY を設定するか、--mode sandbox を付けてください。
next-sandbox-mode = --mode sandbox を付けてください。
next-other-port = { $command } --port 0    （空きポートを使用）
next-doctor = stripegym doctor
next-program-alone = { $command }    （単独で起動して出力を確認）
next-program-at = --app http://{ $address } を追加    （サーバーが待ち受けているアドレス）
next-program-port = stripegym day0 --exec 'flask run -p $PORT'    （空きポートが PORT に入ります）
next-print-env = stripegym day0 --app { $url } --print-env    （サーバーに必要な環境変数をコピー用に表示）
next-app-exec = stripegym day0 --exec 'flask run -p $PORT'    （環境変数を渡してサーバーを起動）
next-no-pages = stripegym day3    （3〜5 日目は /webhook と /ledger だけで採点できます）
next-sandbox = stripegym sandbox        （別のターミナルで）
next-logs = リクエスト ID は { $request } です。-v を付けるとログで確認できます。
next-ledger-busy = このフォルダーを使っている別の stripegym を終了するか、--home で別のフォルダーを指定してください。
next-home = --home で別のフォルダーを指定するか、権限と空き容量を確認してください。
next-file = パスと、読み書きの権限を確認してください。
next-scenarios = stripegym trigger        （発生させられる種類の一覧）
next-again = 同じコマンドをもう一度実行すると、続きから再開します。
next-bug = 実行したコマンドと -vv の出力を添えて報告してください。
next-events-list = stripegym events list

## Where things are

place-sandbox = サンドボックス
place-stripe = Stripe
header-home = stripegym
header-checkout = 支払い
header-ledger = 台帳
header-reconcile = 突合
header-doctor = 診断
header-cards = テストカード

## stripegym

home-folder = フォルダー { $path }
home-key = キー     { $key }（{ $origin }）
home-no-key = キー     サンドボックスでは不要
home-running = 決済側   サンドボックスが { $base } で稼働中
home-idle = 決済側   次のコマンドがサンドボックスを自動で起動します
home-rows = 台帳     { $rows } 行
home-no-ledger = 台帳     まだありません
home-next = 次に試すコマンド:
home-next-first = 決済の一周を体験する
home-next-listen = Webhook を受信する（ターミナル 1）
home-next-checkout = 支払いを受ける（ターミナル 2）
home-next-ledger = 入金の記録を見る
home-next-reconcile = 記録が一致するか確かめる

## Columns

col-time = 日時
col-http-method = メソッド
col-path = パス
col-request = リクエスト
col-answer = 応答
col-uses = 使用
col-session = セッション
col-amount = 金額
col-status = 状態
col-verdict = 判定
col-ledger = 台帳
col-provider = 決済側
col-currency = 通貨
col-rows = 行数
col-paid = 入金
col-refunded = 返金
col-net = 差引
col-number = 番号
col-email = メールアドレス
col-brand = ブランド
col-method = pm_card_…
col-what = 動作
col-event = イベント
col-fee = 手数料
col-kind = 種類
col-object = 対象
col-difference = 差額
col-account = 勘定科目
col-postings = 明細数
col-reason = 理由
col-problem = 問題
col-said = 内容
col-table = 表
col-row = 行
col-deviation = 相違

## Ledger and reconciliation

ledger-empty = 該当する行はありません。
ledger-hint = Webhook を受信すると行が書き込まれます: stripegym listen
ledger-count = { $all } 行中 { $shown } 行
ledger-nothing = 表示するものはありません。
ledger-verified = 記録 { $lines } 件、書き手 { $writers }、チェックポイント { $checkpoints } を調べました。相違 { $findings } 件。
reconcile-empty = 突き合わせる対象がまだありません。
reconcile-clean = MATCH: { $rows } 件すべて一致しています。
reconcile-differs = { $rows } 件中 { $differing } 件に差異があります。
reconcile-fix-hint = 不足分は stripegym reconcile --fix で記録し直せます。
reconcile-more = … ほか MATCH { $count } 件（--format csv ですべて出力）
reconcile-fixed = 修復済み   { $session }（{ $before }）
reconcile-not-fixed = 変更なし   { $session }（{ $before }）
reconcile-planned = 修復予定   { $session }（{ $before }）
reconcile-ask = { $count } 件の差異を台帳に記録し直せます。実行しますか? [y/N]
reconcile-yes = 何も変更していません。実行するには stripegym reconcile --fix --yes
reconcile-why =
    { $verdict ->
        [MATCH] 両側の内容が一致しています。
        [PENDING] 作成直後か配信中です。少し待って、もう一度突き合わせてください。
        [MISSING_IN_LEDGER] 台帳に通知が届いていません。stripegym reconcile --fix で記録し直せます。
        [MISSING_AT_PROVIDER] 決済側に存在しません。削除は行いません。誰が記録したのかを調べてください。
        [AMOUNT] 金額が食い違っているため、どちらも採用しません。請求額を確認し、差額は手動で記録してください。
        [CURRENCY] 通貨が食い違っているため、どちらも採用しません。請求内容を確認してください。
        [STATUS] その後の経過が台帳に届いていません。stripegym reconcile --fix で記録し直せます。
        [REFUND] 返金が台帳に届いていません。stripegym reconcile --fix で記録し直せます。
        [DISPUTE] 不審請求の申請が台帳に届いていません。stripegym reconcile --fix で記録し直せます。
        [FEE] 手数料が異なります。balance transaction と照らし合わせてください。
        [DUPLICATE_IN_LEDGER] 1 つの支払いが二重に記録されています。削除は行いません。手動で取り消してください。
        [DUPLICATE_AT_PROVIDER] 決済側に 2 件あります。顧客が二重に支払っていないか確認してください。
        [PAYOUT_REMAINDER] 入金額が内訳の合計と一致しません。差額を示します。内訳にない取引を探してください。
        [LIVEMODE] 片側だけが本番環境のデータです。これ以上は比較しません。
       *[other] { $verdict }
    }
reconcile-rule = { $key } で照合し、{ $verdict } と判定しました。
reconcile-cut = … ほか { $count } 件（csv と jsonl ではすべて出力）
caught-up = { $from } 以降のイベント { $events } 件、オブジェクト { $objects } 件を読み込みました（新規 { $fresh } 件）。
notice-catching-up = { $until } まで: { $read } 件読み込み、新規 { $fresh } 件
ledger-imported = { $read } 行を読み込みました（新規 { $fresh } 行）。
compacted = { $lines } 行を圧縮しました。ファイルは { $before } MB から { $after } MB になりました（イベントのバイト数の { $part } %）。
notice-compacting = { $all } 行中 { $done } 行を圧縮しました
notice-comparing = { $rows } 行を読み込みました（毎秒 { $rate } 行）{ $left ->
        [-1] {""}
       *[other] 、残り約 { $left } 秒
    }
notice-merging = { $rows } 行を読み込みました。突き合わせています{ $left ->
        [-1] {""}
       *[other] 、残り約 { $left } 秒
    }
notice-encoding = { $path } を { $encoding } として読み込みました。

## Checkout

checkout-paid = 支払いが完了しました。
checkout-processing = 手続きは完了し、入金待ちです。
checkout-declined = 未払い: カードが拒否されました。セッションはまだ有効です。
checkout-canceled = 未払い: 購入者がショップに戻りました。セッションはまだ有効です。
checkout-expired = 未払い: セッションの有効期限が切れました。
checkout-created = 作成しました。次の URL で支払えます:
checkout-said = ページの表示: { $message }
checkout-no-page = 作成しました。サンドボックスはこのコマンドとともに終了したため、支払いページは開けません。別のターミナルでサンドボックスを起動してから、もう一度作成してください:
notice-open = { $total } の支払いページ: { $url }
notice-no-browser = ブラウザーを開けませんでした（{ $cause }）。上の URL を手動で開いてください。
notice-waiting = 支払い待ち（Ctrl-C で終了）

## Notices

notice-other-port = ポート { $wished } は使用中のため、{ $used } を使います。
notice-left-out = 出力が読み取られなかったため、{ $count } 行の表示を省略しました。処理はすべて記録されています。
notice-exposed = 警告: { $address } は他のマシンからも接続できます。
notice-hosting = このコマンド内でサンドボックスを起動しました: { $base }
notice-listening = { $url } で待ち受け中（Ctrl-C で終了）
notice-registered = エンドポイント { $endpoint } として登録しました
notice-polling = { $base } からイベントを取得中（Ctrl-C で終了）
notice-poll-failed = イベントを取得できません。再試行します: { $cause }
notice-ledger-busy = 別のプログラムが台帳 { $path } を使用中です。解放されるまで配信には 503 を返します。
notice-ledger-full = 台帳 { $path } のディスクに空きがありません。空きができるまで配信には 503 を返します。
notice-ledger-removed = 台帳 { $path } が削除され、まだ作り直せません。配信には 503 を返します。ファイルを元に戻すか、フォルダーを書き込み可能にしてください。
notice-ledger-rebuilt = 台帳 { $path } が削除されたため、これまでに受信した内容で作り直しました。最初からやり直すには、終了してから `stripegym reset ledger` を実行してください。
notice-ledger-replaced = { $path } に別のファイルがあります。このファイルには手を加えず、配信には 503 を返します。ファイルを移動するか、台帳を元に戻してください。
notice-ledger-adopted = { $path } に台帳のコピーがあります。最新の内容にして、以後はこのファイルを使います。
notice-ledger-failed = 台帳 { $path } に書き込めず、配信に失敗しています。`stripegym doctor` でディスクを確認してください。
notice-ledger-back = 台帳 { $path } への書き込みが再開しました。
notice-forwards-dropped = 転送中の配信が多すぎるため、{ $count } 件を転送しませんでした。
notice-surroundings = サーバーの環境変数に次の値が必要です（伏せ字なしの表示は --print-env）:
notice-webhook-only = ページがなく、{ $url } だけのサーバーです。セッションは stripegym が作成し、ページに関する確認は省略します。
notice-started = サーバーを起動しました。{ $url } で応答しています（出力は { $output }）: { $command }
delivery-recorded = 記録
delivery-stored = 保存
delivery-not-booked = 保存（台帳に記録できません: { $problem }）
delivery-untrusted = 相手の証明書を信頼できません
delivery-duplicate = 重複
delivery-rejected = 拒否 { $status } { $reason }
delivery-forwarded = 転送先: { $status }
delivery-not-forwarded = 転送失敗: { $cause }
listen-summary = 受信 { $deliveries } 件（新規 { $recorded }、重複 { $duplicates }、拒否 { $rejected }）

## Day 0

day0-sandbox-up = サンドボックス（オフラインの Stripe）が { $base } で応答しました
day0-listener-up = ショップが { $url } で Webhook を待ち受けます
day0-created = { $total } の Checkout Session を作成しました: { $session }
day0-paid = 支払いページに末尾 { $last4 } のカードを入力して支払いました
day0-heard = 署名付きの { $kind } を検証し { $took } ms で保存しました
day0-booked = 台帳に記録されました: { $total }、{ $status }
day0-reconciled = 台帳と決済側を突き合わせました: 一致 { $matching } 件、差異 { $differing } 件
day0-pay-by-hand = 表示された支払いページを開き、カード番号 4242 4242 4242 4242、未来の有効期限、任意の CVC を入力
day0-by-hand = 手動では:
day0-done = 完了（{ $seconds } 秒）。
day0-next = 次は同じことを 2 つのターミナルで手動で:

## Cards

card-succeeds = 成功
card-declines = 拒否: { $code }
card-declines-after-attaching = 顧客に紐付け可、支払いは拒否
card-bad-number = 番号の誤り: incorrect_number
card-secure-always = 3D セキュア（毎回）
card-secure-unless-set-up = 3D セキュア（オフセッション設定済みなら不要）
card-secure-on-session = 3D セキュア（オンセッションのみ）
card-secure-optional = 3D セキュア対応（必須ではない）
card-secure-frictionless = 3D セキュア（チャレンジなし）
card-then-declines = → その後拒否: { $code }
card-then-error = → 処理エラー
card-flagged = 成功（フラグ: { $what }）
card-disputed = 成功後に不審請求: { $reason }
card-refund-pends = 返金が保留になり、後で成功
card-refund-fails = 返金が成功後に失敗
card-available-at-once = 売上が即時に利用可能
cards-foot =
    有効期限は未来の日付、CVC は任意（Amex は 4 桁）、郵便番号も任意。
    プログラムでは名前の前に pm_card_ か tok_ を付けます（例: pm_card_visa）。
cards-filter = グループ名や検索語で絞り込めます: `stripegym cards declines`
cards-succeeds = 成功（ブランド別）
cards-countries = 成功（発行国別）
cards-declines = 拒否
cards-secure = 3D セキュア
cards-checks = 成功（リスク高・検証失敗）
cards-disputes = 成功し、すぐに不審請求になるカード
cards-refunds = 返金が通常と異なる
cards-balance = 売上が即時に利用可能
cards-konbini = コンビニ払い（結果はメールアドレスで決まる）
konbini-succeeds = すぐに店頭で支払い済みになる
konbini-expires = 支払われないまま、すぐに期限切れ
konbini-never = 支払われないまま期限切れ

## Doctor

doctor-home = フォルダー { $path } に書き込めます
doctor-home-broken = フォルダー { $path } に書き込めません: { $cause }
doctor-port = ポート { $port } は空いています（{ $setting }）
doctor-port-taken = ポート { $port } は使用中です（{ $setting }）
doctor-port-fix = --port 0 を使うか、{ $setting } を別の値にしてください。
doctor-host = このフォルダーのサンドボックスが { $base } で稼働中です
doctor-clock = 時計は決済側と合っています（差 { $ahead } 秒）
doctor-clock-unknown = 時計は比較できません（問い合わせ先が動いていません）
doctor-clock-off = 時計が { $ahead } 秒ずれています。300 秒を超えると署名が拒否されます
doctor-clock-fix = OS の時刻同期を有効にしてください: timedatectl set-ntp true
doctor-clock-fixed = 時計が固定されています（STRIPEGYM_NOW）
doctor-clock-fixed-fix = テスト以外では STRIPEGYM_NOW を空にしてください。
doctor-key = キー: { $key }（{ $origin }）
doctor-no-key = キーは未設定です（サンドボックスでは不要）
doctor-rights = このキーには、ショップの { $page } に必要な権限がすべてあります
doctor-rights-lacking = このキーではショップの { $page } が動きません。足りない権限: { $rights }
doctor-rights-fix = 制限付きキーにこの権限だけを足してください(サンドボックスでは stripegym sandbox keys create)。
doctor-secrets = 署名シークレットが { $count } 個設定されています
doctor-secrets-sandbox = 署名シークレットは未設定です（サンドボックスでは登録時に得られます）
doctor-no-secrets = 署名シークレットが未設定です（取得したイベントのみ信頼できます）
doctor-secrets-fix = Stripe からこのマシンへ POST させる場合は STRIPE_WEBHOOK_SECRET を設定してください。
doctor-secrets-odd = 署名シークレットが whsec_ で始まっていません。どの署名も一致しません
doctor-secrets-odd-fix = STRIPE_WEBHOOK_SECRET には、エンドポイントの ID（we_…）や API キーではなく、署名シークレットを設定してください。
doctor-display = ブラウザーを表示できます
doctor-no-display = 画面がないため、ページは自動では開きません
doctor-display-fix = checkout --pay 4242424242424242 を使うか、表示された URL を別のターミナルで開いてください。
doctor-ledger = 台帳 { $path } は正常です
doctor-no-ledger = 台帳はまだありません（stripegym listen が { $path } を作成します）
doctor-silent-fix = アドレスとネットワークを確認してください。STRIPEGYM_MODE=sandbox なら外部への接続は不要です。
doctor-ledger-busy = 台帳 { $path } は別のプログラムが書き込み中です
doctor-ledger-broken = 台帳 { $path } を読めません: { $cause }
doctor-ledger-busy-fix = `stripegym listen` の実行中なら正常です。そうでなければ、使用中のプログラムを終了してください。
doctor-ledger-fix = ファイルを退避すると、listen と reconcile --fix が新しく作り直します。
doctor-env-absent = .env はありません（既定値を使用）
doctor-env-safe = .env は git の管理対象外です
doctor-env-tracked = .env が git で管理されています。push すると秘密情報が公開されます
doctor-env-fix = git rm --cached .env && echo .env >> .gitignore を実行し、キーを再発行してください。
doctor-home-fix = --home で別のフォルダーを指定してください。
doctor-well = 問題は見つかりませんでした。
doctor-bad = 先に解決すべき問題が { $count } 件あります。

## Events and triggers

control-none = 1 つもありません。
trigger-list = 発生させられるイベントの種類:
trigger-done = { $kind } が発生しました: { $event }
trigger-nothing = API 呼び出しは成功しましたが、{ $kind } は発生しませんでした。
requests-empty = 該当するリクエストは、動いているサンドボックスの記録にありません。
request-fault = 障害 { $fault }
notice-following = { $base } へのリクエストを表示します（Ctrl-C で終了）
faults-empty = 障害のルールはありません。リクエストには通常どおり応答します。
fault-added = 次の { $times } 回の `{ $on }` に `{ $answer }` を返します。
faults-cleared = { $count } 件のルールを消しました。
events-empty = 該当するイベントはありません。
event-resent = { $kind } { $event } を再送しました
event-for-nobody = { $event } を受け取るエンドポイントが登録されていないため、何も送信していません。登録するか、stripegym listen を実行してください。
deliver-changed = 台帳が変わりました。
deliver-event = { $kind }、{ $bytes } バイト
deliver-same = 台帳は変わっていません。
deliver-took = { $ms } ms
deliver-unsigned = Stripe-Signature ヘッダーなし
sign-header = ヘッダーには、作成した時刻と計算結果が入ります。
sign-key = 鍵はエンドポイントの署名シークレットです。知っているのはあなたと Stripe だけです: { $secret }
sign-mac = このテキストとこの鍵の HMAC-SHA256（16 進数）:
sign-text = 署名の対象: 時刻、ピリオド、本文の { $bytes } バイト（そのまま）
state-alive = サーバーが動き続け、接続を受け付けること
state-answer = 「{ $of }」に { $status } が返ること
state-answered = 応答は { $status } でした
state-answered-to = 「{ $of }」への応答は { $status } でした
state-at-least = { $what } が { $value } 以上であること
state-at-most = { $what } が { $value } 以下であること
state-attempts = 配信の試行が合計 { $count } 回であること
state-attempts-least = 配信が { $count } 回以上試行されること
state-begins = { $what } が { $value } で始まること
state-body = 「{ $of }」への応答
state-broken = サーバーエラー（5xx）
state-clean = ルール { $rule } に当てはまる箇所がプロジェクトにないこと
state-column = 台帳の列 { $name }
state-contains = { $what } に { $value } が含まれること
state-door = ページ「{ $page }」に、{ $to } へ進むフォーム・リンク・スクリプトのいずれかがあること
state-ends = 配信が { $end } で終わること
state-first = 1 回目の配信に { $status } が返ること
state-found = { $what }: { $value }
state-from = 台帳は { $before } 行から { $after } 行になりました
state-grew = { $by } 行増えました
state-grows = 台帳が { $by } 行増えること
state-happens = { $kind } が { $count } 回発生すること
state-header = ヘッダー { $name }
state-instead = 期待: { $expected } / 結果: { $got }
state-is = { $what } が { $value } であること
state-is-not = { $what } が { $value } でないこと
state-is-not-there = { $what } がないこと
state-is-one-of = { $what } が { $value } のいずれかであること
state-is-there = { $what } があること
state-logged = ログの 1 行に { $texts } が含まれること
state-longer = { $seconds } 秒以内に終わりませんでした
state-looked = { $count } 個のファイルを調べました
state-member = 「{ $of }」の { $name }
state-mentions = { $file } が { $count } 項目すべてに触れていること
state-near = { $what } が { $value } 前後であること
state-no-rows = 台帳に { $sessions } の行がないこと
state-no-secret = ログ・応答・プロジェクトのどこにもシークレットが出ないこと
state-not = 次が成り立たないこと: { $what }
state-not-judged = { $root } が不合格のため判定していません
state-not-logged = ログに { $text } が出ないこと
state-nothing = 見つかりませんでした
state-or = { $one }または { $other }
state-others = 台帳は { $after } 行のままですが、内容が変わっています
state-quick = 最後の配信に { $ms } ms 以内で応答すること
state-redirect = リダイレクト（3xx）
state-refusal = 拒否（4xx）
state-row = 台帳に { $session } の行があること
state-rows = 台帳に { $session } の行がちょうど { $count } 行あること
state-silent = { $topics } に触れていません
state-success = 成功（2xx）
state-to-payment = POST /checkout に対して、支払いページへのリダイレクト（303）が返ること
state-unchanged = 台帳が変わらないこと
state-verdicts = 突合の結果がすべて { $only } で、{ $count } 行以上あること
state-waits = 先に { $root } に合格すること
state-whole = { $what } が整数であること
state-within = { $seconds } 秒以内に終わること
state-without = 「{ $of }」への応答に { $text } が含まれないこと
talk-answer = 答えは { $answer } です。
talk-beyond = チェックリスト以外: 実際に起きやすい問題
talk-codes = 右端の D… はチェックリストの項目、X… はそれ以外の追加の確認です。explain D1.1 と入力すると説明が出ます。
talk-counts = 見た { $shown } · 自分でした { $done } · 自作サーバーで証明 { $proved }/{ $all }
talk-down = リスナーを止めました。配信しても、受け取る相手がいません。
talk-elsewhere = { $command } はここでは使えません。別のターミナルで実行してください。ここで使えるのは checkout、pay、trigger、deliver、sign、events、ledger、reconcile、refund、setup、card、dispute、clock、logs、stop、start です。
talk-end = { $title } – 終わりました。
talk-file = { $path } の { $line } 行目を開いてください。保存するたびに、ここで採点します。
talk-foot-gone = [Enter] 次へ · hint · why · raw · more · back · quit
talk-foot-open = [Enter] 見せてもらう · hint · why · raw · more · back · skip · quit
talk-grading = 採点しています…
talk-install = python3 も node もないため、この手順は説明だけにします。どちらかをインストールし、back で戻ると試せます。
talk-leave = 終わるときは quit と入力してください。続きから再開できます。
talk-less = これ以上はありません。
talk-mended = 直りました。
talk-more = … 続きは more で表示します
talk-next = 次に:
talk-next-try = 次は { $seconds } 秒後
talk-no-raw = ここで生のデータとして見せるものはありません。
talk-only-shown = 今回はすべて見ただけで、自分ではまだ何もしていません。それでも次の日へ進めます。
talk-own = または、自作のサーバーでこの日を証明する:
talk-place = ここまでを記録しました。続きは { $command } で再開できます。
talk-proved = 内蔵のショップは { $all } 件のチェックのうち { $held } 件に合格しました（省略 { $left } 件）。
talk-rest = チェックリストのその他の項目
talk-right = 正解です。
talk-step = 手順 { $at }/{ $all }
talk-unheard = 応答なし
talk-up = リスナーを再開しました: { $url }
talk-unknown = { $word } はここでは使えません。hint と入力するか、Enter を押してください。
help-day-about = レッスンを名前で実行します（名前だけでも実行できます）。
help-day-long = ターミナルでは 1 画面に 1 手順ずつ対話で進みます。--yes を付けたとき、ターミナルでないとき、CI では自動で進み、「見た」と記録します。キーもアカウントもネットワークも不要です。
help-day-lesson = レッスンの名前。
help-deliver-about = イベントを正しい署名、または改ざんして Webhook に送ります。
help-deliver-event = イベント。
help-deliver-tamper = 改ざんする箇所: 本文の 1 バイト、シークレット、時刻（10 分前）、ヘッダーなし。
help-sign-about = サンドボックスと同じ方法でイベントに署名し、計算を示します。
help-sign-event = イベント。
help-sign-explain = 計算を手順ごとに表示します。
help-pay-about = 既存の Checkout Session を支払いページで支払います。
help-pay-session = セッション。
help-pay-with = ページに入力する内容。
help-dispute-about = 不審請求を扱います。省略すると最新のもの。
help-dispute-show-about = 状態と、証拠の提出期限を表示します。
help-dispute-show-dispute = 不審請求。
help-dispute-evidence-about = 証拠の文章を保存します。まだ提出はされません。
help-dispute-evidence-text = 文章。サンドボックスでは winning_evidence か losing_evidence で結果が決まります。
help-dispute-evidence-dispute = 不審請求。
help-dispute-submit-about = 証拠を銀行に提出します。あとから追加できません。
help-dispute-submit-dispute = 不審請求。
help-shop-about = アカウント、プラン、注文、クレジットを備えたお店をCtrl-Cまで動かします。
help-shop-port = 受信するポート。0なら空きポート［PORT、なければ4242］。
help-shop-plans = 販売するプランのファイル（TOML）。サンドボックスでは足りない価格を作ります。
help-setup-about = カードを保存します（顧客を作り、支払いページに記入）。
help-setup-email = 購入者のメールアドレス。
help-setup-with = 保存するカード。
help-card-about = 保存されたカードを扱います。省略すると最新の顧客のもの。
help-card-list-about = 一覧を表示します。
help-card-list-customer = 顧客。
help-card-charge-about = 本人がいないときに請求します（off_session）。
help-card-charge-customer = 顧客。
help-card-charge-amount = 金額（最小単位）。
help-card-charge-currency = 通貨。
help-card-detach-about = 保存をやめます。
help-card-detach-customer = 顧客。
help-refund-about = 支払いの全額または一部を返金します。
help-refund-payment = 支払い（セッション、PaymentIntent、Charge のいずれか）。
help-refund-amount = 金額（最小単位）。省略すると残額すべて。

## コース

help-day-only = この段階だけ実行します（read, do, see, prove）。
help-day-from = この段階から実行します。
help-day-full = レッスン全文を表示します。
help-day-yes = 何も質問しません。付けないと、ターミナルでは質問することがあります。
help-day-answer = その日の質問に答えます（day2: id・type・session・amount、day1: jpy）。答えた分は質問しません。
help-day-price = 金額をコードに書く代わりに、先に作成した Price をショップで販売します。
help-day-junit = チェック結果を JUnit 形式の XML でもこのファイルに書きます。
help-day-attest = プログラムでは確認できない部分を、本人の申告で済みにします。
help-day-app = 内蔵のショップではなく、このアドレスの自分のサーバー（/、/checkout、/webhook、/ledger）を採点します。必要な環境変数は --print-env で表示できます。
help-day-exec = このコマンドで自分のサーバーを起動し（sh 経由）、採点後に停止します。環境変数 PORT、STRIPE_API_BASE、STRIPE_SECRET_KEY、STRIPE_PUBLISHABLE_KEY、STRIPE_WEBHOOK_SECRET を渡し、出力はログとして確認します。アドレスをサーバー側で決めている場合は --app も指定します。
help-day-webhook-path = Webhook のパスが /webhook 以外のときに指定します。
help-day-webhook-only = Webhook と台帳だけのサーバーであることを指定します（省略時は / と POST /checkout が 404、405、501 を返すかどうかで判定）。3〜5 日目のセッションは stripegym が作成し、ページに関する確認は省略します。
help-day-print-env = --app のサーバーに必要な PORT、STRIPE_API_BASE、STRIPE_SECRET_KEY、STRIPE_PUBLISHABLE_KEY、STRIPE_WEBHOOK_SECRET を伏せずに表示して終了します。ほかの出力では伏せ字です。署名シークレットは設定値、なければ一度だけ生成して .stripegym に保存した値です。
help-day-ledger = GET /ledger の代わりに SQLite ファイルから台帳を読みます（読み取り専用）。sqlite:PATH。テーブルや列を指定するなら sqlite:PATH?table=NAME&amount=COLUMN。
help-day-api-version = エンドポイントの API バージョン。自分のバージョンしか受け付けないライブラリー（stripe-go、stripe-dotnet）のときに指定します。
help-day-checkout-path = チェックアウトを始めるパスが /checkout 以外のときに指定します。
help-day-ledger-path = 台帳のパスが /ledger 以外のときに指定します。
help-day-no-ledger = 台帳がないサーバーであることを指定します。3 日目と 5 日目を、応答・API 呼び出し・配信だけで採点します。
help-day-ledger-cmd = GET /ledger の代わりに、このコマンドの出力（JSON か CSV）を台帳として読みます。
help-day-project = あなたのプロジェクトのフォルダー。シークレットの直書きやバージョンなどをファイルから調べ、day6 では README をまっさらなコピーで実行します。--exec か --app のときは、プロジェクトらしければ作業フォルダーを使います。
help-day-allow-exec = stripegym に付属しないレッスン（lessons/ フォルダー）にも README のコマンドの実行を許可します。
help-status-about = 7 日間の進み具合を表示します。
help-hint-about = チェックのヒント（3 段階）の次の 1 つを表示します。
help-hint-code = 確認項目、または失敗コード（SG3.7、D3.7）。day3 のように日を指定するとその日の、省略するとコース全体の、最初の未達項目。
help-hint-tier = この段階までのヒントを表示します。
help-explain-about = エラーコードや項目を説明します。
help-explain-name = コードまたは項目。省略すると項目の一覧。
help-reset-about = 進み具合・台帳・サンドボックスを初期化します（バックアップを残す）。
help-reset-what = day0 〜 day6、ledger、sandbox。
help-reset-all = 進み具合・台帳・サンドボックスのすべて。
help-dev-about = レッスンを書く人向け。
help-dev-items-about = レッスンの各項目をどの確認が証明するかを Markdown の表で出力します。
help-dev-check-about = すべてのレッスンが形式どおりか調べます。
help-dev-check-run = lessons/ の解答例・スターター・壊れたショップもすべて実際に採点します。
help-dev-check-tools = パッケージを入れたフォルダー（venv、node/node_modules、rust）。
help-dev-check-brief = 壊れたショップと Python のスターターを、それぞれのレッスンだけで採点します。
help-dev-check-jobs = 同時に試すプログラムの数。
help-dev-check-only = 名前がこれで始まるプログラムだけを試します。例: `python`、`mutant no_sig`
lesson-minutes = 手作業での目安 { $minutes } 分
lesson-beats = 1 読む → 2 動かす → 3 見る → 4 確認 → 5 関門
lesson-full = レッスン全文: { $command }
ask-word = { $id } { $title }: できていますか？ (y/n)
look-faults = 障害 { $count }
col-scenario = シナリオ
col-answers = 応答
col-local = 現地
col-attempts = 試行
look-title = 実行の結果
col-pending = 未配信
course-checked = 確認
course-expected = 期待
course-got = 結果
course-why = 理由
course-next = 次{"  "}
course-note = 注意:
course-env-made = プロジェクトに .env がないため、.env.example から { $path } を作りました。値を入れてください（git では管理しません）。
course-proposed = プロジェクトに { $names } がありません。ひな形を { $folder } に作りました。内容を直して使ってください（プロジェクトには何も書き込んでいません）。
course-will-run = { $folder } をまっさらなフォルダーにコピーし、README に印の付いた次のコマンドを実行します:
course-skipped = { $id } は調べる対象がないため省略しました: { $need }
course-attest = { $id } はご自分でも確認してください。確認できたら: { $command }
course-type = 次に実行: { $command }
day-failed = 必須のチェックが { $failing } 件残っています。
day-passed = { $title }: 合格（{ $seconds } 秒）
help-check-about = 採点結果だけを表示します。対象は現在の日・指定した日やチェック・全日程。
help-check-long =
    質問も解説も途中の表示もありません。チェックを 1 つ指定すると、その前提も一緒に採点します。
    必須がすべて合格なら 0、不合格があれば 1、存在しない名前は 2、環境の問題は 3、レッスンの不備は 4、安全のための拒否は 5 で終わります。
help-check-names = 日（day3）やチェック（D3.7、SG3.7）。省略すると、いまの日。
help-check-all = 7 日すべて。
help-check-ci = CI 用。ターミナルかどうかで出力を変えません。
help-check-format = CI 向けの形式でも出力します: junit、github（アノテーション）、markdown（要約）、json（--json と同じ）。junit:checks.xml のように書けばファイルへ、なければ標準出力へ。繰り返し指定できます。
help-check-watch = ここのファイルが変わるか Webhook が配信されるたびに採点し直します。--exec のサーバーは起動し直します。
help-check-poll = 変更の通知が届かない環境で、フォルダーを 1 秒ごとに調べます。
help-check-lasting = この時間で監視を終えます（60s、5m、2h）。
help-check-rounds = この回数で監視を終えます。
help-check-strict = 未確認の項目と要注意（risky）の項目も合格の条件にします。
help-check-skip = チェックを番号かコードで除外します（繰り返し可）。
help-check-only = このチェックとその前提だけを採点します（繰り返し可）。
help-check-budget = 全体にかけてよい時間（120s、5m）。1 日分は等分した時間を超えません。省略時は 5m。
check-summary = 合格 { $passed } · 不合格 { $failed } · 注意 { $warned } · 未確認 { $open } · 対象外 { $skipped } · { $seconds } 秒
check-waiting = { $root } の修正待ち { $all } 件: { $ids }
contract-routes = ルート
contract-webhook = Webhook は、JSON と Stripe-Signature の付いた POST を受け取り、行を書いてから 2xx、署名のないものには 4xx、自分のエラーには 5xx で応答します。ここにないルートについては何も求めません。
contract-environment = 環境変数（--exec で起動するサーバー用。--app のサーバー用には --print-env が表示）
contract-ledger = 台帳: JSON（配列、または rows に配列を持つオブジェクト）、CSV、HTML の表、SQLite のテーブル
contract-rows = 1 セッション 1 行、順不同。支払い済みのセッションは、応答と同時かその直後に行が必要です。支払われなかったセッションの行はなくてもかまいません。返金はその行の状態を変えます。列名が異なるときは推測するか、--ledger で指定します。
contract-required = 必須
contract-optional = 任意
course-waits = { $root } が不合格のため未判定
course-request = 要求
course-answer = 応答
course-log = ログ
severity-risky = 要注意
severity-habit = 習慣
state-warn = 注意あり
said-version = ライブラリーの応答: イベントの API バージョンが、ライブラリーの前提と異なります。エンドポイントをそのバージョンで登録してください（ここでは --api-version）。
said-parsed = ライブラリーの応答: 検証の前に本文が解析されています。届いたバイト列をそのまま渡してください。
said-no-header = ライブラリーの応答: Stripe-Signature ヘッダーが渡されていません。
said-no-secret = ライブラリーの応答: 署名シークレットが渡されていません。変数が未設定か空です。
said-tolerance = ライブラリーの応答: 署名の時刻が許容範囲より古くなっています。
said-no-match = ライブラリーの応答: このシークレットと本文に合う署名がヘッダーにありません。
said-crashed = ハンドラーがエラーで終わりました。応答はそのエラーであり、署名を信じたかどうかとは関係ありません。
watch-events = { $folder } のファイル変更（OS の通知）と Webhook の配信を監視します。Ctrl-C で終了。
watch-polling = { $folder } を 1 秒ごとに調べ、Webhook の配信も監視します。Ctrl-C で終了。
watch-why-polling = OS の通知を使わない理由: { $why }
watch-began = 初回
watch-back = サーバーが再び応答しました
watch-failed = 採点できませんでした
watch-files = { $first } ほか { $more } 件
watch-round = { $number } 回目: { $cause }
status-done = 7 日間すべて合格しました。
hint-more = 続き: { $command }
explain-topics = エラーコードのほかに説明できる項目:
reset-nothing = 戻すものはありませんでした。
reset-done = { $what } を初期化しました。バックアップは { $backup } にあります。
lessons-tried = プログラム { $all } 本のうち { $well } 本が期待どおりの結果でした。
lessons-beyond = ループバックの外へのリクエスト { $count } 件
lessons-well = レッスンは形式どおりです。本文中のコマンド { $commands } 件も解釈できます。
lessons-bad = 問題が { $problems } 件あります。
fault-lesson = レッスンが形式に合っていません: { $what }
fault-no-such-code = `{ $code }` というチェック・原因・項目はありません。
fault-sandbox-not-running = フォルダー { $home } のサンドボックスは動いていません。
fault-sandbox-in-use = このフォルダーのサンドボックスは別のプロセスが { $base } で動かしています。何も変更していません。
fault-ledger-in-use = 実行中の stripegym がこの台帳に書き込んでいます。何も初期化していません。
fault-newer = このファイルは新しいバージョンの stripegym で作成されています。
fault-disk-full = ディスクに空きがありません。
fault-progress = 進捗のファイルが壊れています。
fault-sandbox-broken = サンドボックスのファイルが壊れているか、別のバージョンのものです。
next-newer = その新しいバージョンを使うか、--home DIR で別のフォルダーを指定してください。
next-disk-full = このファイルのあるディスクに空きを作ってから、もう一度実行してください。
doctor-store = { $path } は正常です
doctor-store-busy = { $path } は別のプログラムが書き込み中です
doctor-store-broken = { $path } を読めません: { $cause }
doctor-progress-fix = ファイルを退避してください。書き出した進捗は `stripegym progress import FILE` で戻せます。初期化したときの控えは隣の backup/ にあります。
doctor-sandbox-fix = stripegym reset sandbox    （ファイルのバックアップを残し、空の状態から始めます）
fault-course-in-use = { $home } では別の day または check が実行中です。同時に動かすと互いの配信が混ざります。
next-dev-check = stripegym dev check
next-explain = stripegym explain
next-stop-sandbox = そのプロセスを止めてから、もう一度実行してください。
next-other-course = 先にそちらを終了する（Ctrl-C）か、--home DIR で別のフォルダーを指定してください。

## レポート・解答・進捗

fault-not-ours = これは { $expected } 形式のファイルではありません。何も変更していません。
fault-incomparable = { $what } は突き合わせに使えません。
next-incomparable = 列名を指定してください: --map ours.amount=COLUMN（名前の一覧は --help）。
fault-in-the-way = { $path } がすでにあります。何も書いていません。
next-not-ours = このバージョンの `stripegym progress export` が書いたファイルを指定してください。
next-in-the-way = 空の、またはまだないフォルダーを指定してください。
state-pass = 合格
state-fail = 不合格
state-partial = 自動部分は合格、本人の確認待ち
state-attest = 本人の確認待ち
state-skip = 対象外
state-blocked = 前提が未合格
state-not-run = 未実行
status-hints = 表示したヒント { $hints }
written = { $path } に書きました。
    SHA-256 { $seal }
imported = 統合しました。チェック { $checks } 件、試行 { $attempts } 件になりました。
imported-backup = 統合前のファイルは { $backup } にあります。
solution-of = { $day } の解答: lessons/track の { $path }
solution-held = { $name } はまだ合格していません。解答は合格後に表示します。
solution-give-up = それでも見る場合（記録に残ります）: { $command }
starter-written = { $folder } に { $files } 個のファイルを書きました。「Day 0:」「Day 1:」… で検索すると、各日に書く場所がわかります。
starter-readme = 必要なもののインストール方法は README.md にあります。
report-title = 決済の 7 日間: 到達の記録
report-lead = 必須のチェック { $required } 件のうち { $passed } 件に合格しています。
report-made = stripegym { $program } がオフラインのサンドボックス（API バージョン { $api }）で採点しました。判定の根拠は、観測した応答・オブジェクト・配信・台帳の行です。
report-col-gone = 見た・自分でした・証明
report-col-day = 日
report-col-passed = 必須
report-col-attempts = 試行
report-col-hints = ヒント
report-col-solution = 解答
report-col-check = チェック
report-col-title = 内容
report-col-first = 初合格
report-col-evidence = 根拠
report-col-seal = 改ざん検知用ハッシュ
report-attested = 本人が確認 { $at }
report-gave-up = ギブアップ
report-shown = 解答を閲覧
report-chart = 日ごとの試行
report-chart-good = 合格した試行
report-chart-bad = 不合格の試行
report-proof = 証明
report-seal = 各行には、それより前のすべての行を含めたハッシュ（SHA-256）が付いています。最後のハッシュは { $seal } です。このファイルを保存し、次のコマンドで確かめられます。
report-limit = ハッシュで分かるのは、あとから書き換えられたことです。誰が取り組んだかや、ハッシュごとすべて作り直したレポートでないことまではわかりません。それを確かめられるのは、進捗ファイルか、他の人が控えておいた最後のハッシュだけです。
report-data = データ
share-what = このコースの終わりには、支払いを受け、署名されたイベントだけを信じ、支払いごとに 1 行だけ記録し、決済側との差異をすべて見つけられるショップができます。
share-open = 残っている項目
share-try = 試してみる
share-seal = この時点の完全なレポートのハッシュ: { $seal }
demo-title = 3 分間のデモ: 決済の一周
demo-type = 入力
demo-say = 説明と見せるもの
demo-sandbox = ターミナル 1: オフラインの Stripe。アカウントもキーもネットワークも不要。
demo-listen = ターミナル 2: ショップ側。署名を検証し、書き込んでから応答する。
demo-checkout = ターミナル 3: 開いたページで 4242 4242 4242 4242 で支払う。ターミナル 2 に署名付きのイベントが届く。
demo-ledger = 1 行だけ: セッション、円の金額、paid。
demo-events = checkout.session.completed の ID をコピーする。
demo-resend = 同じイベントをもう一度。ターミナル 2 は「重複」、台帳は変わらない。
demo-reconcile = 両側を突き合わせて MATCH。
demo-seen = 自分の目で見たもの
demo-seen-checkout = Checkout: 支払いページで支払いが行われた
demo-seen-webhook = Webhook: 署名付きのイベントが届き、再送では何も変わらなかった
demo-seen-ledger = 台帳: 1 行だけで、突合は MATCH
demo-sign = 氏名 / 日付 / 署名
demo-after = 終わったら、学習者は他の人が見たことを記録します。
verify-holds = レポートは変更されていません。{ $rows } 行、最後のハッシュ:
verify-broken = レポートは変更されています。問題 { $flaws } 件。
verify-against = { $path } と照合しました。
verify-alone = 進捗ファイルとは照合していません（--against FILE で照合できます）。
verify-other = バージョン { $program } が書いたレポートです。ハッシュは計算し直しましたが、本文は比べていません。
flaw-unreadable = 読み取れるデータがありません（{ $reason }）。
flaw-row = { $id }: この行が変更されたか、前の行や見出しが変更・削除されています。
flaw-evidence = { $id }: 根拠のハッシュが一致しません。
flaw-seal = 最後のハッシュが最終行のハッシュと一致しません。
flaw-text = 本文の { $line } 行目がデータと一致しません。
flaw-unknown = { $id }: 進捗ファイルに記録がありません。
flaw-differs = { $id }: 進捗ファイルの記録と違います。
help-solution-about = その日に書くファイルの解答を、合格後に表示します。
help-solution-name = 日（day3）またはチェック（SG3.7）。
help-solution-language = ショップの言語。
help-solution-give-up = 合格前に表示します（status とレポートに残ります）。
help-starter-about = 出発点となるショップのひな形をフォルダーに書き出します。
help-starter-language = ショップの言語。
help-starter-folder = 書き込むフォルダー。
help-report-about = 到達の記録を、根拠と改ざん検知用ハッシュ付きで出力します。
help-report-format = Markdown、単独の HTML、またはデータのみ。
help-report-out = 標準出力の代わりにこのファイルへ書きます。
help-report-demo = 署名欄つきの 3 分間のデモ台本。
help-report-share = 人に見せる 1 ページの要約。
help-verify-report-about = レポートのハッシュを計算し直し、変更された行を示します。
help-verify-report-long = レポートが正しければ 0、そうでなければ 1 で終わります。本文とデータ、手元の進捗ファイルとの照合も行います。
help-verify-report-file = レポートのファイル（どの形式でも可）。
help-verify-report-against = 照合する別の progress.db。
help-progress-about = 進捗を別のマシンに移します。
help-progress-export-about = 進捗を JSON で書き出します。
help-progress-export-file = 書き込むファイル。省略すると標準出力。
help-progress-import-about = 書き出した進捗を統合します（バックアップを残します）。
help-progress-import-file = 書き出したファイル。

## The items of the course

items-id = 項目
items-title = 確認すること
items-kind = 種別
items-proof = 証明する確認
items-catches = 検出する壊れたハンドラー
items-auto = 自動
items-partial = 一部自動
items-attested = 申告
items-advice = 助言
items-own = 固有の検査
