"""Cards that buyers leave with the shop: kept with their consent, charged while they are away, let go when they wish.

The card stays at Stripe. All that the shop knows of it is whose it is.
"""

import logging
import uuid

import stripe
from flask import Blueprint, abort, jsonify, redirect, request

import buyer
import checkout
import machine
from buyer import customer

log = logging.getLogger("shop")
blueprint = Blueprint("cards", __name__)


def kept(whose: str) -> list[str]:
    """The cards of this customer and of nobody else, the newest first."""
    return [it.id for it in checkout.client.v1.customers.payment_methods.list(whose, {"type": "card"})]


@blueprint.post("/cards")
def keep():
    """Leads the buyer to a page that says what the card is kept for. A purchase alone keeps none."""
    session = checkout.client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": checkout.CURRENCY,
            "customer": buyer.welcome(buyer.email()),
            "success_url": f"{buyer.shop()}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{buyer.shop()}/cancel",
        }
    )
    return redirect(session.url, code=303)


@blueprint.post("/cards/charge")
def charge():
    if not machine.is_this():
        abort(403)
    amount = request.form.get("amount", "")
    if not amount.isdecimal():
        abort(400)
    whose = customer(buyer.email())
    cards = kept(whose) if whose else []
    if not cards:
        return jsonify(error="no card"), 409
    order = request.form.get("order") or str(uuid.uuid4())
    try:
        intent = checkout.client.v1.payment_intents.create(
            {
                "amount": int(amount),
                "currency": checkout.CURRENCY,
                "customer": whose,
                "payment_method": cards[0],
                "off_session": True,
                "confirm": True,
            },
            {"idempotency_key": f"charge-{order}"},
        )
    except stripe.CardError as error:
        # authentication_required: only the buyer can pay now. Write to them; do not try again.
        log.warning("not charged: %s", error.code)
        return jsonify(error=error.code), 402
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        return jsonify(error=error.code), 409
    paid = intent.status == "succeeded"
    return jsonify(payment_intent=intent.id, status=intent.status), 200 if paid else 402


@blueprint.post("/cards/remove")
def remove():
    whose = customer(buyer.email())
    cards = kept(whose) if whose else []
    for card in cards:
        checkout.client.v1.payment_methods.detach(card)
    return jsonify(removed=len(cards))
