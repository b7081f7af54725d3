"""Gives money back, and says which goods may be sent. What becomes of a refund is told by its events."""

from flask import Blueprint

blueprint = Blueprint("refund", __name__)


@blueprint.post("/refund")
def give_back():
    # Lesson refunds: for this machine alone (machine.is_this). Find the payment_intent of the form's
    # `session_id`, make a refund (of `amount`, where there is one) under an idempotency key from `order`, and answer
    # 4xx where that is not possible. Nothing is booked here: the events do that.
    return "refunds", 501


def goods(row: dict) -> str:
    """Whether what was bought may be sent, as far as its money goes."""
    # Lesson refunds: "hold" where the money is not there (any more), or a dispute holds it.
    return "send"
