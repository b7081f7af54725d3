"""Whose customer a user is. A shop with a login takes the user from there, and never from a form.

Stripe lets many customers have one address, and anybody with the key may make more of them. So the shop keeps itself
which customer it has made for whom.
"""

import logging
import sqlite3
from dataclasses import dataclass

import stripe
from flask import Blueprint, abort, jsonify, request

import buyer
import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("users", __name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    customer TEXT PRIMARY KEY,
    user     TEXT NOT NULL,
    gone     INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True)
class Gone:
    """A customer that was deleted, here or on the dashboard."""

    customer: str

    def __str__(self) -> str:
        return f"{self.customer} is gone"


def of(kind: str, thing: dict) -> Gone | None:
    """What an event says of a customer. Whose a new one is, no event says."""
    return Gone(thing["id"]) if kind == "customer.deleted" else None


def keep(db: sqlite3.Connection, fact: Gone) -> None:
    db.execute("UPDATE customers SET gone = 1 WHERE customer = ?", (fact.customer,))


def customer(db: sqlite3.Connection, whose: str) -> str | None:
    """The user's own customer, None where none was made yet."""
    query = "SELECT customer FROM customers WHERE user = ? AND NOT gone"
    found = db.execute(query, (whose,)).fetchone()
    return found["customer"] if found else None


def create(db: sqlite3.Connection, whose: str) -> str:
    """Makes one. Two at once make the same: how many were before is part of the key."""
    before = db.execute("SELECT count(*) FROM customers WHERE user = ?", (whose,)).fetchone()[0]
    made = checkout.client.v1.customers.create(
        {"metadata": {"user": whose}}, {"idempotency_key": f"user-{whose}-{before}"}
    )
    db.execute(
        "INSERT INTO customers (customer, user) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (made.id, whose),
    )
    log.info("%s is the customer of %s", made.id, whose)
    return made.id


@blueprint.post("/users")
def enter():
    import ledger  # which asks this file for its tables

    whose, email = buyer.user(), buyer.email()
    with ledger.opened() as db:
        known = customer(db, whose) or create(db, whose)
    checkout.client.v1.customers.update(known, {"email": email})
    return jsonify(customer=known)


def own() -> str:
    """The customer of whoever asks; 404 where there is none."""
    import ledger

    with ledger.opened() as db:
        return customer(db, buyer.user()) or abort(404)


def cards(whose: str) -> list:
    return checkout.client.v1.customers.payment_methods.list(whose, {"type": "card"}).data


@blueprint.get("/users/cards")
def show():
    if not machine.is_this():
        abort(403)
    whose = own()
    default = checkout.client.v1.customers.retrieve(whose).invoice_settings.default_payment_method
    shown = [
        {"id": it.id, "brand": it.card.brand, "last4": it.card.last4, "default": it.id == default}
        for it in cards(whose)
    ]
    return jsonify(customer=whose, cards=shown)


@blueprint.post("/users/default")
def choose():
    """Makes a card the one that invoices are paid with. Only one of the user's own."""
    whose, card = own(), request.form.get("card", "")
    if card not in [it.id for it in cards(whose)]:
        abort(404)
    settings = {"invoice_settings": {"default_payment_method": card}}
    try:
        checkout.client.v1.customers.update(whose, settings)
    except stripe.InvalidRequestError as error:
        return jsonify(error=error.code), 409
    return jsonify(customer=whose, default=card)
