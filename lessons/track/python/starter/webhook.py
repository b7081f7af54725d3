"""Where Stripe tells what happened. Only genuine events come in, and 2xx means: it is written down.

The answer decides what Stripe does next. 400 is for what can never be accepted. A failure of the shop's
own must become 500, so that the event comes again.
"""

from flask import Blueprint

blueprint = Blueprint("webhook", __name__)


@blueprint.post("/webhook", strict_slashes=False)
def receive():
    # Day 3: believe an event only if genuine() does, answer 400 otherwise; ask meaning.of() what it means,
    # leave alone what is of the other mode than the key, let ledger.record() write the rest down, write a
    # line with the ids and the amount, and answer 200 only then.
    return "day 3", 501


def genuine(body: bytes, signature: str | None) -> dict:
    """The event, if its signature fits the very bytes that came and is at most five minutes old."""
    raise NotImplementedError("day 3: let the SDK verify the bytes before anything parses them")
