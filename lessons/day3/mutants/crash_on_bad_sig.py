"""A bad signature is an exception that nobody catches: 500 instead of 400."""

import healthy

import stripe
import webhook

genuine = webhook.genuine


def crashing(body, signature):
    try:
        return genuine(body, signature)
    except stripe.SignatureVerificationError as error:
        raise RuntimeError("nobody expected this") from error


webhook.genuine = crashing
healthy.serve()
