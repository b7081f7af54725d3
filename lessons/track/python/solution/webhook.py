"""Where Stripe tells what happened. Only genuine events come in, and 2xx means: it is written down.

The answer decides what Stripe does next. 400 is for what can never be accepted. A failure of the shop's
own must become 500, so that the event comes again.
"""

import json
import logging

import stripe
from flask import Blueprint, request

import ledger
import meaning
import settings

log = logging.getLogger("shop")
blueprint = Blueprint("webhook", __name__)


@blueprint.post("/webhook", strict_slashes=False)
def receive():
    try:
        event = genuine(request.get_data(), request.headers.get("Stripe-Signature"))
        fact = meaning.of(event)
    except (stripe.SignatureVerificationError, ValueError) as error:
        log.warning("refused an event: %s", str(error).partition("\n")[0])
        return "not a genuine event", 400
    label = f"{event['id']} {event['type']}"
    if event.get("livemode", False) != settings.LIVE:
        log.warning("%s left alone: it is of the other mode than the key", label)
    elif fact is None:
        log.info("%s means nothing for the ledger", label)
    elif ledger.record(event, fact):
        log.info("%s recorded: %s", label, fact)
    else:
        log.info("%s is already recorded", label)
    return "", 200


def genuine(body: bytes, signature: str | None) -> dict:
    """The event, if its signature fits the very bytes that came and is at most five minutes old."""
    text = body.decode()
    tolerance = stripe.Webhook.DEFAULT_TOLERANCE
    stripe.WebhookSignature.verify_header(text, signature, settings.WEBHOOK_SECRET, tolerance)
    # Plain dictionaries: they can be read in the same way whatever version of the API wrote them.
    return json.loads(text)
