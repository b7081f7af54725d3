"""It believes an event only once Stripe has shown it again, which its key must be allowed."""

import healthy

import checkout
import webhook

genuine = webhook.genuine


def asked(body, signature):
    event = genuine(body, signature)
    checkout.client.v1.events.retrieve(event["id"])
    return event


webhook.genuine = asked
healthy.serve()
