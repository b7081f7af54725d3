# Everything that the program says, in English. `$name` is what the program knows.

## Help

heading-usage = Usage:
heading-commands = Commands
heading-options = Options
heading-arguments = Arguments
heading-global = Common options
heading-json = With --json, on stdout:
help-one-of = [one of: { $values }]
help-default = [if left out: { $value }]
help-about = Learn, emulate and prove a Stripe integration, offline.
help-long =
    Exit codes: 0 all well · 1 differences or unpaid · 2 usage · 3 environment · 4 content · 5 refused for safety · 70 our bug · 130 interrupted.
    Settings: flags beat the environment, which beats .env, which beats the default. See .env.example.
    Errors go to stderr; with --json as one line: {"{"}"error": {"{"}kind, message, cause, where, next: [], exit{"}"}{"}"}.
help-lang = Language of everything that is said, ja or en; else LC_ALL, LC_MESSAGES, LANG decide.
help-json = Prints JSON on stdout, in the form shown below in --help.
help-mode = Talks to the sandbox or to Stripe, whatever the key says.
help-live = Allows a live key. Real money moves.
help-ledger = The ledger on a PostgreSQL server, instead of the folder's.
help-home = Folder of the ledger and the sandbox [.stripegym].
help-no-color = Uses no colours, as NO_COLOR does.
help-verbose = Logs to stderr: -v info, -vv debug, -vvv trace. Secrets are left out.
help-help = Shows help; --help shows more than -h.
help-version = Shows the version.
help-catch-up-about = Brings the ledger what happened while nobody listened.
help-catch-up-long = Reads the provider's events and balance transactions since the last time, and before the 30 days that it keeps events its objects; of Creem, which lists no events, what it keeps to be fetched, and its transactions. It can be stopped and goes on where it was; twice changes nothing.
help-catch-up-ledger = Where the ledger is, when it is on a PostgreSQL server.
help-catch-up-since = From when on: 2h, 7d, a date, RFC 3339 [where it stood].
help-catch-up-undelivered = Only events that could not be delivered.
help-checkout-about = Creates a Checkout Session and waits until it is paid.
help-checkout-long =
    Amounts are in the currency's minor unit: --amount 500 is ¥500 or $5.00.
    Ends with 0 once it is paid (or complete and on its way, as with konbini), with 1 when it is declined, cancelled or expired.
help-checkout-amount = Price of one, in minor units (500 is ¥500 or $5.00). Without a price: 500.
help-checkout-currency = Currency of the amount.
help-checkout-name = What is sold, as the page shows it.
help-checkout-quantity = How many.
help-checkout-price = An existing price instead of an amount.
help-checkout-lookup-key = An existing price, by its lookup key.
help-checkout-metadata = Metadata of the session; may be repeated.
help-checkout-email = E-mail address of the customer.
help-checkout-success-url = Where the page leads after payment; {"{"}CHECKOUT_SESSION_ID{"}"} is filled in.
help-checkout-cancel-url = Where the page's back link leads.
help-checkout-pay = Fills in the hosted page in the sandbox in a person's place: a test card's number, or decline, 3ds, konbini, cancel.
help-checkout-no-wait = Prints the session and ends.
help-checkout-open = Opens the page in a browser (on a terminal with a display: always).
help-checkout-no-open = Opens no browser.
help-listen-about = Receives webhooks, verifies them and writes the ledger.
help-listen-long = In the sandbox it registers itself as a webhook endpoint and removes itself at the end. With a Stripe key it fetches events from a stored cursor instead, so that nothing is missed between two runs. An event is answered with 200 only after the ledger's file has it.
help-listen-ledger = Keeps the ledger on a PostgreSQL server; its password may stand in PGPASSWORD. Several hosts with commas between them: the one that can be written to is found. Several addresses with semicolons between them: a ledger that is divided over these servers.
help-listen-port = Port to listen on; 0 picks a free one [PORT, else 4242].
help-listen-lasting = Ends after this time: 60s, 5m, 2h.
help-listen-until = Ends after an event of this type.
help-listen-count = Ends after this many deliveries.
help-listen-forward-to = Passes the exact bytes and headers on to this URL.
help-listen-print-secret = Prints the endpoint's signing secret.
help-listen-tls-cert = Speaks TLS alone, with this certificate (PEM); the sandbox delivers to a port of its own.
help-listen-tls-key = The certificate's private key (PEM).
help-ledger-about = The ledger: what was received and what it came to.
help-ledger-accounts-about = Shows the accounts of the book.
help-ledger-accounts-format = How to write it.
help-ledger-balance-about = Shows what each account of the book holds, by currency.
help-ledger-balance-long = A debit is positive.
help-ledger-balance-format = How to write it.
help-ledger-compact-about = Makes the ledger's file small and loses nothing.
help-ledger-compact-long = Packs the events as they came, proves that each comes out the same, and gives the room back. Everything reads as before; it can be stopped at any time and goes on where it was. While the room is given back, deliveries may get 503 and come again.
help-ledger-compact-format = How to write it.
help-ledger-export-about = Writes the book for other programs.
help-ledger-export-format = For whom: spreadsheets, programs, beancount, hledger, or a copy of the file.
help-ledger-export-output = The file that sqlite writes; it must not exist.
help-ledger-import-about = Takes in events, objects, or another ledger.
help-ledger-import-long = A file with an event or an object of the API a line, another ledger.db, or the address of a ledger on servers (postgres://…). What is known already changes nothing; lines that cannot be read are listed.
help-ledger-import-from = The file, or the servers of another ledger.
help-ledger-import-format = How to write it.
help-ledger-journal-about = Shows the entries in double entry.
help-ledger-journal-long = Each entry names the line of the journal that it follows from, and the entry that it takes back.
help-ledger-journal-format = How to write it.
help-ledger-journal-limit = At most this many entries, the newest; a table has 1,000 where none is said.
help-ledger-journal-object = Only entries about this object: pi_…, ch_…, txn_….
help-ledger-migrate-about = Takes a ledger over to PostgreSQL servers that have none yet.
help-ledger-migrate-long = From a file to one server every row goes over as it stands, in one transaction. Between servers, and to several ('postgres://…;postgres://…'), every line is written there as it came and gets a number of the new ledger's own. In the end everything is held to what it was, and the new ledger is verified; the old one is left as it is. What a listener still writes there meanwhile is brought over by `ledger import OLD --ledger …`.
help-ledger-migrate-from = The file (sqlite:.stripegym/ledger.db), or the servers (postgres://…).
help-ledger-migrate-to = The server, or several with semicolons between them.
help-ledger-migrate-format = How to write it.
help-ledger-problems-about = Shows what a person should look at.
help-ledger-problems-long = Events that cannot be read, contradictions, events of the other mode, charges whose fee is pending.
help-ledger-problems-format = How to write it.
help-ledger-rebuild-about = Makes all that follows from the journal anew, then verifies.
help-ledger-rebuild-format = How to write it.
help-ledger-show-about = Shows the ledger's rows and totals per currency.
help-ledger-show-format = How to write it.
help-ledger-show-status = Only rows of this status.
help-ledger-show-since = Only rows created since: 2h, 7d, 2026-11-21, 2026-11-21T09:00:00+09:00.
help-ledger-show-limit = At most this many, the newest; a table has 1,000 where none is said.
help-ledger-show-session = Only the row of this session.
help-ledger-verify-about = Looks whether any row was changed, is missing or was moved.
help-ledger-verify-long = First whether the journal is as it was written, then whether everything else follows from it. Each such row is named, and the command then ends with 1.
help-ledger-verify-format = How to write it.
help-reconcile-about = Compares the ledger, the provider or files, row by row.
help-reconcile-long =
    A SOURCE is ledger, provider, csv:FILE, jsonl:FILE or sqlite:FILE#TABLE. Rows find each other by payment_intent, charge, session, then reference. Stripe's exports, banks' and spreadsheets' files are read as they are; --map names what is called otherwise: NAME=COLUMN, units=minor|major, currency=jpy, encoding=shift_jis.
    Verdicts: MATCH, PENDING, MISSING_IN_LEDGER, MISSING_AT_PROVIDER, AMOUNT, CURRENCY, STATUS, REFUND, DISPUTE, FEE, DUPLICATE_IN_LEDGER, DUPLICATE_AT_PROVIDER, PAYOUT_REMAINDER, LIVEMODE.
    Ends with 0 where nothing differs, 1 on any difference that is left, 3 where the sides could not be compared.
help-reconcile-ledger = Where the ledger is, when it is on a PostgreSQL server.
help-reconcile-ours = Our side: a SOURCE [ledger].
help-reconcile-theirs = The other side: a SOURCE [provider].
help-reconcile-map = Names a column of a file, for one side or both.
help-reconcile-since = Only what was created since: 2h, 7d, a date, RFC 3339.
help-reconcile-until = Only what was created before: 2h, 7d, a date, RFC 3339.
help-reconcile-pending = What is younger is PENDING, not missing [1m at Stripe].
help-reconcile-tolerance = How far amounts may be apart, in minor units [0].
help-reconcile-format = How to write it.
help-reconcile-output = The file that is written, instead of stdout.
help-reconcile-only-differences = Leaves out what agrees.
help-reconcile-incremental = Compares only what is new since the last time: rows appended to files, lines of the ledger, what the provider tells of by events. Where that cannot be told, everything is compared.
help-reconcile-in-process = Reads the rows of a ledger on a PostgreSQL server and compares them here. Otherwise the server compares: the other side's rows are copied to it, joined there, and only what differs comes back. The answer is the same.
help-reconcile-fix = Says what the provider proves and the ledger lacks, and replays it.
help-reconcile-yes = Replays it without a question.
help-reconcile-explain-about = Shows both records of one thing and what decided.
help-reconcile-explain-id = Which: cs_…, pi_…, ch_…, re_…, dp_…, po_…
help-reconcile-explain-ledger = Where the ledger is, when it is on a PostgreSQL server.
help-reconcile-explain-ours = Our side: a SOURCE [ledger].
help-reconcile-explain-theirs = The other side: a SOURCE [provider].
help-reconcile-explain-map = Names a column of a file, for one side or both.
help-reconcile-explain-since = Only what was created since: 2h, 7d, a date, RFC 3339.
help-reconcile-explain-until = Only what was created before: 2h, 7d, a date, RFC 3339.
help-reconcile-explain-pending = What is younger is PENDING, not missing [1m at Stripe].
help-reconcile-explain-tolerance = How far amounts may be apart, in minor units [0].
help-sandbox-about = Hosts the sandbox, an offline Stripe, until Ctrl-C.
help-sandbox-long = Prints one line, "Ready http://127.0.0.1:PORT", on stdout once it takes requests. Point any SDK's API base there; any sk_test_ key is taken.
help-sandbox-port = Port; 0 picks a free one [STRIPEGYM_SANDBOX_PORT, else 12111, else the next free one].
help-sandbox-bind = Listens on another address than 127.0.0.1. Others can then reach it.
help-sandbox-ephemeral = Keeps everything in memory.
help-sandbox-max-objects = The most objects and records that are kept (2,000,000); beyond it writes are refused, and deletions are not.
help-sandbox-retry-schedule = When failed deliveries are tried again: three times over hours, for days as in live mode, at once, or after the waits that you list (1s,5s,30s).
help-sandbox-deliver-to = Delivers webhooks to this host and port beyond loopback as well, app:3000 (repeatable) [STRIPEGYM_DELIVER_TO].
help-sandbox-allow-remote-webhooks = Delivers webhooks to any address.
help-sandbox-creem-webhook = Has this address told of everything that happens at Creem, the second provider of the sandbox.
help-sandbox-creem-secret = What those webhooks are signed with; without it they get a secret of their own, which /_stripegym/creem/webhooks shows.
help-sandbox-fault-about = Lets the next requests fail, to test a client's retries.
help-sandbox-fault-long = The rules belong to the sandbox that is running: they are kept in memory, for each world by itself. One request alone can ask for a fault by its header, such as "Stripegym-Fault: 500". Requests that get an error leave their idempotency key free.
help-sandbox-fault-add-about = Adds a rule.
help-sandbox-fault-add-on = Which requests: a method or *, and a path in which {"{id}"} or * stands for one segment, and * at its end for all that follow ('POST /v1/payment_intents', '* /v1/*').
help-sandbox-fault-add-answer = What they get: an error as Stripe words it, no answer (timeout), or a closed connection after the work was done (cut) or before (cut-before).
help-sandbox-fault-add-times = How many of them.
help-sandbox-fault-list-about = Shows the rules, and how often each was used.
help-sandbox-fault-clear-about = Forgets the rules.
help-logs-about = Shows the API requests that the running sandbox has answered.
help-logs-long = The sandbox keeps the newest 10,000 requests and at most 8 MiB of their texts, in memory: when it ends, they are gone. A row has method, path, status and error message; bodies, keys and addresses are never kept.
help-logs-tail = "tail" shows each request from now on as it is answered, until Ctrl-C.
help-logs-status = Only these statuses: 402, 4xx, several with commas (402,5xx).
help-logs-path = Only this path; {"{id}"} or * stands for one segment, and * at the end for all that follow.
help-logs-method = Only this method.
help-logs-limit = At most this many, else 20; with tail, ends after this many.
help-world = World of the sandbox that the command works in [STRIPEGYM_WORLD].
help-sandbox-seed = Seed of its ids, as STRIPEGYM_SEED.
help-sandbox-now = Where its clock stands, as STRIPEGYM_NOW.
help-sandbox-worlds-about = Worlds of a running sandbox: accounts that share nothing with each other.
help-sandbox-worlds-list-about = Lists them.
help-sandbox-worlds-create-about = Makes one.
help-sandbox-worlds-create-name = Its name: 1 to 40 of a-z, 0-9 and -.
help-sandbox-worlds-create-seed = Seed of its ids: the same seed and time, the same ids.
help-sandbox-worlds-create-now = Where its clock stands until it is moved: 2026-12-24T00:00:00Z or Unix seconds.
help-sandbox-worlds-create-objects = File with what it is filled with: a JSON array of objects of the API.
help-sandbox-worlds-reset-about = Empties one; seed and clock begin anew.
help-sandbox-worlds-reset-name = Its name; default is the one without a name.
help-sandbox-worlds-delete-about = Removes one with all that it holds.
help-sandbox-worlds-delete-name = Its name.
help-sandbox-worlds-snapshot-about = Puts a copy of one aside.
help-sandbox-worlds-snapshot-name = Its name; default is the one without a name.
help-sandbox-worlds-snapshot-label = Label of the copy [latest].
help-sandbox-worlds-restore-about = Puts a copy back in place of what is there.
help-sandbox-worlds-restore-name = Its name; default is the one without a name.
help-sandbox-worlds-restore-label = Label of the copy [latest].
help-sandbox-account-about = Settings of the account in a running sandbox.
help-sandbox-account-show-about = Shows them.
help-sandbox-account-set-about = Sets some; an empty value takes one back.
help-sandbox-account-set-pairs = country, currency, api_version, payment_methods, raw_cards, webhook_retries or dunning_retries, each with its value: currency=usd.
help-sandbox-keys-about = Restricted keys of a running sandbox.
help-sandbox-keys-create-about = Makes one that may do only what is listed.
help-sandbox-keys-create-allow = What it may do: products:read,checkout_sessions:write. Writing includes reading.
help-sandbox-keys-list-about = Lists them.
help-sandbox-keys-delete-about = Removes one.
help-sandbox-keys-delete-key = The key.
help-clock-about = The clock of a running sandbox, or of a world of it.
help-clock-show-about = Shows what time it is there.
help-clock-advance-about = Moves it ahead; what is due by then happens.
help-clock-advance-by = How far: '1 month', '3 days', '2 hours'.
help-clock-set-about = Moves it ahead to an instant.
help-clock-set-at = The instant: 2026-12-24T00:00:00Z, 2026-12-24 or Unix seconds.
help-trigger-about = Makes an event happen, by the API calls that cause it.
help-trigger-kind = The event's type; without it, the types that can be made to happen.
help-trigger-on = The object of yours that it is to happen to.
help-trigger-set = A parameter of the calls that is to be otherwise; begins with a kind of object where it is not about the last call.
help-events-about = The provider's events.
help-events-list-about = Lists the newest events.
help-events-list-kind = Only events of this type.
help-events-list-limit = At most this many.
help-events-show-about = Shows one event as JSON.
help-events-show-id = The event.
help-events-resend-about = Delivers an event again to every endpoint that takes it.
help-events-resend-id = The event.
help-cards-about = Shows every test card by what it does, in groups.
help-cards-filter = A group (succeeds, countries, declines, 3ds, checks, disputes, refunds, balance, konbini), a number, a token, a brand, a country or a decline code; a part will do.
help-doctor-about = Looks for what could stop you, and says what to do about it.
help-env-example-about = Prints .env.example.
help-contract-about = Says what a server of your own has to have to be graded: routes, environment, ledger.
help-keep-about = Keeps a program that was started for a run, and ends it with the run.
help-keep-command = What starts it.

## Settings

setting-stripe-secret-key =
    Your test key from dashboard.stripe.com. Empty: everything stays in the sandbox on this machine.
    A live key is refused unless --live is given.
setting-stripe-publishable-key = The publishable key that GET /config of the listener hands to browsers.
setting-stripe-webhook-secret = Signing secrets that the listener accepts, separated by commas. The sandbox gives one on registering.
setting-stripe-api-base = Base URL of the provider: a sandbox that runs elsewhere, or a proxy.
setting-creem-api-key = Test key of Creem, the second provider of stripegym shop. Empty: the sandbox's own Creem.
setting-creem-webhook-secret = Secrets of Creem's webhooks that the shop accepts, separated by commas. The sandbox gives one on registering.
setting-creem-signature = How Creem signs its webhooks: plain (creem-signature) or standard (webhook-signature). Empty: plain.
setting-creem-api-base-url = Base URL of Creem's API, where it is not Creem itself.
setting-stripegym-mode = sandbox or stripe. Empty: stripe where there is a key, else sandbox.
setting-stripegym-home = Folder of the ledger and the sandbox.
setting-stripegym-sandbox-port = Port that the sandbox tries first.
setting-stripegym-deliver-to = Hosts with ports beyond this machine that the sandbox delivers webhooks to, separated by commas: app:3000.
setting-port = Port of the listener.
setting-stripegym-lang = ja or en. Empty: LC_ALL, LC_MESSAGES, LANG decide.
setting-stripegym-now = A fixed clock for tests, in Unix seconds.
setting-stripegym-seed =
    A number. The same seed in two fresh folders gives the same output, byte by byte: ids and secrets follow
    from it, the clock stands (at first at 2026-12-01T00:00:00Z, each run and each day a minute later), durations
    are 0. Only with the sandbox.
setting-stripegym-world = World of the sandbox that our own commands work in. Never used with Stripe.
setting-rust-log = Log levels per target, such as stripegym::sandbox=debug. Secrets are left out.
setting-no-color = Any value: no colours.

## Failures

fault-label = error:
fault-where = where
fault-cause = cause
fault-next = next
fault-unknown-flag = There is no flag `{ $flag }`.
fault-negative = `{ $value }` does not fit: no number here may be negative.
fault-unknown-command = There is no command `{ $command }`.
fault-meant = Perhaps you meant `{ $meant }`.
fault-bad-value = `{ $value }` does not fit `{ $flag }`.
fault-expected = What fits: { $expected }
fault-missing = Something is missing: { $what }
fault-conflict = `{ $flag }` cannot be used together with `{ $other }`.
fault-usage-other = The command line cannot be understood: { $message }
fault-setting = The setting `{ $name }` has a value that cannot be used.
fault-live-key = `{ $name }` is a live key. It could move real money, so nothing was done.
fault-key-publishable = `{ $name }` holds a publishable key (pk_…): that is for browsers and cannot call the API.
fault-key-secret = `{ $name }` holds a secret key (sk_… or rk_…): browsers would get to see it.
fault-key-missing = The mode is `stripe` and there is no key.
fault-sandbox-only = `{ $command }` works in the sandbox only, and the mode is `stripe`.
fault-port-taken = { $address } cannot be listened on.
fault-app-down = Nobody answers at { $url }.
fault-provider-down = { $base } does not answer.
fault-provider-refused = The provider refused ({ $status }): { $message }
fault-provider-odd = The provider's answer is not what its documentation promises: { $what }
fault-page = The payment page could not be used: { $what }
fault-ledger-servers = That is not done with these servers.
next-shop-database = Move the file away; stripegym shop begins a new one. Its accounts and orders stand in that file alone.
data-ledger = The ledger (what your shop was told of payments)
data-shop = The shop's database (its accounts and orders)
data-sandbox = The sandbox's file (all that the sandbox knows)
data-progress = The progress file (which steps and checks you have done)
data-broken = { $what } is damaged.
data-busy = { $what } is held by another program.
data-full = { $what } cannot be written: the disk is full.
data-newer = { $what } was written by a newer stripegym.
data-read-only = { $what } cannot be written: it is read-only.
data-unusable = { $what } cannot be used.
data-away = { $what } cannot be used on that server.
next-read-only = chmod u+w '{ $path }'    (or choose another folder with --home)
fault-file = A file or folder cannot be used.
fault-no-scenario = There is no scenario for `{ $kind }`.
fault-not-found = There is no { $what }.
fault-timed-out = Waited { $seconds } s for { $what } in vain.
fault-no-pages = { $day } is about pages of your own (/, /checkout, /success), and { $url } has none.
fault-program-not-found = There is no such command: { $command }
fault-program-exited = Your server ended before it answered ({ $how }): { $command }
fault-program-silent = Your server runs, but nobody answers at { $address } after 10 s: { $command }
fault-program-taken = Another program answers at { $address } already.
fault-program-not-here = A server can be started by this program on Linux, macOS and other Unix systems only.
fault-interrupted = Interrupted. What was answered is kept.
fault-gone = Interrupted. This sandbox lived in memory alone: nothing of it is kept.
fault-not-offered = The payment page does not offer { $method } for this amount and currency.
fault-bug = This is a bug of stripegym: { $what }

## What to do next

next-help = { $command } --help
next-setting = Correct it there, or empty it. .env.example explains every setting.
next-live-key = Use a test key (sk_test_…), or add --live if real money is meant.
next-key-slot = STRIPE_SECRET_KEY takes sk_test_… or rk_test_…, STRIPE_PUBLISHABLE_KEY takes pk_test_…. Empty will do in the sandbox.
next-key-unknown = The key is not known there: copy it whole into STRIPE_SECRET_KEY. In the sandbox it may be empty.
next-listen = Nothing listens at that port: is the server running, and on 127.0.0.1 or 0.0.0.0? In a container, listen on 0.0.0.0 and publish the port (-p).
next-answers-at = add --app http://{ $address }    (somebody answers there, and only there), or listen on 127.0.0.1
next-key-missing = Set STRIPE_SECRET_KEY in .env, or add --mode sandbox.
next-sandbox-mode = Add --mode sandbox.
next-other-port = { $command } --port 0    (a free port)
next-doctor = stripegym doctor
next-program-alone = { $command }    (shows what it says without stripegym)
next-program-at = add --app http://{ $address }    (your server listens there)
next-program-port = stripegym day0 --exec 'flask run -p $PORT'    (the port is picked and put into PORT)
next-print-env = stripegym day0 --app { $url } --print-env    (what your server needs in its environment, to copy)
next-app-exec = stripegym day0 --exec 'flask run -p $PORT'    (starts your server with all of it)
next-no-pages = stripegym day3    (days 3 to 5 need only /webhook and /ledger)
next-sandbox = stripegym sandbox        (in another terminal)
next-logs = The request is { $request }; -v shows it in the logs.
next-ledger-server = Is PostgreSQL running there, and may this user make tables in the database? Try: psql '{ $url }'
next-ledger-import = To give it the lines that it lacks: stripegym ledger import { $file } --ledger '{ $url }'
next-ledger-servers = Next: { $command }
next-shop-there = It has the rows of another shop, or of this one and what came after them. To go on with it: stripegym shop --ledger '{ $url }'
next-data-busy = End the other program that has the file open, or choose another folder with --home.
next-home = Choose another folder with --home, or check its permissions and free space.
next-file = Check the path, and whether it may be read and written.
next-scenarios = stripegym trigger        (lists what can happen)
next-again = Run the same command again: it takes up where it was.
next-bug = Please report it with the command and the output of -vv.
next-events-list = stripegym events list

## Where things are

place-sandbox = sandbox
place-stripe = Stripe
header-home = stripegym
header-checkout = Checkout
header-ledger = Ledger
header-shop = Shop
header-reconcile = Reconciliation
header-doctor = Doctor
header-cards = Test cards

## stripegym

home-folder = Folder   { $path }
home-key = Key      { $key } (from { $origin })
home-no-key = Key      none needed in the sandbox
home-running = Sandbox  running at { $base }
home-idle = Sandbox  starts by itself with the next command
home-rows =
    Ledger   { $rows ->
        [one] { $rows } row
       *[other] { $rows } rows
    }
home-no-ledger = Ledger   not there yet
home-next = Type next:
home-next-first = the whole loop, once
home-next-listen = hear webhooks            (terminal 1)
home-next-checkout = take a payment           (terminal 2)
home-next-ledger = what came in
home-next-reconcile = does everything agree?

## Columns

col-time = Time
col-http-method = Method
col-path = Path
col-request = Request
col-answer = Answer
col-uses = Used
col-session = Session
col-amount = Amount
col-status = Status
col-verdict = Verdict
col-ledger = Ledger
col-provider = Provider
col-currency = Currency
col-rows = Rows
col-paid = Paid
col-refunded = Refunded
col-net = Net
col-number = Number
col-email = E-mail
col-brand = Brand
col-method = pm_card_…
col-what = What it does
col-event = Event
col-fee = Fee
col-kind = Type
col-object = Object
col-difference = Difference
col-account = Account
col-postings = Postings
col-reason = Reason
col-problem = Problem
col-said = What was said
col-table = Table
col-row = Row
col-deviation = Deviation

## Ledger and reconciliation

ledger-empty = The ledger has no rows to show.
ledger-hint = A row is written when a webhook arrives: stripegym listen
ledger-count = { $shown } of { $all } rows
ledger-nothing = Nothing to show.
shop-moved = { $rows } rows of { $tables } tables stand on the server as they do in the file.
ledger-verified = { $lines } lines of { $writers } writers and { $checkpoints } checkpoints looked at: { $findings } findings.
reconcile-empty = There is nothing to compare yet.
reconcile-clean =
    { $rows ->
        [one] MATCH: the one session agrees.
       *[other] MATCH: all { $rows } sessions agree.
    }
reconcile-differs = { $differing } of { $rows } sessions differ.
reconcile-fix-hint = stripegym reconcile --fix replays what is missing.
reconcile-more = … and { $count } more MATCH; --format csv has every row
reconcile-fixed = fixed      { $session } ({ $before })
reconcile-not-fixed = untouched  { $session } ({ $before })
reconcile-planned = to be done { $session } ({ $before })
reconcile-ask =
    { $count ->
        [one] One difference can be replayed into the ledger. Do it? [y/N]
       *[other] { $count } differences can be replayed into the ledger. Do it? [y/N]
    }
reconcile-yes = Nothing was changed; stripegym reconcile --fix --yes does it.
reconcile-why =
    { $verdict ->
        [MATCH] Both sides say the same.
        [PENDING] It is young or still being delivered: compare again in a moment.
        [MISSING_IN_LEDGER] The ledger was never told: stripegym reconcile --fix replays it.
        [MISSING_AT_PROVIDER] The provider does not know it; nothing is ever deleted. Find out who wrote it.
        [AMOUNT] Of two amounts none is believed: look at what was charged, and book the difference by hand.
        [CURRENCY] Of two currencies none is believed: look at what was charged.
        [STATUS] The ledger was not told how it went on: stripegym reconcile --fix replays it.
        [REFUND] The ledger was not told of a refund: stripegym reconcile --fix replays it.
        [DISPUTE] The ledger was not told of a dispute: stripegym reconcile --fix replays it.
        [FEE] What was kept differs: compare with the balance transaction.
        [DUPLICATE_IN_LEDGER] One payment is booked twice; nothing is ever deleted. Take one back by hand.
        [DUPLICATE_AT_PROVIDER] The provider's side has it twice: look whether the customer paid twice.
        [PAYOUT_REMAINDER] The payout is not what its parts come to: the remainder is shown, look for what is not listed.
        [LIVEMODE] One side is about real money and the other is not: nothing else of them is compared.
       *[other] { $verdict }
    }
reconcile-rule = Decided by { $key }: { $verdict }.
reconcile-cut = … and { $count } more; csv and jsonl have every row
caught-up = Since { $from }: { $events } events and { $objects } objects read, { $fresh } of them new.
notice-catching-up = up to { $until }: { $read } read, { $fresh } new
ledger-imported = { $read } lines read, { $fresh } of them new.
compacted = { $lines } lines packed; the file went from { $before } to { $after } MB: { $part } % of the bytes of the events in it.
compacted-none = There are no events to pack: the ledger has none yet.
notice-compacting = { $done } of { $all } lines packed
notice-comparing = { $rows } rows read, { $rate } a second{ $left ->
        [-1] {""}
       *[other] , about { $left } s left
    }
notice-merging = { $rows } rows read; comparing{ $left ->
        [-1] {""}
       *[other] , about { $left } s left
    }
notice-encoding = { $path } was read as { $encoding }.

## Checkout

checkout-paid = Paid.
checkout-processing = Complete; the money is on its way.
checkout-declined = Not paid: the card was declined. The session is still open.
checkout-canceled = Not paid: the customer went back to the shop. The session is still open.
checkout-expired = Not paid: the session expired.
checkout-created = Created. It can be paid at:
checkout-said = The page said: { $message }
checkout-no-page = Created. The sandbox has ended with this command, and its payment page with it. Start one in another terminal, then create a session again:
notice-open = { $total } to pay at { $url }
notice-no-browser = No browser could be opened ({ $cause }); the address above works in any.
notice-waiting = Waiting for the payment; Ctrl-C ends

## Notices

notice-other-port = Port { $wished } is taken; using { $used }.
notice-left-out = { $count ->
    [one] 1 line was left out here
   *[other] { $count } lines were left out here
} because the output was not read. Everything was recorded.
notice-exposed = Warning: { $address } can be reached by other machines.
notice-hosting = The sandbox runs in this command at { $base }.
notice-listening = Listening at { $url } (Ctrl-C ends)
notice-registered = Registered as { $endpoint }
notice-polling = Fetching events from { $base } (Ctrl-C ends)
notice-poll-failed = Events could not be fetched, trying again: { $cause }
notice-ledger-busy = Another program holds the ledger { $path }; deliveries get 503 until it lets go.
notice-ledger-full = The disk of the ledger { $path } is full; deliveries get 503 until there is space.
notice-ledger-removed = The ledger { $path } was removed and cannot be built anew yet; deliveries get 503. Put the file back, or make its folder writable.
notice-ledger-rebuilt = The ledger { $path } was removed. It was built anew with everything received so far; to start over, stop this and type `stripegym reset ledger`.
notice-ledger-replaced = Another file stands at { $path }, which is left alone; deliveries get 503. Move it away or put the ledger back.
notice-ledger-adopted = A copy of the ledger stands at { $path }. It was brought up to date and is used from now on.
notice-ledger-away = The ledger { $path } cannot be written to; deliveries get 503 until its server takes them again.
notice-ledger-failed = The ledger { $path } cannot be written; deliveries fail. Check its disk: `stripegym doctor`.
notice-ledger-back = The ledger { $path } takes deliveries again.
notice-forwards-dropped = { $count ->
    [one] One delivery was
   *[other] { $count } deliveries were
} not passed on, because too many were on their way to your server.
notice-surroundings = Your server needs this in its environment (whole, to copy: --print-env):
notice-webhook-only = Your server has no pages, only { $url }: sessions are made by stripegym, and what is about your own pages is left out.
notice-started = Your server was started and answers at { $url } (its output: { $output }): { $command }
delivery-recorded = recorded
delivery-stored = stored
delivery-not-booked = stored, not booked ({ $problem })
delivery-untrusted = its certificate is not trusted here
delivery-duplicate = duplicate
delivery-rejected = rejected { $status } { $reason }
delivery-forwarded = forwarded: { $status }
delivery-not-forwarded = not forwarded: { $cause }
listen-summary = { $deliveries } deliveries: { $recorded } new, { $duplicates } duplicate, { $rejected } rejected

## Day 0

day0-sandbox-up = The sandbox, an offline Stripe, answers at { $base }
day0-listener-up = The shop listens for webhooks at { $url }
day0-created = A Checkout Session of { $total } was created: { $session }
day0-paid = Its hosted page was filled in and paid with the card ending in { $last4 }
day0-heard = A signed { $kind } was verified and stored in { $took } ms
day0-booked = The ledger has the row: { $total }, { $status }
day0-reconciled = Ledger and provider were compared: { $matching } MATCH, { $differing } different
day0-pay-by-hand = open the page that it prints; card 4242 4242 4242 4242, any date to come, any CVC
day0-by-hand = by hand:
day0-done = Done in { $seconds } s.
day0-next = Now the same by hand, in two terminals:

## Cards

card-succeeds = succeeds
card-declines = declined: { $code }
card-declines-after-attaching = attaches to a customer, then declined
card-bad-number = wrong check digit: incorrect_number
card-secure-always = 3-D Secure, always
card-secure-unless-set-up = 3-D Secure unless set up for off-session use
card-secure-on-session = 3-D Secure on session, none off session
card-secure-optional = 3-D Secure supported, not required
card-secure-frictionless = 3-D Secure without a challenge
card-then-declines = , then declined: { $code }
card-then-error = , then a processing error
card-flagged = succeeds, flagged: { $what }
card-disputed = succeeds, then disputed: { $reason }
card-refund-pends = refund pending, then succeeds
card-refund-fails = refund succeeds, then fails
card-available-at-once = funds available at once
cards-foot =
    Any future expiry, any CVC (4 digits for Amex), any postal code.
    In a program: pm_card_ or tok_ and the name, such as pm_card_visa.
cards-filter = One group, or what you look for: `stripegym cards declines`
cards-succeeds = Succeeds, by brand
cards-countries = Succeeds, by country
cards-declines = Declined
cards-secure = 3-D Secure
cards-checks = Succeeds with a raised risk or a failed check
cards-disputes = Succeeds and is disputed at once
cards-refunds = Refunds that do not go as usual
cards-balance = Funds available at once
cards-konbini = Konbini: the e-mail decides
konbini-succeeds = paid at the store at once
konbini-expires = expires unpaid at once
konbini-never = expires unpaid

## Doctor

doctor-home = The folder { $path } can be written
doctor-home-broken = The folder { $path } cannot be written: { $cause }
doctor-port = Port { $port } is free ({ $setting })
doctor-port-taken = Port { $port } is taken ({ $setting })
doctor-port-fix = Use --port 0, or set { $setting } to another one.
doctor-host = A sandbox of this folder runs at { $base }
doctor-clock = The clock agrees with the provider's (difference { $ahead } s)
doctor-clock-unknown = The clock could not be compared: no provider to ask is running
doctor-clock-off = The clock is { $ahead } s off; signatures older than 300 s are refused
doctor-clock-fix = Let the system set its clock: timedatectl set-ntp true
doctor-clock-fixed = The clock stands still (STRIPEGYM_NOW)
doctor-clock-fixed-fix = Empty STRIPEGYM_NOW unless a test needs it.
doctor-key = The key is { $key } (from { $origin })
doctor-no-key = No key is set; the sandbox needs none
doctor-rights = The key has every right that the shop's page { $page } needs
doctor-rights-lacking = The shop's page { $page } fails with this key: it lacks { $rights }
doctor-rights-fix = Give the restricted key these rights (in the sandbox: stripegym sandbox keys create), and no others.
doctor-secrets =
    { $count ->
        [one] { $count } webhook secret is set
       *[other] { $count } webhook secrets are set
    }
doctor-secrets-sandbox = No webhook secret is set; the sandbox gives one on registering
doctor-no-secrets = No webhook secret is set; only fetched events can be trusted
doctor-secrets-fix = Set STRIPE_WEBHOOK_SECRET if Stripe posts to this machine.
doctor-secrets-odd = A webhook secret does not begin with whsec_: no signature fits it
doctor-secrets-odd-fix = STRIPE_WEBHOOK_SECRET takes the signing secret of the endpoint, not its id (we_…) and no API key.
doctor-display = A browser can be shown
doctor-no-display = There is no display; pages are not opened by themselves
doctor-display-fix = Use checkout --pay 4242424242424242, or open the printed address elsewhere.
doctor-ledger = The ledger { $path } is well
doctor-no-ledger = There is no ledger yet; stripegym listen makes { $path }
doctor-silent-fix = Check the address and the network; with STRIPEGYM_MODE=sandbox nothing outside is needed.
doctor-ledger-busy = The ledger { $path } is being written by another program
doctor-ledger-broken = The ledger { $path } cannot be read: { $cause }
doctor-ledger-busy-fix = Normal while `stripegym listen` runs; else end the program that holds it.
doctor-ledger-fix = Move the file away; listen and reconcile --fix build a new one.
doctor-env-absent = There is no .env; the defaults hold
doctor-env-safe = .env is not tracked by git
doctor-env-tracked = .env is tracked by git: a push would publish its secrets
doctor-env-fix = git rm --cached .env && echo .env >> .gitignore, then roll the keys.
doctor-home-fix = Choose another folder with --home.
doctor-well = Nothing stands in the way.
doctor-bad =
    { $count ->
        [one] { $count } problem to solve first.
       *[other] { $count } problems to solve first.
    }

## Events and triggers

objects-more = There are more: --after { $last }
control-none = There is none.
trigger-list = Event types that can be made to happen:
trigger-done = { $kind } happened: { $event }
trigger-nothing = The calls went through, and no { $kind } came of them.
requests-empty = The running sandbox has answered no such request.
request-fault = fault { $fault }
notice-following = Following the requests of { $base } (Ctrl-C ends)
faults-empty = There are no faults: requests are answered as they are.
fault-added =
    { $times ->
        [one] The next request `{ $on }` gets `{ $answer }`.
       *[other] The next { $times } requests `{ $on }` get `{ $answer }`.
    }
faults-cleared =
    { $count ->
        [one] One rule was cleared.
       *[other] { $count } rules were cleared.
    }
events-empty = There is no such event.
event-resent = { $kind } { $event } is delivered again
event-for-nobody = No endpoint is registered for { $event }: nothing was sent. Register one, or run stripegym listen.
deliver-changed = Your ledger has changed.
deliver-event = { $kind }, { $bytes } bytes
deliver-same = Your ledger is unchanged.
deliver-took = { $ms } ms
deliver-unsigned = no Stripe-Signature header
sign-header = The header carries when it was made and what came of it:
sign-key = The key is the endpoint's signing secret, which only you and Stripe know: { $secret }
sign-mac = HMAC-SHA256 of that text with that key, in hexadecimal digits:
sign-text = What is signed: the time, a full stop, and the body's { $bytes } bytes as they are.
state-alive = the server keeps running and takes connections
state-answer = “{ $of }” is answered with { $status }
state-answered = the answer was { $status }
state-answered-to = “{ $of }” was answered with { $status }
state-at-least = { $what } is at least { $value }
state-at-most = { $what } is at most { $value }
state-attempts = there is a total of { $count } attempts to deliver it
state-attempts-least = there are at least { $count } attempts to deliver it
state-begins = { $what } begins with { $value }
state-body = the answer to “{ $of }”
state-broken = a server error (5xx)
state-clean = the rule { $rule } finds nothing in the project
state-column = the ledger's column { $name }
state-contains = { $what } contains { $value }
state-door = the page “{ $page }” has a form, a link or a script that leads to { $to }
state-ends = the delivery ends as { $end }
state-first = the first attempt is answered with { $status }
state-found = { $what }: { $value }
state-from = the ledger had { $before } rows before, and has { $after } now
state-grew = it grew by { $by }
state-grows = the ledger grows by { $by } rows
state-happens = { $kind } happens { $count ->
    [one] once
   *[other] { $count } times
}
state-header = the header { $name }
state-instead = expected: { $expected }; got: { $got }
state-is = { $what } is { $value }
state-is-not = { $what } is not { $value }
state-is-not-there = { $what } is not there
state-is-one-of = { $what } is one of { $value }
state-is-there = { $what } is there
state-logged = one line of the log has { $texts }
state-longer = it took longer than { $seconds } s
state-looked = { $count } files were looked at
state-member = { $name } of “{ $of }”
state-mentions = { $file } speaks of all { $count } topics
state-near = { $what } is about { $value }
state-no-rows = the ledger has no row for { $sessions }
state-no-secret = no secret is to be seen in the log, the answers or the project
state-not = this does not hold: { $what }
state-not-judged = it was not judged, because { $root } failed
state-not-logged = no line of the log has { $text }
state-nothing = there was none
state-or = { $one } or { $other }
state-others = the ledger has { $after } rows as before, but not the same
state-quick = the last attempt is answered within { $ms } ms
state-redirect = a redirect (3xx)
state-refusal = a refusal (4xx)
state-row = the ledger has a row for { $session }
state-rows = the ledger has exactly { $count ->
    [one] 1 row
   *[other] { $count } rows
} for { $session }
state-silent = it says nothing of { $topics }
state-success = success (2xx)
state-to-payment = POST /checkout is answered with a redirect (303) to the payment page
state-unchanged = the ledger stays as it was
state-verdicts = each line of the comparison is { $only }, and there are at least { $count }
state-waits = { $root } is passed first
state-whole = { $what } is a whole number
state-within = it is over within { $seconds } s
state-without = the answer to “{ $of }” does not contain { $text }
talk-answer = The answer is { $answer }.
talk-beyond = Beyond the checklist: what goes wrong in practice
talk-codes = In the margin: D… is a line of the checklist, X… a probe beyond it. explain D1.1 tells about one.
talk-counts = shown { $shown } · done { $done } · proved { $proved } of { $all }
talk-down = The listener is down. Deliveries find nobody now.
talk-elsewhere = { $command } is no command of this prompt; type it in another terminal. Here: checkout, pay, trigger, deliver, sign, events, ledger, reconcile, refund, setup, card, dispute, clock, logs, stop, start.
talk-end = { $title } – done.
talk-file = Open { $path }, line { $line }. Each save is graded here.
talk-foot-gone = [Enter] go on · hint · why · raw · more · back · quit
talk-foot-open = [Enter] show me · hint · why · raw · more · back · skip · quit
talk-grading = Grading …
talk-install = Neither python3 nor node is installed here, so this step is only told. To do it, install one of them and come back with: back
talk-leave = Type quit to leave; your place is kept.
talk-less = There is no more.
talk-mended = Mended.
talk-more = … type more for the rest
talk-next = Next:
talk-next-try = next try in { $seconds } s
talk-no-raw = There is nothing more to show raw here.
talk-only-shown = All of it was shown; nothing was done by hand yet. The next day is open all the same.
talk-own = Or prove this day on a server of your own:
talk-taken = Another terminal has a day open in this folder ({ $home }). This one goes on as soon as you leave it there (quit). Ctrl-C leaves here.
env-passed-over = warning: { $path } is not a file, so no settings are read from it.
talk-place = Your place is kept. Go on with: { $command }
talk-proved = { $held } of { $all } checks hold for the built-in shop; { $left } left out.
talk-rest = The rest of the checklist
talk-right = Right.
talk-step = step { $at } of { $all }
talk-unheard = nobody answered
talk-up = The listener is up again at { $url }.
talk-unknown = { $word } is no command here. Try hint, or press Enter to be shown.
help-day-about = Runs a lesson by its name, as if the name itself were typed.
help-day-long = On a terminal a lesson is a conversation, one step a screen. With --yes, without a terminal or in CI it runs by itself and counts as shown. Needs no key, no account and no network.
help-day-lesson = Which lesson.
help-deliver-about = Sends one event to the webhook endpoint by hand, signed or forged.
help-deliver-event = The event.
help-deliver-tamper = What is forged: one byte of the body, the secret, the time (ten minutes old), or no header at all.
help-sign-about = Signs one event as the sandbox does, and shows how.
help-sign-event = The event.
help-sign-explain = Shows each step.
help-customer-about = Customers; where none is named, the newest is shown.
help-customer-create-about = Makes a customer, with a card where one is given.
help-customer-show-about = Shows a customer.
help-customer-list-about = Lists them, newest first.
help-customer-update-about = Changes what is given and nothing else; an empty text clears.
help-customer-delete-about = Deletes a customer and ends their subscriptions, for good.
help-card-about = Cards that customers have left; where nobody is named, of the newest customer.
help-card-add-about = Keeps a card for payments to come, without charging it (a SetupIntent).
help-card-list-about = Lists them.
help-card-default-about = Makes a card the one that invoices are paid with.
help-card-remove-about = Lets go of a card.
help-card-charge-about = Charges one while its owner is away (off_session).
help-card-detach-about = Lets go of all of a customer's cards.
help-pay-about = Pays a Checkout Session that exists, or handles payments (PaymentIntents).
help-pay-create-about = Makes a payment; with --card and --confirm it is paid at once.
help-pay-confirm-about = Pays it with a card.
help-pay-capture-about = Takes what was only held (--capture-method manual), in whole or in part.
help-pay-cancel-about = Cancels a payment that has not succeeded; what was held is released.
help-pay-show-about = Shows a payment; where none is named, the newest.
help-pay-list-about = Lists them, newest first.
help-subscribe-about = Subscribes a customer to a price; where nobody is named, the newest customer.
help-subscription-about = Subscriptions; where none is named, the newest is shown.
help-subscription-show-about = Shows how it stands and until when it is paid for.
help-subscription-list-about = Lists those that have not ended, newest first (--status all: every one).
help-subscription-change-about = Changes price, quantity or discount.
help-subscription-pause-about = Pauses the collection of payments.
help-subscription-resume-about = Takes away what holds it up: a pause, or a cancellation at the end of the period.
help-subscription-cancel-about = Cancels it at the end of the period, or now.
help-invoice-about = Invoices; where none is named, the newest is shown.
help-invoice-list-about = Lists them, newest first.
help-invoice-show-about = Shows an invoice and what is left to pay.
help-invoice-pay-about = Pays an open invoice.
help-portal-about = Opens the customer portal for one customer; its address is for nobody else.
help-dispute-about = A dispute of a payment; where none is named, the newest.
help-dispute-list-about = Lists them, newest first.
help-dispute-show-about = Shows how it stands and until when evidence is taken.
help-dispute-evidence-about = Lays a text beside it; nothing is sent yet.
help-dispute-submit-about = Sends the evidence to the bank. It cannot be added to.
help-shop-about = Serves a shop with accounts, plans, orders and credits until Ctrl-C.
help-shop-ledger = Keeps the ledger and the shop's own database on a PostgreSQL server, which several shops may share; its password may stand in PGPASSWORD.
help-shop-port = Port to listen on; 0 picks a free one [PORT, else 4242].
help-shop-plans = What is sold (TOML); in the sandbox, prices that are missing are made.
help-shop-migrate-about = Takes the database of a shop that has ended over to a PostgreSQL server.
help-shop-migrate-long = Every row of its accounts, sessions, orders, credits, keys and values goes over as it stands, and is held to the file's again before any of it counts; the file is left as it is. A file that a shop still uses is refused, and so is a server that has other rows. What was interrupted is done again: done twice, it changes nothing. What the shop has heard is its ledger's: `ledger migrate` takes that over.
help-shop-migrate-from = The file: sqlite:.stripegym/shop.db
help-shop-migrate-to = The server.
help-shop-migrate-format = How to write it.
help-plan-about = Products and prices.
help-plan-list-about = Lists the prices that are on sale.
help-plan-sync-about = Brings products and prices to what a file says. A second run changes nothing.
help-plan-sync-long =
    A product is found by its id, a price by its lookup key. A price cannot be changed: one that differs is replaced, keeps the key, and the old one is archived. The file is TOML:
    {"[[product]]"}
    id = "api"
    name = "API"
    {"[[product.price]]"}
    lookup_key = "api_monthly"
    unit_amount = 980
    currency = "jpy"
    interval = "month"
    Without interval it is paid once. Also: description, interval_count, nickname.
help-order-about = What the shop has sold; where none is named, the newest is shown.
help-order-list-about = Lists orders, newest first.
help-order-show-about = Shows an order, by its id or the provider's id of the sale.
help-credit-about = Credits of the shop's users.
help-credit-show-about = Shows how many credits somebody has, and what they come from.
help-credit-grant-about = Gives credits by hand.
help-api-key-about = Keys of the API that the shop sells.
help-api-key-list-about = Lists them, newest first; never their text.
help-api-key-issue-about = Issues the key that somebody has paid for. Its text is shown once.
help-api-key-revoke-about = Revokes a key: it opens nothing any more.
help-kv-about = The shop's key-value table.
help-kv-get-about = Shows a value.
help-kv-set-about = Sets a value.
help-kv-list-about = Lists the keys and values of a namespace.
help-refund-about = Gives a payment back, in whole or in part.
help-merchant-after = The rows after this id.
help-merchant-amount = How much, in minor units; without it, all that is left.
help-merchant-api-key = The number of the key.
help-merchant-behavior = What becomes of invoices meanwhile.
help-merchant-capture-method = When the money is taken; manual: held until it is captured.
help-merchant-card = A test card by its number (or decline, 3ds), pm_card_…, or a card that was kept.
help-merchant-configuration = The configuration of the portal; without it, the default.
help-merchant-confirm = Pays at once.
help-merchant-coupon = The id of a coupon.
help-merchant-credits = How many credits.
help-merchant-currency = The currency.
help-merchant-customer = The customer.
help-merchant-description = A note that stands with it.
help-merchant-dispute = The dispute.
help-merchant-email = The address.
help-merchant-file = The file, TOML; --help shows one.
help-merchant-flow = The page that it opens at, and the only thing that can be done there.
help-merchant-idempotency = A key of yours: typed again with the same one, it is done once.
help-merchant-invoice = The invoice.
help-merchant-item = The item of the subscription; without it, the first.
help-merchant-key = The key.
help-merchant-ledger = Where the shop's database is, when it is on a PostgreSQL server.
help-merchant-limit = At most this many, up to 100.
help-merchant-lookup-key = The price, by its lookup key.
help-merchant-metadata = A name and a value that are kept with it; several times.
help-merchant-name = The name.
help-merchant-namespace = The namespace: stripe_customer, …
help-merchant-now = Ends it now and not at the end of the period.
help-merchant-order = The order.
help-merchant-paid-out-of-band = It was paid elsewhere: nothing is charged.
help-merchant-payment = The payment: its session, itself or its charge.
help-merchant-payment-behavior = What a first payment that fails leads to; default_incomplete leaves it to a page of yours to pay.
help-merchant-payment-intent = The payment.
help-merchant-payment-method = The card that was kept.
help-merchant-phone = The telephone number.
help-merchant-price = The price, by its id.
help-merchant-product = The product.
help-merchant-promotion-code = The id of a promotion code.
help-merchant-proration-behavior = What becomes of the rest of the period.
help-merchant-provider = Only those through this provider.
help-merchant-quantity = How many.
help-merchant-reason = Why.
help-merchant-refunded = The payment: its session, itself or its charge.
help-merchant-replace = Draws another text in place of the one that was shown.
help-merchant-resumes-at = When it goes on by itself.
help-merchant-return-url = Where the portal's back link leads.
help-merchant-session = The session.
help-merchant-setup-future-usage = Keeps the card for payments to come.
help-merchant-status = Only those of this status.
help-merchant-subscription = The subscription.
help-merchant-test-clock = The test clock whose time counts.
help-merchant-text = The text. In the sandbox winning_evidence and losing_evidence decide.
help-merchant-trial = Days without payment at the beginning.
help-merchant-user = The user, by e-mail address or id.
help-merchant-value = The value.
help-merchant-with = What is typed into the page.
help-setup-about = Keeps a card for payments to come: makes a customer and fills in the hosted page.
help-setup-email = The customer's address.
help-setup-with = The card that is kept.

## The course

help-day-only = Only this beat: read, do, see, prove.
help-day-from = From this beat on.
help-day-full = Shows the whole lesson.
help-day-yes = Asks nothing. Otherwise a day asks on a terminal, after its checks.
help-day-answer = Answers a question of the day (day2: id, type, session, amount; day1: jpy), so that none is asked.
help-day-price = The shop sells a Price that is made at the provider first, instead of an amount in its own code.
help-day-junit = Also writes the checks as JUnit XML to this file.
help-day-attest = Attests, with your word, the part of a check that no program can see.
help-day-app = Grades your own server at this address (/, /checkout, /webhook, /ledger) instead of the built-in shop; --print-env prints what it needs in its environment.
help-day-exec = Starts your own server with this command (through sh), grades it and stops it. It finds PORT, STRIPE_API_BASE, STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET in its environment, and of the second provider CREEM_API_BASE_URL, CREEM_API_KEY and CREEM_WEBHOOK_SECRET; what it prints is its log. Give --app as well where it picks its own address.
help-day-webhook-path = Path of your server's webhook, where it is another than /webhook.
help-day-webhook-only = Says that your server has only its webhook and its ledger, which is found out otherwise (/ and POST /checkout answer 404, 405 or 501). On days 3 to 5 sessions are then made by stripegym; what is about your own pages is left out.
help-day-print-env = Prints PORT, STRIPE_API_BASE, STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and STRIPE_WEBHOOK_SECRET as your server at --app needs them, and CREEM_API_BASE_URL, CREEM_API_KEY and CREEM_WEBHOOK_SECRET for one that sells through two providers, whole, and ends. Every other output masks the secrets. They are those of your settings, else such as are made once and kept in .stripegym.
help-day-ledger = Reads your ledger from a SQLite file instead of GET /ledger, without writing to it: sqlite:PATH, or sqlite:PATH?table=NAME&amount=COLUMN, where table and columns cannot be guessed; postgres://USER@HOST/DATABASE, with the same behind it, for a table on a PostgreSQL server.
help-day-api-version = API version of the endpoint, for a library that takes only its own (stripe-go, stripe-dotnet).
help-day-checkout-path = Path at which your server's checkout begins, where it is another than /checkout.
help-day-ledger-path = Path of your server's ledger, where it is another than /ledger.
help-day-no-ledger = Says that your server shows no ledger: days 3 and 5 are graded by answers, calls and deliveries alone.
help-day-ledger-cmd = Reads your ledger from what this command prints (JSON or CSV) instead of GET /ledger.
help-day-project = Folder of your own project: its files are read by rules (secrets, versions, image), and day6 follows its README in a clean copy. With --exec or --app it is the working folder, where that looks like a project.
help-day-allow-exec = Lets lessons that did not come with stripegym (a lessons/ folder) run the commands of a README.
help-status-about = Shows where you stand in the seven days.
help-hint-about = Shows the next of three hints of a check.
help-hint-code = The check or the code of its failure: SG3.7, D3.7; or a day: its first open check. Without it, that of the whole course.
help-hint-tier = Shows hints up to this one.
help-explain-about = Explains the code of a failure, or a topic.
help-explain-name = The code or the topic; without it, the topics.
help-reset-about = Sets a day, the ledger or the sandbox back; a copy is kept.
help-reset-what = day0 … day6, ledger or sandbox.
help-reset-all = Progress, ledger and sandbox.
help-dev-about = For authors of lessons.
help-dev-items-about = Lists, in Markdown, which check proves each item of the course.
help-dev-check-about = Checks that every lesson keeps to its format.
help-dev-check-run = Also put every solution, every starter and every broken shop of lessons/ before the course.
help-dev-check-tools = Folder with installed packages: venv, node/node_modules, rust.
help-dev-check-brief = Grade broken shops and the Python starters by their own lesson alone; of a lesson beyond the week one broken shop.
help-dev-check-jobs = How many of them run side by side.
help-dev-check-only = Only programs whose name begins so, such as `python` or `mutant no_sig`.
lesson-minutes = about { $minutes } min by hand
lesson-beats = 1 read → 2 do → 3 look → 4 check → 5 gate
lesson-full = The whole lesson: { $command }
ask-word = { $id } { $title }: is it so? (y/n)
look-faults = { $count ->
    [one] { $count } fault
   *[other] { $count } faults
}
col-scenario = scenario
col-answers = answers
col-local = local
col-attempts = attempts
look-title = What came of it
col-pending = Undelivered
course-checked = checked{" "}
course-expected = expected
course-got = got{"     "}
course-why = why{"     "}
course-next = next{"    "}
course-note = note:
course-env-made = { $path } was made from .env.example, because your project had none. Fill it in; git must not track it.
course-proposed = Your project lacks { $names }. Proposals are in { $folder }; read, change and copy what you want. Nothing was written into the project.
course-will-run = In a clean copy of { $folder }, day 6 now runs what the README marks:
course-skipped = { $id } was left out, because there is nothing to look at: { $need }
course-attest = { $id } also wants your word. Once it is so: { $command }
course-type = Next: { $command }
day-failed = { $failing ->
    [one] One required check is open.
   *[other] { $failing } required checks are open.
}
day-passed = { $title }: passed in { $seconds } s.
help-check-about = Grades quietly: the day you are at, days, single checks, or all.
help-check-long =
    Nothing is asked, read or shown on the way. A single check brings along what it needs.
    Ends with 0 when everything required is passed, 1 when a check fails, 2 for a name that does not exist, 3 when something around it does not work, 4 for a broken lesson, 5 refused for safety.
help-check-names = Days (day3) and checks (D3.7, SG3.7); without any, the day you are at.
help-check-all = Every day.
help-check-ci = For build servers: what is printed does not depend on a terminal.
help-check-format = Also for a build server: junit, github (annotations), markdown (a summary), json (as --json), on stdout or, as in junit:checks.xml, into a file. May be repeated.
help-check-watch = Grades again whenever a file here changes or a webhook is delivered. A server of --exec is started anew.
help-check-poll = Looks through the folder every second, where the system does not tell of changes by itself.
help-check-lasting = Ends watching after this time (60s, 5m, 2h).
help-check-rounds = Ends watching after this many rounds.
help-check-strict = Items that are open or risky stand in the way too.
help-check-skip = Leaves out a check, by its id or code; may be repeated.
help-check-only = Only this check, with what it needs; may be repeated.
help-check-budget = How long all of it may take (120s, 5m); a day never more than its share. Without it, 5m.
check-summary = { $passed } passed · { $failed } failed · { $warned } warned · { $open } open · { $skipped } left out · { $seconds } s
check-waiting = { $all } more { $all ->
    [one] waits
   *[other] wait
 } for { $root }: { $ids }
contract-routes = Routes
contract-webhook = The webhook takes POST with JSON and Stripe-Signature, answers 2xx once the row is written, 4xx to what is not signed, and 5xx when it fails itself. Nothing is expected of routes that are not listed.
contract-environment = Environment (of a server that --exec starts; --print-env prints it for one at --app)
contract-ledger = Ledger: JSON (an array, or an object with it as rows), CSV, an HTML table or a SQLite table
contract-rows = One row a session, in any order. Every paid session has one, at once or a moment after the answer; a session that was never paid may lack it. A refund changes the status of its row. Other names of columns are guessed, or told by --ledger.
contract-required = required
contract-optional = optional
course-waits = waits for { $root }
course-request = request
course-answer = answer
course-log = log
severity-risky = risky
severity-habit = a habit
state-warn = warned
said-version = Your library says: the event is of another API version than it was made for. Register the endpoint with its version (here: --api-version).
said-parsed = Your library says: the body had been parsed before it was verified. Hand it the bytes that came.
said-no-header = Your library says: it was not given the header Stripe-Signature.
said-no-secret = Your library says: it was not given a signing secret. The variable is not set, or empty.
said-tolerance = Your library says: the signature is older than it tolerates.
said-no-match = Your library says: no signature in the header fits this body with this secret.
said-crashed = Your handler failed: the answer is its own error, and says nothing about what it believes.
watch-events = Watching { $folder } by file events, and every webhook delivery. Ctrl-C ends.
watch-polling = Watching { $folder } by looking through it every second, and every webhook delivery. Ctrl-C ends.
watch-why-polling = File events are not used: { $why }.
watch-began = first round
watch-back = the server answers again
watch-failed = could not be graded
watch-files = { $first } and { $more } more
watch-round = Round { $number }: { $cause }
status-done = All seven days are passed.
hint-more = More: { $command }
explain-topics = What can be explained besides the code of any failure:
reset-nothing = There was nothing to set back.
reset-done = Set back: { $what }. The copy is in { $backup }.
lessons-tried = { $well } of { $all } programs came out as they should.
lessons-beyond = { $count } requests beyond loopback
lessons-well = The lessons keep to their format; { $commands } quoted commands parse.
lessons-bad = { $problems ->
    [one] One problem.
   *[other] { $problems } problems.
}
fault-lesson = A lesson does not keep to its format: { $what }
fault-no-such-code = There is no check, cause or topic `{ $code }`.
fault-sandbox-not-running = No sandbox of the folder { $home } is running.
fault-sandbox-in-use = Another process hosts the sandbox of this folder at { $base }; nothing was changed.
fault-ledger-in-use = A running stripegym writes this ledger; nothing was set back.
next-newer = Use that newer version, or give this one a folder of its own: --home DIR
next-disk-full = Make room on the disk of this file, then type the command again.
doctor-store = { $path } is well
doctor-store-busy = { $path } is being written by another program
doctor-store-broken = { $path } cannot be read: { $cause }
doctor-progress-fix = Move the file away; `stripegym progress import FILE` brings an export back, and backup/ beside it has what was set back.
doctor-sandbox-fix = stripegym reset sandbox    (keeps the file aside and starts with an empty one)
fault-course-in-use = Another day or `check` is at work in { $home }: two at a time would meet one another's deliveries.
next-dev-check = stripegym dev check
next-explain = stripegym explain
next-stop-sandbox = Stop that process, then type the command again.
next-other-course = End it first (Ctrl-C), or give this run a folder of its own: --home DIR

## Reports, solutions, progress

fault-not-ours = This is no file of the form { $expected }; nothing was changed.
fault-plan-file = A file of plans cannot be read as it stands.
fault-incomparable = { $what } cannot be compared.
next-incomparable = Say which column is which: --map ours.amount=COLUMN; --help has the names.
fault-in-the-way = { $path } is there already; nothing was written.
next-not-ours = Take a file that `stripegym progress export` of this version wrote.
next-in-the-way = Choose a folder that is empty or not there yet.
state-pass = passed
state-fail = failed
state-partial = passed, a person's part open
state-attest = a person's word open
state-skip = left out
state-blocked = blocked
state-not-run = not run
status-hints = hints shown: { $hints }
written = Written to { $path }
    SHA-256 { $seal }
imported = Merged. Known now: { $checks } checks, { $attempts } attempts.
imported-backup = The file from before is in { $backup }.
solution-of = Solution of { $day }: lessons/track, { $path }
solution-held = { $name } is not passed yet: its solution is shown afterwards.
solution-give-up = To see it anyway (it is noted): { $command }
starter-written = { $files } files are in { $folder }. Search them for `Day 0:`, `Day 1:` … to see what each day leaves to you.
starter-readme = How to install what it needs stands in its README.md.
report-title = Seven days of payments: what was reached
report-lead = { $passed } of { $required } required checks are passed.
report-made = Graded by stripegym { $program } against its offline sandbox, API version { $api }. Each check observed state: answers, objects, deliveries, ledger rows.
report-col-gone = Shown · done · proved
report-col-day = Day
report-col-passed = Required
report-col-attempts = Attempts
report-col-hints = Hints
report-col-solution = Solution
report-col-check = Check
report-col-title = What holds
report-col-first = First passed
report-col-evidence = Evidence
report-col-seal = Seal
report-attested = attested { $at }
report-gave-up = given up
report-shown = solution seen
report-chart = Attempts by day
report-chart-good = went well
report-chart-bad = failed
report-proof = Proof
report-seal = Every row is sealed with all rows before it (SHA-256). The final seal is { $seal }. Save this file and check it with:
report-limit = A seal shows that something was changed afterwards. It does not show who did the work, nor that a report was not made anew with all its hashes: only the progress file, or a final seal that somebody else kept, can show that.
report-data = Data
share-what = The course ends with a shop that takes a payment, believes only signed events, writes one row a payment and finds every difference to the provider.
share-open = Still open
share-try = Try it yourself
share-seal = Seal of the full report at this point: { $seal }
demo-title = Three minutes: one payment, all the way around
demo-type = Type
demo-say = Say and show
demo-sandbox = Terminal 1: an offline Stripe. No account, no key, no network.
demo-listen = Terminal 2: the shop. It answers only after the event is verified and written down.
demo-checkout = Terminal 3: pay on the page with 4242 4242 4242 4242. Watch terminal 2: the signed event arrives.
demo-ledger = One row: session, amount in yen, paid.
demo-events = Copy the id of checkout.session.completed.
demo-resend = The same event once more: terminal 2 says duplicate, the ledger stays.
demo-reconcile = Both sides are compared: MATCH.
demo-seen = Seen with my own eyes
demo-seen-checkout = Checkout: the payment was made on the hosted page
demo-seen-webhook = Webhook: the signed event arrived, and its repetition changed nothing
demo-seen-ledger = Ledger: one row, and the comparison says MATCH
demo-sign = Name / Date / Signature
demo-after = Afterwards the learner notes that somebody else saw it:
verify-holds = The report holds: { $rows } rows, final seal
verify-broken = The report does not hold: { $flaws }.
verify-against = Compared with { $path }.
verify-alone = Compared with no progress file; --against FILE does that.
verify-other = Version { $program } wrote it: its hashes were computed again, its text was not compared.
flaw-unreadable = It has no data that can be read ({ $reason }).
flaw-row = { $id }: this row was changed, or a row or the head before it.
flaw-evidence = { $id }: its evidence does not have the hash that stands there.
flaw-seal = The final seal is not that of the last row.
flaw-text = Line { $line } of the text does not say what the data say.
flaw-unknown = { $id }: the progress file knows nothing of it.
flaw-differs = { $id }: the progress file says something else.
help-solution-about = Shows the file that fills a day's gap, once the day is passed.
help-solution-name = A day (day3) or a check (SG3.7).
help-solution-language = Language of the shop.
help-solution-give-up = Shows it before the pass; status and reports say so.
help-starter-about = Writes a shop to begin with into a folder; overwrites nothing.
help-starter-language = Language of the shop.
help-starter-folder = Folder to write to.
help-report-about = Writes what you reached, with evidence and seals, to hand on.
help-report-format = Markdown, one HTML file, or the data alone.
help-report-out = Writes to this file instead of stdout.
help-report-demo = A script for a demonstration of three minutes, with a line to sign.
help-report-share = One page to show around.
help-verify-report-about = Computes the seals of a report again and says which row was changed.
help-verify-report-long = Ends with 0 if the report holds, with 1 if not. Also compares its text with its data, and both with the progress file that is here.
help-verify-report-file = The report, in any format.
help-verify-report-against = Another progress.db to compare with.
help-progress-about = Carries your progress to another machine.
help-progress-export-about = Writes your progress as JSON.
help-progress-export-file = File to write; without it, stdout.
help-progress-import-about = Merges exported progress into yours; a copy is kept.
help-progress-import-file = The exported file.

## The items of the course

items-id = item
items-title = what holds
items-kind = kind
items-proof = proved by
items-catches = broken handlers that fail it
items-auto = auto
items-partial = partial
items-attested = attested
items-advice = advice
items-own = its own probe
