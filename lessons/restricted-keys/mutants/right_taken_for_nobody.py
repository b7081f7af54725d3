"""Whatever goes wrong at Stripe it takes for a buyer whom nobody knows."""

import healthy

import portal
import stripe

customer = portal.buyer.customer


def nobody(address):
    try:
        return customer(address)
    except stripe.StripeError:
        return None


portal.buyer.customer = nobody
healthy.serve()
