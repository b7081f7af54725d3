"""What its key lacks it tells the buyer, word by word."""

import healthy

import portal
import stripe

customer = portal.buyer.customer


def told(address):
    try:
        return customer(address)
    except stripe.PermissionError as error:
        portal.buyer.abort(502, str(error))


portal.buyer.customer = told
healthy.serve()
