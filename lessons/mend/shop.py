"""A small shop on Python's own library: pages, webhook, ledger. One place of it is broken; mend that."""
import hashlib, hmac, html, json, os, secrets, sqlite3, time, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = int(os.environ.get("PORT", "5001"))
KEY = os.environ["STRIPE_SECRET_KEY"]
SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
API = os.environ.get("STRIPE_API_BASE", "http://127.0.0.1:12111")
CREEM_KEY = os.environ.get("CREEM_API_KEY", "")
CREEM_SECRET = os.environ.get("CREEM_WEBHOOK_SECRET", "")
CREEM_API = os.environ.get("CREEM_API_BASE_URL", API)
HOME = f"http://127.0.0.1:{PORT}"
BOOK = Path(__file__).with_name("shop.db")
CURRENCY, PRICE = "jpy", 500
QUOTA = 3


def book():
    db = sqlite3.connect(BOOK, timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("""CREATE TABLE IF NOT EXISTS ledger (session_id TEXT PRIMARY KEY, amount INTEGER,
        currency TEXT, status TEXT, created INTEGER, updated INTEGER, payment_intent TEXT, event_id TEXT)""")
    db.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
    for name in ("refunds", "disputes"):
        db.execute(f"CREATE TABLE IF NOT EXISTS {name} (id TEXT PRIMARY KEY, payment_intent TEXT, amount INTEGER)")
    db.execute("CREATE TABLE IF NOT EXISTS ended (subscription TEXT PRIMARY KEY)")
    db.execute("""CREATE TABLE IF NOT EXISTS periods (invoice TEXT PRIMARY KEY, customer TEXT, subscription TEXT,
        amount INTEGER)""")
    db.execute("CREATE TABLE IF NOT EXISTS orders (payment_intent TEXT PRIMARY KEY, number TEXT, amount INTEGER)")
    db.execute("CREATE TABLE IF NOT EXISTS users (user TEXT PRIMARY KEY, customer TEXT)")
    db.execute("CREATE TABLE IF NOT EXISTS credit_orders (session_id TEXT PRIMARY KEY, user TEXT)")
    db.execute("CREATE TABLE IF NOT EXISTS key_orders (session_id TEXT PRIMARY KEY, user TEXT)")
    db.execute("""CREATE TABLE IF NOT EXISTS api_keys (session_id TEXT PRIMARY KEY, hash TEXT UNIQUE, subscription TEXT,
        period INTEGER, used INTEGER)""")
    db.execute("CREATE TABLE IF NOT EXISTS sales (id TEXT PRIMARY KEY, provider TEXT, user TEXT, cart TEXT)")
    db.execute("""CREATE TABLE IF NOT EXISTS creem_payments (checkout TEXT PRIMARY KEY, payment TEXT, amount INTEGER,
        currency TEXT)""")
    db.execute("CREATE TABLE IF NOT EXISTS creem_losses (id TEXT PRIMARY KEY, payment TEXT, amount INTEGER)")
    return db


def stripe(method, path, fields=None, once=None):
    body = urllib.parse.urlencode(fields).encode() if fields else None
    headers = {"Authorization": f"Bearer {KEY}", **({"Idempotency-Key": once} if once else {})}
    ask = urllib.request.Request(API + path, body, headers, method=method)
    with urllib.request.urlopen(ask, timeout=20) as answer:
        return json.load(answer)


def new_session():
    return stripe("POST", "/v1/checkout/sessions", {
        "mode": "payment",
        "line_items[0][price_data][currency]": CURRENCY,
        # What one costs, in the smallest unit of its currency.
        "line_items[0][price_data][unit_amount]": PRICE,
        "line_items[0][price_data][product_data][name]": "Tea",
        "line_items[0][quantity]": 1,
        "success_url": HOME + "/success?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": HOME + "/cancel",
    })


def customer(email):
    found = stripe("GET", "/v1/customers?" + urllib.parse.urlencode({"email": email, "limit": 1}))["data"]
    return found[0]["id"] if found else stripe("POST", "/v1/customers", {"email": email})["id"]


def new_card(email):
    return stripe("POST", "/v1/checkout/sessions", {
        "mode": "setup", "currency": CURRENCY, "customer": customer(email),
        "success_url": HOME + "/success?session_id={CHECKOUT_SESSION_ID}", "cancel_url": HOME + "/cancel",
    })


def new_subscription(email):
    who = customer(email)
    running = stripe("GET", "/v1/subscriptions?customer=" + who)["data"]
    if any(it["status"] not in ("incomplete", "incomplete_expired", "canceled") for it in running):
        return None
    return stripe("POST", "/v1/checkout/sessions", {
        "mode": "subscription", "customer": who, "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": CURRENCY, "line_items[0][price_data][unit_amount]": PRICE,
        "line_items[0][price_data][recurring][interval]": "month",
        "line_items[0][price_data][product_data][name]": "Tea, every month",
        "success_url": HOME + "/success?session_id={CHECKOUT_SESSION_ID}", "cancel_url": HOME + "/cancel",
    })


def new_portal(email):
    found = stripe("GET", "/v1/customers?" + urllib.parse.urlencode({"email": email, "limit": 1}))["data"]
    return stripe("POST", "/v1/billing_portal/sessions", {"customer": found[0]["id"], "return_url": HOME}) if found else None


def charge(form):
    cards = stripe("GET", f"/v1/customers/{customer(form['email'])}/payment_methods?type=card")["data"]
    if not cards:
        return 409
    try:
        stripe("POST", "/v1/payment_intents", {
            "amount": form["amount"], "currency": CURRENCY, "customer": cards[0]["customer"],
            "payment_method": cards[0]["id"], "payment_method_types[0]": "card", "confirm": "true",
            # The buyer is away: what needs them must fail, not wait for them.
            "off_session": "true",
        }, once="charge-" + form["order"])
    except OSError:
        return 402
    return 200


def new_intent(form):
    made = stripe("POST", "/v1/payment_intents", {
        "amount": PRICE, "currency": CURRENCY, "automatic_payment_methods[enabled]": "true",
        "metadata[order]": form["order"],
    }, once="intent-" + form["order"])
    return {"payment_intent": made["id"], "client_secret": made["client_secret"]}


def buy_credits(form):
    made = new_session()
    with book() as db:
        db.execute("INSERT OR IGNORE INTO credit_orders VALUES (?, ?)", (made["id"], form["user"]))
    return made


def credits(user):
    with book() as db:
        own = [row[0] for row in db.execute("SELECT session_id FROM credit_orders WHERE user = ?", (user,))]
    total = 0
    for row in rows():
        # Credits are worth what stayed of their money.
        stayed = row["amount"] - row["refunded"]
        if row["session_id"] in own and row["status"] not in ("unpaid", "expired", "failed"):
            total += 10 * stayed // row["amount"]
    return {"credits": total}


def buy_key(form):
    made = stripe("POST", "/v1/checkout/sessions", {
        "mode": "subscription", "client_reference_id": form["user"], "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": CURRENCY, "line_items[0][price_data][unit_amount]": 980,
        "line_items[0][price_data][recurring][interval]": "month",
        "line_items[0][price_data][product_data][name]": "The tea API",
        "success_url": HOME + "/success?session_id={CHECKOUT_SESSION_ID}", "cancel_url": HOME + "/cancel",
    })
    with book() as db:
        db.execute("INSERT OR IGNORE INTO key_orders VALUES (?, ?)", (made["id"], form["user"]))
    return made


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def thanks(asked):
    user, name = asked.get("user", ""), asked.get("session_id", "")
    with book() as db:
        if not db.execute("SELECT 1 FROM key_orders WHERE session_id = ? AND user = ?", (name, user)).fetchone():
            return 404, None
    session = stripe("GET", "/v1/checkout/sessions/" + name)
    if session["payment_status"] != "paid" or not session["subscription"]:
        return 409, None
    key = "tea_" + secrets.token_urlsafe(32)
    with book() as db:
        # A purchase has one key, whoever asks first; what is kept of it is its hash.
        made = db.execute("INSERT OR IGNORE INTO api_keys VALUES (?, ?, ?, 0, 0)",
                          (name, digest(key), session["subscription"])).rowcount
    return 200, {"key": key if made else None}


def keys(user):
    with book() as db:
        count, used = db.execute("""SELECT count(*), coalesce(sum(used), 0) FROM api_keys JOIN key_orders
            USING (session_id) WHERE user = ?""", (user,)).fetchone()
    return {"keys": count, "used": used, "quota": QUOTA}


def tea(header):
    kind, _, text = header.partition(" ")
    with book() as db:
        key = db.execute("SELECT * FROM api_keys WHERE hash = ?", (digest(text),)).fetchone()
        if not key or kind != "Bearer":
            return 401
        # What is over opens nothing any more.
        over = db.execute("SELECT 1 FROM ended WHERE subscription = ?", (key["subscription"],)).fetchone()
        if over:
            return 401
        now = db.execute("SELECT count(*) FROM periods WHERE subscription = ?", (key["subscription"],)).fetchone()[0]
        counted = db.execute(
            """UPDATE api_keys SET used = CASE period WHEN :now THEN used + 1 ELSE 1 END, period = :now
               WHERE hash = :hash AND (period <> :now OR used < :quota)""",
            {"now": now, "hash": key["hash"], "quota": QUOTA}).rowcount
    return 200 if counted else 429


def creem(method, path, fields=None):
    body = json.dumps(fields).encode() if fields else None
    headers = {"x-api-key": CREEM_KEY, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(CREEM_API + path, body, headers, method=method), timeout=20) as answer:
        return json.load(answer)


def at_creem(form):
    found = creem("GET", "/v1/products/search?page_size=100")["items"]
    sold = next((it for it in found if it["name"] == "Ten credits"), None) or creem("POST", "/v1/products", {
        "name": "Ten credits", "price": 500, "currency": "EUR", "billing_type": "onetime"})
    made = creem("POST", "/v1/checkouts", {
        "product_id": sold["id"], "units": 1, "success_url": HOME + "/",
        "metadata": {"user": form["user"], "cart": form["cart"]}})
    return {"id": made["id"], "url": made["checkout_url"]}


def order_at(form):
    if any(it["cart"] == form["cart"] and it["paid"] for it in orders(form["user"])["orders"]):
        return None
    made = at_creem(form) if form["provider"] == "creem" else new_session()
    with book() as db:
        row = (made["id"], form["provider"], form["user"], form["cart"])
        db.execute("INSERT OR IGNORE INTO sales VALUES (?, ?, ?, ?)", row)
    return made


def is_creems(body, header):
    # Creem's own secret, over the bytes that came.
    expected = hmac.new(CREEM_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(header.encode(), expected.encode())


def record_creem(event):
    kind, thing = event["eventType"], event["object"]
    named = lambda it: it["id"] if isinstance(it, dict) else it
    with book() as db:
        if kind == "checkout.completed":
            order = thing["order"]
            row = (thing["id"], named(order["transaction"]), order["amount_paid"], order["currency"].lower())
            db.execute("INSERT OR IGNORE INTO creem_payments VALUES (?, ?, ?, ?)", row)
        if kind in ("refund.created", "dispute.created"):
            row = (thing["id"], named(thing["transaction"]), thing.get("refund_amount", thing.get("amount")))
            db.execute("INSERT OR IGNORE INTO creem_losses VALUES (?, ?, ?)", row)


def orders(user):
    known = {row["session_id"]: row for row in rows() if row["status"] not in ("unpaid", "expired", "failed")}
    found = []
    with book() as db:
        for sale in db.execute("SELECT * FROM sales WHERE user = ? ORDER BY rowid", (user,)).fetchall():
            row = known.get(sale["id"])
            paid = db.execute("""SELECT amount, currency, (SELECT coalesce(sum(amount), 0) FROM creem_losses AS it
                WHERE it.payment = creem_payments.payment) AS lost FROM creem_payments WHERE checkout = ?""",
                (sale["id"],)).fetchone()
            of = dict(paid) if paid else row and {
                "amount": row["amount"], "currency": row["currency"], "lost": row["refunded"] + row["disputed"]}
            found.append({**{name: sale[name] for name in ("provider", "id", "cart")}, "paid": bool(of),
                          **(of or {"amount": 0, "currency": None, "lost": 0})})
    left = sum(10 * max(it["amount"] - it["lost"], 0) // it["amount"] for it in found if it["paid"])
    return {"credits": left, "orders": found}


def enter(form):
    # Whose customer it is: who is signed in, not an address.
    whose = form["user"]
    with book() as db:
        row = db.execute("SELECT customer FROM users WHERE user = ?", (whose,)).fetchone()
        who = row[0] if row else stripe("POST", "/v1/customers", {"metadata[user]": form["user"]})["id"]
        db.execute("INSERT OR IGNORE INTO users VALUES (?, ?)", (whose, who))
    stripe("POST", "/v1/customers/" + who, {"email": form["email"]})
    return {"customer": who}


RIGHTS = {
    "checkout": ["checkout_sessions:write"],
    "success": ["checkout_sessions:read"],
    # It looks for the customer, and makes a session of the portal.
    "portal": ["customers:read", "billing_portal_sessions:write"],
}


def is_genuine(body, header):
    parts = [part.split("=", 1) for part in header.split(",") if "=" in part]
    when = next((value for name, value in parts if name == "t"), "")
    if not when.isdigit() or abs(time.time() - int(when)) > 300:
        return False
    expected = hmac.new(SECRET.encode(), when.encode() + b"." + body, hashlib.sha256).hexdigest()
    # Any v1 that fits is enough; the comparison takes the same time for any text.
    return any(name == "v1" and hmac.compare_digest(value.encode(), expected.encode()) for name, value in parts)


def what_it_means(kind, session):
    if kind == "checkout.session.completed":
        return session["payment_status"]
    if kind == "checkout.session.async_payment_succeeded":
        return "paid"
    if kind == "checkout.session.async_payment_failed":
        return "failed"
    if kind == "checkout.session.expired":
        return "expired"
    return None


def record(event):
    session = event["data"]["object"]
    status = what_it_means(event["type"], session)
    with book() as db:
        # An event that has been here changes nothing.
        if db.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["id"],)).rowcount == 0:
            return
        note_loss(db, event["type"], session)
        note_period(db, event["type"], session)
        note_order(db, event["type"], session)
        if status is None:
            return
        db.execute(
            """INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET
               status = excluded.status, updated = excluded.updated, payment_intent = excluded.payment_intent,
               event_id = excluded.event_id WHERE ledger.status != 'paid'""",
            (session["id"], session["amount_total"], session["currency"], status, session["created"],
             int(event["created"]), session.get("payment_intent"), event["id"]))


def note_loss(db, kind, thing):
    if kind.startswith("refund."):
        # A refund that failed came back.
        table, lost = "refunds", 0 if thing["status"] in ("failed", "canceled") else thing["amount"]
    elif kind.startswith("charge.dispute.") and not thing["status"].startswith("warning"):
        # A dispute that was won came back.
        table, lost = "disputes", 0 if thing["status"] == "won" else thing["amount"]
    else:
        return
    db.execute(
        f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET amount = min(amount, excluded.amount)",
        (thing["id"], thing["payment_intent"], lost))


def note_period(db, kind, thing):
    # A subscription that is over stays over.
    if kind == "customer.subscription.deleted":
        db.execute("INSERT OR IGNORE INTO ended VALUES (?)", (thing["id"],))
    # Each invoice that was paid is one period.
    if kind == "invoice.paid":
        of = (thing["parent"] or {}).get("subscription_details")
        row = of and (thing["id"], thing["customer"], of["subscription"], thing["amount_due"])
        db.executemany("INSERT OR IGNORE INTO periods VALUES (?, ?, ?, ?)", [row] if row else [])


def note_order(db, kind, thing):
    # Money has come once the payment has succeeded.
    if kind == "payment_intent.succeeded":
        row = (thing["id"], thing["metadata"].get("order"), thing["amount"])
        db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?)", row)


def order(number):
    with book() as db:
        count, amount = db.execute(
            "SELECT count(*), coalesce(sum(amount), 0) FROM orders WHERE number = ?", (number,)).fetchone()
    return {"status": "paid" if count else "unpaid", "amount": amount}


def access(email):
    with book() as db:
        paid, total, runs = db.execute(
            """SELECT count(*), coalesce(sum(amount), 0), coalesce(sum(subscription NOT IN (SELECT * FROM ended)), 0)
               FROM periods WHERE customer = ?""", (customer(email),)).fetchone()
    return {"access": runs > 0, "paid": paid, "total": total}


def rows():
    with book() as db:
        found = [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY created")]
        for row in found:
            back, row["disputed"] = (
                db.execute(f"SELECT coalesce(sum(amount), 0) FROM {table} WHERE payment_intent = ?",
                           (row["payment_intent"],)).fetchone()[0] for table in ("refunds", "disputes"))
            row["refunded"] = back
            if back:
                row["status"] = "refunded" if back >= row["amount"] else "partially_refunded"
    return found


def verify(asked):
    # It gives nothing: whoever has the address can ask.
    user, name = asked.get("user", ""), asked.get("session_id", "")
    with book() as db:
        own = db.execute("SELECT 1 FROM credit_orders WHERE session_id = ? AND user = ?", (name, user)).fetchone()
    if not own:
        return None
    return {"status": stripe("GET", "/v1/checkout/sessions/" + name)["payment_status"], **credits(user)}


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body="", kind="text/html; charset=utf-8", **headers):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/":
            self.answer(200, '<form method="post" action="/checkout"><button>Buy tea, ¥500</button></form>')
        elif url.path == "/success":
            self.success(urllib.parse.parse_qs(url.query).get("session_id", [""])[0])
        elif url.path == "/cancel":
            self.answer(200, '<p>Nothing was paid. <a href="/">Back to the shop</a></p>')
        elif url.path == "/ledger":
            self.answer(200, json.dumps(rows()), "application/json")
        elif url.path == "/access":
            email = urllib.parse.parse_qs(url.query).get("email", [""])[0]
            self.answer(200, json.dumps(access(email)), "application/json")
        elif url.path == "/rights":
            self.answer(200, json.dumps(RIGHTS), "application/json")
        elif url.path == "/credits":
            user = urllib.parse.parse_qs(url.query).get("user", [""])[0]
            self.answer(200, json.dumps(credits(user)), "application/json")
        elif url.path == "/credits/verify":
            found = verify(dict(urllib.parse.parse_qsl(url.query)))
            self.answer(200 if found else 404, json.dumps(found), "application/json")
        elif url.path == "/keys/thanks":
            status, found = thanks(dict(urllib.parse.parse_qsl(url.query)))
            self.answer(status, json.dumps(found), "application/json")
        elif url.path == "/keys":
            user = urllib.parse.parse_qs(url.query).get("user", [""])[0]
            self.answer(200, json.dumps(keys(user)), "application/json")
        elif url.path == "/api/tea":
            self.answer(tea(self.headers.get("Authorization", "")), "{}", "application/json")
        elif url.path == "/orders":
            user = urllib.parse.parse_qs(url.query).get("user", [""])[0]
            self.answer(200, json.dumps(orders(user)), "application/json")
        elif url.path == "/order":
            number = urllib.parse.parse_qs(url.query).get("order", [""])[0]
            self.answer(200, json.dumps(order(number)), "application/json")
        else:
            self.answer(404, "<p>There is no such page.</p>")

    def success(self, name):
        try:
            session = stripe("GET", "/v1/checkout/sessions/" + urllib.parse.quote(name, safe=""))
        except OSError:
            return self.answer(404, '<p>There is no such order. <a href="/">Back to the shop</a></p>')
        paid = session["payment_status"] == "paid"
        text = "Thank you, it is paid." if paid else "It is not paid yet."
        shown = f'{session["amount_total"]} {session["currency"]}'
        self.answer(200, f'<p>{text} {shown} {html.escape(session["id"])}</p><a href="/">Back to the shop</a>')

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/checkout":
            return self.answer(303, Location=new_session()["url"])
        leads = {"/cards": new_card, "/subscribe": new_subscription, "/portal": new_portal, "/credits/buy": buy_credits,
                 "/keys/buy": buy_key, "/orders": order_at}
        path = self.path.partition("?")[0]
        says = {"/intents": new_intent, "/users": enter}
        if path == "/webhook/creem":
            if not is_creems(body, self.headers.get("creem-signature", "")):
                return self.answer(400, "no genuine signature")
            record_creem(json.loads(body))
            return self.answer(200)
        form = {} if path == "/webhook" else dict(urllib.parse.parse_qsl(body.decode()))
        if path in says:
            return self.answer(200, json.dumps(says[path](form)), "application/json")
        if path in leads or path == "/cards/charge":
            if path not in leads:
                return self.answer(charge(form))
            to = leads[path](form if "user" in form else form["email"])
            return self.answer(303, Location=to["url"]) if to else self.answer(409)
        if self.path != "/webhook":
            return self.answer(404)
        # Check, then read.
        if not is_genuine(body, self.headers.get("Stripe-Signature", "")):
            return self.answer(400, "no genuine signature")
        event = json.loads(body)
        record(event)
        print("received", event["type"], event["id"], event["data"]["object"].get("id", ""), flush=True)
        self.answer(200)

    def log_message(self, text, *values):
        print(self.command, self.path.split("?")[0], values[1] if len(values) > 1 else "", flush=True)


print(f"listening on {HOME}", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
