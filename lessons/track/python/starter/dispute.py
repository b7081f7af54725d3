"""Disputes: what the buyer's bank has taken, what it gave back, what that cost, and the one answer to it."""

import sqlite3

from flask import Blueprint

blueprint = Blueprint("dispute", __name__)

# Lesson disputes: a table with a row for each dispute.
SCHEMA = ""


def of(kind: str, thing: dict) -> object | None:
    """What an event says of a dispute, None where it is about something else."""
    # Lesson disputes: charge.dispute.*: how much was taken, how much came back, and the fees, all of which stand in
    # the object's `amount`, `status` and `balance_transactions`. They only grow.
    return None


def keep(db: sqlite3.Connection, fact: object) -> None:
    """Writes it down. An older event that comes late takes nothing back."""


def held(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """By payment: what disputes hold of it, and what they cost."""
    # Lesson disputes: payment_intent: (taken and not given back, fees).
    return {}


@blueprint.post("/evidence")
def answer():
    # Lesson disputes: for this machine alone. Send what is known of the sale, with submit, where the form's `dispute`
    # still needs a response; answer 409 where it does not.
    return "disputes", 501
