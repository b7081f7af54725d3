"""A small shop in plain Python that can be broken by name, to prove that the lessons notice.

    python3 shop.py PORT [BREAKAGE]

Without a breakage it passes every day with `--app http://127.0.0.1:PORT`. It reads STRIPE_API_BASE and
STRIPE_WEBHOOK_SECRET and keeps its ledger in shop.db in the working folder. Standard library only.
"""

import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import sys
import threading
import time
import urllib.parse
import urllib.request

PORT = int(sys.argv[1])
BROKEN = sys.argv[2] if len(sys.argv) > 2 else ""
BASE = os.environ["STRIPE_API_BASE"]
SECRET = os.environ["STRIPE_WEBHOOK_SECRET"].encode()
LOCK = threading.Lock()
COLUMNS = "session_id, amount, currency, status, created, updated, payment_intent, event_id"


def connect():
    database = sqlite3.connect("shop.db", timeout=5)
    database.execute(
        "CREATE TABLE IF NOT EXISTS ledger (session_id TEXT PRIMARY KEY, amount INTEGER, currency TEXT,"
        " status TEXT, created INTEGER, updated INTEGER, payment_intent TEXT, event_id TEXT)"
    )
    return database


def create_session(amount):
    shop = f"http://127.0.0.1:{PORT}"
    line = "line_items[0]"
    form = {
        "mode": "payment",
        "success_url": shop + "/success?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": shop + "/cancel",
        f"{line}[quantity]": "1",
        f"{line}[price_data][currency]": "jpy",
        f"{line}[price_data][unit_amount]": amount,
        f"{line}[price_data][product_data][name]": "Tea",
    }
    request = urllib.request.Request(
        BASE + "/v1/checkout/sessions",
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": "Bearer sk_test_anyKeyWillDo"},
    )
    return json.load(urllib.request.urlopen(request))


def is_genuine(header, body):
    if BROKEN == "no_sig":
        return True
    items = [item.split("=", 1) for item in (header or "").split(",") if "=" in item]
    signed = [value for name, value in items if name == "t"]
    if not signed:
        return False
    if BROKEN == "eq_reserialised_json":
        body = json.dumps(json.loads(body)).encode()
    schemes = ("v1", "v0") if BROKEN == "accepts_v0" else ("v1",)
    given = [value for name, value in items if name in schemes]
    if BROKEN == "first_v1_only":
        given = given[:1]
    if BROKEN != "no_tolerance" and time.time() - int(signed[0]) > 300:
        return False
    wanted = hmac.new(SECRET, signed[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(wanted, one) for one in given)


def book(event):
    """Writes what an event says; the status of the answer."""
    session = event["data"]["object"]
    kind = event["type"].rsplit(".", 1)[1]
    status = {
        "completed": session["payment_status"],
        "async_payment_succeeded": "paid",
        "async_payment_failed": "failed",
        "expired": "expired",
    }.get(kind, "unpaid")
    if BROKEN == "paid_always" and kind == "completed":
        status = "paid"
    if BROKEN == "ignores_async_failed" and kind == "async_payment_failed":
        return 200
    amount = session["amount_total"]
    if BROKEN == "usd_div_wrong" and session["currency"] != "jpy":
        amount //= 100
    row = [session["id"], amount, session["currency"], status, session["created"], event["created"]]
    row += [session.get("payment_intent"), event["id"]]
    with LOCK:
        database = connect()
        try:
            query = "SELECT status FROM ledger WHERE session_id = ?"
            known = database.execute(query, (session["id"],)).fetchone()
            if known and BROKEN == "no_dedupe":
                row[0] += event["id"] + str(time.time_ns())
                known = None
            if not known:
                database.execute(f"INSERT INTO ledger ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", row)
            elif BROKEN == "dup_returns_500":
                return 500
            elif BROKEN == "insert_only":
                pass
            elif BROKEN == "order_dependent" or (known[0] == "unpaid" and status != "unpaid"):
                update = "UPDATE ledger SET status = ?, updated = ? WHERE session_id = ?"
                database.execute(update, (status, event["created"], session["id"]))
            database.commit()
        finally:
            database.close()
    return 200


def take(header, body):
    """Takes a delivery; the status of the answer."""
    try:
        genuine = is_genuine(header, body)
    except ValueError:
        genuine = False
    if not genuine:
        return 500 if BROKEN == "crash_on_bad_sig" else 400
    try:
        event = json.loads(body)
    except ValueError:
        return 400
    if event.get("object") != "event":
        return 200
    if event.get("livemode") and BROKEN != "accepts_livemode":
        return 200
    if not event["type"].startswith("checkout.session."):
        return 500 if BROKEN == "500_on_unknown" else 200
    return book(event)


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text="", kind="text/html; charset=utf-8", location=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        path, _, query = self.path.partition("?")
        home = '<a href="/">home</a>'
        if path == "/":
            self.answer(200, "<h1>Hello</h1><form method=post action=/checkout><button>Buy</button></form>")
        elif path == "/success":
            if BROKEN == "fulfil_on_success_page":
                session = urllib.parse.parse_qs(query)["session_id"][0]
                now = int(time.time())
                row = (session, 500, "jpy", "paid", now, now, None, None)
                with LOCK:
                    database = connect()
                    database.execute(f"INSERT OR IGNORE INTO ledger ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", row)
                    database.commit()
                    database.close()
            self.answer(200, "<h1>Thank you</h1>" + home)
        elif path == "/cancel":
            self.answer(200, "<h1>Nothing was charged</h1>" + home)
        elif path == "/config":
            self.answer(200, '{"publishableKey": null}', "application/json")
        elif path == "/ledger" and not self.headers.get("Host", "").startswith("127.0.0.1"):
            self.answer(403)
        elif path == "/ledger":
            database = connect()
            database.row_factory = sqlite3.Row
            rows = [dict(row) for row in database.execute("SELECT * FROM ledger ORDER BY created DESC")]
            database.close()
            self.answer(200, json.dumps(rows), "application/json")
        else:
            self.answer(405 if path in ("/webhook", "/checkout") else 404)

    def do_PUT(self):
        self.body()
        self.answer(405)

    def do_POST(self):
        body = self.body()
        if self.path == "/checkout":
            form = urllib.parse.parse_qs(body.decode())
            amount = "50000" if BROKEN == "jpy_x100" else "500"
            if BROKEN == "trusts_query_amount":
                amount = form.get("amount", [amount])[0]
            self.answer(303, location=create_session(amount)["url"])
        elif self.path != "/webhook":
            self.answer(404)
        elif BROKEN == "redirect_302":
            self.answer(302, location="/webhook/")
        elif len(body) > 1_000_000:
            self.answer(413)
        else:
            self.answer(take(self.headers.get("Stripe-Signature"), body))


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Shop)
    print(f"Ready http://127.0.0.1:{server.server_port}", flush=True)
    PORT = server.server_port
    server.serve_forever()
