"""Two providers, one list of orders. Each is begun and believed in its own way; what they say is kept as the same facts."""

import hashlib
import hmac
import json
import logging
import re
import sqlite3
import urllib.request

from flask import Blueprint, abort, jsonify, redirect, request

import buyer
import checkout
import machine
import settings

log = logging.getLogger("shop")
blueprint = Blueprint("creem", __name__)

# What one purchase gives, whoever is paid.
CREDITS = 10
# Creem takes euros and dollars, and its product says what it costs.
NAME = "Ten credits"
PRICE = 500
CURRENCY = "EUR"

SCHEMA = """
CREATE TABLE IF NOT EXISTS sales (
    provider TEXT NOT NULL,
    id       TEXT NOT NULL, -- the session of the one, the checkout of the other
    user     TEXT NOT NULL,
    cart     TEXT NOT NULL,
    PRIMARY KEY (provider, id)
);
CREATE TABLE IF NOT EXISTS creem_payments (
    checkout TEXT PRIMARY KEY,
    payment  TEXT NOT NULL, -- tran_…: what is given back is of one of these
    amount   INTEGER NOT NULL,
    currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS creem_losses (
    id      TEXT PRIMARY KEY, -- a refund or a dispute
    payment TEXT NOT NULL,
    amount  INTEGER NOT NULL
);
"""


def call(method: str, path: str, body: dict | None = None) -> dict:
    """Asks Creem. Its key stands in a header of its own, its bodies are JSON."""
    base = settings.CREEM_API_BASE or "https://test-api.creem.io"
    data = None if body is None else json.dumps(body).encode()
    key = settings.CREEM_API_KEY or abort(501)
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    asked = urllib.request.Request(base + path, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def product() -> str:
    """The product at Creem, made where there is none yet."""
    found = call("GET", "/v1/products/search?page_size=100")["items"]
    known = next((it["id"] for it in found if it["name"] == NAME), None)
    if known:
        return known
    made = {"name": NAME, "price": PRICE, "currency": CURRENCY, "billing_type": "onetime"}
    return call("POST", "/v1/products", made)["id"]


def at_stripe(whose: str, cart: str) -> tuple[str, str]:
    session = checkout.client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [checkout.line_item()],
            "client_reference_id": whose,
            "metadata": {"cart": cart},
            "success_url": f"{buyer.shop()}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{buyer.shop()}/cancel",
        }
    )
    return session.id, session.url


def at_creem(whose: str, cart: str) -> tuple[str, str]:
    made = call(
        "POST",
        "/v1/checkouts",
        {
            "product_id": product(),
            "units": 1,
            "success_url": f"{buyer.shop()}/",
            "metadata": {"user": whose, "cart": cart},
        },
    )
    return made["id"], made["checkout_url"]


@blueprint.post("/orders")
def begin():
    import ledger  # which asks this file for its tables

    opens = {"stripe": at_stripe, "creem": at_creem}.get(request.form.get("provider", ""))
    whose, cart = buyer.user(), request.form.get("cart", "")
    if opens is None or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", cart):
        abort(400)
    if is_paid(whose, cart):
        return jsonify(error="paid already"), 409
    name, url = opens(whose, cart)
    # Written before anybody can pay: whose it is does not depend on what is typed on the payment page.
    with ledger.opened() as db:
        db.execute(
            "INSERT INTO sales VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (request.form["provider"], name, whose, cart),
        )
    log.info("order %s begun", name)
    return redirect(url, code=303)


def is_paid(whose: str, cart: str) -> bool:
    """Whether a cart is paid, at whichever provider."""
    return any(it["cart"] == cart and it["paid"] for it in orders(whose))


@blueprint.post("/webhook/creem")
def receive():
    body = request.get_data()
    if not is_genuine(body):
        log.warning("refused an event of Creem's")
        return "not a genuine event", 400
    try:
        event = json.loads(body)
        record(event["eventType"], event["object"])
    except (ValueError, KeyError, TypeError) as error:
        log.warning("refused an event of Creem's: it lacks %s", error)
        return "not an event", 400
    log.info("%s %s of Creem's recorded", event["id"], event["eventType"])
    return "", 200


def is_genuine(body: bytes) -> bool:
    """Whether Creem's own secret signed the very bytes that came. Nothing in it says when."""
    secret, given = settings.CREEM_WEBHOOK_SECRET, request.headers.get("creem-signature", "")
    if secret is None:
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode(), expected.encode())


def record(kind: str, thing: dict) -> None:
    import ledger

    with ledger.opened() as db:
        keep(db, kind, thing)


def named(thing: str | dict) -> str:
    """An id, whether its object came along or not."""
    return thing["id"] if isinstance(thing, dict) else thing


def keep(db: sqlite3.Connection, kind: str, thing: dict) -> None:
    """Writes down what an event says, under the id of what it is about: whatever comes twice changes nothing."""
    if kind == "checkout.completed" and (thing.get("order") or {}).get("status") == "paid":
        order = thing["order"]
        # What was paid, and not what the product costs: a code may have taken something off.
        row = (thing["id"], named(order["transaction"]), order["amount_paid"], order["currency"].lower())
        db.execute("INSERT INTO creem_payments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    elif kind == "refund.created":
        amount = 0 if thing["status"] in ("failed", "canceled") else thing["refund_amount"]
        lose(db, thing, amount)
    elif kind == "dispute.created":
        lose(db, thing, thing["amount"])


def lose(db: sqlite3.Connection, thing: dict, amount: int) -> None:
    row = (thing["id"], named(thing["transaction"]), amount)
    db.execute("INSERT INTO creem_losses VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)


def orders(whose: str) -> list[dict]:
    """The user's orders, the oldest first, told alike whoever was paid."""
    import ledger

    rows = {row["session_id"]: row for row in ledger.rows()}
    with ledger.opened() as db:
        sold = db.execute("SELECT * FROM sales WHERE user = ? ORDER BY rowid", (whose,)).fetchall()
        return [order(db, dict(it), rows.get(it["id"])) for it in sold]


def order(db: sqlite3.Connection, sold: dict, row: dict | None) -> dict:
    of = of_stripe(row) if sold["provider"] == "stripe" else of_creem(db, sold["id"])
    amount, currency, lost = of or (0, None, 0)
    said = {name: sold[name] for name in ("provider", "id", "cart")}
    return {**said, "paid": of is not None, "amount": amount, "currency": currency, "lost": lost}


def of_stripe(row: dict | None) -> tuple[int, str, int] | None:
    """What came by Stripe: amount, currency, what went back."""
    came = ("paid", "partially_refunded", "refunded")
    if row is None or row["status"] not in came:
        return None
    return row["amount"], row["currency"], row["refunded"] + row["disputed"]


def of_creem(db: sqlite3.Connection, name: str) -> tuple[int, str, int] | None:
    """What came by Creem, likewise."""
    paid = db.execute("SELECT * FROM creem_payments WHERE checkout = ?", (name,)).fetchone()
    return paid and (paid["amount"], paid["currency"], lost(db, paid["payment"]))


def lost(db: sqlite3.Connection, payment: str) -> int:
    query = "SELECT coalesce(sum(amount), 0) FROM creem_losses WHERE payment = ?"
    return db.execute(query, (payment,)).fetchone()[0]


def left(it: dict) -> int:
    """What of an order's credits is paid for: in proportion, so that no currency is changed into another."""
    if not it["paid"] or not it["amount"]:
        return 0
    return CREDITS * max(it["amount"] - it["lost"], 0) // it["amount"]


@blueprint.get("/orders")
def show():
    if not machine.is_this():
        abort(403)
    found = orders(buyer.user())
    return jsonify(credits=sum(left(it) for it in found), orders=found)
