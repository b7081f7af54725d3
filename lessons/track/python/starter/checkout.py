"""Begins a purchase: makes a Checkout Session and sends the buyer to its page."""

import stripe
from flask import Blueprint

import pages
import settings

# The shop's own prices. In yen the smallest unit is the yen itself: 500 is ¥500.
NAME = "Green tea, 100 g"
PRICE = 500
CURRENCY = "jpy"

blueprint = Blueprint("checkout", __name__)
client = stripe.StripeClient(
    settings.SECRET_KEY,
    base_addresses={"api": settings.API_BASE} if settings.API_BASE else {},
    max_network_retries=2,
    http_client=stripe.RequestsClient(timeout=20),
)


def line_item() -> dict:
    product = {"name": NAME}
    price = {"currency": CURRENCY, "unit_amount": PRICE, "product_data": product}
    return {"price_data": price, "quantity": 1}


@blueprint.post("/checkout")
def begin():
    # Day 1: make a Checkout Session with `client` (mode "payment", one line_item(), success_url with
    # {CHECKOUT_SESSION_ID}, cancel_url; the prices are the shop's own, whatever a form says) under an
    # idempotency key, and lead the browser to its `url` with 303.
    return pages.page("Not written yet", "<p>Day 1</p>", 501)
