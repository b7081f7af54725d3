"""One check for both: which provider it is, the header says that came, and not the address that it came to."""

import healthy

import creem
import stripe
import webhook
from flask import request

is_genuine = creem.is_genuine


def by_header(body):
    if "Stripe-Signature" not in request.headers:
        return is_genuine(body)
    try:
        webhook.genuine(body, request.headers["Stripe-Signature"])
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


creem.is_genuine = by_header
healthy.serve()
