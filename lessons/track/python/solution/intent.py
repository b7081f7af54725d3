"""Payments on a form of the shop's own: the buyer's page confirms them, and events say what became of them."""

import logging
import re
import sqlite3
from dataclasses import dataclass

import stripe
from flask import Blueprint, abort, jsonify, request

import checkout
import machine
import pages

log = logging.getLogger("shop")
blueprint = Blueprint("intent", __name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS paid_orders (
    payment_intent TEXT PRIMARY KEY,
    number         TEXT NOT NULL,
    amount         INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Came:
    """Money that came for an order."""

    payment_intent: str
    order: str
    amount: int

    def __str__(self) -> str:
        return f"{self.amount} came for {self.order}"


def of(kind: str, thing: dict) -> Came | None:
    """What an event says of an order. A step of the bank's is no money yet, and a declined card no end."""
    if kind != "payment_intent.succeeded":
        return None
    order = (thing.get("metadata") or {}).get("order")
    return Came(thing["id"], order, thing["amount_received"]) if order else None


def keep(db: sqlite3.Connection, fact: Came) -> None:
    """Writes it down. What comes twice or late changes nothing."""
    db.execute(
        "INSERT INTO paid_orders VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (fact.payment_intent, fact.order, fact.amount),
    )


def number() -> str:
    """The order's number, as the form or the query says it."""
    given = request.values.get("order", "")
    return given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else abort(400)


@blueprint.post("/intents")
def begin():
    """The price is the shop's own. Under one number there is one payment, however often the button is pressed."""
    order = number()
    try:
        intent = checkout.client.v1.payment_intents.create(
            {
                "amount": checkout.PRICE,
                "currency": checkout.CURRENCY,
                "automatic_payment_methods": {"enabled": True},
                "metadata": {"order": order},
            },
            {"idempotency_key": f"intent-{order}"},
        )
    except stripe.StripeError as error:
        log.error("no payment: status %s, code %s", error.http_status, error.code)
        return jsonify(error="try again later"), 502
    return jsonify(payment_intent=intent.id, client_secret=intent.client_secret)


@blueprint.get("/intents/return")
def back():
    """Where the buyer's browser comes back to. The address proves nothing: Stripe is asked, and nothing follows."""
    name = request.args.get("payment_intent", "")
    if not re.fullmatch(r"pi_[A-Za-z0-9_]+", name):
        abort(400)
    try:
        intent = checkout.client.v1.payment_intents.retrieve(name)
    except stripe.InvalidRequestError:
        abort(404)
    texts = {"succeeded": "The payment has arrived.", "processing": "We wait for your bank."}
    text = texts.get(intent.status, "The payment is not complete.")
    return pages.page("Your payment", f"<p>{text}</p>{pages.HOME}")


@blueprint.get("/order")
def order():
    import ledger  # which asks this file for its tables

    if not machine.is_this():
        abort(403)
    with ledger.opened() as db:
        query = "SELECT count(*), coalesce(sum(amount), 0) FROM paid_orders WHERE number = ?"
        count, amount = db.execute(query, (number(),)).fetchone()
    return jsonify(status="paid" if count else "unpaid", amount=amount)
