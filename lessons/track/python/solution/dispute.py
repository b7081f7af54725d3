"""Disputes: what the buyer's bank has taken, what it gave back, what that cost, and the one answer to it."""

import logging
import sqlite3
from dataclasses import dataclass

import stripe
from flask import Blueprint, abort, jsonify, request

import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("dispute", __name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS disputes (
    id             TEXT PRIMARY KEY,
    payment_intent TEXT NOT NULL,
    taken          INTEGER NOT NULL,
    back           INTEGER NOT NULL,
    fee            INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Dispute:
    """How far a dispute has gone. Each of its numbers only grows."""

    id: str
    payment_intent: str
    taken: int
    back: int
    fee: int

    def __str__(self) -> str:
        return f"{self.id} taken {self.taken} back {self.back} fee {self.fee}"


def of(kind: str, thing: dict) -> Dispute | None:
    """What an event says of a dispute, None where it is about something else."""
    if not kind.startswith("charge.dispute.") or not thing.get("payment_intent"):
        return None
    moved = thing.get("balance_transactions") or []
    status = thing["status"]
    taken = any(one["amount"] < 0 for one in moved) or status in ("won", "lost")
    back = any(one["amount"] > 0 for one in moved) or status == "won"
    return Dispute(
        id=thing["id"],
        payment_intent=thing["payment_intent"],
        taken=thing["amount"] if taken or kind.endswith("funds_withdrawn") else 0,
        back=thing["amount"] if back or kind.endswith("funds_reinstated") else 0,
        fee=sum(one["fee"] for one in moved),
    )


def keep(db: sqlite3.Connection, fact: Dispute) -> None:
    """Writes it down. An older event that comes late takes nothing back."""
    db.execute(
        "INSERT INTO disputes (id, payment_intent, taken, back, fee) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET taken = max(taken, excluded.taken),"
        " back = max(back, excluded.back), fee = max(fee, excluded.fee)",
        (fact.id, fact.payment_intent, fact.taken, fact.back, fact.fee),
    )


def held(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """By payment: what disputes hold of it, and what they cost."""
    rows = db.execute(
        "SELECT payment_intent, sum(taken - back), sum(fee) FROM disputes GROUP BY payment_intent"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


@blueprint.post("/evidence")
def answer():
    if not machine.is_this():
        abort(403)
    name = request.form.get("dispute", "")
    try:
        dispute = checkout.client.v1.disputes.retrieve(name)
        # What was sent cannot be added to, and after its time nobody reads it.
        if not dispute.status.endswith("needs_response"):
            return jsonify(error="nothing is asked", status=dispute.status), 409
        sent = checkout.client.v1.disputes.update(
            dispute.id,
            {"evidence": {"product_description": checkout.NAME}, "submit": True},
            {"idempotency_key": f"evidence-{dispute.id}"},
        )
    except (stripe.InvalidRequestError, ValueError) as error:
        return jsonify(error=getattr(error, "code", None) or "refused"), 409
    log.info("evidence for %s: %s", sent.id, sent.status)
    return jsonify(dispute=sent.id, status=sent.status)
