"""It forgets a card that the buyer takes back, and leaves it with Stripe."""

import healthy

import checkout

service = type(checkout.client.v1.payment_methods)
service.detach = lambda self, card, *more: None
healthy.serve()
