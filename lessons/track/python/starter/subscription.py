"""Subscriptions: begun on Stripe's page, paid period by period. Who has access follows from events, and only from them."""

import sqlite3

from flask import Blueprint

blueprint = Blueprint("subscription", __name__)

# Lesson subscriptions: a table with a row for each invoice that was paid, and one for subscriptions that are over.
# `ledger.prepare` makes them.
SCHEMA = ""


def of(kind: str, thing: dict) -> object | None:
    """What an event says of a subscription, None where it is about something else."""
    # Lesson subscriptions: invoice.paid (its subscription stands in parent.subscription_details) and
    # customer.subscription.deleted. `meaning.of` asks here for what it does not know itself.
    return None


def keep(db: sqlite3.Connection, fact: object) -> None:
    """Writes it down. Both only add up: whatever comes twice or late changes nothing."""
    # Lesson subscriptions: `ledger.record` calls this in its transaction.


@blueprint.post("/subscribe")
def begin():
    # Lesson subscriptions: find or make the customer of the form's `email` (buyer.welcome). 409 where a subscription of
    # theirs runs. Else make a Checkout Session of mode "subscription" with this customer and a monthly price, and lead
    # the browser there with 303.
    return "subscriptions", 501


@blueprint.get("/access")
def access():
    # Lesson subscriptions: for this machine alone. As JSON, of the customer with the query's `email`: `access`, and how
    # many invoices were paid (`paid`) and what they come to (`total`).
    return "subscriptions", 501
