"""The signature by the official SDK."""

import json

import stripe

import shop


def genuine(header, body):
    """The event; ValueError where its signature does not fit these bytes."""
    try:
        stripe.Webhook.construct_event(body, header, shop.SECRET)
    except stripe.SignatureVerificationError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return json.loads(body)
