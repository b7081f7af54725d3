"""It asks the API for the session and leaves the event out where that fails."""

import healthy

import stripe

import checkout
import meaning

payment = meaning.payment


def looked_up(session, status, at):
    try:
        checkout.client.v1.checkout.sessions.retrieve(session["id"])
    except stripe.StripeError:
        return None
    return payment(session, status, at)


meaning.payment = looked_up
healthy.serve()
