"""Payments on a form of the shop's own: the buyer's page confirms them, and events say what became of them."""

import sqlite3

from flask import Blueprint

blueprint = Blueprint("intent", __name__)

# Lesson payment-intents: a table with a row for each payment that came, its order's number and its amount.
# `ledger.prepare` makes it.
SCHEMA = ""


def of(kind: str, thing: dict) -> object | None:
    """What an event says of an order. A step of the bank's is no money yet, and a declined card no end."""
    # Lesson payment-intents: payment_intent.succeeded, whose metadata has the order's number. `meaning.of` asks here for
    # what it does not know itself.
    return None


def keep(db: sqlite3.Connection, fact: object) -> None:
    """Writes it down. What comes twice or late changes nothing."""
    # Lesson payment-intents: `ledger.record` calls this in its transaction.


@blueprint.post("/intents")
def begin():
    # Lesson payment-intents: make a PaymentIntent at the shop's own price, with the form's `order` in its metadata and in
    # its idempotency key, and answer as JSON its id (`payment_intent`) and its `client_secret`.
    return "payment-intents", 501


@blueprint.get("/intents/return")
def back():
    # Lesson payment-intents: ask Stripe how the query's `payment_intent` stands, and say it. Nothing follows from it.
    return "payment-intents", 501


@blueprint.get("/order")
def order():
    # Lesson payment-intents: for this machine alone. As JSON, of the query's `order`: `status` (paid, unpaid) and what
    # came for it (`amount`).
    return "payment-intents", 501
