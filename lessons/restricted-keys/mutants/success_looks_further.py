"""Its page after a purchase looks at the payment as well, which it does not say."""

import healthy

import checkout
import pages

find = pages.find


def further(session_id):
    session = find(session_id)
    if session and session.payment_intent:
        checkout.client.v1.payment_intents.retrieve(session.payment_intent)
    return session


pages.find = further
healthy.serve()
