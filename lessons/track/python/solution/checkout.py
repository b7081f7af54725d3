"""Begins a purchase: makes a Checkout Session and sends the buyer to its page."""

import logging
import uuid

import stripe
from flask import Blueprint, redirect, request

import pages
import settings

# The shop's own prices. In yen the smallest unit is the yen itself: 500 is ¥500.
NAME = "Green tea, 100 g"
PRICE = 500
CURRENCY = "jpy"

log = logging.getLogger("shop")
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


def order_number() -> str:
    """The number that the front page gave this purchase; a new one where there is none."""
    try:
        return str(uuid.UUID(request.form.get("order", "")))
    except ValueError:
        return str(uuid.uuid4())


@blueprint.post("/checkout")
def begin():
    order = order_number()
    shop = settings.PUBLIC_URL or request.url_root.rstrip("/")
    try:
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [line_item()],
                "success_url": f"{shop}/success?session_id={{CHECKOUT_SESSION_ID}}",
                "cancel_url": f"{shop}/cancel",
                "client_reference_id": order,
            },
            {"idempotency_key": f"checkout-{order}"},
        )
    except stripe.StripeError as error:
        log.error("no session: status %s, code %s", error.http_status, error.code)
        return pages.page("The checkout is closed", "<p>Please try again later.</p>", 502)
    log.info("session %s for %s %s", session.id, session.amount_total, session.currency)
    return redirect(session.url, code=303)
