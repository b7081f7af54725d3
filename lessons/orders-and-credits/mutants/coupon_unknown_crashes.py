"""A coupon that Stripe does not know is an error that nobody catches."""

import healthy

import checkout
import stripe

service = type(checkout.client.v1.checkout.sessions)
create = service.create


def bare(self, params, options=None):
    try:
        return create(self, params, options)
    except stripe.InvalidRequestError as error:
        raise RuntimeError("no session") from error


service.create = bare
healthy.serve()
