"""Subscriptions: begun on Stripe's page, paid period by period. Who has access follows from events, and only from them."""

import logging
import sqlite3
from dataclasses import dataclass

from flask import Blueprint, abort, jsonify, redirect

import buyer
import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("subscription", __name__)

NAME = "Green tea, every month"
PRICE = 900

SCHEMA = """
CREATE TABLE IF NOT EXISTS invoices (
    id           TEXT PRIMARY KEY,
    customer     TEXT NOT NULL,
    subscription TEXT NOT NULL,
    amount       INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ended (
    subscription TEXT PRIMARY KEY
);
"""


@dataclass(frozen=True)
class Paid:
    """A period that was paid for. The first one is an invoice as well."""

    invoice: str
    customer: str
    subscription: str
    amount: int

    def __str__(self) -> str:
        return f"{self.invoice} paid {self.amount}"


@dataclass(frozen=True)
class Ended:
    """A subscription that is over. It never begins again; a new one has another id."""

    subscription: str

    def __str__(self) -> str:
        return f"{self.subscription} ended"


def of(kind: str, thing: dict) -> Paid | Ended | None:
    """What an event says of a subscription, None where it is about something else."""
    if kind == "customer.subscription.deleted":
        return Ended(thing["id"])
    if kind != "invoice.paid":
        return None
    # Up to 2025-03-31 an invoice said it itself.
    parent = (thing.get("parent") or {}).get("subscription_details") or {}
    paid_for = parent.get("subscription") or thing.get("subscription")
    if not paid_for:
        return None  # a bill for something else
    return Paid(thing["id"], thing["customer"], paid_for, thing["amount_paid"])


def keep(db: sqlite3.Connection, fact: Paid | Ended) -> None:
    """Writes it down. Both only add up: whatever comes twice or late changes nothing."""
    if isinstance(fact, Ended):
        db.execute("INSERT INTO ended VALUES (?) ON CONFLICT DO NOTHING", (fact.subscription,))
        return
    db.execute(
        "INSERT INTO invoices VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (fact.invoice, fact.customer, fact.subscription, fact.amount),
    )


def has_access(db: sqlite3.Connection, whose: str) -> bool:
    """Whether a period of a subscription was paid for that is not over."""
    found = db.execute(
        "SELECT count(*) FROM invoices WHERE customer = ?"
        " AND subscription NOT IN (SELECT subscription FROM ended)",
        (whose,),
    )
    return found.fetchone()[0] > 0


def paid(db: sqlite3.Connection, whose: str) -> tuple[int, int]:
    """How many invoices were paid, and what they come to."""
    query = "SELECT count(*), coalesce(sum(amount), 0) FROM invoices WHERE customer = ?"
    return tuple(db.execute(query, (whose,)).fetchone())


def is_subscribed(whose: str) -> bool:
    """Whether a subscription runs at Stripe. One that waits for its first payment does not count yet."""
    found = checkout.client.v1.subscriptions.list({"customer": whose})
    return any(it.status not in ("incomplete", "incomplete_expired", "canceled") for it in found)


@blueprint.post("/subscribe")
def begin():
    whose = buyer.welcome(buyer.email())
    if is_subscribed(whose):
        return jsonify(error="subscribed already"), 409
    price = {
        "currency": checkout.CURRENCY,
        "unit_amount": PRICE,
        "recurring": {"interval": "month"},
        "product_data": {"name": NAME},
    }
    session = checkout.client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": whose,
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": f"{buyer.shop()}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{buyer.shop()}/cancel",
        }
    )
    log.info("session %s for a subscription", session.id)
    return redirect(session.url, code=303)


@blueprint.get("/access")
def access():
    import ledger  # which asks this file for its tables

    if not machine.is_this():
        abort(403)
    whose = buyer.customer(buyer.email()) or ""
    with ledger.opened() as db:
        count, total = paid(db, whose)
        return jsonify(access=has_access(db, whose), paid=count, total=total)
