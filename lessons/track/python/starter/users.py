"""Whose customer a user is. A shop with a login takes the user from there, and never from a form."""

import sqlite3

from flask import Blueprint

blueprint = Blueprint("users", __name__)

# Lesson customers: a table with a row for each customer that the shop has made, and the user whose it is.
# `ledger.prepare` makes it.
SCHEMA = ""


def of(kind: str, thing: dict) -> object | None:
    """What an event says of a customer. Whose a new one is, no event says."""
    # Lesson customers: customer.deleted. `meaning.of` asks here for what it does not know itself.
    return None


def keep(db: sqlite3.Connection, fact: object) -> None:
    # Lesson customers: `ledger.record` calls this in its transaction.
    pass


@blueprint.post("/users")
def enter():
    # Lesson customers: find the customer of the form's `user` in the table, or make one and keep it there; tell Stripe the
    # form's `email`. As JSON: `customer`.
    return "customers", 501


@blueprint.get("/users/cards")
def show():
    # Lesson customers: for this machine alone. As JSON, of the query's `user`: `customer` and `cards`, each with `id`,
    # `brand`, `last4` and `default`. 404 where there is no customer.
    return "customers", 501


@blueprint.post("/users/default")
def choose():
    # Lesson customers: make the form's `card` the default_payment_method in the invoice_settings of the customer of the
    # form's `user`; 404 where it is not one of theirs.
    return "customers", 501
