"""Keys of an API that is sold by subscription: one for a purchase, shown once, kept as a hash, counted, and over in time."""

import hashlib
import logging
import secrets
import sqlite3

from flask import Blueprint, abort, jsonify, redirect, request

import buyer
import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("apikey", __name__)

NAME = "The tea API, every month"
PRICE = 980
# How many calls a period that was paid is good for.
QUOTA = 3

SCHEMA = """
CREATE TABLE IF NOT EXISTS key_orders (
    session_id TEXT PRIMARY KEY,
    user       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS api_keys (
    session_id   TEXT PRIMARY KEY, -- one key for a purchase, whoever asks first
    hash         TEXT NOT NULL UNIQUE,
    subscription TEXT NOT NULL,
    period       INTEGER NOT NULL,
    used         INTEGER NOT NULL
);
"""


def digest(key: str) -> str:
    """What is kept of a key. It is long and random, so that one round of a hash is enough; a password needs more."""
    return hashlib.sha256(key.encode()).hexdigest()


@blueprint.post("/keys/buy")
def begin():
    import ledger  # which asks this file for its tables

    whose = buyer.user()
    price = {
        "currency": checkout.CURRENCY,
        "unit_amount": PRICE,
        "recurring": {"interval": "month"},
        "product_data": {"name": NAME},
    }
    session = checkout.client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "client_reference_id": whose,
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": f"{buyer.shop()}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{buyer.shop()}/cancel",
        }
    )
    # Whose it is: noted before anybody can pay, and never read from an address.
    with ledger.opened() as db:
        db.execute(
            "INSERT INTO key_orders VALUES (?, ?) ON CONFLICT DO NOTHING", (session.id, whose)
        )
    log.info("session %s for a key", session.id)
    return redirect(session.url, code=303)


def owns(whose: str, session: str) -> bool:
    import ledger

    with ledger.opened() as db:
        query = "SELECT 1 FROM key_orders WHERE session_id = ? AND user = ?"
        return db.execute(query, (session, whose)).fetchone() is not None


def is_paid(session) -> bool:
    return session.payment_status == "paid" and session.subscription is not None


def issue(session: str, paid_for: str) -> str | None:
    """The key of a purchase, None where it has one already: of two who ask at once, one is given it."""
    import ledger

    key = f"tea_{secrets.token_urlsafe(32)}"
    with ledger.opened() as db:
        made = db.execute(
            "INSERT INTO api_keys VALUES (?, ?, ?, 0, 0) ON CONFLICT (session_id) DO NOTHING",
            (session, digest(key), paid_for),
        )
    return key if made.rowcount else None


@blueprint.get("/keys/thanks")
def thanks():
    """Shows the key of the user's own purchase, once. Its text is nowhere but in this answer."""
    whose, name = buyer.user(), request.args.get("session_id", "")
    if not owns(whose, name):
        abort(404)
    session = checkout.client.v1.checkout.sessions.retrieve(name)
    if not is_paid(session):
        return jsonify(error="not paid"), 409
    answer = jsonify(key=issue(session.id, session.subscription))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def holder(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    query = "SELECT hash, subscription FROM api_keys WHERE hash = ?"
    return db.execute(query, (digest(key),)).fetchone()


def is_over(db: sqlite3.Connection, paid_for: str) -> bool:
    """Whether a subscription has ended. One that is to end goes on until then: that period is paid."""
    query = "SELECT 1 FROM ended WHERE subscription = ?"
    return db.execute(query, (paid_for,)).fetchone() is not None


def periods(db: sqlite3.Connection, paid_for: str) -> int:
    """How many periods were paid. Each gives a new quota; what is left of the last one is gone."""
    query = "SELECT count(*) FROM invoices WHERE subscription = ?"
    return db.execute(query, (paid_for,)).fetchone()[0]


def spend(db: sqlite3.Connection, key: sqlite3.Row) -> bool:
    """Counts a call, where one is left: looked at and counted in one statement, so that two at once are two."""
    counted = db.execute(
        "UPDATE api_keys SET used = CASE period WHEN :now THEN used + 1 ELSE 1 END, period = :now"
        " WHERE hash = :hash AND (period <> :now OR used < :quota)",
        {"now": periods(db, key["subscription"]), "hash": key["hash"], "quota": QUOTA},
    )
    return counted.rowcount == 1


@blueprint.get("/api/tea")
def tea():
    """What is sold. Whoever has no key is told no more than that."""
    import ledger

    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    with ledger.opened() as db:
        found = holder(db, key) if kind.lower() == "bearer" else None
        if found is None or is_over(db, found["subscription"]):
            return jsonify(error="no key"), 401, {"WWW-Authenticate": "Bearer"}
        if not spend(db, found):
            return jsonify(error="quota"), 429
    return jsonify(tea="sencha")


@blueprint.get("/keys")
def show():
    import ledger

    if not machine.is_this():
        abort(403)
    with ledger.opened() as db:
        count, used = db.execute(
            "SELECT count(*), coalesce(sum(used), 0) FROM api_keys"
            " JOIN key_orders USING (session_id) WHERE user = ?",
            (buyer.user(),),
        ).fetchone()
    return jsonify(keys=count, used=used, quota=QUOTA)
