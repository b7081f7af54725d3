"""Gives money back, and says which goods may be sent. What becomes of a refund is told by its events."""

import logging
import uuid

import stripe
from flask import Blueprint, abort, jsonify, request

import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("refund", __name__)


@blueprint.post("/refund")
def give_back():
    if not machine.is_this():
        abort(403)
    amount = request.form.get("amount", "")
    if amount and not amount.isdecimal():
        abort(400)
    # The number of this click: pressed twice, the money goes back once.
    order = request.form.get("order") or str(uuid.uuid4())
    try:
        session = checkout.client.v1.checkout.sessions.retrieve(request.form.get("session_id", ""))
        if not session.payment_intent:
            return jsonify(error="not paid"), 409
        part = {"amount": int(amount)} if amount else {}
        refund = checkout.client.v1.refunds.create(
            {"payment_intent": session.payment_intent, **part},
            {"idempotency_key": f"refund-{order}"},
        )
    except (stripe.InvalidRequestError, stripe.IdempotencyError, ValueError) as error:
        log.warning("no refund: %s", getattr(error, "code", None))
        return jsonify(error=getattr(error, "code", None) or "refused"), 409
    log.info("refund %s of %s", refund.id, session.id)
    return jsonify(refund=refund.id, status=refund.status)


def goods(row: dict) -> str:
    """Whether what was bought may be sent, as far as its money goes."""
    paid = row["status"] in ("paid", "partially_refunded", "no_payment_required")
    return "send" if paid and row["disputed"] == 0 else "hold"
