"""What every server in Python here shares: the ledger, what an event means for it, the purchase and the pages."""

import json
import os
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request

PORT = int(os.environ["PORT"])
ORIGIN = f"http://127.0.0.1:{PORT}"
BASE = os.environ["STRIPE_API_BASE"]
KEY = os.environ["STRIPE_SECRET_KEY"]
SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
PRICE = 500
CURRENCY = "jpy"
# A status gives way only to one of a higher rank: the order of arrival does not matter.
RANK = {"unpaid": 0, "expired": 1, "failed": 1, "no_payment_required": 2, "paid": 2}
MEANS = {
    "checkout.session.completed": None,
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}
REFUNDS = ("refund.created", "refund.updated", "refund.failed")


def connect():
    db = sqlite3.connect("shop.db", timeout=10, isolation_level=None)
    db.create_function("rank", 1, RANK.get)
    return db


def prepare():
    db = connect()
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS payments (session_id TEXT PRIMARY KEY, amount INTEGER, currency TEXT,"
        " status TEXT, created INTEGER, updated INTEGER, payment_intent TEXT, event_id TEXT)"
    )
    db.execute(
        "CREATE TABLE IF NOT EXISTS refunds (id TEXT PRIMARY KEY, payment_intent TEXT, amount INTEGER, gone INTEGER)"
    )
    db.close()


def say(text):
    print(text, flush=True)


def receive(genuine, header, body):
    """The status that a delivery is answered with."""
    try:
        event = genuine(header, body)
    except ValueError as error:
        say(f"refused: {error}")
        return 400
    if event.get("object") == "event" and not event.get("livemode"):
        take(event)
    return 200


def take(event):
    kind = event["type"]
    thing = event["data"]["object"]
    if kind in MEANS and thing["amount_total"] is not None:
        book(event, thing, MEANS[kind] or thing["payment_status"])
    elif kind in REFUNDS:
        give_back(thing)


def book(event, session, status):
    amount = session["amount_total"]
    currency = session["currency"]
    created = session["created"]
    row = [session["id"], amount, currency, status, created, event["created"]]
    row += [session.get("payment_intent"), event["id"]]
    db = connect()
    db.execute(
        "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET"
        " status = excluded.status, updated = excluded.updated, event_id = excluded.event_id,"
        " payment_intent = excluded.payment_intent WHERE rank(excluded.status) > rank(status)",
        row,
    )
    db.close()
    say(f"{event['id']} {session['id']} {amount} {currency} {status}")


def give_back(refund):
    gone = refund["status"] in ("failed", "canceled")
    db = connect()
    db.execute(
        "INSERT INTO refunds VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET gone = max(gone, excluded.gone)",
        [refund["id"], refund["payment_intent"], refund["amount"], gone],
    )
    db.close()


def standing(status, amount, back):
    if status != "paid" or back == 0:
        return status
    return "refunded" if back >= amount else "partially_refunded"


def rows():
    db = connect()
    found = db.execute(
        "SELECT *, (SELECT coalesce(sum(amount), 0) FROM refunds WHERE gone = 0"
        " AND refunds.payment_intent = payments.payment_intent) FROM payments"
    ).fetchall()
    db.close()
    names = ["session_id", "amount", "currency", "status", "created", "updated", "payment_intent", "event_id"]
    return [dict(zip(names, row), status=standing(row[3], row[1], row[8])) for row in found]


def ledger():
    """The content type and the text of the ledger's page."""
    return "application/json", json.dumps({"rows": rows()})


def call(method, path, form=None, key=None):
    headers = {"Authorization": f"Bearer {KEY}"}
    if key:
        headers["Idempotency-Key"] = key
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(BASE + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def buy(form):
    """The address of the page where a purchase is paid for; `form` is what the buyer sent."""
    line = "line_items[0]"
    wish = {
        "mode": "payment",
        "success_url": ORIGIN + "/success?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": ORIGIN + "/cancel",
        f"{line}[quantity]": "1",
        f"{line}[price_data][currency]": CURRENCY,
        f"{line}[price_data][unit_amount]": str(PRICE),
        f"{line}[price_data][product_data][name]": "Green tea",
    }
    order = form.get("order")
    return call("POST", "/v1/checkout/sessions", wish, order and "order-" + order)["url"]


def page(path, query):
    """A page's text, or None where there is none."""
    if path == "/":
        order = os.urandom(8).hex()
        return (
            '<!doctype html><meta charset="utf-8"><title>Tea</title><h1>Hello, tea</h1>'
            f'<form method="post" action="/checkout"><input type="hidden" name="order" value="{order}">'
            "<button>Buy</button></form>"
        )
    if path == "/success":
        return '<!doctype html><meta charset="utf-8"><h1>Thank you</h1><a href="/">Back</a>'
    if path == "/cancel":
        return '<!doctype html><meta charset="utf-8"><h1>Nothing was charged</h1><a href="/">Back</a>'
    return None


def local(host):
    return host.partition(":")[0] in ("127.0.0.1", "localhost")
